"""`d_log2` of the variants: gradients stay true far outside the range of float64."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.core.support import over_time
from tests.core.test_scaling import assert_true, found_log10
from tests.core.variants import SKIPPING, VARIANTS, variant_problem

KEEPS = ("lstm nfg", "lstm f = 0.7", "rnn leaky")
"""These keep a share of their state whatever their weights are."""


@pytest.mark.parametrize("k", [-900, 900])
@pytest.mark.parametrize("name", [*VARIANTS, *SKIPPING])
def test_a_loss_out_of_range_gives_the_same_digits(name, k):
    """Every gradient is 2ᵏ times that of the ordinary loss, parameters' included."""
    p = variant_problem(name, T=6, B=2, D=2, H=3)
    ordinary, scaled = p.trace(), replace(p, direct=np.ldexp(p.direct, k)).trace()
    assert scaled.d_log2.any()
    for key, gradient in ordinary.grads.items():
        np.testing.assert_allclose(np.ldexp(scaled.grads[key], -k), gradient, rtol=1e-13)
    states = np.ldexp(scaled.d_h, scaled.d_log2 - k)
    np.testing.assert_allclose(states, ordinary.d_h, rtol=1e-12)
    assert over_time(scaled).keys() == over_time(ordinary).keys()


@pytest.mark.parametrize("name", [n for n in VARIANTS if "hard" not in n])  # 0 is 0 there
def test_vanishing(name):
    p = variant_problem(name, T=320, B=1, D=2, H=3)
    params = {key: value * (0.01 if key == "W_hh" else 1) for key, value in p.params.items()}
    if p.cell.MEMORY_GATE in p.cell.trainable_gates:
        params["b_h"] = params["b_h"].copy()
        params["b_h"][p.cell.gate_rows(p.cell.MEMORY_GATE)] = -9.0
    direct = np.zeros_like(p.direct)
    direct[-1] = p.direct[-1]
    trace = replace(p, params=params, direct=direct).trace()
    assert_true(trace)
    if not name.startswith(KEEPS):
        assert trace.d_log2.any()
        assert found_log10(trace, 0)[0] < -180
