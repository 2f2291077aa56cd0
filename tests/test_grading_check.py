"""What a learner meets: outcomes, hints, looks; and what an author meets in the notebook."""

import contextlib
import json
import subprocess
import sys
from html.parser import HTMLParser

import nbformat
import numpy as np
import pytest
from cnncourse.grading import build, progress
from cnncourse.grading.check import Session
from cnncourse.grading.probes import Probe
from cnncourse.grading.report import Report, shorten
from grading_notebooks import cell, toy, write
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

RIGHT = "def correlate(x, k):\n    return np.correlate(x, k, 'valid')"
FLIPPED = "def correlate(x, k):\n    return np.convolve(x, k, 'valid')"
STUB = "def correlate(x, k):\n    raise NotImplementedError()"
SIZE = "def out_size(a, b):\n    if b > a: raise ValueError(b)\n    return a - b + 1"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Return a folder with a built course, the working directory beside its keys."""
    write(toy(), tmp_path / "solutions" / "toy.ipynb")
    build.build(tmp_path / "solutions", tmp_path / "exercises")
    monkeypatch.chdir(tmp_path / "exercises")
    monkeypatch.setenv("CNNCOURSE_PROGRESS", str(tmp_path / "home" / "progress.json"))
    return tmp_path


def session(source):
    namespace = {"np": np, "__name__": "__main__"}
    exec(compile(source, "<cell>", "exec"), namespace)
    return Session("toy", namespace)


def check(source, exercise="correlate"):
    return session(source).check(exercise)


@pytest.mark.parametrize(
    ("source", "exercise", "status", "points", "part"),
    [
        (RIGHT, "correlate", "correct", 2, "for 1 more point"),
        (SIZE, "out_size", "correct", 2, "2 of 2 points"),
        ("", "correlate", "not attempted", 0, "`correlate` is not defined yet"),
        (STUB, "correlate", "not attempted", 0, "Put your code in the place"),
        (FLIPPED, "correlate", "wrong", 0, "Hint: You flipped the kernel"),
        (RIGHT + "[:-1]", "correlate", "wrong", 0, "Hint: The size is wrong: axis 0 has 5, not 6"),
        (RIGHT + ".astype(float)", "correlate", "wrong", 0, "Hint: The values are right, but"),
        ("def out_size(a, b): return a - b + 1", "out_size", "wrong", 1, "`raise ValueError("),
        ("def correlate(x, k): return k[9]", "correlate", "your code raised", 0, "IndexError: "),
        ("correlate = 3", "correlate", "your code raised", 0, "TypeError: 'int' object"),
        (RIGHT, "nothing", "no key", 0, "no exercise 'nothing'; it has correlate, out_size"),
        (RIGHT, 3, "no key", 0, "named by text"),
    ],
)
def test_outcomes(course, capsys, source, exercise, status, points, part):
    report = check(source, exercise)
    assert (report.status, report.points) == (status, points)
    assert part in repr(report)
    assert capsys.readouterr().out == f"{report!r}\n"


def test_a_wrong_answer_shows_input_value_and_expectation(course):
    text = repr(check(FLIPPED))
    for part in ("For: correlate(x, k)", "x = float32 array of shape (8,): [", "you gave: float32",
                 "expected: float32 array", "6 of 6 values differ, first at [0]"):  # fmt: skip
        assert part in text


def test_an_error_shows_the_learners_own_lines(course):
    source = "def correlate(x, k):\n    return inner(x)\ndef inner(x):\n    return np.ones(3) + x"
    text = repr(check(source))
    assert "it raised: correlate, line 2" in text and "inner, line 4" in text
    assert "<probe>" not in text and "grading" not in text
    deep = repr(check("def correlate(x, k):\n    return correlate(x, k)"))
    assert "more calls …" in deep and "RecursionError" in deep and len(deep) < 2000


def test_inputs_changed_in_place_are_reported_even_when_right(course):
    report = check(
        RIGHT.replace("    return", "    y = x.copy()\n    x[0] = 1\n    x = y\n    return")
    )
    assert report.status == "correct" and "changes `x` in place" in repr(report)


def test_printing_is_shown_shortened(course, capsys):
    noisy = FLIPPED.replace("    return", "    print('line\\n' * 99)\n    return")
    report = check(noisy)
    assert "it printed: line" in repr(report) and "… 93 more lines" in repr(report)
    assert capsys.readouterr().out.count("line") < 20
    assert shorten("a\nb") == "a\nb"


def test_interrupting_leaves_everything_sane(course, capsys):
    with pytest.raises(KeyboardInterrupt):
        check("def correlate(x, k):\n    raise KeyboardInterrupt")
    print("still here")
    assert capsys.readouterr().out == "still here\n"
    assert not progress.path().exists()


def test_hints_come_one_after_the_other(course):
    learner = session(FLIPPED)
    first = [learner.hint("correlate").hint for _ in range(4)]
    assert first == ["How many positions fit?", "Use `x[i : i + len(k)]` & sum.", "", ""]
    learner.check("correlate")
    assert learner.hint("correlate").hint.startswith("You flipped")
    assert learner.hint("correlate").hint == "How many positions fit?"
    assert "no hint for this exercise" in repr(learner.hint("out_size"))
    assert learner.hint("nothing").status == "no key"


def test_solution(course):
    text = repr(session("").solution("out_size"))
    assert "return size - kernel_size + 1" in text and "SOLUTION" not in text


class Texts(HTMLParser):
    """Collect tags and text, and see that what is opened is closed."""

    def __init__(self):
        super().__init__()
        self.tags, self.open, self.text = set(), [], ""

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize(
    "body",
    [
        "return '<script>alert(1)</script>'",
        "raise ValueError('<img src=x onerror=alert(1)>')",
        "print('</pre><b>')\n    return '\"><i>'",
        "return {'<b>': ['`<u>`']}",
    ],
)
def test_html_is_escaped_and_says_what_the_text_says(course, body):
    report = check(f"def correlate(x, k):\n    {body}")
    parser = Texts()
    parser.feed(report._repr_html_())
    assert parser.tags <= {"div", "p", "strong", "dl", "dt", "dd", "pre", "code"}
    assert parser.open == []
    for line in repr(report).replace(": ", "\n").split("\n"):
        assert line.strip().replace("`", "") in parser.text.replace("`", "")


def test_no_or_damaged_key(course):
    path = course / "exercises" / "keys" / "toy.json"
    for text in ("", "[]", '{"version": 2}', path.read_text().replace("float32", "object")):
        path.write_text(text)
        report = check(RIGHT)
        assert report.status == "no key" and "toy.json" in repr(report)
    path.unlink()
    assert "There is no key for toy" in repr(check(RIGHT))


def test_names():
    import cnncourse

    for name in (3, "", "../x"):
        with pytest.raises(ValueError, match="accepted: a notebook's name"):
            cnncourse.exercises(name)


def test_in_a_script_it_reads_the_callers_names(course):
    script = (
        "import numpy as np, cnncourse\n"
        "check, hint, solution = cnncourse.exercises('toy')\n"
        f"{RIGHT}\nassert check('correlate').status == 'correct'\n"
        "import sys\nassert not {'keras', 'tensorflow', 'matplotlib'} & {*sys.modules}\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# In a kernel


@contextlib.contextmanager
def kernel_in(folder):
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(folder))
    try:
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def run(folder, name="toy", allow_errors=False):
    """Execute a notebook in its folder; return it."""
    notebook = nbformat.read(folder / f"{name}.ipynb", as_version=4)
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(
        notebook,
        timeout=60,
        kernel_name="python3",
        resources=resources,
        allow_errors=allow_errors,
        coalesce_streams=True,
    ).execute()
    return notebook


def texts(notebook, cell_id):
    """Return what a cell showed: streams, displayed text, error messages."""
    return [
        output.get("text") or output.get("evalue") or output["data"]["text/plain"]
        for output in cell(notebook, cell_id).outputs
    ]


def test_the_solutions_notebook_passes_and_leaves_no_progress(course):
    done = run(course / "solutions")
    assert texts(done, "check1")[0].startswith("Correct · correlate · 2 of 2 points")
    assert texts(done, "flipped")[0].startswith("rejected: You flipped the kernel")
    assert texts(done, "noone") == ["rejected: Count the windows: the first one counts too.\n"]
    assert not progress.path().exists()


def test_a_front_end_without_history_leaves_no_progress_either(course):
    """Tools that check notebooks, such as nbval, run cells so."""
    with kernel_in(course / "solutions") as client:
        shown = []
        for source in (c.source for c in toy().cells if c.cell_type == "code"):
            client.execute_interactive(source, store_history=False, output_hook=shown.append)
    assert "Correct" in str(shown) and "Traceback" not in str(shown)
    assert not progress.path().exists()


def test_the_blank_release_is_not_attempted_and_a_solved_one_kept(course):
    done = run(course / "exercises")
    for name in ("check1", "check2"):
        assert len(cell(done, name).outputs) == 1  # shown once, though it is the last line
        assert texts(done, name)[0].startswith("Not attempted")
    assert not progress.path().exists()
    release = nbformat.read(course / "exercises" / "toy.ipynb", as_version=4)
    cell(release, "correlate").source = RIGHT
    cell(release, "size").source = "def out_size(a, b): return a - b"
    cell(release, "check1").source += "\nprint('after')"
    cell(release, "check2").source = "result = check('out_size')\nresult.status, result.points"
    cell(release, "question").update(new_code_cell("result", id="question"))
    write(release, course / "exercises" / "toy.ipynb")
    done = run(course / "exercises")
    shown = texts(done, "check1")
    assert len(shown) == 2 and shown[0].startswith("Correct") and shown[1] == "after\n"
    assert texts(done, "check2")[1] == "('wrong', 0)"
    assert texts(done, "question") == texts(done, "check2")[:1]  # shown again where it is named
    saved = json.loads(progress.path().read_text())["notebooks"]["toy"]
    assert saved["correlate"] == {"points": 2, "max_points": 2}
    assert saved["out_size"] == {"points": 0, "max_points": 2}


def test_authors_are_stopped_in_the_notebook(course):
    notebook = toy()
    # the reference was changed after the build
    cell(notebook, "correlate").source = cell(notebook, "correlate").source.replace(
        "* k", "* 2 * k"
    )
    # this mistake is none, and this one has no check before it
    cell(notebook, "noone").source = f"%%mistake out_size\n# hint: No.\n{SIZE}"
    cell(notebook, "setup").source += "\n" + "unknown = 1"
    cell(notebook, "full").source = "%%mistake unknown\n# hint: No.\nx = 1"
    write(notebook, course / "solutions" / "toy.ipynb")
    done = run(course / "solutions", allow_errors=True)
    assert "run `cnncourse build`" in texts(done, "check1")[-1]
    assert "accept this mistake" in texts(done, "noone")[-1]
    assert "run the check cell of 'unknown' first" in texts(done, "full")[-1]


def test_without_a_key_authors_can_work(course):
    (course / "exercises" / "keys" / "toy.json").unlink()
    done = run(course / "solutions")
    assert "There is no key for toy" in texts(done, "check1")[0]
    assert texts(done, "full") == ["rejected: You padded: only whole windows count.\n"]


def test_reports_do_not_depend_on_a_shell():
    report = Report.of_hint("x", ["one", "two"], 0)
    assert repr(report) == "Hint · x\none (1 more: run the cell again)"
    assert Probe("f()").draw() == {}
