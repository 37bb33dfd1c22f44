"""N-gram models against counts by hand and against a plain recursion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from rnnviz.tasks import Text, Words
from rnnviz.tasks.ngram import NGram, fit

ABRACADABRA = np.array([0, 1, 2, 0, 3, 0, 4, 0, 1, 2, 0])


def witten_bell(
    sequences: Sequence[np.ndarray], context: tuple[int, ...], symbol: int, symbols: int
) -> float:
    """P(symbol | context) from its definition."""
    k = len(context)
    followers = [
        sequence[t]
        for sequence in sequences
        for t in range(max(k, 1), len(sequence))
        if tuple(sequence[t - k : t]) == context
    ]
    lower = witten_bell(sequences, context[1:], symbol, symbols) if k else 1 / symbols
    kinds = len(set(followers))
    if not kinds:
        return lower
    return (followers.count(symbol) + kinds * lower) / (len(followers) + kinds)


def prob(model: NGram, context: Sequence[int]) -> np.ndarray:
    """(symbols,): P(next | context), by what each symbol adds to the loss."""
    n = len(context)
    before = (n - 1) * model.loss([np.array(context)]) if n > 1 else 0.0
    after = (model.loss([np.array([*context, symbol])]) for symbol in range(model.symbols))
    return np.exp([before - n * loss for loss in after])


def test_frequencies_and_pairs_by_hand() -> None:
    """After the first a: 4 a of 10, 5 different; after b came r twice, nothing else."""
    p = prob(fit([ABRACADABRA], 0, 6), [0])
    assert p[0] == pytest.approx((4 + 5 / 6) / (10 + 5))
    assert p[5] == pytest.approx((5 / 6) / 15)
    pair = prob(fit([ABRACADABRA], 1, 6), [1])
    assert pair[2] == pytest.approx((2 + p[2]) / 3)
    assert pair[0] == pytest.approx(p[0] / 3)


@pytest.mark.parametrize("order", range(5))
def test_every_probability_is_the_one_of_the_definition(order: int) -> None:
    rng = np.random.default_rng(order)
    trained = [rng.integers(3, size=n) for n in (1, 2, 9, 40)]
    asked = [rng.integers(4, size=n) for n in (1, 7, 15)]
    model = fit(trained, order, 4)
    logs = []
    for sequence in asked:
        for t in range(1, len(sequence)):
            context = tuple(sequence[max(0, t - order) : t].tolist())
            p = witten_bell(trained, context, sequence[t], 4)
            assert prob(model, sequence[:t])[sequence[t]] == pytest.approx(p, rel=1e-12)
            logs.append(np.log(p))
    assert model.loss(asked) == pytest.approx(-np.mean(logs), rel=1e-12)


@pytest.mark.parametrize("order", range(5))
def test_probabilities_are_positive_and_sum_to_one(order: int) -> None:
    model = fit([ABRACADABRA], order, 6)
    for context in ([0], [5], [0, 1, 2, 0], [5, 5, 5, 5], [1, 2, 0, 3, 0, 4]):
        p = prob(model, context)
        assert p.sum() == pytest.approx(1, rel=1e-12)
        assert p.min() > 0


def test_a_cycle_is_learned_by_one_symbol_of_context() -> None:
    cycle = np.arange(9000) % 9
    assert fit([cycle], 1, 9).loss([cycle]) < 0.005
    assert fit([cycle], 0, 9).loss([cycle]) == pytest.approx(np.log(9), rel=1e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fit([ABRACADABRA], 5, 6), "order must be an integer from 0 to 4, got 5"),
        (lambda: fit([ABRACADABRA], -1, 6), "order must be an integer of at least 0, got -1"),
        (lambda: fit([ABRACADABRA], 1, 4), "sequences must hold ids from 0 to 3, got 0 to 4"),
        (lambda: fit([ABRACADABRA], 1, 6).loss([np.array([7, 0])]), "ids from 0 to 5, got 0 to 7"),
        (lambda: fit([ABRACADABRA], 1, 6).loss([np.array([1])]), "at least 2 symbols"),
    ],
)
def test_bad_values_are_named(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()  # type: ignore[operator]


@pytest.mark.parametrize(
    "task", [Text("the cat sat on the mat. the dog sat. " * 20 + "the cat."), Words()]
)
def test_a_language_task_states_it_on_what_is_held_out(task: Text | Words) -> None:
    losses = [task.ngram_loss(order) for order in range(4)]
    guess = task.baseline_at(20, "every")
    assert all(loss is not None and 0 < loss < guess for loss in losses)
    assert losses[0] > losses[1] > losses[2]  # type: ignore[operator]


def test_it_is_fitted_to_one_part_and_asked_about_the_other() -> None:
    task = Text("ab" * 90 + "bbaa" * 5)
    trained, held_out = task.parts()
    expected = fit([trained], 2, 2).loss([held_out])
    assert task.ngram_loss(2) == expected > 2 * fit([trained], 2, 2).loss([trained])


def test_without_a_held_out_part_there_is_none() -> None:
    assert Text("hello world").ngram_loss(2) is None
    assert Words("to be or not to be").ngram_loss(2) is None
