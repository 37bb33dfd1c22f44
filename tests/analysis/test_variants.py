"""The analysis on the cells' variants: Jacobians, the carry of an LSTM with peepholes, what is zero
by structure, spectra of the gates that have weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.analysis import gate_stats, memory, state_jacobians, weight_spectra
from rnnviz.analysis.reachability import reachable
from rnnviz.analysis.spectra import jacobian_spectrum
from rnnviz.core import LSTM, LSTM_VARIANTS
from rnnviz.core.trace import cell_carry, state_log10
from tests.core.jacobian import jacobian, state_gradient
from tests.core.support import problem_of
from tests.core.variants import VARIANTS, variant_problem

T, B, D, H = 7, 2, 2, 4


@pytest.mark.parametrize("name", VARIANTS)
def test_state_jacobians_are_those_of_the_equations(name):
    trace = variant_problem(name, T, B, D, H).trace()
    found = state_jacobians(trace, sequence=1)
    for t in range(1, T + 1):
        np.testing.assert_allclose(found[t - 1], jacobian(trace, t, 1), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", VARIANTS)
def test_the_state_gradient_has_every_path_to_c(name):
    """E9: ‖∂L/∂s_t‖, h and c as independent coordinates."""
    trace = variant_problem(name, T, B, D, H).trace()
    for b in range(B):
        expected = [np.log10(np.linalg.norm(state_gradient(trace, t, b))) for t in range(T + 1)]
        np.testing.assert_allclose(state_log10(trace)[:, b], expected, rtol=1e-10, atol=1e-10)


def test_the_carry_with_peepholes_is_not_f_alone():
    trace = variant_problem("lstm peepholes", T, B, D, H).trace()
    assert np.abs(cell_carry(trace)[0] - trace.gates["f"] * trace.d_c[1:]).max() > 1e-3


def pattern(p, **params):
    """What is and what can be non-zero of a problem whose error enters at the last step."""
    direct = np.zeros_like(p.direct)
    direct[-1] = p.direct[-1]
    trace = replace(p, params={**p.params, **params}, direct=direct).trace()
    return trace, reachable(trace)


@pytest.mark.parametrize("name", VARIANTS)
def test_what_is_not_zero_can_be_reached(name):
    p = variant_problem(name, T, B, D, H)
    W_hh = p.params["W_hh"] * (np.random.default_rng(0).random(p.params["W_hh"].shape) < 0.15)
    trace, open_ = pattern(p, W_hh=W_hh)
    assert not (trace.d_h[open_.h == 0] != 0).any()
    assert not (open_.h & (trace.d_h == 0)).any()
    if trace.d_c is not None:
        assert ((trace.d_c != 0) == open_.c).all()


def test_a_peephole_that_is_strongly_negative_does_not_close_the_way():
    p = problem_of(LSTM(D, H, peepholes=True), T, B)
    trace, open_ = pattern(p, p_f=np.full(H, -4.0), p_i=np.full(H, -9.0), p_o=np.full(H, -9.0))
    assert open_.carry[:-1].all()
    assert ((trace.d_h != 0) == open_.h).all()


def test_a_forget_gate_that_is_zero_closes_the_way_exactly():
    """No gates and a delay line: what enters at the end is gone H steps back, and is known to be
    exactly zero, not rounded to it."""
    p = problem_of(LSTM(D, H, **LSTM_VARIANTS["no_gates"]), T, B)
    trace, open_ = pattern(p, W_hh=np.eye(H, k=-1))
    assert (trace.d_h[: T - H + 1] == 0).all()
    assert not open_.h[: T - H + 1].any()
    assert not open_.carry[:-1].any()
    assert open_.h[T - H + 1 :].any(axis=1).all()


@pytest.mark.parametrize("name", VARIANTS)
def test_there_is_a_spectrum_of_each_gate_with_weights(name):
    p = variant_problem(name, T, B, D, H)
    found = weight_spectra(p.trace(), name)
    assert tuple(found) == p.cell.trainable_gates
    for gate, spectrum in found.items():
        top = np.linalg.norm(p.params["W_hh"][p.cell.gate_rows(gate)], 2)
        assert spectrum.sigma_max == pytest.approx(top)
        if gate in "iforz":
            assert spectrum.lipschitz == (0.2 if "hard" in name else 0.25)
        elif gate in "gn":
            assert spectrum.lipschitz == 1


def test_a_gate_without_weights_has_no_spectrum():
    trace = variant_problem("lstm cifg", T, B, D, H).trace()
    with pytest.raises(ValueError, match="gates must be one of f, g, o, got 'i'"):
        weight_spectra(trace, "cifg", gates=["i"])


def test_a_fixed_gate_s_statistics_are_its_constant():
    trace = variant_problem("lstm f = 0.7", T, B, D, H).trace()
    stats = gate_stats(trace, "m")["f"]
    assert stats.mean == pytest.approx(0.7)
    assert stats.alike
    np.testing.assert_allclose(memory(trace, "m").half_life, np.log(2) / -np.log(0.7), rtol=1e-12)
    kept = variant_problem("lstm nfg", T, B, D, H).trace()
    assert np.isposinf(memory(kept, "m").half_life).all()


def test_a_linear_candidate_has_a_slope_of_one():
    trace = variant_problem("lstm niaf", T, B, D, H).trace()
    np.testing.assert_array_equal(jacobian_spectrum(trace, "m").mean_slope, 1.0)
