"""Every gradient against the complex step, over cells, activations and shapes."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from rnnviz.core import bptt, forward
from tests.core.support import KINDS, TINY, direction_error, entry_error, problem, unit_steps

TOLERANCE = 1e-12

# (T, B, D, H): all orders of four different sizes, and 1 in every place and combination.
DISTINCT = list(itertools.permutations((2, 3, 4, 7)))
ONES = [
    tuple(1 if one else size for one, size in zip(ones, (6, 3, 2, 5), strict=True))
    for ones in itertools.product((False, True), repeat=4)
]
LONG = [(60, 2, 3, 5), (33, 1, 2, 17)]
SHAPES = DISTINCT + ONES + LONG
SMALL = [(1, 1, 1, 1), (2, 3, 1, 2), (3, 1, 2, 2), (4, 2, 3, 1)]


def test_at_least_200_combinations():
    assert len(set(SHAPES)) * len(KINDS) >= 200


def wrong(errors):
    """The shapes whose error is too large, or none at all, with it."""
    assert errors
    return {shape: error for shape, error in errors.items() if not error <= TOLERANCE}


@pytest.mark.parametrize("kind", KINDS)
def test_along_random_directions(kind):
    assert not wrong({
        shape: direction_error(problem(kind, *shape), np.random.default_rng(1)) for shape in SHAPES
    })  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_entry(kind):
    assert not wrong({shape: entry_error(problem(kind, *shape)) for shape in SMALL})


@pytest.mark.parametrize("kind", KINDS)
def test_state_gradients_at_every_step(kind):
    """d_h[t] and d_c[t] of the middle of a run are those of a run that starts there."""
    p = problem(kind, T=5, B=2, D=3, H=4)
    trace = p.trace()
    for t in range(1, 5):
        states = {"h0": trace.h[t]} | ({} if trace.c is None else {"c0": trace.c[t]})
        for index, step in unit_steps(trace.h[t].shape):
            for name, state in states.items():
                moved = {**states, name: state + 1j * TINY * step}
                record = forward(p.cell, p.params, p.x[t:], **moved)
                expected = (p.direct[t:] * record.h[1:]).sum().imag / TINY
                found = _independent(trace, p.direct, t)[name][index]
                assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)


def _independent(trace, direct, t):
    """∂L/∂(h_t, c_t) with h and c as independent coordinates, without what h_t's own output
    contributes: what a run that starts at t sees."""
    if trace.c is None:
        return {"h0": trace.d_h[t] - direct[t - 1]}
    o, tanh_c = trace.gates["o"][t - 1], np.tanh(trace.c[t])
    through_h = trace.d_h[t] * o * (1 - tanh_c**2)
    return {"h0": trace.d_h[t] - direct[t - 1], "c0": trace.d_c[t] - through_h}


@pytest.mark.parametrize("kind", KINDS)
def test_gate_gradients_at_every_step(kind):
    """An input that reaches one gate of one unit alone has the gradient of its pre-activation;
    d_x itself is checked by the complex step."""
    T, B, H = 4, 2, 3
    p = problem(kind, T, B, D=2, H=H)
    trace = p.trace()
    G = len(p.cell.GATES)
    wide = replace(p.cell, input_size=2 + G * H)
    W_xh = np.concatenate([p.params["W_xh"], np.eye(G * H)], axis=1)
    x = np.concatenate([p.x, np.zeros((T, G * H, B))], axis=1)
    d_x = bptt(wide, {**p.params, "W_xh": W_xh}, x, p.direct, **p.states).d_x
    for k, gate in enumerate(p.cell.GATES):
        expected = d_x[:, 2 + k * H : 2 + (k + 1) * H]
        np.testing.assert_allclose(trace.d_gates[gate], expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("kind", KINDS)
def test_default_states_are_zero(kind):
    p = problem(kind, T=3, B=2, D=2, H=3)
    zeros = {name: np.zeros_like(state) for name, state in p.states.items()}
    given = bptt(p.cell, p.params, p.x, p.direct, **zeros)
    default = bptt(p.cell, p.params, p.x, p.direct)
    np.testing.assert_array_equal(given.h, default.h)
    np.testing.assert_array_equal(given.d_h, default.d_h)
