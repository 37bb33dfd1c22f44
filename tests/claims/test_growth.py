"""Random networks judged by four predictors: oracles in closed form, honest scores."""

from __future__ import annotations

import math
import warnings
from dataclasses import fields, replace
from itertools import islice

import numpy as np
import pytest

from rnnviz.claims.growth import (
    GAUSSIAN_LIKE,
    MOST,
    PREDICTORS,
    Draw,
    draw,
    draws,
    growth_verdict,
    score,
    sign,
)
from rnnviz.core.activations import ACTIVATIONS
from rnnviz.core.initializers import INITIALIZERS
from rnnviz.core.numerics import Status

SEED, SIZE = 3, 6


@pytest.fixture(scope="module")
def found() -> list[Draw]:
    return list(draws(SEED, SIZE, 200))


def of(found: list[Draw], init: str, activation: str) -> list[Draw]:
    group = [d for d in found if (d.init, d.activation) == (init, activation)]
    assert group
    return group


def alike(one: Draw, other: Draw) -> bool:
    """The same but for the last bits, which BLAS does not promise."""
    pairs = ((getattr(one, f.name), getattr(other, f.name)) for f in fields(Draw))
    return all(
        a == pytest.approx(b, rel=1e-9, nan_ok=True) if isinstance(a, float) else a == b
        for a, b in pairs
    )


def test_a_draw_does_not_depend_on_the_others(found: list[Draw]) -> None:
    assert alike(next(draws(SEED, SIZE, 1, start=7)), found[7])
    assert alike(draw(SEED, SIZE, 7), found[7])
    for one, other in zip(islice(draws(SEED, SIZE, MOST), 2), found[:2], strict=True):
        assert alike(one, other)
    assert not alike(found[7], found[8])


def test_another_size_leaves_the_choices_as_they_are(found: list[Draw]) -> None:
    larger, choices = (
        draw(SEED, 9, 5),
        ("init", "activation", "gain", "input_scale", "network_seed"),
    )
    assert [getattr(larger, name) for name in choices] == [getattr(found[5], n) for n in choices]
    assert larger.growth != found[5].growth


def test_every_initializer_and_activation_is_drawn(found: list[Draw]) -> None:
    assert {d.init for d in found} == set(INITIALIZERS)
    assert {d.activation for d in found} == set(ACTIVATIONS)
    assert len({d.network_seed for d in found}) == len(found)


def test_below_one_over_gamma_every_error_vanishes(found: list[Draw]) -> None:
    """The true half of the rule, a theorem: growth <= log10 γσ_max in every draw."""
    assert sum(d.sigma < 0 for d in found) > 50
    assert all(d.growth <= d.sigma + 1e-12 for d in found)


def test_the_promises_are_granted_the_largest_slope(found: list[Draw]) -> None:
    """γ = ¼ of logistic units: σ_max = 4 is their threshold."""
    for d in of(found, "identity", "logistic"):
        assert d.lipschitz == 0.25
        assert d.sigma_max == d.gain
        assert d.sigma == d.rho == pytest.approx(math.log10(d.gain / 4))


def test_linear_and_orthogonal_is_exactly_the_gain(found: list[Draw]) -> None:
    """E1: all four agree."""
    for d in of(found, "orthogonal", "identity"):
        numbers = [d.sigma, d.rho, d.lyapunov, d.growth]
        np.testing.assert_allclose(numbers, math.log10(d.gain), atol=1e-10)


def test_a_delay_line_forgets_exactly(found: list[Draw]) -> None:
    """E3: spectral radius 0, and nothing is left after H steps: zero, not underflow."""
    for d in of(found, "delay_line", "identity"):
        assert d.sigma == pytest.approx(math.log10(d.gain))
        assert (d.rho, d.lyapunov, d.growth) == (-np.inf, -np.inf, -np.inf)
        assert d.status == Status.ZERO
        assert d.outcome == -1


def test_mean_field_speaks_of_tanh_with_independent_weights_alone(found: list[Draw]) -> None:
    for d in found:
        assert math.isnan(d.mean_field) == (d.activation != "tanh" or d.init not in GAUSSIAN_LIKE)
    wide = [draw(SEED, 96, d.number) for d in of(found, "gaussian", "tanh")[:4]]
    assert all(abs(d.mean_field - d.lyapunov) < 0.03 for d in wide)


def test_the_exponent_is_measured_on_another_sequence(found: list[Draw]) -> None:
    driven = [d for d in found if d.activation == "tanh" and d.input_scale > 1 and d.gain > 1]
    assert any(abs(d.lyapunov - d.growth) > 1e-3 for d in driven)
    assert score(found, "lyapunov").share > 0.95
    assert score(found, "lyapunov").median_error < score(found, "sigma").median_error / 10


def test_the_score_counts_signs_and_finds_the_median_error(found: list[Draw]) -> None:
    d = found[0]
    made = [
        replace(d, sigma=0.3, growth=0.1),
        replace(d, sigma=0.3, growth=-0.1),
        replace(d, sigma=-0.2, growth=-np.inf),
        replace(d, sigma=-np.inf, growth=-np.inf),
        replace(d, sigma=0.1, growth=np.nan),
        replace(d, sigma=np.nan, growth=0.1),
    ]
    s = score(made, "sigma")
    assert (s.predictor, s.draws, s.hits, s.share) == ("sigma", 4, 3, 0.75)
    assert s.median_error == pytest.approx(0.3)
    assert score(made[2:3], "sigma").median_error == np.inf
    empty = score([], "rho")
    assert (empty.draws, empty.hits) == (0, 0)
    assert math.isnan(empty.share)
    assert math.isnan(empty.median_error)


def test_rounding_is_no_growth() -> None:
    assert [sign(x) for x in (1e-12, -1e-12, 0.0, np.nan, 0.1, -np.inf)] == [0, 0, 0, 0, 1, -1]


def test_every_predictor_is_a_field_of_a_draw(found: list[Draw]) -> None:
    assert all(isinstance(getattr(found[0], name), float) for name in PREDICTORS)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((-1, 4, 0), "seed"),
        ((0, 0, 0), "hidden_size"),
        ((0, 4, -1), "number"),
        ((0, 4, MOST), "number"),
    ],
)
def test_bad_values_are_named(arguments: tuple[int, int, int], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        draw(*arguments)


def test_an_unknown_predictor_is_named() -> None:
    with pytest.raises(ValueError, match="predictor"):
        score([], "norm")


def test_a_network_of_one_unit_without_weights_is_judged_in_silence() -> None:
    """A delay line of one unit is W_hh = 0: the rule says that the error vanishes."""
    (one,) = draws(seed=0, hidden_size=1, count=1)
    assert (one.sigma_max, one.outcome) == (0, -1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        verdict = growth_verdict([one])
    assert (verdict.draws, verdict.wrong, verdict.below, verdict.vanished) == (1, 0, 1, 1)


def test_a_count_below_0_is_refused_before_the_first_draw() -> None:
    with pytest.raises(ValueError, match="count must be an integer of at least 0, got -1"):
        draws(SEED, SIZE, count=-1)
    assert list(draws(SEED, SIZE, count=0)) == []
