"""Frames from somebody hostile: read strictly, or refused with ProtocolError, and nothing else."""

import io
import json
import struct

import numpy as np
import pytest
from cnncourse.grader import protocol
from cnncourse.grading.probes import Outcome
from cnncourse.grading.values import Raised, Unsupported, decode, encode
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

SMALL = {"max_text": 10_000, "max_raw": 10_000}
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec="utf-8"))
)
arrays = hnp.arrays(
    st.sampled_from(["bool", "int8", "uint16", "int64", "float16", "float32", "complex64"]),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3),
)
raised = st.builds(Raised, st.text("abE"), st.tuples(st.text("abE")), st.text("abE"))
honest = st.recursive(
    scalars | arrays | raised | st.builds(Unsupported, st.text("abE")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text("xyz") | st.integers(0, 9), inner, max_size=3)
    ),
    max_leaves=8,
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=15,
)


def frame(text, raw=b"", mark=protocol.MARK, lengths=None):
    return struct.pack("!4sII", mark, *(lengths or (len(text), len(raw)))) + text + raw


def read(data, **limits):
    return protocol.receive(io.BytesIO(data), **{**SMALL, **limits})


def sent(outcome, max_raw=10_000):
    """Send an outcome through a stream and return what arrives."""
    stream = io.BytesIO()
    protocol.send(stream, *protocol.pack(outcome, max_raw))
    return protocol.unpack(*read(stream.getvalue(), max_text=10**6))


def fields(value, **others):
    return {**vars(Outcome(value)), **others}


@settings(max_examples=150)
@given(honest, st.text("ab "), st.booleans())
def test_what_is_packed_arrives(value, printed, stub):
    outcome = Outcome(encode(value), printed, ["x"], ["y"], ["f, line 1"], stub)
    arrived = sent(outcome)
    assert arrived == outcome
    assert np.array_equal(*map(np.asarray, map(repr, map(decode, (outcome.value, arrived.value)))))


@settings(max_examples=300)
@given(st.binary(max_size=200), st.booleans())
@example(b"", True)
@example(b"[" * 9000, True)
@example(b'{"a":' * 1500, True)
@example(b'{"a": 1e999}', True)
@example(b'{"a": NaN}', True)
@example(b"9" * 5000, True)
@example(b'"\xff"', True)
def test_bytes_are_a_frame_or_are_refused(data, framed):
    data = frame(data) if framed else data
    try:
        message, raw = read(data)
    except (EOFError, protocol.ProtocolError):
        return
    assert isinstance(message, dict)
    assert raw == b""


@pytest.mark.parametrize(
    "data",
    [
        frame(b"{}", mark=b"cnn2"),
        frame(b"{}", lengths=(10_001, 0)),
        frame(b"{}", lengths=(2, 2**32 - 1)),
        frame(b"[" + b"0," * 60_000 + b"0]"),
        frame(b"[1]"),
    ],
    ids=["mark", "text too long", "bytes too many", "too many items", "no object"],
)
def test_a_frame_that_no_runner_sends_is_refused(data):
    with pytest.raises(protocol.ProtocolError):
        read(data, max_text=200_000 if len(data) > 100_000 else 10_000)


def test_lengths_are_checked_before_anything_is_read():
    stream = io.BytesIO(frame(b"{}", lengths=(2, 2**31)))
    with pytest.raises(protocol.ProtocolError, match="too large"):
        protocol.receive(stream, 100, 100)
    assert stream.tell() == 12


@pytest.mark.parametrize("cut", [1, 11, 13, 20])
def test_half_a_frame_is_the_end(cut):
    with pytest.raises(EOFError):
        read(frame(b'{"a": 1}', b"1234")[:cut])


@settings(max_examples=300)
@given(anything, st.binary(max_size=20))
def test_an_answer_is_an_outcome_or_is_refused(value, raw):
    for message in (value, fields(value), {**fields({"type": "none"}), "trace": value}):
        if not isinstance(message, dict):
            continue
        try:
            outcome = protocol.unpack(message, raw)
        except protocol.ProtocolError:
            continue
        assert outcome.value["type"] in protocol._KINDS
        decode(outcome.value)  # what was let through can be read


@pytest.mark.parametrize(
    "value",
    [
        {"type": "array", "dtype": "object", "shape": [1]},
        {"type": "array", "dtype": "O", "shape": [1]},
        {"type": "array", "dtype": "float64", "shape": [10**9, 10**9]},
        {"type": "array", "dtype": "float64", "shape": [-1]},
        {"type": "array", "dtype": "float64", "shape": [True]},
        {"type": "array", "dtype": "float64", "shape": [0] * 33},
        {"type": "array", "dtype": "float64", "shape": [0, 10**30]},
        {"type": "array", "dtype": "float64", "shape": [1, 1]},
        {"type": "int", "value": 1.0},
        {"type": "int", "value": True},
        {"type": "int", "value": 2**1001},
        {"type": "float", "value": 1},
        {"type": "float", "value": float("inf")},
        {"type": "bool", "value": 1},
        {"type": "dict", "items": [[None, {"type": "none"}]]},
        {"type": "dict", "items": [["a"]]},
        {"type": "raised", "name": "E", "bases": "E", "message": ""},
        {"type": "raised", "name": "E", "bases": ["E"] * 51, "message": ""},
        {"type": "value"},
        {"type": "__init__"},
        {"type": ["list"]},
        {},
    ],
    ids=str,
)
def test_a_value_that_encode_never_makes_is_refused(value):
    with pytest.raises(protocol.ProtocolError):
        protocol.unpack(fields(value), b"1234567")


def test_bytes_without_an_array_are_refused():
    with pytest.raises(protocol.ProtocolError, match="no array"):
        protocol.unpack(fields({"type": "none"}), b"1")


def test_depth_is_limited():
    value = {"type": "none"}
    for _ in range(40):
        value = {"type": "list", "items": [value]}
    with pytest.raises(protocol.ProtocolError, match="deep"):
        protocol.unpack(fields(value), b"")


def test_half_characters_become_whole_ones():
    text = json.loads('"\\ud800x"')
    outcome = protocol.unpack(fields({"type": "str", "value": text}, printed=text), b"")
    assert outcome.printed == decode(outcome.value) == "?x"


def test_texts_are_shortened():
    outcome = protocol.unpack(fields({"type": "none"}, printed="x" * 9000), b"")
    assert len(outcome.printed) == 2000


def test_an_array_too_large_for_the_answer_is_named_instead():
    arrived = sent(Outcome(encode(np.zeros(100))), max_raw=799)
    assert decode(arrived.value) == Unsupported("array of 800 bytes, too large")
    assert decode(sent(Outcome(encode(np.zeros(100))), max_raw=800).value).shape == (100,)
