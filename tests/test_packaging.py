"""What a new user meets first: `make`, the wheel, and the files that describe the package."""

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import tomllib
import urllib.error
import urllib.request
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


# --- make, with a stand-in for Python that needs neither a network nor minutes.

FAKE_PYTHON = """#!/bin/sh
echo "$@" >> "$LOG"
case "$*" in
  --version) echo "Python $VERSION";;
  -c*) [ "$VERSION" != 3.9.1 ];;
  "-m venv"*)
    for folder; do :; done
    mkdir -p "$folder/bin"
    [ -z "$NO_VENV" ] || { echo "ensurepip is not available" >&2; exit 1; }
    cp "$0" "$folder/bin/python"
    cp "$0" "$folder/bin/cnncourse";;
  *install*-e*)
    [ -z "$INTERRUPT" ] || kill -INT 0
    [ -z "$NO_NETWORK" ] || { echo "no connection" >&2; exit 1; };;
esac
"""


@pytest.fixture
def make(tmp_path):
    """Run make in a copy of the project's set-up files, with the stand-in for Python."""
    project = tmp_path / "project"
    project.mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, project)
    python = tmp_path / "fake" / "python3"
    python.parent.mkdir()
    python.write_text(FAKE_PYTHON)
    python.chmod(0o755)

    def run(*arguments, **environment):
        log = tmp_path / "log"
        log.write_text("")
        path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "VERSION": "3.12.0", **environment, "PATH": path}
        environment.pop("MAKEFLAGS", None)
        result = subprocess.run(
            ["make", *arguments],
            cwd=project,
            env={**environment, "LOG": str(log)},
            capture_output=True,
            text=True,
            start_new_session=True,  # the interruption below reaches make, and not pytest
        )
        result.log = log.read_text().splitlines()
        result.stamps = sorted(p.name for p in project.glob(".venv/.installed-*"))
        return result

    run.project = project
    return run


def test_make_lab(make):
    first = make("lab", "ARGS=--no-browser")
    assert first.returncode == 0, first.stderr
    assert first.stamps == [".installed-lab"]
    installs = [line for line in first.log if " install " in line and " -e " in line]
    assert len(installs) == 1
    assert installs[0].endswith("-c constraints.txt -e .")
    assert first.log[-1] == "lab . --no-browser"

    second = make("lab")
    assert second.log == ["lab ."]


def test_make_test_covers_lab(make):
    make("lint")
    installs = [line for line in make("lint").log if " -e " in line]
    assert installs == []
    assert make("lab").log == ["lab ."]


def test_make_test_installs_the_test_extra(make):
    result = make("lint")
    assert result.stamps == [".installed-lab", ".installed-test"]
    assert any(line.endswith("-e .[test]") for line in result.log)


def test_backends_are_installed_with_the_pinned_versions(make):
    result = make("test-backends", "ARGS=jax")
    assert any(line.endswith("-c constraints.txt -e .[backends]") for line in result.log)
    assert result.log[-1] == "tests/backends.py jax"
    assert {"jax", "jaxlib", "torch"} <= set(pins())


def test_clean_spares_unfinished_trainings(make):
    for name in ("book/_build/index.html", "dist/course.whl", "build/accuracy/plain-0.npz"):
        path = make.project / name
        path.parent.mkdir(parents=True)
        path.touch()
    assert make("clean").returncode == 0
    left = {path.name for path in make.project.iterdir()}
    assert left == {"Makefile", "pyproject.toml", "constraints.txt", "book", "build"}
    assert path.exists() and not any((make.project / "book").iterdir())


def test_changed_requirements_are_installed(make):
    make("lab")
    newer = time.time() + 5
    os.utime(make.project / "constraints.txt", (newer, newer))
    assert any(" -e " in line for line in make("lab").log)


@pytest.mark.parametrize("target", ["lab", "test"])
def test_python_too_old(make, target):
    result = make(target, VERSION="3.9.1")
    assert result.returncode != 0
    assert "cnncourse needs Python 3.11 or newer; 'python3' is Python 3.9.1." in result.stderr
    assert f"make PYTHON=python3.12 {target}" in result.stderr
    assert not (make.project / ".venv").exists()


def test_python_not_there(make):
    result = make("lab", "PYTHON=python9")
    assert result.returncode != 0
    assert "cnncourse needs Python 3.11 or newer; 'python9' is" in result.stderr
    assert "not there" in result.stderr


