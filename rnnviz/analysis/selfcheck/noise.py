"""What rounding alone does to a number: the yardstick of every check of a run.

Two ways to the same number never agree to the last bit. How far apart they may come is not
guessed here but measured: every number that went in is moved by one rounding, up or down at
random, and what that does to the result is its rounding noise. Saturated units, long sequences,
chaos and single precision widen it by just as much as they make a run uncertain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnnviz.core import Cell, Record
from rnnviz.core.numerics import Array

STRICT = 100.0
"""How many times its rounding noise a difference may be. Measured over thousands of random
networks the two ways differ by up to 10 times the noise of one draw; a mistake in a formula by
10^8 times and more in float64."""
TINY = 1e-170
"""Imaginary step: its square is exactly zero in float64, so that a ReLU at its kink stays there."""
MAGNIFIED = 1024
"""How many roundings a single step is moved by, to see what one does: less is itself rounded off,
now and then all of it."""
MOST = 1e-2
"""A comparison that cannot see an error of one percent says nothing."""


@dataclass(frozen=True, eq=False)
class Compared:
    """Numbers found in two ways, one entry a comparison.

    error: how far apart they are; scale: the size of what was added up to make them; noise: how
    far one rounding of everything moves them. All of one shape (n,). eps: one rounding of the
    run's dtype. The relative error is error / scale, and bounded by STRICT (eps + noise / scale).
    """

    error: Array
    scale: Array
    noise: Array
    eps: float

    def worst(self) -> tuple[float, float, float]:
        """(relative error, bound, share that says something) of the entry that comes nearest to
        its bound or lies furthest beyond; NaNs if no entry says anything, because it is not a
        finite number or its bound is above `MOST`. A relative error that is NaN counts as
        beyond any bound."""
        with np.errstate(all="ignore"):
            value = np.where(self.error == 0, 0.0, self.error / self.scale)
            spread = np.where(self.noise == 0, 0.0, self.noise / self.scale)
            bound = STRICT * (self.eps + spread)
            usable = np.isfinite(self.scale) & (bound <= MOST)
            if not usable.any():
                return np.nan, np.nan, 0.0
            ratio = np.where(usable, np.nan_to_num(value / bound, nan=np.inf), -1.0)
        at = int(ratio.argmax())
        return float(value[at]), float(bound[at]), float(usable.mean())


def joined(parts: Sequence[Compared]) -> Compared:
    """All comparisons as one; at least one part."""
    error, scale, noise = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("error", "scale", "noise")
    )
    return Compared(error, scale, noise, parts[0].eps)


def precision(dtype: np.dtype) -> float:
    """One rounding, relative: 2.2e-16 in float64, 1.2e-7 in float32."""
    return float(np.finfo(dtype).eps)


def smallest(dtype: np.dtype) -> float:
    """What rounding moves a number by that is next to nothing: the smallest that has all its
    digits. 1/(1 + e^a) is 0 from there on."""
    return float(np.finfo(dtype).tiny)


def nudged(values: Array, rng: np.random.Generator, eps: float, least: float | Array = 0) -> Array:
    """Every entry moved up or down by that much of itself, one rounding for the dtype's own, to
    twice as much, so that no two such moves cancel; and by `least`, that of a number next to
    nothing."""
    ways = rng.uniform(1, 2, values.shape) * np.where(rng.random(values.shape) < 0.5, 1, -1)
    moved: Array = values * (1 + eps * ways).astype(values.dtype)
    if np.any(least):
        moved += np.copysign(ways * least, ways * values).astype(values.dtype)
    return moved


def nudged_record(record: Record, rng: np.random.Generator, eps: float, least: float = 0) -> Record:
    """The record with the values of its gates moved, and what it keeps for the way back: the
    slopes of saturated units, such as 1 − tanh², hang on their last bit. least: as in `nudged`, of
    what is smooth: a ReLU that is shut stays shut."""
    cell, saved = record.cell, record.saved
    floors = [_floor(cell, gate, eps, least) for gate in cell.GATE_ROWS]
    gates = nudged(record.gate_values, rng, eps, np.repeat(floors, cell.hidden_size)[:, None])
    if saved is not None:
        saved = nudged(saved, rng, eps, 0 if cell.saved_activation.kinks else least)
    return replace(record, gate_values=gates, saved=saved)


def _floor(cell: Cell, gate: str, eps: float, least: float) -> float:
    """What rounding moves a gate by at least: one that is 1 − f moves as f does."""
    if gate in cell.constant_gates or (gate in cell.trainable_gates
                                       and cell.activation_of(gate).kinks):  # fmt: skip
        return 0
    return least if gate in cell.trainable_gates else eps
