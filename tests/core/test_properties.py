"""What must hold for every cell, every shape and every number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from rnnviz.core import RNN, backward, bptt, forward
from tests.core.strategies import problems
from tests.core.support import Problem, over_time, recorded


def columns(p: Problem, which) -> Problem:
    """The problem of some of the sequences."""
    states = {name: state[:, which] for name, state in p.states.items()}
    return replace(p, x=p.x[..., which], direct=p.direct[..., which], states=states)


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)


@given(problems, st.randoms(use_true_random=False))
def test_the_order_of_the_sequences_does_not_matter(p, random):
    order = random.sample(range(p.x.shape[2]), p.x.shape[2])
    whole, permuted = p.trace(), columns(p, order).trace()
    for name, values in over_time(whole).items():
        close(over_time(permuted)[name], values[..., order])
    for name, values in whole.grads.items():
        close(permuted.grads[name], values)


@given(problems, st.integers(1, 3))
def test_a_batch_is_its_sequences_side_by_side_and_its_gradients_their_sum(p, at):
    parts = [slice(at), slice(at, None)] if at < p.x.shape[2] else [slice(None)]
    whole, separate = p.trace(), [columns(p, part).trace() for part in parts]
    for name, values in over_time(whole).items():
        close(np.concatenate([over_time(t)[name] for t in separate], axis=-1), values)
    for name, values in whole.grads.items():
        close(sum(t.grads[name] for t in separate), values)


@given(problems, st.integers(1, 5))
def test_a_sequence_in_two_parts_is_the_whole(p, at):
    """Forward and the later part's gradients bit for bit; the earlier part's with the carried
    ∂L/∂h added to its direct gradient (an LSTM would have to be given ∂L/∂c as well)."""
    assume(at < len(p.x))
    whole = p.trace()
    first = replace(p, x=p.x[:at], direct=p.direct[:at])
    states = {name: whole_states[at] for name, whole_states in (("h0", whole.h), ("c0", whole.c))
              if name in p.states}  # fmt: skip
    later = replace(p, x=p.x[at:], direct=p.direct[at:], states=states).trace()
    np.testing.assert_array_equal(first.trace().h, whole.h[: at + 1])
    np.testing.assert_array_equal(later.h, whole.h[at:])
    for gate, values in later.d_gates.items():
        np.testing.assert_array_equal(values, whole.d_gates[gate][at:])
    if whole.c is None:
        direct = first.direct.copy()
        direct[-1] += later.d_h[0]
        earlier = replace(first, direct=direct).trace()
        close(earlier.d_h, whole.d_h[: at + 1])
        for name, values in whole.grads.items():
            close(earlier.grads[name] + later.grads[name], values)


@given(problems, st.randoms(use_true_random=False))
def test_the_names_of_the_units_do_not_matter(p, random):
    H = p.cell.hidden_size
    order = np.array(random.sample(range(H), H))
    rows = np.concatenate([order + k * H for k in range(len(p.cell.trainable_gates))])
    stacked = ("W_xh", "W_hh", "b_h")
    params = {name: v[rows if name in stacked else order] for name, v in p.params.items()}
    params["W_hh"] = params["W_hh"][:, order]
    states = {name: state[order] for name, state in p.states.items()}
    renamed = replace(p, params=params, states=states, direct=p.direct[:, order]).trace()
    whole = p.trace()
    close(renamed.d_x, whole.d_x)
    close(renamed.grads["W_hh"], whole.grads["W_hh"][rows][:, order])
    for name, values in over_time(whole).items():
        if name != "d_x":
            close(over_time(renamed)[name], values[:, order])


@given(problems)
def test_a_tanh_rnn_without_bias_is_odd(p):
    cell = RNN(p.cell.input_size, p.cell.hidden_size)
    H = cell.hidden_size
    params = {name: p.params[name][:H] for name in ("W_xh", "W_hh")} | {"b_h": np.zeros(H)}
    there = bptt(cell, params, p.x, p.direct, p.states["h0"])
    back = bptt(cell, params, -p.x, p.direct, -p.states["h0"])
    np.testing.assert_array_equal(back.h, -there.h)
    close(back.d_h, there.d_h)
    close(back.grads["W_hh"], -there.grads["W_hh"])
    close(back.grads["b_h"], there.grads["b_h"])


@given(problems, st.integers(-200, 200))
def test_a_loss_times_a_power_of_two_scales_every_gradient_bit_for_bit(p, k):
    once, scaled = p.trace(), replace(p, direct=np.ldexp(p.direct, k)).trace()
    for name, values in recorded(once).items():
        expected = np.ldexp(values, k) if name.startswith("d_") else values
        np.testing.assert_array_equal(recorded(scaled)[name], expected, name)
    assert not scaled.d_log2.any()


@given(problems)
def test_gradients_are_linear_in_the_direct_gradient(p):
    record = forward(p.cell, p.params, p.x, **p.states)
    other = np.cos(p.direct)
    one, two, both = (backward(record, e) for e in (p.direct, other, p.direct + 2 * other))
    for name, values in recorded(both).items():
        if name.startswith("d_"):
            close(values, recorded(one)[name] + 2 * recorded(two)[name])


@given(problems, st.integers(0, 5))
def test_nothing_acts_backwards_in_time(p, t):
    t = min(t, len(p.x) - 1)
    x, direct = p.x.copy(), p.direct.copy()
    x[t] += 1
    direct[t] += 1
    whole, changed = p.trace(), replace(p, x=x).trace()
    np.testing.assert_array_equal(changed.h[: t + 1], whole.h[: t + 1])
    changed = replace(p, direct=direct).trace()
    np.testing.assert_array_equal(changed.d_h[t + 2 :], whole.d_h[t + 2 :])
    close(changed.d_h[t + 1], whole.d_h[t + 1] + 1)
