"""Findings of what a gradient is made of, and of what training makes of it: errors that enter on
the way, padding, clipping."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rnnviz.core import Trace, checks
from rnnviz.core.network import NetworkTrace
from rnnviz.models.diagnosis import changes
from rnnviz.models.diagnosis.decay import Decay
from rnnviz.models.diagnosis.finding import CLIPPED, HALF, LEFT_LOG10, Finding

ALIKE = 2
"""Last steps that must be alike to look like padding."""


def clipped(
    norms: Sequence[float], clip: float, label: str, adaptive: bool = False, passes: int = 0
) -> Finding | None:
    """Whether clipping at a norm makes most steps shorter. norms: of each backward pass, of some of
    the parameters: all together have at least that; those that are not finite are left out.
    adaptive: whether the optimizer divides by the usual size of a gradient, as Adam does: then
    nothing is found. passes: of how many of the last backward passes the norms are, if they are not
    of all of them. Raises ValueError for a clip that is not above 0."""
    clip = checks.number("clip", clip, checks.ABOVE_0)
    finite = [norm for norm in norms if np.isfinite(norm)]
    median = float(np.median(finite)) if finite else 0.0
    if adaptive or median < CLIPPED * clip:
        return None
    acts = 100 * float(np.mean([norm > clip for norm in finite]))
    values = {"clip": clip, "median": median, "count": len(finite), "acts": acts}
    if passes > len(finite):
        values["passes"] = passes
    return Finding("clipped", label, median / clip, CLIPPED, "possible", False,
                   change=changes.looser(median), values=values)  # fmt: skip


def refilled(trace: Trace, label: str, layer: int) -> Iterator[Finding]:
    """Whether errors enter on the way back: then the total gradient there is not what has
    travelled."""
    most = int((trace.enters & trace.present).sum(axis=0).max())
    if most > 1:
        yield Finding("refilled", label, float(most), 1.0, "certain", False, layer)


def padded(network: NetworkTrace, label: str, decays: Sequence[Decay]) -> Iterator[Finding]:
    """Whether the last steps look like padding that nobody has declared, and a loss reads the
    state after them: the same input until the end, in many sequences, of equally many steps in not
    all of them. Serious where the error vanishes over as many steps, and has no other way."""
    trace = network.trace
    if trace.lengths is not None or not network.layers[-1][0].enters[-1].any():
        return
    last = trace.x[-1]
    alike = (trace.x[::-1] == last).all(axis=1)
    count = np.argmin(alike, axis=0)  # 0 of a sequence that is the same all the time
    filler = last[:, np.argmax(count)]
    count = np.where((last == filler[:, None]).all(axis=0), count, 0)
    share = float((count >= ALIKE).mean())
    if share >= HALF and np.ptp(count):
        steps = float(count[count >= ALIKE].mean())
        left, rounded, other = _through(round(steps), decays)
        serious = left < LEFT_LOG10 and not other
        yield Finding("padded", label, share, HALF, "possible", serious, 0, 0, changes.PACK,
                      {"steps": steps, "log10": left, "rounded": rounded})  # fmt: skip


def _through(steps: int, decays: Sequence[Decay]) -> tuple[float, bool, bool]:
    """What is left of an error after the steps of padding, in the layer that keeps most; whether
    only rounding leaves nothing; whether it has another way, as the backward direction reads the
    padding first, and a loss may see what that reads after it."""
    ahead = [one for one in decays if one.direction == 0 and steps < len(one.log10)]
    best = max(ahead, key=lambda one: one.log10[steps])
    other = any(one.direction and steps < len(one.log10) for one in decays)
    return float(best.log10[steps]), bool(best.rounded[steps]), other
