'''Exercises: built from one source, checked in the notebook, with hints that fit the mistake.

How to write an exercise
========================

`solutions/NN_topic.ipynb` is the only source. Its first code cell is the setup cell; it ends with
`check, hint, solution = cnncourse.exercises("NN_topic")`. Each exercise then has these cells.

**Statement.** Markdown: what to write, with the shapes and dtypes of what goes in and comes out.

**Solution.** Code, with nbgrader's metadata
`{"grade": false, "grade_id": "conv2d", "locked": false, "schema_version": 3, "solution": true,
"task": false}`. The `grade_id` is the name that the learner defines. What lies outside the
delimiters is kept in the release: signature and docstring::

    def conv2d(x, w, b):
        """Convolve … (n, h, w, c) … float32."""
        ### BEGIN SOLUTION
        ...
        ### END SOLUTION

A solution cell that is also tagged `from-scratch` asks for more than the right values: where a
learner's cell imports or calls the library's own answer, grading says so (and takes no points).

**Check.** Code, with `{"grade": true, "grade_id": "check_conv2d", "locked": true, "points": 3,
"schema_version": 3, "solution": false, "task": false}`::

    check("conv2d")
    ### BEGIN HIDDEN TESTS
    probe("conv2d(x, w, b)", x=normal(2, 6, 7, 3), w=normal(3, 3, 3, 4), b=normal(4),
          points=2, tolerance=1e-4)
    probe("conv2d(x, w[0], b)", x=normal(1, 5, 5, 1), w=normal(1, 3, 3, 1, 1), b=normal(1),
          raises=ValueError, public=False)
    hints("Which shape does the output have?", "Loop over its rows and columns.")
    ### END HIDDEN TESTS

* You write no expected values: the solution provides them. The probes' points add up to the cell's.
* Public probes are what `check` evaluates for the learner; the others wait for grading, and their
  inputs and values are in no file that learners get. At least one probe is public.
* Grading evaluates every probe with random inputs once more, on numbers that nobody has seen:
  a probe must hold for any draw of its inputs, not just for the one in the key.
* Inputs are plain values or `normal(…)`, `uniform(…)`, `integers(…)`, drawn the same everywhere.
  Keep them small: a key file may have 500 kB. Names of the setup cell can be used too.
* Choose shapes that tell axes apart (height ≠ width ≠ channels), or swapping them goes unseen.
* Values are numbers, text, None, lists, tuples, dicts, NumPy arrays and tensors. Sequences count
  as equal item by item, arrays need the same shape and dtype, an int is no float (`compare.equal`
  has the rules). Where the dtype shall not matter, write `np.asarray(f(x), "float32")`.
* float32 sums need a tolerance of about 1e-5 (short) to 1e-4 (hundreds of products).

* Probes with `raises` pay only where a value is right, too: code that always raises earns nothing.
* Helper cells (locked, neither solution nor graded) are run again after the last answer when a
  submission is graded, so let them not change what they find: no `x = x / 255`.

**Mistakes.** At least one, better two or more. Code, tagged `mistake`::

    %%mistake conv2d
    # hint: You flipped the kernel: that is convolution. Keras layers do cross-correlation.
    def conv2d(x, w, b):
        ...

The hint may go on over further comment lines. Running the cell proves, without touching the
reference, that the public probes reject the mistake and that whoever makes it gets this very hint;
it raises otherwise. An answer gets a mistake's hint if every wrong value is that mistake's value
(`key.find_mistake`); if no mistake fits, `diagnose` looks at the values in general.

**Prose questions.** The question is one markdown cell; the answer another, with nbgrader's
`{"cell_type": "markdown", "grade": true, "grade_id": "q4_…", "locked": false, "points": 2,
"schema_version": 3, "solution": true, "task": false}`. Model answer *and* mark scheme lie between
`### BEGIN SOLUTION` and `### END SOLUTION`; nbgrader refuses a mark scheme outside::

    ### BEGIN SOLUTION
    The model answer.
    === BEGIN MARK SCHEME ===
    1 point for …
    === END MARK SCHEME ===
    ### END SOLUTION

Cells tagged `model-answer` go with it where a model answer can be run. They stay in the solutions
notebook: no learner gets them, and neither building nor grading runs them.

Then `cnncourse build` (it names cell and remedy if something is wrong), and only then run the
solutions notebook: its checks compare with the key just built, and raise if it is stale.

How it works
============
`cells` reads a solutions notebook, `release` makes the learner's notebook of it, `build` runs it
and writes the keys. `probes.evaluate` turns a learner's names into values, and is all that ever
touches them; `values` carries values as JSON and raw bytes; `compare`, `key`, `diagnose` and
`judge` see values only. So a grader can evaluate in one process and judge in another:
`build.run_code` and `build.reference` give it every probe with its value, hidden ones too.
`check` and `report` are what the learner meets, `progress` what is kept.
'''

import importlib

_HOMES = {
    "exercises": "check",
    "probe": "probes",
    "hints": "probes",
    "normal": "probes",
    "uniform": "probes",
    "integers": "probes",
}
_SUBMODULES = ("build", "progress")

__all__ = [*_HOMES, *_SUBMODULES]


def __getattr__(name):
    """Load a function's or submodule's home when it is first asked for."""
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
