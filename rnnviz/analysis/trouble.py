"""Where numbers stop being ordinary ones: on the error's way back, on the states' way forward, and
in what came in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rnnviz.analysis.gradients import GradientFlow
from rnnviz.core.numerics import Status
from rnnviz.core.places import NotFinite

SMALLER = (Status.BELOW, Status.ZERO, Status.ROUNDED)
"""What lies below all that float64 holds."""


class Trouble(NamedTuple):
    """The first step on the way back whose state gradient is no ordinary number. `steps` of the
    `total`, that one and all before it, are so: not all where error comes back, as it does where
    other enters and where some has jumped over the step. step: of the input, which error leaves
    forward where a layer reads from the end (direction 1)."""

    label: str
    step: int
    status: Status
    steps: int = 1
    total: int = 1
    direction: int = 0


class Troubles(NamedTuple):
    """backward: of each model that has any. forward: (label, step) of models whose states
    overflowed on the way forward; given: (label, what came in) of models that were given NaN or
    infinity, which says why; below: (label, step) of layers whose input exploded in the layer
    below."""

    backward: tuple[Trouble, ...] = ()
    forward: tuple[tuple[str, int], ...] = ()
    given: tuple[tuple[str, NotFinite], ...] = ()
    below: tuple[tuple[str, int], ...] = ()


def troubles(flows: Sequence[GradientFlow]) -> Troubles:
    """Those of some models. Steps after the last one that error enters do not count, nor what a
    truncated pass cut off."""
    given = tuple((f.label, place) for f in flows if (place := _came_in(f)))
    below = tuple((f.label, f.real_step(f.forward_ends or 0)) for f in flows if _below(f))
    forward = tuple(
        (f.label, f.real_step(f.forward_ends))
        for f in flows
        if f.forward_ends is not None and f.label not in dict((*given, *below))
    )
    backward = (_backward(f) for f in flows if not f.window)
    return Troubles(tuple(filter(None, backward)), forward, given, below)


def exploded_by_itself(flow: GradientFlow) -> bool:
    """Whether the error has no number because the states have none, which nobody has given it."""
    ends = flow.forward_ends is not None and bool(np.isnan(flow.reach_log10))
    return ends and not _came_in(flow)


def _backward(flow: GradientFlow) -> Trouble | None:
    status = flow.state.status[: flow.reach_from + 1]
    bad = np.flatnonzero((status != Status.FINITE) & (status != Status.LOST))
    if not len(bad) or (not bad[-1] and flow.direction):  # its first state has no step of the input
        return None
    own_step = int(bad[-1])
    first = Status(status[own_step])
    alike = SMALLER if first == Status.BELOW else (first,)
    earlier = status[min(1, own_step) : own_step + 1]
    steps = int(np.isin(earlier, alike).sum())
    return Trouble(flow.label, flow.real_step(own_step), first, steps, len(earlier), flow.direction)


def _came_in(flow: GradientFlow) -> NotFinite | None:
    """What is not finite of what the model was given."""
    place = flow.not_finite
    return None if place is None or place.is_state or _fed(flow) else place


def _fed(flow: GradientFlow) -> bool:
    """Whether what is not finite in its input is what the layer below has made."""
    return flow.fed and flow.not_finite is not None and flow.not_finite.name == "x"


def _below(flow: GradientFlow) -> bool:
    """Whether it was the layer below whose states exploded first."""
    ends, place = flow.forward_ends, flow.not_finite
    return _fed(flow) and bool(ends and place and place.index[0] + 1 <= ends)
