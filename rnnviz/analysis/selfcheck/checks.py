"""What was checked on this very run, and how close it came.

Every check compares two ways to the same number that share as little code as possible. Its bound
is not a wish: it is `rounding.STRICT` times what one rounding of every number that goes in does to
the result, in the run's own dtype (see `rounding`). So single precision has wider bounds, and so
has a run that multiplies rounding errors; where rounding alone would move the result by one
percent, nothing is claimed. The work is bounded: large runs are checked at some steps, of some
sequences, and `where` says at which.

Two groups. `QUICK` looks at what the run has recorded, at a few places: a few milliseconds, so it
is made of every run. It sees a wrong gradient of W_hh or W_xh (sums) and a cell whose backward
step does not belong to its forward step (dot test, determinant). What lies between cells it cannot
see: loss, readout, biases, layers, directions, padding, skips, and a record that was changed at
places where it does not look. `THOROUGH` sees those too, above all by the complex step, which runs
the network again; it takes ten times as long as the run, or more, and is made when someone asks.
`tests/analysis/selfcheck/test_mistakes.py` has a table of mistakes and of the group that sees each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from rnnviz.analysis import limits
from rnnviz.analysis.jacobian.sequence import Progress
from rnnviz.analysis.remarks import Remark, Share, remark
from rnnviz.analysis.selfcheck.gradient import elements_of, gradient_test
from rnnviz.analysis.selfcheck.noise import Compared, joined
from rnnviz.analysis.selfcheck.places import Places, places
from rnnviz.analysis.selfcheck.steps import adjoint_test, dot_test
from rnnviz.analysis.selfcheck.sums import determinant_test, pair_sums, weight_sums
from rnnviz.core import Cell, Trace
from rnnviz.core.layers import key
from rnnviz.core.network import Examples, Network, NetworkTrace

Local = Callable[[Trace, Places, np.random.Generator], Compared]

WEIGHTS, DETERMINANT, DOT = "sum over steps", "determinant", "dot test"
GRADIENT, STATES, LOSSES = "complex step", "state gradients", "sum over losses"
FULL = (GRADIENT, STATES, LOSSES)
"""Those whose equations hold for a full backward pass alone."""
NAMES = (WEIGHTS, DETERMINANT, DOT, GRADIENT, STATES, LOSSES)

PAIR_SECONDS = 0.03
GRADIENT_SECONDS, MOST_GRADIENT_SECONDS = 0.13, 0.3


@dataclass(frozen=True)
class Group:
    """Checks that are made together, and how much of a run they look at.

    elements: gate values at the steps that the dot test and the state gradients take, at least
    one step a layer. lu: multiplications of all determinants, at least one step a layer.
    most_lu, most_parameters: of a step's Jacobian and of a network that are taken apart at all.
    within: in what time, to say why larger ones are not: "soon", or "here" at all.
    """

    names: tuple[str, ...]
    elements: int
    lu: float
    most_lu: float
    most_parameters: int
    within: str


QUICK = Group((WEIGHTS, DETERMINANT, DOT), elements=1_500, lu=5e5, most_lu=3e6,
              most_parameters=300_000, within="soon")  # fmt: skip
"""Of the default experiment: all sums, the determinant of the last step, dot tests at
7 steps of the RNN, 3 of the LSTM, 4 of the GRU: together about 5 ms."""
THOROUGH = Group(NAMES, elements=150_000, lu=1e7, most_lu=4e9, most_parameters=4_000_000,
                 within="here")  # fmt: skip
"""Some tens of milliseconds a check, on one core."""


@dataclass(frozen=True)
class Check:
    """One comparison. value: the relative error at the place where it comes nearest to its bound,
    bound: what rounding explains there. where: the steps and sequences that were looked at.
    reason: why it could not be made, None if it was; then it neither passed nor failed. A value
    that is NaN has failed. applies: whether its equation holds for this kind of network at all."""

    name: str
    value: float
    bound: float
    where: tuple[Remark, ...]
    reason: Remark | None = None
    applies: bool = True

    @property
    def passed(self) -> bool:
        return not self.reason and bool(self.value <= self.bound)

    @property
    def failed(self) -> bool:
        return not self.reason and not self.passed


@dataclass(frozen=True)
class Trust:
    """The checks of one model's run. dtype: in which it was made. seq_len: T. rescaled: the share
    of its state gradients beyond the range of the dtype, kept with a power of two beside them."""

    label: str
    checks: tuple[Check, ...]
    dtype: str
    seq_len: int
    rescaled: float

    @cached_property
    def by_name(self) -> dict[str, Check]:
        """The checks that were asked for, by their names."""
        return {check.name: check for check in self.checks}

    def check(self, name: str) -> Check | None:
        """The check of this name; None if it is not among those that were asked for."""
        return self.by_name.get(name)

    @property
    def failed(self) -> bool:
        return any(check.failed for check in self.checks)

    @property
    def passed(self) -> bool:
        """Nothing failed, and a gradient was checked: of the weights, or step by step."""
        made = {check.name for check in self.checks if check.passed}
        return not self.failed and not made.isdisjoint((WEIGHTS, GRADIENT, STATES))


def trust(
    run: NetworkTrace,
    batch: Examples,
    label: str,
    group: Group = THOROUGH,
    seed: int = 0,
    progress: Progress | None = None,
) -> Trust:
    """Every check of a group. The run must be that of `run_network` on this batch; of a truncated
    pass less is checked. progress is told the share that is done; what it raises stops."""
    rescaled = [(trace.d_log2 != 0).mean() for trace in _traces(run)]
    found: list[Check] = []
    for check in checks(run, batch, group, seed):
        found.append(check)
        if progress is not None:
            progress(len(found) / len(group.names))
    return Trust(label, tuple(found), run.y.dtype.name, run.trace.seq_len, float(np.mean(rescaled)))


def checks(
    run: NetworkTrace, batch: Examples, group: Group = THOROUGH, seed: int = 0
) -> Iterator[Check]:
    """One after the other: what the steps add up to, ln |det J_t|, the dot test; ∂L/∂θ by a
    complex step, the state gradients, what the losses add up to. THEORY C2, C3, E8, E9, E19.

    seed: of the random directions.
    """
    rng = np.random.default_rng(seed)
    make: dict[str, Callable[[], Check]] = {
        WEIGHTS: lambda: _weights(run, rng),
        DETERMINANT: lambda: _determinant(run, group),
        DOT: lambda: _local(DOT, run, dot_test, group, rng),
        GRADIENT: lambda: _gradient(run, batch, rng),
        STATES: lambda: _local(STATES, run, adjoint_test, group, rng),
        LOSSES: lambda: _losses(run, rng),
    }
    windows = [trace.window for trace in _traces(run) if trace.window]
    for name in group.names:
        if windows and name in FULL:
            reason = remark("truncated", window=max(windows))
            yield Check(name, np.nan, np.nan, (), reason, applies=False)
        else:
            yield make[name]()


def _traces(run: NetworkTrace) -> list[Trace]:
    return [trace for layer in run.layers for trace in layer]


def _gradient(run: NetworkTrace, batch: Examples, rng: np.random.Generator) -> Check:
    make = partial(Check, GRADIENT)
    first, one = run.trace, gradient_seconds(run.network, run.trace.seq_len, 1)
    if not np.isfinite(run.loss):
        reason = Remark("loss_of_ones_own") if run.own_loss else Remark("loss_not_finite")
        return make(np.nan, np.nan, (), reason)
    if one > MOST_GRADIENT_SECONDS:
        return make(np.nan, np.nan, (), remark("complex_run_too_long", seconds=f"{one:.1f}"))
    most = max(1, int(GRADIENT_SECONDS / one))
    found = gradient_test(run, batch, most, rng)
    of = {"count": min(most, first.batch_size), "total": first.batch_size}
    return _judged(make, found, remark("some_sequences", **of, steps=first.seq_len))


def gradient_seconds(network: Network, seq_len: int, sequences: int) -> float:
    """A rough guess for one core."""
    steps = seq_len * network.directions * len(network.cells) * 50e-6
    elements = elements_of(network, seq_len) * 150e-9
    return steps + sequences * (elements + 20 * seq_len * network.param_count() / 20e9)


def _local(
    name: str, run: NetworkTrace, test: Local, group: Group, rng: np.random.Generator
) -> Check:
    """A check of single steps, over all layers and directions."""
    make, traces = partial(Check, name), _traces(run)
    if run.network.param_count() > group.most_parameters:
        return make(np.nan, np.nan, (), Remark(f"network_too_large_{group.within}"))
    parts = []
    for trace in traces:
        rows = (len(trace.cell.GATE_ROWS) + 2) * trace.cell.hidden_size
        parts.append(test(trace, places(trace, group.elements // rows // len(traces)), rng))
    total = sum(int(trace.present.sum()) for trace in traces)
    found = joined(parts)
    return _judged(make, found, remark("single_steps", count=len(found.error), total=total))


def _weights(run: NetworkTrace, rng: np.random.Generator) -> Check:
    parts = []
    for k, layer in enumerate(run.layers):
        for d, trace in enumerate(layer):
            recorded = {name: run.grads[key(k, name, d)] for name in ("W_xh", "W_hh")}
            parts.append(weight_sums(trace, recorded, rng))
    make = partial(Check, WEIGHTS)
    first = run.trace
    where = remark("random_direction", steps=first.seq_len, sequences=first.batch_size)
    return _judged(make, joined(parts), where)


def _losses(run: NetworkTrace, rng: np.random.Generator) -> Check:
    make = partial(Check, LOSSES)
    traces, parts = _traces(run), []
    asked = [trace for trace in traces if trace.enters[:, 0].any()]
    for trace in asked:
        losses = int(trace.enters[:, 0].sum())
        cost = limits.pairs_cost(trace.cell, trace.seq_len, losses, 1)
        if cost.seconds <= PAIR_SECONDS / len(traces) and not limits.refusal("It", cost):
            parts.append(pair_sums(trace, 0, rng))
    if not asked:
        return make(np.nan, np.nan, (), Remark("no_loss_first"))
    if not parts:
        return make(np.nan, np.nan, (), Remark("losses_too_long"))
    where = Remark("first_sequence")
    if len(parts) < len(traces):
        where = remark("first_sequence_some", count=len(parts), total=len(traces))
    return _judged(make, joined(parts), where)


def _determinant(run: NetworkTrace, group: Group) -> Check:
    make = partial(Check, DETERMINANT)
    traces = _traces(run)
    if reason := _no_determinant(traces[0].cell):
        return make(np.nan, np.nan, (), reason, applies=False)
    if max(map(_multiplications, traces)) > group.most_lu:
        return make(np.nan, np.nan, (), Remark(f"jacobian_too_large_{group.within}"))
    parts = []
    for trace in traces:
        steps = max(1, int(group.lu / _multiplications(trace) / len(traces)))
        parts.append(determinant_test(trace, 0, steps))
    found = joined(parts)
    count = len(parts[0].error)
    last = Remark("last_step") if count == 1 else remark("last_steps", count=count)
    return _judged(make, found, last, Remark("jacobian_singular"))


def _multiplications(trace: Trace) -> int:
    """Of taking one J_t apart, but for a factor."""
    return (trace.cell.hidden_size * (1 + trace.cell.HAS_CELL_STATE)) ** 3


def _no_determinant(cell: Cell) -> Remark | None:
    """Why there is no equation for it; None if there is one."""
    if form := cell.no_determinant:
        return remark("no_closed_form", cell=form)
    return None


def _judged(
    make: Callable[..., Check], found: Compared, where: Remark, singular: Remark | None = None
) -> Check:
    value, bound, share = found.worst()
    if share == 0:
        return make(value, bound, (where,), _why_nothing(found, singular))
    if share < 1:
        return make(value, bound, (where, remark("share_says", share=Share(share))))
    return make(value, bound, (where,))


def _why_nothing(found: Compared, singular: Remark | None) -> Remark:
    with np.errstate(all="ignore"):
        spread = found.noise / found.scale
    known = spread[np.isfinite(spread)]
    if not known.size:
        return singular or Remark("compares_nothing")
    if known.min() >= 10:
        return Remark("rounding_moves_more")
    return remark("rounding_moves", percent=f"{100 * known.min():.2g}")
