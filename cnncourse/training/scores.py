"""A file of scores, one line of JSON per run, that no interruption can spoil."""

import json
import os

_BEGINNING = b'{"recipe": '  # of every line


def read(path):
    """Return the runs in a file, as dictionaries; none where there is no file.

    A last line that was cut off is removed, so that the next run can be added.

    Args:
        path: a `Path`.

    Raises:
        ValueError: if a line is not one of `append`; the file stays as it is.
    """
    if not path.exists():
        return []
    whole, newline, rest = path.read_bytes().rpartition(b"\n")
    runs = [_run(path, n, line) for n, line in enumerate(whole.split(b"\n"), 1) if newline]
    if not rest:
        return runs
    if _is_cut_off(rest):
        os.truncate(path, len(whole + newline))
        return runs
    runs.append(_run(path, len(runs) + 1, rest))
    with open(path, "ab") as file:
        file.write(b"\n")  # an editor may have left it out
    return runs


def append(path, run):
    """Add a run to a file; when this returns, it is on the disk.

    Args:
        path: a `Path`.
        run: a dictionary, which begins with "recipe" and has a "seed" and a "score".
    """
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(run) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _is_cut_off(line):
    return _BEGINNING.startswith(line[: len(_BEGINNING)]) and not line.rstrip().endswith(b"}")


def _run(path, number, line):
    try:
        run = json.loads(line)
        float(run["score"])
        run["recipe"], run["seed"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(
            f"path {str(path)!r} has in line {number} {line.decode(errors='replace')[:60]!r}; "
            "accepted: lines that `compare` wrote"
        ) from None
    return run
