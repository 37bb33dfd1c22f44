"""The simple (Elman) recurrent cell, and its leaky form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnnviz.core import checks
from rnnviz.core.activations import ACTIVATIONS, Activation, slope_at
from rnnviz.core.cell import Cell, Recorded, Tape, Views, Weights
from rnnviz.core.latex import D_H, D_H_BEFORE, Equations, aligned, number, preactivation, rest_of
from rnnviz.core.numerics import Array, log_abs_det


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

    Examples
    --------
    >>> cell = RNN(input_size=3, hidden_size=5, activation="relu")
    >>> {name: value.shape for name, value in cell.init_params(rng).items()}
    {'W_xh': (5, 3), 'W_hh': (5, 5), 'b_h': (5,)}
    """

    activation: str = "tanh"
    leak: float = 1.0

    GATES = ("a",)
    CANDIDATE_GATE = "a"
    SIMPLE = True

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

    def local_derivatives(
        self, record: Recorded, start: int, stop: int, d_a: Array, s: Array
    ) -> None:
        """d_a: ∂h/∂a = α φ′(a)."""
        left = None if record.remainders is None else record.remainders[start:stop]
        slope_at(ACTIVATIONS[self.activation], record.gate_values[start:stop], left, d_a)
        if self.leak != 1.0:
            d_a *= self.leak

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

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.choice("activation", self.activation, ACTIVATIONS)
        checks.number("leak", self.leak, checks.ABOVE_0, 1)

    def allocate(self, seq_len: int, batch_size: int, dtype: np.dtype) -> Tape:
        h = np.empty((seq_len + 1, self.hidden_size, batch_size), dtype)
        return Tape(h, None, h[1:] if self.leak == 1 else np.empty_like(h[1:]), None)

    def forward_views(self, tape: Tape, start: int, stop: int) -> Iterator[Views]:
        """h_{t-1}, the gate, and h_t where it is another array."""
        views = [tape.h[start:stop], tape.gates[start:stop]]
        views += [] if self.leak == 1 else [tape.h[start + 1 : stop + 1]]
        return zip(*map(list, views), strict=True)

    def backward_views(self, record: Recorded, start: int, d_a: Array, s: Array) -> Iterator[Views]:
        return zip(list(d_a), strict=True)

    def activation_of(self, gate: str) -> Activation:
        return ACTIVATIONS[self.activation]

    def preactivations(self, record: Recorded) -> Array:
        return self.linear_part(record)

    def unrest(self, record: Recorded) -> Array:
        """φ(a) − h_{t-1}, of which a leaky unit goes the part α."""
        way: Array = record.gate_values - record.h[:-1]
        return way

    @property
    def other_ways(self) -> tuple[str, ...]:
        return ("leak",) * (self.leak != 1) + super().other_ways

    @property
    def no_determinant(self) -> str:
        return "a leak or a skip" if self.other_ways else ""

    def log_determinants(
        self, record: Recorded, steps: slice, sequence: int
    ) -> tuple[Array, Array] | None:
        """ln |det W_hh| + Σ_i ln φ′(a_ti) (THEORY E8)."""
        if self.other_ways:
            return None
        y = record.gates["a"][steps, :, sequence].astype(np.float64)
        left = None if record.remainders is None else record.remainders[steps, :, sequence]
        slope = np.empty_like(y)
        slope_at(ACTIVATIONS[self.activation], y, left, slope)
        of_W = log_abs_det(record.params["W_hh"])
        dead = (slope == 0).any(axis=1) & (self.activation == "relu")
        return of_W + np.log(slope).sum(axis=1), dead | np.isneginf(of_W)

    def state_jacobian(self, params: dict[str, Array], slopes: Array) -> Array | None:
        """(1 − α) I + α diag(φ′) W_hh; with a skip of d steps of the state (h_t, h_{t-1}, ...,
        h_{t-d+1}), whose older parts move on by one."""
        H, older = self.hidden_size, max(0, self.skip - 1) * self.hidden_size
        slopes = self.leak * slopes[:, None]
        J = np.eye(H + older, k=-H)
        J[:H, :H] = (1 - self.leak) * np.eye(H) + slopes * params["W_hh"]
        if self.skip:
            J[:H, older:] += slopes * params["W_skip"]
        return J

    def equations(self) -> Equations:
        phi = ACTIVATIONS[self.activation].latex
        rest, leak = rest_of(self.leak), number(self.leak)
        new, scale, kept = f"{phi}(a_t)", "", ""
        if self.leak != 1:
            new = f"{rest}\\,h_{{t-1}} + {leak}\\,{new}"
            scale, kept = f"{leak}\\,", f"{rest}\\,{D_H} + "
        back = f"W_{{hh}}^{{\\top}}\\left({scale}\\varphi'(a_t) \\circ {D_H}\\right)"
        if self.skip:
            later = f"t+{self.skip - 1}"
            back += (
                f" + W_{{\\mathrm{{skip}}}}^{{\\top}}\\left({scale}\\varphi'(a_{{{later}}}) \\circ "
                f"\\frac{{\\partial L}}{{\\partial h_{{{later}}}}}\\right)"
            )
        return Equations(
            aligned(f"a_t &= {preactivation('', self.skip)}", f"h_t &= {new}"),
            aligned(f"{D_H_BEFORE} &= e_{{t-1}} + {kept}{back}"),
        )
