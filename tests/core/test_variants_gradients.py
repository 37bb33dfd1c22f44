"""Every variant of every cell: forward against the textbook's step, backward against the complex
step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.core import bptt, forward
from tests.core import textbook
from tests.core.jacobian import lstm_K
from tests.core.support import TINY, direction_error, entry_error, recorded, unit_steps
from tests.core.test_complex_step import LONG, ONES, SMALL, TOLERANCE, wrong
from tests.core.variants import SKIPPING, VARIANTS, variant_problem

# (T, B, D, H): 1 in every place and combination, sizes that all differ, and long ones.
SHAPES = [*ONES, (2, 3, 4, 7), (7, 2, 3, 4), (4, 7, 2, 3), (3, 4, 7, 2), *LONG]


@pytest.mark.parametrize("name", VARIANTS)
def test_forward_is_the_textbook_s_step(name):
    p = variant_problem(name, T=9, B=3, D=2, H=4)
    record = p.trace()
    h, c = p.states["h0"], p.states.get("c0")
    for t, x in enumerate(p.x):
        h, c, gates = textbook.step(p.cell, p.params, x, h, c)
        np.testing.assert_allclose(record.h[t + 1], h, rtol=1e-13, atol=1e-14)
        if c is not None:
            np.testing.assert_allclose(record.c[t + 1], c, rtol=1e-13, atol=1e-14)
        for gate, values in gates.items():
            np.testing.assert_allclose(record.gates[gate][t], values, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", [*VARIANTS, *SKIPPING])
def test_along_random_directions(name):
    assert not wrong({
        shape: direction_error(variant_problem(name, *shape), np.random.default_rng(1))
        for shape in SHAPES
    })  # fmt: skip


@pytest.mark.parametrize("name", [*VARIANTS, *SKIPPING])
def test_every_entry(name):
    assert not wrong({shape: entry_error(variant_problem(name, *shape)) for shape in SMALL})


@pytest.mark.parametrize("name", VARIANTS)
def test_state_gradients_at_every_step(name):
    """d_h[t] and d_c[t] of the middle of a run are those of a run that starts there."""
    p = variant_problem(name, T=5, B=2, D=3, H=4)
    trace = p.trace()
    for t in range(1, 5):
        states = {"h0": trace.h[t]} | ({} if trace.c is None else {"c0": trace.c[t]})
        found = independent(trace, p.direct, t)
        for index, step in unit_steps(trace.h[t].shape):
            for state in states:
                moved = {**states, state: states[state] + 1j * TINY * step}
                record = forward(p.cell, p.params, p.x[t:], **moved)
                expected = (p.direct[t:] * record.h[1:]).sum().imag / TINY
                assert found[state][index] == pytest.approx(expected, rel=1e-12, abs=1e-12)


def independent(trace, direct, t):
    """∂L/∂(h_t, c_t), h and c as independent coordinates, without h_t's own output."""
    d_h = trace.d_h[t] - direct[t - 1]
    if trace.c is None:
        return {"h0": d_h}
    K = np.stack([lstm_K(trace, t, b) for b in range(trace.batch_size)], axis=1)
    return {"h0": d_h, "c0": trace.d_c[t] - K * trace.d_h[t]}


@pytest.mark.parametrize("name", VARIANTS)
def test_gate_gradients_at_every_step(name):
    """An input that reaches one gate of one unit alone has the gradient of its pre-activation."""
    T, B, H = 4, 2, 3
    p = variant_problem(name, T, B, D=2, H=H)
    trace, G = p.trace(), len(p.cell.trainable_gates)
    wide = replace(p.cell, input_size=2 + G * H)
    W_xh = np.concatenate([p.params["W_xh"], np.eye(G * H)], axis=1)
    x = np.concatenate([p.x, np.zeros((T, G * H, B))], axis=1)
    d_x = bptt(wide, {**p.params, "W_xh": W_xh}, x, p.direct, **p.states).d_x
    assert tuple(trace.d_gates) == p.cell.trainable_gates
    for k, gate in enumerate(p.cell.trainable_gates):
        expected = d_x[:, 2 + k * H : 2 + (k + 1) * H]
        np.testing.assert_allclose(trace.d_gates[gate], expected, rtol=1e-12, atol=1e-15)
    for gate in set(p.cell.GATES) - set(p.cell.trainable_gates):
        k = p.cell.D_GATE_ROWS.index(gate)
        assert not trace.d_gate_values[:, k * H : (k + 1) * H].any()


@pytest.mark.parametrize("name", [*VARIANTS, *SKIPPING])
def test_shapes_and_names(name):
    T, B, H = 6, 3, 4
    p = variant_problem(name, T, B, D=2, H=H)
    trace = p.trace()
    assert trace.h.shape == trace.d_h.shape == (T + 1, H, B)
    assert tuple(trace.gates) == p.cell.GATES
    for values in (*trace.gates.values(), *trace.d_gates.values()):
        assert values.shape == (T, H, B)
    assert {key: value.shape for key, value in trace.grads.items()} == p.cell.param_shapes()
    for values in recorded(trace).values():
        assert not values.flags.writeable


@pytest.mark.parametrize("name", [*VARIANTS, *SKIPPING])
def test_float32_in_float32_out(name):
    p = variant_problem(name, T=10, B=3, D=2, H=4)
    found = recorded(p.cast(np.float32).trace())
    for key, values in recorded(p.trace()).items():
        assert found[key].dtype == np.float32
        assert np.abs(found[key] - values).max() <= 2e-4 * max(1, np.abs(values).max())


@pytest.mark.parametrize("name", [*VARIANTS, *SKIPPING])
def test_a_loss_times_a_power_of_two_scales_every_gradient_bit_for_bit(name):
    p = variant_problem(name, T=8, B=2, D=2, H=3)
    scaled = recorded(replace(p, direct=np.ldexp(p.direct, 100)).trace())
    for key, values in recorded(p.trace()).items():
        expected = np.ldexp(values, 100) if key.startswith("d_") else values
        np.testing.assert_array_equal(scaled[key], expected, key)


@pytest.mark.parametrize("name", [*VARIANTS, *SKIPPING])
def test_padded_sequences(name):
    """The gradients of a padded batch by complex step; at padded steps everything is exactly 0,
    constant gates included."""
    lengths = np.array([6, 1, 4])
    p = replace(variant_problem(name, T=6, B=3, D=2, H=3), lengths=lengths)
    assert entry_error(p) <= TOLERANCE
    trace = p.trace()
    for values in (trace.h[1:], trace.d_h[1:], *trace.gates.values(), *trace.d_gates.values()):
        assert not np.swapaxes(values, 1, 2)[np.arange(6)[:, None] >= lengths].any()
