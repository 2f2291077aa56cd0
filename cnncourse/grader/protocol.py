"""How driver and fork talk: frames of JSON and raw bytes. Nothing from the fork is believed.

A frame is a header (mark, length of the JSON, length of the bytes), the JSON, the bytes. In the
JSON an array stands as `{"type": "array", "dtype": …, "shape": …}`; its bytes follow in order.
"""

import base64
import json
import math
import struct
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
from cnncourse.grading.probes import MAX_PRINTED, Outcome
from cnncourse.grading.values import DTYPES, MAX_DEPTH, MAX_INT_BITS

MARK = b"cnn1"
_HEADER = struct.Struct("!4sII")
_CHUNK = 1 << 16
_MAX_ITEMS = 100_000  # an empty list takes 2 bytes here and 56 in memory
_MAX_DIMENSIONS = 32


class ProtocolError(ValueError):
    """A frame that no runner of ours sends."""


def send(stream: BinaryIO, message: dict[str, Any], raw: bytes = b"") -> None:
    """Write one frame."""
    text = json.dumps(message, allow_nan=False).encode()
    stream.write(_HEADER.pack(MARK, len(text), len(raw)) + text + raw)
    stream.flush()


def receive(stream: BinaryIO, max_text: int, max_raw: int) -> tuple[dict[str, Any], bytes]:
    """Read one frame from somebody who may be hostile.

    Args:
        stream: to read; may end at any moment.
        max_text: most bytes of JSON, checked before any is read.
        max_raw: most bytes besides.

    Raises:
        EOFError: if the stream ends.
        ProtocolError: if the frame is too large or not well-formed.
    """
    mark, text_length, raw_length = _HEADER.unpack(_read(stream, _HEADER.size))
    if mark != MARK:
        raise ProtocolError("the frame does not begin as it should")
    if text_length > max_text or raw_length > max_raw:
        raise ProtocolError(f"a frame of {text_length} + {raw_length} bytes is too large")
    text = _read(stream, text_length)
    raw = _read(stream, raw_length)
    if sum(text.count(mark) for mark in (b"[", b"{", b",")) > _MAX_ITEMS:
        raise ProtocolError("the frame has too many items")
    try:
        message = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"the frame is no JSON: {error}") from None
    if not isinstance(message, dict):
        raise ProtocolError("the frame is no JSON object")
    return message, raw


def _read(stream: BinaryIO, length: int) -> bytes:
    """Read exactly so many bytes; memory grows with what comes, not with what is announced."""
    parts = bytearray()
    while len(parts) < length:
        part = stream.read(min(_CHUNK, length - len(parts)))
        if not part:
            raise EOFError("the stream ended")
        parts += part
    return bytes(parts)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def pack(outcome: Outcome, max_raw: int) -> tuple[dict[str, Any], bytes]:
    """Turn an outcome into JSON and bytes; arrays too large for the answer are left out."""
    raw = bytearray()

    def move(node: dict[str, Any]) -> dict[str, Any]:
        kind = node["type"]
        if kind == "array":
            data = base64.b64decode(node["data"])
            if len(raw) + len(data) > max_raw:
                return {"type": "unsupported", "name": f"array of {len(data)} bytes, too large"}
            raw.extend(data)
            return {"type": kind, "dtype": node["dtype"], "shape": node["shape"]}
        if kind in ("list", "tuple"):
            return {"type": kind, "items": [move(item) for item in node["items"]]}
        if kind == "dict":
            return {"type": kind, "items": [[key, move(item)] for key, item in node["items"]]}
        return node

    return {**vars(outcome), "value": move(outcome.value)}, bytes(raw)


def unpack(message: dict[str, Any], raw: bytes) -> Outcome:
    """Turn JSON and bytes of unknown origin into an outcome that is safe to judge.

    Raises:
        ProtocolError: if it is not exactly what `pack` makes.
    """
    reader = _Reader(raw)
    value = reader.value(_field(message, "value", dict), 0)
    if reader.at != len(raw):
        raise ProtocolError("there are bytes that belong to no array")
    return Outcome(
        value,
        clean(_field(message, "printed", str))[:MAX_PRINTED],
        _texts(message, "modified"),
        _texts(message, "missing"),
        _texts(message, "trace"),
        _field(message, "stub", bool),
    )


