"""Data that needs no download."""

from cnncourse.datasets.photos import sample_photos
from cnncourse.datasets.sprites import sprites

__all__ = ["sample_photos", "sprites"]
