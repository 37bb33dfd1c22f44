"""Verdicts as numbers."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from rnnviz.analysis import verdicts
from rnnviz.analysis.batch_carry import batch_carry
from rnnviz.analysis.carry import carry_paths
from rnnviz.analysis.gates import memory
from rnnviz.analysis.gradients import gradient_flow
from rnnviz.analysis.rates import Rate
from rnnviz.analysis.spectra import stretch, weight_spectra, whole_step
from rnnviz.analysis.step_factors import step_factors
from rnnviz.core import LSTM, RNN, bptt
from rnnviz.core.activations import ACTIVATIONS
from rnnviz.core.initializers import orthogonal
from rnnviz.core.numerics import Status
from tests.analysis.support import last_step, nine_and_five, quiet_lstm, simple
from tests.core.support import problem


def flow_and_spectrum(W, T=40, activation="identity", label="rnn"):
    trace = simple(W, last_step(T, len(W)), activation)
    return gradient_flow(trace, label), weight_spectra(trace, label)["a"]


def rule(W, T=40, activation="identity"):
    trace = simple(W, last_step(T, len(W)), activation)
    return verdicts.rule_verdict(gradient_flow(trace, "rnn"), stretch(trace, "a")).fields


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
        (np.zeros((2, 2)), "vanishes", "vanishes", True),
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
    fields = rule(W)
    assert (fields["says"], fields["does"], fields["right"]) == (says, does, right)
    assert fields["threshold"] == 1


def test_rule_of_thumb_knows_the_slope_of_the_logistic_function():
    fields = rule(3.0 * np.eye(2), 40, "logistic")
    assert (fields["says"], fields["does"], fields["threshold"]) == ("vanishes", "vanishes", 4)


def test_rule_of_thumb_without_a_measurement():
    fields = rule(np.array([[np.nan]]))
    assert fields["says"] is None
    assert fields["does"] is None
    assert fields["right"] is None
    assert rule(np.eye(2), T=1)["right"] is None


def test_why_is_told_by_factors_that_multiply_to_the_measured_rate():
    alone = replace(problem("rnn tanh", 30, 3, 2, 5), direct=last_step(30, 5, 3)).trace()
    for one in (alone, simple(0.7 * np.eye(2), last_step(9, 2))):
        flow, split = gradient_flow(one, "rnn"), step_factors(one, "rnn")
        fields = verdicts.rule_verdict(flow, stretch(one, "a"), split).fields
        product = np.prod([*fields["why"].values()])
        assert product == pytest.approx(flow.rate.factor_per_step, rel=1e-9)
    assert fields["slope_name"] == "identity"
    assert verdicts.rule_verdict(flow, stretch(one, "a")).fields["why"] is None


def test_why_is_not_told_where_the_factors_are_not_all():
    """Error that enters on the way, and error that ends."""
    for one in (problem("rnn tanh", 30, 3, 2, 5).trace(), simple(np.eye(3, k=-1), last_step(9, 3))):
        flow, split = gradient_flow(one, "rnn"), step_factors(one, "rnn")
        assert verdicts.rule_verdict(flow, stretch(one, "a"), split).fields["why"] is None
    lengths = np.array([30, 12, 20])
    ends = np.zeros((30, 5, 3))
    ends[lengths - 1, :, np.arange(3)] = 1.0
    padded = replace(problem("rnn tanh", 30, 3, 2, 5), lengths=lengths, direct=ends).trace()
    flow = gradient_flow(padded, "rnn")
    assert flow.own_rate is not None
    split = step_factors(padded, "rnn")
    assert verdicts.rule_verdict(flow, stretch(padded, "a"), split).fields["why"] is None


def test_a_refilled_gradient_does_not_judge_the_rule():
    """C1: with a loss at every step the total gradient does not show vanishing."""
    trace = simple(0.5 * np.eye(2), np.ones((20, 2, 1)))
    flow, spectrum = gradient_flow(trace, "rnn"), weight_spectra(trace, "rnn")["a"]
    assert flow.rate.verdict == "level"
    fields = verdicts.rule_verdict(flow, stretch(trace, "a")).fields
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
    """Half-life over all units and sequences; the gates and the truth of the median sequence."""
    trace = problem("lstm", 12, 3, 2, 4).trace()
    carry, kept, batch = carry_paths(trace, "l"), memory(trace, "l"), batch_carry(trace, "l", 3)
    fields = verdicts.gates_verdict(kept, carry, batch, 12).fields
    assert fields["half_life"] == kept.median
    assert fields["share_beyond"] == np.mean(kept.half_life > 12)
    each = [carry_paths(trace, "l", b) for b in range(3)]
    true, product = ([getattr(p, name).log10[0] for p in each] for name in ("true", "product"))
    assert fields["true_log10"] == pytest.approx(np.median(true))
    assert fields["product_log10"] == pytest.approx(np.median(product))
    assert fields["true_range"] == (pytest.approx(min(true)), pytest.approx(max(true)))
    assert (fields["sequences"], fields["batch_size"], fields["steps"]) == (3, 3, 12)


def test_gates_verdict_of_closed_gates():
    trace = quiet_lstm(3, 2, -1e4)
    found = memory(trace, "l"), carry_paths(trace, "l"), batch_carry(trace, "l", 1)
    fields = verdicts.gates_verdict(*found, 3).fields
    assert fields["true_status"] == Status.ROUNDED


@pytest.mark.parametrize(
    ("gain", "T", "does"), [(0.97, 60, "level"), (0.97, 120, "vanishes"), (1.03, 120, "explodes")]
)
def test_a_slow_change_over_many_steps_is_not_level(gain, T, does):
    assert flow_and_spectrum(gain * np.eye(2), T=T)[0].rate.verdict == "level"
    assert rule(gain * np.eye(2), T)["does"] == does


@pytest.mark.parametrize("gain", [0.97, 0.98, 0.99, 1.01, 1.02])
def test_what_is_too_slow_to_be_seen_is_not_held_against_the_rule(gain):
    """Below 1 vanishing is a theorem: at 0.99 a tenth is left after 229 steps, not after 59."""
    fields = rule(gain * orthogonal(np.random.default_rng(0), 5), T=60)
    assert (fields["does"], fields["right"]) == ("level", None)
    assert fields["needs"] == pytest.approx(np.log(10) / abs(np.log(gain)))
    assert fields["must"] == (gain < 1)


@pytest.mark.parametrize(
    ("W", "leak", "T", "factor", "law", "does"),
    [(-1.5, 0.3, 200, 0.25, 0.7, "vanishes"), (0.9, 0.1, 100, 0.99, 0.99, "level")],
)
def test_a_leaky_cell_is_judged_by_its_whole_step(W, leak, T, factor, law, does):
    cell = RNN(1, 1, "identity", leak=leak)
    params = {"W_xh": np.zeros((1, 1)), "W_hh": np.array([[W]]), "b_h": np.zeros(1)}
    trace = bptt(cell, params, np.zeros((T, 1, 1)), last_step(T, 1))
    found = stretch(trace, "a")
    assert (found.sigma_max, found.law) == (pytest.approx(factor), pytest.approx(law))
    fields = verdicts.rule_verdict(gradient_flow(trace, "rnn"), found).fields
    assert (fields["says"], fields["does"]) == ("vanishes", does)
    assert fields["right"] is (True if does == "vanishes" else None)


def test_a_saturated_leaky_cell_that_must_vanish_does_not_make_the_rule_wrong():
    """With all slopes at zero the leak alone keeps 0.97 a step, more than the step at φ′ = 1 does:
    a tenth is left after 76 steps, not after 30, and 59 are too few to see it."""
    cell = RNN(1, 1, leak=0.03)
    params = {"W_xh": np.zeros((1, 1)), "W_hh": np.array([[-1.5]]), "b_h": np.full(1, 30.0)}
    trace = bptt(cell, params, np.zeros((60, 1, 1)), last_step(60, 1))
    found = stretch(trace, "a")
    assert (found.sigma_max, found.law) == (pytest.approx(0.925), pytest.approx(0.97))
    fields = verdicts.rule_verdict(gradient_flow(trace, "rnn"), found).fields
    assert (fields["says"], fields["does"], fields["must"]) == ("vanishes", "level", True)
    assert fields["right"] is None
    assert fields["needs"] == pytest.approx(1 / -np.log10(0.97))
    assert fields["factor"] == pytest.approx(0.97)


@pytest.mark.parametrize("lengths", [(200, 2), (40, 2), (200, 70), (200, 90)])
@pytest.mark.parametrize("gain", [0.99, 0.97, 0.9])
def test_below_the_threshold_no_lengths_of_sequences_make_the_rule_wrong(lengths, gain):
    """The reach of sequences that count from their own ends is mostly the shortest one's."""
    params = {"W_xh": np.eye(1), "W_hh": np.full((1, 1), gain), "b_h": np.zeros(1)}
    direct = np.zeros((lengths[0], 1, 2))
    direct[np.array(lengths) - 1, 0, [0, 1]] = 1
    x, cell = np.zeros((lengths[0], 1, 2)), RNN(1, 1, "identity")
    trace = bptt(cell, params, x, direct, lengths=np.array(lengths))
    flow = gradient_flow(trace, "rnn")
    assert flow.own_rate is not None
    fields = verdicts.rule_verdict(flow, stretch(trace, "a")).fields
    assert fields["right"] is (True if fields["does"] == "vanishes" else None)
    assert (fields["span"], fields["shortest"]) == (lengths[1] - 1, True)
    if fields["does"] == "level":
        assert fields["needs"] == pytest.approx(1 / -np.log10(gain))


