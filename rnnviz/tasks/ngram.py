"""N-gram models: the next symbol from counts of what followed the last few symbols."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.core import checks
from rnnviz.core.numerics import Array

MAX_ORDER = 4


@dataclass(frozen=True, eq=False)
class Table:
    """How often which symbol followed which context of k symbols.

    A context is one integer, its symbols the digits in base `symbols`; a pair is context ·
    symbols + next. pairs and contexts are sorted; counts[i] is how often pairs[i] came,
    totals[j] and kinds[j] how often and by how many different symbols contexts[j] was followed.
    """

    pairs: Array
    counts: Array
    contexts: Array
    totals: Array
    kinds: Array


@dataclass(frozen=True, eq=False)
class NGram:
    """P(next | last k symbols), k = order, smoothed after Witten and Bell:

        P_k(w | v) = (c(v w) + n(v) P_{k-1}(w | v')) / (c(v) + n(v))

    c counts how often, n(v) how many different symbols followed v; v' is v without its first
    symbol; P_k = P_{k-1} for a v never seen; below order 0 all `symbols` are equally likely. So
    every symbol has a probability above 0 and they sum to 1. At the beginning of a sequence the
    context is as long as there are symbols.
    Source: Witten and Bell 1991, IEEE Trans. Inf. Theory 37(4), method C, interpolated.
    """

    order: int
    symbols: int
    tables: tuple[Table, ...]

    def loss(self, sequences: Sequence[Array]) -> float:
        """Cross-entropy in nats per symbol, over every symbol but each sequence's first.
        Raises ValueError if no sequence has a second symbol."""
        check_ids(sequences, self.symbols)
        asked = _positions(sequences) > 0
        if not asked.any():
            raise ValueError("sequences must hold one of at least 2 symbols")
        return float(-np.log(self._probs(sequences)[asked]).mean())

    def _probs(self, sequences: Sequence[Array]) -> Array:
        """P of every symbol of the sequences, one after the other, after what precedes it."""
        p = np.full(sum(map(len, sequences)), 1 / self.symbols)
        for k, table in enumerate(self.tables):
            at, contexts, pairs = _coded(sequences, k, self.symbols)
            kinds = _found(table.contexts, table.kinds, contexts)
            seen = kinds > 0
            at, kinds = at[seen], kinds[seen]
            count = _found(table.pairs, table.counts, pairs[seen])
            total = _found(table.contexts, table.totals, contexts[seen])
            p[at] = (count + kinds * p[at]) / (total + kinds)
        return p


def fit(sequences: Sequence[Array], order: int, symbols: int) -> NGram:
    """The n-gram model of these sequences of token ids from 0 to symbols − 1.

    order: symbols of context, 0 (frequencies alone) to 4. The first symbol of a sequence is
    context only. Raises ValueError for an order outside 0..4 or an id outside its range.
    """
    checks.size("symbols", symbols)
    if checks.size("order", order, minimum=0) > MAX_ORDER:
        raise ValueError(f"order must be an integer from 0 to {MAX_ORDER}, got {order}")
    check_ids(sequences, symbols)
    tables = (_table(*_coded(sequences, k, symbols)[1:], symbols) for k in range(order + 1))
    return NGram(order, symbols, tuple(tables))


def _table(contexts: Array, pairs: Array, symbols: int) -> Table:
    known_pairs, counts = np.unique(pairs, return_counts=True)
    known, totals = np.unique(contexts, return_counts=True)
    kinds = np.unique(known_pairs // symbols, return_counts=True)[1]
    return Table(known_pairs, counts, known, totals, kinds)


def _coded(sequences: Sequence[Array], k: int, symbols: int) -> tuple[Array, Array, Array]:
    """Where symbols stand that have k symbols and at least one before them, counted through all
    sequences; these k symbols as one integer; and the symbol with them."""
    tokens = np.concatenate([np.asarray(sequence, np.int64) for sequence in sequences])
    at = np.flatnonzero(_positions(sequences) >= max(k, 1))
    contexts = np.zeros(len(at), np.int64)
    for back in range(k, 0, -1):
        contexts = contexts * symbols + tokens[at - back]
    return at, contexts, contexts * symbols + tokens[at]


def _positions(sequences: Sequence[Array]) -> Array:
    """0, 1, 2, ... through each sequence."""
    return np.concatenate([np.arange(len(sequence)) for sequence in sequences])


def _found(known: Array, values: Array, wanted: Array) -> Array:
    """The values of `wanted` in the sorted `known`, 0 where it is not there."""
    if not len(known):
        return np.zeros(len(wanted), np.int64)
    i = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[i] == wanted, values[i], 0)


def check_ids(sequences: Sequence[Array], symbols: int) -> None:
    """Raise ValueError for an id outside 0 to symbols − 1."""
    for tokens in map(np.asarray, sequences):
        if tokens.size and not 0 <= tokens.min() <= tokens.max() < symbols:
            raise ValueError(
                f"sequences must hold ids from 0 to {symbols - 1}, got {tokens.min()} to "
                f"{tokens.max()}"
            )
