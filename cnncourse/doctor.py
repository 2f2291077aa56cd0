"""`cnncourse doctor`: is this machine ready for the course, and if not, what to do about it."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from cnncourse import kernel
from cnncourse.paths import PACKAGE
from cnncourse.sandbox_probe import isolation_problem

OLDEST_PYTHON = (3, 11)
MIRROR_FOLDERS = ("bccd", "coco_mini", "flowers", "images", "keras", "mnist", "style", "weights")
_INSTALL = f"{sys.executable} -m pip install --upgrade"
_KERAS_PROBE = """
import json, keras, sys
from importlib.metadata import version
sys.path.append(sys.argv[1])
from cnncourse.session import gpus
backend = keras.backend.backend()
print(json.dumps({
    "keras": keras.__version__,
    "backend": backend + " " + version(backend),
    "gpus": gpus(),
}))
"""


@dataclass(frozen=True)
class Check:
    """One line of the report; `status` is `"ok"`, `"warn"` or `"fail"`."""

    name: str
    status: str
    finding: str
    remedy: str = ""  # what to do; empty only where all is well


def diagnose() -> list[Check]:
    """Run every check; none of them changes anything or stops the others."""
    checks = (
        python,
        keras_backend,
        gpu,
        jupyterlab,
        widgets,
        python_kernel,
        gpu_kernel,
        data_mirror,
        sandbox,
    )
    return [check() for check in checks]


def report(checks: list[Check]) -> str:
    """Return one aligned line per check, its remedy at the end."""
    width = max(len(check.name) for check in checks)
    lines = []
    for check in checks:
        line = f"{check.status:<4}  {check.name:<{width}}  {check.finding}"
        lines.append(f"{line}. Remedy: {check.remedy}" if check.remedy else line)
    return "\n".join(lines)


def report_json(checks: list[Check]) -> str:
    """Return the same for programs: `{"ok": …, "checks": [{"name", "status", …}]}`."""
    return json.dumps({"ok": healthy(checks), "checks": [asdict(c) for c in checks]}, indent=1)


def healthy(checks: list[Check]) -> bool:
    """Return whether nothing failed; warnings do not count."""
    return all(check.status != "fail" for check in checks)


def python() -> Check:
    """Is this Python new enough?"""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Check("Python", "fail", version, "install Python 3.11 or newer, then cnncourse")
    return Check("Python", "ok", f"{version}, {sys.executable}")


@cache
def _keras() -> dict:
    """Return what a Keras in a process of its own says: a broken one may abort, and it is slow."""
    try:
        command = [sys.executable, "-c", _KERAS_PROBE, str(PACKAGE.parent)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=180)
    except subprocess.TimeoutExpired:
        return {"error": "no answer in 180 s"}
    if result.returncode:
        lines = result.stderr.strip().splitlines() or [f"exit status {result.returncode}"]
        return {"error": lines[-1]}
    return json.loads(result.stdout.splitlines()[-1])


def keras_backend() -> Check:
    """Does Keras start, and on what?"""
    found = _keras()
    if "error" in found:
        chosen = os.environ.get("KERAS_BACKEND")
        remedy = f"unset KERAS_BACKEND (it is {chosen!r}), or " if chosen else ""
        return Check(
            "Keras",
            "fail",
            f"does not start: {found['error']}",
            f"{remedy}run {_INSTALL} keras tensorflow",
        )
    return Check("Keras", "ok", f"{found['keras']} on {found['backend']}")


def gpu() -> Check:
    """Is there a GPU, and does Keras use it?"""
    found = _keras().get("gpus")
    if found:
        return Check("GPU", "ok", f"{len(found)}: {', '.join(found)}")
    if Path("/dev/nvidia0").exists():
        return Check(
            "GPU",
            "warn",
            "there is one from NVIDIA, but Keras does not see it",
            f"{_INSTALL} 'tensorflow[and-cuda]'",
        )
    return Check("GPU", "ok", "none, not needed: notebooks run on the CPU in the quick profile")


def jupyterlab() -> Check:
    """Is JupyterLab here, and new enough for the demos?"""
    version = _version("jupyterlab")
    if version is None or int(version.split(".")[0]) < 4:
        return Check("JupyterLab", "fail", version or "not installed", f"run {_INSTALL} jupyterlab")
    return Check("JupyterLab", "ok", version)


def widgets() -> Check:
    """Does JupyterLab find the widgets' browser side, and is it the one of this environment?"""
    from jupyter_core.paths import jupyter_path

    found = []
    for package, extension in (
        ("jupyterlab_widgets", "@jupyter-widgets/jupyterlab-manager"),
        ("anywidget", "anywidget"),
    ):
        own = Path(sys.prefix, "share", "jupyter", "labextensions", extension, "package.json")
        places = [Path(p, extension, "package.json") for p in jupyter_path("labextensions")]
        used = next((p for p in places if p.is_file()), None)
        remedy = f"{sys.executable} -m pip install --force-reinstall --no-deps {package}"
        if _version(package) is None or used is None:
            return Check("widgets", "fail", f"{package}: JupyterLab cannot find it", remedy)
        version, expected = _js_version(used), _js_version(own) if own.is_file() else None
        if expected not in (None, version):
            return Check(
                "widgets",
                "fail",
                f"{extension} {version} in {used.parent} hides {expected} of this environment",
                f"remove {used.parent}",
            )
        if package == "anywidget" and version != _version(package):
            return Check(
                "widgets",
                "fail",
                f"anywidget {_version(package)} in Python, {version} in JupyterLab",
                remedy,
            )
        found.append(f"{extension} {version}")
    return Check("widgets", "ok", ", ".join(found))


