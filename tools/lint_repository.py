"""House rules that no general linter knows: sizes, traces of a machine, notebooks, pictures.

python tools/lint_repository.py

Each rule is a function that returns its findings as sentences; an empty list means all is well.
"""

import ast
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK_FOLDERS = ("chapters", "exercises", "solutions")
LARGEST_FILE = 2**20
LONGEST_FILE, LONGEST_FUNCTION, LONGEST_CELL, MEDIAN_CELL = 300, 40, 30, 8
NOTEBOOK_METADATA = {"kernelspec", "language_info"}
CELL_METADATA = {"mystnb", "nbgrader", "tags"}
RELEASED_METADATA = {"deletable", "editable"}  # nbgrader locks what a student must not change
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

_HOME = re.compile(r"(?<![\w.~-])/(?:home|root|Users|work)/[\w.-]+")
_REGISTRY = re.compile(r"\b(?:pypi|npmjs|pythonhosted|anaconda)\.(?:org|com)\b")
_FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#{1,6})\s", re.MULTILINE)
_HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS", re.DOTALL)
_PICTURE = re.compile(r"!\[([^\]]*)\][(\[]")


def files() -> list[Path]:
    """Return every file that git tracks, or would on `git add .`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = [ROOT / name for name in sorted(names.split("\0")) if name]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def file_problems(content: bytes) -> list[str]:
    """Check any file: not too large, and free of traces of the machine that it was made on."""
    found = []
    if len(content) > LARGEST_FILE:
        found.append(f"is {len(content):,} bytes; at most {LARGEST_FILE:,}")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return found  # a picture, say
    found += [f"has the absolute path {m[0]}" for m in _HOME.finditer(text)]
    found += [f"names the package registry {m[0]}" for m in _REGISTRY.finditer(text)]
    return found


def module_problems(source: str) -> list[str]:
    """Check a file of the package: short enough to read."""
    lines = len(source.splitlines())
    return [f"has {lines} lines; at most {LONGEST_FILE}"] if lines > LONGEST_FILE else []


def function_problems(source: str) -> list[str]:
    """Check each Python function's length; its docstring does not count."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        lines = node.end_lineno - node.lineno + 1
        if ast.get_docstring(node) is not None:
            lines -= node.body[0].end_lineno - node.body[0].lineno + 1
        if lines > LONGEST_FUNCTION:
            found.append(f"{node.name} has {lines} lines of code; at most {LONGEST_FUNCTION}")
    return found


def metadata_problems(notebook: dict, released: bool = False) -> list[str]:
    """Check that a notebook is stored with the common kernel and nothing that varies."""
    allowed = CELL_METADATA | RELEASED_METADATA if released else CELL_METADATA
    found = []
    metadata = notebook["metadata"]
    kernel = metadata.get("kernelspec", {}).get("name")
    if kernel != "python3":
        found.append(f"kernelspec is {kernel!r}; accepted: 'python3'")
    if extra := set(metadata) - NOTEBOOK_METADATA:
        found.append(f"has metadata {sorted(extra)}")
    if extra := set(metadata.get("language_info", {})) - {"name"}:
        found.append(f"has language_info {sorted(extra)}")
    for i, cell in enumerate(notebook["cells"], 1):
        if extra := set(cell["metadata"]) - allowed:
            found.append(f"cell {i} has metadata {sorted(extra)}")
        if any(output.get("metadata") for output in cell.get("outputs", [])):
            found.append(f"cell {i} has an output with metadata")
    return found


def execution_problems(notebook: dict) -> list[str]:
    """Check that the notebook was run top to bottom, without errors, and stored with outputs."""
    found = []
    code = [(i, cell) for i, cell in enumerate(notebook["cells"], 1) if cell["cell_type"] == "code"]
    for count, (i, cell) in enumerate(code, 1):
        if cell["execution_count"] != count:
            found.append(f"cell {i} has execution count {cell['execution_count']}, not {count}")
        for output in cell["outputs"]:
            if output["output_type"] == "error":
                found.append(f"cell {i} stores an error")
            if output.get("name") == "stderr":
                found.append(f"cell {i} stores what went to stderr")
    if code and not any(cell["outputs"] for _, cell in code):
        found.append("stores no output")
    return found


