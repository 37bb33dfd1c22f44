"""A cell's sizes and parameters: which there are, their first values, where each gate's lie, and
their gradients as long products over all steps of a finished backward pass at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from rnnviz.core import checks
from rnnviz.core.initializers import chrono_bias, init_W_hh, uniform
from rnnviz.core.numerics import Array

# Measured: columns of a weight-gradient product that make it efficient.
BLOCK_COLUMNS = 1 << 10


@dataclass(frozen=True)
class Parameters:
    """What a `Cell` is a kind of: sizes, gates and named parameters; no arrays.

    Parameters of every cell (G = number of gates with weights, H = hidden_size, D = input_size):
    W_xh (G·H, D), W_hh (G·H, H), b_h (G·H,), gates stacked in the order of `trainable_gates`.
    With skip = d >= 2 also W_skip (G·H, H): W_skip h_{t-d} is added where W_xh x_t is
    (Zhang et al. 2016, arXiv:1602.08210). Raises ValueError for a size below 1 or skip = 1.

    GATES: the gates in the order in which parameters stack them. MEMORY_GATE: the one that keeps
    the state (LSTM f, GRU z), INPUT_GATE: the one that lets news in, CANDIDATE_GATE: the one that
    makes them. MEMORY_BIAS: what the cell itself calls the bias of its memory gate. VARIANTS:
    name -> options of the cell's published forms.
    """

    input_size: int
    hidden_size: int
    skip: int = field(default=0, kw_only=True)

    GATES: ClassVar[tuple[str, ...]]
    CANDIDATE_GATE: ClassVar[str]
    MEMORY_GATE: ClassVar[str | None] = None
    INPUT_GATE: ClassVar[str | None] = None
    MEMORY_BIAS: ClassVar[str] = "memory_bias"
    VARIANTS: ClassVar[Mapping[str, Mapping[str, Any]]] = {"plain": {}}

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
        params["b_h"] = self.stacked(b_h, self.GATES)
        params["W_xh"] = self.stacked(
            uniform(rng_x, (gates * H, self.input_size), bound), self.GATES
        )
        params["W_hh"] = self.stacked(init_W_hh(init, rng_h, H, gates, gain), self.GATES)
        if self.skip:
            params["W_skip"] = self.stacked(init_W_hh(init, rng_skip, H, gates, gain), self.GATES)
        params |= self._init_own(rng_own)
        with np.errstate(over="ignore", under="ignore"):
            return {name: value.astype(numbers) for name, value in params.items()}

    def _init_own(self, rng: np.random.Generator) -> dict[str, Array]:
        """Draw the parameters of `_own_shapes` that do not start at 0."""
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
        gates = self.trainable_gates
        start = gates.index(checks.choice("gate", gate, gates)) * self.hidden_size
        return slice(start, start + self.hidden_size)

    def arranged(self, rows: Array, order: tuple[str, ...]) -> Array:
        """A copy of a stacked parameter with its blocks in another order, and with blocks of
        zeros for the gates that have no weights."""
        gates, n = self.trainable_gates, len(self.trainable_gates)
        if order == gates:
            return rows.copy()
        if n < len(self.GATES):
            rows, n = np.concatenate([rows, np.zeros_like(rows[: self.hidden_size])]), n + 1
        at = [gates.index(gate) if gate in gates else n - 1 for gate in order]
        return rows.reshape(n, -1).take(at, 0).reshape(-1, *rows.shape[1:])

    def stacked(self, rows: Array, order: tuple[str, ...]) -> Array:
        """The inverse of `arranged`: the blocks of the trainable gates as parameters stack them."""
        if order == self.trainable_gates:
            return rows
        at = [order.index(gate) for gate in self.trainable_gates]
        return rows.reshape(len(order), -1).take(at, 0).reshape(-1, *rows.shape[1:])


def input_gradients(W_xT: Array, d_a: Array) -> Array:
    """W_xᵀ d_a_t of every step, (T, D, B); W_xT (D, rows), d_a (T, rows, B)."""
    with np.errstate(all="ignore"):
        return np.matmul(W_xT, d_a)


def weight_gradients(
    d_a: Array, x: Array, h: Array, x_rows: slice, h_rows: slice
) -> tuple[Array, Array, Array]:
    """Σ_t d_a_t x_tᵀ over the rows `x_rows` of d_a, Σ_t d_a_t h_tᵀ over `h_rows`, and Σ_t d_a_t.

    d_a (T, rows, B), x (T, D, B), h (T, H, B); sums over steps and batch.
    """
    sums: list[Array] = []
    for block in _blocks(d_a):
        a, x_t, h_t = (_side_by_side(v[block]) for v in (d_a, x, h))
        terms = [a[x_rows] @ x_t.T, a[h_rows] @ h_t.T, a.sum(axis=1)]
        sums = [s + term for s, term in zip(sums, terms, strict=True)] if sums else terms
    d_W_x, d_W_h, d_b = sums
    return d_W_x, d_W_h, d_b


def summed_products(a: Array, v: Array) -> Array:
    """Σ_t a_t v_tᵀ over steps and batch, (rows of a, rows of v)."""
    products = [_side_by_side(a[b]) @ _side_by_side(v[b]).T for b in _blocks(a)]
    return np.sum(products, axis=0)


def _blocks(steps: Array) -> list[slice]:
    """Blocks of steps with about BLOCK_COLUMNS columns, steps times sequences."""
    n = max(1, BLOCK_COLUMNS // steps.shape[2])
    return [slice(start, start + n) for start in range(0, len(steps), n)]


def columns_at_once(seq_len: int, batch_size: int) -> int:
    """How many columns a product over all steps lays side by side, at the most."""
    return min(seq_len * batch_size, max(BLOCK_COLUMNS, batch_size))


def _side_by_side(steps: Array) -> Array:
    """(n, F, B) as one matrix (F, n·B)."""
    return steps.transpose(1, 0, 2).reshape(steps.shape[1], -1)
