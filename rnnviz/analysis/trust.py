"""What was checked on this very run, and how close it came.

Every check compares two ways to the same number that share as little code as possible. Its bound
is not a wish: it is `rounding.STRICT` times what one rounding of every number that goes in does to
the result, in the run's own dtype (see `rounding`). So single precision has wider bounds, and so
has a run that multiplies rounding errors; where rounding alone would move the result by one
percent, nothing is claimed. The work is bounded: large runs are checked at some steps, of some
sequences, and `where` says at which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from rnnviz.analysis import limits, stepwise, sums, whole
from rnnviz.analysis.linear import Progress
from rnnviz.analysis.rounding import Compared, joined
from rnnviz.core import Trace
from rnnviz.core.layers import key
from rnnviz.core.network import Examples, Network, NetworkTrace

Array = np.ndarray
Local = Callable[[Trace, stepwise.Places, np.random.Generator], Compared]

GRADIENT, DOT, STATES = "complex step", "dot test", "state gradients"
WEIGHTS, LOSSES, DETERMINANT = "sum over steps", "sum over losses", "determinant"
NAMES = (GRADIENT, DOT, STATES, WEIGHTS, LOSSES, DETERMINANT)

# Gate values, multiplications, seconds: some tens of milliseconds each on one core.
ELEMENTS = 150_000
LU = 1e7
MOST_LU = 4e9
PAIR_SECONDS = 0.03
GRADIENT_SECONDS, MOST_GRADIENT_SECONDS = 0.13, 0.3
MOST_PARAMETERS = 4_000_000


@dataclass(frozen=True)
class Check:
    """One comparison. value: the relative error at the place where it comes nearest to its bound,
    bound: what rounding explains there. what: the equation; where: the steps and sequences that
    were looked at. reason: why it could not be made, "" if it was; then it neither passed nor
    failed. A value that is NaN has failed."""

    name: str
    what: str
    value: float
    bound: float
    where: str
    reason: str = ""

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

    @property
    def failed(self) -> bool:
        return any(check.failed for check in self.checks)

    @property
    def passed(self) -> bool:
        """Nothing failed, and the gradient itself was checked: as a whole, or step by step."""
        made = {check.name for check in self.checks if check.passed}
        return not self.failed and not made.isdisjoint((GRADIENT, STATES))


def trust(
    run: NetworkTrace,
    batch: Examples,
    label: str,
    seed: int = 0,
    progress: Progress | None = None,
) -> Trust:
    """Every check of `checks`. The run must be that of `run_network` on this batch, with a full
    backward pass. progress is told the share that is done after each; what it raises stops."""
    rescaled = [(trace.d_log2 != 0).mean() for trace in _traces(run)]
    found: list[Check] = []
    for check in checks(run, batch, seed):
        found.append(check)
        if progress is not None:
            progress(len(found) / len(NAMES))
    return Trust(label, tuple(found), run.y.dtype.name, run.trace.seq_len, float(np.mean(rescaled)))


def checks(run: NetworkTrace, batch: Examples, seed: int = 0) -> Iterator[Check]:
    """One after the other: ∂L/∂θ by a complex step, the dot test, the state gradients, what the
    steps and what the losses add up to, ln |det J_t|. THEORY C2, C3, E8, E9, E19.

    seed: of the random directions.
    """
    rng = np.random.default_rng(seed)
    yield _gradient(run, batch, rng)
    yield _local(DOT, "⟨J_t u, v⟩ = ⟨u, J_tᵀ v⟩", run, stepwise.dot_test, rng)
    yield _local(STATES, "∂L/∂s_{t−1} = e_{t−1} + J_tᵀ ∂L/∂s_t", run, stepwise.adjoint_test, rng)
    yield _weights(run, rng)
    yield _losses(run, rng)
    yield _determinant(run)


def _traces(run: NetworkTrace) -> list[Trace]:
    return [trace for layer in run.layers for trace in layer]


def _gradient(run: NetworkTrace, batch: Examples, rng: np.random.Generator) -> Check:
    make = partial(Check, GRADIENT, "∂L/∂θ · v = Im L(θ + i h v) / h")
    first, one = run.trace, gradient_seconds(run.network, run.trace.seq_len, 1)
    if not np.isfinite(run.loss):
        return make(np.nan, np.nan, "", "the loss is not a finite number")
    if one > MOST_GRADIENT_SECONDS:
        return make(np.nan, np.nan, "", "a run of this size in complex numbers would take "
                    f"about {one:.1f} s")  # fmt: skip
    most = max(1, int(GRADIENT_SECONDS / one))
    found = whole.gradient_test(run, batch, most, rng)
    chosen = f"{min(most, first.batch_size)} of {first.batch_size} sequences"
    where = f"{chosen}, all {first.seq_len:,} steps"
    return _judged(make, found, where)


def gradient_seconds(network: Network, seq_len: int, sequences: int) -> float:
    """A rough guess for one core."""
    steps = seq_len * network.directions * len(network.cells) * 50e-6
    elements = whole.elements_of(network, seq_len) * 150e-9
    return steps + sequences * (elements + 20 * seq_len * network.param_count() / 20e9)


def _local(name: str, what: str, run: NetworkTrace, test: Local, rng: np.random.Generator) -> Check:
    """A check of single steps, over all layers and directions."""
    make, traces = partial(Check, name, what), _traces(run)
    if run.network.param_count() > MOST_PARAMETERS:
        return make(np.nan, np.nan, "", "the network is too large to take its steps apart here")
    parts = []
    for trace in traces:
        rows = (len(trace.cell.GATE_ROWS) + 2) * trace.cell.hidden_size
        parts.append(test(trace, stepwise.places(trace, ELEMENTS // rows // len(traces)), rng))
    total = sum(int(trace.present.sum()) for trace in traces)
    found = joined(parts)
    return _judged(make, found, f"{len(found.error):,} of {total:,} steps of single sequences")


def _weights(run: NetworkTrace, rng: np.random.Generator) -> Check:
    parts = []
    for k, layer in enumerate(run.layers):
        for d, trace in enumerate(layer):
            recorded = {name: run.grads[key(k, name, d)] for name in ("W_xh", "W_hh")}
            parts.append(sums.weight_sums(trace, recorded, rng))
    make = partial(Check, WEIGHTS, "Σ_t ∂L/∂a_t h_{t−1}ᵀ = ∂L/∂W_hh")
    first = run.trace
    return _judged(make, joined(parts), f"all {first.seq_len:,} steps and {first.batch_size} "
                   "sequences, along a random direction")  # fmt: skip


def _losses(run: NetworkTrace, rng: np.random.Generator) -> Check:
    make = partial(Check, LOSSES, "Σ_s ∂L_s/∂h_t = ∂L/∂h_t")
    traces, parts = _traces(run), []
    asked = [trace for trace in traces if trace.d_h_direct[:, :, 0].any()]
    for trace in asked:
        losses = int(trace.d_h_direct[:, :, 0].any(axis=1).sum())
        cost = limits.pairs_cost(trace.cell, trace.seq_len, losses, 1)
        if cost.seconds <= PAIR_SECONDS / len(traces) and not limits.refusal("It", cost):
            parts.append(sums.pair_sums(trace, 0, rng))
    if not asked:
        return make(np.nan, np.nan, "", "no loss asks the first sequence")
    if not parts:
        return make(np.nan, np.nan, "", "following each loss by itself would take too long here")
    where = "the first sequence, all steps"
    if len(parts) < len(traces):
        where += f", {len(parts)} of {len(traces)} layers and directions"
    return _judged(make, joined(parts), where)


def _determinant(run: NetworkTrace) -> Check:
    make = partial(Check, DETERMINANT, "ln |det J_t| from the gates = from J_t")
    traces = _traces(run)
    if reason := _no_determinant(traces[0]):
        return make(np.nan, np.nan, "", reason)
    parts = []
    for trace in traces:
        size = trace.cell.hidden_size * (1 + trace.cell.HAS_CELL_STATE)
        steps = max(1, int(LU / size**3 / len(traces)))
        parts.append(sums.determinant_test(trace, 0, steps))
    found = joined(parts)
    return _judged(make, found, f"the last {len(parts[0].error)} steps of the first sequence",
                   "J_t is singular")  # fmt: skip


def _no_determinant(trace: Trace) -> str:
    cell = trace.cell
    if form := cell.no_determinant:
        return f"not for {form}: the determinant has no closed form there"
    size = cell.hidden_size * (1 + cell.HAS_CELL_STATE)
    return "J_t is too large to take apart here" if size**3 > MOST_LU else ""


def _judged(make: Callable[..., Check], found: Compared, where: str, singular: str = "") -> Check:
    value, bound, share = found.worst()
    if share == 0:
        return make(value, bound, where, _why_nothing(found, singular))
    if share < 1:
        where += f"; {share:.0%} of what was compared says something"
    return make(value, bound, where)


def _why_nothing(found: Compared, singular: str) -> str:
    with np.errstate(all="ignore"):
        spread = found.noise / found.scale
    known = spread[np.isfinite(spread)]
    if not known.size:
        return singular or "what it compares is zero or not a finite number"
    moved = f"{100 * known.min():.2g} %" if known.min() < 10 else "more than it is"
    return f"one rounding of every number already moves the result by {moved}"
