"""States that explode on the way forward: what is said of their error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz import Experiment, run
from rnnviz.analysis import verdicts
from rnnviz.analysis.gradients import gradient_flow
from rnnviz.analysis.lags import lag_profile
from rnnviz.analysis.linear_growth import linear_growth, stack_growth
from rnnviz.analysis.lyapunov import lyapunov_spectrum
from rnnviz.analysis.measures import measures
from rnnviz.analysis.spectra import stretch
from rnnviz.analysis.trouble import troubles
from rnnviz.core import LSTM, RNN, bptt
from rnnviz.core.numerics import Status
from rnnviz.views import gradient_flow as page
from rnnviz.wording.trouble import trouble_words
from rnnviz.wording.verdicts import gradient_words, say
from tests.analysis.support import last_step, simple


def exploded(activation="identity", factor=1e10):
    params = {"W_xh": np.eye(1), "W_hh": np.full((1, 1), factor), "b_h": np.zeros(1)}
    cell, x = RNN(1, 1, activation), np.zeros((60, 1, 1))
    return bptt(cell, params, x, last_step(60, 1, value=np.nan), h0=np.ones((1, 1)))


def test_an_explosion_is_one_with_its_size_where_the_steps_alone_say_it():
    trace = exploded()
    flow, growth = gradient_flow(trace, "rnn"), linear_growth(trace)
    (unknown,) = verdicts.reach_verdict([flow]).fields["models"]
    (known,) = verdicts.reach_verdict([flow], {"rnn": growth}).fields["models"]
    assert (unknown.unknown, known.unknown) == (True, False)
    assert known.log10 == pytest.approx(590)
    fields = verdicts.rule_verdict(flow, stretch(trace, "a"), growth=growth).fields
    assert (fields["does"], fields["right"]) == ("explodes", True)
    assert verdicts.rule_verdict(flow, stretch(trace, "a")).fields["does"] is None
    first, rule = gradient_words([flow], {"rnn": stretch(trace, "a")}, growths={"rnn": growth})
    assert first.startswith(
        "From step 60 to step 1 the error grows: **×10^590** in the RNN (by its weights"
    )
    assert rule.endswith("It explodes: **rule right**.")


def test_states_that_explode_leave_no_number_and_are_said_to_have_exploded():
    flow = gradient_flow(exploded("relu"), "rnn")
    good = gradient_flow(simple(0.5 * np.eye(2), last_step(60, 2)), "rnn:init=orthogonal")
    assert say(verdicts.reach_verdict([flow])) == (
        "The states of the RNN **explode** on the way forward: its error has **no number**, and "
        "how large it would be is not worked out without them."
    )
    both = say(verdicts.reach_verdict([flow, good]))
    assert both.startswith("Of the error at step 60, **1 part in 10^17.8** reaches step 1 in the")
    assert both.endswith("its error has **no number**, and how large it would be is not worked out "
                         "without them.")  # fmt: skip
    trouble = trouble_words(troubles([flow]))
    assert trouble.endswith("Backpropagation needs them: for the RNN it has no number (NaN) from "
                            "step 60 back.")  # fmt: skip


def test_a_number_that_was_given_as_nan_is_no_explosion():
    params = {"W_xh": np.eye(1), "W_hh": np.full((1, 1), np.nan), "b_h": np.zeros(1)}
    trace = bptt(RNN(1, 1), params, np.zeros((9, 1, 1)), last_step(9, 1))
    (model,) = verdicts.reach_verdict([gradient_flow(trace, "rnn")]).fields["models"]
    assert not model.unknown


@pytest.mark.parametrize("kind", ["rnn:activation=relu", "rnn:activation=relu,leak=0.5"])
@pytest.mark.parametrize("gain", [1e60, 1e300])
def test_steps_whose_states_have_exploded_have_no_exponent_and_no_norms(kind, gain):
    """W_hh has both signs: whether an infinite unit of a ReLU would be on is not known."""
    e = Experiment((kind,), gain=gain, seq_len=8, hidden_size=3, batch_size=1, seed=2)
    trace = run(e)[kind].trace
    assert not np.isfinite(trace.h).all()
    found = measures(trace)
    assert (found.lambda_1, found.lambda_1_status) == (None, Status.NAN)
    first = int(np.argmin(np.isfinite(trace.h).all(axis=(1, 2))))
    last = lag_profile(trace, "rnn")
    assert (last.state.status[1:] == Status.NAN).all()
    assert np.isfinite(lag_profile(trace, "rnn", end=first - 1).state.log10).all()
    assert np.isnan(lyapunov_spectrum(trace, "rnn").exponents).any()


def test_linear_steps_need_no_states_to_have_an_exponent():
    trace = exploded()
    found = measures(trace)
    assert found.lambda_1 == pytest.approx(10 * np.log(10))
    assert found.lambda_1_status == Status.FINITE


def test_a_gradient_that_is_no_number_on_its_way_has_no_slope():
    """That of the steps before which it was one is not it."""
    e = Experiment(("lstm",), gain=1e300, seq_len=8, hidden_size=3, batch_size=2, seed=2)
    trace = run(e)["lstm"].trace
    flow = gradient_flow(trace, "lstm")
    assert np.isfinite(flow.state.log10[6:]).all()
    assert not np.isfinite(flow.state.log10[:6]).any()
    assert (flow.slope, flow.rate) == (None, None)
    found = measures(trace)
    assert (found.slope, found.r2, found.horizon) == (None, None, None)
    assert found.reach_status == Status.NAN


STACK = Experiment(("rnn",), activation="identity", hidden_size=5, batch_size=2, layers=3)


@pytest.mark.parametrize("change", [{}, {"skip": 3}], ids=str)
def test_the_size_in_a_lower_layer_is_that_of_all_ways_through_the_stack(change):
    """Where nothing explodes the gradients themselves say it: of a loss in each direction."""
    made = run(replace(STACK, seq_len=12, gain=1.3, **change))["rnn"]
    stack = [layer[0] for layer in made.layers]
    for k, low in enumerate(stack):
        if k == 2 and change:
            continue  # a single layer with a skip has none
        sizes = []
        for unit in range(5):
            direct = np.zeros((12, 10, 1))[:, :5]
            direct[-1, unit] = 1
            for layer in reversed(stack[k:]):
                one = bptt(layer.cell, layer.params, layer.x[:, :, :1], direct)
                direct = one.d_x
            sizes.append((one.d_h[1] ** 2).sum() + 1j * (one.d_h[12] ** 2).sum())
        total = np.sum(sizes)
        expected = 0.5 * np.log10(total.real / total.imag)
        assert stack_growth(stack[k:]) == pytest.approx(expected, abs=1e-9)
        assert low.cell.hidden_size == 5


def test_only_linear_stacks_have_a_size():
    made = run(replace(STACK, seq_len=6, activation="relu"))["rnn"]
    assert stack_growth([layer[0] for layer in made.layers]) is None
    lstm = bptt(LSTM(1, 1), LSTM(1, 1).init_params(np.random.default_rng(0)), np.zeros((5, 1, 1)),
                last_step(5, 1))  # fmt: skip
    assert stack_growth([lstm]) is None


def test_every_layer_of_an_exploding_stack_says_so_and_how_large():
    e = replace(STACK, seq_len=800, gain=4.0, layers=2, init="orthogonal")
    made = run(e)
    low = page.view(made, page.Choices(layer="1")).verdict
    high = page.view(made, page.Choices(layer="2")).verdict
    assert "×10^48" in low[0]
    assert "by the weights alone, RMS over all directions, as all steps are linear" in low[0]
    assert "×10^481" in high[0]
    below = (
        "The states of the layer below explode: on its way forward the RNN · layer 2 first meets "
    )
    assert f"{below}an input that is not finite at step 5" in high[2]
    assert "−∞ at step" not in " ".join(high)


def test_a_layer_that_explodes_by_itself_is_not_put_on_the_one_below():
    """ReLU: layer 2 passes the largest number long before its input does."""
    e = replace(STACK, seq_len=800, gain=4.0, layers=2, init="orthogonal", activation="relu",
                hidden_size=8)  # fmt: skip
    (first, _, trouble) = page.view(run(e), page.Choices(layer="2")).verdict
    assert first.startswith("The states of the RNN · layer 2 **explode**")
    assert trouble.startswith("The states of the RNN · layer 2 explode: at step")
