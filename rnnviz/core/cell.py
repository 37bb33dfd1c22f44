"""What every cell provides.

A cell is what happens in one step, forward and backward side by side, what can be done for many
steps at once before and after the loop, and what it answers about itself, so that nobody needs
to ask of which kind it is. The loops over time are in `bptt` alone.

A kind of cell has to give GATES, CANDIDATE_GATE, `forward_step`, `local_derivatives` and
`backward_step`; everything else has a default. A cell may keep its gates in another order than
its parameters: `GATE_ROWS` names the rows of the recorded gate values, `D_GATE_ROWS` those of
their gradients. The orders are chosen so that gates that share an operation lie next to each
other and one NumPy call serves them all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

import numpy as np

from rnnviz.core import parameters
from rnnviz.core.activations import ACTIVATIONS, Activation
from rnnviz.core.latex import Equations, literal
from rnnviz.core.numerics import Array
from rnnviz.core.parameters import Parameters

Views = tuple[Array, ...]


class Tape(NamedTuple):
    """The arrays that the forward pass fills: h, c (T+1, H, B), gates (T, G·H, B), saved."""

    h: Array
    c: Array | None
    gates: Array
    saved: Array | None


class Weights(NamedTuple):
    """A cell's parameters as its loops want them: rows reordered, negated where a cell says so.

    Forward: input (G·H, D+1) acts on [x_t; 1], hidden (G·H, H) on h_{t-1}, skip (G·H, H) on
    h_{t-d}, in the same rows as input; bias is what a cell adds itself. Backward: all transposed,
    to act on d_a: input and skip on its rows `x_rows`, hidden on `h_rows`.
    """

    input: Array
    hidden: Array
    skip: Array | None = None
    bias: Array | None = None


class Recorded(Protocol):
    """What a cell reads of a `Record`, which holds the cell and says what each of these is."""

    @property
    def params(self) -> dict[str, Array]: ...
    @property
    def x(self) -> Array: ...
    @property
    def h(self) -> Array: ...
    @property
    def c(self) -> Array | None: ...
    @property
    def gate_values(self) -> Array: ...
    @property
    def saved(self) -> Array | None: ...
    @property
    def delayed(self) -> Array | None: ...
    @property
    def remainders(self) -> Array | None: ...
    @property
    def gates(self) -> dict[str, Array]: ...


class Traced(Recorded, Protocol):
    """What a cell reads of a `Trace`."""

    @property
    def h_before(self) -> Array | None: ...
    @property
    def d_c(self) -> Array | None: ...
    @property
    def d_gate_values(self) -> Array: ...
    @property
    def d_gate_log2(self) -> Array: ...
    @property
    def d_gates(self) -> dict[str, Array]: ...


def named_rows(
    values: Array, order: tuple[str, ...], names: tuple[str, ...] | None = None
) -> dict[str, Array]:
    """Views of the blocks of (T, len(order)·H, B) by name: those of `names`, or all in order."""
    H = values.shape[1] // len(order)
    start = {name: order.index(name) * H for name in (order if names is None else names)}
    return {name: values[:, at : at + H] for name, at in start.items()}


@dataclass(frozen=True)
class Cell(Parameters, ABC):
    """Sizes and options; no arrays. Pages call a cell by the name of its class.

    HAS_CELL_STATE: whether the state is (h, c). SAVES: whether a step keeps one array (H, B) for
    its way back. SIMPLE: whether W_hh is one block behind one nonlinearity that makes h, as in
    Elman's simple recurrent network: rules of σ_max and the spectral radius are about such cells.
    """

    GATE_ROWS: ClassVar[tuple[str, ...]]
    D_GATE_ROWS: ClassVar[tuple[str, ...]]
    HAS_CELL_STATE: ClassVar[bool] = False
    SAVES: ClassVar[bool] = False
    SIMPLE: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        """Rows are in the order of `GATES` unless a cell says otherwise."""
        for name in ("GATE_ROWS", "D_GATE_ROWS") if "GATES" in vars(cls) else ():
            if name not in vars(cls):
                setattr(cls, name, cls.GATES)

    @abstractmethod
    def forward_step(self, w: Weights, s: Array, *views: Array) -> None:
        """One step: make gates and the next state of W x + b, which stands where the gates go.

        views: those of `forward_views`, by default the gates in the order of `GATE_ROWS`, h_{t-1},
        c_{t-1}, h_t, c_t and what is saved, as far as the cell has them. `s` is scratch with as
        many rows as `w.hidden`.
        """

    @abstractmethod
    def local_derivatives(
        self, record: Recorded, start: int, stop: int, d_a: Array, s: Array
    ) -> None:
        """Write to d_a (n, ·, B) what each step multiplies its incoming gradient with, for steps
        start to stop at once; s (n, H, B) may keep one more. To be read of the record: parameters,
        gate_values[start:stop], saved[start:stop], remainders[start:stop] if there are any, and h
        and c before each step alone, which are h[start:stop] and c[start:stop]."""

    @abstractmethod
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
        """From the gradients of the state after a step to those of the state before it.

        Writes d_h and d_c, completes d_c_next to the total gradient and turns the step's local
        derivatives into gate gradients. Linear in (d_h_next, d_c_next). views: those of
        `backward_views`, by default d_a, its gates in the order of `D_GATE_ROWS`, what
        `local_derivatives` left in its s, and the values of the gates. `s` is scratch (H, B).
        """

    def allocate(self, seq_len: int, batch_size: int, dtype: np.dtype) -> Tape:
        """Fresh arrays for a forward pass."""
        H, B = self.hidden_size, batch_size
        return Tape(
            h=np.empty((seq_len + 1, H, B), dtype),
            c=np.empty((seq_len + 1, H, B), dtype) if self.HAS_CELL_STATE else None,
            gates=np.empty((seq_len, len(self.GATE_ROWS) * H, B), dtype),
            saved=np.empty((seq_len, H, B), dtype) if self.SAVES else None,
        )

    def forward_weights(self, params: dict[str, Array], batch_size: int) -> Weights:
        """[W_xh, b_h], W_hh and W_skip, their rows in the order of `GATE_ROWS`."""
        rows = [np.column_stack([params["W_xh"], params["b_h"]]), params["W_hh"]]
        rows += [params["W_skip"]] if self.skip else []
        return Weights(*(self.arranged(block, self.GATE_ROWS) for block in rows))

    def forward_views(self, tape: Tape, start: int, stop: int) -> Iterator[Views]:
        """The arguments of `forward_step` after (w, s), for each step in turn."""
        states = [v[start : stop + 1] for v in (tape.h, tape.c) if v is not None]
        views = [*named_rows(tape.gates[start:stop], self.GATE_ROWS).values()]
        views += [*(v[:-1] for v in states), *(v[1:] for v in states)]
        views += [] if tape.saved is None else [tape.saved[start:stop]]
        return zip(*map(list, views), strict=True)

    def backward_weights(self, params: dict[str, Array]) -> Weights:
        """W_xhᵀ, W_hhᵀ and W_skipᵀ, their columns in the order of `D_GATE_ROWS` (the rows they
        act on)."""
        names = ("W_xh", "W_hh", "W_skip") if self.skip else ("W_xh", "W_hh")
        return Weights(*(self.arranged(params[name], self.D_GATE_ROWS).T for name in names))

    def backward_views(self, record: Recorded, start: int, d_a: Array, s: Array) -> Iterator[Views]:
        """The arguments of `backward_step` that do not depend on the gradients, step by step."""
        gates = named_rows(record.gate_values[start : start + len(d_a)], self.GATE_ROWS)
        views = (d_a, *named_rows(d_a, self.D_GATE_ROWS).values(), s, *gates.values())
        return zip(*map(list, views), strict=True)

    def weight_gradients(self, trace: Traced) -> dict[str, Array]:
        """∂L/∂(parameter), summed over time and batch; the keys and shapes of the parameters."""
        with np.errstate(all="ignore"):
            log2 = trace.d_gate_log2
            d_a = np.ldexp(trace.d_gate_values, log2) if log2.any() else trace.d_gate_values
            rows = self.x_rows, self.h_rows
            sums = parameters.weight_gradients(d_a, trace.x, trace.h[:-1], *rows)
            grads = self.assemble_grads(trace, d_a, *sums)
            if trace.delayed is not None:
                d_W_skip = parameters.summed_products(d_a[:, self.x_rows], trace.delayed)
                grads["W_skip"] = self.stacked(d_W_skip, self.x_gate_rows)
            return grads

    def assemble_grads(
        self, trace: Traced, d_a: Array, d_W_xh: Array, d_W_hh: Array, d_b: Array
    ) -> dict[str, Array]:
        """Parameter gradients from d_a (T, ·, B), the true ones (`trace.d_gate_log2` applied), and
        from products of its rows: d_W_xh = Σ_t d_a_t x_tᵀ over the rows `x_rows`, d_W_hh = Σ_t
        d_a_t h_{t-1}ᵀ over `h_rows`, d_b = Σ_t d_a_t."""
        rows = {"W_xh": d_W_xh, "W_hh": d_W_hh, "b_h": d_b}
        return {name: self.stacked(value, self.D_GATE_ROWS) for name, value in rows.items()}

    def input_gradients(self, trace: Traced) -> Array:
        """d_x_t = W_xhᵀ d_a_t, (T, D, B)."""
        W_xT = self.arranged(trace.params["W_xh"], self.x_gate_rows).T
        return parameters.input_gradients(W_xT, trace.d_gate_values[:, self.x_rows])

    def skip_gradients(self, trace: Traced) -> Array:
        """W_skipᵀ d_a of the first d−1 steps: the gradients of the states before h[0], (d−1, H,
        B)."""
        assert trace.h_before is not None
        W_skipT = self.arranged(trace.params["W_skip"], self.x_gate_rows).T
        steps = min(len(trace.h_before), len(trace.x))
        d_a = trace.d_gate_values[:steps, self.x_rows]
        result = np.zeros_like(trace.h_before, d_a.dtype)
        result[:steps] = parameters.input_gradients(W_skipT, d_a)
        return result

    def carried(self, trace: Traced) -> Array:
        """What ∂L/∂c_t sends to c_{t-1} with h_{t-1} held, (T, H, B), in the units of d_c[t] and of
        the gates: by default through the memory gate alone."""
        assert self.MEMORY_GATE is not None
        assert trace.d_c is not None
        return trace.gates[self.MEMORY_GATE] * trace.d_c[1:]

    def hidden_terms(self, trace: Traced, d_a: Array) -> list[tuple[Array, Array]]:
        """What ∂L/∂W_hh is summed from: rows of d_a (T, rows, B), in the order of the rows of W_hh,
        each beside what W_hh multiplies there, (T, H, B)."""
        rows = self.stacked(np.arange(d_a.shape[1]), self.D_GATE_ROWS)
        return [(d_a[:, rows], trace.h[:-1])]

    def seen_by(self, record: Recorded, gate: str) -> tuple[Array, Array | None]:
        """What W_hh multiplies in the pre-activation of a gate, (T, H, B), and what multiplies that
        product there, (T, H, B); None for 1."""
        return record.h[:-1], None

    def gate_paths(self, trace: Traced, d_a: Array) -> dict[str, tuple[Array, Array | None]]:
        """What each gate with weights sends through its pre-activation to h_{t-1}, (T, H, B), and
        to c_{t-1} where it sees it. Linear in d_a (T, ·, B), the gradients of `D_GATE_ROWS`."""
        rows = np.concatenate([terms for terms, _ in self.hidden_terms(trace, d_a)], axis=1)
        own = {gate: self.gate_rows(gate) for gate in self.trainable_gates}
        W_hh = trace.params["W_hh"]
        return {gate: (W_hh[of].T @ rows[:, of], None) for gate, of in own.items()}

    @property
    def x_gate_rows(self) -> tuple[str, ...]:
        """The names of the rows `x_rows` of d_a; `stacked(rows, x_gate_rows)` orders a gradient
        with these rows (d_W_xh, d_W_skip) as parameters are."""
        return self.D_GATE_ROWS

    @property
    def x_rows(self) -> slice:
        """The rows of d_a that W_xh acts on."""
        return slice(None)

    @property
    def h_rows(self) -> slice:
        """The rows of d_a that W_hh acts on."""
        return slice(None)

    @property
    def multiplies_twice(self) -> bool:
        """Whether W_hh acts twice in a step, the second time on what the first one made."""
        return False

    def activation_of(self, gate: str) -> Activation:
        """The nonlinearity of a gate, with its slope and its Lipschitz constant γ: tanh of the
        candidate, the logistic function of the others, unless a cell says otherwise."""
        return ACTIVATIONS["tanh" if gate == self.CANDIDATE_GATE else "logistic"]

    def preactivations(self, record: Recorded) -> Array | None:
        """What the nonlinearities of the gates are applied to, of the record's own states, (T, ·,
        B): in the order of `GATE_ROWS`, then, where what is `saved` is a nonlinearity's value, what
        that is applied to. None where a cell does not say it."""
        return None

    def linear_part(self, record: Recorded, W_hh: Array | None = None) -> Array:
        """W_xh x + W_hh h_{t-1} + W_skip h_{t-d} + b_h, (T, G·H, B), in the order of `GATE_ROWS`.
        W_hh: another than the cell's."""
        p, order = record.params, self.GATE_ROWS
        a: Array = self.arranged(p["W_xh"], order) @ record.x
        a += self.arranged(p["W_hh"] if W_hh is None else W_hh, order) @ record.h[:-1]
        a += self.arranged(p["b_h"], order)[:, None]
        if record.delayed is not None:
            a += self.arranged(p["W_skip"], order) @ record.delayed
        return a

    def remainders(self, record: Recorded) -> Array | None:
        """1 − |y| of the values y that slopes are read off, from `preactivations`, in their order:
        with all digits, where y is rounded to ±1. None where a cell does not say it."""
        a = self.preactivations(record)
        if a is None:
            return None
        found = np.zeros_like(a)
        for rows, function in self._functions(a):
            if function.remainder is not None:
                found[:, rows] = function.remainder(a[:, rows])
        return found

    def to_kinks(self, a: Array) -> Array:
        """How far each of `preactivations` is from where its nonlinearity has no derivative, (T, ·,
        B); +inf where it has one everywhere."""
        found = np.full_like(a, np.inf)
        for rows, function in self._functions(a):
            for kink in function.kinks:
                found[:, rows] = np.minimum(found[:, rows], np.abs(a[:, rows] - kink))
        return found

    def _functions(self, a: Array) -> Iterator[tuple[slice, Activation]]:
        """The nonlinearity of each block of `preactivations`."""
        H = self.hidden_size
        for k in range(a.shape[1] // H):
            of_gate = k < len(self.GATE_ROWS)
            function = self.activation_of(self.GATE_ROWS[k]) if of_gate else self.saved_activation
            yield slice(k * H, (k + 1) * H), function

    def unrest(self, record: Recorded) -> Array:
        """How far each unit's memory is from where its gates would have it stay, (T, H, B): 0 at a
        fixed point, and no matter how small a part of that way a step goes. By default what a step
        moves."""
        moved: Array = record.h[1:] - record.h[:-1]
        return moved

    @property
    def saved_activation(self) -> Activation:
        """The nonlinearity whose value a step saves, if it saves one."""
        return ACTIVATIONS["tanh"]

    @property
    def constant_gates(self) -> dict[str, float]:
        """The gates that are held at a number, by name."""
        return {}

    @property
    def closes(self) -> bool:
        """Whether some of its slopes are exactly 0 over a range, beside others that are smooth."""
        return False

    @property
    def other_ways(self) -> tuple[str, ...]:
        """The ways from h_{t-1} or before to h_t that do not lead through W_hh: "leak", "skip"."""
        return ("skip",) if self.skip else ()

    @property
    def no_determinant(self) -> str:
        """What of this cell leaves ln |det J_t| without a closed form, or always −inf; "" if
        `log_determinants` has something to say."""
        return f"a {type(self).__name__}"

    def log_determinants(
        self, record: Recorded, steps: slice, sequence: int
    ) -> tuple[Array, Array] | None:
        """ln |det ∂s_t/∂s_{t-1}| (n,) of some steps from the values of the gates, −inf where it is
        0, and whether it is 0 in exact arithmetic too; None without a closed form."""
        return None

    def state_jacobian(self, params: dict[str, Array], slopes: Array) -> Array | None:
        """∂s_t/∂s_{t-1} made of W_hh and the slopes φ′(a_t) (H,), leak and skip included: the step
        by which a rule about W_hh is judged. None unless the cell is `SIMPLE`."""
        return None

    def equations(self) -> Equations:
        """Forward and backward in Markdown; without formulas of its own, the class's docstring."""
        return literal(type(self).__doc__ or "")
