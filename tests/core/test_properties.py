"""What must hold for every cell, every shape and every number."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.core import RNN, backward, bptt, forward
from tests.core.support import KINDS, Problem, problem

problems = st.builds(
    problem,
    kind=st.sampled_from(list(KINDS)),
    T=st.integers(1, 6),
    B=st.integers(1, 4),
    D=st.integers(1, 3),
    H=st.integers(1, 5),
    seed=st.integers(0, 2**32 - 1),
)


def recorded(trace):
    """Every array of a trace but those that were given."""
    named = {"h": trace.h, "c": trace.c, "d_h": trace.d_h, "d_c": trace.d_c, "d_x": trace.d_x}
    named |= {f"gate {gate}": values for gate, values in trace.gates.items()}
    named |= {f"d_gate {gate}": values for gate, values in trace.d_gates.items()}
    named |= {f"d_{name}": values for name, values in trace.grads.items()}
    return {name: values for name, values in named.items() if values is not None}


def over_time(trace):
    """The recorded arrays that have a batch axis."""
    return {name: v for name, v in recorded(trace).items() if name[2:] not in trace.grads}


def columns(p: Problem, which) -> Problem:
    """The problem of some of the sequences."""
    states = {name: state[:, which] for name, state in p.states.items()}
    return replace(p, x=p.x[..., which], direct=p.direct[..., which], states=states)


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)


def same(found, expected):
    for name, values in recorded(expected).items():
        np.testing.assert_array_equal(recorded(found)[name], values, name)


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
    if at >= len(p.x):
        return
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
    rows = np.concatenate([order + k * H for k in range(len(p.cell.GATES))])
    params = {name: value[order if name == "b_hn" else rows] for name, value in p.params.items()}
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
    assert p.cell != RNN(*_sizes(p)) or (changed.h[t + 1] != whole.h[t + 1]).any()
    changed = replace(p, direct=direct).trace()
    np.testing.assert_array_equal(changed.d_h[t + 2 :], whole.d_h[t + 2 :])
    close(changed.d_h[t + 1], whole.d_h[t + 1] + 1)


def _sizes(p):
    return p.cell.input_size, p.cell.hidden_size


@given(problems)
def test_shapes_keep_every_axis(p):
    (T, D, B), H = p.x.shape, p.cell.hidden_size
    trace = p.trace()
    assert trace.h.shape == trace.d_h.shape == (T + 1, H, B)
    assert (trace.c is None) == (trace.d_c is None)
    if trace.c is not None:
        assert trace.c.shape == trace.d_c.shape == (T + 1, H, B)
    assert trace.d_x.shape == trace.x.shape == (T, D, B)
    assert trace.d_log2.shape == (T + 1, B)
    assert trace.d_log2.dtype.kind == "i"
    assert tuple(trace.gates) == tuple(trace.d_gates) == p.cell.GATES
    for values in (*trace.gates.values(), *trace.d_gates.values()):
        assert values.shape == (T, H, B)
    shapes = {name: value.shape for name, value in trace.grads.items()}
    assert shapes == p.cell.param_shapes()


@given(problems)
def test_what_was_given_is_neither_changed_nor_locked(p):
    arrays = {**p.inputs(), "direct": p.direct}
    before = {name: value.tobytes() for name, value in arrays.items()}
    trace = p.trace()
    for name, value in arrays.items():
        assert value.tobytes() == before[name]
        assert value.flags.writeable
        for result in recorded(trace).values():
            assert not np.shares_memory(value, result)


@given(problems)
def test_a_trace_cannot_be_changed(p):
    trace = p.trace()
    for values in (*recorded(trace).values(), trace.x, trace.d_h_direct, trace.d_log2):
        assert not values.flags.writeable
    for value in trace.params.values():
        assert not value.flags.writeable


@given(problems)
def test_a_record_can_be_used_twice(p):
    record = forward(p.cell, p.params, p.x, **p.states)
    first = backward(record, p.direct)
    backward(record, -3 * p.direct)
    same(backward(record, p.direct), first)


@given(problems)
def test_the_layout_of_the_inputs_in_memory_does_not_matter(p):
    def fortran(a):
        return np.asfortranarray(a)

    def strided(a):
        wide = np.full((*a.shape[:-1], 2 * a.shape[-1]), np.nan)
        wide[..., ::2] = a
        return wide[..., ::2]

    def backwards(a):
        return np.ascontiguousarray(a[::-1])[::-1]

    for layout in (fortran, strided, backwards):
        params = {name: layout(value) for name, value in p.params.items()}
        states = {name: layout(value) for name, value in p.states.items()}
        changed = Problem(p.cell, params, states, layout(p.x), layout(p.direct))
        same(changed.trace(), p.trace())


@given(problems)
def test_read_only_inputs_will_do(p):
    expected = p.trace()
    for value in (*p.inputs().values(), p.direct):
        value.flags.writeable = False
    same(p.trace(), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_same_bits_in_eight_threads(kind):
    p = problem(kind, T=40, B=5, D=3, H=16)
    with ThreadPoolExecutor(8) as pool:
        traces = list(pool.map(lambda _: p.trace(), range(32)))
    for trace in traces:
        same(trace, p.trace())


@pytest.mark.parametrize("kind", KINDS)
def test_float32_in_float32_out(kind):
    p = problem(kind, T=10, B=3, D=2, H=4)
    narrow = Problem(
        p.cell,
        {name: value.astype(np.float32) for name, value in p.params.items()},
        {name: value.astype(np.float32) for name, value in p.states.items()},
        p.x.astype(np.float32),
        p.direct.astype(np.float32),
    ).trace()
    for name, values in recorded(p.trace()).items():
        found = recorded(narrow)[name]
        assert found.dtype == np.float32
        assert np.abs(found - values).max() <= 1e-4 * max(1, np.abs(values).max())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_tokens_stand_for_one_hot_columns(kind, dtype):
    p = problem(kind, T=6, B=3, D=4, H=3)
    params = {name: value.astype(dtype) for name, value in p.params.items()}
    tokens = np.random.default_rng(0).integers(0, 4, (6, 3))
    one_hot = np.eye(4, dtype=dtype)[tokens].transpose(0, 2, 1)
    direct = p.direct.astype(dtype)
    by_token, by_column = (bptt(p.cell, params, x, direct) for x in (tokens, one_hot))
    same(by_token, by_column)
    assert by_token.h.dtype == dtype
    np.testing.assert_array_equal(by_token.x, one_hot)
