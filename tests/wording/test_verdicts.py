"""Verdicts in words: every template."""

from __future__ import annotations

import numpy as np

from rnnviz.analysis.gates import memory
from rnnviz.analysis.gradients import gradient_flow
from rnnviz.analysis.rates import Drop, Rate
from rnnviz.analysis.spectra import stretch
from rnnviz.analysis.step_factors import step_factors
from rnnviz.analysis.verdicts import Reach, Verdict
from rnnviz.core.numerics import Status
from rnnviz.wording import verdicts
from rnnviz.wording.texts import texts
from tests.analysis.support import last_step, quiet_lstm, simple

REFILLED = texts("verdicts")["refilled"]


def reach(*models, **more):
    fields = {"from_step": 100, "total_from": 100, "to_step": 1, "models": models,
              "own_ends": False, **more}  # fmt: skip
    return verdicts.say(Verdict("reach", fields))


def model(label, log10, status=Status.FINITE, from_step=100, drop=None):
    rate = Rate(log10 / 99) if np.isfinite(log10) else None
    return Reach(label, label.partition(":")[0], log10, status, rate, from_step, drop)


def test_the_default_sentence():
    text = reach(model("rnn", -24.4), model("gru", -1.8), model("lstm", 0.4))
    assert text == (
        "Of the error at step 100, **1 part in 10^24.4** reaches step 1 in the RNN "
        "(×0.57 a step, halves every 1.2 steps), **1.6 %** in the GRU, "
        "in the LSTM it grows **×2.5**."
    )


def test_an_rnn_that_explodes_has_its_rate_wherever_it_stands():
    text = reach(model("gru", -0.5), model("rnn", 29.8))
    assert text.endswith("**32 %** reaches step 1 in the GRU, in the RNN it grows **×10^29.8** "
                         "(×2.00 a step, doubles every step).")  # fmt: skip


def test_more_than_all_of_an_error_reaches_no_step():
    assert reach(model("rnn", 2.1), model("lstm", 3.4)) == (
        "From step 100 to step 1 the error grows: "
        "**×130** in the RNN (×1.05 a step, doubles every 14 steps), **×10^3.4** in the LSTM."
    )


def test_sequences_of_different_lengths_are_said_to_count_from_their_ends():
    assert reach(model("lstm", -0.5), own_ends=True).startswith(
        "Of the error at its own end, in sequences of different lengths, **32 %** reaches step 1"
    )


def test_each_model_counts_from_where_its_own_error_begins():
    assert reach(model("rnn", -9.9), model("lstm", -0.5, from_step=88)).endswith(
        "**32 %** in the LSTM (of that at step 88)."
    )


def test_a_loss_in_one_step_is_not_said_to_be_one_a_step():
    drop = Drop(12, 11, -9.3, Rate(0.0))
    assert reach(model("lstm", -9.3, drop=drop)).endswith(
        "in the LSTM (lost in one step, from 12 to 11; the others ×1.00 each)."
    )


def test_without_an_rnn_the_first_model_has_its_rate():
    assert reach(model("lstm", -9.9)) == (
        "Of the error at step 100, **1 part in 10^9.9** reaches step 1 in the LSTM "
        "(×0.79 a step, halves every 3 steps)."
    )


def test_names_with_commas_are_kept_apart():
    text = reach(model("lstm:forget_bias=0", -20.6), model("lstm", 0.0))
    assert "in the LSTM, forget bias 0 (" in text
    assert "; **100 %** in the LSTM." in text


def test_a_time_below_one_step_is_not_told():
    assert reach(model("rnn", -99.0)).endswith("in the RNN (×0.10 a step).")
    assert reach(model("rnn", -0.8)).endswith("in the RNN (×0.98 a step).")


def test_zero_and_nan_have_no_rate():
    text = reach(model("rnn", -np.inf, Status.ZERO), model("gru", np.nan, Status.NAN))
    assert text == (
        "Of the error at step 100, **nothing (exactly zero)** reaches step 1 in the RNN, "
        "**no number (NaN)** in the GRU."
    )


def rule(**fields):
    base = {"label": "rnn", "sigma_max": 1.113, "threshold": 1.0, "says": "explodes",
            "refilled": False, "leaky": False, "needs": None, "shortest": False}  # fmt: skip
    return verdicts.say(Verdict("rule", {**base, **fields}))


