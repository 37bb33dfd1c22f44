"""A network whose input is held constant: its step F, and whether a state of it rests."""

from __future__ import annotations

import numpy as np

from rnnviz.analysis.jacobian.sequence import side_by_side
from rnnviz.core import Cell, Record, forward
from rnnviz.core.numerics import Array

RESIDUAL = 1e-11
"""How little each unit moves at a fixed point, and what rounding adds."""
RESTS = 1e-6
"""How far from where its gates would have it a unit is at a fixed point, at most, of 1 + |s|."""
FAR = 1e6
"""No larger state is called a fixed point: what a unit gains there in a step can be rounding."""
KINK = 1e-10
"""A pre-activation that is no further from a kink, relative to 1 + ‖s‖, is on it."""
ASIDE = np.array([1.0, np.e, np.pi])
"""What is added to units to see which pre-activations the state moves."""


class HeldNetwork:
    """A network whose input is held constant: F and its Jacobian at many states (n, own)."""

    def __init__(self, cell: Cell, record: Record, value: float) -> None:
        self._cell, self._params, self._value = cell, record.params, value

    def step(self, states: Array, steps: int = 1) -> Record:
        """A step, or some, from each state, as a batch; with a skip older states are the same."""
        cell, H = self._cell, self._cell.hidden_size
        h, c = states[:, :H].T, states[:, H:].T
        h0 = np.repeat(h[None], cell.skip, axis=0) if cell.skip else h
        x = np.full((steps, cell.input_size, len(states)), self._value)
        return forward(cell, self._params, x, h0=h0, c0=c if cell.HAS_CELL_STATE else None)

    def after(self, states: Array, steps: int) -> Array:
        """Where some steps take each of the states, (n, own)."""
        return self.moved(self.step(states, steps)) if len(states) else states

    def moved(self, record: Record) -> Array:
        """Where a record ends, (n, own): F of the states, after one step."""
        parts = [record.h[-1]] if record.c is None else [record.h[-1], record.c[-1]]
        return np.concatenate(parts).T

    def is_still(self, states: Array) -> Array:
        """Whether a step moves no unit of each."""
        moved = np.abs(self.moved(self.step(states)) - states)
        size = np.abs(states)
        allowed = RESIDUAL + 8 * np.finfo(float).eps * size
        return ((moved <= allowed) & (size <= FAR)).all(axis=1)

    def is_at_rest(self, states: Array) -> Array:
        """Whether each is where its gates would have it stay: a unit that lets 1e-17 of the way
        through is not moved by a step, either."""
        way = np.abs(self._cell.unrest(self.step(states))[0])
        largest = np.abs(states).max(axis=1, initial=0.0)
        return (way <= RESTS * (1 + largest)).all(axis=0)

    def on_kink(self, states: Array) -> Array:
        """Whether some pre-activation, of those that the state moves, lies where its nonlinearity
        has no derivative, as far as rounding lets tell."""
        if not len(states):
            return np.zeros(0, bool)
        a = self._cell.preactivations(self.step(states))
        aside = self._cell.preactivations(self.step(states + ASIDE[np.arange(states.shape[1]) % 3]))
        if a is None or aside is None:
            return np.zeros(len(states), bool)
        near = self._cell.to_kinks(a)[0] <= KINK * (1 + np.linalg.norm(states, axis=1))
        return (near & (aside != a)[0]).any(axis=0)

    def residual(self, states: Array) -> Array:
        """‖F(s) − s‖ of each."""
        if not len(states):
            return np.zeros(0)
        return np.linalg.norm(self.moved(self.step(states)) - states, axis=1)

    def jacobians(self, states: Array) -> Array:
        """∂F/∂s of each, of the whole state, (n, S, S)."""
        return self.jacobians_of(self.step(states)) if len(states) else np.zeros((0, 1, 1))

    def jacobians_of(self, record: Record) -> Array:
        sequences = np.arange(record.batch_size)
        return side_by_side(record, sequences, 0, 1).matrix(0)

    def own(self, jacobians: Array) -> Array:
        """Where all older states move together with h, (n, own, own)."""
        H, own = self._cell.hidden_size, self._cell.hidden_size * (1 + self._cell.HAS_CELL_STATE)
        result = jacobians[:, :own, :own].copy()
        if jacobians.shape[1] > own:
            result[:, :, :H] += jacobians[:, :own, -H:]
        return result
