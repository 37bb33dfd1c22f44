"""How far back the data themselves say that a task must remember: no network is asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.models.diagnosis.data_past import Joint, Past, joint, parted, r2, together
from rnnviz.models.diagnosis.finding import Finding
from rnnviz.tasks.batch import Batch, stream

PERMUTATIONS = 99
"""With the order that the data have 100: to be beyond all others is 1 in 100 by chance."""
FEWEST = 20
"""Sequences below which little could be told from chance."""
MOST_LAGS, UNEXPLAINED = 8, 0.01
"""How many lags are looked for, one after another, while more than this share of the target's
variance is left."""
ENOUGH = 4
"""Answers for each input of a fit of all nearer lags."""


@dataclass(frozen=True)
class DataLag:
    """The longest lag that predicts the target.

    lag: None if none does better than chance. nearer: the other lags that were found. r2_rest: the
    share that the inputs at that lag predict, linearly and held out, of what a fit of all the
    nearer ones leaves of the target's variance about its mean at each step; of the best lag if none
    is found. r2: the same as a share of the whole variance. null: the largest r2_rest over all lags
    in 99 permutations. All three are NaN where the targets do not vary. sequences: how many there
    are. most: the longest lag that was tried.
    """

    lag: int | None
    r2: float
    null: float
    sequences: int
    most: int
    r2_rest: float
    nearer: tuple[int, ...] = ()

    def finding(self, label: str) -> Finding:
        """As a report has it."""
        kind = "no_data_lag" if self.lag is None else "data_lag"
        values = {"r2": self.r2, "r2_rest": self.r2_rest, "nearer": self.nearer, "null": self.null,
                  "sequences": self.sequences, "most": self.most,
                  "permutations": PERMUTATIONS}  # fmt: skip
        number = np.nan if self.lag is None else float(self.lag)
        return Finding(kind, label, number, np.nan, "certain", False, values=values)


def data_lag(batch: Batch) -> DataLag:
    """The longest lag at which inputs predict what nearer ones do not, from the data alone.

    The answer at step t is predicted from x_{t−k} by ridge regression, five-fold over whole
    sequences. The lag k whose held-out R² is largest counts if that is beyond the largest over all
    lags in each of 99 permutations, which give every sequence the answers of another one. Then the
    same with what a fit of all lags found so far leaves of the answers, and with what the inputs at
    each further lag have besides theirs, until nothing is found or less than 1 % is left. At last
    the longest is dropped, or a nearer one takes its place, where it does not add most to the
    others, and nearer ones alone are searched where it adds nothing to a fit of all that are nearer
    (if there are four answers for each input of that).
    What shows linearly in no single lag, such as a product of two inputs, is not seen, and
    sequences are taken to be independent of each other: windows that overlap are not.
    Where at each step all sequences have the same target there is nothing to predict, and no R².
    Raises ValueError for a batch without targets, and for one of fewer than 20 sequences.
    """
    if batch.loss == "projection":
        raise ValueError("lag must be a number where the data have no targets, got 'data'")
    if batch.batch_size < FEWEST:
        raise ValueError(f"lag must be a number for fewer than {FEWEST} sequences, got 'data' for "
                         f"{batch.batch_size}")  # fmt: skip
    past, whole = parted(batch)
    if not whole.any():
        return DataLag(None, np.nan, np.nan, batch.batch_size, past.most, np.nan)
    rng = stream(0, "direction")
    orders = np.array([rng.permutation(batch.batch_size) for _ in range(PERMUTATIONS)])
    one = _search(past, whole, orders, past.most)
    while one.r2 > one.null and not _stands(past, whole, orders, one.lag):
        one = _search(past, whole, orders, one.lag - 1)
    most, beyond = past.most, one.r2 > one.null
    return DataLag(one.lag if beyond else None, one.r2 * one.share, one.null, batch.batch_size,
                   most, one.r2, one.beside if beyond else ())  # fmt: skip


@dataclass(frozen=True)
class _Next:
    """The lag that adds most to a fit of others, `beside` it. r2: the share that it predicts of
    what they leave. share: what they leave of the variance, where it has inputs. null: the largest
    r2 over all lags of the permutations."""

    lag: int
    r2: float
    null: float
    share: float
    beside: tuple[int, ...]


def _search(past: Past, whole: Array, orders: Array, most: int) -> _Next:
    """The longest lag up to `most` that is found; if none is, the best."""
    found = list[_Next]()
    while len(found) < MOST_LAGS:
        one = _next(past, whole, orders, [each.lag for each in found], most)
        if not one.r2 > one.null:
            break
        found.append(one)
        if _explained(past, whole, [each.lag for each in found]):
            break
    return _longest(past, whole, orders, found) if found else one


def _next(past: Past, whole: Array, orders: Array, lags: list[int], most: int) -> _Next:
    """What to add to some lags, of those up to `most`."""
    left = joint(past, lags, past.having(lags)).left(whole)
    y = _permuted(left, orders)
    fits: dict[int, Joint] = {}  # by how many answers have the lags: those with the later steps
    every, shares = np.empty((most + 1, 1 + len(orders))), np.empty(most + 1)
    for lag in range(most + 1):
        there = past.having([*lags, lag])
        count = int(there.sum())
        fits[count] = fits.get(count) or joint(past, lags, there)
        every[lag] = r2(fits[count], past.at(lag, there), y)
        shares[lag] = _share(left, whole, there)
    own = every[:, 0].copy()
    own[lags] = -np.inf
    lag = int(own.argmax())
    return _Next(lag, float(own[lag]), float(every[:, 1:].max()), float(shares[lag]),
                 tuple(lags))  # fmt: skip


def _permuted(left: Array, orders: Array) -> Array:
    """What is left of the answers (B, m, O) and its permutations, (B, m, 1 + permutations, O)."""
    return np.stack([left, *(left[order] for order in orders)], axis=2)


def _stands(past: Past, whole: Array, orders: Array, lag: int) -> bool:
    """Whether a lag adds something, beyond permutations, also to a fit of all nearer ones: where
    there are answers enough for that; else it is not asked."""
    there = past.having([lag])
    if lag * past.x.shape[1] > there.sum() / ENOUGH:
        return True
    nearer = together(past, range(lag), there)
    own, *others = r2(nearer, past.at(lag, there), _permuted(nearer.left(whole), orders))
    return bool(own > max(others))


def _longest(past: Past, whole: Array, orders: Array, found: list[_Next]) -> _Next:
    """The longest of the lags that were found which adds something to the others, where none that
    is nearer adds more."""
    lags = [each.lag for each in found]
    if lags[-1] == max(lags):  # it was found so
        return found[-1]
    while lags:
        longest = max(lags)
        lags.remove(longest)
        one = _next(past, whole, orders, lags, longest)
        if one.r2 > one.null:
            if one.lag == longest:
                return one
            lags = [*lags, one.lag]
    return found[0]


def _explained(past: Past, whole: Array, lags: list[int]) -> bool:
    """Whether a fit of some lags leaves next to nothing."""
    there = past.having(lags)
    return _share(joint(past, lags, there).left(whole), whole, there) <= UNEXPLAINED


def _share(left: Array, whole: Array, there: Array) -> float:
    """How much of the variance is left, of the answers that are there."""
    part, all_of_it = (float(np.where(there, v**2, 0).sum()) for v in (left, whole))
    return part / all_of_it if all_of_it else 1.0
