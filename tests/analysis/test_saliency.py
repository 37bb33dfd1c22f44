"""∂y_s/∂x_t against the complex step and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.analysis import saliency
from rnnviz.core import GRU, LSTM, RNN
from rnnviz.core.network import Network, NetworkTrace, backward_network, forward_network
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
