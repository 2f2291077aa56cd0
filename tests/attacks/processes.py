"""Ends, kills, loops and bombs: each is bounded, in case that the sandbox is not."""

# Nothing here kills or fills anything unless it is the small world of a pid namespace.
GUARD = """
import os, signal, sys, time
assert os.getpid() < 300, "not in a pid namespace: this attack would hurt the machine"
"""


def cell(code):
    """Return an answer that does this and defines nothing that is right."""
    return {"double": GUARD + code}


def call(code):
    """Return an answer that does this when it is called."""
    body = "".join(f"    {line}\n" for line in code.strip().split("\n"))
    return {"double": f"{GUARD}def double(x):\n{body}"}


ATTACKS = {
    "sys.exit in the cell": cell("sys.exit(0)"),
    "sys.exit in the call": call("sys.exit(0)"),
    "os._exit in the cell": cell("os._exit(0)"),
    "os._exit in the call": call("os._exit(0)"),
    "exit status and a printed result": cell("print('{\"points\": 10}', flush=True)\nos._exit(0)"),
    "abort": call("os.abort()"),
    "a null pointer": call("import ctypes\nctypes.string_at(0)"),
    "kills its parent and pid 1": cell("""
for pid in (os.getppid(), 1, @VICTIM@):
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP):
        try:
            if pid: os.kill(pid, number)
        except OSError: pass
"""),
    "kills its process group and its session": cell("""
for group in {os.getpgrp(), os.getsid(0)}:
    try: os.killpg(group, signal.SIGTERM)
    except OSError: pass
os.kill(0, signal.SIGKILL)
"""),
    "kills all that it may": cell("os.kill(-1, signal.SIGKILL)"),
    "becomes another program": call("os.execv(sys.executable, [sys.executable, '-c', 'print(1)'])"),
    "stops itself": call("os.kill(os.getpid(), signal.SIGSTOP)\nsignal.pause()"),
    "a plain loop": call("while True: pass"),
    "a loop in the cell": cell("while True: pass"),
    "a loop that catches everything": call("""
for number in range(1, 64):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True:
    try:
        while True: pass
    except BaseException: pass
"""),
    "a loop in C": call("import itertools\nreturn sum(itertools.repeat(1))"),
    "a power in C": call("return len(str(9 ** 9 ** 9))"),
    "a catastrophic regular expression": call(
        "import re\nreturn re.match('(a+)+$', 'a' * 60 + 'b')"
    ),
    "sleeps": call("time.sleep(10**6)"),
    "a deadlock": call("import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()"),
    "reads from standard input": call("input()\nreturn sys.stdin.read()"),
    "recursion in Python": call("return double(x)"),
    "recursion without a limit": call("""
sys.setrecursionlimit(10**9)
import threading
threading.stack_size(1 << 16)
return double(x)
"""),
    "list memory": call("""
kept = []
for _ in range(96): kept.append(bytearray(os.urandom(1) * (1 << 26)))
"""),
    "array memory at one go": call("return np.ones((6 << 30) // 8)"),
    "memory in many children": call("""
for _ in range(24):
    if os.fork() == 0:
        kept = bytearray(b"x" * (1 << 28))
        time.sleep(60)
        os._exit(0)
time.sleep(60)
"""),
    "shared memory and a full /tmp": cell("""
import tempfile
for folder in ("/dev/shm", tempfile.gettempdir(), os.getcwd()):
    try:
        with open(os.path.join(folder, "fill"), "wb") as file:
            for _ in range(48): file.write(bytes(1 << 26))
    except OSError: pass
"""),
    "a fork bomb": call("""
for _ in range(9):
    try: os.fork()
    except OSError: pass
time.sleep(60)
"""),
    "a hundred busy processes": call("""
for _ in range(100):
    try:
        if os.fork() == 0:
            while True: pass
    except OSError: break
while True: pass
"""),
    "a hundred busy processes in sessions of their own": call("""
for _ in range(100):
    try:
        if os.fork() == 0:
            for way in (os.setsid, lambda: os.nice(-20), lambda: os.sched_setscheduler(
                    0, os.SCHED_RR, os.sched_param(50))):
                try: way()
                except OSError: pass
            while True: pass
    except OSError: break
while True: pass
"""),
    "a thread bomb": call("""
import threading
for _ in range(2000):
    try: threading.Thread(target=time.sleep, args=(60,)).start()
    except RuntimeError: break
"""),
    "50 orphans": cell("""
for _ in range(50):
    try:
        if os.fork() == 0:
            try: os.setsid()
            except OSError: pass
            if os.fork() == 0:
                for number in range(256):
                    try: os.close(number)
                    except OSError: pass
                time.sleep(120)
            os._exit(0)
    except OSError: break
"""),
    "a daemon that renames itself and ignores signals": cell("""
import ctypes
if os.fork() == 0:
    try: os.setsid()
    except OSError: os.setpgid(0, 0)
    for number in range(1, 32):
        try: signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError): pass
    ctypes.CDLL(None).prctl(15, b"innocent", 0, 0, 0)
    if os.fork(): os._exit(0)
    time.sleep(120)
"""),
    "a child that keeps the pipe open": cell("""
if os.fork() == 0: time.sleep(120)
os._exit(0)
"""),
    "all file descriptors": call("""
import socket
kept = []
while len(kept) < 5000:
    try: kept.append(os.open("/dev/null", os.O_RDONLY))
    except OSError: break
"""),
    "100 MB of output": call("for _ in range(100): print('x' * 10**6)\nreturn 0"),
    "100 MB past Python's streams": cell("""
for number in (1, 2):
    for _ in range(50):
        try: os.write(number, b"y" * 10**6)
        except OSError: break
"""),
    "raises its own limits": cell("""
import resource
for name in dir(resource):
    if name.startswith("RLIMIT_"):
        try: resource.setrlimit(getattr(resource, name), (resource.RLIM_INFINITY,) * 2)
        except (OSError, ValueError): pass
while True: pass
"""),
    "an alarm and timers": cell("""
signal.signal(signal.SIGALRM, lambda *a: os._exit(0))
signal.setitimer(signal.ITIMER_REAL, 0.001)
while True: pass
"""),
}
