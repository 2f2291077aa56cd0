"""What foreign code can see and do in the sandbox: facts, asked of the kernel from inside."""

import os
import platform
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cnncourse.grader import sandbox, seccomp
from cnncourse.grader.engine import Grader
from cnncourse.grader.limits import Limits, descendants
from cnncourse.grader.spawn import SpawnError
from grader_toy import ROOT, ask, inside, notebook, started

CALLS = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def errno(name, *arguments):
    ctypes.set_errno(0)
    return ctypes.get_errno() if libc.syscall(name, *arguments) < 0 else 0
"""


@pytest.fixture(scope="module")
def grader(tmp_path_factory):
    """A grader for one notebook; the sandbox is the same for all."""
    with started(tmp_path_factory.mktemp("toy"), "00_*") as made:
        yield made


@pytest.mark.parametrize(
    "path",
    [
        ROOT / "solutions",
        ROOT / "exercises",
        ROOT / "tests" / "conftest.py",
        ROOT / ".git",
        "/etc/passwd",
        "/etc/hostname",
        "/proc/1",
        "/proc/self/environ",
        "/proc/self/fd",
        "/sys",
        "/home",
        "/var",
        "/bin/sh",
        "/usr/bin/env",
        sys.executable,
        "/dev/tty",
        "/dev/fd",
        "/run",
    ],
    ids=str,
)
def test_what_is_not_allowed_is_not_there(grader, path):
    assert Path(path).exists() or str(path).startswith(("/home", "/dev", "/run"))
    assert not inside(grader, f"import os\nreturn os.path.lexists({str(path)!r})")


def test_only_library_folders_and_devices_are_there(grader):
    tops = inside(grader, "import os\nreturn sorted(os.listdir('/'))")
    allowed = {Path(p).parts[1] for p in map(str, sandbox.library_folders())}
    allowed |= {"dev", "etc", "lib", "lib64", "proc", "tmp", "usr", ROOT.parts[1]}
    assert set(tops) <= allowed
    assert inside(grader, "import os\nreturn os.listdir('/etc')") == ["ld.so.cache"]
    devices = inside(grader, "import os\nreturn sorted(os.listdir('/dev'))")
    assert devices == ["full", "null", "random", "shm", "urandom", "zero"]
    package = inside(grader, "import cnncourse, os\nreturn os.listdir(cnncourse.__path__[0])")
    assert "_notebooks" not in package
    assert "scratch" in package


def test_notebooks_inside_an_installed_package_are_left_out(tmp_path, monkeypatch):
    package = tmp_path / "cnncourse"
    for name in ("_notebooks", "scratch", "tests"):
        (package / name).mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.setattr(sandbox, "PACKAGE", package)
    assert sandbox._package() == [str(package / "__init__.py"), str(package / "scratch")]


def test_nothing_can_be_written_but_a_private_tmp(grader):
    body = """\
import os
import cnncourse
written = []
for folder, below, _ in os.walk("/"):
    if folder.count("/") > 3:
        below.clear()
    try:
        with open(folder + "/mine", "w"):
            written.append(folder)
    except OSError:
        pass
return sorted(written)"""
    assert inside(grader, body) == ["/dev/shm", "/tmp"]
    assert inside(grader, "import os\nreturn os.listdir('/tmp') + os.listdir('/dev/shm')") == []


def test_it_is_nobody_without_capabilities(grader):
    body = """\
import ctypes, os
libc = ctypes.CDLL(None)
header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
assert libc.capget(header, data) == 0
bounding = sum(libc.prctl(24 - 1, n, 0, 0, 0) for n in range(38))
no_new_privs = libc.prctl(39, 0, 0, 0, 0)
return [*os.getresuid(), *os.getresgid(), *data, bounding, no_new_privs]"""
    assert inside(grader, body) == [65534] * 6 + [0] * 6 + [0, 1]


def test_it_is_alone(grader):
    body = """\
import os
found = []
for pid in range(1, 40_000):
    try:
        os.kill(pid, 0)
        found.append(pid)
    except ProcessLookupError:
        pass
return [os.getpid(), os.getppid(), os.getsid(0), *found]"""
    assert inside(grader, body) == [1, 0, 1, 1]


def test_there_is_no_network(grader):
    body = """\
import socket
refused = 0
for family in (1, 2, 10, 16, 17, 38, 40):
    for kind in (1, 2, 3, 5):
        try:
            socket.socket(family, kind)
        except OSError:
            refused += 1
return refused"""
    assert inside(grader, body) == 28


def test_only_the_two_pipes_are_open(grader):
    body = """\
import os, stat
kinds = []
for number in range(256):
    try:
        mode = os.fstat(number).st_mode
    except OSError:
        continue
    kinds.append([number > 2, stat.S_ISFIFO(mode), stat.S_ISCHR(mode)])
