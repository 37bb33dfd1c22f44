"""Whether a curve is an accident of its seed: the same curve of several seeds, as a band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.gradients import GradientFlow
from rnnviz.analysis.rates import Curve
from rnnviz.core.numerics import Array


@dataclass(frozen=True, eq=False)
class SeedBand:
    """‖∂L/∂s_t‖ of one model over several seeds, at its steps 1 to T.

    least, median, greatest (T,): log10, each seed's relative to its own last step that has a
    number; −inf where the gradient is zero, NaN where no seed has a number. count (T,): seeds that
    have one. nothing: seeds of which nothing is left at the layer's own step 1. direction: 1 of a
    layer that reads from the end, whose own steps these are.
    """

    label: str
    seeds: int
    direction: int
    least: Array
    median: Array
    greatest: Array
    count: Array
    nothing: int = 0


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
    curves = [_relative(curve.log10, flow.seq_len) for curve in (flow.state, *others)]
    ordered = np.sort(curves, axis=0)  # NaN last
    count = np.sum(~np.isnan(ordered), axis=0)

    def ranked(rank: Array) -> Array:
        return np.take_along_axis(ordered, np.maximum(rank, 0)[None], axis=0)[0]

    with np.errstate(invalid="ignore"):
        median = ranked((count - 1) // 2) / 2 + ranked(count // 2) / 2
    greatest = ranked(count - 1)
    nothing = int(np.isneginf(ordered[:, 0]).sum())
    return SeedBand(flow.label, len(ordered), flow.direction, ordered[0], median, greatest, count,
                    nothing)  # fmt: skip


def _relative(log10: Array, steps: int) -> Array:
    """Of steps 1 to `steps`; NaN where the curve, of shorter sequences, has no such step."""
    found = np.full(steps, np.nan)
    found[: len(log10) - 1] = log10[1 : steps + 1]
    known = found[np.isfinite(found)]
    return found - (known[-1] if known.size else 0.0)
