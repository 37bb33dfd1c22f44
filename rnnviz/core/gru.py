"""The GRU cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnnviz.core.activations import logistic_slope, tanh_slope
from rnnviz.core.cell import Cell, Tape, Views, Weights
from rnnviz.core.lstm import ONE
from rnnviz.core.trace import Record

Array = np.ndarray


@dataclass(frozen=True)
class GRU(Cell):
    """r_t = σ(W_xr x_t + W_hr h_{t-1} + b_r)                    reset gate
    z_t = σ(W_xz x_t + W_hz h_{t-1} + b_z)                    update gate: z keeps
    n_t = tanh(W_xn x_t + b_n + r_t ∘ (W_hn h_{t-1} + b_hn))  candidate, reset after the product
    h_t = (1 − z_t) ∘ n_t + z_t ∘ h_{t-1}

    W_xh (3H, D), W_hh (3H, H), b_h (3H,) stack r, z, n, as PyTorch does; b_hn (H,).
    Backward: with d_n = (1 − z)(1 − n²) d_h_t, d_h_{t-1} = z d_h_t + W_hrᵀ d_a_r + W_hzᵀ d_a_z
    + W_hnᵀ (r ∘ d_n) (+ direct), d_a_r = d_n ∘ (W_hn h + b_hn) r (1 − r), d_a_z = (h − n) z (1 − z)
    d_h_t.
    Source: Cho et al. 2014, arXiv:1406.1078v1; torch.nn.GRU. Raises ValueError for a size below 1.
    """

    GATES = ("r", "z", "n")
    SLABS = ("r", "z", "n")
    # All four are multiples of d_h_t. W_hh acts on the last three, W_xh on the first three.
    D_SLABS = ("n", "r", "z", "r∘n")
    MEMORY_GATE = "z"

    def _own_shapes(self) -> dict[str, tuple[int, ...]]:
        return {"b_hn": (self.hidden_size,)}

    def allocate(self, seq_len: int, batch_size: int, dtype: np.dtype) -> Tape:
        shape = (self.hidden_size, batch_size)
        return Tape(
            h=np.empty((seq_len + 1, *shape), dtype),
            c=None,
            gates=np.empty((seq_len, 3 * self.hidden_size, batch_size), dtype),
            memo=np.empty((seq_len, *shape), dtype),
        )

    def forward_weights(self, params: dict[str, Array], batch_size: int) -> Weights:
        """The logistic gates' rows are negated: σ(a) = 1/(1 + e^(−a)) then starts with exp."""
        W_x = np.column_stack([params["W_xh"], params["b_h"]])
        bias = np.repeat(params["b_hn"][:, None], batch_size, axis=1)
        skip = params["W_skip"].copy() if self.skip else None
        w = Weights(W_x, params["W_hh"].copy(), skip, bias)
        for rows in (w.input, w.hidden, w.skip):
            if rows is not None:
                np.negative(rows[: 2 * self.hidden_size], out=rows[: 2 * self.hidden_size])
        return w

    def forward_views(self, tape: Tape, start: int, stop: int) -> Iterator[Views]:
        assert tape.memo is not None
        a = tape.gates[start:stop]
        H = self.hidden_size
        steps = (a[:, : 2 * H], a[:, :H], a[:, H : 2 * H], a[:, 2 * H :], tape.memo[start:stop])
        h = tape.h[start : stop + 1]
        return zip(*map(list, (*steps, h[:-1], h[1:])), strict=True)

    def forward_step(self, w: Weights, s: Array, *views: Array) -> None:
        logistic, r, z, n, m, h, h_next = views
        H = self.hidden_size
        assert w.bias is not None
        np.dot(w.hidden, h, s)
        np.add(logistic, s[: 2 * H], logistic)
        np.exp(logistic, logistic)
        np.add(logistic, ONE[s.dtype.char], logistic)
        np.reciprocal(logistic, logistic)
        np.add(s[2 * H :], w.bias, m)
        np.multiply(r, m, h_next)
        np.add(n, h_next, n)
        np.tanh(n, n)
        np.subtract(h, n, h_next)
        np.multiply(z, h_next, h_next)
        np.add(n, h_next, h_next)

    def backward_weights(self, params: dict[str, Array]) -> Weights:
        skip = self.arranged(params["W_skip"], self.x_slabs).T if self.skip else None
        return Weights(self.arranged(params["W_xh"], self.x_slabs).T, params["W_hh"].T, skip=skip)

    def factors(self, record: Record, start: int, stop: int, d_a: Array, s: Array) -> None:
        """d_a: ∂h_t/∂a of n, r, z and of W_hn h + b_hn, the last being r times the first."""
        assert record.memo is not None
        H, gates = self.hidden_size, record.gate_values[start:stop]
        r, z, n = gates[:, :H], gates[:, H : 2 * H], gates[:, 2 * H :]
        of_n, of_r, of_z, of_m = (d_a[:, k * H : (k + 1) * H] for k in range(4))
        logistic_slope(gates[:, : 2 * H], d_a[:, H : 3 * H])
        np.subtract(record.h[start:stop], n, of_n)
        of_z *= of_n
        np.subtract(1, z, s)
        tanh_slope(n, of_n)
        of_n *= s
        of_r *= of_n
        of_r *= record.memo[start:stop]
        np.multiply(of_n, r, of_m)

    def backward_views(self, record: Record, start: int, d_a: Array, s: Array) -> Iterator[Views]:
        H, n = self.hidden_size, d_a.shape[0]
        z = record.gate_values[start : start + n, H : 2 * H]
        return zip(*map(list, (d_a.reshape(n, 4, H, -1), d_a[:, H:], z)), strict=True)

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
        d_a, of_W_hh, z = views
        np.multiply(d_a, d_h_next, d_a)
        np.dot(w.hidden, of_W_hh, d_h)
        np.multiply(z, d_h_next, s)
        np.add(d_h, s, d_h)

    def assemble_grads(self, d_W_xh: Array, d_W_hh: Array, d_b: Array) -> dict[str, Array]:
        of_W_xh, of_m = d_b[self.x_rows], d_b[3 * self.hidden_size :]
        return {
            "W_xh": self.stacked(d_W_xh, self.x_slabs),
            "W_hh": d_W_hh,
            "b_h": self.stacked(of_W_xh, self.x_slabs),
            "b_hn": of_m,
        }

    @property
    def x_slabs(self) -> tuple[str, ...]:
        return self.D_SLABS[:3]

    @property
    def x_rows(self) -> slice:
        return slice(None, 3 * self.hidden_size)

    @property
    def h_rows(self) -> slice:
        return slice(self.hidden_size, None)