def test_the_spectrum_of_a_leaky_cell_is_that_of_its_step():
    """A weight of −1.5 behind a leak of 0.3 takes 0.25 of the error a step, and nothing is left
    for an alignment that one unit does not have."""
    cell = RNN(1, 1, "identity", leak=0.3)
    params = {"W_xh": np.zeros((1, 1)), "W_hh": np.array([[-1.5]]), "b_h": np.zeros(1)}
    trace = bptt(cell, params, np.zeros((200, 1, 1)), last_step(200, 1))
    flow, spectrum = gradient_flow(trace, "rnn"), weight_spectra(trace, "rnn")["a"]
    fields = verdicts.spectrum_verdict(spectrum, flow.rate, step=whole_step(trace)).fields
    assert (fields["sigma_max"], fields["rho"]) == (pytest.approx(0.25), pytest.approx(0.25))
    assert fields["rest"] == pytest.approx(1)
    assert fields["alike"]


def test_a_leaky_step_of_a_rotation_does_not_stretch_all_alike():
    """(1 − α) I + α W has singular values of its own, though those of W are one."""
    angle = np.pi / 3
    W = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    cell = RNN(1, 4, "tanh", leak=0.5)
    blocks = np.block([[W, np.zeros((2, 2))], [np.zeros((2, 2)), np.eye(2)]])
    params = {"W_xh": np.zeros((4, 1)), "W_hh": blocks, "b_h": np.zeros(4)}
    trace = bptt(cell, params, np.zeros((5, 1, 1)), last_step(5, 4))
    assert weight_spectra(trace, "rnn")["a"].stretches_alike
    assert not whole_step(trace).alike


