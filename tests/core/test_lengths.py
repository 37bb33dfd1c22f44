"""Right-padded batches: each sequence is as it would be alone, the padding exactly zero."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.core import CELLS, RNN, bptt, forward
from tests.core.support import KINDS, Problem, direction_error, emptied, over_time, problem
from tests.core.test_skips import with_skip

LENGTHS = np.array([5, 9, 1, 8])
T, B = 9, 4


def padded(kind: str) -> Problem:
    p = problem(kind, T=T, B=B, D=2, H=3)
    return replace(p, lengths=LENGTHS)


def skipping(kind: str) -> Problem:
    return replace(with_skip(kind, 3, T=T, B=B), lengths=LENGTHS)


PROBLEMS = {**dict.fromkeys(KINDS, padded), "lstm skip": lambda _: skipping("lstm")}


@pytest.fixture(params=PROBLEMS)
def p(request):
    return PROBLEMS[request.param](request.param)


def alone(p: Problem, b: int) -> Problem:
    one, n = slice(b, b + 1), LENGTHS[b]
    states = {name: value[..., one] for name, value in p.states.items()}
    return replace(p, x=p.x[:n, :, one], direct=p.direct[:n, :, one], states=states, lengths=None)


def test_a_padded_batch_equals_each_sequence_alone(p):
    together = over_time(p.trace())
    for b, n in enumerate(LENGTHS):
        for name, expected in over_time(alone(p, b).trace()).items():
            found = together[name][: len(expected), :, b : b + 1]
            scale = np.abs(expected).max()
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13 * scale)
            assert (together[name][len(expected) :, :, b] == 0).all(), (name, n)


def test_parameter_gradients_are_the_sums_of_the_sequences_alone(p):
    parts = [alone(p, b).trace().grads for b in range(B)]
    for name, found in p.trace().grads.items():
        np.testing.assert_allclose(found, sum(part[name] for part in parts), rtol=0, atol=1e-11)


def test_every_gradient_by_complex_step(p):
    assert direction_error(p, np.random.default_rng(0)) <= 1e-12


def test_direct_gradients_of_the_padding_do_not_matter(p):
    x, direct = p.x.copy(), p.direct.copy()
    for b, n in enumerate(LENGTHS):
        x[n:, :, b], direct[n:, :, b] = -0.0, np.nan
    found = over_time(replace(p, x=x, direct=direct).trace())
    for name, expected in over_time(p.trace()).items():
        np.testing.assert_array_equal(found[name], expected)
    assert (replace(p, x=x).trace().x[5:, :, 0] == 0).all()


def test_lengths_are_recorded_where_something_is_padded():
    p = padded("gru")
    assert p.trace().lengths.tolist() == LENGTHS.tolist()
    whole = replace(p, lengths=np.full(B, T)).trace()
    assert whole.lengths is None
    np.testing.assert_array_equal(whole.d_h, replace(p, lengths=None).trace().d_h)


def test_padding_is_not_taken_for_underflow():
    trace = padded("lstm").trace()
    assert not trace.d_log2.any()


@pytest.mark.parametrize("w", [0.1, 10.0])
def test_exponents_of_padded_sequences(w):
    """∂L/∂h_t = w^(n−t) for the sequence of n steps, ±600 decades."""
    T, lengths = 600, np.array([600, 450, 3])
    params = {"W_xh": np.zeros((1, 1)), "W_hh": np.array([[w]]), "b_h": np.zeros(1)}
    e = np.zeros((T, 1, 3))
    e[lengths - 1, 0, range(3)] = 1
    trace = bptt(RNN(1, 1, "identity"), params, np.zeros((T, 1, 3)), e, lengths=lengths)
    for b, n in enumerate(lengths):
        log10 = np.log10(trace.d_h[: n + 1, 0, b]) + trace.d_log2[: n + 1, 0, b] * np.log10(2.0)
        np.testing.assert_allclose(log10, np.arange(n, -1, -1) * np.log10(w), rtol=0, atol=1e-9)
        assert (trace.d_h[n + 1 :, :, b] == 0).all()


def test_a_state_that_explodes_in_its_padding_leaves_zeros():
    params = {"W_xh": np.zeros((1, 1)), "W_hh": np.full((1, 1), 1e200), "b_h": np.ones(1)}
    record = forward(RNN(1, 1, "identity"), params, np.zeros((4, 1, 2)), lengths=[1, 4])
    assert record.h[:, 0, 0].tolist() == [0, 1, 0, 0, 0]
    assert np.isinf(record.h[-1, 0, 1])


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([1, 2], "lengths must be 4 integers"),
        ([1.0, 2.0, 3.0, 4.0], "lengths must be 4 integers"),
        ([0, 1, 2, 3], "lengths must be from 1 to 9, got 0 to 3"),
        ([1, 2, 3, 10], "got 1 to 10"),
        ("abc", "lengths must be 4 integers"),
    ],
)
def test_bad_lengths_are_refused(lengths, message):
    with pytest.raises(ValueError, match=message):
        replace(padded("rnn tanh"), lengths=lengths).trace()


@pytest.mark.parametrize("kind", CELLS)
def test_float32(kind):
    rng = np.random.default_rng(0)
    params = CELLS[kind](2, 3).init_params(rng, dtype=np.float32)
    x = rng.standard_normal((T, 2, B)).astype(np.float32)
    x, direct = emptied(x, LENGTHS), rng.standard_normal((T, 3, B))
    trace = bptt(CELLS[kind](2, 3), params, x, direct, lengths=LENGTHS)
    assert trace.d_h.dtype == np.float32
    assert (trace.d_h[6:, :, 0] == 0).all()
