"""Answers that lie: objects, numbers and errors that want to be equal to what is expected."""

FAKES = '''
class Equal:
    """Equal to everything, and close to it."""
    shape, dtype, ndim, size = (3, 4), "float32", 2, 12
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    def __hash__(self): return 0
    def __bool__(self): return True
    def __float__(self): return 0.0
    def __abs__(self): return 0.0
    def __sub__(self, other): return 0.0
    __rsub__ = __sub__
    def __getattr__(self, name): return self
    def __call__(self, *args, **kwargs): return self
'''

ATTACKS = {
    "an object equal to everything": {
        "double": FAKES + "def double(x): return Equal()",
        "mean": "def mean(x): return Equal()",
    },
    "a float equal to everything": {
        "mean": """
class Number(float):
    __eq__ = lambda self, other: True
    __sub__ = __rsub__ = lambda self, other: 0.0
    __hash__ = float.__hash__
def mean(x): return Number(123.0)
"""
    },
    "a string and an int equal to everything": {
        "double": """
class Text(str):
    __eq__ = lambda self, other: True
    __hash__ = str.__hash__
def double(x): return Text("array")
""",
        "mean": """
class Whole(int):
    __eq__ = lambda self, other: True
    __hash__ = int.__hash__
def mean(x): return Whole(1)
""",
    },
    "an array whose bytes lie": {
        "double": """
class Lying(np.ndarray):
    def __eq__(self, other): return np.ones(self.shape, bool)
    def tobytes(self, *a): return b"0" * (self.size * 4)
    def astype(self, *a, **k): return self
    def __array_ufunc__(self, *a, **k): return np.zeros(self.shape)
    def __array_function__(self, *a, **k): return True
def double(x): return np.zeros(x.shape, "float32").view(Lying)
"""
    },
    "another array at each reading": {
        "double": """
class Changing:
    shape, dtype, n = (3, 4), np.dtype("float32"), 0
    def __array__(self, *a, **k):
        Changing.n += 1
        return np.full((3, 4), float(Changing.n), "float32")
def double(x): return Changing()
"""
    },
    "an array that a thread changes after the return": {
        "double": """
import threading
def double(x):
    y = np.zeros(x.shape, "float32")
    def change():
        while True: y[...] = np.random.rand(*y.shape)
    threading.Thread(target=change, daemon=True).start()
    return y
"""
    },
    "__array__ that raises, exits, and loops": {
        "double": """
class Bad:
    shape, dtype = (3, 4), "float32"
    def __array__(self, *a, **k): raise SystemExit(0)
def double(x): return Bad()
""",
        "mean": """
class Worse:
    shape, dtype = (), "float64"
    def __array__(self, *a, **k): raise KeyboardInterrupt
def mean(x): return Worse()
""",
    },
    "nothing but NaN": {
        "double": "def double(x): return np.full_like(x, np.nan)",
        "mean": "def mean(x): return float('nan')",
    },
    "infinities and complex NaN": {
        "double": "def double(x): return np.full(x.shape, complex(np.nan, np.inf), 'complex64')",
        "mean": "def mean(x): return np.float64('inf')",
    },
    "a masked array": {
        "double": "def double(x): return np.ma.masked_all(x.shape, 'float32')",
        "mean": "def mean(x): return np.ma.masked",
    },
    "arrays of objects": {
        "double": FAKES + "def double(x): return np.full(x.shape, Equal(), object)",
        "mean": "def mean(x): return np.array(['<b>', None], object)",
    },
    "empty arrays that broadcast": {
        "double": "def double(x): return np.empty((0,), 'float32')",
        "mean": "def mean(x): return np.empty((1, 0, 5))",
    },
    "a stride-0 array of 80 GB": {
        "double": "def double(x): return np.broadcast_to(np.float32(2), (10**5, 10**5, 2))"
    },
    "containers that lie about themselves": {
        "double": """
class Endless(list):
    def __iter__(self):
        while True: yield 1.0
    def __len__(self): return 3
def double(x): return Endless([1, 2, 3])
""",
        "mean": """
class Shifty(dict):
    def items(self): return iter(lambda: ("a", 1), 0)
def mean(x): return Shifty(a=1)
""",
    },
    "lists inside themselves": {
        "double": "def double(x):\n    a = []\n    a.append(a)\n    return [a] * 10",
        "mean": """
def mean(x):
    a = [0]
    for _ in range(64): a = [a, a]
    return a
""",
    },
    "numbers too long for text": {
        "double": "def double(x): return 10**100_000",
        "mean": "def mean(x): return {10**400: -10**5000}",
    },
    "lone surrogates and zeros": {
        "double": "def double(x): return '\\ud800\\x00\\x1b[31m\\udfff'",
        "mean": """
def mean(x):
    print('\\ud800')
    raise type('\\ud800Error', (Exception,), {})('\\ud800\\x00')
""",
    },
    "types with hostile names": {
        "double": """
def double(x): return type('<script>alert(1)</script>' * 1000, (), {})()
""",
        "mean": """
class Meta(type):
    __name__ = property(lambda cls: 1 / 0)
    def mro(cls): return [*type.mro(cls)]
class Error(Exception, metaclass=Meta): pass
def mean(x): raise Error
""",
    },
    "errors that cannot be shown": {
        "double": """
class Error(ValueError):
    def __str__(self): raise SystemExit
    __repr__ = __str__
    def __getattribute__(self, name): raise KeyboardInterrupt
def double(x): raise Error
""",
        "mean": "def mean(x): raise ValueError('x' * 50_000_000)",
    },
    "errors that are no Exception": {
        "double": "def double(x): raise KeyboardInterrupt",
        "mean": "def mean(x): raise GeneratorExit",
    },
    "raises what another probe expects": {
        "double": "def double(x): raise ValueError('correct')",
        "mean": "def mean(x): return ValueError('correct')",
    },
    "objects that nobody can send": {
        "double": "def double(x): return (i for i in range(3))",
        "mean": "import sys\ndef mean(x): return sys",
    },
    "a pickle bomb": {
        "double": """
class Bomb:
    def __reduce__(self): return (exec, ("import os; os.system('touch @OUT@/pickled')",))
def double(x): return Bomb()
""",
        "mean": """
import pickle
class Bomb:
    def __reduce__(self): return (exec, ("import os; os.system('touch @OUT@/pickled')",))
def mean(x): return pickle.dumps(Bomb())
""",
    },
    "the evaluator's own classes": {
        "double": """
from cnncourse.grading.values import Unsupported
def double(x): return Unsupported("float32 array of shape (3, 4)")
""",
        "mean": """
from cnncourse.grading.values import Raised
def mean(x): return Raised("correct", ("correct", "wrong", "BaseException"))
""",
    },
    "a forged encoding as a value": {
        "double": "def double(x): return {'type': 'array', 'dtype': 'float32', 'shape': [3, 4]}",
        "mean": "def mean(x): return {'status': 'correct', 'points': 2, 'passed': True}",
    },
}
