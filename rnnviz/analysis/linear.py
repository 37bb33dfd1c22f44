"""The steps of one sequence as linear maps: J_t u (JVP) and J_tᵀ v (VJP) of any cell.

The state is the whole one: s = h, or (h, c) with h and c independent (THEORY E9); with a skip of
d steps also the older h_{t−1}, ..., h_{t−d+1}. So S = H or 2H, and (d − 1) H more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from rnnviz.analysis.factored import Factored, pull_older, state_size
from rnnviz.analysis.jacobians import StepsBack, check_steps
from rnnviz.core import Record

Array = np.ndarray
Progress = Callable[[float], None]
"""Is told the share that is done, rising to 1, after every step; what it raises stops the work."""


class Steps(Protocol):
    """n steps in float64; entry k is the step from s_{start+k} to the next state. size is S."""

    @property
    def size(self) -> int: ...
    def __len__(self) -> int: ...
    def push(self, k: int, columns: Array) -> Array:
        """J u of each column (S, m): a change of s_{t−1} -> that of s_t."""

    def pull(self, k: int, columns: Array) -> Array:
        """Jᵀ v of each column (S, m): a gradient of s_t -> that of s_{t−1}."""

    def matrix(self, k: int) -> Array:
        """J itself (S, S): rows s_t, columns s_{t−1}."""


def linearize(record: Record, sequence: int = 0, start: int = 0, stop: int | None = None) -> Steps:
    """The steps from s_start to s_stop of one sequence (its last state unless given).

    `Factored`, which forms no J, where the cell is of that form; else `Formed`.
    Raises ValueError for a sequence or a step that the record does not have.
    """
    steps = np.arange(*check_range(record, sequence, start, stop)) + 1
    factored = Factored(record, steps, sequence)
    return factored if factored.holds else Formed(record, steps, sequence)


def check_range(record: Record, sequence: int, start: int, stop: int | None) -> tuple[int, int]:
    """(start, stop) of a stretch of at least one step of a sequence."""
    last = len(check_steps(record, None, sequence))
    stop = last if stop is None else stop
    if not 0 <= start < stop <= last:
        raise ValueError(
            f"start and stop must be 0 <= start < stop <= {last}, got {start} and {stop}"
        )
    return start, stop


class Formed:
    """Steps of a cell that does not factor: Jᵀ v by the cell's backward step, J u through J, which
    is a backward step from the columns of the identity."""

    def __init__(self, record: Record, steps: Array, sequence: int = 0) -> None:
        self._back, self._cell = StepsBack(record, steps, sequence), record.cell
        self._skip = self._cell.backward_weights(record.params).skip
        self._kept: tuple[int, Array] = (-1, np.empty(0))

    def __len__(self) -> int:
        return len(self._back.steps)

    @property
    def size(self) -> int:
        return state_size(self._cell)

    def pull(self, k: int, columns: Array) -> Array:
        columns = np.ascontiguousarray(columns)
        H, states = self._cell.hidden_size, 1 + self._cell.HAS_CELL_STATE
        v = [columns[i : i + H] for i in range(0, self.size, H)]
        before, d_a = self._back.apply_with_gates(k, v[0], v[1] if states == 2 else None)
        result = np.empty_like(columns)
        parts = [result[i : i + H] for i in range(0, self.size, H)]
        for part, values in zip(parts, before, strict=False):
            part[...] = 0 if values is None else values
        if self._skip is not None:
            of_skip = np.dot(self._skip, d_a[self._cell.x_rows])
            pull_older(v[states:], of_skip, parts, states)
        return result

    def push(self, k: int, columns: Array) -> Array:
        return self.matrix(k) @ columns

    def matrix(self, k: int) -> Array:
        if self._kept[0] != k:
            self._kept = (k, np.ascontiguousarray(self.pull(k, np.eye(self.size)).T))
        return self._kept[1].copy()


class Watched:
    """Steps that tell how far a way through all of them has come, from share `first` to `last`."""

    def __init__(self, steps: Steps, progress: Progress, first: float, last: float) -> None:
        self._steps, self._progress, self._done = steps, progress, 0
        self._first, self._span = first, last - first

    def __len__(self) -> int:
        return len(self._steps)

    @property
    def size(self) -> int:
        return self._steps.size

    def matrix(self, k: int) -> Array:
        return self._steps.matrix(k)

    def push(self, k: int, columns: Array) -> Array:
        self._tell()
        return self._steps.push(k, columns)

    def pull(self, k: int, columns: Array) -> Array:
        self._tell()
        return self._steps.pull(k, columns)

    def _tell(self) -> None:
        self._done = min(self._done + 1, len(self._steps))
        self._progress(self._first + self._span * self._done / len(self._steps))


def watched(
    steps: Steps, progress: Progress | None, first: float = 0.0, last: float = 1.0
) -> Steps:
    """The same steps if nobody wants to know."""
    return steps if progress is None else Watched(steps, progress, first, last)
