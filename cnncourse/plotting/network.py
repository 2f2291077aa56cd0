"""A network as a table with a picture: how its maps shrink and deepen, what each stage costs."""

import math

import matplotlib.pyplot as plt
from cnncourse.plotting.style import COLOURS
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

_ROW = 0.42  # inches
_COLUMNS = (  # heading, left edge, width; in a figure that is 100 wide
    ("stage", 0, 14),
    ("maps", 14, 17),
    ("shape", 31, 19),
    ("parameters", 50, 14),
    ("products (MAC)", 64, 15),
    ("memory", 79, 10),
    ("sees", 89, 11),
)


def network(rows, title: str = "") -> Figure:
    """Draw a network's stages, or its single steps, from the image at the top to the answer.

    The slab's height follows the root of the maps' side, its length the logarithm of their number.
    The bars behind the numbers are shares of the sum. *sees* is the side of the receptive field in
    pixels of the input; `all` after a layer that takes in the whole map.

    Args:
        rows: from `anatomy.stages` or `anatomy.steps`: anything with `name`, `shape`, `parameters`,
            `macs`, `activation_bytes` and `fields`.
        title: above the table.

    Raises:
        ValueError: if there is no row.

    Returns:
        The figure, 7.6 inches wide.
    """
    rows = list(rows)
    if not rows:
        raise ValueError("rows is empty; accepted: the stages or steps of a network")
    count = len(rows) + 2
    fig = plt.figure(figsize=(7.6, _ROW * count + 0.35 * bool(title)), layout="none")
    ax = fig.add_axes((0.01, 0.01, 0.98, 0.98 if not title else 0.98 - 0.3 / (_ROW * count + 0.35)))
    ax.set(xlim=(0, 100), ylim=(count, 0))
    ax.axis("off")
    if title:
        ax.set_title(title, fontweight="bold", fontsize=11)
    for heading, left, width in _COLUMNS:
        at, side = (left, "left") if left in (0, 14, 31) else (left + width - 0.5, "right")
        ax.text(at, 0.6, heading, ha=side, va="center", fontsize=9, color="0.35")
    sums = [sum(getattr(row, name) for row in rows) for name in _NUMBERS]
    for i, row in enumerate(rows):
        _row(ax, i + 1, row, sums)
    _totals(ax, len(rows) + 1, sums)
    return fig


_NUMBERS = ("parameters", "macs", "activation_bytes")


def _row(ax, y, row, sums):
    ax.axhline(y, color="0.9", lw=0.8)
    ax.text(0, y + 0.5, row.name, va="center", fontsize=9)
    side, maps = (row.shape[0], row.shape[-1]) if len(row.shape) == 3 else (1, row.shape[-1])
    height = min(0.86, 0.06 + 0.8 * math.sqrt(side / 224))
    length = 0.5 + 14 * math.log2(maps) / 15
    slab = Rectangle((14, y + 0.5 - height / 2), length, height, fc=COLOURS[5], ec=COLOURS[0], lw=1)
    ax.add_patch(slab)
    ax.text(31, y + 0.5, " × ".join(f"{n:,}" for n in row.shape), va="center", fontsize=9)
    columns = zip(_NUMBERS, _COLUMNS[3:6], sums, strict=True)
    for k, (name, (_, left, width), total) in enumerate(columns):
        value = getattr(row, name)
        share = value / total if total else 0
        ax.add_patch(Rectangle((left + 2, y + 0.12), share * (width - 2), 0.76, fc="#F6D9A8", lw=0))
        text = in_bytes(value) if k == 2 else in_words(value)
        ax.text(left + width - 0.5, y + 0.5, text, ha="right", va="center", fontsize=9)
    ax.text(99.5, y + 0.5, _sight(row), ha="right", va="center", fontsize=9)


def _totals(ax, y, sums):
    ax.axhline(y, color="0.35", lw=1)
    ax.text(0, y + 0.5, "together", va="center", fontsize=9, fontweight="bold")
    for k, (total, (_, left, width)) in enumerate(zip(sums, _COLUMNS[3:6], strict=True)):
        text = in_bytes(total) if k == 2 else in_words(total)
        at = left + width - 0.5
        ax.text(at, y + 0.5, text, ha="right", va="center", fontsize=9, fontweight="bold")


def _sight(row):
    if row.fields is None:
        return "all" if len(row.shape) != 3 else "–"
    sizes = [field.size for field in row.fields]
    return f"{sizes[0]} px" if sizes[0] == sizes[1] else f"{sizes[0]} × {sizes[1]} px"


def in_words(count: float) -> str:
    """Write a count with three digits and K, M or G for thousands, millions, milliards.

    >>> [in_words(n) for n in (0, 640, 9_728, 25_636_712, 999_999, 3_857_973_248)]
    ['0', '640', '9.73 K', '25.6 M', '1.00 M', '3.86 G']
    """
    for factor, unit in ((1e9, " G"), (1e6, " M"), (1e3, " K")):
        if count >= factor * 0.9995:
            value = count / factor
            return f"{value:.{max(0, 2 - int(math.log10(value * 1.0005)))}f}{unit}"
    return f"{count:g}"


def in_bytes(count: float) -> str:
    """Write a number of bytes in MiB or KiB.

    >>> [in_bytes(n) for n in (4000, 602_112, 63_538_176)]
    ['3.9 KiB', '588 KiB', '60.6 MiB']
    """
    value, unit = (count / 2**20, "MiB") if count >= 2**20 else (count / 2**10, "KiB")
    return f"{value:.{1 if value < 100 else 0}f} {unit}"
