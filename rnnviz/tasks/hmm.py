"""Hidden Markov models: a chain of states that is not seen, each of which says symbols."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.core import checks
from rnnviz.core.numerics import Array
from rnnviz.tasks.ngram import check_ids

CHUNK = 64
"""Symbols of a sequence while it is fitted; longer ones are cut."""
MOST = 40_000
"""Symbols that a model is fitted to, at most."""
STARTS, TRIED, ROUNDS = 6, 6, 60
"""Random starts, rounds of Baum-Welch after which the best goes on, and its rounds at most."""
STILL = 1e-5
"""Nats per symbol by which a round must help for another to be made."""
FLOOR = 1e-3
"""Share of every state's symbols that is spread over all, so that each has a chance."""
NEVER = 1e-300


@dataclass(frozen=True, eq=False)
class HiddenMarkov:
    """P(z_1), P(z_{t+1} | z_t) and P(x_t | z_t) of states z and symbols x, as logarithms.

    start (K,), moves (K, K) from row to column, says (K, V).
    """

    start: Array
    moves: Array
    says: Array

    @property
    def states(self) -> int:
        return len(self.start)

    def loss(self, sequences: Sequence[Array]) -> float:
        """Cross-entropy in nats per symbol, P(x_t | x_1, ..., x_{t−1}), over every symbol but each
        sequence's first. Raises ValueError if no sequence has a second symbol."""
        nats, count = 0.0, 0
        for tokens in (np.asarray(s, np.int64) for s in sequences if len(s) > 1):
            first = np.logaddexp.reduce(self.start + self.says[:, tokens[0]])
            nats += float(first - np.logaddexp.reduce(forward(self, tokens[:, None])[-1, 0]))
            count += len(tokens) - 1
        if not count:
            raise ValueError("sequences must hold one of at least 2 symbols")
        return nats / count


def forward(model: HiddenMarkov, x: Array) -> Array:
    """log P(x_1, ..., x_t, z_t) for tokens x (T, B), (T, B, K)."""
    says, moves = model.says.T[x], np.exp(model.moves)
    alpha = np.empty(says.shape)
    alpha[0] = model.start + says[0]
    for t in range(1, len(x)):
        alpha[t] = _through(alpha[t - 1], moves) + says[t]
    return alpha


def backward(model: HiddenMarkov, x: Array) -> Array:
    """log P(x_{t+1}, ..., x_T | z_t) for tokens x (T, B), (T, B, K)."""
    says, moves = model.says.T[x], np.exp(model.moves.T)
    beta = np.zeros(says.shape)
    for t in range(len(x) - 2, -1, -1):
        beta[t] = _through(beta[t + 1] + says[t + 1], moves)
    return beta


def step(model: HiddenMarkov, x: Array, weight: Array) -> tuple[HiddenMarkov, float]:
    """One round of Baum-Welch: the model whose parameters are what this one expects of tokens x
    (T, B), and the log-likelihood of x under this one. weight (T, B): 1, or 0 from where a sequence
    is over.
    """
    last = weight.sum(axis=0).astype(int) - 1
    alpha, beta = forward(model, x), backward(_ended(model), np.where(weight > 0, x, -1))
    whole = np.logaddexp.reduce(alpha[last, np.arange(x.shape[1])], axis=-1)
    there = np.exp(alpha + beta - whole[:, None]) * weight[..., None]
    before, after = _shifted(alpha[:-1]), _shifted(beta[1:] + model.says.T[x[1:]])
    moves = np.exp(model.moves)
    share = weight[1:] / np.maximum(np.einsum("tbk,kl,tbl->tb", before, moves, after), NEVER)
    moved = moves * np.einsum("tbk,tbl->kl", before * share[..., None], after)
    said = np.zeros((model.says.shape[1], model.states))
    np.add.at(said, x.reshape(-1), there.reshape(-1, model.states))
    found = (_shares(each) for each in (there[0].sum(axis=0), moved, said.T))
    return HiddenMarkov(*found), float(whole.sum())


def fit(sequences: Sequence[Array], states: int, symbols: int, seed: int = 0) -> HiddenMarkov:
    """By Baum-Welch from several random starts: a local optimum, no more. Of long sequences
    pieces of CHUNK symbols count as sequences of their own, MOST symbols in all.

    Raises ValueError for fewer than one state or an id outside its range.

    Source: Baum, Petrie, Soules, Weiss 1970, Ann. Math. Statist. 41(1).
    """
    checks.size("states", states)
    x, weight = _pieces(sequences, symbols)
    rng = np.random.default_rng([seed, states])
    starts = [_random(rng, states, symbols, x[weight > 0]) for _ in range(STARTS)]
    tried = [_rounds(model, x, weight, TRIED) for model in starts]
    best, _ = max(tried, key=lambda found: found[1])
    model, _ = _rounds(best, x, weight, ROUNDS)
    says = np.exp(model.says) * (1 - FLOOR) + FLOOR / symbols
    return HiddenMarkov(model.start, model.moves, np.log(says))


def _rounds(model: HiddenMarkov, x: Array, weight: Array, most: int) -> tuple[HiddenMarkov, float]:
    """The model after so many rounds, fewer where they help no more, and its log-likelihood before
    the last one."""
    enough, known = STILL * weight.sum(), -np.inf
    for _ in range(most):
        model, likelihood = step(model, x, weight)
        if likelihood - known < enough:
            break
        known = likelihood
    return model, likelihood


def _random(rng: np.random.Generator, states: int, symbols: int, seen: Array) -> HiddenMarkov:
    """States that say what is seen about as often as it is, and move anywhere."""
    often = np.bincount(seen, minlength=symbols) + 0.1
    says = often * rng.gamma(0.5, size=(states, symbols))
    moves = rng.gamma(0.5, size=(states, states))
    return HiddenMarkov(*(_shares(each + 1e-6) for each in (np.ones(states), moves, says)))


def _pieces(sequences: Sequence[Array], symbols: int) -> tuple[Array, Array]:
    """Tokens (T, B), 0 where a piece is over, and the weights of `step`."""
    cut = [
        piece
        for tokens in map(np.asarray, sequences)
        for piece in np.split(tokens, range(CHUNK, len(tokens), CHUNK))
        if len(piece) > 1
    ][: MOST // CHUNK]
    if not cut:
        raise ValueError("sequences must hold one of at least 2 symbols")
    check_ids(cut, symbols)
    x = np.zeros((max(map(len, cut)), len(cut)), np.int64)
    weight = np.zeros(x.shape)
    for b, piece in enumerate(cut):
        x[: len(piece), b], weight[: len(piece), b] = piece, 1
    return x, weight


def _ended(model: HiddenMarkov) -> HiddenMarkov:
    """With one symbol more, −1, that every state says and that changes nothing: what stands where
    a sequence is over."""
    return HiddenMarkov(model.start, model.moves, np.c_[model.says, np.zeros(model.states)])


def _through(log: Array, moves: Array) -> Array:
    """log(exp(log) @ moves), of rows that no exponential would hold."""
    largest = log.max(axis=-1, keepdims=True)
    return np.log(np.maximum(np.exp(log - largest) @ moves, NEVER)) + largest


def _shifted(log: Array) -> Array:
    """exp, the largest state of each row as 1."""
    shifted: Array = np.exp(log - log.max(axis=-1, keepdims=True))
    return shifted


def _shares(counts: Array) -> Array:
    """Rows as logarithms of what sums to 1."""
    shares = np.maximum(counts, NEVER) / np.maximum(counts.sum(axis=-1, keepdims=True), NEVER)
    log: Array = np.log(np.maximum(shares, NEVER))
    return log
