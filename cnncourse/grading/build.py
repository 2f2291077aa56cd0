"""Build `exercises/` from `solutions/`: the release notebooks and the keys of their checks."""

import contextlib
import io
import json
import linecache
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cnncourse.grading import probes
from cnncourse.grading.cells import AuthorError, Exercise, Mistake, Source, read_source
from cnncourse.grading.compare import equal
from cnncourse.grading.key import (
    VERSION,
    ExerciseKey,
    KnownMistake,
    compare_keys,
    find_mistake,
)
from cnncourse.grading.probes import Block, Outcome, Probe, evaluate
from cnncourse.grading.release import release
from cnncourse.grading.values import Raised, Unsupported, decode, describe, encode
from cnncourse.paths import course_root

MAX_KEY_BYTES = 500_000


def build(source: Path | None = None, out: Path | None = None) -> list[Path]:
    """Write the release notebook and the key of every solutions notebook.

    Everything is made before anything is written, and each file is replaced in one step.

    Args:
        source: folder of the solutions notebooks; the course's own by default.
        out: folder for the releases, with `keys/` in it; the course's own by default.

    Returns:
        The files, sorted.

    Raises:
        AuthorError: if a solutions notebook has a fault; the message says where and what to do.
        FileNotFoundError: if there is no notebook in `source`.
    """
    files = _make(source)
    out = Path(out) if out else course_root() / "exercises"
    for name, text in files.items():
        write_atomically(out / name, text)
    return sorted(out / name for name in files)


def check(source: Path | None = None, out: Path | None = None) -> list[str]:
    """Compare what `build` would write with what is there.

    Notebooks are compared byte for byte, values in keys with their probe's tolerance, since floats
    differ between processors.

    Args:
        source: as for `build`.
        out: as for `build`.

    Returns:
        One sentence per difference; none when all is up to date.
    """
    files = _make(source)
    out = Path(out) if out else course_root() / "exercises"
    differences = []
    for name, text in files.items():
        path = out / name
        if not path.is_file():
            differences.append(f"{name} is missing")
        elif path.suffix == ".json":
            differences += [
                f"{name}: {line}" for line in compare_keys(text, path.read_text("utf-8"))
            ]
        elif path.read_bytes() != text.encode():
            differences.append(f"{name} is not what its solutions notebook gives")
    present = [
        p.relative_to(out).as_posix() for p in (*out.glob("*.ipynb"), *out.glob("keys/*.json"))
    ]
    return differences + [f"{name} has no source" for name in sorted({*present} - {*files})]


def _make(folder: Path | None) -> dict[str, str]:
    folder = Path(folder) if folder else course_root() / "solutions"
    paths = sorted(folder.glob("*.ipynb"))
    if not paths:
        raise FileNotFoundError(f"there is no solutions notebook in {folder}")
    files = {}
    for path in paths:
        source = read_source(path)
        files[f"{source.name}.ipynb"] = release(source.notebook, path.name)
        if source.exercises:
            files[f"keys/{source.name}.json"] = key_text(source)
    return files


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that at any moment it is the old one or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def key_text(source: Source) -> str:
    """Run a solutions notebook's code and return its key file's text.

    Raises:
        AuthorError: if the code fails, or a probe, a hint or a mistake is not sound.
    """
    namespace = run_code(source)
    exercises = {}
    for exercise in source.exercises.values():
        exercises[exercise.name] = exercise_key(exercise, reference(exercise, namespace), namespace)
    data = {"version": VERSION, "notebook": source.name, "exercises": exercises}
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    if len(text) > MAX_KEY_BYTES:
        raise AuthorError(
            f"{source.name}: the key would have {len(text) / 1000:.0f} kB; accepted: "
            f"{MAX_KEY_BYTES / 1000:.0f} kB. Let probes give smaller arrays."
        )
    return text


def run_code(source: Source) -> dict[str, Any]:
    """Run every cell of a solutions notebook but checks and mistakes; return their names."""
    namespace = {"__name__": "__main__"}
    for where, text in source.code:
        execute(text, namespace, where)
    return namespace


def execute(text: str, namespace: dict[str, Any], where: str) -> None:
    """Run one cell's source; what it prints is dropped.

    Raises:
        AuthorError: if it raises.
    """
    linecache.cache[where] = (len(text), None, text.splitlines(True), where)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(text, where, "exec"), namespace)
    except Exception as error:
        raise AuthorError(f"{where} raises {type(error).__name__}: {error}") from error


