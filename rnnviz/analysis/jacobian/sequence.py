"""The steps of a run as linear maps: J_t u (JVP) and J_tᵀ v (VJP) of any cell.

The state is the whole one: s = h, or (h, c) with h and c independent (THEORY E9); with a skip of
d steps also the older h_{t−1}, ..., h_{t−d+1}. So S = H or 2H, and (d − 1) H more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from rnnviz.analysis.jacobian.structured import Rows, Source, rows_of, state_size
from rnnviz.core import Cell, Record, checks
from rnnviz.core.numerics import Array

Progress = Callable[[float], None]
"""Is told the share that is done, rising to 1, after every step; what it raises stops the work."""

BLOCK_BYTES = 1 << 19
"""Of rows of J_t that are made at once: few enough to stay in the cache."""
BLOCK = 16
"""Steps whose matrices are made at once."""
KEPT_BYTES = 1 << 24
"""Of rows of J_t of all steps, if they are kept once they are made."""


class Steps(Protocol):
    """n steps in float64; entry k is the step from s_{start+k} to the next state. size is S."""

    @property
    def size(self) -> int: ...
    def __len__(self) -> int: ...
    def jvp(self, k: int, columns: Array) -> Array:
        """J u of each column (S, m): a change of s_{t−1} -> that of s_t."""

    def vjp(self, k: int, columns: Array) -> Array:
        """Jᵀ v of each column (S, m): a gradient of s_t -> that of s_{t−1}."""

    def matrix(self, k: int) -> Array:
        """J itself (S, S): rows s_t, columns s_{t−1}."""

    def compact(self, k: int) -> Array:
        """A matrix of the size of one step's own state, H or 2H, with |det| that of J: where a skip
        of d steps keeps older states, J only moves these, but for the oldest."""


def state_jacobians(record: Record, steps: Sequence[int] | None = None, sequence: int = 0) -> Array:
    """J_t = ∂s_t/∂s_{t−1} for each t in `steps` (all of 1 to T unless given), (n, S, S).

    Rows are s_t, columns s_{t−1}, h before c. The state is what follows the nonlinearity:
    J_t = diag(φ′(a_t)) W_hh for an RNN. float64 whatever the record's dtype.
    Of a cell with a skip of d steps this is lag 1 alone: h_{t−d} counts as given. Such a cell's
    whole state is (h_t, ..., h_{t−d+1}), and a product of these J_t leaves out every path that
    takes a skip; the gradients of a `Trace` hold them all.
    Raises ValueError for a step or sequence that the record does not have.

    Examples
    --------
    >>> analysis.state_jacobians(lstm, steps=[20]).shape  # of h and c together
    (1, 16, 16)
    """
    checked = check_steps(record, steps, sequence)
    source = rows_of(record, checked, sequence)
    blocks = [source.rows(start, min(start + BLOCK, len(checked))).matrix()
              for start in range(0, len(checked), BLOCK)]  # fmt: skip
    return np.concatenate(blocks)


def linearize(record: Record, sequence: int = 0, start: int = 0, stop: int | None = None) -> Steps:
    """The steps of one sequence as linear maps, of any cell.

    Parameters
    ----------
    record : a forward pass, of T steps and B sequences.
    sequence : which one, from 0 to B − 1.
    start, stop : from s_start to s_stop, its last state unless given.

    Returns
    -------
    stop − start `Steps` with J_t u, J_tᵀ v and J_t itself, made when they are asked for.

    Raises
    ------
    ValueError
        For a sequence or a step that the record does not have.

    Examples
    --------
    >>> steps = analysis.linearize(rnn)
    >>> len(steps), steps.matrix(0).shape
    (20, (8, 8))
    >>> steps.vjp(19, np.ones((8, 1))).shape  # J_20ᵀ v
    (8, 1)
    """
    steps = np.arange(*check_range(record, sequence, start, stop)) + 1
    return JacobianSequence(record.cell, rows_of(record, steps, sequence))


def through_gates(record: Record, sequence: int) -> Steps:
    """`linearize` of a cell without a cell state, without what its memory gate keeps of h: what the
    gates see of it alone, however little beside the other."""
    steps = check_steps(record, None, sequence)
    return JacobianSequence(record.cell, rows_of(record, steps, sequence, kept=False))


def side_by_side(record: Record, sequences: Array, start: int, stop: int) -> JacobianSequence:
    """The steps from s_start to s_stop of several sequences at once, padding too: columns are
    (B, S, m), matrices (B, S, S)."""
    return JacobianSequence(record.cell, rows_of(record, np.arange(start, stop) + 1, sequences))


def check_steps(record: Record, steps: Sequence[int] | None, sequence: int) -> Array:
    """The steps as an array, all of the sequence's (1 to T without padding) if None. Raises
    ValueError for one out of range."""
    if not 0 <= checks.size("sequence", sequence, 0) < record.batch_size:
        raise ValueError(f"sequence must be from 0 to {record.batch_size - 1}, got {sequence}")
    last = record.steps_of(sequence)
    if steps is None:
        return np.arange(1, last + 1)
    given = np.asarray([checks.size("steps", t) for t in steps], dtype=int)
    if given.size == 0 or given.max() > last:
        raise ValueError(f"steps must be from 1 to {last}, got {list(steps)}")
    return given


def check_range(record: Record, sequence: int, start: int, stop: int | None) -> tuple[int, int]:
    """(start, stop) of a stretch of at least one step of a sequence."""
    last = len(check_steps(record, None, sequence))
    stop = last if stop is None else stop
    if not 0 <= start < stop <= last:
        raise ValueError(
            f"start and stop must be 0 <= start < stop <= {last}, got {start} and {stop}"
        )
    return start, stop


class JacobianSequence:
    """The steps of a run by the rows of their Jacobians: all that were made are kept, or the last
    block.
    """

    def __init__(self, cell: Cell, source: Source) -> None:
        self._source = source
        self._H, self._size = cell.hidden_size, state_size(cell)
        self._own = self._H * (1 + cell.HAS_CELL_STATE)
        step_bytes = 8 * self._own * self._H * int(np.prod(source.shape[1:]))
        self._per_block = max(1, BLOCK_BYTES // step_bytes)
        keep = len(self) * step_bytes <= KEPT_BYTES
        self._blocks: dict[int, list[Rows]] = {}
        self._most = len(self) if keep else 1

    def __len__(self) -> int:
        return self._source.shape[0]

    @property
    def size(self) -> int:
        return self._size

    def vjp(self, k: int, columns: Array, out: Array | None = None) -> Array:
        rows, H, own = self._rows(k), self._H, self._own
        result = np.empty(columns.shape) if out is None else out
        transposed = rows.hidden.swapaxes(-1, -2)
        if self._size == H:
            return np.matmul(transposed, columns, out=result)
        np.matmul(transposed, columns[..., :own, :], out=result[..., :H, :])
        if rows.carried is not None:
            c = result[..., H:own, :]
            np.multiply(rows.carried[..., :H, :], columns[..., :H, :], out=c)
            c += rows.carried[..., H:, :] * columns[..., H:own, :]
        if rows.skip is not None:
            result[..., :H, :] += columns[..., own : own + H, :]
            result[..., own:-H, :] = columns[..., own + H :, :]
            result[..., -H:, :] = rows.skip.swapaxes(-1, -2) @ columns[..., :own, :]
        return result

    def jvp(self, k: int, columns: Array) -> Array:
        rows, H, own = self._rows(k), self._H, self._own
        if self._size == H:
            return rows.hidden @ columns
        result = np.empty(columns.shape)
        np.matmul(rows.hidden, columns[..., :H, :], out=result[..., :own, :])
        if rows.carried is not None:
            result[..., :H, :] += rows.carried[..., :H, :] * columns[..., H:own, :]
            result[..., H:own, :] += rows.carried[..., H:, :] * columns[..., H:own, :]
        if rows.skip is not None:
            result[..., :own, :] += rows.skip @ columns[..., -H:, :]
            result[..., own : own + H, :] = columns[..., :H, :]
            result[..., own + H :, :] = columns[..., own:-H, :]
        return result

    def matrix(self, k: int) -> Array:
        rows, H, own, unit = self._rows(k), self._H, self._own, np.arange(self._H)
        if rows.skip is None:
            return rows.matrix()
        result = np.zeros((*self._source.shape[1:], self._size, self._size))
        result[..., :own, :own] = rows.matrix()
        result[..., :own, -H:] += rows.skip
        older = np.arange(own + H, self._size)
        result[..., own + unit, unit] = 1
        result[..., older, older - H] = 1
        return result

    def compact(self, k: int) -> Array:
        if self._size == self._own:
            return self.matrix(k)
        rows, H = self._rows(k), self._H
        assert rows.skip is not None
        if rows.carried is None:
            return rows.skip
        diagonals = rows.carried[..., :H, 0], rows.carried[..., H:, 0]
        carried = [diagonal[..., None] * np.eye(H) for diagonal in diagonals]
        return np.concatenate([np.concatenate(carried, axis=-2), rows.skip], axis=-1)

    def _rows(self, k: int) -> Rows:
        start = k - k % self._per_block
        block = self._blocks.get(start)
        if block is None:
            with np.errstate(all="ignore"):
                rows = self._source.rows(start, min(start + self._per_block, len(self)))
            if len(self._blocks) == self._most:
                self._blocks.clear()
            block = self._blocks[start] = rows.by_step()
        return block[k - start]


class _WithProgress:
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

    def compact(self, k: int) -> Array:
        return self._steps.compact(k)

    def jvp(self, k: int, columns: Array) -> Array:
        self._tell()
        return self._steps.jvp(k, columns)

    def vjp(self, k: int, columns: Array) -> Array:
        self._tell()
        return self._steps.vjp(k, columns)

    def _tell(self) -> None:
        self._done = min(self._done + 1, len(self._steps))
        self._progress(self._first + self._span * self._done / len(self._steps))


def with_progress(
    steps: Steps, progress: Progress | None, first: float = 0.0, last: float = 1.0
) -> Steps:
    """Wrap `steps` to report progress, from share `first` to `last`; unchanged if it is None."""
    return steps if progress is None else _WithProgress(steps, progress, first, last)
