"""What a probe gave, as JSON and raw array bytes: never pickle, which would run foreign code.

`encode` may run beside code nobody trusts; `decode` believes nothing it reads.
"""

import base64
import binascii
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

DTYPES = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64", "complex64", "complex128"),
)
MAX_DEPTH = 20
MAX_INT_BITS = 1000  # a float holds it


@dataclass(frozen=True)
class Raised:
    """An error that was raised instead of a value: its type's name, its bases', its message."""

    name: str
    bases: tuple[str, ...]
    message: str = ""

    @classmethod
    def of(cls, error: BaseException) -> "Raised":
        """Describe an error; a broken `__str__` of its own does no harm."""
        try:
            message = str(error)
        except Exception:
            message = "(its message cannot be read)"
        bases = tuple(base.__name__ for base in type(error).__mro__[:-1])
        return cls(type(error).__name__, bases, message[:1000])


@dataclass(frozen=True)
class Unsupported:
    """A value of a kind that cannot be compared, such as a model or a function."""

    name: str


def encode(value: Any, depth: int = 0) -> dict[str, Any]:
    """Turn a value into plain JSON.

    Args:
        value: None, bool, int, float, str, list, tuple, dict with str or int keys, NumPy array or
            scalar, tensor of Keras' backend, `Raised`. Anything else becomes `Unsupported`.
        depth: how deep inside containers the value lies.

    Returns:
        A dict with the key `"type"`; arrays carry dtype, shape and base64 of little-endian bytes.

    >>> encode(np.float32([1, 2]))
    {'type': 'array', 'dtype': 'float32', 'shape': [2], 'data': 'AACAPwAAAEA='}
    """
    if depth > MAX_DEPTH:
        return {"type": "unsupported", "name": f"{type(value).__name__} inside itself"}
    if isinstance(value, Raised):
        fields = {"name": value.name, "bases": list(value.bases), "message": value.message}
        return {"type": "raised", **fields}
    if isinstance(value, Unsupported):
        return {"type": "unsupported", "name": value.name}
    if value is None:
        return {"type": "none"}
    if type(value) in (bool, str):
        return {"type": type(value).__name__, "value": value}
    if type(value) is int and value.bit_length() <= MAX_INT_BITS:
        return {"type": "int", "value": value}
    if type(value) is float:
        return {"type": "float", "value": value if math.isfinite(value) else repr(value)}
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {"type": kind, "items": [encode(item, depth + 1) for item in value]}
    if isinstance(value, dict) and all(type(key) in (str, int) for key in value):
        return {"type": "dict", "items": [[k, encode(v, depth + 1)] for k, v in value.items()]}
    return _encode_array(value)


def _encode_array(value: Any) -> dict[str, Any]:
    """Encode whatever knows its shape and dtype and can become a NumPy array."""
    name = type(value).__name__
    if isinstance(value, type) or not (hasattr(value, "shape") and hasattr(value, "dtype")):
        return {"type": "unsupported", "name": name}
    try:
        array = np.asarray(value)
        if array.dtype.name not in DTYPES:
            return {"type": "unsupported", "name": f"{name} of dtype {array.dtype.name}"}
        raw = array.astype(array.dtype.newbyteorder("<")).tobytes()
    except Exception:  # a symbolic tensor, say
        return {"type": "unsupported", "name": name}
    data = base64.b64encode(raw).decode("ascii")
    return {"type": "array", "dtype": array.dtype.name, "shape": [*array.shape], "data": data}


def decode(data: Any, depth: int = 0) -> Any:
    """Turn what `encode` made back into a value, checking everything on the way.

    NumPy scalars and 0-d arrays both come back as 0-d arrays.

    Raises:
        ValueError: if `data` is not something `encode` makes.
    """
    try:
        return _decode(data, depth)
    except (KeyError, TypeError, binascii.Error, OverflowError) as error:
        raise ValueError(f"not an encoded value ({error!r}): {str(data)[:80]}") from None


