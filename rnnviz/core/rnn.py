"""The simple (Elman) recurrent cell, and its leaky form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnnviz.core import checks
from rnnviz.core.activations import ACTIVATIONS
from rnnviz.core.cell import Cell, Tape, Views, Weights
from rnnviz.core.trace import Record

Array = np.ndarray


@dataclass(frozen=True)
class RNN(Cell):
    """a_t = W_xh x_t + W_hh h_{t-1} + b_h,   h_t = (1 − α) h_{t-1} + α φ(a_t).

    W_xh (H, D), W_hh (H, H), b_h (H,); φ is `activation`: tanh, relu, logistic or identity; α is
    `leak`, 1 for the plain RNN, h_t = φ(a_t). The one gate "a" is recorded after the
    nonlinearity: φ(a_t), in the plain RNN h_t itself.
    Backward: d_a_t = α φ′(a_t) ∘ d_h_t,   d_h_{t-1} = W_hhᵀ d_a_t + (1 − α) d_h_t  (+ direct),
    so ∂h_t/∂h_{t-1} = (1 − α) I + α diag(φ′) W_hh. A small α keeps for about 1/α steps.
    Source: Elman 1990, Cognitive Science 14(2), 179-211; BPTT: Werbos 1990, Proc. IEEE 78(10);
    leaky units: Jaeger et al. 2007, Neural Networks 20(3), 335-352, and Bengio,
    Boulanger-Lewandowski, Pascanu 2013, arXiv:1212.0901.
    Raises ValueError for a size below 1, an unknown activation or a leak outside (0, 1].
    """

    activation: str = "tanh"
    leak: float = 1.0

    GATES = ("a",)
    GATE_ROWS = ("a",)
    D_GATE_ROWS = ("a",)

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.choice("activation", self.activation, ACTIVATIONS)
        if checks.number("leak", self.leak, 0, 1) == 0:
            raise ValueError(f"leak must be above 0 and at most 1, got {self.leak!r}")

    def allocate(self, seq_len: int, batch_size: int, dtype: np.dtype) -> Tape:
        h = np.empty((seq_len + 1, self.hidden_size, batch_size), dtype)
        return Tape(h, None, h[1:] if self.leak == 1 else np.empty_like(h[1:]), None)

    def forward_weights(self, params: dict[str, Array], batch_size: int) -> Weights:
        W_x = np.column_stack([params["W_xh"], params["b_h"]])
        return Weights(W_x, params["W_hh"], params.get("W_skip"))

    def forward_views(self, tape: Tape, start: int, stop: int) -> Iterator[Views]:
        views = [tape.h[start:stop], tape.gates[start:stop]]
        views += [] if self.leak == 1 else [tape.h[start + 1 : stop + 1]]
        return zip(*map(list, views), strict=True)

    def forward_step(self, w: Weights, s: Array, *views: Array) -> None:
        np.dot(w.hidden, views[0], s)
        np.add(views[1], s, s)
        ACTIVATIONS[self.activation].value(s, views[1])
        if self.leak != 1.0:
            self._mix(s, *views)

    def _mix(self, s: Array, h: Array, a: Array, h_next: Array) -> None:
        np.multiply(1 - self.leak, h, h_next)
        np.multiply(self.leak, a, s)
        np.add(h_next, s, h_next)

    def backward_weights(self, params: dict[str, Array]) -> Weights:
        skip = params["W_skip"].T if self.skip else None
        return Weights(params["W_xh"].T, params["W_hh"].T, skip)

    def local_derivatives(
        self, record: Record, start: int, stop: int, d_a: Array, s: Array
    ) -> None:
        """d_a: ∂h/∂a = α φ′(a)."""
        ACTIVATIONS[self.activation].slope(record.gate_values[start:stop], d_a)
        if self.leak != 1.0:
            d_a *= self.leak

    def backward_views(self, record: Record, start: int, d_a: Array, s: Array) -> Iterator[Views]:
        return zip(list(d_a), strict=True)

    def backward_step(
        self,
        w: Weights,
        s: Array,
        d_h_next: Array,
        d_c_next: Array | None,
        d_h: Array,
        d_c: Array | None,
        *views: Array,
    ) -> None:
        (d_a,) = views
        np.multiply(d_a, d_h_next, d_a)
        np.dot(w.hidden, d_a, d_h)
        if self.leak != 1.0:
            np.multiply(1 - self.leak, d_h_next, s)
            np.add(d_h, s, d_h)

    def assemble_grads(self, d_W_xh: Array, d_W_hh: Array, d_b: Array) -> dict[str, Array]:
        return {"W_xh": d_W_xh, "W_hh": d_W_hh, "b_h": d_b}
