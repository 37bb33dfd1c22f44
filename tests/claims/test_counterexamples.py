"""The counterexamples of THEORY A0 against the numbers stated there."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.analysis.theory import power_norm_log10
from rnnviz.claims.counterexamples import EXAMPLES, counterexample
from rnnviz.core.numerics import Status
from tests.analysis.closed_forms import largest_singular_value


def test_a_nilpotent_matrix_stretches_by_ten_and_then_not_at_all() -> None:
    e = counterexample("nilpotent")
    assert (e.sigma_max, e.rho, e.rate) == (10.0, 0.0, 0.0)
    assert e.log10[:2].tolist() == [0.0, 1.0]
    assert np.isneginf(e.log10[2:]).all()
    assert (e.status[2:] == Status.ZERO).all()
    assert e.promised[2] == pytest.approx(2.0)


def test_a_gaussian_one_may_stretch_once_and_dies() -> None:
    """One draw of W, so within what draws differ by: 15 % for few powers, a factor of 2 later."""
    e = counterexample("gaussian")
    assert e.sigma_max == pytest.approx(largest_singular_value(0.6, 200), rel=0.03)
    assert e.sigma_max > 1
    assert e.rho == pytest.approx(0.639, rel=0.06)
    k = np.array([1, 2, 3, 5, 10, 20])
    stated = [1.187, 0.921, 0.665, 0.289, 0.0323, 3.2e-4]
    np.testing.assert_allclose(10.0 ** e.log10[k[:3]], stated[:3], rtol=0.15)
    np.testing.assert_allclose(e.log10[k], np.log10(stated), atol=0.3)
    np.testing.assert_allclose(e.log10[k], power_norm_log10(k, 0.6), atol=0.3)
    assert e.rate < 0.7


def test_saturated_tanh_falls_although_all_is_two() -> None:
    e = counterexample("saturated")
    assert (e.sigma_max, e.rho) == (2.0, 2.0)
    h = 0.957504
    assert e.rate == pytest.approx(2 * (1 - h * h), rel=1e-4)
    np.testing.assert_allclose(e.log10, e.steps * np.log10(e.rate), rtol=1e-9)


def test_a_spectral_radius_of_zero_doubles_with_every_step() -> None:
    """Oracle L1: ‖∂h_{t+l}/∂h_t‖₂ = 2^{l−1} √200."""
    e = counterexample("zero_radius")
    assert (e.rho, e.sigma_max) == (0.0, pytest.approx(16.0))
    expected = 2.0 ** (e.steps[1:] - 1) * np.sqrt(200)
    np.testing.assert_allclose(10.0 ** e.log10[1:], expected, rtol=1e-12)
    assert e.rate == pytest.approx(2.0, rel=1e-12)


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_product_is_larger_than_promised(name: str) -> None:
    e = counterexample(name)
    assert (e.log10 <= e.promised + 1e-12).all()
    assert e.name == name


def test_another_name_is_refused() -> None:
    with pytest.raises(ValueError, match="name"):
        counterexample("orthogonal")
