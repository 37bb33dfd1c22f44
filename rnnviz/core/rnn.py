"""The simple (Elman) recurrent cell."""

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
    """a_t = W_xh x_t + W_hh h_{t-1} + b_h,   h_t = φ(a_t).

    W_xh (H, D), W_hh (H, H), b_h (H,); φ is `activation`: tanh, relu, logistic or identity.
    The one gate "a" is recorded after the nonlinearity, so it is h_t itself.
    Backward: d_a_t = φ′(a_t) ∘ d_h_t,   d_h_{t-1} = W_hhᵀ d_a_t  (+ direct).
    Source: Elman 1990, Cognitive Science 14(2), 179-211; BPTT: Werbos 1990, Proc. IEEE 78(10).
    Raises ValueError for a size below 1 or an unknown activation.
    """

    activation: str = "tanh"

    GATES = ("a",)
    SLABS = ("a",)
    D_SLABS = ("a",)

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.choice("activation", self.activation, ACTIVATIONS)

    def allocate(self, seq_len: int, batch_size: int, dtype: np.dtype) -> Tape:
        h = np.empty((seq_len + 1, self.hidden_size, batch_size), dtype)
        return Tape(h, None, h[1:], None)

    def forward_weights(self, params: dict[str, Array], batch_size: int) -> Weights:
        return Weights(
            np.column_stack([params["W_xh"], params["b_h"]]),
            params["W_hh"],
            skip=params.get("W_skip"),
        )

    def forward_views(self, tape: Tape, start: int, stop: int) -> Iterator[Views]:
        return zip(list(tape.h[start:stop]), list(tape.gates[start:stop]), strict=True)

    def forward_step(self, w: Weights, s: Array, *views: Array) -> None:
        h, a = views
        np.dot(w.hidden, h, s)
        np.add(a, s, s)
        ACTIVATIONS[self.activation].value(s, a)

    def backward_weights(self, params: dict[str, Array]) -> Weights:
        skip = params["W_skip"].T if self.skip else None
        return Weights(params["W_xh"].T, params["W_hh"].T, skip=skip)

    def factors(self, record: Record, start: int, stop: int, d_a: Array, s: Array) -> None:
        ACTIVATIONS[self.activation].slope(record.gate_values[start:stop], d_a)

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

    def assemble_grads(self, d_W_xh: Array, d_W_hh: Array, d_b: Array) -> dict[str, Array]:
        return {"W_xh": d_W_xh, "W_hh": d_W_hh, "b_h": d_b}
