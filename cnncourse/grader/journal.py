"""What was graded already, so that a run that was killed can go on where it stood.

One line of JSON per submission, on disk before the next one is looked at. The last line may be cut
off: it is not counted. An entry holds only for the very same notebook, solutions, seed, limits and
version of the grader.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnncourse import __version__
from cnncourse.grader.results import FAILED, Graded, Submission

FORMAT, VERSION = "cnncourse journal", 1


def fingerprint(solutions: bytes, **settings: Any) -> str:
    """Return a digest of everything besides the submission that its marks follow from.

    Args:
        solutions: the solutions notebook.
        settings: seed, limits, whatever else marks depend on; JSON's types.
    """
    text = json.dumps([__version__, VERSION, settings], sort_keys=True)
    return hashlib.sha256(text.encode() + b"\0" + solutions).hexdigest()


def key(item: Submission | Graded, fingerprints: Mapping[str, str]) -> str:
    """Return by what a submission and its marks are known: equal ones need grading once."""
    parts = [item.student, item.assignment, item.digest, fingerprints.get(item.assignment, "")]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class Journal:
    """An open journal; a context manager.

    Attributes:
        seed: of the run that began it; empty if this one does.
        done: what was graded, by key.
    """

    def __init__(self, path: Path | None, resume: bool = False):
        """Read a journal, if that is wanted and there is one.

        Args:
            path: of the file; without it nothing is kept.
            resume: go on with what is there rather than begin anew.

        Raises:
            OSError: if it cannot be read or written.
        """
        self.seed, self.done = "", {}
        self._path, self._file = path, None
        self._kept = 0
        if path and resume and path.exists():
            self._read(path.read_bytes())

    def _read(self, content: bytes) -> None:
        self._kept = content.rfind(b"\n") + 1  # whatever follows is half a line
        for number, line in enumerate(content[: self._kept].splitlines()):
            try:
                entry = json.loads(line)
                if not number:
                    if (entry["format"], entry["version"]) != (FORMAT, VERSION):
                        break
                    self.seed = entry["seed"]
                else:
                    graded = Graded.from_json(entry["graded"])
                    self.done[entry["key"]] = graded
            except (ValueError, KeyError, TypeError):
                continue  # a damaged line costs one submission's time
        if not self.seed:
            self._kept, self.done = 0, {}

    def begin(self, seed: str) -> None:
        """Open the file for what comes; a journal of another seed is begun anew."""
        if self._path is None:
            return
        if self.seed != seed:
            self.seed, self.done, self._kept = seed, {}, 0
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # The seed is in it: nobody else's to read.
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        self._file = os.fdopen(descriptor, "r+b")
        self._file.truncate(self._kept)
        self._file.seek(0, os.SEEK_END)
        if not self._kept:
            self._append({"format": FORMAT, "version": VERSION, "seed": seed})

    def add(self, key: str, graded: Graded) -> None:
        """Keep one result. What failed is not kept: it will be tried again."""
        self.done[key] = graded
        if self._file and graded.status != FAILED:
            self._append({"key": key, "graded": graded.to_json()})

    def _append(self, entry: dict[str, Any]) -> None:
        self._file.write(json.dumps(entry).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def __enter__(self) -> "Journal":
        """Return itself."""
        return self

    def __exit__(self, *_) -> None:
        """Close the file."""
        if self._file:
            self._file.close()
