"""The LSTM cell and its variants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from rnnviz.core import checks
from rnnviz.core.activations import (
    ACTIVATIONS,
    GATE_ACTIVATIONS,
    ONE,
    Activation,
    difference,
    exponential,
    logistic_of_negated,
    slope_at,
)
from rnnviz.core.cell import Cell, Recorded, Tape, Traced, Views, Weights, named_rows
from rnnviz.core.initializers import uniform
from rnnviz.core.latex import D_C, D_H, Equations, aligned, number, preactivation
from rnnviz.core.numerics import Array, log_abs_det
from rnnviz.core.variants import LSTM_VARIANTS, check_fixed

SQUASHES = ("tanh", "identity", "relu")


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

    peepholes: p_i ∘ c_{t-1}, p_f ∘ c_{t-1}, p_o ∘ c_t are added to the gates' pre-activations;
    parameters p_i, p_f, p_o (H,), each where its gate has weights. ∂c_t/∂c_{t-1} becomes
    f + c_{t-1} σ′(a_f) p_f + g σ′(a_i) p_i, and ∂h_t/∂c_t gains tanh(c_t) σ′(a_o) p_o.
    coupled: i_t = 1 − f_t (CIFG); then ∂c_t/∂a_f = (c_{t-1} − g_t) σ′(a_f).
    fixed: gates held at a constant from 0 to 1, such as (("i", 1.0),). A gate that is fixed or
    follows f has no weights: W_xh, W_hh, b_h stack the `trainable_gates` alone.
    candidate, output: "tanh", or "identity" for g_t = a_g (NIAF), h_t = o_t ∘ c_t (NOAF), or
    "relu", with which c grows without bound. gate_activation: σ of i, f and o, "logistic" or
    "hard_sigmoid" (Courbariaux et al. 2015, arXiv:1511.00363), which is exactly 0 or 1 from |a| =
    2.5 on, with slope 0.

    Source: Hochreiter and Schmidhuber 1997, doi 10.1162/neco.1997.9.8.1735; forget gate:
    Gers, Schmidhuber, Cummins 2000, doi 10.1162/089976600300015015; peepholes: Gers and
    Schmidhuber 2000, doi 10.1109/IJCNN.2000.861302; the other variants: Greff et al. 2015,
    arXiv:1503.04069, who leave one thing at a time out of an LSTM with peepholes.
    Raises ValueError for a size below 1 and for an option other than these.

    Examples
    --------
    >>> cell = LSTM(input_size=3, hidden_size=5)
    >>> cell.init_params(rng)["W_hh"].shape  # i, f, g and o, five rows each
    (20, 5)
    """

    peepholes: bool = field(default=False, kw_only=True)
    coupled: bool = field(default=False, kw_only=True)
    fixed: tuple[tuple[str, float], ...] = field(default=(), kw_only=True)
    candidate: str = field(default="tanh", kw_only=True)
    output: str = field(default="tanh", kw_only=True)
    gate_activation: str = field(default="logistic", kw_only=True)

    GATES = ("i", "f", "g", "o")
    # The three logistic gates next to each other, and the three that c_t depends on.
    GATE_ROWS = ("o", "i", "f", "g")
    D_GATE_ROWS = ("o", "i", "f", "g")
    CANDIDATE_GATE = "g"
    MEMORY_GATE = "f"
    INPUT_GATE = "i"
    MEMORY_BIAS = "forget_bias"
    VARIANTS = LSTM_VARIANTS
    HAS_CELL_STATE = True
    SAVES = True

    def forward_step(self, w: Weights, s: Array, *views: Array) -> None:
        a, logistic, o, i, f, g, h, c, h_next, c_next, tanh_c = views
        np.dot(w.hidden, h, s)
        np.add(a, s, a)
        if not self.plain:
            self._variant_step(w, *views)
            return
        exponential(logistic)
        np.add(logistic, ONE[a.dtype.char], logistic)
        np.reciprocal(logistic, logistic)
        np.tanh(g, g)
        np.multiply(i, g, tanh_c)
        np.multiply(f, c, c_next)
        np.add(c_next, tanh_c, c_next)
        np.tanh(c_next, tanh_c)
        np.multiply(o, tanh_c, h_next)

    def local_derivatives(
        self, record: Recorded, start: int, stop: int, d_a: Array, s: Array
    ) -> None:
        """d_a: ∂h/∂a_o = tanh(c) σ′, ∂c/∂a_i = g σ′, ∂c/∂a_f = c_{t-1} σ′, ∂c/∂a_g = i tanh′;
        s: ∂h/∂c = o (1 − tanh²c). Zeros for what has no weights; see the class for the rest."""
        assert record.c is not None
        assert record.saved is not None
        c, squashed, gates = (v[start:stop] for v in (record.c, record.saved, record.gate_values))
        o, i, _, g = self._four(gates)
        of_o, of_i, of_f, of_g = self._four(d_a)
        H, left = self.hidden_size, record.remainders
        of_gates, of_candidate, of_squashed = (
            None if left is None else left[start:stop, rows]
            for rows in (slice(3 * H), slice(3 * H, 4 * H), slice(4 * H, None))
        )
        sigma = GATE_ACTIVATIONS[self.gate_activation]
        slope_at(sigma, gates[:, : 3 * H], of_gates, d_a[:, : 3 * H])
        of_o *= squashed
        of_i *= g
        if self.coupled:
            if of_gates is not None and sigma.remainder is not None:
                i = of_gates[:, 2 * H :]  # 1 − f
            difference(c, g, of_candidate if self.candidate == "tanh" else None, s)
        of_f *= s if self.coupled else c
        slope_at(ACTIVATIONS[self.candidate], g, of_candidate, of_g)
        of_g *= i
        for gate in set(self.GATES) - set(self.trainable_gates):
            self._four(d_a)[self.D_GATE_ROWS.index(gate)][...] = 0
        slope_at(ACTIVATIONS[self.output], squashed, of_squashed, s)
        s *= o
        if self.peepholes:
            s += of_o * self._looks(record.params)[0]

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
        d_a, of_h, of_c, dh_dc, dc_dc = views
        assert d_c_next is not None
        np.multiply(dh_dc, d_h_next, s)
        np.add(d_c_next, s, d_c_next)
        np.multiply(of_c, d_c_next, of_c)
        np.multiply(of_h, d_h_next, of_h)
        np.dot(w.hidden, d_a, d_h)
        np.multiply(dc_dc, d_c_next, d_c)

    def _variant_step(self, w: Weights, *views: Array) -> None:
        """What follows the products; −a in the rows of o, i, f. h_next is scratch at first."""
        a, logistic, o, i, f, g, _, c, h_next, c_next, squashed = views
        if w.bias is not None:
            for gate, p in ((i, w.bias[1]), (f, w.bias[2])):
                np.multiply(p, c, h_next)
                np.add(gate, h_next, gate)
        self._open_negated(logistic if w.bias is None else a[len(o) : 3 * len(o)])
        self._hold(i=i, f=f)
        ACTIVATIONS[self.candidate].value(g, g)
        np.multiply(i, g, squashed)
        np.multiply(f, c, c_next)
        np.add(c_next, squashed, c_next)
        if w.bias is not None:
            np.multiply(w.bias[0], c_next, h_next)
            np.add(o, h_next, o)
            self._open_negated(o)
        self._hold(o=o)
        ACTIVATIONS[self.output].value(c_next, squashed)
        np.multiply(o, squashed, h_next)

    def _open_negated(self, a: Array) -> None:
        """Write the value of gates over −a."""
        if self.gate_activation == "logistic":
            logistic_of_negated(a)
        else:
            np.negative(a, a)
            GATE_ACTIVATIONS[self.gate_activation].value(a, a)

    def _hold(self, **gates: Array) -> None:
        """Write what is not learned: constants, and i = 1 − f."""
        for gate, value in self.fixed:
            if gate in gates:
                gates[gate].fill(value)
        if self.coupled and "i" in gates:
            np.subtract(ONE[gates["f"].dtype.char], gates["f"], gates["i"])

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("peepholes", "coupled"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be True or False, got {getattr(self, name)!r}")
        checks.choice("candidate", self.candidate, SQUASHES)
        checks.choice("output", self.output, SQUASHES)
        checks.choice("gate_activation", self.gate_activation, GATE_ACTIVATIONS)
        check_fixed(self.fixed, ("o",) if self.coupled else ("i", "f", "o"))

    @cached_property
    def trainable_gates(self) -> tuple[str, ...]:
        without = {gate for gate, _ in self.fixed} | ({"i"} if self.coupled else set())
        return tuple(gate for gate in self.GATES if gate not in without)

    @cached_property
    def plain(self) -> bool:
        """Whether no option is used, so that every step takes the short way."""
        functions = self.candidate, self.output, self.gate_activation
        options = self.peepholes, self.coupled, self.fixed
        return (options, functions) == ((False, False, ()), ("tanh", "tanh", "logistic"))

    @property
    def _peeping(self) -> tuple[str, ...]:
        """The gates that see the cell state."""
        return tuple(g for g in self.trainable_gates if g != "g") if self.peepholes else ()

    def _own_shapes(self) -> dict[str, tuple[int, ...]]:
        return {f"p_{gate}": (self.hidden_size,) for gate in self._peeping}

    def _init_own(self, rng: np.random.Generator) -> dict[str, Array]:
        """Uniform ±1/√H, each gate from a stream of its own."""
        H = self.hidden_size
        streams = dict(zip(self.GATES, rng.spawn(len(self.GATES)), strict=True))
        return {f"p_{g}": uniform(streams[g], (H,), 1 / np.sqrt(H)) for g in self._peeping}

    def forward_weights(self, params: dict[str, Array], batch_size: int) -> Weights:
        """The logistic gates' rows are negated: σ(a) = 1/(1 + e^(−a)) then starts with exp."""
        w = super().forward_weights(params, batch_size)
        for block in (w.input, w.hidden, w.skip):
            if block is not None:
                np.negative(block[: 3 * self.hidden_size], out=block[: 3 * self.hidden_size])
        return w._replace(bias=-self._looks(params)) if self.peepholes else w

    def _looks(self, params: dict[str, Array]) -> Array:
        """p_o, p_i, p_f as (3, H, 1); zeros for a gate without weights."""
        none = np.zeros_like(params["b_h"], shape=self.hidden_size)
        return np.stack([params.get(f"p_{gate}", none) for gate in "oif"])[..., None]

    def forward_views(self, tape: Tape, start: int, stop: int) -> Iterator[Views]:
        assert tape.c is not None
        assert tape.saved is not None
        a = tape.gates[start:stop]
        H = self.hidden_size
        steps = (a, a[:, : 3 * H], a[:, :H], a[:, H : 2 * H], a[:, 2 * H : 3 * H], a[:, 3 * H :])
        h, c, th = tape.h[start : stop + 1], tape.c[start : stop + 1], tape.saved[start:stop]
        return zip(*map(list, (*steps, h[:-1], c[:-1], h[1:], c[1:], th)), strict=True)

    def _four(self, rows: Array) -> tuple[Array, ...]:
        """The four blocks of (n, 4H, B)."""
        H = self.hidden_size
        return tuple(rows[:, k : k + H] for k in range(0, 4 * H, H))

    def backward_views(self, record: Recorded, start: int, d_a: Array, s: Array) -> Iterator[Views]:
        H, n = self.hidden_size, d_a.shape[0]
        of_c = d_a[:, H:].reshape(n, 3, H, -1)
        dc_dc = record.gate_values[start : start + n, 2 * H : 3 * H]
        if self.peepholes:
            _, p_i, p_f = self._looks(record.params)
            dc_dc = dc_dc + p_i * of_c[:, 0] + p_f * of_c[:, 1]
        return zip(*map(list, (d_a, d_a[:, :H], of_c, s, dc_dc)), strict=True)

    def assemble_grads(
        self, trace: Traced, d_a: Array, d_W_xh: Array, d_W_hh: Array, d_b: Array
    ) -> dict[str, Array]:
        """∂L/∂p = Σ_t ∂L/∂a_t ∘ c_{t-1} for i and f, Σ_t ∂L/∂a_t ∘ c_t for o."""
        assert trace.c is not None
        grads = super().assemble_grads(trace, d_a, d_W_xh, d_W_hh, d_b)
        seen = {"i": trace.c[:-1], "f": trace.c[:-1], "o": trace.c[1:]}
        rows = named_rows(d_a, self.D_GATE_ROWS)
        for gate in self._peeping:
            grads[f"p_{gate}"] = np.einsum("thb,thb->h", rows[gate], seen[gate])
        return grads

    def carried(self, trace: Traced) -> Array:
        """f ∘ ∂L/∂c_t, and what c_{t-1} sends through the peepholes of i and f."""
        carried = super().carried(trace)
        for gate in ("i", "f"):
            if f"p_{gate}" in trace.params:
                carried += trace.params[f"p_{gate}"][:, None] * trace.d_gates[gate]
        return carried

    def gate_paths(self, trace: Traced, d_a: Array) -> dict[str, tuple[Array, Array | None]]:
        """Through the peepholes of i and f to c_{t-1}, too."""
        paths, rows = super().gate_paths(trace, d_a), named_rows(d_a, self.D_GATE_ROWS)
        for gate in {"i", "f"} & set(self._peeping):
            paths[gate] = paths[gate][0], trace.params[f"p_{gate}"][:, None] * rows[gate]
        return paths

    def activation_of(self, gate: str) -> Activation:
        return (
            ACTIVATIONS[self.candidate] if gate == "g" else GATE_ACTIVATIONS[self.gate_activation]
        )

    @property
    def saved_activation(self) -> Activation:
        return ACTIVATIONS[self.output]

    def preactivations(self, record: Recorded) -> Array:
        """Those of o, i, f, g, with what the peepholes see, and c_t."""
        assert record.c is not None
        a = self.linear_part(record)
        if self.peepholes:
            seen = record.c[1:], record.c[:-1], record.c[:-1]
            for rows, p, c in zip(self._four(a), self._looks(record.params), seen, strict=False):
                rows += p * c
        return np.concatenate([a, record.c[1:]], axis=1)

    def unrest(self, record: Recorded) -> Array:
        """i g − (1 − f) c_{t-1}, which a step adds to c, over the larger of i and 1 − f."""
        assert record.c is not None
        gates, left = record.gates, 1 - record.gates["f"]
        remainder = GATE_ACTIVATIONS[self.gate_activation].remainder
        if remainder is not None and "f" in self.trainable_gates:  # also where f is rounded to 1
            left = remainder(self._four(self.preactivations(record))[2])
        i = left if self.coupled else gates["i"]
        with np.errstate(all="ignore"):
            pace = np.maximum(i, left)
            way = i / pace * gates["g"] - left / pace * record.c[:-1]
        return np.where(pace == 0, 0.0, way)

    @property
    def constant_gates(self) -> dict[str, float]:
        return dict(self.fixed)

    @property
    def closes(self) -> bool:
        return "relu" in (self.candidate, self.output) or self.gate_activation == "hard_sigmoid"

    @property
    def no_determinant(self) -> str:
        if self.skip:
            return "a leak or a skip"
        return "" if "o" in self.trainable_gates else "this variant"

    def log_determinants(
        self, record: Recorded, steps: slice, sequence: int
    ) -> tuple[Array, Array] | None:
        """ln |det(diag(∂h/∂a_o) U_o)| and the sum over units of ln |∂c_t/∂c_{t−1}| with h held
        (THEORY E9; derived for this project)."""
        if self.skip:
            return None
        n = steps.stop - steps.start
        if "o" not in self.trainable_gates:  # h_t is then a multiple of c_t, unit by unit
            return np.full(n, -np.inf), np.ones(n, bool)
        assert record.c is not None
        assert record.saved is not None
        c, squashed = (v[steps, :, sequence].astype(np.float64) for v in (record.c, record.saved))
        i, f, g, o = (record.gates[k][steps, :, sequence].astype(np.float64) for k in self.GATES)
        of = record.remainders
        left = [None] * 3 if of is None else self._four(of[steps, :, sequence])[:3]
        slope_o, slope_i, slope_f = map(self._slope, (o, i, f), left)
        carried = f
        if "p_f" in record.params:
            kept = c - g if self.coupled else c
            carried = carried + kept * slope_f * record.params["p_f"]
        if "p_i" in record.params:
            carried = carried + g * slope_i * record.params["p_i"]
        of_o = squashed * slope_o
        logs = np.log(np.abs(of_o)) + np.log(np.abs(carried))
        of_U = log_abs_det(record.params["W_hh"][self.gate_rows("o")])
        dead = np.full(n, np.isneginf(of_U))
        if self.output == "relu":
            dead |= (squashed == 0).any(axis=1)
        if self.gate_activation == "hard_sigmoid":
            dead |= ((slope_o == 0) | (carried == 0)).any(axis=1)
        return of_U + logs.sum(axis=1), dead

    def _slope(self, gate: Array, remainder: Array | None) -> Array:
        """σ′ from the value of a gate, and its remainder if that is known."""
        slope = np.empty_like(gate)
        slope_at(GATE_ACTIVATIONS[self.gate_activation], gate, remainder, slope)
        return slope

    def equations(self) -> Equations:
        g = preactivation("g", self.skip)
        g = g if self.candidate == "identity" else f"{ACTIVATIONS[self.candidate].latex}({g})"
        out = "c_t" if self.output == "identity" else f"{ACTIVATIONS[self.output].latex}(c_t)"
        forward = aligned(
            *(f"{gate}_t &= {self._gate_latex(gate)}" for gate in "if"),
            f"g_t &= {g}",
            r"c_t &= f_t \circ c_{t-1} + i_t \circ g_t",
            f"o_t &= {self._gate_latex('o')}",
            f"h_t &= o_t \\circ {out}",
        )
        looks = {
            gate: f" + p_{gate} \\circ \\frac{{\\partial L}}{{\\partial a_{{{gate},t}}}}"
            for gate in self._peeping
        }
        slope = {"tanh": r"(1 - \tanh^2 c_t) \circ ", "identity": "",
                 "relu": r"\mathrm{ReLU}'(c_t) \circ "}[self.output]  # fmt: skip
        held = f"\\left.{D_C}\\right|_{{h_t}}"
        backward = aligned(
            r"\left.\frac{\partial L}{\partial c_{t-1}}\right|_{h_{t-1}} &= f_t \circ "
            f"{D_C}{looks.get('i', '')}{looks.get('f', '')}",
            f"{D_C} &= {held} + o_t \\circ {slope}{D_H}{looks.get('o', '')}",
            r"\left\lVert\frac{\partial L}{\partial s_t}\right\rVert^2 &= "
            f"\\left\\lVert{D_H}\\right\\rVert^2 + \\left\\lVert{held}\\right\\rVert^2",
        )
        return Equations(forward, backward)

    def _gate_latex(self, gate: str) -> str:
        if gate in self.constant_gates:
            return number(self.constant_gates[gate])
        if gate == "i" and self.coupled:
            return "1 - f_t"
        seen = "c_t" if gate == "o" else "c_{t-1}"
        look = f" + p_{gate} \\circ {seen}" if self.peepholes else ""
        sigma = GATE_ACTIVATIONS[self.gate_activation].latex
        return f"{sigma}({preactivation(gate, self.skip, look)})"
