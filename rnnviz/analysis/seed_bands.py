"""Whether a curve is an accident of its seed: the same curve of several seeds, as a band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.gradients import GradientFlow, from_own_ends, state_curve
from rnnviz.analysis.rates import Curve
from rnnviz.core import Trace
from rnnviz.core.numerics import Array
from rnnviz.core.trace import state_log10


@dataclass(frozen=True, eq=False)
class SeedCurve(Curve):
    """‖∂L/∂s_t‖ of one seed, to the end of its longest sequence. reach_log10: what is left at step
    1 where that counts from the sequences' own ends (`GradientFlow.own_rate`); None else."""

    reach_log10: float | None = None


def seed_curve(trace: Trace) -> SeedCurve:
    """What a band needs of another seed's trace."""
    each = state_log10(trace)
    curve, own = state_curve(trace, each), None if trace.window else from_own_ends(trace, each)
    return SeedCurve(curve.log10, curve.status, None if own is None else own.reach_log10)


@dataclass(frozen=True, eq=False)
class SeedBand:
    """‖∂L/∂s_t‖ of one model over several seeds, at the steps 1 to T that this seed's curve has.

    least, median, greatest (T,): log10, each seed's relative to its own last step that has a
    number, also where that is beyond T; −inf where the gradient is zero, NaN where no seed has a
    number. count (T,): seeds that have one; one whose sequences are all shorter has none. nothing:
    seeds of which nothing is left at the layer's own step 1. direction: 1 of a layer that reads
    from the end, whose own steps these are. left: median of the decades left at the end, as each
    seed's curve alone would say; NaN where no seed has a number. own_ends: whether any seed counts
    these from its sequences' own ends.
    """

    label: str
    seeds: int
    direction: int
    least: Array
    median: Array
    greatest: Array
    count: Array
    nothing: int = 0
    left: float = np.nan
    own_ends: bool = False


def seed_bands(
    flows: Sequence[GradientFlow], others: Sequence[Mapping[str, Curve]]
) -> tuple[SeedBand, ...]:
    """Of each flow and its other seeds' curves, which are found by its label. None without others.

    Examples
    --------
    >>> flow = analysis.gradient_flow(rnn, "RNN")
    >>> (band,) = analysis.seed_bands([flow], [{"RNN": flow.state}])
    >>> band.seeds, band.median.shape
    (2, (20,))
    """
    return tuple(_band(flow, [each[flow.label] for each in others]) for flow in flows if others)


def _band(flow: GradientFlow, others: Sequence[Curve]) -> SeedBand:
    own = None if flow.own_rate is None else flow.reach_log10
    seeds = (SeedCurve(flow.state.log10, flow.state.status, own), *others)
    curves = [_relative(curve.log10, flow.seq_len) for curve in seeds]
    reaches = [getattr(curve, "reach_log10", None) for curve in seeds]
    left = [at[0] if own is None else own for at, own in zip(curves, reaches, strict=True)]
    ordered, count, median = _ranks(np.array(curves))
    greatest = np.take_along_axis(ordered, np.maximum(count - 1, 0)[None], axis=0)[0]
    nothing = int(np.isneginf(ordered[:, 0]).sum())
    return SeedBand(flow.label, len(ordered), flow.direction, ordered[0], median, greatest, count,
                    nothing, float(_ranks(np.array(left)[:, None])[2][0]),
                    any(own is not None for own in reaches))  # fmt: skip


def _ranks(values: Array) -> tuple[Array, Array, Array]:
    """Each column of (seeds, steps) in order, how many of its entries are numbers, and the median
    of these."""
    ordered = np.sort(values, axis=0)  # NaN last
    count = np.sum(~np.isnan(ordered), axis=0)

    def ranked(rank: Array) -> Array:
        return np.take_along_axis(ordered, np.maximum(rank, 0)[None], axis=0)[0]

    with np.errstate(invalid="ignore"):
        median = ranked((count - 1) // 2) / 2 + ranked(count // 2) / 2
    return ordered, count, median


def _relative(log10: Array, steps: int) -> Array:
    """Of steps 1 to `steps`, relative to the curve's own last number, on whichever step that is;
    NaN where the curve, of shorter sequences, has no such step."""
    found, known = np.full(steps, np.nan), log10[1:][np.isfinite(log10[1:])]
    found[: len(log10) - 1] = log10[1 : steps + 1]
    return found - (known[-1] if known.size else 0.0)
