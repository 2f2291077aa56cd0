"""How fast the grader is beside nbgrader, and whether it stays small and fair over 500 students.

    python benchmarks/grading.py [--submissions 40] [--soak 500]

writes benchmarks/grading.md and fails where a goal is missed. Both graders get the same folder of
TensorFlow submissions, one after the other. The soak grades small submissions, a fifth of them from
the attack suite of the tests. Run it on a quiet machine.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

import nbformat
from cnncourse.grader.engine import Grader
from cnncourse.grader.limits import Limits
from cnncourse.grader.results import Submission
from cnncourse.grading.nbgrader_export import export
from processor import processor

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from attacks import ATTACKS, assignment  # noqa: E402
from attacks.honest import HONEST  # noqa: E402

NAME = "03_pooling"  # five graded cells, four of code and one of prose
GOALS = {"times nbgrader": 10, "seconds per submission": 0.6, "start-up": 5, "growth": 1.1}
PACKAGES = ("tensorflow", "keras", "numpy", "nbgrader")


def course(folder, count):
    """Write a course directory for nbgrader in which `count` students hand in model answers."""
    source = folder / "solutions"
    source.mkdir()
    notebook = nbformat.read(ROOT / "solutions" / f"{NAME}.ipynb", as_version=4)
    nbformat.write(notebook, source / f"{NAME}.ipynb")
    export(folder, source)
    nbgrader(folder, "generate_assignment", NAME)
    answers = {
        cell.metadata["nbgrader"]["grade_id"]: cell.source
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }
    for number in range(count):
        copy = nbformat.read(folder / "release" / NAME / f"{NAME}.ipynb", as_version=4)
        for cell in copy.cells:
            cell.source = answers.get(
                cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source
            )
        path = folder / "submitted" / f"student{number:03}" / NAME / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(copy, path)
    return source / f"{NAME}.ipynb", {name: answers[name] for name in answers if name[:2] != "q4"}


def nbgrader(folder, *arguments):
    scripts = str(Path(sys.executable).parent)  # nbgrader looks for alembic on the path
    subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=folder,
        env={**os.environ, "PATH": scripts + os.pathsep + os.environ["PATH"]},
        check=True,
        capture_output=True,
    )


def nbgrader_points(folder):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{folder}/gradebook.db") as book:
        found = book.find_assignment(NAME).submissions
        return [sum(g.auto_score or 0 for n in s.notebooks for g in n.grades) for s in found]


def timed(function, *arguments):
    start = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - start, result


def ours(path, cells, count):
    """Return seconds of start-up and per submission on one core, and the points."""
    start = time.perf_counter()
    with Grader.of([path], "benchmark", jobs=1) as grader:
        everybody = [
            Submission(f"student{n:03}", NAME, path, dict(cells), digest=str(n))
            for n in range(count + 1)
        ]
        rows = grader.grade(everybody)
        first = next(rows)
        ready = time.perf_counter()
        rest = list(rows)
        each = (time.perf_counter() - ready) / count
    return ready - start - each, each, [row.total for row in (first, *rest)]


def command_line(folder, source, count, jobs):
    """Return the seconds that the whole command takes, as an instructor would type it."""
    program = [sys.executable, "-c", "from cnncourse.cli import main; main()"]
    command = [*program, "grade", str(folder / "submitted")]
    options = ["--out", str(folder / f"out{jobs}"), "--source", str(source.parent), "-j", str(jobs)]
    seconds, _ = timed(
        lambda: subprocess.run([*command, *options], check=True, capture_output=True)
    )
    lines = (folder / f"out{jobs}" / "grades.csv").read_text().splitlines()
    assert len(lines) == count + 1, lines
    return seconds


def speed(count):
    """Grade the same folder with both; return the table's rows and the figures of the goals."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path, cells = course(folder, count)
        theirs, _ = timed(nbgrader, folder, "autograde", NAME)
        their_points = nbgrader_points(folder)
        startup, each, points = ours(path, cells, count)
        cores = os.cpu_count()
        whole = {
            jobs: command_line(folder, path, count, jobs) for jobs in dict.fromkeys((1, cores))
        }
    assert len(their_points) == count and {*their_points} == {*points}, (their_points, points)
    rows = [("`nbgrader autograde`", theirs, theirs / count, "")]
    for jobs, seconds in whole.items():
        verdict = f"**{theirs / seconds:.1f}×** nbgrader's speed"
        if jobs == cores:
            verdict += f" (goal ≥ {GOALS['times nbgrader']})"
        rows.append((f"`cnncourse grade -j {jobs}`", seconds, seconds / count, verdict))
    return rows, {"ratio": theirs / whole[cores], "each": each, "startup": startup}


