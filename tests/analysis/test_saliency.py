"""∂y_s/∂x_t against the complex step and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.analysis import saliency
from rnnviz.core import GRU, LSTM, RNN
from rnnviz.core.network import Network, NetworkTrace, backward_network, forward_network
from rnnviz.core.numerics import Status
from rnnviz.experiment import Experiment, run

NETWORKS = {
    "rnn": Network((RNN(3, 4),), 2),
    "leaky rnn with a skip": Network((RNN(3, 4, leak=0.5, skip=3),), 2),
    "lstm on gru": Network((GRU(3, 4), LSTM(4, 5)), 2),
    "both directions": Network((LSTM(3, 4), GRU(8, 3)), 2, bidirectional=True),
    "context": Network((LSTM(3, 4),), 2, context_size=5),
}
RNG = np.random.default_rng(0)
X, LENGTHS = RNG.standard_normal((9, 3, 3)), np.array([9, 6, 9])
X[6:, :, 1] = 0


def states(network: Network, name: str) -> list[np.ndarray | None]:
    found: list[np.ndarray | None] = []
    for depth, cell in enumerate(network.cells):
        for _ in range(network.directions):
            shape = (cell.hidden_size, 3)
            known = (name == "h" or cell.HAS_CELL_STATE) and not (
                depth == 0 and network.context_size
            )
            found.append(RNG.standard_normal(shape) if known else None)
    return found


def made(name: str) -> tuple[NetworkTrace, dict[str, object]]:
    network = NETWORKS[name]
    context = RNG.standard_normal((5, 3)) if network.context_size else None
    given = {"h0": states(network, "h"), "c0": states(network, "c"), "context": context}
    params = network.init_params(np.random.default_rng(1), gain=1.3, input_scale=1.0)
    record = forward_network(network, params, X, lengths=LENGTHS, **given)
    return backward_network(record, np.ones_like(record.y)), given


@pytest.mark.parametrize(("sequence", "step"), [(0, 9), (0, 4), (1, 6)])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_derivative_is_the_complex_step_s(name: str, sequence: int, step: int) -> None:
    trace, given = made(name)
    found = saliency(trace, name, step, output=1, sequence=sequence)
    steps = LENGTHS[sequence]
    derivative = np.zeros((steps, 3))
    for t in range(steps):
        for d in range(3):
            moved = X.astype(complex)
            moved[t, d, sequence] += 1e-30j
            y = forward_network(trace.network, trace.params, moved, lengths=LENGTHS, **given).y
            derivative[t, d] = y[step - 1, 1, sequence].imag / 1e-30
    size = np.linalg.norm(derivative, axis=1)
    np.testing.assert_allclose(np.where(size > 0, 10**found.size.log10, 0), size, rtol=1e-10)
    assert (np.isneginf(found.size.log10) == (size == 0)).all()
    np.testing.assert_allclose(
        found.signed, (derivative * X[:steps, :, sequence]).sum(axis=1), rtol=1e-10, atol=1e-15
    )


def test_far_below_what_floats_hold_it_is_still_a_number() -> None:
    """One linear unit: w_hy · w^(s−t) · w_xh."""
    network = Network((RNN(1, 1, "identity"),), 1)
    params = {name: np.zeros(shape) for name, shape in network.param_shapes().items()}
    params |= {"0.forward.W_hh": np.full((1, 1), 1e-3), "0.forward.W_xh": np.full((1, 1), 2.0)}
    params |= {"W_hy": np.full((1, 1), 5.0)}
    record = forward_network(network, params, np.ones((400, 1, 1)))
    found = saliency(backward_network(record, np.ones_like(record.y)), "rnn", 400)
    np.testing.assert_allclose(found.size.log10, 1 - 3.0 * np.arange(399, -1, -1), atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_slopes_of_saturated_units_are_the_true_ones(dtype: type) -> None:
    """tanh(20.5) is 1, its slope 0 as a format has it; in truth each step back is
    0.5/cosh²(20.5)."""
    network = Network((RNN(1, 1),), 1)
    params = {name: np.zeros(shape, dtype) for name, shape in network.param_shapes().items()}
    params |= {"0.forward.W_hh": np.full((1, 1), 0.5, dtype)}
    params |= {"0.forward.W_xh": np.ones((1, 1), dtype), "W_hy": np.ones((1, 1), dtype)}
    x = np.full((6, 1, 1), 20.0, dtype)
    record = forward_network(network, params, x)
    found = saliency(backward_network(record, np.ones_like(record.y)), "rnn", 5)
    slope = -2 * np.log10(np.cosh(20.5))
    first = -2 * np.log10(np.cosh(20.0))
    expected = [first + 4 * (slope + np.log10(0.5)), *(
        slope + k * (slope + np.log10(0.5)) for k in (3, 2, 1, 0)
    )]  # fmt: skip
    np.testing.assert_allclose(found.size.log10[:5], expected, atol=1e-5)
    assert found.size.status.tolist()[:4] == [Status.FINITE] * 4
    assert found.size.status[5] == Status.ZERO


@pytest.mark.parametrize("x", [18.0, 20.0])
def test_so_are_those_that_lead_to_the_inputs_alone(x: float) -> None:
    """At one step a leak keeps the state's gradient whatever tanh does: ∂h/∂x is α/cosh²(x)."""
    network = Network((RNN(1, 1, leak=0.5),), 1)
    params = {name: np.zeros(shape) for name, shape in network.param_shapes().items()}
    params |= {"0.forward.W_xh": np.ones((1, 1)), "W_hy": np.ones((1, 1))}
    record = forward_network(network, params, np.full((1, 1, 1), x))
    found = saliency(backward_network(record, np.ones_like(record.y)), "rnn", 1)
    expected = np.log10(0.5) - 2 * np.log10(np.cosh(x))
    np.testing.assert_allclose(found.size.log10, [expected], atol=1e-9)
    assert found.size.status.tolist() == [Status.FINITE]


def test_a_zero_is_exact_only_where_nothing_reaches() -> None:
    """cosh⁻²(1000) is nothing that float64 holds, and yet not 0; what ReLU closes is 0."""
    for activation, status in (("tanh", Status.ROUNDED), ("relu", Status.ZERO)):
        network = Network((RNN(1, 1, activation),), 1)
        params = {name: np.zeros(shape) for name, shape in network.param_shapes().items()}
        params |= {"0.forward.W_xh": np.ones((1, 1)), "W_hy": np.ones((1, 1))}
        record = forward_network(network, params, np.full((3, 1, 1), -1000.0))
        found = saliency(backward_network(record, np.ones_like(record.y)), "rnn", 3)
        assert found.size.status.tolist() == [Status.ZERO, Status.ZERO, status]


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"step": 21}, "step must be 1 to 20, got 21"),
        ({"step": 0}, "step must be 1 to 20, got 0"),
        ({"step": 3, "output": 8}, "output must be 0 to 7, got 8"),
        ({"step": 3, "sequence": -1}, "sequence must be 0 to 3, got -1"),
    ],
)
def test_what_is_not_there_is_refused(chosen: dict[str, int], said: str) -> None:
    result = run(Experiment(models=("rnn",), hidden_size=3, seq_len=20, batch_size=4))
    with pytest.raises(ValueError, match=said):
        saliency(result["rnn"], "rnn", **chosen)
