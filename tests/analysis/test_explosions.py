"""States that explode on the way forward: what is said of their error."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.analysis import verdicts
from rnnviz.analysis.gradients import gradient_flow
from rnnviz.analysis.spectra import linear_growth, stretch
from rnnviz.core import RNN, bptt
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
        "From step 60 to step 1 the error grows: **×10^590** in the RNN (by W_hh"
    )
    assert rule.endswith("It explodes: **rule right**.")


def test_states_that_explode_leave_no_number_and_are_said_to_have_exploded():
    flow = gradient_flow(exploded("relu"), "rnn")
    good = gradient_flow(simple(0.5 * np.eye(2), last_step(60, 2)), "rnn:init=orthogonal")
    assert say(verdicts.reach_verdict([flow])) == (
        "The states of the RNN **explode** on the way forward: its error has **no number**."
    )
    both = say(verdicts.reach_verdict([flow, good]))
    assert both.startswith("Of the error at step 60, **1 part in 10^17.8** reaches step 1 in the")
    assert both.endswith("its error has **no number**.")
    trouble = say(verdicts.trouble_verdict([flow]))
    assert trouble.endswith("Backpropagation needs them: for the RNN it has no number (NaN) from "
                            "step 60 back.")  # fmt: skip


def test_a_number_that_was_given_as_nan_is_no_explosion():
    params = {"W_xh": np.eye(1), "W_hh": np.full((1, 1), np.nan), "b_h": np.zeros(1)}
    trace = bptt(RNN(1, 1), params, np.zeros((9, 1, 1)), last_step(9, 1))
    (model,) = verdicts.reach_verdict([gradient_flow(trace, "rnn")]).fields["models"]
    assert not model.unknown
