"""What runs beside foreign code: the cells, then one probe after the other. It knows no answers.

Once a learner's cell has run, everything in this process is the learner's, this module too. So it
holds nothing worth having: no expected value, no key, no seed but those of the inputs at hand. What
it sends is what the learner gave, whatever the learner made of it; the driver alone compares.
"""

import json
import linecache
import os
import re
import sys
from itertools import pairwise
from typing import Any, BinaryIO

import cnncourse
from cnncourse.grader import protocol
from cnncourse.grader.advice import library_answers
from cnncourse.grading.probes import Outcome, Probe, evaluate
from cnncourse.grading.values import Raised, encode

_NO_LIMIT = 2**32 - 1  # what the driver sends is trusted
_MAGIC = re.compile(r"^(\s*)[%!?].*$", re.MULTILINE)


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer the driver until it hangs up.

    Args:
        source: frames from the driver: first the cells, then the probes.
        sink: frames to the driver.
    """
    cnncourse.exercises = lambda name: (_no_op, _no_op, _no_op)
    protocol.send(sink, {"ready": True})
    start, _ = protocol.receive(source, _NO_LIMIT, 0)
    if start["from_scratch"]:
        protocol.send(sink, {"advice": {n: library_answers(s) for n, s in start["from_scratch"]}})
    namespace = {"__name__": "__main__", "__builtins__": __builtins__}
    for number, cell in enumerate(start["cells"]):
        protocol.send(sink, {"cell": number})
        error = run_cell(cell["source"], namespace, cell["name"])
        protocol.send(sink, {"ran": number, "error": error})
    while True:
        try:
            request, _ = protocol.receive(source, _NO_LIMIT, 0)
        except EOFError:
            return
        answer(sink, request, namespace)


def answer(sink: BinaryIO, request: dict[str, Any], namespace: dict[str, Any]) -> None:
    """Evaluate one probe and send what came of it."""
    outcome = evaluate(Probe.from_json(request["probe"]), namespace)
    message, raw = protocol.pack(outcome, request["max_raw"])
    text = json.dumps(message)
    if len(text) > request["max_text"] or text.count(",") > request["max_text"] // 20:
        too_large = {"type": "unsupported", "name": "a value too large to be sent"}
        message, raw = {**vars(Outcome(too_large)), "printed": outcome.printed}, b""
    protocol.send(sink, {"id": request["id"], **message}, raw)


def run_cell(source: str, namespace: dict[str, Any], name: str) -> dict[str, Any]:
    """Run a cell as a notebook would; return the error that stopped it, or nothing."""
    try:
        try:
            code = compile(source, name, "exec")
        except SyntaxError:
            # A line such as %timeit or !pip is the notebook's, not Python's: leave it out.
            source = _MAGIC.sub(r"\1pass", source)
            code = compile(source, name, "exec")
        linecache.cache[name] = (len(source), None, source.splitlines(True), name)
        exec(code, namespace)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return {"raised": encode(Raised.of(error)), "line": _line(error, name)}
    return {}


def _line(error: BaseException, name: str) -> int:
    """Return the last line of the cell that an error came through; 0 if none is known."""
    if isinstance(error, SyntaxError) and error.filename == name:
        return error.lineno or 0
    line, trace = 0, error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == name:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _no_op(*_: Any, **__: Any) -> None:
    """Stand in for `check`, `hint` and `solution`."""


def close_all_but(kept: list[int]) -> None:
    """Close every file descriptor but these, and put the null device where print writes."""
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    edges = [2, *sorted(kept), os.sysconf("SC_OPEN_MAX")]
    for first, last in pairwise(edges):
        os.closerange(first + 1, last)


def main() -> None:
    """Serve over standard input and output, where there is no sandbox (`--unsafe`)."""
    from cnncourse.grader.limits import Limits, set_limits

    limits = Limits(**json.loads(sys.argv[1]))
    if hasattr(os, "setsid"):
        set_limits(limits, mapped=4096 * 2**20, processes=False)
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    serve(source, sink)


if __name__ == "__main__":
    main()
