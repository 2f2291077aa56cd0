"""The repository keeps its own rules; each rule is also shown to catch what it is for."""

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import lint_repository as lint  # noqa: E402


def text(*lines):
    return {"cell_type": "markdown", "metadata": {}, "source": "\n".join(lines)}


def code(source, count, html=None, **data):
    data = {**data, **({"text/html": html} if html else {"text/plain": "1"})}
    output = {"output_type": "display_data", "data": data, "metadata": {}}
    return {
        "cell_type": "code",
        "execution_count": count,
        "metadata": {"tags": ["mistake"]},
        "outputs": [output],
        "source": source,
    }


GOOD = {
    "metadata": {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    },
    "cells": [
        text("# 99 Title", "![a filter](x.png)"),
        code("1 + 1", 1),
        text("## 1 Section", "```", "# no heading, but a comment", "```", "### 1.1 Deeper"),
        code("show()", 2, html='<p>A</p><img alt="a flower" src="data:,">'),
        text("## 2 Section", '<img alt="a palace" src="y.png">'),
    ],
}


def test_repository_keeps_its_rules():
    files = lint.files()
    notebooks = [p for p in files if p.suffix == ".ipynb"]
    found = [problem for path in files for problem in lint.problems(path)]
    assert len(files) > 20
    assert {p.parent.name for p in notebooks} == set(lint.NOTEBOOK_FOLDERS)
    assert found == []


def test_a_good_notebook_passes():
    for folder in ("chapters", "solutions"):
        assert lint.notebook_problems(GOOD, folder) == []
    blank = copy.deepcopy(GOOD)
    for cell in blank["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    assert lint.notebook_problems(blank, "exercises") == []


BAD = {
    "kernelspec is 'python311'": lambda nb: nb["metadata"]["kernelspec"].update(name="python311"),
    "kernelspec is None": lambda nb: nb["metadata"].pop("kernelspec"),
    "has metadata ['widgets']": lambda nb: nb["metadata"].update(widgets={}),
    "has language_info ['version']": lambda nb: nb["metadata"]["language_info"].update(version="3"),
    "cell 2 has metadata ['execution']": lambda nb: nb["cells"][1]["metadata"].update(execution={}),
    "cell 2 has an output with metadata": lambda nb: nb["cells"][1]["outputs"][0].update(
        metadata={"image/png": {"width": 3}}
    ),
    "cell 4 has execution count 7, not 2": lambda nb: nb["cells"][3].update(execution_count=7),
    "cell 2 has execution count None, not 1": lambda nb: nb["cells"][1].update(
        execution_count=None
    ),
    "cell 2 stores an error": lambda nb: nb["cells"][1]["outputs"].append(
        {"output_type": "error", "ename": "ValueError"}
    ),
    "cell 2 stores what went to stderr": lambda nb: nb["cells"][1]["outputs"].append(
        {"output_type": "stream", "name": "stderr", "text": ["a warning"]}
    ),
    "stores no output": lambda nb: [nb["cells"][i].update(outputs=[]) for i in (1, 3)],
    "has heading levels [2, 3, 2]": lambda nb: nb["cells"].pop(0),
    "has heading levels [1, 1, 3, 2]": lambda nb: nb["cells"][2].update(
        source="# Title again\n### 1.1"
    ),
    "jumps from heading level 1 to 3": lambda nb: nb["cells"][2].update(source="### Too deep"),
    "cell 2 has 31 lines": lambda nb: nb["cells"][1].update(source="1\n" * 31),
    "half of its code cells have over 8 lines": lambda nb: [
        nb["cells"][i].update(source=["1\n"] * 9) for i in (1, 3)
    ],
    "a text cell has a picture": lambda nb: nb["cells"][0].update(source="# T\n![](x.png)"),
    "a text cell has a picture ": lambda nb: nb["cells"][0].update(source="# T\n<img src='x'>"),
    "cell 4 shows a picture without": lambda nb: nb["cells"][3]["outputs"][0]["data"].update(
        {"text/html": ['<img alt=" "', ' src="data:,">']}
    ),
    "cell 2 stores a bare image": lambda nb: nb["cells"][1]["outputs"][0]["data"].update(
        {"image/png": "iVBO"}
    ),
    "cell 2 stores a widget view": lambda nb: nb["cells"][1]["outputs"][0]["data"].update(
        {lint.WIDGET_VIEW: {"model_id": "1"}}
    ),
}


@pytest.mark.parametrize("problem", BAD)
def test_a_bad_notebook_is_caught(problem):
    notebook = copy.deepcopy(GOOD)
    BAD[problem](notebook)
    found = lint.notebook_problems(notebook, "chapters")
    assert any(problem in sentence for sentence in found), found


def test_an_exercise_with_output_is_caught():
    assert lint.blank_problems(GOOD) == ["cell 2 holds an output", "cell 4 holds an output"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\0" * (2**20 + 1), "is 1,048,577 bytes; at most 1,048,576"),
        ("path = '/ho" + "me/ada/course'", "has the absolute path /ho" + "me/ada"),
        ("see file:///Us" + "ers/ada", "has the absolute path /Us" + "ers/ada"),
        ("/ro" + "ot/.cache", "has the absolute path /ro" + "ot/.cache"),
        ("/wo" + "rk/tree", "has the absolute path /wo" + "rk/tree"),
        ("index: https://py" + "pi.org/simple", "names the package registry py" + "pi.org"),
        ("https://registry.np" + "mjs.org/x", "names the package registry np" + "mjs.org"),
    ],
)
def test_bad_files_are_caught(content, problem):
    content = content if isinstance(content, bytes) else content.encode()
    assert lint.file_problems(content) == [problem]


