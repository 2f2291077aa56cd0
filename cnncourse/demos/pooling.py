"""PoolingDemo: pool a photograph, move it by whole pixels, and see which outputs change."""

import numpy as np
from cnncourse.demos.picture import PhotoDemo
from traitlets import Bool, Enum, Int

REACH = 8  # the picture can be moved this many pixels each way
SIDES = {"picture": 96, "numbers": 8, "row": 8}
SPIKE = 2  # column of the spike in the row, before it is moved


class PoolingDemo(PhotoDemo):
    """Pool a photograph, move it by whole pixels, and see which outputs change.

    The demo works on the grey picture (mean of red, green and blue, 0 to 255) in a window at the
    middle of the photograph. `output` is what the browser shows.

    Args:
        photo: "china" or "flower", one of the two sample photographs.
        image: the learner's own, uint8, (height, width) or (height, width, 3).
        view: "picture" (96 × 96 pixels), "numbers" (8 × 8), or "row": 8 pixels, one of them bright.
        mode: "max", "average", "stride" (keeps one pixel of each window), or "blur" (a binomial
            low-pass, then one pixel of each window; Zhang 2019).
        pool_size: side of the window and stride, 2 to 4.
        down, right: how far the picture is moved, −8 to 8 pixels; a row only moves right.
        dropped: fade the values of which nothing reaches the output.
    """

    _module = "pooling"

    view = Enum(tuple(SIDES), "picture").tag(sync=True)
    mode = Enum(("max", "average", "stride", "blur"), "max").tag(sync=True)
    pool_size = Int(2, min=2, max=4).tag(sync=True)
    down = Int(0, min=-REACH, max=REACH).tag(sync=True)
    right = Int(0, min=-REACH, max=REACH).tag(sync=True)
    dropped = Bool(False).tag(sync=True)

    @property
    def window(self) -> np.ndarray:
        """The pixels that are pooled, moved; float32, (96, 96), (8, 8) or (1, 8)."""
        side = SIDES[self.view]
        return self._cut(self.down, self.right, 0)[:side, :side]

    @property
    def output(self) -> np.ndarray:
        """The pooled window: float32, one value per whole pooling window."""
        return self._pooled(self.down, self.right)

    @property
    def changed(self) -> np.ndarray:
        """Which outputs differ from those of the picture that was not moved: bool."""
        return _differ(self.output, self._pooled(0, 0))

    @property
    def phase(self) -> np.ndarray:
        """The same for `right` from −8 to 8: how much the map differs after moving along.

        The map of the unmoved picture is moved by the nearest whole number of outputs; 0 where
        pooling answers a move of its input with the same move of its output (equivariance).

        Returns:
            float array (17,), mean absolute differences in grey levels; NaN where nothing of the
            old map is left.
        """
        steps = range(-REACH, REACH + 1)
        overlaps = [np.abs(np.subtract(*self._aligned(0, step))) for step in steps]
        return np.array([d.mean() if d.size else np.nan for d in overlaps])

    @property
    def changed_after_moving(self) -> np.ndarray:
        """Which outputs differ once the old map is moved along, where both exist: bool."""
        return _differ(*self._aligned(self.down, self.right))

    def _aligned(self, down: int, right: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the overlap of the new map and the old one moved along."""
        new, old = self._pooled(down, right), self._pooled(0, 0)
        for axis, move in enumerate((0 if self.view == "row" else down, right)):
            q = _nearest(move, self.pool_size)
            size = new.shape[axis]
            new = new.take(range(max(0, q), size + min(0, q)), axis)
            old = old.take(range(max(0, -q), size + min(0, -q)), axis)
        return new, old

    def _cut(self, down: int, right: int, margin: int) -> np.ndarray:
        """Return the moved window with a margin to its top and left; zeros outside the picture."""
        side = SIDES[self.view]
        if self.view == "row":
            row = np.zeros((1, side + margin), "float32")
            if 0 <= SPIKE + right + margin < side + margin:
                row[0, SPIKE + right + margin] = 255
            return row
        grey = np.pad(self.grey() * 255, side + REACH + margin)
        top, left = ((n - side) // 2 for n in grey.shape)
        top, left = top - down - margin, left - right - margin
        return grey[top : top + side + margin, left : left + side + margin]

    def _pooled(self, down: int, right: int) -> np.ndarray:
        from cnncourse import scratch

        p = self.pool_size
        window = (1, p) if self.view == "row" else (p, p)
        before = p // 2 if self.mode == "blur" else 0  # a blur reads this far to the left
        x = self._cut(down, right, before)
        rows, columns = 1 if self.view == "row" else SIDES[self.view] // p, SIDES[self.view] // p
        if self.mode == "stride":
            return x[:: window[0], ::p][:rows, :columns]
        x = x[None, :, :, None]
        if self.mode == "max":
            y = scratch.max_pool2d(x, window)
        elif self.mode == "average":
            y = scratch.avg_pool2d(x, window)
        else:
            bell = _binomial(p + 1)
            kernel = bell[None] if self.view == "row" else np.outer(bell, bell)
            y = scratch.conv2d(x, kernel.astype("float32")[:, :, None, None], strides=window)
        return y[0, :rows, :columns, 0]

    def still(self) -> tuple[np.ndarray, str]:
        """Return the window beside its pooled map, and what they show in a sentence."""
        side = 288
        pictures = [_enlarged(a, side) for a in (self.window, self.output)]
        height = max(map(len, pictures))
        panels = [np.pad(a, ((0, height - len(a)), (0, 12)), constant_values=255) for a in pictures]
        alt = (
            f"Grey pixels and what {self.mode} pooling of size {self.pool_size} makes of them: "
            f"{self.window.shape} becomes {self.output.shape}."
        )
        return np.concatenate(panels, axis=1), alt


def _nearest(move: int, p: int) -> int:
    """Return the whole number of outputs nearest to a move in pixels; halves go towards 0."""
    return int(np.sign(move)) * ((2 * abs(move) + p - 1) // (2 * p))


def _binomial(n: int) -> np.ndarray:
    """Return a row of Pascal's triangle with sum 1: [1, 2, 1] / 4 for n = 3."""
    row = np.ones(1)
    for _ in range(n - 1):
        row = np.convolve(row, [0.5, 0.5])
    return row


def _differ(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Tell which grey levels differ by more than rounding."""
    return np.abs(a - b) > 1e-3


def _enlarged(grey: np.ndarray, width: int) -> np.ndarray:
    """Repeat pixels until the picture is about `width` wide; uint8."""
    factor = max(1, width // grey.shape[1])
    return grey.round().astype("uint8").repeat(factor, 0).repeat(factor, 1)