def blank_problems(notebook: dict) -> list[str]:
    """Check that a notebook which learners fill in holds no output yet."""
    return [
        f"cell {i} holds an output"
        for i, cell in enumerate(notebook["cells"], 1)
        if cell.get("outputs") or cell.get("execution_count")
    ]


def heading_problems(notebook: dict) -> list[str]:
    """Check that there is one title, at the top, and that no level of heading is skipped."""
    text = "\n\n".join(_markdown(notebook))
    levels = [len(m[1]) for m in _HEADING.finditer(_FENCED.sub("", text))]
    if levels.count(1) != 1 or levels[0] != 1:
        return [f"has heading levels {levels}; accepted: one title of level 1, first"]
    return [f"jumps from heading level {a} to {b}" for a, b in pairwise(levels) if b > a + 1]


def length_problems(notebook: dict, largest_median: int | None = None) -> list[str]:
    """Check that code cells are short: each, and for chapters the typical one.

    Hidden tests do not count: no learner reads them.
    """
    lengths = {
        i: len(_HIDDEN.sub("", _text(cell["source"])).splitlines())
        for i, cell in enumerate(notebook["cells"], 1)
        if cell["cell_type"] == "code"
    }
    found = [
        f"cell {i} has {n} lines; at most {LONGEST_CELL}"
        for i, n in lengths.items()
        if n > LONGEST_CELL
    ]
    if largest_median and lengths and median(lengths.values()) > largest_median:
        found.append(f"half of its code cells have over {largest_median} lines")
    return found


def picture_problems(notebook: dict) -> list[str]:
    """Check that every picture, in text and in outputs, has alternative text; no widget views."""
    found = []
    for text in _markdown(notebook):
        alts = [m[1] for m in _PICTURE.finditer(_FENCED.sub("", text))] + _img_alts(text)
        found += ["a text cell has a picture without alternative text" for a in alts if not a]
    for i, cell in enumerate(notebook["cells"], 1):
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if not all(_img_alts(_text(data.get("text/html", "")))):
                found.append(f"cell {i} shows a picture without alternative text")
            if any(kind.startswith("image/") for kind in data):
                found.append(
                    f"cell {i} stores a bare image; show it with plotting.show(fig, alt=…)"
                )
            if WIDGET_VIEW in data:
                found.append(f"cell {i} stores a widget view, which no kernel could fill")
    return found


class _Images(HTMLParser):
    """Collects the alternative text of each `<img>`."""

    def __init__(self):
        super().__init__()
        self.alts = []

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.alts.append((dict(attrs).get("alt") or "").strip())


def _img_alts(html: str) -> list[str]:
    parser = _Images()
    parser.feed(html)
    return parser.alts


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


def _markdown(notebook: dict) -> list[str]:
    return [_text(c["source"]) for c in notebook["cells"] if c["cell_type"] == "markdown"]


def notebook_problems(notebook: dict, folder: str) -> list[str]:
    """Apply the rules for notebooks of a folder: `chapters`, `exercises` or `solutions`."""
    return [
        *metadata_problems(notebook, folder == "exercises"),
        *(blank_problems if folder == "exercises" else execution_problems)(notebook),
        *heading_problems(notebook),
        *length_problems(notebook, MEDIAN_CELL if folder == "chapters" else None),
        *picture_problems(notebook),
    ]


def problems(path: Path) -> list[str]:
    """Apply every rule that concerns a file of the repository."""
    name = path.relative_to(ROOT)
    content = path.read_bytes()
    found = file_problems(content)
    if name.parts[0] in NOTEBOOK_FOLDERS and name.suffix == ".ipynb":
        found += notebook_problems(json.loads(content), name.parts[0])
    if name.parts[0] == "cnncourse" and name.suffix in (".py", ".js", ".css"):
        found += module_problems(content.decode())
    if name.parts[0] == "cnncourse" and name.suffix == ".py":
        found += function_problems(content.decode())
    return [f"{name}: {problem}" for problem in found]


def main() -> None:
    """Check the repository; exit with 1 and the findings if there are any."""
    found = [problem for path in files() for problem in problems(path)]
    sys.exit("\n".join(found) or None)


if __name__ == "__main__":
    main()
