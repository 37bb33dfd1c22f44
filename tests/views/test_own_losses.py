"""Gradient flow draws single losses where one enters at every step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz import Experiment, run
from rnnviz.views import gradient_flow
from rnnviz.views.gradient_flow import Choices
from rnnviz.views.picture import Picture
from rnnviz.wording.numbers import minus

EVERY = Experiment(models=("rnn", "lstm"), hidden_size=6, seq_len=24, loss_at="every")
PLAIN = Choices()


def flow(experiment: Experiment, choices: Choices = PLAIN) -> Picture:
    view = gradient_flow.view(run(experiment), choices)
    (found,) = [p for p in gradient_flow.pictures(view) if getattr(p, "key", "") == "flow-state"]
    return found


def thin(picture: Picture) -> list[dict]:
    return [piece for piece in picture.drawing["data"] if "alone" in piece.get("name", "")]


def test_each_is_on_the_scale_of_the_whole() -> None:
    """Below the step of the first loss that is drawn, where the whole is the sum of them all."""
    view = gradient_flow.view(run(EVERY), Choices())
    rnn = view.flows[0]
    (last,) = [one for one in view.losses if (one.label, one.step) == ("rnn", 24)]
    assert last.state.log10[24] == pytest.approx(rnn.state.log10[24])  # none enters after it
    (line,) = [p for p in thin(flow(EVERY)) if "RNN, the loss at step 24" in p["name"]]
    assert float(line["y"][-1]) == pytest.approx(0, abs=1e-6)
    fallen = last.state.log10[1] - last.state.log10[24]
    assert float(line["y"][0]) == pytest.approx(fallen, abs=1e-2)
    assert fallen < rnn.state.log10[1] - rnn.state.log10[24] - 2


def test_they_are_five_a_model_and_read_so() -> None:
    picture = flow(EVERY)
    assert len(thin(picture)) == 10
    assert "old error is lost" in picture.how


def test_what_is_left_of_the_last_loss_is_written_where_its_line_ends() -> None:
    view = gradient_flow.view(run(EVERY), Choices())
    (last,) = [one for one in view.losses if (one.label, one.step) == ("rnn", 24)]
    left = last.state.log10[1] - last.state.log10[24]
    said = [note["text"] for note in flow(EVERY).drawing["layout"]["annotations"]]
    ends = [text for text in said if "loss 24" in text]
    assert len(ends) == 2
    assert any(f"loss 24: {minus(f'{left:+.1f}')}" in text for text in ends)
    six = replace(EVERY, models=("rnn", "lstm", "gru", "rnn:gain=2"))
    assert not [n for n in flow(six).drawing["layout"]["annotations"] if "loss 24" in n["text"]]


@pytest.mark.parametrize("experiment", [replace(EVERY, loss_at="last"), replace(EVERY, layers=2)])
def test_only_losses_themselves_are_drawn(experiment: Experiment) -> None:
    """Of one loss there is nothing beside the whole; of a lower layer what enters is no loss."""
    choices = Choices(layer="1") if experiment.layers == 2 else Choices()
    picture = flow(experiment, choices)
    assert not thin(picture)
    assert ("does not say that old error arrives" in picture.how) == (experiment.layers == 2)


def test_while_a_knob_is_dragged_there_are_none_and_nothing_is_said_of_them() -> None:
    picture = flow(EVERY, Choices(coarse=True))
    assert not thin(picture)
    assert "level curve does not say" in picture.how
    assert np.isfinite(gradient_flow.view(run(EVERY), Choices(coarse=True)).flows[0].reach_log10)
