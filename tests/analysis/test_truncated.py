"""Traces of truncated backpropagation are not taken for those of a full pass."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from rnnviz import Experiment
from rnnviz.analysis.contributions import weight_contributions
from rnnviz.analysis.gradients import gradient_flow
from rnnviz.analysis.lags import lag_profile
from rnnviz.analysis.measures import measures
from rnnviz.analysis.own_losses import own_losses
from rnnviz.analysis.pairs import pair_matrix
from rnnviz.analysis.precision import precision
from rnnviz.analysis.reachability import reachable
from rnnviz.analysis.selfcheck.checks import FULL, trust
from rnnviz.analysis.slopes import with_true_slopes
from rnnviz.analysis.spectra import jacobian_spectrum, stretch
from rnnviz.analysis.step_factors import step_factors
from rnnviz.analysis.trouble import troubles
from rnnviz.analysis.truncated import longest_reach
from rnnviz.analysis.verdicts import reach_verdict, rule_verdict
from rnnviz.core import Trace
from rnnviz.core.network import NetworkTrace, run_network
from rnnviz.core.numerics import Status
from rnnviz.core.truncation import truncated_backward
from rnnviz.experiment import plan
from tests.core.support import KINDS, problem
from tests.core.test_skips import with_skip
from tests.core.test_truncation import record_of

T, K = 24, 6
PLAN = plan(Experiment(("rnn", "lstm"), seq_len=T, hidden_size=8, batch_size=3))


def network(label: str = "rnn", window: int = K) -> NetworkTrace:
    cut = partial(truncated_backward, window=window)
    return run_network(PLAN.networks[label], PLAN.init_params(label), PLAN.batch, cut)


def truncated(label: str = "rnn", window: int = K) -> Trace:
    return network(label, window).trace


@pytest.mark.parametrize("analysis", [step_factors, pair_matrix, precision])
@pytest.mark.parametrize("label", ["rnn", "lstm"])
def test_what_needs_a_full_pass_refuses_a_truncated_one(analysis, label):
    with pytest.raises(ValueError, match=f"{analysis.__name__}: .* truncated after 6 steps"):
        analysis(truncated(label), label)
    analysis(truncated(label, T), label)  # a window of T is the full pass


def test_so_do_the_numbers_of_a_sweep_and_the_verdict():
    with pytest.raises(ValueError, match="truncated after 6 steps"):
        measures(truncated())
    with pytest.raises(ValueError, match="truncated after 6 steps"):
        reach_verdict([gradient_flow(truncated(), "rnn")])


@pytest.mark.parametrize("label", ["rnn", "lstm"])
def test_nothing_is_said_of_how_fast_or_far_the_whole_error_goes(label):
    trace = truncated(label)
    flow = gradient_flow(trace, label)
    assert (flow.slope, flow.rate, flow.drop, flow.own_rate) == (None,) * 4
    assert np.isnan(flow.reach_log10)
    assert flow.reach_status == Status.NOT_RECORDED
    assert jacobian_spectrum(trace, label).measured_rate is None
    assert troubles([flow]).backward == ()
    rule = rule_verdict(flow, stretch(trace, trace.cell.CANDIDATE_GATE)).fields
    assert (rule["does"], rule["right"], rule["needs"]) == (None, None, None)
    assert own_losses(trace, label) == ()


def test_what_the_windows_cut_off_was_not_rounded():
    """The loss is at step 24; its window begins at h_18."""
    curve = gradient_flow(truncated(), "rnn").state
    assert (curve.status[:18] == Status.ZERO).all()
    assert (curve.status[18:] == Status.FINITE).all()


@pytest.mark.parametrize("kind", [*KINDS, "lstm skip"])
@pytest.mark.parametrize(("window", "stride"), [(4, 4), (4, 2), (3, 1)])
def test_windows_reach_where_their_sum_is_not_zero(kind, window, stride):
    p = with_skip("lstm", 3, 11) if kind == "lstm skip" else problem(kind, 11, 3, D=2, H=3)
    direct = p.direct.copy()
    direct[[0, 1, 2, 4, 5, 7]] = 0
    trace = truncated_backward(record_of(p), direct, window, stride)
    found = reachable(trace)
    np.testing.assert_array_equal(found.h, trace.d_h != 0)
    if trace.d_c is not None:
        np.testing.assert_array_equal(found.c, trace.d_c != 0)


def test_what_needs_no_gradients_is_as_of_a_full_pass():
    a, b = lag_profile(truncated(), "rnn"), lag_profile(truncated(window=T), "rnn")
    np.testing.assert_array_equal(a.state.log10, b.state.log10)


def test_contributions_are_of_the_truncated_gradient():
    found = weight_contributions(truncated(), "rnn")
    assert found.checksum < 1e-13
    assert np.isneginf(found.log10_norm[: T - K]).all()


def test_a_truncated_pass_in_float32_stays_one():
    narrow = {name: p.astype(np.float32) for name, p in PLAN.init_params("rnn").items()}
    cut = partial(truncated_backward, window=K)
    batch = replace(PLAN.batch, x=PLAN.batch.x.astype(np.float32))
    trace = run_network(PLAN.networks["rnn"], narrow, batch, cut).trace
    assert with_true_slopes(trace) is trace


def test_the_checks_of_a_run_do_not_call_truncation_a_mistake():
    found = trust(network(), PLAN.batch, "rnn")
    assert not found.failed
    assert [check.name for check in found.checks if check.reason] == list(FULL)
    assert not trust(network(window=T), PLAN.batch, "rnn").check(FULL[0]).reason


def brute_reach(experiment: Experiment, window: int, stride: int) -> int:
    """Each loss sent back alone: the earliest state of layer 1 that it is felt in."""
    planned = plan(experiment)
    ((label, net),) = planned.networks.items()
    cut = partial(truncated_backward, window=window, stride=stride)
    batch, params, far = planned.batch, planned.init_params(label), 0
    for step, sequence in np.argwhere(batch.mask):
        alone = np.zeros_like(batch.mask)
        alone[step, sequence] = 1
        trace = run_network(net, params, replace(batch, mask=alone), cut)
        felt = np.flatnonzero(trace.trace.d_h.any(axis=(1, 2)))
        far = max(far, step + 1 - int(felt[0]))
    return far


SETTINGS = [
    (20, 6, 6), (20, 6, 3), (21, 5, 1), (12, 11, 4), (17, 4, 3), (16, 4, 4), (13, 1, 1), (9, 8, 8),
]  # fmt: skip


KINDS = [
    {"loss_at": "every", "task": "counting"},
    {"loss_at": "every", "task": "counting", "bidirectional": "yes"},
    {"loss_at": "last"},
    {"loss_at": "last", "bidirectional": "yes"},
    {"loss_at": "last", "bidirectional": "yes", "task": "captioning"},
    {"loss_at": "every", "task": "sentiment"},
]


@pytest.mark.parametrize("kind", range(len(KINDS)))
@pytest.mark.parametrize("setting", range(len(SETTINGS)))
def test_the_longest_reach_is_that_of_every_loss_sent_back_alone(setting: int, kind: int) -> None:
    """Each window of every kind of network, and one, two and three layers of each."""
    (seq_len, window, stride), changes = SETTINGS[setting], KINDS[kind]
    layers = 1 + (setting + kind) % 3
    experiment = Experiment(("rnn",), hidden_size=3, seq_len=seq_len, batch_size=2, layers=layers,
                            **{"task": "delayed_recall", **changes})  # fmt: skip
    planned = plan(experiment)
    batch, final = planned.batch, planned.networks["rnn"].readout == "final"
    found = longest_reach(batch.mask, batch.lengths, layers, window, stride, final)
    assert found == brute_reach(experiment, window, stride)
