"""Open the course in JupyterLab, after laying its notebooks out where there is no checkout."""

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from cnncourse.paths import course_root

DEFAULT_FOLDER = "cnncourse-notebooks"
FIRST_NOTEBOOK = "chapters/00_start_here.ipynb"
MANIFEST = ".cnncourse-files.json"
_FOLDERS = ("chapters", "exercises", "solutions")


@dataclass
class Layout:
    """What `lay_out` did: paths relative to the learner's folder."""

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)  # changed by the learner, newer version beside
    unchanged: list[str] = field(default_factory=list)

    def __str__(self):
        """Return the summary that the command prints."""
        lines = [
            f"notebooks: {len(self.added)} added, {len(self.updated)} updated, "
            f"{len(self.unchanged)} left as they were, {len(self.kept)} with a newer version"
        ]
        lines += [f"{name}: you changed it, so it stays" for name in self.kept]
        return "\n".join(lines)


def is_checkout(folder: Path) -> bool:
    """Return whether a folder is a checkout of the course: package and notebooks side by side."""
    return (folder / "cnncourse" / "__init__.py").is_file() and (folder / "chapters").is_dir()


def workspace(directory: Path | None) -> Path:
    """Return the folder that JupyterLab shall show, with the notebooks in it.

    Args:
        directory: what the user named. A checkout is used as it is; into any other folder the
            notebooks are laid out first. `None` stands for the folder the user is in where it is
            a checkout or was laid out before, then for the checkout that the package runs from,
            then for `./cnncourse-notebooks`.

    Raises:
        OSError: if the notebooks cannot be laid out there; nothing has been written then.
    """
    if directory is None:
        directory = _default_folder()
    directory = directory.resolve()
    if not is_checkout(directory):
        print(f"{directory}: {lay_out(directory)}")
    return directory


def _default_folder() -> Path:
    here = Path.cwd()
    if is_checkout(here) or (here / MANIFEST).is_file():
        return here
    return course_root() if is_checkout(course_root()) else here / DEFAULT_FOLDER


def serve(root: Path, arguments: tuple[str, ...] = ()) -> None:
    """Run JupyterLab on a folder, opened at the first notebook, until it is stopped.

    The announcements and the look for updates are off: they ask servers elsewhere. JupyterLab
    refuses to run as root unless told; in a container that is the user there is.

    Args:
        root: the folder to show.
        arguments: more arguments of `jupyter lab`, such as `--no-browser`.
    """
    from jupyterlab.labapp import main

    main(
        [
            f"--ServerApp.root_dir={root}",
            f"--LabApp.default_url=/lab/tree/{FIRST_NOTEBOOK}",
            "--LabApp.news_url=None",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            *(["--allow-root"] if getattr(os, "geteuid", lambda: 1)() == 0 else []),
            *arguments,
        ]
    )


def lay_out(target: Path) -> Layout:
    """Copy the course's notebooks into a folder, and never over a learner's work.

    A manifest in the folder holds the hash of each file as it was laid out. A file that still has
    it is replaced by a newer release's; a file that the learner changed stays, and the newer
    version is laid beside it as `NAME.new.ipynb`, once.

    Args:
        target: the folder; made if it is not there.

    Returns:
        What was added, updated, kept and left.

    Raises:
        OSError: if a file, a link or a folder is in the way, before anything is written.
    """
    source = course_root()
    names = [
        path.relative_to(source).as_posix()
        for folder in _FOLDERS
        for path in sorted((source / folder).glob("*.ipynb"))
    ]
    _refuse_obstacles(target, [*names, *map(_beside, names), MANIFEST])
    laid = _read_manifest(target)
    layout = Layout()
    try:
        for name in names:
            _place(target, name, (source / name).read_bytes(), laid, layout)
    finally:
        if target.is_dir():
            _write(target / MANIFEST, json.dumps(laid, indent=1, sort_keys=True).encode())
    return layout


def _place(target: Path, name: str, new: bytes, laid: dict[str, str], layout: Layout) -> None:
    """Lay one file out; `laid` maps names to the hashes of what the course wrote or offered."""
    path = target / name
    present = _hash(path.read_bytes()) if path.exists() else None
    if present == _hash(new):
        layout.unchanged.append(name)
    elif present is None or present == laid.get(name):
        _write(path, new)
        (layout.added if present is None else layout.updated).append(name)
    elif laid.get(name) == _hash(new):  # changed by the learner, nothing newer to offer
        layout.unchanged.append(name)
    else:
        beside = _beside(name)
        present = _hash((target / beside).read_bytes()) if (target / beside).exists() else None
        if present in (None, laid.get(beside), _hash(new)):
            _write(target / beside, new)
            laid[beside] = _hash(new)
            layout.kept.append(f"{name} (newer version: {beside})")
        else:  # the learner works on the copy beside, too
            layout.kept.append(f"{name} (as does {beside}; rename both to get the newer version)")
            return
    laid[name] = _hash(new)


def _beside(name: str) -> str:
    return name.removesuffix(".ipynb") + ".new.ipynb"


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _refuse_obstacles(target: Path, names: list[str]) -> None:
    """Raise before anything is written if a name in the target is not a plain file's."""
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(f"{target} is a file; accepted: a folder, new or not")
    for folder in (target / folder for folder in _FOLDERS):
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise NotADirectoryError(
                f"{folder} is a link or a file, where a folder of notebooks shall be; "
                "move it away, or choose another folder"
            )
    for path in (target / name for name in names):
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise FileExistsError(
                f"{path} is a link or a folder, where a file shall be; "
                "move it away, or choose another folder"
            )


def _read_manifest(target: Path) -> dict[str, str]:
    """Return the hashes of what was laid out; without a readable manifest nothing is ours."""
    try:
        laid = json.loads((target / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return laid if isinstance(laid, dict) else {}


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: under another name first, renamed when complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
