"""Clipping: the norm afterwards is min(‖g‖, c), the direction stays, for gradients of any size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnnviz.training import clip_by_norm, clip_by_value, global_norm

NUMBERS = st.floats(-1e3, 1e3, allow_nan=False)
GRADS = st.fixed_dictionaries(
    {"W": arrays(float, (3, 2), elements=NUMBERS), "b": arrays(float, 3, elements=NUMBERS)}
)
EXPONENTS = st.integers(-900, 900)


def flat(grads: dict[str, np.ndarray]) -> np.ndarray:
    return np.concatenate([g.ravel() for g in grads.values()])


@given(grads=GRADS, limit=st.floats(1e-3, 1e3))
def test_the_norm_afterwards_is_the_smaller_one_and_the_direction_stays(
    grads: dict[str, np.ndarray], limit: float
) -> None:
    before, after = flat(grads), flat(clip_by_norm(grads, limit))
    norm = np.linalg.norm(before)
    assert np.linalg.norm(after) == pytest.approx(min(norm, limit), rel=1e-12)
    assert before @ after == pytest.approx(norm * min(norm, limit), rel=1e-12)


@given(grads=GRADS, exponent=EXPONENTS)
def test_no_size_is_too_large_or_too_small(grads: dict[str, np.ndarray], exponent: int) -> None:
    largest = np.abs(flat(grads)).max()
    if largest < 1e-3:
        return
    scaled = {name: np.ldexp(g, exponent) for name, g in grads.items()}
    with np.errstate(over="ignore"):
        expected = np.ldexp(global_norm(grads), exponent)
    assert global_norm(scaled) == pytest.approx(expected, rel=1e-12)
    limit = 1e-280
    if global_norm(scaled) > limit:
        assert global_norm(clip_by_norm(scaled, limit)) == pytest.approx(limit, rel=1e-9, abs=0)


def test_a_norm_beyond_float64_is_clipped_all_the_same() -> None:
    grads = {"W": np.full((3, 3), 1.5e308)}
    assert global_norm(grads) == np.inf
    np.testing.assert_allclose(clip_by_norm(grads, 3.0)["W"], np.ones((3, 3)), rtol=1e-12)


@pytest.mark.parametrize(("value", "norm"), [(0.0, 0.0), (np.inf, np.inf), (np.nan, np.nan)])
def test_the_norm_of_what_has_none(value: float, norm: float) -> None:
    np.testing.assert_equal(global_norm({"W": np.array([1.0, value]) * (value != 0)}), norm)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_is_named(bad: float) -> None:
    with pytest.raises(ValueError, match="W_hh is not"):
        clip_by_norm({"b": np.ones(2), "W_hh": np.array([bad])}, 1.0)


def test_by_value_each_entry_is_bounded_by_itself() -> None:
    grads = {"W": np.array([-3.0, 0.2, 7.0])}
    np.testing.assert_array_equal(clip_by_value(grads, 0.5)["W"], [-0.5, 0.2, 0.5])
    np.testing.assert_array_equal(grads["W"], [-3.0, 0.2, 7.0])


@pytest.mark.parametrize("clip", [clip_by_norm, clip_by_value])
@pytest.mark.parametrize("limit", [0.0, -1.0, np.inf, np.nan])
def test_a_bad_limit_is_named(clip: object, limit: float) -> None:
    with pytest.raises(ValueError, match="clip_at must be a finite number above 0, got"):
        clip({"W": np.ones(2)}, limit)  # type: ignore[operator]
