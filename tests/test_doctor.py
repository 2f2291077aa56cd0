"""Each check is shown a machine that is well and one that is not."""

import json
import subprocess
import sys
import types
from pathlib import Path

import pytest
from cnncourse import doctor, kernel, sandbox_probe
from cnncourse.doctor import Check


@pytest.fixture(autouse=True)
def fresh():
    doctor._keras.cache_clear()
    yield
    doctor._keras.cache_clear()


@pytest.fixture
def keras_says(monkeypatch):
    """Put an answer in the place of a Keras in its own process."""

    def says(stdout="", stderr="", returncode=0):
        result = types.SimpleNamespace(stdout=stdout, stderr=stderr, returncode=returncode)
        monkeypatch.setattr(doctor.subprocess, "run", lambda *a, **k: result)

    return says


def test_this_machine(monkeypatch):
    """The real thing, once: what the tests run on is fit for the course."""
    monkeypatch.delenv("CNNCOURSE_DATA", raising=False)
    checks = doctor.diagnose()
    assert [c.name for c in checks] == [
        *("Python", "Keras", "GPU", "JupyterLab", "widgets"),
        *("kernel python3", "kernel GPU", "data", "sandbox"),
    ]
    assert doctor.healthy(checks), doctor.report(checks)
    by_name = {c.name: c for c in checks}
    assert "tensorflow" in by_name["Keras"].finding
    assert all(c.remedy for c in checks if c.status != "ok")


def test_report_is_one_aligned_line_each():
    checks = [Check("GPU", "ok", "none"), Check("JupyterLab", "fail", "not installed", "install")]
    assert doctor.report(checks).splitlines() == [
        "ok    GPU         none",
        "fail  JupyterLab  not installed. Remedy: install",
    ]


def test_report_for_programs():
    checks = [Check("GPU", "ok", "none"), Check("data", "fail", "gone", "unset it")]
    data = json.loads(doctor.report_json(checks))
    assert data["ok"] is False
    assert data["checks"][1] == {
        "name": "data",
        "status": "fail",
        "finding": "gone",
        "remedy": "unset it",
    }


def test_only_failures_make_it_unhealthy():
    assert doctor.healthy([Check("a", "ok", ""), Check("b", "warn", "", "r")])
    assert not doctor.healthy([Check("a", "ok", ""), Check("b", "fail", "", "r")])


def test_old_python(monkeypatch):
    assert doctor.python().status == "ok"
    monkeypatch.setattr(doctor.sys, "version_info", (3, 10, 4))
    check = doctor.python()
    assert (check.status, check.finding) == ("fail", "3.10.4")
    assert "3.11" in check.remedy


def test_keras_that_starts(keras_says):
    keras_says('a line of log\n{"keras": "3.15", "backend": "jax 0.9", "gpus": ["NVIDIA H200"]}\n')
    assert doctor.keras_backend() == Check("Keras", "ok", "3.15 on jax 0.9")
    assert doctor.gpu() == Check("GPU", "ok", "1: NVIDIA H200")


def test_keras_with_a_wrong_backend(monkeypatch):
    """For real: Keras raises in its own process, and the check says why."""
    monkeypatch.setenv("KERAS_BACKEND", "abacus")
    check = doctor.keras_backend()
    assert check.status == "fail"
    assert "abacus" in check.finding
    assert check.remedy.startswith("unset KERAS_BACKEND (it is 'abacus')")
    assert doctor.gpu().status == "ok"  # reported once, under Keras


def test_keras_that_aborts(keras_says):
    keras_says(returncode=-4)
    assert doctor.keras_backend().finding == "does not start: exit status -4"


def test_keras_that_hangs(monkeypatch):
    def run(*arguments, **options):
        raise subprocess.TimeoutExpired("python", 180)

    monkeypatch.setattr(doctor.subprocess, "run", run)
    assert doctor.keras_backend().finding == "does not start: no answer in 180 s"