def test_a_skip_is_judged_by_its_block_companion():
    cell = RNN(1, 1, "identity", skip=3)
    drawn = cell.init_params(np.random.default_rng(0))
    params = {name: np.full_like(v, 0.5 * (name == "W_skip")) for name, v in drawn.items()}
    trace = bptt(cell, params, np.zeros((4, 1, 1)), last_step(4, 1))
    assert whole_step(trace).radius == pytest.approx(0.5 ** (1 / 3))


def with_skip(hidden_size, skip, leak, gain):
    cell, rng = RNN(1, hidden_size, leak=leak, skip=skip), np.random.default_rng(0)
    params = {name: gain * value for name, value in cell.init_params(rng).items()}
    T = skip + 1
    return bptt(cell, params, np.zeros((T, 1, 1)), last_step(T, hidden_size))


@pytest.mark.parametrize("gain", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("leak", [1.0, 0.4])
@pytest.mark.parametrize(("hidden_size", "skip"), [(6, 2), (6, 5), (40, 7)])
def test_a_step_with_a_skip_is_its_block_companion_s(hidden_size, skip, leak, gain):
    """However long the skip, it is not what is worked out: of 40 units and 7 steps the radius is
    what a state grows by."""
    trace = with_skip(hidden_size, skip, leak, gain)
    params, ones = trace.params, np.ones(hidden_size)
    J, half, flat = (trace.cell.state_jacobian(params, slope * ones) for slope in (1.0, 0.5, 0.0))
    sigma_max, radius, alike = whole_step(trace)
    assert not alike
    assert sigma_max == pytest.approx(np.linalg.norm(J, 2))
    assert radius == pytest.approx(np.abs(np.linalg.eigvals(J)).max(), rel=2e-3)
    if leak < 1:
        law = np.linalg.norm(half, 2) + np.linalg.norm(half - flat, 2)
        assert stretch(trace, "a").law == pytest.approx(law)


def test_a_step_with_the_longest_skip_takes_no_matrix_of_its_size():
    trace = with_skip(256, 100, 1.0, 1.0)
    tracemalloc.start()
    assert np.isfinite(whole_step(trace)).all()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20  # the companion matrix alone has 5 GB


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("leak", [1.0, 0.4])
def test_no_step_stretches_more_than_the_law(activation, leak):
    cell, rng = RNN(3, 5, activation, leak=leak), np.random.default_rng(0)
    params = cell.init_params(rng)
    trace = bptt(cell, params, np.zeros((2, 3, 1)), last_step(2, 5))
    slopes = rng.uniform(0, cell.activation_of("a").lipschitz, (200, 5))
    worst = max(np.linalg.norm(cell.state_jacobian(params, slope), 2) for slope in slopes)
    assert worst <= stretch(trace, "a").law
    aligned = {**params, "W_hh": 2 * np.eye(5)}
    trace = bptt(cell, aligned, np.zeros((2, 3, 1)), last_step(2, 5))
    assert stretch(trace, "a").law == pytest.approx(whole_step(trace).sigma_max)


def test_what_is_lost_in_one_step_is_said_to_be_lost_there():
    """The LSTM without forget gate keeps all; tanh′ of its large cell state takes it at the end."""
    cell = LSTM(1, 1, fixed=(("f", 1.0),))
    params = {
        name: np.zeros_like(v) for name, v in cell.init_params(np.random.default_rng(0)).items()
    }
    params["b_h"][:] = 3
    trace = bptt(cell, params, np.zeros((12, 1, 1)), last_step(12, 1))
    (model,) = verdicts.reach_verdict([gradient_flow(trace, "lstm")]).fields["models"]
    assert (model.drop.start, model.drop.end) == (12, 11)
    assert model.drop.log10 == pytest.approx(-9.299, abs=1e-3)
    assert model.drop.rest.factor_per_step == pytest.approx(1)


def test_a_steady_loss_is_lost_in_no_single_step():
    assert flow_and_spectrum(0.05 * np.eye(2), T=5)[0].drop is None


def test_sequences_of_different_lengths_count_from_their_own_ends():
    """16.8 % and 41.0 % of the error at steps 9 and 5 reach step 1, and none enters on the way."""
    flow = nine_and_five()
    assert not flow.refilled
    assert flow.rate.factor_per_step == pytest.approx(0.8, rel=1e-12)
    assert 10**flow.reach_log10 == pytest.approx(np.sqrt((0.8**16 + 0.8**8) / 2), rel=1e-12)
    assert verdicts.reach_verdict([flow]).fields["own_ends"]


def test_each_model_counts_from_the_step_where_its_own_error_begins():
    early = np.zeros((40, 2, 1))
    early[37] = 1
    flows = [
        flow_and_spectrum(0.5 * np.eye(2))[0],
        gradient_flow(simple(np.eye(2), early), "rnn:b"),
    ]
    fields = verdicts.reach_verdict(flows).fields
    assert fields["from_step"] == 40
    assert [model.from_step for model in fields["models"]] == [40, 38]
