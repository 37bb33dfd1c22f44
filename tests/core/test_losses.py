"""Losses: values by hand, gradients by complex step and central differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rnnviz.core.losses import LOSSES, projection, softmax_cross_entropy, squared_error

T, O, B = 3, 4, 5  # noqa: E741 - the letters of the shapes


def case(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """y, target, mask with weights that are not all 1."""
    rng = np.random.default_rng(1)
    y = 3 * rng.standard_normal((T, O, B))
    mask = rng.uniform(0.5, 2, (T, B))
    mask[0, 0] = 0
    if name == "softmax_cross_entropy":
        return y, rng.integers(0, O, (T, B)), mask
    return y, rng.standard_normal((T, O, B)), mask


def complex_step(loss: Callable[..., Any], y: np.ndarray, *rest: np.ndarray) -> np.ndarray:
    """∂L/∂y one entry at a time: Im L(y + ih)/h, h = 1e-30, has no rounding of its own."""
    d_y = np.empty_like(y)
    for index in np.ndindex(y.shape):
        shifted = y.astype(complex)
        shifted[index] += 1e-30j
        d_y[index] = loss(shifted, *rest)[0].imag / 1e-30
    return d_y


@pytest.mark.parametrize("name", LOSSES)
def test_gradient_is_the_derivative_of_the_value(name: str) -> None:
    y, *rest = case(name)
    _, d_y = LOSSES[name](y, *rest)
    assert d_y == pytest.approx(complex_step(LOSSES[name], y, *rest), rel=1e-12, abs=1e-15)


def test_squared_error_is_half_the_sum_over_outputs_and_steps_and_the_mean_over_the_batch() -> None:
    y = np.array([[[1.0, 0.0], [2.0, 0.0]], [[0.0, 3.0], [0.0, 0.0]]])
    loss, d_y = squared_error(y, np.zeros_like(y), np.ones((2, 2)))
    assert loss == 0.5 * (1 + 4 + 9) / 2
    assert (d_y == y / 2).all()


def test_cross_entropy_of_an_even_guess_is_the_log_of_the_classes() -> None:
    loss, d_y = softmax_cross_entropy(np.zeros((1, 8, 3)), np.zeros((1, 3), int), np.ones((1, 3)))
    assert loss == pytest.approx(np.log(8), rel=1e-15)
    assert d_y[0, 0] == pytest.approx((1 / 8 - 1) / 3)
    assert d_y.sum() == pytest.approx(0, abs=1e-15)


def test_cross_entropy_survives_large_scores() -> None:
    y = np.array([[[1e300], [-1e300]]])
    right, _ = softmax_cross_entropy(y, np.array([[0]]), np.ones((1, 1)))
    wrong, d_y = softmax_cross_entropy(y, np.array([[1]]), np.ones((1, 1)))
    assert right == 0
    assert wrong == 2e300
    assert d_y.ravel().tolist() == [1, -1]


@pytest.mark.parametrize("name", LOSSES)
def test_steps_without_weight_add_nothing_even_if_they_are_not_finite(name: str) -> None:
    y, target, mask = case(name)
    mask[1] = 0
    loss, d_y = LOSSES[name](y, target, mask)
    y[1] = np.nan
    assert LOSSES[name](y, target, mask)[0] == loss
    assert (d_y[1] == 0).all()
    assert (LOSSES[name](y, target, mask)[1] == d_y).all()


@pytest.mark.parametrize("name", LOSSES)
def test_float32_stays_float32_and_inputs_stay_as_they_were(name: str) -> None:
    y, target, mask = case(name)
    given = [a.copy() for a in (y, target, mask)]
    _, d_y = LOSSES[name](y.astype(np.float32), target, mask)
    LOSSES[name](y, target, mask)
    assert d_y.dtype == np.float32
    assert all((a == b).all() for a, b in zip(given, (y, target, mask), strict=True))


@pytest.mark.parametrize(
    ("name", "target", "mask", "message"),
    [
        ("squared_error", np.zeros((T, O, B + 1)), np.ones((T, B)), r"target must .*\(3, 4, 5\)"),
        ("squared_error", np.zeros((T, O, B)), np.ones((T, 1)), r"mask must .*\(3, 5\)"),
        ("softmax_cross_entropy", np.full((T, B), O), np.ones((T, B)), "from 0 to 3, got 4 to 4"),
        ("softmax_cross_entropy", np.full((T, B), -1), np.ones((T, B)), "from 0 to 3, got -1"),
        ("softmax_cross_entropy", np.zeros((T, B)), np.ones((T, B)), "integers of shape"),
        ("softmax_cross_entropy", np.zeros((B, T), int), np.ones((T, B)), "integers of shape"),
    ],
)
def test_bad_arguments_are_named(
    name: str, target: np.ndarray, mask: np.ndarray, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        LOSSES[name](np.zeros((T, O, B)), target, mask)


def test_terms_that_are_infinite_in_both_directions_add_up_to_nan_without_a_warning() -> None:
    y = np.full((2, 1, 2), 1e300)
    of_steps = projection(y, y * np.array([[[1]], [[-1]]]), np.ones((2, 2)))[0]
    of_batch = projection(y, y * np.array([1, -1]), np.ones((2, 2)))[0]
    assert np.isnan([of_steps, of_batch]).all()