@pytest.mark.parametrize(("device", "status"), [(True, "warn"), (False, "ok")])
def test_no_gpu_seen(monkeypatch, keras_says, device, status):
    keras_says('{"keras": "3", "backend": "tensorflow 2", "gpus": []}')
    monkeypatch.setattr(doctor.Path, "exists", lambda path: device)
    check = doctor.gpu()
    assert check.status == status
    assert ("tensorflow[and-cuda]" in check.remedy) == device


@pytest.mark.parametrize(
    ("version", "status"), [("4.3.1", "ok"), ("3.6.0", "fail"), (None, "fail")]
)
def test_jupyterlab(monkeypatch, version, status):
    monkeypatch.setattr(doctor, "_version", lambda package: version)
    check = doctor.jupyterlab()
    assert check.status == status
    assert ("pip install" in check.remedy) == (status == "fail")


@pytest.fixture
def extensions(monkeypatch, tmp_path):
    """Two places where JupyterLab looks, the user's before the environment's."""
    monkeypatch.setattr(doctor.sys, "prefix", str(tmp_path / "env"))
    places = [tmp_path / "user", tmp_path / "env" / "share" / "jupyter" / "labextensions"]
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *a: list(map(str, places)))
    monkeypatch.setattr(doctor, "_version", lambda package: "0.11.0")

    def put(place, extension, version):
        path = places[place] / extension / "package.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(version if version == "{" else json.dumps({"version": version}))

    put(1, "@jupyter-widgets/jupyterlab-manager", "5.0.16")
    put(1, "anywidget", "0.11.0")
    return put


def test_widgets_in_place(extensions):
    assert doctor.widgets().status == "ok"
    extensions(0, "anywidget", "0.11.0")  # hidden by an equal one: no harm
    assert doctor.widgets().status == "ok"


def test_widgets_hidden_by_another_version(extensions):
    extensions(0, "@jupyter-widgets/jupyterlab-manager", "3.1.0")
    check = doctor.widgets()
    assert check.status == "fail"
    assert "3.1.0" in check.finding
    assert "5.0.16" in check.finding
    assert check.remedy.startswith("remove ")


@pytest.mark.parametrize("version", ["0.9.0", "{"])
def test_widgets_of_another_version_than_python(extensions, version):
    extensions(1, "anywidget", version)
    check = doctor.widgets()
    assert check.status == "fail"
    assert "0.11.0 in Python" in check.finding


def test_widgets_missing(extensions, monkeypatch):
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *a: [])
    check = doctor.widgets()
    assert check.status == "fail"
    assert check.remedy.endswith("jupyterlab_widgets")


@pytest.fixture
def kernelspec(monkeypatch, tmp_path):
    """Make the kernelspec `python3` start a program."""
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))

    def starts(*argv):
        folder = tmp_path / "kernels" / "python3"
        folder.mkdir(parents=True, exist_ok=True)
        spec = {"argv": list(argv), "display_name": "Python 3", "language": "python"}
        (folder / "kernel.json").write_text(json.dumps(spec))

    return starts


def test_python_kernel(kernelspec):
    for program in ("python", "python3", sys.executable):
        kernelspec(program, "-m", "ipykernel_launcher")
        assert doctor.python_kernel().status == "ok"


def test_python_kernel_of_another_environment(kernelspec, tmp_path):
    other = tmp_path / "other" / "bin" / "python"
    other.parent.mkdir(parents=True)
    other.symlink_to(Path(sys.executable).resolve())  # the same binary: the folder counts
    kernelspec(str(other))
    check = doctor.python_kernel()
    assert (check.status, check.finding) == ("fail", f"starts another Python, {other}")
    assert check.remedy.endswith("-m ipykernel install --sys-prefix")


def test_gpu_kernel(monkeypatch):
    def says(program):
        monkeypatch.setattr(kernel, "installed_python", lambda: program)
        return doctor.gpu_kernel()

    assert says(None) == Check(
        "kernel GPU", "ok", "not installed; `cnncourse kernel install` adds it"
    )
    assert says(sys.executable).status == "ok"
    gone = says("/nowhere/bin/python")
    assert (gone.status, gone.remedy) == ("fail", "run `cnncourse kernel install`")


