"""Long products over all steps of a finished backward pass at once."""

from __future__ import annotations

import numpy as np

from rnnviz.core.numerics import Array

# Measured: columns of a weight-gradient product that make it efficient.
BLOCK_COLUMNS = 1 << 10


def input_gradients(W_xT: Array, d_a: Array) -> Array:
    """W_xᵀ d_a_t of every step, (T, D, B); W_xT (D, rows), d_a (T, rows, B)."""
    with np.errstate(all="ignore"):
        return np.matmul(W_xT, d_a)


def weight_gradients(
    d_a: Array, x: Array, h: Array, x_rows: slice, h_rows: slice
) -> tuple[Array, Array, Array]:
    """Σ_t d_a_t x_tᵀ over the rows `x_rows` of d_a, Σ_t d_a_t h_tᵀ over `h_rows`, and Σ_t d_a_t.

    d_a (T, rows, B), x (T, D, B), h (T, H, B); sums over steps and batch.
    """
    sums: list[Array] = []
    for block in _blocks(d_a):
        a, x_t, h_t = (_side_by_side(v[block]) for v in (d_a, x, h))
        terms = [a[x_rows] @ x_t.T, a[h_rows] @ h_t.T, a.sum(axis=1)]
        sums = [s + term for s, term in zip(sums, terms, strict=True)] if sums else terms
    d_W_x, d_W_h, d_b = sums
    return d_W_x, d_W_h, d_b


def summed_products(a: Array, v: Array) -> Array:
    """Σ_t a_t v_tᵀ over steps and batch, (rows of a, rows of v)."""
    products = [_side_by_side(a[b]) @ _side_by_side(v[b]).T for b in _blocks(a)]
    return np.sum(products, axis=0)


def _blocks(steps: Array) -> list[slice]:
    """Blocks of steps with about BLOCK_COLUMNS columns, steps times sequences."""
    n = max(1, BLOCK_COLUMNS // steps.shape[2])
    return [slice(start, start + n) for start in range(0, len(steps), n)]


def _side_by_side(steps: Array) -> Array:
    """(n, F, B) as one matrix (F, n·B)."""
    return steps.transpose(1, 0, 2).reshape(steps.shape[1], -1)