def clean(text: str) -> str:
    """Return text that can be written as UTF-8: JSON can hold halves of characters."""
    return text.encode("utf-8", "replace").decode()


def _field(message: dict[str, Any], name: str, kind: type) -> Any:
    value = message.get(name)
    if type(value) is not kind:
        raise ProtocolError(f"{name!r} is no {kind.__name__}")
    return value


def _texts(message: dict[str, Any], name: str, most: int = 50, length: int = 1000) -> list[str]:
    items = _field(message, name, list)
    if len(items) > most or not all(type(item) is str for item in items):
        raise ProtocolError(f"{name!r} is no short list of texts")
    return [clean(item)[:length] for item in items]


class _Reader:
    """Rebuilds an encoded value, as `grading.values.encode` makes it, item by item."""

    def __init__(self, raw: bytes):
        self.raw, self.at = raw, 0

    def value(self, node: Any, depth: int) -> dict[str, Any]:
        if type(node) is not dict or depth > MAX_DEPTH + 1:
            raise ProtocolError("a value is no object, or lies too deep")
        kind = _field(node, "type", str)
        read: Callable | None = getattr(self, f"_{kind}", None) if kind in _KINDS else None
        if read is None:
            raise ProtocolError(f"{clean(kind)[:40]!r} is no type of value")
        return {"type": kind, **read(node, depth)}

    def _none(self, node, depth):
        return {}

    def _bool(self, node, depth):
        return {"value": _field(node, "value", bool)}

    def _str(self, node, depth):
        return {"value": clean(_field(node, "value", str))}

    def _int(self, node, depth):
        value = _field(node, "value", int)
        if value.bit_length() > MAX_INT_BITS:
            raise ProtocolError("an int is too large")
        return {"value": value}

    def _float(self, node, depth):
        value = node.get("value")
        if value in ("nan", "inf", "-inf"):
            return {"value": value}
        if type(value) is not float or not math.isfinite(value):  # 1e999 is read as infinity
            raise ProtocolError("a float is none")
        return {"value": value}

    def _list(self, node, depth):
        return {"items": [self.value(item, depth + 1) for item in _field(node, "items", list)]}

    _tuple = _list

    def _dict(self, node, depth):
        items = []
        for pair in _field(node, "items", list):
            if type(pair) is not list or len(pair) != 2 or type(pair[0]) not in (str, int):
                raise ProtocolError("an item of a dict is no pair")
            key = clean(pair[0]) if type(pair[0]) is str else pair[0]
            items.append([key, self.value(pair[1], depth + 1)])
        return {"items": items}

    def _array(self, node, depth):
        dtype, shape = _field(node, "dtype", str), _field(node, "shape", list)
        if dtype not in DTYPES or len(shape) > _MAX_DIMENSIONS:
            raise ProtocolError("an array has a dtype or a number of axes that is not accepted")
        # An empty array may have any length along its other axes: none may be large.
        if not all(type(n) is int and 0 <= n <= 2**31 for n in shape):
            raise ProtocolError("an array's shape is none")
        length = math.prod(shape) * np.dtype(dtype).itemsize
        data = self.raw[self.at : self.at + length]
        if len(data) != length:
            raise ProtocolError("an array has fewer bytes than its shape needs")
        self.at += length
        return {"dtype": dtype, "shape": shape, "data": base64.b64encode(data).decode()}

    def _raised(self, node, depth):
        name, message = _field(node, "name", str), _field(node, "message", str)
        bases = _texts(node, "bases", 50, 200)
        return {"name": clean(name)[:200], "bases": bases, "message": clean(message)[:1000]}

    def _unsupported(self, node, depth):
        return {"name": clean(_field(node, "name", str))[:200]}


_KINDS = {
    *("none", "bool", "str", "int", "float", "list", "tuple", "dict"),
    *("array", "raised", "unsupported"),
}
