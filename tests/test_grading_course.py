"""The course's own exercises: built from their source, complete, and as nbgrader makes them."""

from pathlib import Path

import nbformat
import pytest
from cnncourse.grader.advice import library_answers
from cnncourse.grader.assignment import FROM_SCRATCH
from cnncourse.grading import build
from cnncourse.grading.cells import read_source
from cnncourse.grading.compare import equal
from cnncourse.grading.judge import NOT_ATTEMPTED, judge
from cnncourse.grading.key import read_key
from cnncourse.grading.probes import evaluate
from cnncourse.grading.values import decode
from test_grading_release import nbgrader_release

ROOT = Path(__file__).resolve().parent.parent
SOURCES = {path.stem: path for path in sorted((ROOT / "solutions").glob("*.ipynb"))}


def test_every_chapter_has_exercises():
    assert SOURCES
    assert SOURCES.keys() <= {path.stem for path in (ROOT / "chapters").glob("*.ipynb")}


def test_exercises_are_what_their_sources_give():
    assert build.check() == []


def test_exercises_are_nbgraders_byte_for_byte(tmp_path):
    notebooks = {name: nbformat.read(path, as_version=4) for name, path in SOURCES.items()}
    for name, theirs in nbgrader_release(tmp_path, notebooks).items():
        assert (ROOT / "exercises" / f"{name}.ipynb").read_bytes() == theirs, name


def test_every_exercise_has_two_mistakes_and_every_notebook_ten_points():
    for path in SOURCES.values():
        source = read_source(path)
        for exercise in source.exercises.values():
            assert len(exercise.mistakes) >= 2, f"{exercise.where}: one mistake only"
        points = sum(e.points for e in source.exercises.values())
        assert points >= 10, f"{path.name}: {points:g} points"


def test_the_references_are_from_scratch_where_they_ask_for_it():
    """A learner who answers as the author does is not told to have used the library's answer."""
    tagged = [
        (path.stem, cell)
        for path in SOURCES.values()
        for cell in nbformat.read(path, as_version=4).cells
        if FROM_SCRATCH in cell.metadata.get("tags", [])
    ]
    assert len(tagged) > 10
    assert [(stem, note) for stem, cell in tagged if (note := library_answers(cell.source))] == []


# Right answers that look nothing like the reference ones; chapter 02 has its own in its test.
OTHER_ANSWERS = {
    "00_start_here": """
def to_batch(images):
    height, width, *channels = images[0].shape
    batch = np.zeros((len(images), height, width, *(channels or [1])), "float32")
    for place, image in zip(batch, images):
        if image.shape != images[0].shape:
            raise ValueError("sizes differ")
        place[...] = image.reshape(place.shape)
    return batch

def center_crop(img, h, w):
    rows = [r for r in range(len(img)) if 0 <= r - (len(img) - h) // 2 < h]
    columns = [c for c in range(img.shape[1]) if 0 <= c - (img.shape[1] - w) // 2 < w]
    if len(rows) < h or len(columns) < w:
        raise ValueError("too small")
    return img[np.ix_(rows, columns)]

def rescale(x, lo=0.0, hi=1.0):
    return np.interp(x, [0, 255], [lo, hi]).astype(np.float32)

def top_k_error(probs, labels, k=5):
    missed = 0
    for row, label in zip(probs, labels):
        better = sum(p > row[label] for p in row)
        missed += better + sum(p == row[label] for p in row[:label]) >= k
    return missed / len(labels)
""",
    "03_pooling": """
def pool2d(x, k, s, mode):
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(1, 2))[:, ::s, ::s]
    if mode == "max":
        return windows.max(axis=(-2, -1))
    if mode == "mean":
        return windows.mean(axis=(-2, -1))
    raise ValueError(mode)

class DepthMaxPool(keras.layers.Layer):
    def __init__(self, pool_size=2, **kwargs):
        super().__init__(**kwargs)
        self.pool_size = pool_size

    def call(self, x):
        if x.shape[-1] % self.pool_size:
            raise ValueError("does not divide")
        takes = [x[..., first :: self.pool_size] for first in range(self.pool_size)]
        return keras.ops.max(keras.ops.stack(takes), axis=0)

    def get_config(self):
        return super().get_config() | {"pool_size": self.pool_size}

def global_avg(x):
    return np.einsum("nhwc->nc", x) / (x.shape[1] * x.shape[2])

def shift_report(row, k):
    row = list(row)
    if k not in range(1, len(row) + 1):
        raise ValueError(k)
    pool = lambda r: [max(r[i : i + k]) for i in range(0, len(r) - k + 1, k)]
    return [pool([0] * t + row[: len(row) - t]) == pool(row) for t in range(len(row))]
""",
    "04_memory_and_compute": """
def conv_cost(h, w, c_in, k, maps, s, padding):
    if padding not in {"same", "valid"}:
        raise ValueError("padding")
    first = 0 if padding == "same" else k - 1  # where the last cell of the first field lies
    out = [len(range(first, side, s)) for side in (h, w)] + [maps]
    kernel = k**2 * c_in
    values = out[0] * out[1] * out[2]
    sizes = {"out_bytes": values * 32 // 8, "out_shape": tuple(out)}
    return {"macs": kernel * values, "params": kernel * maps + maps, **sizes}

def dense_equivalent_params(h, w, c_in, maps):
    inputs, outputs = h * w * c_in, h * w * maps
    return outputs + inputs * outputs

def memory_plan(input_shape, convs, batch, train, bytes=4):
    before = [*input_shape]
    kept = most = before[0] * before[1] * before[2] * batch * bytes
    largest = all_weights = 0
    for maps, k, s in convs:
        all_weights += bytes * maps * (1 + before[2] * k**2)
        before = [len(range(0, before[0], s)), len(range(0, before[1], s)), maps]
        now = before[0] * before[1] * maps * batch * bytes
        largest, most, kept = max(largest, most + now), now, kept + now
    return all_weights + (kept if train else largest)

def human(n_bytes, si=True):
    if n_bytes < 0:
        raise ValueError("negative")
    letters, base, end = ("kMGT", 1000, "B") if si else ("KMGT", 1024, "iB")
    for power in (4, 3, 2, 1):
        if n_bytes >= base**power:
            return "%.2f %s" % (n_bytes / base**power, letters[power - 1] + end)
    return str(n_bytes) + " B"
""",
    "05_training": """
def batch_norm(x, gamma, beta, eps=1e-3):
    columns = x.reshape(-1, x.shape[-1]).T
    rows = [(c - sum(c) / len(c)) / (((c - c.mean()) ** 2).mean() + eps) ** 0.5 for c in columns]
    return np.stack(rows, axis=-1).reshape(x.shape) * gamma + beta

def dropout(x, rate, rng, mode):
    phase, kind = mode.split("-") if "-" in mode else (mode, "")
    if phase not in ("train", "test") or kind not in ("classic", "inverted"):
        raise ValueError(mode)
    if phase == "test":
        return x * (1 - rate) if kind == "classic" else x.copy()
    kept = rng.binomial(1, 1 - rate, size=x.shape)
    return np.where(kept == 1, x / (1 - rate if kind == "inverted" else 1), 0.0)

def softmax_xent(logits, y):
    top = logits.max(axis=1)
    total = np.log(np.exp(logits - top[:, None]).sum(axis=1)) + top
    p = np.exp(logits - total[:, None])
    one_hot = np.eye(logits.shape[1])[y]
    return float(np.mean(total - (logits * one_hot).sum(axis=1))), (p - one_hot) / len(y)

def class_weights(counts):
    return np.mean(counts) / np.array(counts)

def objective(pred, y, w, lam):
    d, w = np.ravel(pred - y), np.ravel(w)
    return float(d @ d / d.size + lam * (w @ w))
""",
}


