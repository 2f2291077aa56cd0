"""Probes: an expression over the learner's names, evaluated on seeded inputs.

An author writes `probe("conv2d(x, w)", x=normal(2, 6, 7, 3), w=normal(3, 3, 3, 4), points=2)` and
no expected value: the reference solution provides it.
"""

import ast
import builtins
import contextlib
import copy
import linecache
import traceback
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from cnncourse.grading.compare import equal
from cnncourse.grading.running import Head
from cnncourse.grading.values import Raised, decode, encode

MAX_PRINTED = 2000
NOTEBOOK_NAMES = ("probe", "hints", "normal", "uniform", "integers")


@dataclass(frozen=True)
class Random:
    """A random array that is drawn when a probe is evaluated, the same every time."""

    kind: str
    shape: tuple[int, ...]
    dtype: str
    low: float = 0
    high: float = 1

    def draw(self, seed: int) -> np.ndarray:
        """Draw the array. `RandomState`'s streams are frozen: every NumPy draws the same."""
        state = np.random.RandomState(seed)
        if self.kind == "normal":
            return state.standard_normal(self.shape).astype(self.dtype)
        if self.kind == "uniform":
            return state.uniform(self.low, self.high, self.shape).astype(self.dtype)
        return state.randint(self.low, self.high, self.shape, "int64").astype(self.dtype)


def _shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    if not shape or any(isinstance(n, bool) or not isinstance(n, int) or n < 0 for n in shape):
        raise ValueError(f"shape is {shape}; accepted: one or more sizes, such as normal(6, 7, 3)")
    return shape


def normal(*shape: int, dtype: str = "float32") -> Random:
    """Describe an array of standard normal numbers."""
    return Random("normal", _shape(shape), np.dtype(dtype).name)


def uniform(*shape: int, low: float = 0, high: float = 1, dtype: str = "float32") -> Random:
    """Describe an array of numbers drawn evenly from `low` to `high`."""
    return Random("uniform", _shape(shape), np.dtype(dtype).name, low, high)


def integers(*shape: int, low: int, high: int, dtype: str = "int64") -> Random:
    """Describe an array of integers from `low` up to, not including, `high`."""
    if not low < high:
        raise ValueError(f"low is {low}, high is {high}; accepted: low < high")
    return Random("integers", _shape(shape), np.dtype(dtype).name, low, high)


@dataclass(frozen=True)
class Probe:
    """One expression with its inputs, its points and how it is compared."""

    expression: str
    inputs: dict[str, Any] = field(default_factory=dict)
    points: float = 1
    tolerance: float = 1e-6
    public: bool = True
    raises: str | None = None
    seed: int = 0

    def draw(self) -> dict[str, Any]:
        """Return the inputs, fresh, with the random ones drawn."""
        return {name: _draw(value, f"{self.seed}:{name}") for name, value in self.inputs.items()}

    def to_json(self) -> dict[str, Any]:
        """Return the probe as plain JSON, for the key."""
        inputs = {name: _input_to_json(value) for name, value in self.inputs.items()}
        return {**vars(self), "inputs": inputs}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Probe":
        """Read a probe from a key."""
        inputs = {name: _input_from_json(value) for name, value in data["inputs"].items()}
        return cls(**{**{name: data[name] for name in cls.__dataclass_fields__}, "inputs": inputs})


def _draw(value: Any, path: str) -> Any:
    if isinstance(value, Random):
        return value.draw(zlib.crc32(path.encode()))
    if isinstance(value, list | tuple):
        return type(value)(_draw(item, f"{path}[{i}]") for i, item in enumerate(value))
    return copy.deepcopy(value)


def _input_to_json(value: Any) -> dict[str, Any]:
    if isinstance(value, Random):
        return {"type": "random", **vars(value), "shape": list(value.shape)}
    if isinstance(value, list | tuple):
        return {"type": type(value).__name__, "items": [_input_to_json(item) for item in value]}
    return encode(value)


def _input_from_json(data: dict[str, Any]) -> Any:
    if data["type"] == "random":
        fields = {name: data[name] for name in Random.__dataclass_fields__}
        return Random(**{**fields, "shape": tuple(data["shape"])})
    if data["type"] in ("list", "tuple"):
        items = [_input_from_json(item) for item in data["items"]]
        return items if data["type"] == "list" else tuple(items)
    value = decode(data)
    return value[()] if isinstance(value, np.ndarray) and not value.ndim else value


@dataclass
class Block:
    """What one hidden block says: its probes and hints, in order."""

    probes: list[Probe] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    problem: str = ""  # why the visible check before the block was not passed


_current = Block()


def start_block() -> Block:
    """Begin a new hidden block: the `probe` and `hints` calls that follow go into it."""
    global _current
    _current = Block()
    return _current


def probe(
    expression: str,
    /,
    *,
    points: float = 1,
    tolerance: float = 1e-6,
    public: bool = True,
    raises: type[BaseException] | None = None,
    seed: int | None = None,
    **inputs: Any,
) -> None:
    """Add a probe to the hidden block of a check cell.

    Args:
        expression: Python expression over the learner's names, the notebook's and the inputs.
        points: what a right value earns.
        tolerance: absolute and relative; an array's dtype is compared exactly (put the expression
            into `np.asarray(…, "float32")` where it should not matter).
        public: whether the learner's own check evaluates it; the others only grading does.
        raises: the error that the expression must raise.
        seed: of the random inputs; by default it follows from the expression.
        **inputs: values by name: plain values, `normal(…)`, `uniform(…)`, `integers(…)`, or lists
            and tuples of these.

    Raises:
        ValueError: if an argument is not what is accepted, or, in a solutions notebook, if the
            visible check just before was not passed.
    """
    if _current.problem:
        raise ValueError(_current.problem)
    _validate(expression, points, tolerance, raises, inputs)
    seed = zlib.crc32(expression.encode()) if seed is None else seed
    name = raises and raises.__name__
    _current.probes.append(Probe(expression, inputs, points, tolerance, public, name, seed))