def python_kernel() -> Check:
    """Does the notebooks' kernel, `python3`, start this very Python?"""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    remedy = f"{sys.executable} -m ipykernel install --sys-prefix"
    try:
        program = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except (NoSuchKernel, IndexError):
        return Check("kernel python3", "fail", "not installed", remedy)
    # Jupyter runs a bare `python` or `python3` with its own Python.
    if program not in ("python", "python3") and not _same_file(program, sys.executable):
        return Check("kernel python3", "fail", f"starts another Python, {program}", remedy)
    return Check("kernel python3", "ok", "starts this Python")


def gpu_kernel() -> Check:
    """If the GPU kernel is installed, does it start this Python?"""
    remedy = "run `cnncourse kernel install`"
    try:
        program = kernel.installed_python()
    except ValueError as error:
        return Check("kernel GPU", "fail", str(error), remedy)
    if program is None:
        return Check("kernel GPU", "ok", "not installed; `cnncourse kernel install` adds it")
    if not _same_file(program, sys.executable):
        return Check("kernel GPU", "fail", f"starts another Python, {program}", remedy)
    return Check("kernel GPU", "ok", "installed, starts this Python")


def data_mirror() -> Check:
    """Where `CNNCOURSE_DATA` names a mirror of the data sets, does it look like one?"""
    name = os.environ.get("CNNCOURSE_DATA")
    if not name:
        return Check("data", "ok", "Keras' cache or download; no mirror named in CNNCOURSE_DATA")
    layout = f"a folder with some of {', '.join(MIRROR_FOLDERS)}"
    remedy = f"set CNNCOURSE_DATA to {layout}, or unset it"
    try:
        present = {path.name for path in Path(name).iterdir() if path.is_dir()}
    except OSError as error:
        return Check("data", "fail", f"mirror {name}: {error.strerror}", remedy)
    found = [folder for folder in MIRROR_FOLDERS if folder in present]
    if not found:
        return Check("data", "fail", f"mirror {name} has none of the course's folders", remedy)
    from cnncourse.datasets import mirror

    findings = mirror.present(Path(name), thorough=False).items()
    bad = [data for data, f in findings if mirror.summary(f) in ("damaged", "incomplete")]
    if bad:
        remedy = f"run `cnncourse data fetch {' '.join(bad)}`"
        return Check("data", "fail", f"mirror {name}: not whole: {', '.join(bad)}", remedy)
    return Check("data", "ok", f"mirror {name} with {', '.join(found)}")


def sandbox() -> Check:
    """Can submissions be isolated here? Only who grades needs that, so its lack is a warning."""
    if problem := isolation_problem():
        finding, remedy = problem
        return Check("sandbox", "warn", f"submissions cannot be isolated: {finding}", remedy)
    found = _enforced()
    if found["problem"]:
        finding = f"submissions cannot be isolated: {found['problem']}"
        return Check("sandbox", "warn", finding, "grade on a newer Linux, x86_64 or aarch64")
    if found["unwatched"]:
        finding = f"submissions can be isolated, but not watched: {found['unwatched']}"
        return Check("sandbox", "warn", finding, "grade on a newer Linux")
    walls = "namespaces, read-only root, no capabilities, system-call filter, limits, watchdog"
    return Check("sandbox", "ok", f"submissions can be isolated (for grading only): {walls}")


def _enforced() -> dict:
    """Build the grader's sandbox in a process of its own and return what could not be had."""
    command = [sys.executable, "-P", "-m", "cnncourse.grader.enforce"]
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=180)
    if result.returncode:
        lines = result.stderr.strip().splitlines() or [f"exit status {result.returncode}"]
        return {"problem": lines[-1], "unwatched": ""}
    return json.loads(result.stdout)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _js_version(path: Path) -> str:
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return "of unknown version"


def _same_file(a: str, b: str) -> bool:
    """Return whether two paths are the same Python in the same environment.

    The `python` of a virtual environment is a link to the system's, and so is its neighbour's:
    only the folder tells the two apart.
    """
    a, b = Path(a), Path(b)
    return a.parent.resolve() == b.parent.resolve() and a.resolve() == b.resolve() and a.exists()
