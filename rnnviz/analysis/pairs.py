"""Which loss speaks to which step: ‖∂L_s/∂h_k‖ for every loss step s and source step k <= s.

A loss at every step refills the total gradient and hides what has vanished; here each loss is
followed by itself, all of them in one backward pass: a column of gradients for each, which joins
at step s. Source: RNNbow, Cashman et al. 2018, IEEE CG&A 38(6), arXiv:1907.12545.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnnviz.analysis import limits
from rnnviz.analysis.jacobian.sequence import Progress, side_by_side
from rnnviz.analysis.pair_columns import ENTRIES, Columns, together
from rnnviz.analysis.reachability import reachable
from rnnviz.analysis.truncated import check_whole
from rnnviz.core import Trace, checks
from rnnviz.core.numerics import Array, Status, largest_finite, log10_hypot, status_of


@dataclass(frozen=True, eq=False)
class PairMatrix:
    """Gradients of the losses L_s with respect to the states at the steps k, 0 the initial state; T
    is the last step that any sequence of the batch has.

    losses (n,): the steps s at which any error enters. h, state (n, T+1): log10 of ‖∂L_s/∂h_k‖₂ and
    ‖∂L_s/∂s_k‖₂ (h and c independent), RMS over the sequences that have step s; h_status,
    state_status likewise, NOT_RECORDED for k > s.
    cancellation (T+1,): ‖Σ_s v_s‖ over Σ_s ‖v_s‖ of v_s = ∂L_s/∂h_k of one sequence, both RMS over
    the sequences: from 0 (the losses cancel) to 1 (they agree, or each has but one); NaN where
    nothing arrives. checksum (T+1,): ‖Σ_s v_s − ∂L/∂h_k‖ over the same, against the gradient that
    the trace holds; rounding only.
    """

    label: str
    losses: Array
    h: Array
    state: Array
    h_status: Array
    state_status: Array
    cancellation: Array
    checksum: Array

    @property
    def worst_checksum(self) -> float:
        """The largest relative checksum over all steps; NaN if no loss has a gradient."""
        return largest_finite(self.checksum)


def pair_matrix(
    trace: Trace,
    label: str,
    sequences: Sequence[int] | None = None,
    scale: float = 1.0,
    progress: Progress | None = None,
) -> PairMatrix:
    """‖∂L_s/∂h_k‖ from the direct gradients of `trace`, for the given sequences (all if None).

    scale multiplies every gradient, as in `gradient_flow`. THEORY C2.
    Raises ValueError for a sequence that the trace does not have, a scale that is not positive,
    above the limits of `limits`, and `Truncated` of a truncated pass, which leaves terms out.

    Examples
    --------
    >>> every = rnnviz.run(rnnviz.Experiment(hidden_size=8, seq_len=20, loss_at="every"))
    >>> analysis.pair_matrix(every["rnn"].trace, "RNN").h.shape  # of 20 losses, at steps 0 to 20
    (20, 21)
    """
    check_whole("pair_matrix", trace)
    chosen = _chosen(trace, sequences)
    shift = float(np.log10(checks.number("scale", scale, checks.ABOVE_0)))
    losses = np.flatnonzero(trace.enters[:, chosen].any(axis=1)) + 1
    cost = limits.pairs_cost(trace.cell, trace.seq_len, len(losses), len(chosen))
    limits.check("The pair matrix", cost, "fewer sequences or a shorter one")
    with np.errstate(all="ignore"):
        groups, found = _groups(trace, chosen, len(losses)), None
        for i, some in enumerate(groups):
            share = i / len(groups), (i + 1) / len(groups)
            of_group = _group(trace, some, losses, _between(progress, *share))
            found = of_group if found is None else [*map(log10_hypot, found, of_group)]
        assert found is not None
        h, state, total, error, apart = found
        having = (trace.present[losses - 1][:, chosen].sum(axis=1).clip(1))[:, None]
        mean = shift - 0.5 * np.log10(having)
    before = np.arange(h.shape[1]) <= losses[:, None]
    has_zero = bool(np.isneginf(h[before]).any())
    open_h, open_state = _open(trace, chosen, losses) if has_zero else (None, None)
    (h, h_status), (state, state_status) = (
        _curve(h + mean, losses, open_h), _curve(state + mean, losses, open_state)
    )  # fmt: skip
    with np.errstate(all="ignore"):
        cancellation, checksum = 10 ** (total - apart), 10 ** (error - apart)
    every, stop = (h, state, h_status, state_status, cancellation, checksum), trace.longest + 1
    return PairMatrix(label, losses, *(values[..., :stop] for values in every))


def _chosen(trace: Trace, sequences: Sequence[int] | None) -> Array:
    given = range(trace.batch_size) if sequences is None else sequences
    chosen = np.array([checks.size("sequences", b, 0) for b in given], int)
    if not chosen.size or chosen.max() >= trace.batch_size:
        raise ValueError(f"sequences must be from 0 to {trace.batch_size - 1}, got {list(given)}")
    return chosen


def _groups(trace: Trace, chosen: Array, losses: int) -> list[Array]:
    most = together(trace.cell, losses, len(chosen))
    return [chosen[start : start + most] for start in range(0, len(chosen), most)]


def _between(progress: Progress | None, first: float, last: float) -> Progress:
    if progress is None:
        return lambda share: None
    return lambda share: progress(first + (last - first) * share)


def _group(trace: Trace, chosen: Array, losses: Array, progress: Progress) -> list[Array]:
    """log10 of h, state (n, T+1), of ‖Σ_s v_s‖ and of its distance to the trace's (T+1,); root of
    the sum of squares over the sequences."""
    columns, last = Columns(trace, chosen, losses), int(losses.max(initial=0))
    most, steps, start = max(1, ENTRIES // len(chosen)), None, last
    for k in range(last, -1, -1):
        columns.join(k)
        columns.measure(k)
        if k == 0:
            break
        if steps is None or k == start:
            start = max(0, k - most)
            steps = side_by_side(trace, chosen, start, k)
        columns.vjp(steps, k - 1 - start, k)
        progress((last - k + 1) / last)
    return columns.log10()


def _curve(values: Array, losses: Array, open_: Array | None) -> tuple[Array, Array]:
    """(values, status), NOT_RECORDED after each loss."""
    after = np.arange(values.shape[1]) > losses[:, None]
    status = status_of(values, open_)
    status[after] = Status.NOT_RECORDED
    return np.where(after, np.nan, values), status


def _open(trace: Trace, chosen: Array, losses: Array) -> tuple[Array | None, Array | None]:
    """Where exact arithmetic lets L_s reach h_k and s_k, (n, T+1) each. Of slopes that are 0 or 1
    none is ever rounded to zero: None. Smooth ones are never zero: of losses that enter at the same
    units only the lag decides, and the last one tells for all. Where a cell has both, each loss is
    followed by itself."""
    cell = trace.cell
    if cell.SIMPLE and cell.activation_of(cell.CANDIDATE_GATE).name in ("relu", "identity"):
        return None, None
    if cell.closes:
        found = [_alone(trace, int(s), chosen) for s in losses]
        return np.array([h for h, _ in found]), np.array([state for _, state in found])
    return _by_lag(trace, chosen, losses)


def _by_lag(trace: Trace, chosen: Array, losses: Array) -> tuple[Array, Array]:
    """`_open` of smooth slopes."""
    h, state = (np.zeros((len(losses), trace.seq_len + 1), bool) for _ in range(2))
    enters = [v for v in (trace.d_h_direct, trace.d_c_direct) if v is not None]
    at = np.concatenate([(v[losses - 1][:, :, chosen] != 0).reshape(len(losses), -1)
                         for v in enters], axis=1)  # fmt: skip
    kinds = np.unique(at, axis=0, return_inverse=True)[1].ravel()
    for kind in range(kinds.max() + 1):
        of = np.flatnonzero(kinds == kind)
        last = losses[of[-1]]
        from_step = last - (losses[of, None] - np.arange(h.shape[1])).clip(0)
        h[of], state[of] = (found[from_step] for found in _alone(trace, int(last), chosen))
    return h, state


def _alone(trace: Trace, s: int, chosen: Array) -> tuple[Array, Array]:
    """Where exact arithmetic lets L_s reach h_k and s_k, (T+1,) each."""
    last = np.zeros_like(trace.d_h_direct)
    last[s - 1] = trace.d_h_direct[s - 1]
    of_c = None if trace.d_c_direct is None else np.zeros_like(last)
    if of_c is not None and trace.d_c_direct is not None:
        of_c[s - 1] = trace.d_c_direct[s - 1]
    found = reachable(replace(trace, d_h_direct=last, d_c_direct=of_c, direct_reaches=None))
    h = np.any(found.h[:, :, chosen], axis=(1, 2))
    more = found.carry
    return h, h if more is None else h | np.any(more[:, :, chosen], axis=(1, 2))
