"""Data sets: embedded, generated, and downloaded ones, all in the same shape.

`digits`, `fashion_mnist`, `mnist`, `flowers` and `shapes` return a `Dataset`; `shape_scenes` and
`shape_film` return `Scene`s, with boxes, masks and tracks. Both have title, licence and source in
`.info`. The two exceptions are bare arrays: `sample_photos` returns two photographs, `sprites`
drawn trees and cars and their labels; ask `info("sample_photos")` and `info("sprites")`.

What is downloaded is looked for in the local mirror that `CNNCOURSE_DATA` names, then in Keras'
cache, and only then on the network; `cnncourse data` fills and checks a mirror. No data set is ever
replaced by another: what cannot be had raises `DatasetError`.
"""

from cnncourse.datasets.classic import digits, fashion_mnist, mnist
from cnncourse.datasets.dataset import Dataset, Info, Split
from cnncourse.datasets.files import DatasetError
from cnncourse.datasets.flower_photos import flowers
from cnncourse.datasets.photos import sample_photos
from cnncourse.datasets.scenes import Scene, shape_film, shape_scenes, shapes
from cnncourse.datasets.sources import info
from cnncourse.datasets.sprites import sprites

__all__ = [
    "Dataset",
    "DatasetError",
    "Info",
    "Scene",
    "Split",
    "digits",
    "fashion_mnist",
    "flowers",
    "info",
    "mnist",
    "sample_photos",
    "shape_film",
    "shape_scenes",
    "shapes",
    "sprites",
]