@pytest.mark.parametrize(
    "content",
    [b"\xff\xd8 a picture", b"../ro" + b"ot/x https://a.org/ro" + b"ot/x ~/home/x /roots/x", b""],
)
def test_good_files_pass(content):
    assert lint.file_problems(content) == []


def test_hidden_tests_do_not_count_as_lines():
    notebook = copy.deepcopy(GOOD)
    hidden = "### BEGIN HIDDEN TESTS\n" + "probe()\n" * 40 + "### END HIDDEN TESTS"
    notebook["cells"][1]["source"] = f'check("f")\n{hidden}'
    assert lint.length_problems(notebook, 8) == []
    notebook["cells"][1]["source"] += "\n1" * 30
    assert len(lint.length_problems(notebook)) == 1


def test_locks_belong_to_released_notebooks_only():
    notebook = copy.deepcopy(GOOD)
    notebook["cells"][1]["metadata"].update(deletable=False, editable=False)
    assert lint.metadata_problems(notebook, released=True) == []
    assert lint.metadata_problems(notebook) == ["cell 2 has metadata ['deletable', 'editable']"]


def test_long_modules_and_functions_are_caught():
    assert lint.module_problems("x\n" * 300) == []
    assert lint.module_problems("x\n" * 301) == ["has 301 lines; at most 300"]
    body = "    x = 1\n"
    assert lint.function_problems("def f():\n" + body * 39) == []
    assert lint.function_problems("def f():\n" + body * 40) == [
        "f has 41 lines of code; at most 40"
    ]
    docstring = '    """' + "What it does.\n" * 20 + '    """\n'
    assert lint.function_problems("def f():\n" + docstring + body * 39) == []
    assert len(lint.function_problems("class A:\n  async def f():\n" + "    x = 1\n" * 40)) == 1


def test_the_command_fails_with_the_findings(tmp_path):
    """The tool looks at untracked files too, and its exit status is what pre-commit reads."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "lint.py").write_bytes(Path(lint.__file__).read_bytes())
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    command = [sys.executable, str(tmp_path / "tools" / "lint.py")]
    assert subprocess.run(command).returncode == 0

    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "99.ipynb").write_text(
        json.dumps({**GOOD, "cells": GOOD["cells"][1:]})
    )
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 1
    assert "99.ipynb: has heading levels [2, 3, 2]" in result.stderr
