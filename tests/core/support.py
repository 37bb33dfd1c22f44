"""Problems to check the core with, and the complex-step check itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnnviz.core import GRU, LSTM, RNN, Cell, Trace, bptt, forward

Array = np.ndarray
TINY = 1e-30
"""Imaginary step: its square is below rounding, and no difference is taken."""

KINDS: dict[str, Any] = {
    "rnn tanh": RNN,
    "rnn relu": lambda D, H: RNN(D, H, "relu"),
    "rnn logistic": lambda D, H: RNN(D, H, "logistic"),
    "rnn identity": lambda D, H: RNN(D, H, "identity"),
    "lstm": LSTM,
    "gru": GRU,
}


@dataclass(frozen=True)
class Problem:
    """A cell, everything that its forward pass depends on, and e = ∂⁺L/∂h (T, H, B)."""

    cell: Cell
    params: dict[str, Array]
    states: dict[str, Array]
    x: Array
    direct: Array
    lengths: Array | None = None

    def trace(self) -> Trace:
        x = emptied(self.x, self.lengths)
        return bptt(self.cell, self.params, x, self.direct, lengths=self.lengths, **self.states)

    def loss(self) -> complex:
        """L = Σ_t e_t · h_t, whose direct gradient is e."""
        x = emptied(self.x, self.lengths)
        record = forward(self.cell, self.params, x, lengths=self.lengths, **self.states)
        return (self.direct * record.h[1:]).sum()

    def cast(self, dtype: type) -> Problem:
        """The same in another precision."""
        params, states = (
            {name: value.astype(dtype) for name, value in values.items()}
            for values in (self.params, self.states)
        )
        x, direct = self.x.astype(dtype), self.direct.astype(dtype)
        return replace(self, params=params, states=states, x=x, direct=direct)

    def inputs(self) -> dict[str, Array]:
        """Everything that L depends on, by name."""
        return {**self.params, **self.states, "x": self.x}

    def moved(self, name: str, direction: Array) -> Problem:
        """The same with one input moved."""
        changed = self.inputs()[name] + direction
        if name == "x":
            return replace(self, x=changed)
        field = "params" if name in self.params else "states"
        return replace(self, **{field: {**getattr(self, field), name: changed}})


def emptied(x: Array, lengths: Array | None) -> Array:
    """x (T, D, B) with zeros in the padding."""
    if not isinstance(lengths, np.ndarray):
        return x
    return np.where(np.arange(len(x))[:, None, None] < lengths, x, 0)


def problem(
    kind: str, T: int, B: int, D: int, H: int, seed: int = 0, scale: float = 1.2
) -> Problem:
    """Random parameters, states, inputs and direct gradients, none of them zero."""
    return problem_of(KINDS[kind](D, H), T, B, seed, scale)


def problem_of(cell: Cell, T: int, B: int, seed: int = 0, scale: float = 1.2) -> Problem:
    """The same for a cell; with a skip of d steps h0 (d, H, B)."""
    rng, D, H = np.random.default_rng(seed), cell.input_size, cell.hidden_size
    params = {
        name: scale / np.sqrt(shape[-1] if len(shape) == 2 else 2) * rng.standard_normal(shape)
        for name, shape in cell.param_shapes().items()
    }
    names = ("h0", "c0") if cell.HAS_CELL_STATE else ("h0",)
    states = {name: rng.standard_normal((H, B)) for name in names}
    if cell.skip:
        states["h0"] = rng.standard_normal((cell.skip, H, B))
    return Problem(
        cell, params, states, rng.standard_normal((T, D, B)), rng.standard_normal((T, H, B))
    )


def gradients(trace: Trace) -> dict[str, Array]:
    """∂L/∂ every input of the problem, by the names of `Problem.inputs`.

    ∂L/∂c_0 as autograd defines it: c_0 reaches the loss through c_1 alone.
    """
    result = {**trace.grads, "h0": trace.d_h[0], "x": trace.d_x}
    if trace.d_h_before is not None:
        result["h0"] = np.concatenate([trace.d_h_before, trace.d_h[:1]])
    if trace.d_c is not None:
        result["c0"] = trace.d_c[0]
    return result


def unit_steps(shape: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Array]]:
    """(index, array that is 1 there and 0 elsewhere), for every index."""
    for index in np.ndindex(*shape):
        step = np.zeros(shape)
        step[index] = 1
        yield index, step


def slope(p: Problem, name: str, direction: Array) -> float:
    """∂L/∂(input) along a direction, by a complex step."""
    return p.moved(name, 1j * TINY * direction).loss().imag / TINY


def direction_error(p: Problem, rng: np.random.Generator) -> float:
    """Largest relative error of the gradients, each along one random direction.

    Relative to Σ|g·v|, the size of what is summed.
    """
    errors = []
    for name, gradient in gradients(p.trace()).items():
        v = rng.standard_normal(gradient.shape)
        size = np.abs(gradient * v).sum()
        errors.append(abs(slope(p, name, v) - (gradient * v).sum()) / (size or 1.0))
    return max(errors)


def entry_error(p: Problem) -> float:
    """Largest error of any entry of any gradient, relative to the largest entry of its array."""
    errors = []
    for name, gradient in gradients(p.trace()).items():
        true = np.zeros(gradient.shape)
        for index, step in unit_steps(gradient.shape):
            true[index] = slope(p, name, step)
        errors.append(np.abs(gradient - true).max() / (np.abs(true).max() or 1.0))
    return max(errors)


def recorded(trace: Trace) -> dict[str, Array]:
    """Every array of a trace but those that were given."""
    named = {"h": trace.h, "c": trace.c, "d_h": trace.d_h, "d_c": trace.d_c, "d_x": trace.d_x}
    named |= {f"gate {gate}": values for gate, values in trace.gates.items()}
    named |= {f"d_gate {gate}": values for gate, values in trace.d_gates.items()}
    named |= {f"d_{name}": values for name, values in trace.grads.items()}
    return {name: values for name, values in named.items() if values is not None}


def over_time(trace: Trace) -> dict[str, Array]:
    """The recorded arrays that have a batch axis."""
    return {name: v for name, v in recorded(trace).items() if name[2:] not in trace.grads}


def same(found: Trace, expected: Trace) -> None:
    """Check that everything recorded is equal bit for bit."""
    for name, values in recorded(expected).items():
        np.testing.assert_array_equal(recorded(found)[name], values, name)