def test_python_without_venv(make):
    result = make("lab", NO_VENV="1")
    assert result.returncode != 0
    assert "apt install python3-venv" in result.stderr
    assert not (make.project / ".venv").exists()
    assert make("lab").returncode == 0  # once it is installed


def test_network_down(make):
    result = make("lab", NO_NETWORK="1")
    assert result.returncode != 0
    assert "no connection" in result.stderr  # what pip said
    assert "Is the network up" in result.stderr
    assert result.stamps == []
    again = make("lab")
    assert again.returncode == 0
    assert not [line for line in again.log if line.startswith("-m venv")]  # nothing was lost


@pytest.mark.parametrize("target", ["lab", "test"])
def test_interrupted_installation_leaves_no_stamp(make, target):
    """Ctrl-C while pip works."""
    result = make(target, INTERRUPT="1")
    assert result.returncode != 0
    assert result.stamps == []
    assert any(" -e " in line for line in make("lab").log)


def test_interrupted_environment_is_made_again(make):
    """Interrupted between `python` and `pip`: the folder is there, but not fit for use."""
    (make.project / ".venv" / "bin").mkdir(parents=True)
    broken = make.project / ".venv" / "bin" / "python"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    assert make("lab").returncode == 0


def test_make_help_lists_the_targets(make):
    result = make()
    for target in ("lab", "test", "book", "constraints"):
        assert re.search(rf"^{target} +\S", result.stdout, re.MULTILINE)


