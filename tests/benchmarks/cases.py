"""What is measured: cells, dtypes and sizes, and the arrays of one case, equal for everybody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnviz.core import CELLS, Cell, Trace, bptt

Array = np.ndarray
Run = Callable[[], Any]

CELL_NAMES = tuple(CELLS)
DTYPES = ("float64", "float32")
INPUT_SIZE = 8
SIZES = (
    (50, 1, 32),
    (100, 8, 32),
    (100, 16, 64),
    (100, 32, 128),
    (200, 64, 256),
    (1000, 16, 64),
)
"""(T, B, H)."""


@dataclass(frozen=True)
class Case:
    """Parameters, input x (T, D, B) and a direct gradient d_h_direct (T, H, B) at every step."""

    cell: Cell
    params: dict[str, Array]
    x: Array
    d_h_direct: Array


def make_case(name: str, dtype: str, size: tuple[int, int, int]) -> Case:
    """Draw one case; the same arrays for the same arguments."""
    seq_len, batch_size, hidden_size = size
    rng = np.random.default_rng(0)
    cell = CELLS[name](INPUT_SIZE, hidden_size)
    params = cell.init_params(rng, dtype=np.dtype(dtype).type)
    x = rng.standard_normal((seq_len, INPUT_SIZE, batch_size)).astype(dtype)
    direct = rng.standard_normal((seq_len, hidden_size, batch_size)).astype(dtype)
    return Case(cell, params, x, direct)


def core_run(case: Case) -> Callable[[], Trace]:
    """Ours: forward and backward, everything recorded in a fresh Trace, d_x and grads included."""

    def run() -> Trace:
        trace = bptt(case.cell, case.params, case.x, case.d_h_direct)
        assert trace.d_x is not None
        assert trace.grads
        return trace

    return run


def products_run(case: Case) -> Run:
    """The matrix products of the core's pass and nothing else, results into ready arrays.

    Input product, T recurrent products, T transposed ones, d_x, and the weight gradients as long
    products of up to 1,024 columns.
    """
    T, D, B = case.x.shape
    W_x, W_h = case.params["W_xh"], case.params["W_hh"]
    rows, H = W_h.shape
    W_x1 = np.column_stack([W_x, W_x[:, :1]])
    x1 = np.ones((T, D + 1, B), W_h.dtype)
    h, a, d_h, d_x = (np.ones((T, n, B), W_h.dtype) for n in (H, rows, H, D))
    n = min(T, max(1, 1024 // B))
    wide_a, wide_h, wide_x = (np.ones((k, n * B), W_h.dtype) for k in (rows, H, D))
    steps = list(zip(h, a, d_h, strict=True))

    def run() -> None:
        np.matmul(W_x1, x1, out=a)
        for h_t, a_t, _ in steps:
            np.matmul(W_h, h_t, out=a_t)
        for _, a_t, d_h_t in steps:
            np.matmul(W_h.T, a_t, out=d_h_t)
        np.matmul(W_x.T, a, out=d_x)
        for start in range(0, T, n):
            columns = min(n, T - start) * B
            wide_a[:, :columns] @ wide_h[:, :columns].T
            wide_a[:, :columns] @ wide_x[:, :columns].T

    return run