def resident():
    """Return the megabytes that this process, the driver, holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def submissions(count, path, places):
    """Yield small submissions; each fifth is an attack, of all kinds."""
    attacks = list(ATTACKS.items())
    for number in range(count):
        name, cells = attacks[number // 5 * 7 % len(attacks)] if number % 5 == 4 else ("honest", {})
        sources = {question: cells.get(question, text) for question, text in HONEST.items()}
        for place, value in places.items():
            sources = {q: text.replace(f"@{place}@", str(value)) for q, text in sources.items()}
        yield Submission(f"{number} {name}", assignment.NAME, path, sources, digest=str(number))


def judge(row):
    """Return undeserved points, and points that an honest submission lost."""
    name = row.student.split(" ", 1)[1]
    points = {question.name: question.points for question in row.questions}
    if name == "honest":
        return 0, sum(assignment.POINTS.values()) - sum(points.values())
    return sum(points.get(question, 0) for question in ATTACKS[name]), 0


def soak(count):
    """Grade `count` submissions; return the table's rows and what went wrong."""
    limits = Limits(question=2, memory=700 * 2**20, processes=64)
    rows, undeserved, lost, done, step = [], 0, 0, 0, max(count // 10, 1)
    with tempfile.TemporaryDirectory() as name:
        path, key, public = assignment.lay_out(Path(name))
        places = {"SOLUTIONS": path, "KEY": key, "OUT": name, "PUBLIC": public}
        places.update(VICTIM=os.getppid(), SOCKET="none", PORT=9)
        with Grader.of([path], "soak", jobs=os.cpu_count(), limits=limits) as grader:
            start = time.perf_counter()
            for row in grader.grade(submissions(count, path, places)):
                wrong, missing = judge(row)
                done, undeserved, lost = done + 1, undeserved + wrong, lost + missing
                if done % step == 0:
                    rows.append((done, resident(), time.perf_counter() - start))
    late = [memory for _, memory, _ in rows[len(rows) // 2 :]]
    early = [memory for _, memory, _ in rows[: len(rows) // 2]]
    growth = sum(late) / len(late) / (sum(early) / len(early))
    return rows, {"rows": done, "undeserved": undeserved, "lost": lost, "growth": growth}


def report(count, table, figures, samples, outcome, load):
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    return [
        "# Grading",
        "",
        "Written by `python benchmarks/grading.py`.",
        "",
        "## Speed",
        "",
        f"The same folder of {count} submissions of `{NAME}` (TensorFlow, five graded cells), all",
        "right; both graders gave all of them all points. Whole commands, start-up included.",
        "",
        "| command | whole | per submission | result |",
        "|---|---|---|---|",
        *(f"| {a} | {w:.1f} s | {e:.2f} s | {v} |" for a, w, e, v in table),
        "",
        f"One core, without start-up: **{figures['each']:.2f} s** per submission (goal ≤ 0.6). "
        f"Start-up: **{figures['startup']:.1f} s** (goal ≤ 5).",
        "",
        "## Soak",
        "",
        f"{outcome['rows']} small submissions, each fifth from the attack suite of the tests, on",
        "all cores. Memory of the driver, the process that holds the answers:",
        "",
        "| graded | memory | after |",
        "|---|---|---|",
        *(f"| {n} | {memory:.0f} MB | {seconds:.0f} s |" for n, memory, seconds in samples),
        "",
        f"Undeserved points: **{outcome['undeserved']:g}**. Points that honest submissions lost: "
        f"**{outcome['lost']:g}**. Second half's memory over the first's: "
        f"{outcome['growth']:.2f} (goal ≤ {GOALS['growth']}).",
        "",
        f"* Machine: {processor()}, {os.cpu_count()} cores, {platform.system()}.",
        f"* Versions: Python {platform.python_version()}, {versions}.",
        f"* Load of the machine before the run (0 = quiet): {load:.1f}.",
    ]


def main():
    parser = argparse.ArgumentParser(description="Measure the grader.")
    parser.add_argument("--submissions", type=int, default=40)
    parser.add_argument("--soak", type=int, default=500)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    samples, outcome = soak(options.soak)  # first: what follows imports TensorFlow here
    table, figures = speed(options.submissions)
    lines = report(options.submissions, table, figures, samples, outcome, load)
    Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    met = (
        figures["ratio"] >= GOALS["times nbgrader"],
        figures["each"] <= GOALS["seconds per submission"],
        figures["startup"] <= GOALS["start-up"],
        outcome["growth"] <= GOALS["growth"],
        outcome["undeserved"] == outcome["lost"] == 0,
        outcome["rows"] == options.soak,
    )
    return 0 if all(met) else "a goal was missed"


if __name__ == "__main__":
    sys.exit(main())
