"""What Gradient flow says where models differ in how error comes to them, and where none does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnnviz import Experiment, run
from rnnviz.core.network import NetworkTrace
from rnnviz.experiment import Run
from rnnviz.views.gradient_flow import Choices, View, pictures, quantity_picture, view
from rnnviz.wording.texts import speak_in


def first(**changes: Any) -> View:
    """Layer 1 of an experiment."""
    return view(run(Experiment(**changes)), Choices(layer="1"))


def norms(network: NetworkTrace, layer: int = 0) -> Any:
    """‖∂L/∂h_t‖, t = 0..T, RMS over the batch."""
    trace = network.layers[layer][0]
    d_h = trace.d_h * 2.0**trace.d_log2
    return np.sqrt((d_h**2).sum(axis=1).mean(axis=-1))


NO_INPUT = {"models": ("rnn",), "layers": 2, "input_scale": 0.0, "seq_len": 20, "hidden_size": 8}


def test_where_no_error_arrives_nothing_has_vanished_and_no_rule_is_judged() -> None:
    shown = first(**NO_INPUT)
    text = " ".join(shown.verdict)
    assert shown.verdict[0] == "**No error** arrives in the RNN · layer 1."
    assert "rule" not in text.partition("Rule of thumb")[2]
    assert not any("layer above" in each for each in shown.warnings)
    top = view(run(Experiment(**{**NO_INPUT, "layers": 1, "input_scale": 1.0})))
    assert "No error" not in " ".join(top.verdict)
    chinese = speak_in("zh", lambda: first(**NO_INPUT))
    assert chinese.verdict[0] == "RNN · 第 1 层 中**没有误差**到达。"


REFILLED_BESIDE = {"models": ("rnn", "gru:layers=2"), "task": "sentiment", "gain": 3.0,
                   "hidden_size": 8, "batch_size": 3, "seed": 22, "seq_len": 20}  # fmt: skip


def test_one_that_counts_from_its_own_ends_is_not_ranked_with_totals() -> None:
    said = first(**REFILLED_BESIDE).verdict[0]
    own, _, total = said.partition(". In others new error enters on the way: the **total** error ")
    assert own.startswith("From its own end to step 1 the error grows, in sequences of different")
    assert "RNN" in own
    assert "GRU" not in own
    assert "in the GRU, 2 layers · layer 1" in total
    assert "RNN" not in total


LATE = {"models": ("lstm", "rnn:activation=relu"), "layers": 2, "loss_at": "every", "seq_len": 20,
        "hidden_size": 2, "batch_size": 1, "seed": 11}  # fmt: skip


def test_a_total_is_of_the_step_at_which_the_model_s_own_last_error_enters() -> None:
    made = run(Experiment(**LATE))
    rnn = norms(made["rnn:activation=relu"])
    assert rnn[20] == rnn[19] == 0 < rnn[18]
    said = first(**LATE).verdict[0]
    assert (
        f"**×{rnn[1] / rnn[18]:.2g}** in the RNN, activation ReLU · layer 1 (of that at step 18)"
        in said
    )


APART = {"models": ("rnn",), "task": "words", "gain": 16.0, "hidden_size": 16, "batch_size": 16,
         "seed": 1, "seq_len": 20}  # fmt: skip


def test_where_most_sequences_lose_what_a_few_gain_no_rule_is_judged() -> None:
    shown: Run = run(Experiment(**APART))
    trace = shown["rnn"].layers[0][0]
    assert trace.lengths is not None
    each = np.linalg.norm(trace.d_h * 2.0**trace.d_log2, axis=1)
    ends = each[trace.lengths, np.arange(16)]
    ratio = np.sqrt((each[1] ** 2).mean() / (ends**2).mean())
    mean = np.exp(np.log(each[1] / ends).sum() / (trace.lengths - 1).sum())
    assert mean < 0.8 < 30 < ratio
    verdict = view(shown).verdict
    assert (
        f"the error grows, in sequences of different lengths: **×{ratio:.0f}** in the RNN"
        in verdict[0]
    )
    assert f"(×{mean:.2f} a step in the geometric mean of the sequences)" in verdict[0]
    assert "halves" not in verdict[0]
    assert "rule wrong" not in " ".join(verdict)
    assert "rule right" not in " ".join(verdict)


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_alternative_text_names_the_step_that_curves_are_relative_to(direction: str) -> None:
    experiment = Experiment(models=("rnn:bidirectional=yes",), hidden_size=4, seq_len=9)
    shown = view(run(experiment), Choices(direction=direction))
    step = 1 if shown.backward else 9
    assert f"relative to step {step}," in quantity_picture(shown, "h").alt
    assert shown.backward == (direction == "backward")


def test_more_that_arrives_than_was_sent_is_not_lost_in_one_step() -> None:
    grown = view(run(Experiment(models=("lstm:variant=niaf",), gain=16.0, seq_len=1000,
                                hidden_size=8, memory_bias=10.0, batch_size=2)))  # fmt: skip
    assert "the error grows" in grown.verdict[0]
    assert "lost in one step" not in grown.verdict[0]


def test_thin_lines_of_lower_layers_are_told_from_single_losses() -> None:
    for layers, said in ((1, "Thin: single losses, each alone. Thin ones that fall"),
                         (2, "and the lower layers, named at their ends")):  # fmt: skip
        shown = view(run(Experiment(models=("rnn",), layers=layers, loss_at="every", seq_len=20,
                                    hidden_size=6)), Choices(layer="all"))  # fmt: skip
        assert bool(shown.behind) == (layers == 2)
        (curves,) = (each for each in pictures(shown) if each.key == "flow-state")
        assert said in curves.how  # type: ignore[union-attr]
