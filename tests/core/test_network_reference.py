"""Two bidirectional layers on packed sequences against PyTorch in float64.

The arrays come from tests/reference/make_network_golden.py; PyTorch is needed only to make them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rnnviz.core import GRU, LSTM, backward
from rnnviz.core.layers import backward_layers, forward_layers, key, outputs, reverse

FOLDER = Path(__file__).parents[1] / "reference"
KINDS = {"lstm": LSTM, "gru": GRU}


@pytest.fixture(params=KINDS)
def golden_and_traces(request):
    with np.load(FOLDER / f"network_{request.param}.npz") as archive:
        golden = dict(archive)
    D, H = golden["0.forward.W_xh"].shape[1], golden["0.forward.W_hh"].shape[1]
    cells = (KINDS[request.param](D, H), KINDS[request.param](2 * H, H))
    layers = forward_layers(cells, golden, golden["x"], 2, lengths=golden["lengths"])
    direct = golden["direct"]
    return golden, backward_layers(layers, direct, aligned=True, backward=backward)


def test_outputs(golden_and_traces):
    golden, traces = golden_and_traces
    np.testing.assert_allclose(outputs(traces[-1]), golden["output"], rtol=1e-12, atol=1e-14)


def test_parameter_gradients(golden_and_traces):
    golden, traces = golden_and_traces
    for k, layer in enumerate(traces):
        for d, trace in enumerate(layer):
            for name, found in trace.grads.items():
                expected = golden[f"d_{key(k, name, d)}"]
                scale = np.abs(expected).max()
                np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12 * scale)


def test_input_gradients(golden_and_traces):
    golden, traces = golden_and_traces
    ahead, back = traces[0]
    found = ahead.d_x + reverse(back.d_x, golden["lengths"])
    np.testing.assert_allclose(found, golden["d_x"], rtol=1e-10, atol=1e-13)


def test_gradients_of_the_initial_states(golden_and_traces):
    golden, traces = golden_and_traces
    flat = [trace for layer in traces for trace in layer]
    for trace, d_h0 in zip(flat, golden["d_h0"], strict=True):
        np.testing.assert_allclose(trace.d_h[0], d_h0, rtol=1e-10, atol=1e-13)
    if "d_c0" in golden:
        for trace, d_c0 in zip(flat, golden["d_c0"], strict=True):
            np.testing.assert_allclose(trace.d_c[0], d_c0, rtol=1e-10, atol=1e-13)