def released(name: str) -> dict:
    """Run a release notebook as it is, all but its checks; return its names."""
    namespace = {"__name__": "__main__"}
    notebook = nbformat.read(ROOT / "exercises" / f"{name}.ipynb", as_version=4)
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and not cell.metadata.get("nbgrader", {}).get("grade"):
            build.execute(cell.source, namespace, f"{name}, cell {number}")
    return namespace


@pytest.mark.parametrize("name", SOURCES)
def test_blank_exercises_are_not_attempted(name):
    namespace = released(name)
    for key in read_key(ROOT / "exercises" / "keys" / f"{name}.json").values():
        outcomes = [evaluate(probe, namespace) for probe in key.probes]
        assert judge(key, outcomes).status == NOT_ATTEMPTED, key.name


@pytest.mark.parametrize("name", OTHER_ANSWERS)
def test_another_right_answer_is_correct_for_every_probe(name):
    source, names = read_source(SOURCES[name]), build.run_code(read_source(SOURCES[name]))
    learner = released(name)
    build.execute(OTHER_ANSWERS[name], learner, "other answers")
    for exercise in source.exercises.values():
        for probe, value in build.reference(exercise, names)[1]:
            given = decode(evaluate(probe, learner).value)
            assert equal(decode(value), given, probe.tolerance), (exercise.name, probe.expression)


def test_one_of_two_mistakes_is_still_recognised():
    """The kernel flipped, and "same" padding ignored: no single mistake gives these values."""
    flipped_and_unpadded = """
def conv2d(x, w, b, s=1, padding="valid"):
    w = w[::-1, ::-1]
    views = np.lib.stride_tricks.sliding_window_view(x, w.shape[:2], axis=(1, 2))[:, ::s, ::s]
    return np.einsum("nijcuv,uvck->nijk", views, w).astype("float32") + b
"""
    learner = released("02_convolution")
    build.execute(flipped_and_unpadded, learner, "two mistakes")
    key = read_key(ROOT / "exercises" / "keys" / "02_convolution.json")["conv2d"]
    verdict = judge(key, [evaluate(probe, learner) for probe in key.probes])
    assert "flip" in verdict.hint
    learner["conv2d"] = lambda *_, **__: 0.0
    assert "flip" not in judge(key, [evaluate(probe, learner) for probe in key.probes]).hint
