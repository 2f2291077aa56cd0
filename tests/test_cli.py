"""The command line's wiring: texts, exit codes, and what it hands on."""

import importlib
import subprocess
import sys
import types
from pathlib import Path

import click
import cnncourse
import pytest
from click.testing import CliRunner
from cnncourse import doctor, kernel, lab
from cnncourse.cli import main


def run(*arguments):
    return CliRunner().invoke(main, arguments)


def commands(group=main, path=()):
    for name, command in group.commands.items():
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


@pytest.fixture
def module(monkeypatch):
    """Put a stand-in for a submodule in place, whether the real one is loaded already or not."""

    def replace(name, **functions):
        package, _, last = name.rpartition(".")
        stand_in = types.SimpleNamespace(**functions)
        monkeypatch.setitem(sys.modules, name, stand_in)
        monkeypatch.setattr(importlib.import_module(package), last, stand_in, raising=False)

    return replace


@pytest.mark.parametrize("path", [(), *commands()], ids=" ".join)
def test_every_command_explains_itself(path):
    result = run(*path, "--help")
    assert result.exit_code == 0
    assert result.output.startswith("Usage:")
    assert len(result.output.split()) > 12
    assert "..." not in result.output.replace("]...", "").replace("[ARGS]...", "")  # no cut text


def test_the_commands_are_those_of_the_course():
    assert {" ".join(path) for path in commands()} == {
        "lab",
        "doctor",
        "kernel",
        "kernel install",
        "kernel remove",
        "data",
        "data list",
        "data fetch",
        "data verify",
        "build",
        "grade",
        "progress",
    }


def test_help_loads_nothing_heavy():
    code = "import sys\nfrom cnncourse.cli import main\n"
    code += "main(['--help'], standalone_mode=False)\nprint(*sys.modules)"
    output = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert "Usage:" in output
    loaded = set(output.split())
    assert "cnncourse.cli" in loaded
    heavy = {"keras", "tensorflow", "numpy", "matplotlib", "jupyterlab", "jupyter_client"}
    assert loaded.isdisjoint(heavy), loaded & heavy


def test_version():
    result = run("--version")
    assert (result.exit_code, result.output.strip()) == (
        0,
        f"cnncourse, version {cnncourse.__version__}",
    )


def test_unknown_command():
    result = run("lap")
    assert result.exit_code == 2
    assert "No such command 'lap'" in result.output


@pytest.mark.parametrize(
    ("arguments", "directory", "rest"),
    [
        ((), None, ()),
        (("mine",), Path("mine"), ()),
        (("--no-browser",), None, ("--no-browser",)),
        ((".", "--no-browser", "--port", "9999"), Path(), ("--no-browser", "--port", "9999")),
        (("--port=9999", "-y"), None, ("--port=9999", "-y")),
    ],
)
def test_lab_splits_its_arguments(monkeypatch, arguments, directory, rest):
    seen = []
    monkeypatch.setattr(lab, "workspace", lambda d: seen.append(d) or Path("root"))
    monkeypatch.setattr(lab, "serve", lambda root, more: seen.extend((root, more)))
    assert run("lab", *arguments).exit_code == 0
    assert seen == [directory, Path("root"), rest]


def test_lab_error_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(lab, "course_root", lambda: tmp_path)
    (tmp_path / "taken").write_text("a file")
    result = run("lab", str(tmp_path / "taken"))
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert "taken is a file; accepted: a folder" in result.output
    assert "Traceback" not in result.output


CHECKS = [
    doctor.Check("Python", "ok", "3.11"),
    doctor.Check("sandbox", "warn", "no namespaces", "grade on Linux"),
]


@pytest.mark.parametrize(
    ("checks", "code"), [(CHECKS, 0), ([*CHECKS, doctor.Check("GPU", "fail", "gone", "buy")], 1)]
)
def test_doctor_exit_status(monkeypatch, checks, code):
    monkeypatch.setattr(doctor, "diagnose", lambda: checks)
    for arguments, printed in (([], doctor.report), (["--json"], doctor.report_json)):
        result = run("doctor", *arguments)
        assert result.exit_code == code
        assert result.output == printed(checks) + "\n"


def test_kernel_commands(monkeypatch):
    monkeypatch.setattr(kernel, "install", lambda: "in place")
    monkeypatch.setattr(kernel, "remove", lambda: "gone")
    assert run("kernel", "install").output == "in place\n"
    assert run("kernel", "remove").output == "gone\n"


def test_build(module, tmp_path):
    calls = []
    module(
        "cnncourse.grading.build",
        build=lambda *folders: calls.append(folders) or [Path("a.ipynb"), Path("keys/a.json")],
        check=lambda *folders: calls.append(folders) or [],
    )
    result = run("build")
    assert (result.exit_code, result.output.split()) == (0, ["a.ipynb", str(Path("keys/a.json"))])
    result = run("build", "--check", "--source", str(tmp_path), "--out", "there")
    assert (result.exit_code, result.output) == (0, "The exercises are up to date.\n")
    assert calls == [(None, None), (tmp_path, Path("there"))]


def test_build_check_finds_old_exercises(module):
    module("cnncourse.grading.build", check=lambda source, out: ["a.ipynb is old", "b is missing"])
    result = run("build", "--check")
    assert (result.exit_code, result.output) == (1, "a.ipynb is old\nb is missing\n")


def test_progress(module):
    module("cnncourse.grading.progress", summary=lambda: "2 of 9 solved")
    result = run("progress")
    assert (result.exit_code, result.output) == (0, "2 of 9 solved\n")


def test_errors_of_the_library_are_one_line(module):
    def damaged():
        raise ValueError("progress.json is damaged")

    module("cnncourse.grading.progress", summary=damaged)
    result = run("progress")
    assert (result.exit_code, result.output) == (1, "Error: progress.json is damaged\n")