# --- The wheel.


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    result = subprocess.run([*command, str(ROOT)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    [path] = out.glob("*.whl")
    return path


def tracked(folder):
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", folder]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return {name for name in output.split() if (ROOT / name).is_file()}


def test_wheel_holds_the_course_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
        about = {Path(name).name for name in archive.namelist() if ".dist-info/" in name}
    notebooks = {
        name for folder in ("chapters", "exercises", "solutions") for name in tracked(folder)
    }
    assert found == tracked("cnncourse") | {f"cnncourse/_notebooks/{name}" for name in notebooks}
    assert {Path(name).suffix for name in notebooks} == {".ipynb", ".json"}
    assert "exercises/keys/02_convolution.json" in notebooks
    assert "cnncourse/demos/js/island.js" in found
    assert {"LICENSE", "METADATA", "entry_points.txt"} <= about
    assert wheel.stat().st_size < 10 * 2**20


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """An environment with the wheel of the course, which borrows all else from this one."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    command = [sys.executable, "-m", "pip", "-q", "--python", str(folder)]
    subprocess.run([*command, "install", "--no-deps", "--no-index", str(wheel)], check=True)
    [packages] = folder.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    for name in ("etc", "share"):  # JupyterLab's settings and browser side
        (folder / name).symlink_to(Path(sys.prefix, name))
    return folder


def outside(tmp_path):
    """Return an environment as on another machine: an empty home, no trace of the checkout."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "LD_LIBRARY_PATH")}
    return {**kept, "HOME": str(tmp_path / "home"), "JUPYTER_RUNTIME_DIR": str(tmp_path / "run")}


def test_lab_from_the_wheel(installed, tmp_path):
    work = tmp_path / "my notebooks"
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [
                *(installed / "bin" / "cnncourse", "lab", work),
                *("--no-browser", "--port=0", "--IdentityProvider.token=secret"),
            ],
            cwd=tmp_path,
            env=outside(tmp_path),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        url = wait_for_server(tmp_path / "run", process, log)
        lab = fetch(f"{url}lab?token=secret")
        listing = json.loads(fetch(f"{url}api/contents/exercises?token=secret"))
        page = json.loads(re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', lab, re.S)[1])
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)
    assert page["news"] == {"disabled": True}
    assert "/lab/tree/chapters/00_start_here.ipynb" in log.read_text()
    assert "02_convolution.ipynb" in {item["name"] for item in listing["content"]}
    laid_out = {p.relative_to(work).as_posix() for p in work.rglob("*.ipynb")}
    assert laid_out == {n for f in ("chapters", "exercises", "solutions") for n in tracked(f)} - {
        n for n in tracked("exercises/keys")
    }


def wait_for_server(runtime, process, log):
    """Return the server's address, which it writes into its runtime folder when it listens."""
    for _ in range(300):
        for file in runtime.glob("jpserver-*.json"):
            try:
                return json.loads(file.read_text())["url"]
            except ValueError:
                pass  # being written
        assert process.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(f"no server in 30 s: {log.read_text()}")


def fetch(url):
    for _ in range(50):
        try:
            return urllib.request.urlopen(url, timeout=20).read().decode()
        except urllib.error.URLError as error:
            if isinstance(error, urllib.error.HTTPError):
                raise
            time.sleep(0.1)
    raise AssertionError(f"no answer from {url}")


def test_keys_are_found_from_the_wheel(installed, tmp_path):
    code = "import cnncourse.paths as p; print(p.course_root() / 'exercises' / 'keys')"
    output = subprocess.run(
        [installed / "bin" / "python", "-c", code],
        cwd=tmp_path,
        env=outside(tmp_path),
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    keys = Path(output.strip())
    assert keys.is_relative_to(installed)
    assert {f"exercises/keys/{p.name}" for p in keys.iterdir()} == tracked("exercises/keys")


def test_an_editable_install_copies_no_notebook(tmp_path):
    from hatchling.builders.wheel import WheelBuilder

    [path] = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["editable"])
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
        assert names == ["_cnncourse.pth"]
        assert Path(archive.read("_cnncourse.pth").decode().strip()) == ROOT


# --- The files that describe the package.


def required(extras):
    """Return every distribution that the course needs here with some extras, itself left out."""
    waiting = [("cnncourse", frozenset(extras))]
    seen = set()
    while waiting:
        name, chosen = waiting.pop()
        if (name, chosen) in seen:
            continue
        seen.add((name, chosen))
        if name == "cnncourse":  # as pyproject.toml has it now, not as it was when installed
            lines = [*PROJECT["dependencies"]]
            lines += [line for e in chosen for line in PROJECT["optional-dependencies"][e]]
        else:
            lines = metadata.requires(name) or []
        for requirement in map(Requirement, lines):
            environments = [{"extra": extra} for extra in chosen or {""}]
            marker = requirement.marker
            if marker is None or any(marker.evaluate(e) for e in environments):
                waiting.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    return {name for name, _ in seen} - {"cnncourse"}


def pins():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert all(
        re.fullmatch(r"[\w.-]+==[\w.!+]+", line) for line in lines
    )  # names and versions only
    return {canonicalize_name(line.split("==")[0]): line.split("==")[1] for line in lines}


def test_every_dependency_is_pinned():
    needed = required(["book", "test"])
    assert {"tensorflow", "numpy", "playwright", "tornado"} <= needed
    assert needed <= set(pins()), needed - set(pins())
    assert any(name.startswith("nvidia-cudnn") for name in pins())


def test_pins_satisfy_what_the_course_asks_for():
    pinned = pins()
    extras = PROJECT["optional-dependencies"].values()
    for requirement in map(Requirement, itertools.chain(PROJECT["dependencies"], *extras)):
        if requirement.name != "cnncourse":
            version = pinned[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(version), f"{requirement} against {version}"


def test_environment_yml_lists_no_dependency_of_its_own():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    assert [line.split("=")[0] for line in conda] == ["python", "pip"]
    assert pip == {"pip": ["--constraint constraints.txt", "--editable .[test]"]}
    assert Requirement("cnncourse" + PROJECT["requires-python"]).specifier.contains(
        conda[0].split("=")[1]
    )


def test_citation_and_licence_agree_with_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]
    assert " AND ".join(citation["license"]) == PROJECT["license"]
    licence = " ".join((ROOT / "LICENSE").read_text().split())
    for words in (
        "Permission is hereby granted, free of charge",
        'THE SOFTWARE IS PROVIDED "AS IS"',
        "Creative Commons Attribution 4.0 International Public License",
        "https://creativecommons.org/licenses/by/4.0/legalcode",
    ):
        assert words in licence


def test_pre_commit_needs_no_network():
    config = ROOT / ".pre-commit-config.yaml"
    subprocess.run([sys.executable, "-m", "pre_commit", "validate-config", config], check=True)
    repos = yaml.safe_load(config.read_text())["repos"]
    assert [repo["repo"] for repo in repos] == ["local"]
    hooks = {hook["id"]: hook for hook in repos[0]["hooks"]}
    assert {hook["language"] for hook in hooks.values()} == {"system"}
    assert hooks["build"]["entry"] == "cnncourse build --check"
    for entry in (hook["entry"].split() for hook in hooks.values()):
        scripts = [word for word in entry if word.endswith(".py")]
        assert all((ROOT / script).is_file() for script in scripts)


def test_console_script_is_declared():
    assert PROJECT["scripts"] == {"cnncourse": "cnncourse.cli:main"}
    from cnncourse.cli import main

    assert callable(main)
