"""The LSTM cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnnviz.core.activations import logistic_slope, tanh_slope
from rnnviz.core.cell import Cell, Tape, Views, Weights
from rnnviz.core.trace import Record

Array = np.ndarray


@dataclass(frozen=True)
class LSTM(Cell):
    """i_t = σ(W_xi x_t + W_hi h_{t-1} + b_i)     input gate
    f_t = σ(W_xf x_t + W_hf h_{t-1} + b_f)     forget gate
    g_t = tanh(W_xg x_t + W_hg h_{t-1} + b_g)  candidate
    o_t = σ(W_xo x_t + W_ho h_{t-1} + b_o)     output gate
    c_t = f_t ∘ c_{t-1} + i_t ∘ g_t
    h_t = o_t ∘ tanh(c_t)

    W_xh (4H, D), W_hh (4H, H), b_h (4H,) stack i, f, g, o, as PyTorch does.
    Backward: d_c_t = f_{t+1} ∘ d_c_{t+1} + o_t ∘ (1 − tanh²c_t) ∘ d_h_t,
    d_h_{t-1} = W_hhᵀ d_a_t (+ direct), d_a of i, f, g from d_c_t, of o from d_h_t.
    Source: Hochreiter and Schmidhuber 1997, doi 10.1162/neco.1997.9.8.1735; forget gate:
    Gers, Schmidhuber, Cummins 2000, doi 10.1162/089976600300015015.
    Raises ValueError for a size below 1.
    """

    GATES = ("i", "f", "g", "o")
    # The three logistic gates in one slab; the three that c_t depends on in one slab.
    SLABS = ("o", "i", "f", "g")
    D_SLABS = ("o", "i", "f", "g")
    MEMORY_GATE = "f"
    INPUT_GATE = "i"
    HAS_CELL_STATE = True

    def allocate(self, seq_len: int, batch_size: int, dtype: np.dtype) -> Tape:
        shape = (self.hidden_size, batch_size)
        return Tape(
            h=np.empty((seq_len + 1, *shape), dtype),
            c=np.empty((seq_len + 1, *shape), dtype),
            gates=np.empty((seq_len, 4 * self.hidden_size, batch_size), dtype),
            memo=np.empty((seq_len, *shape), dtype),
        )

    def forward_weights(self, params: dict[str, Array], batch_size: int) -> Weights:
        """The logistic gates' rows are negated: σ(a) = 1/(1 + e^(−a)) then starts with exp."""
        rows = [np.column_stack([params["W_xh"], params["b_h"]]), params["W_hh"]]
        rows += [params["W_skip"]] if self.skip else []
        arranged = [self.arranged(block, self.SLABS) for block in rows]
        for block in arranged:
            np.negative(block[: 3 * self.hidden_size], out=block[: 3 * self.hidden_size])
        return Weights(*arranged)

    def forward_views(self, tape: Tape, start: int, stop: int) -> Iterator[Views]:
        assert tape.c is not None
        assert tape.memo is not None
        a = tape.gates[start:stop]
        H = self.hidden_size
        steps = (a, a[:, : 3 * H], a[:, :H], a[:, H : 2 * H], a[:, 2 * H : 3 * H], a[:, 3 * H :])
        h, c, th = tape.h[start : stop + 1], tape.c[start : stop + 1], tape.memo[start:stop]
        return zip(*map(list, (*steps, h[:-1], c[:-1], h[1:], c[1:], th)), strict=True)

    def forward_step(self, w: Weights, s: Array, *views: Array) -> None:
        a, logistic, o, i, f, g, h, c, h_next, c_next, tanh_c = views
        np.dot(w.hidden, h, s)
        np.add(a, s, a)
        np.exp(logistic, logistic)
        np.add(logistic, ONE[a.dtype.char], logistic)
        np.reciprocal(logistic, logistic)
        np.tanh(g, g)
        np.multiply(i, g, tanh_c)
        np.multiply(f, c, c_next)
        np.add(c_next, tanh_c, c_next)
        np.tanh(c_next, tanh_c)
        np.multiply(o, tanh_c, h_next)

    def backward_weights(self, params: dict[str, Array]) -> Weights:
        names = ("W_xh", "W_hh", "W_skip") if self.skip else ("W_xh", "W_hh")
        rows = [self.arranged(params[name], self.D_SLABS).T for name in names]
        return Weights(*rows)

    def factors(self, record: Record, start: int, stop: int, d_a: Array, s: Array) -> None:
        """d_a: ∂h/∂a_o = tanh(c) σ′, ∂c/∂a_i = g σ′, ∂c/∂a_f = c_{t-1} σ′, ∂c/∂a_g = i tanh′;
        s: ∂h/∂c = o (1 − tanh²c)."""
        assert record.c is not None
        assert record.memo is not None
        H, tanh_c = self.hidden_size, record.memo[start:stop]
        gates = record.gate_values[start:stop]
        logistic_slope(gates[:, : 3 * H], d_a[:, : 3 * H])
        d_a[:, :H] *= tanh_c
        d_a[:, H : 2 * H] *= gates[:, 3 * H :]
        d_a[:, 2 * H : 3 * H] *= record.c[start:stop]
        tanh_slope(gates[:, 3 * H :], d_a[:, 3 * H :])
        d_a[:, 3 * H :] *= gates[:, H : 2 * H]
        tanh_slope(tanh_c, s)
        s *= gates[:, :H]

    def backward_views(self, record: Record, start: int, d_a: Array, s: Array) -> Iterator[Views]:
        H, n = self.hidden_size, d_a.shape[0]
        of_c = d_a[:, H:].reshape(n, 3, H, -1)
        f = record.gate_values[start : start + n, 2 * H : 3 * H]
        return zip(*map(list, (d_a, d_a[:, :H], of_c, s, f)), strict=True)

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
        d_a, of_h, of_c, dh_dc, f = views
        assert d_c_next is not None
        np.multiply(dh_dc, d_h_next, s)
        np.add(d_c_next, s, d_c_next)
        np.multiply(of_c, d_c_next, of_c)
        np.multiply(of_h, d_h_next, of_h)
        np.dot(w.hidden, d_a, d_h)
        np.multiply(f, d_c_next, d_c)

    def assemble_grads(self, d_W_xh: Array, d_W_hh: Array, d_b: Array) -> dict[str, Array]:
        rows = {"W_xh": d_W_xh, "W_hh": d_W_hh, "b_h": d_b}
        return {name: self.stacked(value, self.D_SLABS) for name, value in rows.items()}


# 0-d arrays of each dtype: NumPy converts a Python scalar anew at every call.
ONE = {np.dtype(kind).char: np.ones((), kind) for kind in (np.float32, np.float64, np.complex128)}