def reference(
    exercise: Exercise, namespace: dict[str, Any]
) -> tuple[Block, list[tuple[Probe, dict[str, Any]]]]:
    """Collect an exercise's probes, hidden ones too, with the encoded values of the reference.

    Returns:
        The hidden block, and (probe, value) pairs.

    Raises:
        AuthorError: if the block fails, its points do not add up, or a value cannot be compared.
    """
    block = probes.start_block()
    helpers = {name: getattr(probes, name) for name in probes.NOTEBOOK_NAMES}
    execute(exercise.block, {**namespace, **helpers}, exercise.where)
    total = sum(probe.points for probe in block.probes)
    if not block.probes or not any(probe.public for probe in block.probes):
        raise AuthorError(f"{exercise.where}: there is no public probe")
    if abs(total - exercise.points) > 1e-9:
        raise AuthorError(
            f"{exercise.where}: the probes' points add up to {total:g}, the cell's points are "
            f"{exercise.points:g}"
        )
    return block, [(p, expected(p, namespace, exercise.where)) for p in block.probes]


def expected(probe: Probe, namespace: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the encoded value that a right answer gives.

    Raises:
        AuthorError: if the reference gives nothing that can be compared.
    """
    outcome = evaluate(probe, namespace)
    value = decode(outcome.value)
    at = f"{where}: probe {probe.expression!r}"
    if isinstance(value, Raised):
        if probe.raises in value.bases:
            return encode(Raised(probe.raises, (probe.raises,)))
        raise AuthorError(
            f"{at}: the reference raises {describe(value)} {'; '.join(outcome.trace)}"
        )
    if probe.raises:
        raise AuthorError(f"{at}: the reference gives {describe(value)}, no {probe.raises}")
    if not equal(value, value, probe.tolerance):
        raise AuthorError(f"{at}: the reference gives {describe(value)}, which cannot be compared")
    if outcome.modified:
        raise AuthorError(f"{at}: the reference changes {', '.join(outcome.modified)} in place")
    return outcome.value


def exercise_key(exercise: Exercise, made: tuple, namespace: dict[str, Any]) -> dict[str, Any]:
    """Return what a key file holds of one exercise.

    Args:
        exercise: as read.
        made: what `reference` returned.
        namespace: names of the reference, for the mistakes.

    Raises:
        AuthorError: if a mistake is not sound.
    """
    block, pairs = made
    public = [(probe, value) for probe, value in pairs if probe.public]
    mistakes = try_mistakes(exercise.name, public, exercise.mistakes, namespace)
    return {
        "hidden_points": sum(probe.points for probe, _ in pairs if not probe.public),
        "hints": block.hints,
        "mistakes": mistakes,
        "probes": [{**probe.to_json(), "value": value} for probe, value in public],
        "solution": exercise.solution,
    }


def try_mistakes(
    name: str,
    pairs: Iterable[tuple[Probe, dict[str, Any]]],
    mistakes: Iterable[Mistake],
    namespace: dict[str, Any],
) -> list[dict[str, Any]]:
    """Run wrong implementations and prove that each is rejected with its own hint.

    Args:
        name: the exercise's.
        pairs: public probes and the reference's encoded values.
        mistakes: to run, each in a copy of the namespace.
        namespace: names of the reference.

    Returns:
        For the key: each mistake's hint and encoded values.

    Raises:
        AuthorError: if a mistake is accepted, does not run, or cannot be told from another one.
    """
    pairs, mistakes = list(pairs), list(mistakes)
    tried = []
    for mistake in mistakes:
        scope = dict(namespace)
        execute(mistake.source, scope, mistake.where)
        tried.append([evaluate(probe, scope) for probe, _ in pairs])
    key = ExerciseKey(
        name,
        tuple(probe for probe, _ in pairs),
        tuple(decode(value) for _, value in pairs),
        tuple(
            KnownMistake(mistake.hint, tuple(decode(outcome.value) for outcome in outcomes))
            for mistake, outcomes in zip(mistakes, tried, strict=True)
        ),
    )
    for number, (mistake, outcomes) in enumerate(zip(mistakes, tried, strict=True)):
        _prove(key, mistake, number, outcomes)
    return [
        {"hint": mistake.hint, "values": [outcome.value for outcome in outcomes]}
        for mistake, outcomes in zip(mistakes, tried, strict=True)
    ]


def _prove(key: ExerciseKey, mistake: Mistake, number: int, outcomes: list[Outcome]) -> None:
    found = find_mistake(key, outcomes)
    if found is None:
        raise AuthorError(
            f"{mistake.where}: the public probes of {key.name!r} accept this mistake; add a probe "
            "on which it gives another value"
        )
    if any(isinstance(value, Unsupported) for value in key.mistakes[number].values):
        raise AuthorError(f"{mistake.where}: the mistake gives something that cannot be compared")
    if any(outcome.not_attempted for outcome in outcomes):
        raise AuthorError(f"{mistake.where}: the mistake does not define {key.name!r}")
    if found is not key.mistakes[number]:
        raise AuthorError(
            f"{mistake.where}: no public probe tells this mistake from the one whose hint is "
            f"{found.hint!r}"
        )
