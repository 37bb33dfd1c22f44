"""What every cell provides.

A cell is what happens in one step, forward and backward side by side, and what can be done for
many steps at once before and after the loop. The loops over time are in `bptt` alone.

A cell may keep its gates in another order than its parameters: `SLABS` names the rows of the
recorded gate values, `D_SLABS` those of their gradients. The orders are chosen so that gates
that share an operation lie next to each other and one NumPy call serves them all: the last gate
comes first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from rnnviz.core import checks
from rnnviz.core.initializers import chrono_bias, init_W_hh, uniform
from rnnviz.core.trace import Record

Array = np.ndarray
Views = tuple[Array, ...]


class Tape(NamedTuple):
    """The arrays that the forward pass fills: h, c (T+1, H, B), gates (T, G·H, B), memo."""

    h: Array
    c: Array | None
    gates: Array
    memo: Array | None


class Weights(NamedTuple):
    """A cell's parameters as its loops want them: rows reordered, negated where a cell says so.

    Forward: input (G·H, D+1) acts on [x_t; 1], hidden (G·H, H) on h_{t-1}; bias (H, B) is what
    a cell adds itself. Backward: both transposed, to act on d_a.
    """

    input: Array
    hidden: Array
    bias: Array | None = None


@dataclass(frozen=True)
class Cell(ABC):
    """Sizes and options; no arrays.

    Parameters of every cell (G = number of gates, H = hidden_size, D = input_size):
    W_xh (G·H, D), W_hh (G·H, H), b_h (G·H,), gates stacked in the order of `GATES`.
    """

    input_size: int
    hidden_size: int

    GATES: ClassVar[tuple[str, ...]]
    SLABS: ClassVar[tuple[str, ...]]
    D_SLABS: ClassVar[tuple[str, ...]]
    MEMORY_GATE: ClassVar[str | None] = None
    INPUT_GATE: ClassVar[str | None] = None
    HAS_CELL_STATE: ClassVar[bool] = False

    def __post_init__(self) -> None:
        checks.size("input_size", self.input_size)
        checks.size("hidden_size", self.hidden_size)

    def param_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name -> shape of every parameter."""
        rows = len(self.GATES) * self.hidden_size
        return {
            "W_xh": (rows, self.input_size),
            "W_hh": (rows, self.hidden_size),
            "b_h": (rows,),
        }

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
        """Draw parameters. W_hh: `init` times `gain`, each H × H block by itself. W_xh: uniform
        ±input_scale/√H. Biases are 0 but the memory gate's (LSTM f, GRU z), which is
        `memory_bias`, or drawn for time scales up to `chrono` steps (see `chrono_bias`).

        W_xh, W_hh and the biases have streams of their own: options of one do not redraw another.
        """
        numbers = checks.float_type("dtype", dtype)
        rng_x, rng_h, rng_b = rng.spawn(3)
        shapes = self.param_shapes()
        bound = checks.number("input_scale", input_scale, 0) / np.sqrt(self.hidden_size)
        params = {name: np.zeros(shape) for name, shape in shapes.items()}
        params["W_xh"] = uniform(rng_x, shapes["W_xh"], bound)
        params["W_hh"] = init_W_hh(init, rng_h, self.hidden_size, len(self.GATES), gain)
        self._set_memory(params["b_h"], rng_b, memory_bias, chrono)
        return {name: value.astype(numbers) for name, value in params.items()}

    def _set_memory(
        self, b_h: Array, rng: np.random.Generator, memory_bias: float, chrono: int | None
    ) -> None:
        if self.MEMORY_GATE is None:
            return
        keep = self.gate_rows(self.MEMORY_GATE)
        if chrono is None:
            b_h[keep] = checks.number("memory_bias", memory_bias)
            return
        b_h[keep] = chrono_bias(rng, self.hidden_size, chrono)
        if self.INPUT_GATE is not None:
            b_h[self.gate_rows(self.INPUT_GATE)] = -b_h[keep]

    def gate_rows(self, gate: str) -> slice:
        """The rows of W_xh, W_hh and b_h that belong to a gate."""
        start = self.GATES.index(gate) * self.hidden_size
        return slice(start, start + self.hidden_size)

    def last_gate_first(self, rows: Array) -> Array:
        """A copy of a stacked parameter, rotated by one gate."""
        return np.concatenate((rows[-self.hidden_size :], rows[: -self.hidden_size]))

    def first_gate_last(self, rows: Array) -> Array:
        """The inverse of `last_gate_first`."""
        return np.concatenate((rows[self.hidden_size :], rows[: self.hidden_size]))

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
        """W_xhᵀ and W_hhᵀ, their columns in the order of `D_SLABS` (the rows they act on)."""

    @abstractmethod
    def factors(self, record: Record, start: int, stop: int, d_a: Array, s: Array) -> None:
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

    @property
    def x_rows(self) -> slice:
        """The rows of d_a that W_xh acts on."""
        return slice(None)

    @property
    def h_rows(self) -> slice:
        """The rows of d_a that W_hh acts on."""
        return slice(None)
