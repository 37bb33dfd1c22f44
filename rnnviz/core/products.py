"""What a finished backward pass still owes: long products over all of its steps at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rnnviz.core.trace import Trace

Array = np.ndarray

# Measured: columns of a weight-gradient product that make it efficient.
BLOCK_COLUMNS = 1 << 10


def input_gradients(trace: Trace) -> Array:
    """d_x_t = W_xhᵀ d_a_t, (T, D, B)."""
    cell = trace.cell
    with np.errstate(all="ignore"):
        weights = cell.backward_weights(trace.params)
        return np.matmul(weights.input, trace.d_gate_values[:, cell.x_rows])


def skip_gradients(trace: Trace) -> Array:
    """W_skipᵀ d_a of the first d−1 steps: the gradients of the states before h[0], (d−1, H, B)."""
    assert trace.h_before is not None
    steps = min(len(trace.h_before), trace.seq_len)
    result = np.zeros_like(trace.h_before)
    with np.errstate(all="ignore"):
        w = trace.cell.backward_weights(trace.params)
        assert w.skip is not None
        result[:steps] = np.matmul(w.skip, trace.d_gate_values[:steps, trace.cell.x_rows])
    return result


def weight_gradients(trace: Trace) -> dict[str, Array]:
    """Σ_t d_a_t [x_t; h_{t-1}]ᵀ and Σ_t d_a_t, as a few long products."""
    cell = trace.cell
    sums: list[Array] = []
    with np.errstate(all="ignore"):
        d_a = _true_gate_gradients(trace)
        n = max(1, BLOCK_COLUMNS // trace.batch_size)
        for start in range(0, trace.seq_len, n):
            block = slice(start, start + n)
            a, x, h = (_side_by_side(v[block]) for v in (d_a, trace.x, trace.h[:-1]))
            terms = [a[cell.x_rows] @ x.T, a[cell.h_rows] @ h.T, a.sum(axis=1)]
            sums = (
                [total + term for total, term in zip(sums, terms, strict=True)] if sums else terms
            )
        grads = cell.complete_grads(cell.assemble_grads(*sums), trace, d_a)
        if trace.delayed is not None:
            d_W_skip = summed_products(d_a[:, cell.x_rows], trace.delayed)
            grads["W_skip"] = cell.stacked(d_W_skip, cell.x_gate_rows)
        return grads


def summed_products(a: Array, v: Array) -> Array:
    """Σ_t a_t v_tᵀ over steps and batch, (rows of a, rows of v)."""
    n = max(1, BLOCK_COLUMNS // a.shape[2])
    blocks = [slice(start, start + n) for start in range(0, a.shape[0], n)]
    return np.sum([_side_by_side(a[b]) @ _side_by_side(v[b]).T for b in blocks], axis=0)


def _true_gate_gradients(trace: Trace) -> Array:
    """∂L/∂(pre-activation) itself, as far as the dtype holds it."""
    log2 = trace.d_log2[1:, None]
    return np.ldexp(trace.d_gate_values, log2) if log2.any() else trace.d_gate_values


def _side_by_side(steps: Array) -> Array:
    """(n, F, B) as one matrix (F, n·B)."""
    return steps.transpose(1, 0, 2).reshape(steps.shape[1], -1)
