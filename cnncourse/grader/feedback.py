"""A student's feedback: one page that needs nothing else, and in which nothing can run.

Every text goes through Jinja's escaping; what cannot be seen is made visible first; the page's own
policy forbids scripts, requests and any style but its own. Hidden probes, expected values and model
answers are not handed to the template at all.
"""

import base64
import functools
import hashlib
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnncourse import __version__
from cnncourse.grader.results import OUT_OF_MEMORY, STOPPED, TIMED_OUT, QuestionResult
from cnncourse.grader.text import shorten, visible
from cnncourse.grading.judge import CORRECT, NOT_ATTEMPTED, RAISED, WRONG

if TYPE_CHECKING:
    from cnncourse.grader.gradebook import Row

# Status: (class of the style sheet, sign, words). The words alone say everything.
_LOOKS = {
    CORRECT: ("right", "✓", "Correct"),
    WRONG: ("wrong", "✗", "Not yet right"),
    RAISED: ("wrong", "!", "Your code raised an error"),
    NOT_ATTEMPTED: ("open", "–", "Not attempted"),
    TIMED_OUT: ("wrong", "…", "It took too long"),
    OUT_OF_MEMORY: ("wrong", "!", "It took too much memory"),
    STOPPED: ("wrong", "!", "The program ended before there was a value"),
}
_PARTLY = ("partly", "◐", "Partly right")
_RADIUS = 42
_LONGEST = 10_000
_COLOUR = re.compile("\x1b\\[[0-9;]*m")  # Keras writes bold into its messages


@functools.cache
def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["line"] = lambda text: visible(shorten(text, _LONGEST))
    environment.filters["lines"] = _lines
    environment.filters["points"] = lambda n: f"{n:g} point{'' if n == 1 else 's'}"
    environment.globals["look"] = look
    return environment.get_template("feedback.html")


def _lines(text: str) -> str:
    """Return a text of several lines, with everything in it visible."""
    return visible(shorten(_COLOUR.sub("", text), _LONGEST), keep="\n\t")


@functools.cache
def _style() -> tuple[str, str]:
    """Return the style sheet, and its hash as the page's policy names it."""
    text = Path(__file__).with_name("feedback.css").read_text(encoding="utf-8")
    return text, base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def look(question: QuestionResult) -> tuple[str, str, str]:
    """Return class, sign and words for how a question went."""
    if 0 < question.points < question.max_points:
        return _PARTLY
    return _LOOKS.get(question.status, ("open", "–", question.status))


def page(row: "Row", max_points: float) -> str:
    """Return the feedback for one submission as HTML.

    Args:
        row: what it earned.
        max_points: what its autograded questions could earn.
    """
    import markupsafe

    style, style_hash = _style()
    graded = row.graded
    round_trip = 2 * math.pi * _RADIUS
    share = min(1.0, graded.total / max_points) if max_points else 0
    return _template().render(
        graded=graded,
        title=visible(graded.assignment.replace("_", " ")) or "Submission",
        max_points=max_points,
        pending=row.manual_pending,
        fine=row.fine,
        ring=(_RADIUS, round(round_trip, 2), round(round_trip * share, 2)),
        style=markupsafe.Markup(style),  # the one text that is not escaped: the course's own
        style_hash=style_hash,
        version=__version__,
    )
