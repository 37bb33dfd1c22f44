"""How numbers are said."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.core.numerics import Status
from rnnviz.wording import numbers


@pytest.mark.parametrize(
    ("log10", "text"),
    [
        (-24.4, "1 part in 10^24.4"),
        (-4999.0, "1 part in 10^4,999"),
        (-2.4, "1 part in 250"),
        (-np.log10(843), "1 part in 840"),
        (np.log10(113), "×110"),
        (-2.0, "1 %"),
        (-1.77, "1.7 %"),
        (np.log10(0.4), "40 %"),
        (np.log10(0.998), "100 %"),
        (0.0, "100 %"),
        (0.001, "100 %"),
        (np.log10(1.0301), "×1.03"),
        (np.log10(2.6), "×2.6"),
        (2.0, "×100"),
        (2.3, "×200"),
        (7.0, "×10^7"),
        (np.inf, "more than float64 holds (overflow)"),
        (np.nan, "no number (NaN)"),
    ],
)
def test_fraction(log10, text):
    assert numbers.fraction(log10) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0003, "1.0003"), (0.9997, "0.9997"), (1.03, "1.03"), (0.567, "0.567"), (1.0, "1"),
     (12.345, "12.35"), (0.0, "0")],
)  # fmt: skip
def test_a_factor_near_one_is_not_written_as_one(value, text):
    assert numbers.near_one(value) == text


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (Status.ZERO, "nothing (exactly zero)"),
        (Status.ROUNDED, "nothing (rounded to zero)"),
        (Status.NAN, "no number (NaN)"),
    ],
)
def test_fraction_of_what_is_no_number(status, text):
    assert numbers.fraction(-np.inf, status) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.567, "×0.57"), (1.0, "×1.00"), (0.02, "×0.02"), (9.5, "×9.50"), (93.2, "×93"),
     (1e12, "×10^12"), (1e-9, "×10^−9"), (0.0, "×0"), (np.inf, "×∞"), (np.nan, "×NaN")],
)  # fmt: skip
def test_factor(value, text):
    assert numbers.factor(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0174, "0.017"), (2.0, "2"), (2.61, "2.6"), (9.96, "10"), (98.4, "98"), (99.6, "100"),
     (1234.0, "1,200"), (0.0, "0"), (0.5, "0.5")],
)  # fmt: skip
def test_two_significant_digits(value, text):
    assert numbers.significant(value) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (1.0, "1 step"),
        (1.2, "1.2 steps"),
        (16.4, "16 steps"),
        (np.inf, "∞ steps"),
        (np.nan, "an unknown number of steps"),
    ],
)
def test_steps(count, text):
    assert numbers.steps(count) == text


@pytest.mark.parametrize(
    ("log10", "text"), [(-9.2, "10^−9.2"), (4.0, "10^4"), (-np.inf, "0"), (np.log10(0.14), "0.14")]
)
def test_magnitude(log10, text):
    assert numbers.magnitude(log10) == text


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(0.1 + 0.2, 6, "0.3"), (-2.5, 6, "−2.5"), (1 / 3, 4, "0.3333"), (7, 4, "7"), ("-", 4, "-")],
)
def test_a_number_in_a_table(value, digits, text):
    assert numbers.general(value, digits) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.571, "+0.57"), (-2.0, "−2.00"), (-0.001, "0.00"), (np.inf, "+∞"), (-np.inf, "−∞"),
     (np.nan, "NaN")],
)  # fmt: skip
def test_a_number_with_its_sign(value, text):
    assert numbers.signed(value, 2) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.571, "0.57"), (-2.13, "−2.1"), (99.7, "100"), (153.4, "153"), (-153.4, "−153")],
)
def test_a_place_on_an_axis(value, text):
    assert numbers.short(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.571, "×0.57"), (0.0, "×0.00"), (1.1e7, "×1.1e+07"), (1.1e-7, "×1.1e−07")],
)
def test_a_factor_in_a_figure(value, text):
    assert numbers.step_factor(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.079, "2.08"), (0.00218, "0.0022"), (-0.5, "−0.50"), (np.nan, "NaN"), (np.inf, "∞")],
)
def test_a_loss(value, text):
    assert numbers.loss_words(value) == text


@pytest.mark.parametrize("thing", ["step", "time step", "input", "unit", "layer", "model"])
def test_one_thing_is_said_in_the_singular(thing):
    said = [numbers.counted(n, f"{thing}s".replace(" ", "_")) for n in (1, 2, 1024, "1", "1.5")]
    assert said == [f"{n} {thing}" + "s" * (n != "1") for n in ("1", "2", "1,024", "1", "1.5")]


def test_a_share_is_not_rounded_to_none_or_all():
    shares = {0.0: "0 %", 1e-9: "under 1 %", 0.005: "under 1 %", 0.34: "34 %", 0.995: "over 99 %",
              510 / 512: "over 99 %", 1.0: "100 %"}  # fmt: skip
    assert {share: numbers.percent(share) for share in shares} == shares