def _validate(expression, points, tolerance, raises, inputs) -> None:
    try:
        ast.parse(expression, mode="eval")
    except (SyntaxError, TypeError):
        raise ValueError(f"{expression!r} is no Python expression") from None
    if isinstance(points, bool) or not isinstance(points, int | float) or not points >= 0:
        raise ValueError(f"points is {points!r}; accepted: a number from 0")
    if not isinstance(tolerance, int | float) or not 0 <= tolerance < 1:
        raise ValueError(f"tolerance is {tolerance!r}; accepted: a number from 0 to 1")
    if raises is not None and not (isinstance(raises, type) and issubclass(raises, Exception)):
        raise ValueError(f"raises is {raises!r}; accepted: an exception type such as ValueError")
    for name, value in inputs.items():
        if '"unsupported"' in repr(_input_to_json(value)).replace("'", '"'):
            raise ValueError(
                f"{name} is {type(value).__name__}; accepted: numbers, strings, lists, tuples, "
                "dicts, arrays, normal(…), uniform(…), integers(…)"
            )


def hints(*texts: str) -> None:
    """Add the hints that `hint("…")` gives one after the other, to the hidden block.

    Raises:
        ValueError: if a hint is not text.
    """
    for text in texts:
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"a hint is {text!r}; accepted: a sentence")
    _current.hints.extend(texts)


@dataclass
class Outcome:
    """What evaluating a probe gave: plain data, safe to send to another process.

    Attributes:
        value: the encoded value, or the encoded error.
        printed: what the code printed, shortened.
        modified: the inputs that the code changed in place.
        missing: names in the expression that nobody defined.
        trace: the learner's own frames, if an error was raised.
        stub: whether the learner's own code, no library, raised NotImplementedError.
    """

    value: dict[str, Any]
    printed: str = ""
    modified: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    stub: bool = False

    @property
    def not_attempted(self) -> bool:
        """Whether there is nothing to judge: the stub is still there, or its cell was not run."""
        return bool(self.missing) or self.stub


def evaluate(probe: Probe, namespace: dict[str, Any]) -> Outcome:
    """Evaluate a probe over somebody's names.

    Args:
        probe: what to evaluate; its inputs are drawn anew, so changing them in place harms nobody.
        namespace: the names; it is not changed.

    Returns:
        The outcome. Whatever the code raises is part of it, but for KeyboardInterrupt.
    """
    inputs = probe.draw()
    scope = {"__builtins__": builtins, **namespace, **inputs}
    if missing := missing_names(probe.expression, scope):
        text = f"name {missing[0]!r} is not defined"
        error = Raised("NameError", ("NameError", "Exception", "BaseException"), text)
        return Outcome(encode(error), missing=missing)
    printed, trace, stub = Head(MAX_PRINTED), [], False
    with contextlib.redirect_stdout(printed):
        try:
            value = encode(eval(compile(probe.expression, "<probe>", "eval"), scope))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            value, trace = encode(Raised.of(error)), own_frames(error, namespace)
            *_, (innermost, _) = traceback.walk_tb(error.__traceback__)
            stub = isinstance(error, NotImplementedError) and innermost.f_globals is namespace
    modified = [
        name
        for name, original in probe.draw().items()
        if not equal(decode(encode(original)), decode(encode(inputs[name])), 0)
    ]
    return Outcome(value, printed.getvalue()[:MAX_PRINTED], modified, [], trace, stub)


def missing_names(expression: str, scope: dict[str, Any]) -> list[str]:
    """Return the names an expression reads that are neither in the scope nor Python's own.

    >>> missing_names("conv2d([x for x in data])", {"data": [1]})
    ['conv2d']
    """
    nodes = [node for node in ast.walk(ast.parse(expression)) if isinstance(node, ast.Name)]
    bound = {node.id for node in nodes if isinstance(node.ctx, ast.Store)}
    bound |= {node.arg for node in ast.walk(ast.parse(expression)) if isinstance(node, ast.arg)}
    read = dict.fromkeys(node.id for node in nodes if isinstance(node.ctx, ast.Load))
    return [n for n in read if n not in bound and n not in scope and not hasattr(builtins, n)]


def own_frames(error: BaseException, namespace: dict[str, Any], limit: int = 6) -> list[str]:
    """Return one line per frame of the learner's own code, outermost first."""
    lines = [
        f"{frame.f_code.co_name}, line {line}: {_source(frame, line)}".rstrip(": ")
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_globals is namespace
    ]
    if len(lines) > limit:
        skipped = len(lines) - limit
        lines = [*lines[: limit // 2], f"… {skipped} more calls …", *lines[-limit // 2 :]]
    return lines


def _source(frame: Any, line: int) -> str:
    return linecache.getline(frame.f_code.co_filename, line, frame.f_globals).strip()
