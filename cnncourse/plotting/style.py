"""The course's figure style, and `show`, which will not show a picture without alternative text."""

import base64
import html
import io

import matplotlib as mpl
import matplotlib.pyplot as plt
from IPython.display import display

# Okabe and Ito's palette: eight colours that stay apart for colour-blind readers too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
DIVERGING = "RdBu_r"  # signed values: blue negative, white zero, red positive
DPI = 90


def use_style() -> None:
    """Set matplotlib's defaults for the course: readable, colour-blind safe, light to store."""
    mpl.rcParams.update(
        {
            "axes.prop_cycle": mpl.cycler(color=COLOURS),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "figure.constrained_layout.use": True,
            "figure.dpi": DPI,
            "font.size": 10,
            "image.cmap": "gray",
            "image.interpolation": "nearest",
            "savefig.dpi": DPI,
        }
    )


def show(fig: mpl.figure.Figure, alt: str) -> None:
    """Display a figure together with text for those who cannot see it, then close it.

    The picture is stored as an HTML `<img>`: neither JupyterLab nor the book has another way
    to attach the text to it.

    Args:
        fig: the figure.
        alt: what the picture shows, in a sentence or two: what a sighted reader learns from it.

    Raises:
        TypeError: if `fig` is not a matplotlib figure.
        ValueError: if `alt` says nothing.
    """
    if not isinstance(fig, mpl.figure.Figure):
        raise TypeError(f"fig is {type(fig).__name__}; accepted: a matplotlib Figure")
    if not isinstance(alt, str) or len(alt.split()) < 3:
        raise ValueError(f"alt is {alt!r}; accepted: a sentence that says what the picture shows")
    buffer = io.BytesIO()
    # No software tag: the same figure gives the same bytes.
    fig.savefig(buffer, format="png", metadata={"Software": None})
    plt.close(fig)
    source = base64.b64encode(buffer.getvalue()).decode()
    img = (
        f'<img alt="{html.escape(alt)}" style="max-width:100%;background:white" '
        f'src="data:image/png;base64,{source}">'
    )
    display({"text/html": img, "text/plain": f"[Figure: {alt}]"}, raw=True)
