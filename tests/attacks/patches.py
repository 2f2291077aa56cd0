"""Patches: of NumPy, of Python, and of whatever evaluates, encodes and compares."""

WRONG = """
def double(x): return np.zeros(x.shape, "float32")
def mean(x): return 0.0
"""


def patch(code):
    """Return both answers wrong, after a patch."""
    return {"double": code + WRONG, "mean": "def mean(x): return 0.0"}


ATTACKS = {
    "NumPy's comparisons say yes": patch("""
yes = lambda *a, **k: True
for name in ("isclose", "allclose", "array_equal", "array_equiv", "all", "equal", "any"):
    setattr(np, name, yes)
import numpy.testing, numpy._core.numeric
for name in ("assert_allclose", "assert_array_equal", "assert_equal"):
    setattr(numpy.testing, name, yes)
numpy._core.numeric.isclose = numpy._core.numeric.array_equal = yes
"""),
    "Python's own functions lie": patch("""
import builtins
for name in ("isinstance", "all", "any", "callable", "hasattr", "issubclass"):
    setattr(builtins, name, lambda *a: True)
builtins.abs = builtins.len = lambda *a: 0
"""),
    "compile and eval are replaced": patch("""
import builtins
builtins.compile = lambda *a, **k: None
builtins.eval = lambda *a, **k: "correct"
builtins.exec = lambda *a, **k: None
"""),
    "import is replaced": patch("""
import builtins
original = builtins.__import__
def fake(name, *a, **k):
    if "cnncourse" in name or "json" in name: raise ImportError("gone")
    return original(name, *a, **k)
builtins.__import__ = fake
__builtins__ = {}
"""),
    "everything always compares equal in cnncourse": patch("""
import cnncourse.grading.compare as c, cnncourse.grading.judge as j, cnncourse.grading.key as k
yes = lambda *a, **kw: True
for module in (c, j, k): module.equal = yes
c.close = c.arrays_equal = c.numbers_equal = c.is_number = yes
j.judge = lambda key, outcomes: j.Verdict(key.name, "correct", 4, 4)
j.ProbeResult.passed = True
"""),
    "evaluate is replaced": patch("""
import base64
import cnncourse.grading.probes as p
value = {"type": "array", "dtype": "float32", "shape": [3, 4],
         "data": base64.b64encode(bytes(48)).decode()}
p.evaluate = lambda *a, **k: p.Outcome(value)
p.Probe.public, p.Probe.points, p.Probe.tolerance = True, 100, 1e9
"""),
    "encode gives whatever passes": patch("""
import cnncourse.grading.values as v, cnncourse.grading.probes as p
v.encode = p.encode = lambda *a: {"type": "correct", "status": "correct", "points": 4}
"""),
    "every loaded module's evaluate is replaced": patch("""
import sys
def always(*a, **k): return {"status": "correct", "passed": True, "points": 4, "value": None}
for module in list(sys.modules.values()):
    if "cnncourse" in getattr(module, "__name__", ""):
        for name in dir(module):
            if callable(getattr(module, name)) and not isinstance(getattr(module, name), type):
                setattr(module, name, always)
"""),
    "json is replaced": patch("""
import json
json.dumps = lambda *a, **k: '{"status": "correct", "points": 4}'
json.JSONEncoder.encode = lambda *a: '{"status": "correct"}'
json.JSONEncoder.iterencode = lambda *a, **k: iter(['{"status": "correct"}'])
"""),
    "base64 and struct are replaced": patch("""
import base64, binascii, struct
base64.b64encode = lambda *a: b"!!!!"
struct.pack = lambda *a: bytes([255] * 16)
"""),
    "random inputs are no longer random": patch("""
class Constant:
    def __init__(self, seed=None): pass
    def __getattr__(self, name): return lambda *a: np.zeros(a[-1] if a else ())
np.random.RandomState = np.random.default_rng = Constant
import cnncourse.grading.probes as p
p.Random.draw = lambda self, seed: np.zeros(self.shape, self.dtype)
p.Probe.draw = lambda self: {name: np.zeros((3, 4), "float32") for name in self.inputs}
"""),
    "tolerance and points are rewritten in memory": patch("""
import gc
for thing in gc.get_objects():
    try:
        if type(thing).__name__ in ("Probe", "ExerciseKey", "Assignment", "Question", "Limits"):
            for name in ("tolerance", "points", "max_points"):
                if hasattr(thing, name): object.__setattr__(thing, name, 1e9)
    except BaseException: pass
"""),
    "check, probe and friends are redefined": patch("""
def check(*a, **k): return "correct"
probe = hints = hint = solution = evaluate = judge = equal = check
status, points, max_points, passed, total = "correct", 10, 10, True, 10
__name__ = "cnncourse.grading.judge"
"""),
    "assert and warnings are switched off": patch("""
import sys, warnings, unittest
AssertionError = Exception
unittest.TestCase.assertEqual = lambda *a: None
sys.flags = None
warnings.warn = None
"""),
    "display and exception hooks": patch("""
import sys
def hook(*a): sys.__stdout__.write('{"status": "correct", "points": 10}\\n')
sys.displayhook = sys.excepthook = sys.unraisablehook = hook
sys.stdout = sys.stderr = None
"""),
    "trace functions that change the evaluator's frames": patch("""
import sys, threading
def trace(frame, event, arg):
    for name in ("value", "expected", "passed", "status", "outcome", "points"):
        if name in frame.f_locals: frame.f_locals[name] = "correct"
    return trace
sys.settrace(trace); sys.setprofile(trace); threading.settrace(trace)
"""),
    "audit hooks": patch("""
import sys
def refuse(event, arguments):
    if event in ("os._exit", "open", "socket.send"): raise RuntimeError("no")
sys.addaudithook(refuse)
"""),
    "IPython's input transformers and display formatters": patch("""
import IPython
from IPython.core.interactiveshell import InteractiveShell
shell = IPython.get_ipython() or InteractiveShell.instance()
shell.input_transformers_cleanup.append(lambda lines: ["points = 10\\n"])
shell.ast_transformers.append(lambda tree: tree)
shell.display_formatter.format = lambda *a, **k: ({"text/plain": "10"}, {})
"""),
    "its own numpy.py": patch("""
import os, sys, tempfile
folder = tempfile.mkdtemp()
for name in ("numpy", "json", "struct", "cnncourse", "base64"):
    for place in (folder, os.getcwd()):
        try:
            with open(os.path.join(place, name + ".py"), "w") as file:
                file.write("allclose = isclose = equal = lambda *a, **k: True\\n")
        except OSError: pass
    sys.modules.pop(name, None)
sys.path.insert(0, folder)
import types
np = types.SimpleNamespace(zeros=lambda *a: 0.0)
"""),
    "sys.modules is emptied": patch("import sys\nsys.modules.clear()\n"),
    "garbage collection callbacks and finalizers": patch("""
import atexit, gc, os, weakref
def late(*a):
    try: os.write(1, b'{"status": "correct"}\\n')
    except OSError: pass
gc.callbacks.append(late)
atexit.register(late)
class Last:
    __del__ = late
keep = Last()
"""),
    "codecs and encodings are poisoned": patch("""
import codecs
codecs.register(lambda name: codecs.lookup("rot13"))
codecs.register_error("strict", lambda error: ("", error.end))
str_encode = codecs.encode
codecs.encode = lambda *a, **k: b'{"status": "correct"}'
"""),
    "C patches of the interpreter": patch("""
import ctypes
one = id(1)
try:
    ctypes.pythonapi.PyErr_Clear()
    offset = tuple.__basicsize__
    ctypes.memmove(id(False) + 16, id(True) + 16, 16)  # False becomes true
except BaseException: pass
"""),
}
