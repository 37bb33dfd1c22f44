"""Verdicts as numbers."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.analysis import verdicts
from rnnviz.analysis.carry import carry_paths
from rnnviz.analysis.gates import memory
from rnnviz.analysis.gradients import gradient_flow
from rnnviz.analysis.rates import Rate
from rnnviz.analysis.spectra import weight_spectra
from rnnviz.core import RNN, bptt
from rnnviz.core.initializers import orthogonal
from rnnviz.core.numerics import Status
from tests.analysis.support import last_step, quiet_lstm, simple
from tests.core.support import problem


def flow_and_spectrum(W, T=40, activation="identity", label="rnn"):
    trace = simple(W, last_step(T, len(W)), activation)
    return gradient_flow(trace, label), weight_spectra(trace, label)["a"]


def test_models_are_sorted_by_what_they_lose():
    gains = {"rnn:gain=1": 1.0, "rnn:gain=0.5": 0.5, "rnn:gain=2": 2.0, "rnn:dead": 0.0}
    flows = [flow_and_spectrum(g * np.eye(2), label=label)[0] for label, g in gains.items()]
    direct = last_step(40, 2, value=np.nan)
    flows.insert(0, gradient_flow(simple(np.eye(2), direct), "rnn:nan"))
    verdict = verdicts.reach_verdict(flows)
    assert verdict.kind == "reach"
    assert verdict.fields["from_step"] == 40
    models = verdict.fields["models"]
    order = ["rnn:dead", "rnn:gain=0.5", "rnn:gain=1", "rnn:gain=2", "rnn:nan"]
    assert [m.label for m in models] == order
    assert [m.status for m in models] == [Status.ZERO, *[Status.FINITE] * 3, Status.NAN]
    assert models[1].log10 == pytest.approx(-39 * np.log10(2))
    assert models[1].rate.halving_steps == pytest.approx(1)


def test_no_flows_are_refused():
    with pytest.raises(ValueError, match="flows"):
        verdicts.reach_verdict([])


@pytest.mark.parametrize(
    ("W", "says", "does", "right"),
    [
        (0.5 * np.eye(2), "vanishes", "vanishes", True),
        (2.0 * np.eye(2), "explodes", "explodes", True),
        (np.eye(2), "level", "level", True),
        (orthogonal(np.random.default_rng(0), 5), "level", "level", True),
        (np.array([[0.0, 10.0], [0.0, 0.0]]), "explodes", "vanishes", False),
        (np.array([[0.5, 3.0], [0.0, 0.5]]), "explodes", "vanishes", False),
    ],
)
def test_rule_of_thumb_for_linear_nets(W, says, does, right):
    """A0: σ_max > 1 is necessary for explosion, never sufficient."""
    fields = verdicts.rule_verdict(*flow_and_spectrum(W)).fields
    assert (fields["says"], fields["does"], fields["right"]) == (says, does, right)
    assert fields["threshold"] == 1


def test_rule_of_thumb_knows_the_slope_of_the_logistic_function():
    fields = verdicts.rule_verdict(*flow_and_spectrum(3.0 * np.eye(2), 40, "logistic")).fields
    assert (fields["says"], fields["does"], fields["threshold"]) == ("vanishes", "vanishes", 4)


def test_rule_of_thumb_without_a_measurement():
    flow, spectrum = flow_and_spectrum(np.array([[np.nan]]))
    fields = verdicts.rule_verdict(flow, spectrum).fields
    assert fields["says"] is None
    assert fields["does"] is None
    assert fields["right"] is None
    one_step, spectrum = flow_and_spectrum(np.eye(2), T=1)
    assert verdicts.rule_verdict(one_step, spectrum).fields["right"] is None


def test_a_refilled_gradient_does_not_judge_the_rule():
    """C1: with a loss at every step the total gradient does not show vanishing."""
    trace = simple(0.5 * np.eye(2), np.ones((20, 2, 1)))
    flow, spectrum = gradient_flow(trace, "rnn"), weight_spectra(trace, "rnn")["a"]
    assert flow.rate.verdict == "level"
    fields = verdicts.rule_verdict(flow, spectrum).fields
    assert (fields["does"], fields["right"], fields["refilled"]) == (None, None, True)
    fields = verdicts.spectrum_verdict(spectrum, flow.rate, refilled=flow.refilled).fields
    assert (fields["measured"], fields["rest"]) == (None, None)


def test_memories_shortest_first():
    found = [memory(quiet_lstm(2, 2, bias), f"lstm:forget_bias={bias}") for bias in (3, 0)]
    models = verdicts.memory_verdict(found).fields["models"]
    assert [m[0] for m in models] == ["lstm:forget_bias=0", "lstm:forget_bias=3"]
    assert models[0][2] == pytest.approx(1)


def test_spectrum_verdict_factors_the_measured_rate():
    _, spectrum = flow_and_spectrum(np.diag([2.0, 0.5]))
    fields = verdicts.spectrum_verdict(spectrum, Rate(np.log10(0.5))).fields
    assert (fields["sigma_max"], fields["rho"]) == (pytest.approx(2), pytest.approx(2))
    assert fields["measured"] == pytest.approx(0.5)
    assert fields["rest"] == pytest.approx(0.25)


def test_spectrum_verdict_has_no_rest_without_radius_or_measurement():
    _, spectrum = flow_and_spectrum(np.eye(4, k=-1))
    fields = verdicts.spectrum_verdict(spectrum, Rate(0.0)).fields
    assert (fields["rho"], fields["rest"]) == (0, None)
    _, spectrum = flow_and_spectrum(np.eye(2))
    fields = verdicts.spectrum_verdict(spectrum, None).fields
    assert (fields["measured"], fields["rest"]) == (None, None)


def test_gates_verdict():
    trace = problem("lstm", 12, 1, 2, 4).trace()
    carry, kept = carry_paths(trace, "lstm"), memory(trace, "lstm")
    fields = verdicts.gates_verdict(kept, carry, 12).fields
    assert fields["half_life"] == kept.median
    assert fields["share_beyond"] == np.mean(kept.half_life > 12)
    ratio = carry.true.log10[0] - carry.product.log10[0]
    assert fields["ratio_log10"] == pytest.approx(ratio)


def test_gates_verdict_of_closed_gates_has_no_ratio():
    trace = quiet_lstm(3, 2, -1e4)
    fields = verdicts.gates_verdict(memory(trace, "l"), carry_paths(trace, "l"), 3).fields
    assert fields["ratio_log10"] is None
    assert fields["true_status"] == Status.ROUNDED


def test_trouble_is_told_where_it_begins():
    good = flow_and_spectrum(np.eye(2))[0]
    line = flow_and_spectrum(np.eye(4, k=-1), T=10, label="line")[0]
    below = flow_and_spectrum(np.array([[1e-4]]), T=200, label="below")[0]
    models = verdicts.trouble_verdict([good, line, below]).fields["models"]
    assert models == (("line", 6, Status.ZERO), ("below", 200 - 77, Status.BELOW))


@pytest.mark.parametrize(
    ("gain", "T", "does"), [(0.97, 60, "level"), (0.97, 120, "vanishes"), (1.03, 120, "explodes")]
)
def test_a_slow_change_over_many_steps_is_not_level(gain, T, does):
    flow, spectrum = flow_and_spectrum(gain * np.eye(2), T=T)
    assert flow.rate.verdict == "level"
    assert verdicts.rule_verdict(flow, spectrum).fields["does"] == does


def test_states_that_overflow_on_the_way_forward_are_told():
    params = {"W_xh": np.eye(1), "W_hh": np.full((1, 1), 1e10), "b_h": np.zeros(1)}
    cell, x = RNN(1, 1, "identity"), np.zeros((60, 1, 1))
    exploding = gradient_flow(bptt(cell, params, x, last_step(60, 1), h0=np.ones((1, 1))), "up")
    forward = verdicts.trouble_verdict([flow_and_spectrum(np.eye(2))[0], exploding])
    assert forward.fields["forward"] == (("up", 31),)  # 10^310 is beyond float64


def test_steps_after_the_last_loss_are_no_trouble():
    direct = np.zeros((9, 1, 1))
    direct[4] = 1
    flow = gradient_flow(simple(np.eye(1), direct), "rnn")
    assert verdicts.trouble_verdict([flow]).fields["models"] == ()
