"""Networks to check the core with, all sizes different, and the complex-step check of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from rnnviz.core import GRU, LSTM, RNN
from rnnviz.core.network import Network, NetworkTrace, run_network
from rnnviz.tasks import Batch
from tests.core.support import emptied

Array = np.ndarray
TINY = 1e-30


@dataclass(frozen=True)
class Setting:
    """A network, its parameters and a batch."""

    network: Network
    params: dict[str, Array]
    batch: Batch

    def trace(self) -> NetworkTrace:
        x = emptied(self.batch.x, self.batch.lengths)
        return run_network(self.network, self.params, replace(self.batch, x=x))

    def loss(self, name: str, step: Array) -> complex:
        """The loss with one input moved."""
        if name == "x":
            moved = replace(self, batch=replace(self.batch, x=self.batch.x + step))
        else:
            moved = replace(self, params={**self.params, name: self.params[name] + step})
        return moved.trace().loss


def make_batch(T: int, B: int, D: int, O: int, V: int, lengths: Array | None) -> Batch:  # noqa: E741
    rng = np.random.default_rng(5)
    return Batch(
        x=emptied(rng.standard_normal((T, D, B)), lengths),
        target=rng.standard_normal((T, O, B)),
        mask=rng.uniform(0.5, 2, (T, B)),
        loss="squared_error",
        input_size=D,
        output_size=O,
        lengths=np.full(B, T) if lengths is None else lengths,
        context=rng.standard_normal((V, B)) if V else None,
    )


def setting(network: Network, T: int, B: int, lengths: Array | None = None) -> Setting:
    """Random parameters, none of them zero."""
    rng = np.random.default_rng(4)
    params = {
        name: rng.standard_normal(shape) / np.sqrt(shape[-1] if len(shape) == 2 else 2)
        for name, shape in network.param_shapes().items()
    }
    D, V = network.cells[0].input_size, network.context_size
    return Setting(network, params, make_batch(T, B, D, network.output_size, V, lengths))


LENGTHS = np.array([4, 6, 1])

SETTINGS: dict[str, Callable[[], Setting]] = {
    "three layers": lambda: setting(Network((RNN(2, 5), LSTM(5, 3), GRU(3, 4)), 2), T=6, B=3),
    "bidirectional rnn": lambda: setting(Network((RNN(2, 5),), 3, True), T=6, B=4),
    "bidirectional lstm": lambda: setting(Network((LSTM(3, 2),), 1, True), T=6, B=4),
    "bidirectional gru": lambda: setting(Network((GRU(1, 4),), 2, True), T=6, B=3),
    "final readout": lambda: setting(Network((GRU(2, 4),), 3, True, "final"), T=5, B=3),
    "deep and bidirectional": lambda: setting(Network((LSTM(2, 3), GRU(6, 4)), 2, True), T=5, B=3),
    "deep, bidirectional, padded": lambda: setting(
        Network((GRU(2, 3), LSTM(6, 4), RNN(8, 2)), 2, True), T=6, B=3, lengths=LENGTHS
    ),
    "final readout, padded": lambda: setting(
        Network((LSTM(2, 3), LSTM(6, 4)), 2, True, "final"), T=6, B=3, lengths=LENGTHS
    ),
    "context": lambda: setting(Network((RNN(2, 5), GRU(5, 3)), 2, context_size=4), T=5, B=3),
    "context of a bidirectional lstm": lambda: setting(
        Network((LSTM(2, 5),), 2, True, context_size=3), T=5, B=4
    ),
    "skips, context, padded": lambda: setting(
        Network((GRU(2, 3, skip=3), LSTM(6, 4, skip=2)), 2, True, context_size=5),
        T=6,
        B=3,
        lengths=LENGTHS,
    ),
    "one of everything": lambda: setting(
        Network((LSTM(1, 1), RNN(2, 1), GRU(2, 1)), 1, True, context_size=1), T=1, B=1
    ),
}


def gradients(trace: NetworkTrace) -> dict[str, Array]:
    """∂L/∂ every parameter, and ∂L/∂x from both directions of the first layer."""
    first = trace.layers[0]
    d_x = first[0].d_x.copy()
    if len(first) == 2:
        for b, n in enumerate(_lengths(trace)):
            d_x[:n, :, b] += first[1].d_x[:n, :, b][::-1]
    return {**trace.grads, "x": d_x}


def _lengths(trace: NetworkTrace) -> Array:
    first = trace.trace
    return np.full(first.batch_size, first.seq_len) if first.lengths is None else first.lengths


def direction_error(s: Setting) -> float:
    """Largest relative error of the gradients, each along one random direction."""
    rng, errors = np.random.default_rng(0), []
    for name, gradient in gradients(s.trace()).items():
        v = rng.standard_normal(gradient.shape)
        slope = s.loss(name, 1j * TINY * v).imag / TINY
        errors.append(abs(slope - (gradient * v).sum()) / (np.abs(gradient * v).sum() or 1.0))
    return max(errors)


def entry_error(s: Setting) -> float:
    """Largest error of any entry of any gradient, relative to the largest of its array."""
    errors = []
    for name, gradient in gradients(s.trace()).items():
        true = np.zeros(gradient.shape)
        for index in np.ndindex(*gradient.shape):
            step = np.zeros(gradient.shape, complex)
            step[index] = 1j * TINY
            true[index] = s.loss(name, step).imag / TINY
        errors.append(np.abs(gradient - true).max() / (np.abs(true).max() or 1.0))
    return max(errors)
