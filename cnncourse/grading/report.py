"""How a verdict looks in the notebook: HTML, and the same in plain text."""

import html
import itertools
import re
from dataclasses import dataclass

from cnncourse.grading import running
from cnncourse.grading.diagnose import where
from cnncourse.grading.judge import (
    CORRECT,
    NO_KEY,
    NOT_ATTEMPTED,
    RAISED,
    WRONG,
    ProbeResult,
    Verdict,
)
from cnncourse.grading.values import Raised, describe
from IPython import get_ipython
from IPython.display import display

# Title and colour of the bar at the left; the title alone says everything.
LOOKS = {
    CORRECT: ("Correct", "#009E73"),
    WRONG: ("Not yet right", "#D55E00"),
    NOT_ATTEMPTED: ("Not attempted", "#0072B2"),
    RAISED: ("Your code raised an error", "#D55E00"),
    NO_KEY: ("Cannot be checked", "#0072B2"),
    "hint": ("Hint", "#0072B2"),
    "solution": ("Solution", "#0072B2"),
}


@dataclass
class Line:
    """One labelled line of a report; `code` is shown in a fixed-width font."""

    label: str
    text: str
    code: bool = False


class Report:
    """What `check`, `hint` and `solution` return: it shows itself, and tests can read it."""

    def __init__(self, verdict: Verdict, lines: list[Line] | None = None):
        """Take a verdict and the lines to show; a check's lines follow from its verdict."""
        self.verdict = verdict
        self.lines = verdict_lines(verdict) if lines is None else lines
        self.shown_at = -1  # number of the cell

    @classmethod
    def of_hint(cls, exercise: str, texts: list[str], count: int) -> "Report":
        """Make the report of hint number `count`, from 0."""
        if not texts:
            lines = [
                Line("", "There is no hint for this exercise. Run its check: it may have one.")
            ]
        elif count >= len(texts):
            lines = [
                Line("", f'That was the last hint. solution("{exercise}") shows one right answer.')
            ]
        else:
            left = len(texts) - count - 1
            more = f" ({left} more: run the cell again)" if left else ""
            lines = [Line("", texts[count] + more)]
        text = texts[count] if count < len(texts) else ""
        return cls(Verdict(exercise, "hint", hint=text), lines)

    @classmethod
    def of_solution(cls, exercise: str, source: str) -> "Report":
        """Make the report that shows the reference."""
        note = "One right answer; yours may look different. Close it and write it from memory."
        return cls(Verdict(exercise, "solution"), [Line("", note), Line("", source, code=True)])

    @property
    def status(self) -> str:
        """`"correct"`, `"wrong"`, `"not attempted"`, `"your code raised"` or `"no key"`."""
        return self.verdict.status

    @property
    def points(self) -> float:
        """Points earned."""
        return self.verdict.points

    @property
    def max_points(self) -> float:
        """Points that could be earned."""
        return self.verdict.max_points

    @property
    def hint(self) -> str:
        """The hint that fits; empty when there is none."""
        return self.verdict.hint

    @property
    def title(self) -> str:
        """The first line: what came out, of which exercise, and the points."""
        title = f"{LOOKS[self.status][0]} · {self.verdict.exercise}"
        if self.max_points or self.verdict.hidden_points:
            title += f" · {self.points:g} of {_count(self.max_points, 'point')}"
        return title

    def __repr__(self) -> str:
        """Return the report as plain text."""
        return "\n".join([self.title, *map(_line_text, self.lines)])

    def _repr_html_(self) -> str:
        """Return the report as HTML; whatever the learner's code made is escaped."""
        colour = LOOKS[self.status][1]
        title, _, rest = self.title.partition(" · ")
        body = "".join(
            _table_html(list(lines)) if labelled else "".join(map(_paragraph_html, lines))
            for labelled, lines in itertools.groupby(self.lines, lambda line: bool(line.label))
        )
        return (
            f'<div role="group" aria-label="{html.escape(self.title)}" '
            f'style="border-left:4px solid {colour};padding:2px 0 2px 12px;max-width:60em">'
            f'<p style="margin:4px 0"><strong>{html.escape(title)}</strong> · '
            f"{html.escape(rest)}</p>{body}</div>"
        )

    def _ipython_display_(self) -> None:
        """Show the report, but not a second time when it is the last line of its own cell."""
        if self.shown_at != running.number:
            show(self)


