"""Hidden Markov models against every path of their states, one by one."""

from __future__ import annotations

from itertools import product
from math import log

import numpy as np
import pytest

from rnnviz.tasks import Counting, Text, Words
from rnnviz.tasks.hmm import HiddenMarkov, backward, fit, forward, step


def model(states: int, symbols: int, seed: int = 0) -> HiddenMarkov:
    rng = np.random.default_rng(seed)
    return HiddenMarkov(
        np.log(rng.dirichlet(np.ones(states))),
        np.log(rng.dirichlet(np.ones(states), states)),
        np.log(rng.dirichlet(np.ones(symbols), states)),
    )


def paths(of: HiddenMarkov, x: list[int]) -> list[tuple[tuple[int, ...], float]]:
    """Every path of hidden states and its probability together with x."""
    found = []
    for z in product(range(of.states), repeat=len(x)):
        p = of.start[z[0]] + of.says[z[0], x[0]]
        for t in range(1, len(x)):
            p += of.moves[z[t - 1], z[t]] + of.says[z[t], x[t]]
        found.append((z, float(np.exp(p))))
    return found


X = [0, 2, 1, 1, 3, 0]


def test_forward_and_backward_are_sums_over_all_paths() -> None:
    of = model(3, 4)
    alpha, beta = forward(of, np.array(X)[:, None]), backward(of, np.array(X)[:, None])
    for t in range(len(X)):
        for k in range(3):
            ways = sum(p for z, p in paths(of, X[: t + 1]) if z[t] == k)
            assert np.exp(alpha[t, 0, k]) == pytest.approx(ways, rel=1e-12)
            through = sum(p for z, p in paths(of, X) if z[t] == k)
            assert np.exp((alpha + beta)[t, 0, k]) == pytest.approx(through, rel=1e-12)


def test_a_round_gives_what_is_expected_of_every_path_and_leaves_padding_out() -> None:
    of, other = model(3, 4), [1, 0, 2]
    x = np.zeros((6, 2), int)
    x[:, 0], x[:3, 1] = X, other
    weight = (x >= 0) & (np.arange(6)[:, None] < [6, 3])
    found, likelihood = step(of, x, weight.astype(float))
    start, moves, says = np.zeros(3), np.zeros((3, 3)), np.zeros((3, 4))
    whole = 0.0
    for sequence in (X, other):
        ways = paths(of, sequence)
        total = sum(p for _, p in ways)
        whole += log(total)
        for z, p in ways:
            start[z[0]] += p / total
            for t, symbol in enumerate(sequence):
                says[z[t], symbol] += p / total
                if t:
                    moves[z[t - 1], z[t]] += p / total
    assert likelihood == pytest.approx(whole, rel=1e-12)
    for ours, counts in ((found.start, start), (found.moves, moves), (found.says, says)):
        expected = counts / counts.sum(axis=-1, keepdims=True)
        np.testing.assert_allclose(np.exp(ours), expected, rtol=1e-10)


def test_the_loss_predicts_each_symbol_from_all_before_it() -> None:
    of, nats = model(2, 4), 0.0
    for t in range(1, len(X)):
        joint, before = (sum(p for _, p in paths(of, X[:n])) for n in (t + 1, t))
        nats -= log(joint / before)
    assert of.loss([np.array(X), np.array([1])]) == pytest.approx(nats / 5, rel=1e-12)


def test_no_round_makes_what_was_seen_less_likely() -> None:
    x = np.random.default_rng(1).integers(5, size=(40, 6))
    of, last = model(4, 5), -np.inf
    for _ in range(60):
        of, likelihood = step(of, x, np.ones(x.shape))
        assert likelihood >= last - 1e-9
        last = likelihood


def test_thousands_of_symbols_do_not_underflow() -> None:
    of, x = model(3, 4), np.random.default_rng(2).integers(4, size=5000)
    assert forward(of, x[:, None])[-1].max() < -5000  # no float holds e to that
    halves = of.loss([x[:2500]]), of.loss([x[2499:]])
    assert of.loss([x]) == pytest.approx(sum(halves) / 2, rel=0.01)


@pytest.mark.parametrize(("states", "least", "most"), [(1, log(9), log(9)), (9, 0.0, 0.01)])
def test_counting_takes_a_state_a_number(states: int, least: float, most: float) -> None:
    assert least - 1e-3 <= Counting().hmm_loss(states) <= most + 1e-3


def test_the_text_is_that_of_the_n_grams() -> None:
    """One state is an n-gram without context, but for smoothing."""
    task = Text("abracadabra " * 60 + "a ")
    trained, held_out = task.parts()
    n = task.shape(2)[2]
    often = np.bincount(trained, minlength=n) / len(trained)
    expected = -np.log((1 - 1e-3) * often + 1e-3 / n)[held_out[1:]].mean()
    assert task.hmm_loss(1) == pytest.approx(expected, rel=1e-9)
    assert task.hmm_loss(1) == pytest.approx(task.ngram_loss(0), rel=0.02)
    assert task.hmm_loss(12) < 0.5 * task.ngram_loss(0)
    assert Text("hello world").hmm_loss(2) is None
    assert Words().ngram_loss(1) < Words().hmm_loss(4) < Words().ngram_loss(0)


def test_what_cannot_be_fitted_is_refused() -> None:
    with pytest.raises(ValueError, match="ids from 0 to 2, got 0 to 3"):
        fit([np.array([0, 3])], 2, 3)
    with pytest.raises(ValueError, match="at least 2 symbols"):
        fit([np.array([0])], 2, 3)
    with pytest.raises(ValueError, match="states"):
        fit([np.array([0, 1])], 0, 3)
