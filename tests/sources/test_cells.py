"""Rows 10 to 17: gated cells, their variants, directions and depth."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.analysis.carry import carry_paths
from rnnviz.core import GRU_VARIANTS, LSTM_VARIANTS, RNN, forward
from rnnviz.experiment import run
from tests.sources.support import complex_step_error, only, small


def test_row_10_every_gate_of_the_lstm_is_recorded() -> None:
    experiment = small(models="lstm")
    trace = only(run(experiment)).trace
    assert set(trace.gates) == set(trace.d_gates) == {"i", "f", "g", "o"}
    assert trace.c is not None
    f, i, g = (trace.gates[name] for name in "fig")
    np.testing.assert_allclose(trace.c[1:], f * trace.c[:-1] + i * g, rtol=1e-13, atol=1e-16)
    np.testing.assert_allclose(trace.h[1:], trace.gates["o"] * np.tanh(trace.c[1:]), rtol=1e-13)
    assert complex_step_error(experiment) < 1e-12


def test_row_11_the_product_of_forget_gates_is_not_the_whole_gradient() -> None:
    trace = only(run(small(models="lstm", seq_len="40", memory_bias="3"))).trace
    carry = carry_paths(trace, "lstm")
    assert carry is not None
    assert carry.true.log10[0] > carry.product.log10[0] + 0.1


def test_row_12_with_f_0_i_1_o_1_the_lstm_squashes_twice() -> None:
    """h = tanh(tanh(a)), the tanh network only without the second tanh (THEORY A0, claim 2)."""
    result = run(small(models="lstm:variant=no_gates,lstm:variant=no_gates_noaf"))
    for label, squash in (("no_gates", np.arctanh), ("no_gates_noaf", np.copy)):
        trace = result[f"lstm:variant={label}"].trace
        rnn = RNN(trace.x.shape[1], trace.cell.hidden_size)
        a = np.einsum("gd,tdb->tgb", trace.params["W_xh"], trace.x) + np.einsum(
            "gh,thb->tgb", trace.params["W_hh"], trace.h[:-1]
        )
        np.testing.assert_allclose(squash(trace.h[1:]), np.tanh(a), rtol=1e-12, atol=1e-15)
        plain = forward(rnn, dict(trace.params), trace.x)
        assert np.allclose(plain.h, trace.h, rtol=1e-12) == (label == "no_gates_noaf")


@pytest.mark.parametrize("variant", LSTM_VARIANTS)
def test_rows_13_and_14_lstm_variants(variant: str) -> None:
    assert complex_step_error(small(models=f"lstm:variant={variant}")) < 1e-11


def test_row_14_coupled_gates_have_one_set_of_weights() -> None:
    trace = only(run(small(models="lstm:variant=cifg"))).trace
    np.testing.assert_array_equal(trace.gates["i"], 1 - trace.gates["f"])
    assert len(trace.params["W_hh"]) == 3 * trace.cell.hidden_size


@pytest.mark.parametrize("variant", GRU_VARIANTS)
def test_row_15_gru(variant: str) -> None:
    experiment = small(models=f"gru:variant={variant}")
    trace = only(run(experiment)).trace
    z, n = trace.gates["z"], trace.gates["n"]
    expected = (1 - z) * n + z * trace.h[:-1]
    np.testing.assert_allclose(trace.h[1:], expected, rtol=1e-12, atol=1e-15)
    assert complex_step_error(experiment) < 1e-12


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_row_16_both_directions(kind: str) -> None:
    """The second cell reads every sequence from its end."""
    experiment = small(models=kind, bidirectional="yes", loss_at="every")
    there, back = only(run(experiment)).layers[0]
    alone = forward(back.cell, dict(back.params), there.x[::-1])
    np.testing.assert_array_equal(alone.h, back.h)
    assert complex_step_error(experiment) < 1e-12


@pytest.mark.parametrize("directions", ["no", "yes"])
def test_row_17_deep_networks_have_gradients_in_every_layer(directions: str) -> None:
    experiment = small(models="rnn,lstm,gru", layers="3", bidirectional=directions)
    for result in run(experiment).values():
        assert len(result.layers) == 3
        assert all(np.abs(t.d_h[1:]).sum() > 0 for layer in result.layers for t in layer)
    assert complex_step_error(experiment) < 1e-12
