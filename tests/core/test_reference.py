"""Every recorded number against PyTorch's autograd in float64, step by step.

The arrays come from tests/reference/make_golden.py; PyTorch is needed only to make them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rnnviz.core import GRU, LSTM, RNN, bptt

KINDS = {"rnn": RNN, "lstm": LSTM, "gru": GRU}
FORMS = {
    "rnn_relu": {"activation": "relu"},
    "lstm_relu": {"candidate": "relu", "output": "relu"},
    "lstm_hard": {"gate_activation": "hard_sigmoid"},
}
FOLDER = Path(__file__).parents[1] / "reference"
FILES = sorted(path for path in FOLDER.glob("*.npz") if path.stem.split("_")[0] in KINDS)


def test_there_are_golden_arrays():
    assert {path.stem.split("_")[0] for path in FILES} == set(KINDS)


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def golden_and_trace(request):
    with np.load(request.param) as archive:
        golden = dict(archive)
    kind = request.param.stem.partition("_")[0]
    (_, D), H = golden["W_xh"].shape, golden["W_hh"].shape[1]
    cell = KINDS[kind](D, H, **FORMS.get(request.param.stem, {}))
    params = {name: golden[name] for name in cell.param_shapes()}
    states = {name: golden[name] for name in ("h0", "c0") if name in golden}
    return golden, bptt(cell, params, golden["x"], golden["direct"], **states)


def test_states_and_gates(golden_and_trace):
    golden, trace = golden_and_trace
    _close(trace.h, golden["h"], 1e-12)
    if trace.c is not None:
        _close(trace.c, golden["c"], 1e-12)
    for gate, values in trace.gates.items():
        _close(values, golden[f"gate_{gate}"], 1e-12)


def test_state_gradients(golden_and_trace):
    golden, trace = golden_and_trace
    _close(trace.d_h, golden["d_h"], 1e-9)
    assert not trace.d_log2.any()
    if trace.d_c is not None:
        _close(trace.d_c, golden["d_c"], 1e-9)


def test_gate_gradients(golden_and_trace):
    golden, trace = golden_and_trace
    for gate, values in trace.d_gates.items():
        _close(values, golden[f"d_gate_{gate}"], 1e-9)


def test_parameter_and_input_gradients(golden_and_trace):
    golden, trace = golden_and_trace
    for name, values in trace.grads.items():
        _close(values, golden[f"d_{name}"], 1e-9)
    _close(trace.d_x, golden["d_x"], 1e-9)


def _close(found, expected, tolerance):
    """Relative to each step's largest entry, so that no step hides behind a larger one."""
    assert found.shape == expected.shape
    axes = tuple(range(1, expected.ndim)) if expected.ndim == 3 else None
    scale = np.abs(expected).max(axis=axes, keepdims=True)
    assert (np.abs(found - expected) <= tolerance * scale).all()
