"""Data that needs no download."""

from cnncourse.datasets.photos import sample_photos

__all__ = ["sample_photos"]
