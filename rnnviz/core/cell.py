"""What every cell provides.

A cell is what happens in one step, forward and backward side by side, and what can be done for
many steps at once before and after the loop. The loops over time are in `bptt` alone.

A cell may keep its gates in another order than its parameters: `GATE_ROWS` names the rows of the
recorded gate values, `D_GATE_ROWS` those of their gradients. The orders are chosen so that gates
that share an operation lie next to each other and one NumPy call serves them all: the last gate
comes first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np

from rnnviz.core import checks
from rnnviz.core.initializers import chrono_bias, init_W_hh, uniform
from rnnviz.core.trace import Record, Trace

Array = np.ndarray
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


@dataclass(frozen=True)
class Cell(ABC):
    """Sizes and options; no arrays.

    Parameters of every cell (G = number of gates with weights, H = hidden_size, D = input_size):
    W_xh (G·H, D), W_hh (G·H, H), b_h (G·H,), gates stacked in the order of `trainable_gates`.
    With skip = d >= 2 also W_skip (G·H, H): W_skip h_{t-d} is added where W_xh x_t is
    (Zhang et al. 2016, arXiv:1602.08210). Raises ValueError for a size below 1 or skip = 1.
    """

    input_size: int
    hidden_size: int
    skip: int = field(default=0, kw_only=True)

    GATES: ClassVar[tuple[str, ...]]
    GATE_ROWS: ClassVar[tuple[str, ...]]
    D_GATE_ROWS: ClassVar[tuple[str, ...]]
    MEMORY_GATE: ClassVar[str | None] = None
    INPUT_GATE: ClassVar[str | None] = None
    HAS_CELL_STATE: ClassVar[bool] = False

    def __post_init__(self) -> None:
        checks.size("input_size", self.input_size)
        checks.size("hidden_size", self.hidden_size)
        if checks.size("skip", self.skip, minimum=0) == 1:
            raise ValueError("skip must be 0 (none) or an integer of at least 2, got 1")

    @cached_property
    def trainable_gates(self) -> tuple[str, ...]:
        """The gates that have weights, in the order of `GATES`."""
        return self.GATES

    def param_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name -> shape of every parameter."""
        rows, H = len(self.trainable_gates) * self.hidden_size, self.hidden_size
        shapes = {"W_xh": (rows, self.input_size), "W_hh": (rows, H), "b_h": (rows,)}
        return shapes | self._own_shapes() | ({"W_skip": (rows, H)} if self.skip else {})

    def _own_shapes(self) -> dict[str, tuple[int, ...]]:
        """Parameters that this kind of cell has besides."""
        return {}

    def init_params(
        self,
        rng: np.random.Generator,
        *,
        init: str = "uniform",
        gain: float = 1.0,
        memory_bias: float = 0.0,
        input_scale: float = 1.0,
        chrono: int | None = None,
        dtype: type = np.float64,
    ) -> dict[str, Array]:
        """Draw parameters. W_hh and W_skip: `init` times `gain`, each H × H block by itself. W_xh:
        uniform ±input_scale/√H. Biases are 0 but the memory gate's (LSTM f, GRU z), which is
        `memory_bias`, or drawn for time scales up to `chrono` steps (see `chrono_bias`).

        W_xh, W_hh, the biases, W_skip and what a cell has besides have streams of their own, and
        in them each gate: options of one do not redraw another, nor does a gate without weights.
        """
        numbers = checks.float_type("dtype", dtype)
        rng_x, rng_h, rng_b, rng_skip, rng_own = rng.spawn(5)
        H, gates = self.hidden_size, len(self.GATES)
        bound = checks.number("input_scale", input_scale, 0) / np.sqrt(H)
        params = {name: np.zeros(shape) for name, shape in self.param_shapes().items()}
        b_h = np.zeros(gates * H)
        self._set_memory(b_h, rng_b, memory_bias, chrono)
        params["b_h"] = self._of_learned(b_h)
        params["W_xh"] = self._of_learned(uniform(rng_x, (gates * H, self.input_size), bound))
        params["W_hh"] = self._of_learned(init_W_hh(init, rng_h, H, gates, gain))
        if self.skip:
            params["W_skip"] = self._of_learned(init_W_hh(init, rng_skip, H, gates, gain))
        params |= self._init_own(rng_own)
        return {name: value.astype(numbers) for name, value in params.items()}

    def _init_own(self, rng: np.random.Generator) -> dict[str, Array]:
        """Those of `_own_shapes` that do not start at 0."""
        return {}

    def _set_memory(
        self, b_h: Array, rng: np.random.Generator, memory_bias: float, chrono: int | None
    ) -> None:
        """Set the rows of b_h (of all `GATES`) that decide how long a unit keeps."""
        if self.MEMORY_GATE is None:
            return
        blocks = dict(zip(self.GATES, b_h.reshape(len(self.GATES), -1), strict=True))
        keep = blocks[self.MEMORY_GATE]
        if chrono is None:
            keep[:] = checks.number("memory_bias", memory_bias)
            return
        keep[:] = chrono_bias(rng, self.hidden_size, chrono)
        if self.INPUT_GATE is not None:
            blocks[self.INPUT_GATE][:] = -keep

    def gate_rows(self, gate: str) -> slice:
        """The rows of W_xh, W_hh and b_h that belong to a gate.

        Raises ValueError for a gate that has no weights.
        """
        start = (
            self.trainable_gates.index(checks.choice("gate", gate, self.trainable_gates))
            * self.hidden_size
        )
        return slice(start, start + self.hidden_size)

    def _of_learned(self, rows: Array) -> Array:
        """The rows of the trainable gates, of the rows of all gates."""
        return self.stacked(rows, self.GATES)

    def arranged(self, rows: Array, order: tuple[str, ...]) -> Array:
        """A copy of a stacked parameter with its blocks in another order, and with blocks of
        zeros for the gates that have no weights."""
        learned, n = self.trainable_gates, len(self.trainable_gates)
        if n < len(self.GATES):
            rows, n = np.concatenate([rows, np.zeros_like(rows[: self.hidden_size])]), n + 1
        at = [learned.index(gate) if gate in learned else n - 1 for gate in order]
        return rows.reshape(n, -1).take(at, 0).reshape(-1, *rows.shape[1:])

    def stacked(self, rows: Array, order: tuple[str, ...]) -> Array:
        """The inverse of `arranged`: the blocks of the trainable gates as parameters stack them."""
        at = [order.index(gate) for gate in self.trainable_gates]
        return rows.reshape(len(order), -1).take(at, 0).reshape(-1, *rows.shape[1:])

    @abstractmethod
    def allocate(self, seq_len: int, batch_size: int, dtype: np.dtype) -> Tape:
        """Fresh arrays for a forward pass."""

    @abstractmethod
    def forward_weights(self, params: dict[str, Array], batch_size: int) -> Weights: ...

    @abstractmethod
    def forward_views(self, tape: Tape, start: int, stop: int) -> Iterator[Views]:
        """The arguments of `forward_step` after (W, s), for each step in turn."""

    @abstractmethod
    def forward_step(self, w: Weights, s: Array, *views: Array) -> None:
        """One step. `s` is scratch with as many rows as `w.hidden`."""

    @abstractmethod
    def backward_weights(self, params: dict[str, Array]) -> Weights:
        """W_xhᵀ and W_hhᵀ, their columns in the order of `D_GATE_ROWS` (the rows they act on)."""

    @abstractmethod
    def local_derivatives(
        self, record: Record, start: int, stop: int, d_a: Array, s: Array
    ) -> None:
        """Write to d_a (n, ·, B) what each step multiplies its incoming gradient with, for steps
        start to stop at once; s (n, H, B) may keep one factor more."""

    @abstractmethod
    def backward_views(self, record: Record, start: int, d_a: Array, s: Array) -> Iterator[Views]:
        """The views of `backward_step` that do not depend on the gradients, step by step."""

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

        Writes d_h and d_c, completes d_c_next to the total gradient and turns the step's factors
        into gate gradients. Linear in (d_h_next, d_c_next). `s` is scratch (H, B).
        """

    @abstractmethod
    def assemble_grads(self, d_W_xh: Array, d_W_hh: Array, d_b: Array) -> dict[str, Array]:
        """Parameter gradients from products of all rows of d_a: d_W_xh = Σ_t d_a_t x_tᵀ over the
        rows `x_rows`, d_W_hh = Σ_t d_a_t h_{t-1}ᵀ over `h_rows`, d_b = Σ_t d_a_t."""

    def complete_grads(self, grads: dict[str, Array], trace: Trace, d_a: Array) -> dict[str, Array]:
        """What `assemble_grads` made, with the gradients added that are not products of d_a with
        x_t or h_{t-1}. d_a (T, ·, B) are the true gradients, `trace.d_log2` applied."""
        return grads

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
