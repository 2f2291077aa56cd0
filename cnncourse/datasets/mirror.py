"""A local mirror: all that the course downloads, in one folder for a room without internet.

keras/datasets/…         as Keras has it in its cache: the folder can serve as KERAS_HOME
mnist/*.gz               MNIST as published, in place of keras/datasets/mnist.npz
flowers/CLASS/*.jpg      the photographs, unpacked
"""

from dataclasses import dataclass
from pathlib import Path

from cnncourse.datasets import files, flower_photos
from cnncourse.datasets.dataset import Info
from cnncourse.datasets.sources import INFO, MNIST_IDX

NAMES = tuple(info.name for info in INFO.values() if info.files)
BY_DEFAULT = tuple(name for name in NAMES if name != "flowers")  # 229 MB: only when named


_VERDICTS = {
    "ok": "ok, {} files",
    "unlisted": "{} files, readable, but without a list of hashes (SHA256SUMS) to compare with",
    "missing": "missing",
    "incomplete": "incomplete",
    "damaged": "damaged",
}


@dataclass(frozen=True)
class Finding:
    """What is the matter with a file, or with a folder, of a mirror.

    `state` is "ok", "missing", "damaged", or "unlisted" where there is no hash to compare with.
    """

    name: str
    path: Path
    state: str


def check(name: str, root: Path, *, thorough: bool = True) -> list[Finding]:
    """Return one finding for each file of a data set in a mirror.

    Args:
        name: of the data set.
        root: the mirror.
        thorough: compare hashes; otherwise only presence, and size where it is known.

    Raises:
        ValueError: if nothing is downloaded for a data set of that name.
    """
    info = info_of(name)
    if name == "flowers" and flower_photos.any_in(root / "flowers"):
        return _check_flowers(root / "flowers", thorough)
    wanted = info.files
    if name == "mnist" and files.has_idx(root):
        wanted = MNIST_IDX
    return [
        Finding(name, root / file.path, files.state(file, root / file.path, thorough=thorough))
        for file in wanted
    ]


def _check_flowers(folder, thorough):
    try:
        listed = flower_photos.sums(folder)
    except files.DatasetError:
        return [Finding("flowers", folder / flower_photos.SUMS, "damaged")]
    if not listed:
        return _check_unlisted(folder, thorough)
    findings = []
    for name, digest in listed.items():
        path = folder / name
        if not path.is_file():
            found = "missing"
        else:
            found = "damaged" if thorough and files.sha256(path) != digest else "ok"
        findings.append(Finding("flowers", path, found))
    return findings


def _check_unlisted(folder, thorough):
    findings = []
    for kind in flower_photos.FLOWERS:
        paths = flower_photos.in_class(folder, kind)
        for path in paths:
            found = "unlisted" if not thorough or _readable(path) else "damaged"
            findings.append(Finding("flowers", path, found))
        if not paths:
            findings.append(Finding("flowers", folder / kind, "missing"))
    return findings


def _readable(path):
    """Return whether a photograph can be decoded to the end."""
    from PIL import Image

    try:
        with Image.open(path) as photo:
            photo.load()
    except OSError:
        return False
    return True


def summary(findings: list[Finding]) -> str:
    """Return one word for a data set: "ok", "missing", "unlisted", "incomplete" or "damaged"."""
    states = {finding.state for finding in findings}
    if "damaged" in states:
        return "damaged"
    return states.pop() if len(states) == 1 else "incomplete"


def fetch(name: str, root: Path) -> None:
    """Bring a data set of a mirror to completeness; what is there and whole stays as it is.

    Several processes may do that at the same time: one works, the others wait for it.

    Args:
        name: of the data set.
        root: the mirror; made if it does not exist.

    Raises:
        DatasetError: if a file cannot be had or written; the message says what to do.
        ValueError: if nothing is downloaded for a data set of that name.
    """
    info, elsewhere = info_of(name), "name another folder with --to"
    if name == "flowers":
        _fetch_flowers(info, root, elsewhere)
    elif summary(check(name, root)) != "ok":
        for file in info.files:  # what is there and whole stays as it is
            files.download(info, file, root / file.path, elsewhere)


