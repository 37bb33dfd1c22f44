"""Findings of what a gradient is made of, and of what training makes of it: errors that enter on
the way, padding, clipping."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rnnviz.core import Trace, checks
from rnnviz.models.diagnosis import changes
from rnnviz.models.diagnosis.finding import HALF, Finding

ALIKE = 2
"""Last steps that must be alike to look like padding."""


def clipped(norms: Sequence[float], clip: float, label: str) -> Finding | None:
    """Whether clipping at a norm acts on most backward passes. norms: of each pass, of some of the
    parameters: all together have at least that. Raises ValueError for a clip that is not above
    0."""
    checks.number("clip", clip, np.finfo(float).tiny)
    acts = float(np.mean([norm > clip for norm in norms])) if len(norms) else 0.0
    if acts <= HALF:
        return None
    values = {"clip": clip, "median": float(np.median(norms)), "count": len(norms)}
    change = changes.looser(values["median"]) if np.isfinite(values["median"]) else ""
    return Finding("clipped", label, acts, HALF, "possible", False, change=change, values=values)


def refilled(trace: Trace, label: str, layer: int) -> Iterator[Finding]:
    """Whether errors enter on the way back: then the total gradient there is not what has
    travelled."""
    most = int((trace.enters & trace.present).sum(axis=0).max())
    if most > 1:
        yield Finding("refilled", label, float(most), 1.0, "certain", False, layer)


def padded(trace: Trace, label: str) -> Iterator[Finding]:
    """Whether the last steps look like padding that nobody has declared, and a loss reads the
    state after them: the same input until the end, in many sequences, from different steps on."""
    if trace.lengths is not None or not trace.enters[-1].any():
        return
    last = trace.x[-1]
    alike = (trace.x[::-1] == last).all(axis=1)
    count = np.argmin(alike, axis=0)  # 0 of a sequence that is the same all the time
    filler = last[:, np.argmax(count)]
    count = np.where((last == filler[:, None]).all(axis=0), count, 0)
    share = float((count >= ALIKE).mean())
    if share >= HALF and np.ptp(count):
        yield Finding("padded", label, share, HALF, "possible", False, 0, 0, changes.PACK,
                      {"steps": float(count[count >= ALIKE].mean())})  # fmt: skip
