"""Probes draw the same everywhere, and evaluating them survives whatever code does."""

import json

import numpy as np
import pytest
from cnncourse.grading import probes
from cnncourse.grading.build import execute
from cnncourse.grading.probes import Probe, evaluate, integers, normal, uniform
from cnncourse.grading.values import decode
from hypothesis import given, settings
from hypothesis import strategies as st

NUMBERS = st.integers(0, 3)
INPUTS = st.recursive(
    st.integers() | st.text() | st.none() | st.floats(allow_nan=False)
    | st.builds(normal, NUMBERS, NUMBERS) | st.builds(uniform, NUMBERS)
    | st.builds(lambda n: integers(n, low=-3, high=4), NUMBERS),
    lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple),
    max_leaves=5,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from("abc"), INPUTS), st.integers(0, 9))
def test_a_probe_draws_the_same_after_a_round_trip(inputs, seed):
    probe = Probe("a", inputs, seed=seed)
    again = Probe.from_json(json.loads(json.dumps(probe.to_json())))
    assert again == probe
    assert repr(again.draw()) == repr(probe.draw())


def test_random_inputs_are_frozen():
    """These numbers stand in keys: they may never change."""
    drawn = Probe("x", {"x": normal(2), "y": [integers(4, low=0, high=9)]}, seed=1).draw()
    assert drawn["x"].dtype == "float32" and drawn["y"][0].dtype == "int64"
    np.testing.assert_allclose(drawn["x"], [-0.01020674, -2.404826], rtol=1e-6)
    assert drawn["y"][0].tolist() == [3, 4, 0, 1]
    low, high = Probe("x", {"x": uniform(999, low=2, high=3)}).draw()["x"].min(), 3
    assert 2 <= low < 2.1 < high


def outcome(source, expression="f(x)", **inputs):
    namespace = {}
    execute(source, namespace, "<cell>")  # as a notebook does, so that lines can be shown
    return evaluate(Probe(expression, inputs), namespace)


def test_evaluate_reports_in_place_changes_and_prints():
    result = outcome("def f(x):\n    print('hello')\n    x[0] = 9\n    return x", x=[1, 2])
    assert (result.modified, result.printed) == (["x"], "hello\n")
    assert decode(result.value) == [9, 2]
    result = outcome("def f(x):\n    x += 1\n    return x.sum()", x=normal(3))
    assert result.modified == ["x"]
    assert outcome("def f(x):\n    return x", x=[normal(2)]).modified == []


def test_evaluate_survives_what_code_does():
    class_with_bad_str = "class E(Exception):\n    def __str__(self):\n        raise E\n"
    for body in (
        "exit()",
        "raise SystemExit",
        "raise BaseException('x')",
        "return f(x)",
        "raise E",
    ):
        result = outcome(f"{class_with_bad_str}def f(x):\n    {body}", x=1)
        assert result.value["type"] == "raised" and not result.not_attempted, body
        assert 1 <= len(result.trace) <= 8
    with pytest.raises(KeyboardInterrupt):
        outcome("def f(x):\n    raise KeyboardInterrupt", x=1)


def test_evaluate_knows_what_was_not_attempted():
    assert outcome("", x=1).missing == ["f"]
    assert outcome("def f(x):\n    raise NotImplementedError()", x=1).not_attempted
    assert not outcome("def f(x):\n    return g(x)", x=1).not_attempted  # a bug of their own
    by_a_library = "import numbers\ndef f(x):\n    return numbers.Complex.__abs__(x)"
    assert outcome(by_a_library, x=1).value["name"] == "NotImplementedError"
    assert not outcome(by_a_library, x=1).not_attempted
    assert outcome("def f(x): return [g(y) for y in range(x)]\ng = abs", x=2).value["items"]


def test_namespace_is_left_alone():
    namespace = {"f": len, "x": "mine"}
    evaluate(Probe("f(x)", {"x": [1]}), namespace)
    assert namespace == {"f": len, "x": "mine"}


def test_module_level_block_is_fresh_each_time():
    first = probes.start_block()
    probes.probe("1 + 1")
    second = probes.start_block()
    assert (len(first.probes), len(second.probes)) == (1, 0)
    second.problem = "not passed"
    with pytest.raises(ValueError, match="not passed"):
        probes.probe("1 + 1")
    probes.start_block()