return kinds"""
    assert inside(grader, body) == [[False, False, True]] * 3 + [[True, True, False]] * 2


def test_the_filter_refuses_what_no_exercise_needs(grader):
    column = list(seccomp._ARCHITECTURES).index(platform.machine())
    numbers = [n[column] for n in seccomp.FORBIDDEN.values() if n[column] is not None]
    body = CALLS + f"return [errno(number, 0, 0, 0, 0, 0) for number in {numbers}]"
    assert inside(grader, body) == [1] * len(numbers)


def test_no_namespace_can_be_made(grader):
    clone, clone3 = (56, 435) if platform.machine() == "x86_64" else (220, 435)
    flags = [0x10000000, 0x20000000, 0x00020000, 0x40000000, 0x08000000, 0x02000000]
    body = CALLS + f"return [errno({clone}, f | 17, 0, 0, 0, 0) for f in {flags}]"
    assert inside(grader, body) == [1] * len(flags)
    assert inside(grader, CALLS + f"return errno({clone3}, 0, 0)") == 38


def test_the_filter_lets_other_architectures_calls_die():
    code = seccomp.program("x86_64")
    assert len(code) % 8 == 0
    assert struct.unpack("HBBI", code[16:24]) == (0x06, 0, 0, 0x80000000)
    with pytest.raises(KeyError):
        seccomp.program("sparc")


def test_limits_hold(grader):
    body = """\
import resource, os
for name in ("AS", "NPROC", "FSIZE", "NOFILE"):
    try:
        resource.setrlimit(getattr(resource, "RLIMIT_" + name), (2**60, 2**60))
        return name
    except (ValueError, OSError):
        pass
children = 0
try:
    while children < 1000:
        if os.fork() == 0:
            import time
            time.sleep(60)
        children += 1
except BlockingIOError:
    pass
try:
    with open("/tmp/large", "wb") as file:
        while file.tell() < 2**30:
            file.write(bytes(2**20))
except OSError as error:
    return [children, error.errno, os.path.getsize("/tmp/large")]"""
    limits = Limits(processes=20, file_bytes=5 * 2**20, question=60)
    children, errno, size = inside(grader, body, limits)
    assert children < limits.processes
    assert (errno, size) == (27, limits.file_bytes)


def test_the_environment_holds_no_secret(grader, monkeypatch):
    monkeypatch.setenv("TOKEN_OF_THE_INSTRUCTOR", "secret")
    names = inside(grader, "import os\nreturn sorted(os.environ)")
    assert not {"TOKEN_OF_THE_INSTRUCTOR", "PATH", "HOSTNAME", "PWD"} & set(names)


def test_what_one_leaves_behind_the_next_does_not_find(grader):
    body = """\
import os, builtins, sys
import numpy as np
found = [os.path.exists("/tmp/note"), hasattr(np, "note"), hasattr(builtins, "note")]
open("/tmp/note", "w").close()
np.note = builtins.note = 1
return found"""
    for _ in range(2):
        assert inside(grader, body) == [False] * 3


def test_orphans_end_with_their_submission(grader):
    server = grader._spawner._process.pid
    before = set(descendants(server))
    body = """\
import os, signal, time
for _ in range(50):
    if os.fork() == 0:
        if os.fork() == 0:
            for number in range(1, 32):
                try:
                    signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError):
                    pass
            time.sleep(600)
        os._exit(0)
return 7"""
    assert inside(grader, body, Limits(question=60)) == 7
    assert not [pid for pid in set(descendants(server)) - before if _alive(pid)]


def test_training_works_inside(grader):
    body = """\
import keras, numpy as np
keras.utils.set_random_seed(1)
x = np.random.rand(64, 6, 6, 1).astype("float32")
layers = [keras.layers.Conv2D(2, 3), keras.layers.Flatten(), keras.layers.Dense(1)]
model = keras.Sequential([keras.Input((6, 6, 1)), *layers])
model.compile("sgd", "mse")
losses = model.fit(x, x.mean((1, 2)), epochs=3, verbose=1).history["loss"]
return [losses[0] > losses[-1], model.count_params()]"""
    assert inside(grader, body) == [True, 20 + 33]


def test_a_runner_that_cannot_be_confined_runs_nothing(grader):
    with pytest.raises(SpawnError, match="mounting"):
        ask(grader, "def look():\n    return 0", Limits(disk_bytes=-1))


def test_the_server_ends_with_its_driver(tmp_path):
    code = f"""\
import sys, time
sys.path.insert(0, {str(ROOT / "tests")!r})
from cnncourse.grader.spawn import ForkServer
server = ForkServer()
print(server._process.pid, flush=True)
time.sleep(60)
"""
    driver = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    launcher = int(driver.stdout.readline())
    time.sleep(1)
    below = descendants(launcher)
    assert len(below) >= 1
    driver.kill()
    driver.wait()
    driver.stdout.close()
    deadline = time.monotonic() + 60
    while any(_alive(pid) for pid in below) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(_alive(pid) for pid in below)


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_refusal_says_why_and_what_helps(monkeypatch, tmp_path):
    monkeypatch.setattr(sandbox, "isolation_problem", lambda: ("no reason", "a remedy"))
    with (
        pytest.raises(sandbox.SandboxError, match=r"no reason.*a remedy.*--unsafe"),
        Grader.of([notebook(tmp_path)], "s"),
    ):
        pass


def test_libraries_in_tmp_would_not_be_seen(monkeypatch):
    monkeypatch.setattr(sandbox, "isolation_problem", lambda: None)
    sandbox.require()
    monkeypatch.setattr(sandbox, "library_folders", lambda: [Path("/tmp/venv/lib")])
    with pytest.raises(sandbox.SandboxError, match=r"/tmp/venv/lib is where.*install it elsewhere"):
        sandbox.require()


def test_the_environment_variable_for_data_is_resolved(monkeypatch, tmp_path):
    from cnncourse.grader.environment import environment

    monkeypatch.setenv("CNNCOURSE_DATA", os.path.relpath(tmp_path))
    assert environment()["CNNCOURSE_DATA"] == str(tmp_path.resolve())
    assert sandbox._data() == [str(tmp_path.resolve())]