def _fetch_flowers(info, root, elsewhere):
    """Download the archive, unpack it and remove it; whoever comes second finds it done."""
    folder, (file,) = root / "flowers", info.files
    archive = root / file.path

    def unpacked():
        return flower_photos.any_in(folder) and summary(check("flowers", root)) == "ok"

    if unpacked() and not archive.is_file():
        return
    with files.alone(folder, info.title, elsewhere):
        if not unpacked():
            flower_photos.refuse_own(folder)
            files.download(info, file, archive, elsewhere)
            flower_photos.unpack(archive, folder)
        archive.unlink(missing_ok=True)


def info_of(name: str) -> Info:
    """Return title, files and source of a data set.

    Raises:
        ValueError: if nothing is downloaded for a data set of that name.
    """
    if name not in NAMES:
        raise ValueError(f"name is {name!r}; accepted: {', '.join(NAMES)}")
    return INFO[name]


def folder(named: Path | None, option: str) -> Path:
    """Return the mirror that a command works on: the one named, or else `CNNCOURSE_DATA`'s.

    Raises:
        ValueError: if there is neither.
    """
    root = named or files.mirror_root()
    if root is None:
        raise ValueError(f"no mirror is named: give {option} FOLDER, or set CNNCOURSE_DATA")
    return root


def present(root: Path, *, thorough: bool) -> dict[str, list[Finding]]:
    """Return the findings for each data set of which there is anything in a mirror."""
    findings = {name: check(name, root, thorough=thorough) for name in NAMES}
    return {name: found for name, found in findings.items() if summary(found) != "missing"}


def verify(root: Path, names: tuple[str, ...] = ()) -> tuple[str, bool]:
    """Compare every file with its hash; return a report, and whether all is well.

    Args:
        root: the mirror.
        names: of data sets that must be there; by default those of which there is anything.

    Raises:
        ValueError: if nothing is downloaded for one of the names.
    """
    if names:
        findings = {name: check(name, root) for name in names}
    else:
        findings = present(root, thorough=True)
    if not findings:
        return f"{root} holds none of {', '.join(NAMES)}", False
    lines = []
    for name, found in findings.items():
        lines.append(f"{name}: {_VERDICTS[summary(found)].format(len(found))}")
        bad = [finding for finding in found if finding.state in ("missing", "damaged")]
        lines += [f"  {finding.state}: {finding.path}" for finding in bad[:10]]
        lines += [f"  and {len(bad) - 10} more"] if len(bad) > 10 else []
        lines += [f"  mend: cnncourse data fetch {name} --to {root}"] if bad else []
    return "\n".join(lines), all(summary(f) in ("ok", "unlisted") for f in findings.values())


def table() -> str:
    """Return a line per data set: name, size of the download, where it would come from, licence."""
    root = files.mirror_root()
    rows = [
        (info.name, _megabytes(info), _where(info, root), info.licence) for info in INFO.values()
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _megabytes(info):
    return f"{info.size / 1e6:.0f} MB" if info.files else "0 MB"


def _where(info, root):
    """Say where a loader would find a data set now; presence and size are all that is looked at."""
    if not info.files:
        return "no download needed"
    if root is not None:
        found = summary(check(info.name, root, thorough=False))
        if found != "missing":
            words = {"ok": "mirror", "unlisted": "mirror, without hashes"}
            return words.get(found, f"mirror: {found}")
    cached = [files.state(file, files.in_cache(file), thorough=False) for file in info.files]
    if set(cached) == {"ok"} or (info.name == "flowers" and flower_photos.in_cache()):
        return "Keras' cache"
    return "to be downloaded"
