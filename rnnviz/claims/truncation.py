""" "Truncated BPTT is a good approximation": its direction against the full gradient's, on random
networks (Williams and Peng 1990, Neural Computation 2(4), 490-501)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.gradients import state_curve
from rnnviz.core import CELLS, backward, checks, forward
from rnnviz.core.numerics import Array
from rnnviz.core.truncation import truncated_backward

STEPS, INPUT_SIZE, BATCH_SIZE = 100, 8, 2
WINDOWS = (2, 5, 10, 20, 50)
INITS = ("uniform", "orthogonal", "gaussian")
KINDS = ("rnn", "lstm", "gru")
GAINS, BIASES = (0.5, 3.0), (-1.0, 5.0)
LOSS_AT = ("last", "every")
GOOD = 0.9
"""Cosine from which on two gradients point the same way."""
WINDOW = 20
"""Steps of the truncation that is judged."""
FADES = -0.1
"""Decades a step back below which an error is gone within a window: nothing is left to miss."""


@dataclass(frozen=True, eq=False)
class Agreement:
    """Of one network: windows (n,), cosine (n,) between the gradient of all parameters truncated
    after so many steps and the full one; NaN where either is zero or no number.

    kind: of its cell, loss_at: "last" or "every" step. growth: decades a step that the full state
    gradient takes on its way back. label: of a visitor's own model, "" for a random draw.
    """

    number: int
    kind: str
    loss_at: str
    windows: Array
    cosine: Array
    growth: float
    label: str = ""

    def at(self, window: int) -> float:
        """The cosine of one window; NaN where it was not measured."""
        found = self.cosine[self.windows == window]
        return float(found[0]) if found.size else float("nan")


@dataclass(frozen=True)
class TruncationVerdict:
    """Random networks at window `WINDOW`: good of draws point as the full gradient does;
    fading, fading_good: those whose error is gone within a window; lasting, lasting_good: the
    others. own: (label, cosine) of the visitor's models."""

    draws: int
    good: int
    fading: int
    fading_good: int
    lasting: int
    lasting_good: int
    own: tuple[tuple[str, float], ...]


def agreement(seed: int, hidden_size: int, number: int) -> Agreement:
    """Draw a cell, its weights and a random error, at the last step or at every one; measure.

    Raises ValueError for a bad seed, size or number.
    """
    rng = np.random.default_rng([checks.size("seed", seed, 0), 5, checks.size("number", number, 0)])
    kind, init, loss_at = (str(rng.choice(names)) for names in (KINDS, INITS, LOSS_AT))
    cell = CELLS[kind](INPUT_SIZE, checks.size("hidden_size", hidden_size))
    gain, bias = float(np.exp(rng.uniform(*np.log(GAINS)))), float(rng.uniform(*BIASES))
    params = cell.init_params(rng, init=init, gain=gain, memory_bias=bias)
    record = forward(cell, params, rng.standard_normal((STEPS, INPUT_SIZE, BATCH_SIZE)))
    direct = rng.standard_normal((STEPS, hidden_size, BATCH_SIZE))
    if loss_at == "last":
        direct[:-1] = 0
    full = backward(record, direct)
    cosines = [cosine(truncated_backward(record, direct, w).grads, full.grads) for w in WINDOWS]
    log10 = state_curve(backward(record, _last(direct))).log10
    growth = float(log10[STEPS // 2] - log10[STEPS]) / (STEPS // 2)
    return Agreement(number, kind, loss_at, np.array(WINDOWS), np.array(cosines), growth)


def cosine(grads: Mapping[str, Array], others: Mapping[str, Array]) -> float:
    """⟨g, g′⟩ / (‖g‖ ‖g′‖) over all parameters together; NaN where one is zero or not finite."""
    pairs = [(np.ravel(g), np.ravel(others[name])) for name, g in grads.items()]
    with np.errstate(all="ignore"):
        a, b = (np.concatenate([pair[i] for pair in pairs]).astype(float) for i in (0, 1))
        peaks = np.abs(a).max(), np.abs(b).max()
        a, b = a / peaks[0], b / peaks[1]
        return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def truncation_verdict(found: Sequence[Agreement]) -> TruncationVerdict:
    """A cosine that is no number counts as not good."""
    drawn = [a for a in found if not a.label]
    fading = [a.at(WINDOW) > GOOD for a in drawn if a.growth < FADES]
    lasting = [a.at(WINDOW) > GOOD for a in drawn if not a.growth < FADES]
    own = tuple((a.label, a.at(WINDOW)) for a in found if a.label)
    return TruncationVerdict(len(drawn), sum(fading) + sum(lasting), len(fading), sum(fading),
                             len(lasting), sum(lasting), own)  # fmt: skip


def _last(direct: Array) -> Array:
    alone = np.zeros_like(direct)
    alone[-1] = direct[-1]
    return alone
