"""N-gram models: the next symbol from counts of what followed the last few symbols."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from rnnviz.core import checks

Array = np.ndarray
Context = tuple[int, ...]
MAX_ORDER = 4


@dataclass(frozen=True, eq=False)
class NGram:
    """P(next | last k symbols), k = order, smoothed after Witten and Bell:

        P_k(w | v) = (c(v w) + n(v) P_{k-1}(w | v')) / (c(v) + n(v))

    c counts how often, n(v) how many different symbols followed v; v' is v without its first
    symbol; below order 0 all `symbols` are equally likely. So every symbol has a probability
    above 0 and they sum to 1. counts[k] maps a context of k symbols to what followed it. At the
    beginning of a sequence the context is as long as there are symbols.
    Source: Witten and Bell 1991, IEEE Trans. Inf. Theory 37(4), method C, interpolated.
    """

    order: int
    symbols: int
    counts: tuple[dict[Context, Counter[int]], ...]

    def prob(self, context: Sequence[int]) -> Array:
        """(symbols,): P(next | context); of the context the last `order` symbols count."""
        p = np.full(self.symbols, 1 / self.symbols)
        for followed in self._followed(tuple(context)):
            kinds = len(followed)
            p *= kinds
            p[list(followed)] += list(followed.values())
            p /= followed.total() + kinds
        return p

    def loss(self, sequences: Sequence[Array]) -> float:
        """Cross-entropy in nats per symbol, over every symbol but each sequence's first."""
        tokens = [tuple(sequence.tolist()) for sequence in sequences]
        asked = sum(len(sequence) - 1 for sequence in tokens)
        if asked < 1:
            raise ValueError("sequences must hold one of at least 2 symbols")
        total = sum(
            log(self._prob_of(sequence[max(0, t - self.order) : t], sequence[t]))
            for sequence in tokens
            for t in range(1, len(sequence))
        )
        return -total / asked

    def _prob_of(self, context: Context, symbol: int) -> float:
        p = 1 / self.symbols
        for followed in self._followed(context):
            kinds = len(followed)
            p = (followed[symbol] + kinds * p) / (followed.total() + kinds)
        return p

    def _followed(self, context: Context) -> list[Counter[int]]:
        """What followed the ends of the context, from the shortest on; unseen ones left out."""
        longest = min(self.order, len(context))
        ends = (context[len(context) - k :] for k in range(longest + 1))
        return [self.counts[k][end] for k, end in enumerate(ends) if end in self.counts[k]]


def fit(sequences: Sequence[Array], order: int, symbols: int) -> NGram:
    """The n-gram model of these sequences of token ids from 0 to symbols − 1.

    order: symbols of context, 0 (frequencies alone) to 4. The first symbol of a sequence is
    context only. Raises ValueError for an order outside 0..4 or an id outside its range.
    """
    checks.size("symbols", symbols)
    if checks.size("order", order, minimum=0) > MAX_ORDER:
        raise ValueError(f"order must be an integer from 0 to {MAX_ORDER}, got {order}")
    counts: tuple[dict[Context, Counter[int]], ...] = tuple({} for _ in range(order + 1))
    for sequence in sequences:
        tokens = tuple(sequence.tolist())
        if tokens and not 0 <= min(tokens) <= max(tokens) < symbols:
            raise ValueError(
                f"sequences must hold ids from 0 to {symbols - 1}, got {min(tokens)} to "
                f"{max(tokens)}"
            )
        for t in range(1, len(tokens)):
            for k in range(min(order, t) + 1):
                counts[k].setdefault(tokens[t - k : t], Counter())[tokens[t]] += 1
    return NGram(order, symbols, counts)