def show(report: Report) -> Report:
    """Show a report at once, wherever in the cell the call stands."""
    if get_ipython():
        report.shown_at = running.number
        display({"text/html": report._repr_html_(), "text/plain": repr(report)}, raw=True)
    else:
        print(report)
    return report


def verdict_lines(verdict: Verdict) -> list[Line]:
    """Return what there is to say about a check."""
    lines = []
    failed = verdict.failed
    if verdict.status == NOT_ATTEMPTED:
        lines.append(Line("", _how_to_start(verdict)))
    elif failed:
        passed = sum(result.passed for result in verdict.results)
        if passed:
            lines.append(Line("", f"{passed} of {len(verdict.results)} tests pass. The next one:"))
        lines += _failure_lines(failed)
        more = f'hint("{verdict.exercise}") helps you on.' if verdict.more_hints else ""
        lines += [Line("Hint", text) for text in [verdict.hint or more] if text]
    if verdict.hidden_points and verdict.status == CORRECT:
        more = _count(verdict.hidden_points, "more point")
        lines.append(Line("", f"Grading looks at further cases, for {more}."))
    if verdict.note:
        lines.append(Line("", verdict.note))
    return lines


def _how_to_start(verdict: Verdict) -> str:
    missing = verdict.results[0].outcome.missing
    if missing:
        return f"`{missing[0]}` is not defined yet: run the cell that defines it, then check again."
    return "Put your code in the place of `raise NotImplementedError()`, run the cell, check again."


def _failure_lines(failed: ProbeResult) -> list[Line]:
    probe = failed.probe
    lines = [Line("For", probe.expression, code=True)]
    inputs = [f"{name} = {describe(value)}" for name, value in probe.draw().items()]
    if inputs:
        lines.append(Line("with", "\n".join(inputs), code=True))
    if isinstance(failed.given, Raised):
        trace = [*failed.outcome.trace, f"{failed.given.name}: {failed.given.message}"]
        lines.append(Line("it raised", "\n".join(trace), code=True))
    else:
        lines.append(Line("you gave", describe(failed.given), code=True))
    if isinstance(failed.expected, Raised):
        lines.append(Line("expected", f"{describe(failed.expected)} to be raised"))
    elif not isinstance(failed.given, Raised):
        lines.append(Line("expected", describe(failed.expected), code=True))
    if difference := where(failed.expected, failed.given, probe.tolerance):
        lines.append(Line("that is", difference))
    if failed.outcome.printed:
        lines.append(Line("it printed", shorten(failed.outcome.printed), code=True))
    return lines


def shorten(text: str, lines: int = 6) -> str:
    """Return the first lines of a text."""
    kept = text.strip("\n").split("\n")
    more = [f"… {len(kept) - lines} more lines"] if len(kept) > lines else []
    return "\n".join(line[:160] for line in kept[:lines] + more)


def _count(number: float, noun: str) -> str:
    return f"{number:g} {noun}" + ("" if number == 1 else "s")


def _line_text(line: Line) -> str:
    return line.label + ": " + line.text.replace("\n", "\n    ") if line.label else line.text


def _table_html(lines: list[Line]) -> str:
    """Set labels beside what they label. JupyterLab floats `dt` and `dd`: undo that."""
    reset = "float:none;width:auto;margin:0;padding:0;"
    rows = "".join(
        f'<dt style="{reset}font-weight:{"bold" if line.label == "Hint" else "normal"}">'
        f'{html.escape(line.label)}</dt><dd style="{reset}">{_content_html(line)}</dd>'
        for line in lines
    )
    grid = "display:grid;grid-template-columns:max-content minmax(0,1fr);gap:3px 12px;margin:6px 0"
    return f'<dl style="{grid}">{rows}</dl>'


def _paragraph_html(line: Line) -> str:
    content = _content_html(line)
    return content if line.code else f'<p style="margin:4px 0">{content}</p>'


def _content_html(line: Line) -> str:
    if line.code:
        font = "font-family:monospace;white-space:pre-wrap;word-break:normal"
        style = f"margin:0;padding:0;overflow-wrap:anywhere;{font}"
        return f'<pre style="{style}">{html.escape(line.text)}</pre>'
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(line.text))
