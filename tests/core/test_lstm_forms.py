"""LSTMs of other nonlinearities: what many try, and what then happens."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.analysis.gradients import gradient_flow
from rnnviz.analysis.jacobian.norms import log_determinants
from rnnviz.analysis.jacobian.sequence import linearize
from rnnviz.analysis.pairs import pair_matrix
from rnnviz.analysis.reachability import reachable
from rnnviz.core import LSTM, backward, bptt, forward
from rnnviz.core.activations import GATE_ACTIVATIONS
from rnnviz.core.numerics import Status

EXPLODING = {"W_xh": np.ones((4, 1)), "W_hh": np.ones((4, 1)), "b_h": np.ones(4)}


def test_with_relu_the_cell_state_overflows_single_precision_at_step_129() -> None:
    """H = 1, all weights and biases 1, x = 0; by PyTorch. float64 holds it to the end."""
    cell = LSTM(1, 1, candidate="relu", output="relu")
    for dtype, first in ((np.float32, 129), (np.float64, None)):
        params = {name: value.astype(dtype) for name, value in EXPLODING.items()}
        c = forward(cell, params, np.zeros((1019, 1, 1), dtype)).c
        assert c is not None
        bad = np.flatnonzero(~np.isfinite(c[:, 0, 0]))
        assert (bad[0] if bad.size else None) == first


def test_the_hard_sigmoid_is_exactly_shut_and_open() -> None:
    hard = GATE_ACTIVATIONS["hard_sigmoid"]
    a = np.array([-9.0, -2.5, -1.0, 0.0, 1.0, 2.5, 9.0, np.nan])
    y, slope = np.empty_like(a), np.empty_like(a)
    hard.value(a, y)
    hard.slope(y, slope)
    np.testing.assert_allclose(y, [0, 0, 0.3, 0.5, 0.7, 1, 1, np.nan], rtol=1e-15)
    np.testing.assert_array_equal(slope, [0, 0, 0.2, 0.2, 0.2, 0, 0, np.nan])
    assert slope[:-1].max() == hard.lipschitz
    step = a[:-1] + 1e-30j
    hard.value(step, step)
    np.testing.assert_array_equal(step.real, y[:-1])
    np.testing.assert_allclose(step.imag, 1e-30 * slope[:-1], rtol=1e-15)


def saturated(value: float) -> dict[str, np.ndarray]:
    """Gates far in saturation, the forget gate at `value`."""
    b_h = np.array([9.0, 9.0 if value else -9.0, 0.3, 9.0])
    return {"W_xh": np.zeros((4, 1)), "W_hh": np.full((4, 1), 0.5), "b_h": b_h}


def test_what_a_shut_gate_stops_is_exactly_zero_and_called_so() -> None:
    """Open gates of slope 0 let the error through c alone; a shut forget gate stops it there."""
    cell = LSTM(1, 1, gate_activation="hard_sigmoid")
    direct = np.zeros((6, 1, 1))
    direct[-1] = 1
    trace = bptt(cell, saturated(0.0), np.zeros((6, 1, 1)), direct)
    pattern = reachable(trace)
    assert pattern.carry is not None
    assert not pattern.carry.any()  # nothing comes back through f = 0
    assert pattern.h[:6].all()  # but h reaches the candidate
    flow = gradient_flow(trace, "m")
    assert flow.c is not None
    assert (flow.state.status == Status.FINITE).all()
    both = bptt(LSTM(1, 1, gate_activation="hard_sigmoid", fixed=(("i", 0.0),)),
                {k: np.delete(v, 0, axis=0) for k, v in saturated(0.0).items()},
                np.zeros((6, 1, 1)), direct)  # fmt: skip
    flow = gradient_flow(both, "m")
    assert (flow.state.status[:6] == Status.ZERO).all()


def test_each_loss_is_followed_through_the_steps_that_are_open_to_it() -> None:
    """A candidate that is shut at step 3 alone: h_2 hears nothing from later losses through g."""
    cell = LSTM(
        1, 1, candidate="relu", output="identity", fixed=(("i", 1.0), ("f", 0.0), ("o", 1.0))
    )
    params = {"W_xh": np.ones((1, 1)), "W_hh": np.full((1, 1), 0.5), "b_h": np.zeros(1)}
    x = np.reshape([1.0, 1.0, -9.0, 1.0, 1.0], (5, 1, 1))
    trace = backward(forward(cell, params, x), np.ones((5, 1, 1)))
    matrix = pair_matrix(trace, "m")
    status = matrix.h_status
    assert matrix.losses.tolist() == [1, 2, 3, 4, 5]
    assert status[4, 3] == Status.FINITE
    assert (status[2:, :3] == Status.ZERO).all()
    assert (status[1, :3] == Status.FINITE).all()


@pytest.mark.parametrize(
    "options", [{"output": "relu", "candidate": "relu"}, {"gate_activation": "hard_sigmoid"}]
)
def test_a_determinant_is_that_of_the_step_and_zero_where_the_step_is_shut(
    options: dict[str, str],
) -> None:
    x = 3 * np.random.default_rng(0).standard_normal((40, 2, 1))
    cell = LSTM(2, 1, **options)  # type: ignore[arg-type]
    rng = np.random.default_rng(3)
    params = {n: rng.standard_normal(s) for n, s in cell.param_shapes().items()}
    record = forward(cell, params, x)
    found = log_determinants(record, 0, 0, 40)
    matrices = np.stack([linearize(record, 0, 0, 40).matrix(k) for k in range(40)])
    with np.errstate(divide="ignore"):
        expected = np.linalg.slogdet(matrices)[1]
    assert found.singular.any()
    assert not found.singular.all()
    assert (expected[found.singular] < -30).all()  # LU rounds some zeros
    np.testing.assert_array_equal(found.singular, np.isneginf(found.logs))
    open_ = ~found.singular
    np.testing.assert_allclose(found.logs[open_], expected[open_], rtol=1e-9)


@pytest.mark.parametrize("output", ["tanh", "relu"])
def test_equations_name_the_nonlinearity(output: str) -> None:
    said = LSTM(1, 1, output=output, gate_activation="hard_sigmoid").equations()
    assert r"\mathrm{hs}(" in said.forward
    assert (r"\mathrm{ReLU}(c_t)" in said.forward) == (output == "relu")
    assert (r"\mathrm{ReLU}'(c_t)" in said.backward) == (output == "relu")
