"""Influence balancing: a problem on which truncated backpropagation points the wrong way.

    s_t = A s_{t−1} + θ v,   L_t = ½ (s_t[1] − 1)²,   n = 23 units

A is ½ on the diagonal and on the one above it: what enters unit 23 needs 22 steps to reach unit
1. v is +1 for the first ten units and −1 for the other thirteen, so θ pushes s[1] up soon and
down later, and down in the end. Sources: Tallec and Ollivier 2017, arXiv:1702.05043 and
arXiv:1705.08209; the numbers tested are derived in closed form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.core import checks
from rnnviz.core.numerics import Array

UNITS, POSITIVE = 23, 10
THETA, STATE, TARGET = 0.5, 1.0, 1.0
EXACT = -6.0
"""ds_1/dθ with every step counted: 2 · (10 − 13)."""
OPTIMUM = -1 / 6
"""θ at which s_1 settles at the target."""
LEARNING_RATE = 1e-4
WINDOWS = (1, 10, 20, 40, 41, 100, 0)


@dataclass(frozen=True, eq=False)
class InfluenceCurve:
    """windows (n,): steps that the gradient is sent back, K; slope (n,): Σ_{j<K} (Aʲ v)_1, what
    ds_1/dθ seems to be with that window; `EXACT` with every step."""

    windows: Array
    slope: Array

    @property
    def last_wrong(self) -> int:
        """The largest window that has the sign wrong; 0 if none has."""
        return int(self.windows[self.slope >= 0].max(initial=0))


@dataclass(frozen=True, eq=False)
class InfluenceRuns:
    """Gradient descent with each window side by side, one update of θ a step.

    windows (m,): 0 stands for the whole past. theta, loss (N+1, m): before each update, the
    last after all of them; loss is ½ (s_1 − 1)². inf and NaN are let through.
    """

    windows: tuple[int, ...]
    learning_rate: float
    theta: Array
    loss: Array


def influence_curve(longest: int = 100) -> InfluenceCurve:
    """The apparent ds_1/dθ for every window from 1 to `longest`. Raises ValueError below 1."""
    A, v = system()
    term, terms = v, []
    for _ in range(checks.size("longest", longest)):
        terms.append(term[0])
        term = A @ term
    return InfluenceCurve(np.arange(1, longest + 1), np.cumsum(terms))


def influence_runs(
    windows: Sequence[int] = WINDOWS, steps: int = 3000, learning_rate: float = LEARNING_RATE
) -> InfluenceRuns:
    """SGD on θ from 0.5, s from all ones: θ ← θ − η (s_1 − 1) Σ_{j<K} (Aʲ v)_1.

    The gradient's past is as long as the run so far allows. Raises ValueError for a negative
    window, a number of steps below 1 or a learning rate that is not a finite number >= 0.
    """
    chosen = tuple(checks.size("windows", window, 0) for window in windows)
    rate = checks.number("learning_rate", learning_rate, 0)
    checks.size("steps", steps)
    A, v = system()
    known = np.concatenate(([0.0], influence_curve(steps + 1).slope))
    ends = np.array([window or steps + 1 for window in chosen])
    theta = np.full((steps + 1, len(chosen)), THETA)
    loss = np.empty_like(theta)
    s = np.full((UNITS, len(chosen)), STATE)
    with np.errstate(all="ignore"):
        for t in range(steps + 1):
            s = A @ s + np.outer(v, theta[t])
            error = s[0] - TARGET
            loss[t] = 0.5 * error * error
            if t < steps:
                theta[t + 1] = theta[t] - rate * error * known[np.minimum(ends, t + 1)]
    return InfluenceRuns(chosen, rate, theta, loss)


def system() -> tuple[Array, Array]:
    """A (23, 23) and v (23,)."""
    A = 0.5 * np.eye(UNITS) + 0.5 * np.eye(UNITS, k=1)
    v = np.where(np.arange(UNITS) < POSITIVE, 1.0, -1.0)
    return A, v