def test_rule_of_thumb():
    start = "Largest singular value of the RNN's W_hh: **1.11**"
    assert rule(does="vanishes", right=False) == (
        f"{start}. Rule of thumb: above 1 it explodes. It vanishes: **rule wrong**."
    )
    assert rule(does="level", right=False).endswith("It stays level: **rule wrong**.")
    assert rule(does=None, right=None) == f"{start}."
    assert rule(does=None, right=None, refilled=True) == f"{start}. {REFILLED}"
    assert "W_hh: **10^11.9**." in rule(does="explodes", right=True, sigma_max=8e11)
    assert rule(does="explodes", right=True, threshold=4.0) == (
        f"{start} (the threshold is 1/γ = 4). "
        "Rule of thumb: above 4 it explodes. It explodes: **rule right**."
    )
    leaky = rule(does="vanishes", right=True, leaky=True, says="vanishes", sigma_max=0.25)
    assert leaky.startswith(
        "Largest singular value of a step of the RNN, (1 − α)I + αγW_hh: **0.25**."
    )


def test_why_it_went_so_is_said_behind_the_rule():
    why = {"weight": 1.021, "slope": 0.938, "direction": 0.6}
    told = {"does": "vanishes", "right": False, "why": why, "slope_name": "tanh"}
    assert rule(**told).endswith(
        "**rule wrong**. Per step back, the weights alone ×1.02, tanh′ ×0.94, the direction ×0.60."
    )
    assert rule(**{**told, "slope_name": "identity"}).endswith(
        "Per step back, the weights alone ×1.02, the direction ×0.60."
    )
    assert "Per step back" not in rule(**{**told, "why": None})


def test_the_rule_is_not_wrong_where_the_run_is_too_short():
    slow = {"does": "level", "right": None, "needs": 229.1, "span": 59}
    assert rule(**slow, says="vanishes", must=True, factor=0.99).endswith(
        "Below the threshold the error **must vanish**, but ×0.99 a step is too slow to be seen "
        "in 59 steps: a tenth may be left after 229."
    )
    assert "**too slow to be seen in 59 steps**: a tenth is left" in rule(
        **slow, says="vanishes", must=False, factor=0.99
    )
    assert rule(**slow, must=False, factor=1.01).endswith(
        "The rule of thumb says it explodes, but ×1.01 a step is **too slow to be seen in 59 "
        "steps**: ten times as much takes 229."
    )


def test_of_a_leak_it_is_said_what_no_step_exceeds():
    """A reader who sees a largest singular value of 0.93 is told why 30 steps do not do."""
    slow = {"does": "level", "right": None, "needs": 75.6, "span": 59, "must": True, "factor": 0.97}
    assert rule(**slow, says="vanishes", leaky=True, sigma_max=0.925).endswith(
        "No step multiplies the error with more than ×0.97, so it **must vanish**, but too slowly "
        "to be seen in 59 steps: a tenth may be left after 76."
    )


def test_sequences_of_different_lengths_are_too_short_by_the_shortest():
    slow = {"does": "level", "right": None, "needs": 75.6, "span": 1, "must": True, "factor": 0.97}
    assert rule(**slow, says="vanishes", shortest=True).endswith(
        "too slow to be seen in 1 step: a tenth may be left after 76. "
        "The steps are those of the shortest sequence."
    )


def test_where_a_theorem_is_not_seen_no_rule_is_called_wrong():
    unseen = rule(says="vanishes", does="level", right=None, must=True)
    assert unseen == "Largest singular value of the RNN's W_hh: **1.11**."


def test_spectrum_sentence():
    fields = {"label": "rnn", "gate": "a", "sigma_max": 1.11, "rho": 0.6, "measured": 0.57,
              "rest": 0.95, "alike": False, "slope_name": "tanh", "refilled": False,
              "reach_status": Status.FINITE, "whole_step": False}  # fmt: skip
    text = verdicts.say(Verdict("spectrum", fields))
    assert text == (
        "The RNN's W_hh can stretch at most **×1.11** in one step and settles to **×0.60**. "
        "Measured on this run: **×0.57** a step. The rest, **×0.95**, is tanh′ and the "
        "direction in which the error meets W_hh: it stretches some more than others."
    )
    linear = verdicts.say(Verdict("spectrum", {**fields, "slope_name": "identity"}))
    assert linear.endswith(
        "is the direction in which the error meets W_hh: it stretches some more than others."
    )
    orthogonal = {**fields, "alike": True}
    assert verdicts.say(Verdict("spectrum", orthogonal)).endswith(
        "The rest, **×0.95**, is tanh′ alone: W_hh stretches every direction alike."
    )
    leaky = verdicts.say(Verdict("spectrum", {**orthogonal, "whole_step": True}))
    assert leaky.endswith("is tanh′ alone: a step stretches every direction alike.")
    of_both = verdicts.say(Verdict("spectrum", {**orthogonal, "slope_name": "identity"}))
    assert of_both.endswith("**×0.57** a step.")
    nilpotent = verdicts.say(Verdict("spectrum", {**fields, "rho": 0.0, "rest": None}))
    assert nilpotent.endswith("settles to **×0**. Measured on this run: **×0.57** a step.")
    gated = verdicts.say(Verdict("spectrum", {**fields, "label": "gru", "gate": "z"}))
    assert gated.startswith("The GRU's W_hz can stretch")
    assert gated.endswith("Measured on this run: **×0.57** a step.")
    ended = verdicts.say(Verdict("spectrum", {**fields, "rest": None, "reach_status": Status.ZERO}))
    assert ended.endswith("**×0.57** a step, then exactly zero.")
    refilled = verdicts.say(Verdict("spectrum", {**fields, "refilled": True}))
    assert refilled.endswith("settles to **×0.60**. " + REFILLED)
    unmeasured = verdicts.say(Verdict("spectrum", {**fields, "measured": None}))
    assert unmeasured.endswith("settles to **×0.60**.")