def test_damaged_gpu_kernel(monkeypatch, tmp_path):
    folder = kernel.kernel_folder(tmp_path)
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text("{half")
    monkeypatch.setattr(kernel.sys, "prefix", str(tmp_path))
    check = doctor.gpu_kernel()
    assert check.status == "fail"
    assert "damaged" in check.finding


def test_data_mirror(monkeypatch, tmp_path):
    monkeypatch.delenv("CNNCOURSE_DATA", raising=False)
    assert doctor.data_mirror().status == "ok"

    monkeypatch.setenv("CNNCOURSE_DATA", str(tmp_path / "gone"))
    assert "No such file" in doctor.data_mirror().finding
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CNNCOURSE_DATA", str(tmp_path / "file"))
    assert "Not a directory" in doctor.data_mirror().finding

    monkeypatch.setenv("CNNCOURSE_DATA", str(tmp_path))
    check = doctor.data_mirror()
    assert check.status == "fail"
    assert "none of the course's folders" in check.finding
    assert "keras" in check.remedy
    (tmp_path / "keras").mkdir()
    assert doctor.data_mirror() == Check("data", "ok", f"mirror {tmp_path} with keras")


def test_sandbox_warns_only(monkeypatch):
    monkeypatch.setattr(doctor, "isolation_problem", lambda: ("user namespace: no", "allow them"))
    check = doctor.sandbox()
    assert (check.status, check.remedy) == ("warn", "allow them")
    assert check.finding.endswith("user namespace: no")


def test_sandbox_is_built_to_see_what_holds(monkeypatch):
    if sandbox_probe.isolation_problem() is None:
        assert doctor._enforced() == {"problem": "", "unwatched": ""}
    monkeypatch.setattr(doctor, "isolation_problem", lambda: None)
    monkeypatch.setattr(doctor, "_enforced", lambda: {"problem": "seccomp filter", "unwatched": ""})
    assert doctor.sandbox().finding.endswith("cannot be isolated: seccomp filter")
    monkeypatch.setattr(doctor, "_enforced", lambda: {"problem": "", "unwatched": "children"})
    assert doctor.sandbox().status == "warn"


def test_sandbox_agrees_with_unshare():
    """util-linux is the independent witness."""
    command = ["unshare", "-Urmpin", "--fork", "sh", "-c", "mount -t tmpfs none /tmp && echo $$"]
    result = subprocess.run(command, capture_output=True, text=True)
    able = result.returncode == 0 and result.stdout.strip() == "1"
    assert (sandbox_probe.isolation_problem() is None) == able


def test_sandbox_probe_leaves_this_process_alone():
    namespaces = Path("/proc/self/ns")
    before = {p.name: p.readlink() for p in namespaces.iterdir()}
    sandbox_probe.isolation_problem()
    assert {p.name: p.readlink() for p in namespaces.iterdir()} == before


@pytest.mark.parametrize(
    ("setting", "value", "remedy"),
    [
        ("kernel/apparmor_restrict_unprivileged_userns", "1\n", "apparmor"),
        ("kernel/apparmor_restrict_unprivileged_userns", "0\n", "container"),
        ("kernel/unprivileged_userns_clone", "0\n", "userns_clone=1"),
        ("user/max_user_namespaces", "0\n", "max_user_namespaces"),
    ],
)
def test_sandbox_remedies(monkeypatch, tmp_path, setting, value, remedy):
    (tmp_path / setting).parent.mkdir()
    (tmp_path / setting).write_text(value)
    monkeypatch.setattr(
        sandbox_probe, "_TRY", "import sys; sys.exit('user namespace: Operation not permitted')"
    )
    finding, advice = sandbox_probe.isolation_problem(tmp_path)
    assert finding == "user namespace: Operation not permitted"
    assert remedy in advice


def test_sandbox_elsewhere_than_linux(monkeypatch):
    monkeypatch.setattr(sandbox_probe.sys, "platform", "darwin")
    assert sandbox_probe.isolation_problem()[0] == "darwin has no namespaces"
