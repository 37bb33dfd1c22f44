"""The GRU cell, in both of its published forms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from rnnviz.core import checks
from rnnviz.core.activations import (
    ACTIVATIONS,
    ONE,
    difference,
    exponential,
    logistic_of_negated,
    slope_at,
)
from rnnviz.core.cell import Cell, Recorded, Tape, Traced, Views, Weights
from rnnviz.core.latex import D_H, D_H_BEFORE, Equations, aligned, preactivation, skip_term
from rnnviz.core.numerics import Array
from rnnviz.core.parameters import summed_products
from rnnviz.core.variants import GRU_VARIANTS

RESETS = ("after", "before")


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

    reset="before": n_t = tanh(W_xn x_t + b_n + W_hn (r_t ∘ h_{t-1})), without b_hn. Then with
    u = W_hnᵀ d_n, d_a_r = u ∘ h r (1 − r) and d_h_{t-1} has r ∘ u in place of W_hnᵀ (r ∘ d_n).
    Source: Cho et al. 2014, arXiv:1406.1078, v1 (after) and v3 (before); torch.nn.GRU (after).
    Raises ValueError for a size below 1 or another reset.

    Examples
    --------
    >>> cell = GRU(input_size=3, hidden_size=5, reset="before")
    >>> cell.init_params(rng)["W_hh"].shape  # five rows each gate
    (15, 5)
    """

    reset: str = field(default="after", kw_only=True)

    GATES = ("r", "z", "n")
    # W_xh acts on the first three. Reset after the product: all four are multiples of d_h_t, and
    # W_hh acts on the last three. Before it: the last holds u, the gradient of r ∘ h.
    D_GATE_ROWS = ("n", "r", "z", "r∘n")
    CANDIDATE_GATE = "n"
    MEMORY_GATE = "z"
    MEMORY_BIAS = "update_bias"
    VARIANTS = GRU_VARIANTS
    SAVES = True

    def forward_step(self, w: Weights, s: Array, *views: Array) -> None:
        if w.bias is None:
            self._step_with_reset_before(w, s, *views)
            return
        logistic, r, z, n, m, h, h_next = views
        H = self.hidden_size
        np.dot(w.hidden, h, s)
        np.add(logistic, s[: 2 * H], logistic)
        exponential(logistic)
        np.add(logistic, ONE[s.dtype.char], logistic)
        np.reciprocal(logistic, logistic)
        np.add(s[2 * H :], w.bias, m)
        np.multiply(r, m, h_next)
        np.add(n, h_next, n)
        np.tanh(n, n)
        np.subtract(h, n, h_next)
        np.multiply(z, h_next, h_next)
        np.add(n, h_next, h_next)

    def local_derivatives(
        self, record: Recorded, start: int, stop: int, d_a: Array, s: Array
    ) -> None:
        """d_a: ∂h_t/∂a of n, r, z and of W_hn h + b_hn, the last being r times the first. With
        the reset before the product: of r what u is multiplied with, and no last one."""
        assert record.saved is not None
        H, gates = self.hidden_size, record.gate_values[start:stop]
        r, z, n = gates[:, :H], gates[:, H : 2 * H], gates[:, 2 * H :]
        of_n, of_r, of_z, of_m = (d_a[:, k * H : (k + 1) * H] for k in range(4))
        left = None if record.remainders is None else record.remainders[start:stop]
        of_rz, of_candidate = (
            None if left is None else left[:, rows] for rows in (slice(2 * H), slice(2 * H, None))
        )
        slope_at(ACTIVATIONS["logistic"], gates[:, : 2 * H], of_rz, d_a[:, H : 3 * H])
        difference(record.h[start:stop], n, of_candidate, of_n)
        of_z *= of_n
        np.subtract(1, z, s)
        if of_rz is not None:
            s[...] = of_rz[:, H:]
        slope_at(ACTIVATIONS["tanh"], n, of_candidate, of_n)
        of_n *= s
        if self.reset == "before":
            of_r *= record.h[start:stop]
            of_m[...] = 0
            return
        of_r *= of_n
        of_r *= record.saved[start:stop]
        np.multiply(of_n, r, of_m)

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
        if self.reset == "before":
            self._step_back_with_reset_before(w, s, d_h_next, d_h, *views)
            return
        d_a, of_W_hh, z = views
        np.multiply(d_a, d_h_next, d_a)
        np.dot(w.hidden, of_W_hh, d_h)
        np.multiply(z, d_h_next, s)
        np.add(d_h, s, d_h)

    def _step_with_reset_before(self, w: Weights, s: Array, *views: Array) -> None:
        logistic, r, z, n, reset_h, h, h_next = views
        H = self.hidden_size
        np.dot(w.hidden[: 2 * H], h, s[: 2 * H])
        np.add(logistic, s[: 2 * H], logistic)
        logistic_of_negated(logistic)
        np.multiply(r, h, reset_h)
        np.dot(w.hidden[2 * H :], reset_h, h_next)
        np.add(n, h_next, n)
        np.tanh(n, n)
        np.subtract(h, n, h_next)
        np.multiply(z, h_next, h_next)
        np.add(n, h_next, h_next)

    def _step_back_with_reset_before(
        self, w: Weights, s: Array, d_h_next: Array, d_h: Array, *views: Array
    ) -> None:
        d_n, d_r, d_z, u, d_rz, r, z = views
        H = self.hidden_size
        np.multiply(d_n, d_h_next, d_n)
        np.multiply(d_z, d_h_next, d_z)
        np.dot(w.hidden[:, 2 * H :], d_n, u)
        np.multiply(d_r, u, d_r)
        np.dot(w.hidden[:, : 2 * H], d_rz, d_h)
        np.multiply(r, u, s)
        np.add(d_h, s, d_h)
        np.multiply(z, d_h_next, s)
        np.add(d_h, s, d_h)

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.choice("reset", self.reset, RESETS)

    def _own_shapes(self) -> dict[str, tuple[int, ...]]:
        return {"b_hn": (self.hidden_size,)} if self.reset == "after" else {}

    def forward_weights(self, params: dict[str, Array], batch_size: int) -> Weights:
        """The logistic gates' rows are negated: σ(a) = 1/(1 + e^(−a)) then starts with exp."""
        w = super().forward_weights(params, batch_size)
        for block in (w.input, w.hidden, w.skip):
            if block is not None:
                np.negative(block[: 2 * self.hidden_size], out=block[: 2 * self.hidden_size])
        if self.reset == "before":
            return w
        return w._replace(bias=np.repeat(params["b_hn"][:, None], batch_size, axis=1))

    def forward_views(self, tape: Tape, start: int, stop: int) -> Iterator[Views]:
        assert tape.saved is not None
        a = tape.gates[start:stop]
        H = self.hidden_size
        steps = (a[:, : 2 * H], a[:, :H], a[:, H : 2 * H], a[:, 2 * H :], tape.saved[start:stop])
        h = tape.h[start : stop + 1]
        return zip(*map(list, (*steps, h[:-1], h[1:])), strict=True)

    def backward_weights(self, params: dict[str, Array]) -> Weights:
        names = ("W_xh", "W_skip") if self.skip else ("W_xh",)
        of_x, *skip = (self.arranged(params[name], self.x_gate_rows).T for name in names)
        return Weights(of_x, params["W_hh"].T, *skip)

    def backward_views(self, record: Recorded, start: int, d_a: Array, s: Array) -> Iterator[Views]:
        H, n = self.hidden_size, d_a.shape[0]
        gates = record.gate_values[start : start + n]
        r, z = gates[:, :H], gates[:, H : 2 * H]
        if self.reset == "before":
            slabs = (d_a[:, k * H : (k + 1) * H] for k in range(4))
            return zip(*map(list, (*slabs, d_a[:, H : 3 * H], r, z)), strict=True)
        return zip(*map(list, (d_a.reshape(n, 4, H, -1), d_a[:, H:], z)), strict=True)

    def assemble_grads(
        self, trace: Traced, d_a: Array, d_W_xh: Array, d_W_hh: Array, d_b: Array
    ) -> dict[str, Array]:
        """With the reset before the product, ∂L/∂W_hn = Σ_t d_a_n (r_t ∘ h_{t-1})ᵀ."""
        b_h = self.stacked(d_b[self.x_rows], self.x_gate_rows)
        grads = {"W_xh": self.stacked(d_W_xh, self.x_gate_rows), "W_hh": d_W_hh, "b_h": b_h}
        if self.reset == "after":
            return grads | {"b_hn": d_b[3 * self.hidden_size :]}
        assert trace.saved is not None
        d_W_hn = summed_products(d_a[:, : self.hidden_size], trace.saved)
        return grads | {"W_hh": np.concatenate([d_W_hh, d_W_hn])}

    def hidden_terms(self, trace: Traced, d_a: Array) -> list[tuple[Array, Array]]:
        terms = [(d_a[:, self.h_rows], trace.h[:-1])]
        if self.reset == "before":
            assert trace.saved is not None
            terms.append((d_a[:, : self.hidden_size], trace.saved))
        return terms

    def seen_by(self, record: Recorded, gate: str) -> tuple[Array, Array | None]:
        """The candidate sees r ∘ (W_hn h + b_hn), or W_hn (r ∘ h)."""
        if gate != "n":
            return super().seen_by(record, gate)
        if self.reset == "after":
            return record.h[:-1], record.gates["r"]
        assert record.saved is not None
        return record.saved, None

    def gate_paths(self, trace: Traced, d_a: Array) -> dict[str, tuple[Array, Array | None]]:
        """With the reset before the product the candidate sees r ∘ h_{t-1}."""
        paths = super().gate_paths(trace, d_a)
        if self.reset == "before":
            paths["n"] = trace.gates["r"] * paths["n"][0], None
        return paths

    def preactivations(self, record: Recorded) -> Array:
        """That of the candidate is W_xn x + b_n + r ∘ m, or W_xn x + b_n + W_hn (r ∘ h)."""
        assert record.saved is not None
        H, p = self.hidden_size, record.params
        W_hn = p["W_hh"][2 * H :]
        a = self.linear_part(record, np.concatenate([p["W_hh"][: 2 * H], 0 * W_hn]))
        after = self.reset == "after"
        a[:, 2 * H :] += record.gates["r"] * record.saved if after else W_hn @ record.saved
        return a

    def unrest(self, record: Recorded) -> Array:
        """n_t − h_{t-1}, of which a unit goes the part 1 − z."""
        way: Array = record.gates["n"] - record.h[:-1]
        return way

    @property
    def x_gate_rows(self) -> tuple[str, ...]:
        return self.D_GATE_ROWS[:3]

    @property
    def x_rows(self) -> slice:
        return slice(None, 3 * self.hidden_size)

    @property
    def h_rows(self) -> slice:
        return slice(self.hidden_size, 3 * self.hidden_size if self.reset == "before" else None)

    @property
    def multiplies_twice(self) -> bool:
        return self.reset == "before"

    def equations(self) -> Equations:
        new = f"W_{{xn}}\\,x_t{skip_term('n', self.skip)} + b_n + "
        if self.reset == "before":
            new += r"W_{hn}\,(r_t \circ h_{t-1})"
            inner = r"r_t \circ \left(W_{hn}^{\top}\,d_{n,t}\right)"
        else:
            new += r"r_t \circ (W_{hn}\,h_{t-1} + b_{hn})"
            inner = r"W_{hn}^{\top}\left(r_t \circ d_{n,t}\right)"
        later = f"\\frac{{\\partial L}}{{\\partial a_{{t+{self.skip - 1}}}}}"
        skip = f" + W_{{\\mathrm{{skip}}}}^{{\\top}}\\,{later}" if self.skip else ""
        return Equations(
            aligned(
                *(f"{gate}_t &= \\sigma({preactivation(gate, self.skip)})" for gate in "rz"),
                f"n_t &= \\tanh({new})",
                r"h_t &= (1 - z_t) \circ n_t + z_t \circ h_{t-1}",
            ),
            aligned(
                f"d_{{n,t}} &= (1 - z_t) \\circ (1 - n_t^2) \\circ {D_H}",
                f"{D_H_BEFORE} &= e_{{t-1}} + z_t \\circ {D_H} + {inner}"
                r" + W_{hr}^{\top}\,\frac{\partial L}{\partial a_{r,t}}"
                r" + W_{hz}^{\top}\,\frac{\partial L}{\partial a_{z,t}}" + skip,
            ),
        )
