"""Figures: one style, one way to show them, and the drawings that chapters share."""

from cnncourse.plotting.images import images
from cnncourse.plotting.style import show, use_style

__all__ = ["images", "show", "use_style"]
