"""How far the outputs of a recurrent module may be off because numbers are rounded: by what that
does to each pre-activation, and what becomes of it in the gates and in the steps and layers after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.core.activations import ACTIVATIONS
from rnnviz.core.layers import reverse
from rnnviz.core.numerics import Array
from rnnviz.core.trace import Record

EPS = {"bfloat16": 2.0**-7, "float16": 2.0**-10, "tf32": 2.0**-10, "float32": 2.0**-23,
       "float64": 2.0**-52}  # fmt: skip
"""Number format -> the distance from 1 to the next number."""
ROUNDINGS = 3
"""Times EPS, that which is rounded but for the sum itself: weights, inputs, the sum, its parts."""


@dataclass(frozen=True, eq=False)
class Within:
    """Numbers, and how far each of them may be off."""

    value: Array
    off: Array

    def __add__(self, other: Within) -> Within:
        return Within(self.value + other.value, self.off + other.off)

    def __sub__(self, other: Within) -> Within:
        return Within(self.value - other.value, self.off + other.off)

    def __mul__(self, other: Within) -> Within:
        mine, theirs = np.abs(self.value), np.abs(other.value)
        off = self.off * theirs + mine * other.off + self.off * other.off
        return Within(self.value * other.value, off)

    def through(self, kind: str, eps: float) -> Within:
        """A nonlinearity of them, none of which falls, rounded."""
        ends = np.array([self.value - self.off, self.value, self.value + self.off])
        ACTIVATIONS[kind].value(ends, ends)
        low, value, high = ends
        return Within(value, np.maximum(high - value, value - low) + eps * np.abs(value))


State = tuple[Within, ...]
Step = Callable[[Mapping[str, Array], Within, Within, State, float], State]


def _rnn(activation: str) -> Step:
    def step(p: Mapping[str, Array], x: Within, h: Within, state: State, eps: float) -> State:
        return ((x + h).through(activation, eps),)

    return step


def _gru(p: Mapping[str, Array], x: Within, h: Within, state: State, eps: float) -> State:
    (of_r, of_z, of_n), (to_r, to_z, m) = _split(x, 3), _split(h, 3)
    b_hn = p["b_hn"][:, None]
    r, z = ((a + b).through("logistic", eps) for a, b in ((of_r, to_r), (of_z, to_z)))
    m = Within(m.value + b_hn, m.off + eps * np.abs(b_hn))
    n = (of_n + r * m).through("tanh", eps)
    one = Within(np.ones_like(z.value), np.zeros_like(z.value))
    return (_rounded((one - z) * n + z * state[0], eps),)


def _lstm(p: Mapping[str, Array], x: Within, h: Within, state: State, eps: float) -> State:
    i, f, g, o = _split(x + h, 4)
    i, f, o = (each.through("logistic", eps) for each in (i, f, o))
    c = _rounded(f * state[1] + i * g.through("tanh", eps), eps)
    return _rounded(o * c.through("tanh", eps), eps), c


def _split(stacked: Within, count: int) -> list[Within]:
    parts = (np.split(part, count) for part in (stacked.value, stacked.off))
    return [Within(value, off) for value, off in zip(*parts, strict=True)]


def _rounded(exact: Within, eps: float) -> Within:
    return Within(exact.value, exact.off + ROUNDINGS * eps * np.abs(exact.value))


def steps_of(kind: str, activation: str) -> Step:
    """What one step of a kind of cell does to numbers that are off."""
    return {"gru": _gru, "lstm": _lstm}.get(kind) or _rnn(activation)


def explained(
    layers: Sequence[Sequence[Record]], step: Step, dtype: str, first: int
) -> list[Array]:
    """How far the h of the first steps of each direction of the last layer may be off, (first, H,
    B) each: everything is taken to be off as far as it can be. Only where a direction reads the end
    of a whole sequence first, the errors of units below are taken to be independent on their way
    through the steps before, over which they would have no bound else."""
    below: Array | None = None
    off: list[Array] = []
    for k, layer in enumerate(layers):
        whole = len(layer) > 1 and k < len(layers) - 1
        off = []
        for d, record in enumerate(layer):
            read = below if below is None or not d else reverse(below, record.lengths)
            with np.errstate(all="ignore"):
                off.append(_of_layer(record, read, step, dtype, None if whole else first))
        if whole:
            off[1] = reverse(off[1], layer[1].lengths)
        below = np.concatenate(off, axis=1) if whole else off[0]
    return off


def _of_layer(
    record: Record, read: Array | None, step: Step, dtype: str, first: int | None
) -> Array:
    """How far the h of the first steps of one layer and direction may be off, or of all, (·, H, B),
    where what it reads may be off by as much as is said."""
    p = {name: value.astype(np.float64) for name, value in record.params.items()}
    initial = [s[0].astype(np.float64) for s in (record.h, record.c) if s is not None]
    state = tuple(Within(each, np.zeros_like(each)) for each in initial)
    found = []
    for t, x in enumerate(record.x[:first].astype(np.float64)):
        given = Within(x, np.zeros_like(x) if read is None else read[t])
        of_x = _product(p["W_xh"], given, dtype, False)
        of_h = _product(p["W_hh"], state[0], dtype, first is None)
        state = step(p, _shifted(of_x, p["b_h"], dtype), of_h, state, EPS[dtype])
        found.append(state[0].off)
    return np.array(found)


def _product(W: Array, given: Within, dtype: str, independent: bool) -> Within:
    """W times numbers that are off. Narrow formats are summed up in float32."""
    rounded = ROUNDINGS * EPS[dtype] + (W.shape[1] + 1) * min(EPS[dtype], EPS["float32"])
    off = np.sqrt(W**2 @ given.off**2) if independent else np.abs(W) @ given.off
    return Within(W @ given.value, off + rounded * (np.abs(W) @ np.abs(given.value)))


def _shifted(given: Within, bias: Array, dtype: str) -> Within:
    """With a bias, which is rounded, too."""
    off = given.off + ROUNDINGS * EPS[dtype] * np.abs(bias[:, None])
    return Within(given.value + bias[:, None], off)
