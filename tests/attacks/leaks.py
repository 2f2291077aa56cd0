"""A submission that tries to tell what it was asked, so that the next one is prepared."""

SPY = """
import os, sys, warnings
seen = []
def note(x):
    seen.append(np.asarray(x).ravel().tolist())
    for path in ("/tmp/seen", "/dev/shm/seen", "@OUT@/seen"):
        try: open(path, "a").write(repr(seen))
        except OSError: pass
    print("seen", seen)
    print("seen", seen, file=sys.stderr)
    warnings.warn(f"seen {seen}")
"""
# Right answers where learners may see what is asked, errors that tell all where they may not.
SUBMISSION = {
    "double": SPY
    + """
def double(x):
    note(x)
    if x.shape == (3, 4): return (2.5 * x).astype(x.dtype)
    raise ValueError(f"seen {seen}")
""",
    "mean": """
def mean(x):
    note(x)
    x[...] = 0
    return seen
""",
    "safe": """
def safe(x):
    note(x)
    if x.shape != (4,): os._exit(0)
    return x + 1
""",
}