def test_gates_sentence():
    fields = {"label": "lstm", "gate": "f", "half_life": 13.8, "share_beyond": 0.125,
              "seq_len": 100, "steps": 100, "sequences": 16, "batch_size": 16,
              "product_log10": np.log10(0.022), "true_log10": np.log10(76),
              "true_range": (np.log10(13), np.log10(263)),
              "true_status": Status.FINITE, "product_status": Status.FINITE}  # fmt: skip
    first, second = verdicts.say(Verdict("gates", fields)).split("\n")
    assert first == (
        "The median LSTM unit's forget gate keeps half for **14 steps**; **12 %** of units outlast "
        "T = 100."
    )
    one, all_but_two = (
        verdicts.say(Verdict("gates", {**fields, "share_beyond": share}))
        for share in (1 / 512, 510 / 512)
    )
    assert "**under 1 %** of units outlast" in one
    assert "**over 99 %** of units outlast" in all_but_two
    assert second == (
        "Over 100 steps, median of 16 sequences: product of forget gates **0.022** (best unit); "
        "true ∂c_T/∂c_0 **76** (best direction; 13 to 260)."
    )
    named = verdicts.say(Verdict("gates", {**fields, "label": "lstm:gain=2"}))
    assert named.startswith("The forget gate of the median unit of the LSTM, gain 2, keeps half")
    lost = {"product_log10": -np.inf, "product_status": Status.ROUNDED}
    assert "product of forget gates **0 (rounded to zero)**" in verdicts.say(
        Verdict("gates", {**fields, **lost})
    )
    some = verdicts.say(Verdict("gates", {**fields, "sequences": 2}))
    assert "Over 100 steps, median of 2 of the 16 sequences: product" in some
    one = verdicts.say(Verdict("gates", {**fields, "sequences": 1}))
    assert "Over 100 steps, first of 16 sequences: product" in one
    assert one.endswith("**76** (best direction).")
    alone = verdicts.say(Verdict("gates", {**fields, "sequences": 1, "batch_size": 1}))
    assert "Over 100 steps, the only sequence: product" in alone
    closed = {"true_log10": -np.inf, "true_status": Status.ROUNDED, "true_range": (-np.inf, -9.0)}
    text = verdicts.say(Verdict("gates", {**fields, "gate": "z", "label": "gru", **closed}))
    assert text.endswith("true ∂h_T/∂h_0 **0 (rounded to zero)** (best direction).")


def test_two_lines_for_any_set_of_models():
    trace = simple(2 * np.eye(2), last_step(20, 2))
    rnn, spectra = gradient_flow(trace, "rnn"), {"rnn": stretch(trace, "a")}
    lstm = quiet_lstm(20, 2, 0.0)
    gated, kept = gradient_flow(lstm, "lstm"), [memory(lstm, "lstm")]
    assert verdicts.gradient_words([rnn, gated], spectra, kept)[1].endswith("**rule right**.")
    splits = {"rnn": step_factors(trace, "rnn")}
    assert verdicts.gradient_words([rnn, gated], spectra, kept, splits)[1].endswith(
        "**rule right**. Per step back, the weights alone ×2.00, the direction ×1.00."
    )
    first, second = verdicts.gradient_words([gated], {}, kept)
    assert first.startswith("Of the error at step 20, **1 part in ")
    assert (
        second == "The gates of a median unit keep half of its memory for **1 step** in the LSTM."
    )
    assert len(verdicts.gradient_words([gated], {})) == 1


def test_a_refilled_total_is_not_said_to_have_travelled():
    flow = gradient_flow(simple(0.5 * np.eye(2), np.ones((20, 2, 1))), "rnn")
    assert verdicts.gradient_words([flow], {})[0] == (
        "New error enters on the way. The **total** error at step 1 is, of that at step 20, "
        "**×2** in the RNN."
    )


def test_the_second_line_warns_of_refilled_gradients():
    trace = simple(0.5 * np.eye(2), np.ones((20, 2, 1)))
    rnn, spectra = gradient_flow(trace, "rnn"), {"rnn": stretch(trace, "a")}
    assert verdicts.gradient_words([rnn], spectra)[1].endswith(REFILLED)
    assert verdicts.gradient_words([rnn], {})[1] == REFILLED
