"""What a run writes: the table, both kinds of results.json, and the students' pages."""

import csv
import io
import json
import re
from pathlib import Path

import jsonschema
import pytest
from browser import visit
from cnncourse.grader import gradebook
from cnncourse.grader.feedback import page
from cnncourse.grader.gradebook import Gradebook, Row
from cnncourse.grader.results import FAILED, UNREADABLE, Graded, QuestionResult, Submission
from grader_cases import CONV, OUTLINES, POOL, grade
from hypothesis import given, settings
from hypothesis import strategies as st

SCHEMA = json.loads(Path(gradebook.__file__).with_name("results.schema.json").read_text())
EVIL = (
    "<script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">"
    "\"'><svg onload=alert(1)>{{ 7*7 }}</pre></style></title>"
)


def row(student, assignment=CONV, cells=None, answers=None, problem=""):
    path = Path(student, f"{assignment}.ipynb")
    digest = "" if problem else "0" * 64
    work = Submission(student, assignment, path, cells or {}, answers or {}, digest, problem)
    return Row(str(path), grade(work))


def book(*rows, only=None, **options):
    return Gradebook(rows, {k: v for k, v in OUTLINES.items() if not only or k == only}, **options)


FULL = {"conv2d": "right", "out_size": "right"}
CLASS = (
    row("anna", cells=FULL, answers={"q4_sharing": "Because."}),
    row("anna", POOL, {"pool2d": "wrong"}),
    row("ben", cells={"conv2d": "wrong", "out_size": "right"}, answers={"q4_sharing": "  "}),
    row("carol"),
    row("dora", problem="the notebook is empty"),
    row("erin", "", problem="the notebook answers no assignment"),
    Row("fred", Graded("fred", POOL, "1" * 64, FAILED, message="the worker was lost")),
)


def table(book):
    return list(csv.DictReader(io.StringIO(gradebook.grades_csv(book))))


def test_the_table():
    text = gradebook.grades_csv(book(*CLASS))
    assert text == (
        "student,assignment,02_convolution/conv2d,02_convolution/out_size,03_pooling/pool2d,"
        "manual_pending,total,max,status,message\n"
        "anna,02_convolution,3,2,,2,5,5,graded,\n"
        "anna,03_pooling,,,0,0,0,4,graded,\n"
        "ben,02_convolution,0,2,,0,2,5,graded,\n"
        "carol,02_convolution,0,0,,0,0,5,not attempted,\n"
        "dora,02_convolution,,,,0,0,5,unreadable,the notebook is empty\n"
        "erin,,,,,0,0,0,unreadable,the notebook answers no assignment\n"
        "fred,03_pooling,,,,0,0,4,failed,the worker was lost\n"
    )


def test_one_assignment_needs_no_prefix():
    assert [*table(book(CLASS[0], only=CONV))[0]] == [
        *("student", "assignment", "conv2d", "out_size", "manual_pending", "total", "max"),
        *("status", "message"),
    ]


def test_handing_in_twice_is_said():
    rows = table(book(row("anna", cells=FULL), row("anna", cells=FULL), row("ben")))
    assert [r["message"] for r in rows] == ["one of 2 submissions for this assignment"] * 2 + [""]


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", " =1", "\xa0=1", "＝1"]
)
def test_no_cell_begins_like_a_formula(name):
    (found,) = table(book(row(name, problem=name)))
    for cell in (found["student"], found["message"]):
        assert not cell.lstrip().startswith(tuple("=+-@＝\t\r"))
        assert name.strip() in cell.replace("\\t", "\t").replace("\\r", "\r")


def test_every_line_of_an_unsafe_table_says_so():
    rows = [Row(r.path, Graded(**{**vars(r.graded), "unsafe": True})) for r in CLASS]
    lines = gradebook.grades_csv(book(*rows, unsafe=True)).splitlines()[1:]
    assert len(lines) == len(CLASS)
    assert all("(UNSAFE)" in line for line in lines)


TEXT = st.text(max_size=30) | st.just(EVIL) | st.just("\ud800\x1b[2J")


@given(TEXT, TEXT, TEXT)
@settings(max_examples=60, deadline=None)
def test_any_text_gives_sound_files(student, answer, printed):
    question = QuestionResult("conv2d", "wrong", 1, 3, printed, [probe(answer)], "", "", printed)
    graded = Graded(student, CONV, "", "graded", [question], message=answer)
    graded.manual["q4"] = {"points": 2, "answer": answer}
    one = book(Row(student, graded), seed="s")
    text = gradebook.results_json(one)
    jsonschema.validate(json.loads(text), SCHEMA)
    assert text.isascii()
    assert json.loads(text)["submissions"][0]["student"] == student
    assert "\x1b" not in text
    written = gradebook.grades_csv(one)
    assert len(written.splitlines()) == 2
    written.encode()
    page(one.rows[0], 3).encode()


