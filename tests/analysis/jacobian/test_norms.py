"""The largest singular value of many matrices: as LAPACK has it, whatever lies beside it."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.analysis.jacobian.norms import largest_singular_values
from rnnviz.core.initializers import orthogonal

Array = np.ndarray
EXACT = 2e-12


def with_values(values: Array, seed: int = 0, rows: int | None = None) -> Array:
    """A matrix of random directions with these singular values."""
    rng, n = np.random.default_rng(seed), len(values)
    left = np.linalg.qr(rng.standard_normal((rows or n, n)))[0]
    return (left * values) @ orthogonal(rng, n)


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (5, 5), (64, 64), (70, 9), (9, 70)])
def test_random_matrices(shape: tuple[int, int]) -> None:
    stack = (
        np.random.default_rng(0).standard_normal((6, *shape))
        * 10.0 ** np.arange(-30, 30, 10)[:, None, None]
    )
    true = np.linalg.svd(stack, compute_uv=False)[:, 0]
    np.testing.assert_allclose(largest_singular_values(stack), true, rtol=EXACT)


@pytest.mark.parametrize("second", [0.0, 0.5, 0.9, 0.97, 0.99, 0.999, 1 - 1e-6, 1 - 1e-12, 1.0])
def test_whatever_the_distance_to_the_second_value(second: float) -> None:
    values = np.append(3.0, 3.0 * second * np.linspace(1, 0, 39))
    stack = np.stack([with_values(values, seed, rows=50) for seed in range(4)])
    np.testing.assert_allclose(largest_singular_values(stack), 3.0, rtol=EXACT)


def test_equal_values() -> None:
    stack = np.stack([2.0 * orthogonal(np.random.default_rng(0), 30), np.eye(30)])
    np.testing.assert_allclose(largest_singular_values(stack), [2, 1], rtol=EXACT)


@pytest.mark.parametrize("second", [0.5, 0.9, 0.99])
def test_a_direction_without_any_part_of_the_right_one_is_found_out(second: float) -> None:
    """The second vector is a coordinate, which looks large; the first is spread over the others."""
    n = 100
    first = np.append(0.0, np.full(n - 1, 1 / np.sqrt(n - 1)))
    M = np.outer(first, first)
    M[0, 0] = second
    assert largest_singular_values(M[None])[0] == pytest.approx(1, rel=EXACT)


def test_columns_that_differ_by_many_decades() -> None:
    M = np.random.default_rng(0).standard_normal((40, 40)) * 10.0 ** -np.arange(40.0)
    assert largest_singular_values(M[None])[0] == pytest.approx(np.linalg.norm(M, 2), rel=EXACT)


def test_one_matrix_does_not_move_another() -> None:
    stack = np.random.default_rng(0).standard_normal((5, 8, 8))
    stack[1], stack[3] = np.eye(8), 0
    alone = [largest_singular_values(M[None])[0] for M in stack]
    np.testing.assert_allclose(largest_singular_values(stack), alone, rtol=1e-14)


def test_zero_and_what_is_not_finite() -> None:
    stack = np.zeros((4, 3, 2))
    stack[1, 0, 0], stack[2, 0, 0], stack[3, 1, 1] = np.nan, np.inf, 2
    np.testing.assert_array_equal(largest_singular_values(stack), [0, np.nan, np.nan, 2])
    assert largest_singular_values(stack[:0]).shape == (0,)