def _decode(data: Any, depth: int) -> Any:
    if depth > MAX_DEPTH + 1:
        raise ValueError("the value is nested too deeply")
    kind = data["type"]
    if kind == "none":
        return None
    if kind in ("bool", "str", "int", "float"):
        return _decode_scalar(kind, data["value"])
    if kind in ("list", "tuple"):
        items = [_decode(item, depth + 1) for item in data["items"]]
        return items if kind == "list" else tuple(items)
    if kind == "dict":
        return {key: _decode(value, depth + 1) for key, value in data["items"]}
    if kind == "array":
        return _decode_array(data)
    if kind == "raised":
        bases = tuple(str(base) for base in data["bases"])
        return Raised(str(data["name"]), bases, str(data["message"]))
    if kind == "unsupported":
        return Unsupported(str(data["name"]))
    raise ValueError(f"{kind!r} is no type of value")


def _decode_scalar(kind: str, value: Any) -> bool | str | int | float:
    if kind == "float" and value in ("nan", "inf", "-inf"):
        return float(value)
    wanted = {"bool": bool, "str": str, "int": int, "float": float}[kind]
    if type(value) is not wanted:
        raise ValueError(f"{str(value)[:80]!r} is no {kind}")
    return value


def _decode_array(data: dict[str, Any]) -> np.ndarray:
    dtype, shape = data["dtype"], data["shape"]
    if dtype not in DTYPES:
        raise ValueError(f"dtype {str(dtype)[:80]!r} is not accepted")
    if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError(f"shape {str(shape)[:80]} is no shape")
    raw = base64.b64decode(data["data"], validate=True)
    if len(raw) != math.prod(shape) * np.dtype(dtype).itemsize:
        raise ValueError(f"{len(raw)} bytes are not an array of shape {shape} and dtype {dtype}")
    array = np.frombuffer(raw, np.dtype(dtype).newbyteorder("<")).reshape(shape)
    return array.astype(dtype)


def describe(value: Any, limit: int = 200) -> str:
    """Say in a readable short form what a decoded value is.

    >>> describe(np.arange(6, dtype="float32").reshape(2, 3))
    'float32 array of shape (2, 3): [[0, 1, 2], [3, 4, 5]]'
    >>> describe(np.float32(0.5)), describe((1, 2.5)), describe(Raised("ValueError", ()))
    ('0.5', '(1, 2.5)', 'a ValueError')
    """
    if isinstance(value, Raised):
        article = "an" if value.name[:1] in "AEIOU" else "a"
        return f"{article} {value.name}" + (f": {value.message}" if value.message else "")
    if isinstance(value, Unsupported):
        return f"an object of type {value.name}"
    if value is None:
        return "None (nothing returned)"
    if isinstance(value, np.ndarray | np.generic) and value.ndim:
        return f"{value.dtype} array of shape {value.shape}" + _array_text(value, limit)
    text = _plain(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _array_text(array: np.ndarray, limit: int) -> str:
    """Return a small array's values, nothing for one too large to read."""
    if array.size > 64:
        return ""
    text = np.array2string(
        array, separator=", ", formatter={"float_kind": lambda number: f"{number:.4g}"}
    )
    text = " ".join(text.split())
    return f": {text}" if len(text) <= limit else ""


def _plain(value: Any) -> str:
    if isinstance(value, np.ndarray | np.generic) and not value.ndim:
        value = value.item()
    if isinstance(value, float):
        return f"{value:.6g}" if not value.is_integer() or abs(value) >= 1e6 else repr(value)
    if isinstance(value, list | tuple):
        inner = ", ".join(_plain(item) for item in value)
        comma = "," if isinstance(value, tuple) and len(value) == 1 else ""
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{comma})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_plain(item)}" for key, item in value.items()) + "}"
    if isinstance(value, np.ndarray):
        return describe(value)
    return repr(value)