def probe(given, passed=False):
    return {"expression": "conv2d(x, w)", "given": given, "passed": passed}


def test_results_json():
    data = json.loads(gradebook.results_json(book(*CLASS, seed="secret")))
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(data, SCHEMA)
    assert data["seed"] == "secret"
    assert [s["total"] for s in data["submissions"]] == [5, 0, 2, 0, 0, 0, 0]
    assert data["submissions"][0]["feedback"] == "feedback/anna-02_convolution.html"
    assert data["assignments"][0]["manual"] == [{"name": "q4_sharing", "max_points": 2}]


def test_the_schema_knows_every_status_and_field():
    from cnncourse.grader import results
    from cnncourse.grading import judge

    item = SCHEMA["properties"]["submissions"]["items"]["properties"]
    assert set(item["status"]["enum"]) == {
        results.GRADED,
        results.NOT_ATTEMPTED,
        results.UNREADABLE,
        results.FAILED,
    }
    assert set(item["questions"]["items"]["properties"]["status"]["enum"]) == {
        *(judge.CORRECT, judge.WRONG, judge.NOT_ATTEMPTED, judge.RAISED),
        *(results.TIMED_OUT, results.OUT_OF_MEMORY, results.STOPPED),
    }
    with pytest.raises(jsonschema.ValidationError):
        data = json.loads(gradebook.results_json(book(*CLASS)))
        del data["submissions"][0]["total"]
        jsonschema.validate(data, SCHEMA)


# --- Gradescope. Field names and values as its "Autograder Specifications" give them.

VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
FORMATS = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
GRADESCOPE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["score", "tests"],
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "number"},
        "output": {"type": "string"},
        "output_format": FORMATS,
        "test_output_format": FORMATS,
        "test_name_format": FORMATS,
        "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY,
        "extra_data": {"type": "object"},
        "leaderboard": {"type": "array"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "score": {"type": "number"},
                    "max_score": {"type": "number"},
                    "status": {"enum": ["passed", "failed"]},
                    "name": {"type": "string"},
                    "name_format": FORMATS,
                    "number": {"type": "string"},
                    "output": {"type": "string"},
                    "output_format": FORMATS,
                    "tags": {"type": "array"},
                    "visibility": VISIBILITY,
                    "extra_data": {"type": "object"},
                },
            },
        },
    },
}


def test_gradescope_for_one_student():
    found = gradebook.gradescope_files(book(*CLASS[:2]))
    assert [*found] == ["results.json"]
    data = found["results.json"]
    jsonschema.validate(data, GRADESCOPE)
    assert data["score"] == sum(test["score"] for test in data["tests"]) == 5
    assert data["output"] == "Answers worth 2 points wait for a reader."
    assert [(t["name"], t["status"]) for t in data["tests"]] == [
        ("02_convolution: conv2d", "passed"),
        ("02_convolution: out_size", "passed"),
        ("03_pooling: pool2d", "failed"),
    ]
    assert data["tests"][2]["output"] == (
        "wrong, 0 of 4 points\nnot passed: pool2d(x)\n  you gave: wrong\n"
        "Hint: You forgot the stride."
    )


def test_gradescope_for_a_class():
    found = gradebook.gradescope_files(book(*CLASS, row("../x", problem=EVIL)))
    assert [*found][:5] == [f"{n}/results.json" for n in ("anna", "ben", "carol", "dora", "erin")]
    assert re.fullmatch(r"x-[0-9a-f]{8}/results.json", [*found][-1])
    for data in found.values():
        jsonschema.validate(data, GRADESCOPE)
    assert found["dora/results.json"]["output"] == "the notebook is empty"
    assert found["dora/results.json"]["score"] == 0


# --- Writing.


def test_write(tmp_path):
    names = ["../../evil", "a\nb", "ANNA", "anna", "con", "x" * 300, "\u202e"]
    rows = [*CLASS, *(row(name, cells=FULL) for name in names)]
    gradebook.write(book(*rows), tmp_path / "out", gradescope=True)
    assert {p.name for p in tmp_path.iterdir()} == {"out"}
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        "feedback",
        "grades.csv",
        "gradescope",
        "results.json",
    }
    pages = [p.name for p in (tmp_path / "out/feedback").iterdir()]
    assert len({name.casefold() for name in pages}) == len(rows)
    data = json.loads((tmp_path / "out/results.json").read_text())
    for submission in data["submissions"]:
        text = (tmp_path / "out" / submission["feedback"]).read_text(encoding="utf-8")
        assert text.startswith("<!doctype html>")


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    gradebook.write(book(CLASS[0]), tmp_path)
    before = (tmp_path / "grades.csv").read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space"):
        gradebook.write(book(*CLASS), tmp_path)
    assert (tmp_path / "grades.csv").read_bytes() == before
    assert not [p for p in tmp_path.rglob("*") if p.name.startswith(".")]


# --- The page.


def evil_page():
    questions = [
        QuestionResult(
            "conv2d", "wrong", 1, 3, EVIL, [probe(EVIL), probe("5", True)], EVIL, EVIL, EVIL
        ),
        QuestionResult("out_size", "timed out", 0, 2),
        QuestionResult("java\u202escript", "a status of tomorrow", 0, 2),
    ]
    manual = {"q4_sharing": {"points": 2, "answer": EVIL}, "q5": {"points": 1, "answer": ""}}
    graded = Graded(EVIL, CONV, "", "graded", questions, manual, message=EVIL)
    return page(Row("x", graded), 5)


def test_a_page_says_what_a_student_needs():
    text = page(row("Anna Ø", cells={"conv2d": "wrong", "out_size": "right"}), 5)
    for words in (
        "<title>02 convolution: feedback for Anna Ø</title>",
        "You forgot the stride.",
        "conv2d(x)",
        "not passed",
        "2 of 2 points",
        "0 of 3 points",
        "Not yet right",
    ):
        assert words in text
    assert "<script" not in text


@pytest.mark.parametrize(("status", "problem"), [(UNREADABLE, "the notebook is empty"), ("", "")])
def test_a_page_for_what_could_not_be_graded(status, problem):
    text = page(row("anna", problem=problem), 5)
    assert ("This could not be graded" in text) == bool(status)
    assert ("No answer was found" in text) == (not status)
    assert problem in text


def test_colours_of_a_terminal_are_left_out_and_other_escapes_are_shown():
    one = QuestionResult(
        "conv2d", "wrong", 0, 3, public=[probe("a \x1b[1mbold\x1b[0m word\x1b[2J")]
    )
    text = page(Row("x", Graded("anna", CONV, "", "graded", [one])), 3)
    assert "a bold word\\x1b[2J" in text


def test_nothing_of_a_learner_is_markup():
    text = evil_page()
    assert text.count("<script") == 0
    assert "<img" not in text
    assert "<svg onload" not in text
    assert "49" not in re.sub(r"<style>.*?</style>|&#34;|&#39;", "", text, flags=re.DOTALL)
    assert text.count("</style>") == text.count("</title>") == 1
    assert "java\\u202escript" in text
    assert "\u202e" not in text


LISTEN = """window.broken = [];
document.addEventListener("securitypolicyviolation", (e) => broken.push(e.violatedDirective))"""


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_a_page_in_a_browser(chromium, tmp_path, width):
    path = tmp_path / "page.html"
    path.write_text(evil_page(), encoding="utf-8")
    with visit(chromium, path.as_uri(), width, LISTEN) as seen:
        assert seen.page.title().startswith("02 convolution: feedback for <script>")
        assert seen.page.evaluate("document.scripts.length") == 0
        assert seen.page.evaluate("broken") == []
        assert seen.overflow() <= 0
        assert not seen.external()
        assert seen.axe("html") == []
        colour = "getComputedStyle(document.querySelector('.status')).color"
        assert seen.page.evaluate(colour) == "rgb(122, 86, 0)"  # the style applies
        seen.page.emulate_media(color_scheme="dark")
        assert seen.axe("html") == []
        # Even if something got in, the page's policy would not let it run.
        image = '<img src="http://127.0.0.1/x" onerror="document.title=1">'
        seen.page.evaluate(f"document.body.insertAdjacentHTML('beforeend', '{image}')")
        seen.page.wait_for_function("broken.length > 0")
        assert seen.page.title() != "1"


@pytest.mark.browser
def test_pages_of_a_class_are_accessible(chromium, tmp_path):
    for number in (0, 1, 3, 4):
        path = tmp_path / f"{number}.html"
        path.write_text(page(CLASS[number], 5), encoding="utf-8")
        with visit(chromium, path.as_uri()) as seen:
            assert seen.axe("html") == []
