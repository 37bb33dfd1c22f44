"""The phase diagram: slice by slice, coarse first, following every knob but its own two."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from rnnviz.analysis.phase import QUANTITIES
from rnnviz.experiment import Experiment
from rnnviz.plots.phase import SCALES
from rnnviz.views import phase
from tests.dashboard.support import (
    assert_sound,
    change,
    charts,
    knobs,
    press,
    said,
    verdict,
    visit,
    widget_key,
)

SMALL = Experiment(("rnn", "gru"), seq_len=20, hidden_size=4, batch_size=2)  # type: ignore[arg-type]
COARSE = {"view_cells": "coarse", "view_y": "memory_bias", "hidden_size": "4", "batch_size": "2",
          "seq_len": "20", "models": "rnn,gru"}  # fmt: skip


def finished(app: AppTest) -> AppTest:
    """Run slices as the browser asks for them."""
    while app.get("progress"):
        app.run()
    return app


def test_every_quantity_can_be_chosen_drawn_and_read() -> None:
    assert set(phase.QUANTITIES) == set(QUANTITIES) == set(SCALES)


@pytest.mark.parametrize("quantity", phase.QUANTITIES)
def test_the_page_stands(quantity: str) -> None:
    app = visit("phase-diagram", {**COARSE, "view_number": quantity})
    assert_sound(app)
    finished(app)
    assert_sound(app)
    assert list(charts(app)) == ["phase"]
    assert "of 35 settings in the" in verdict(app)
    assert "in the RNN" in verdict(app)


def test_a_knob_that_moves_starts_another_one_and_the_ring_moves_alone() -> None:
    app = finished(visit("phase-diagram", COARSE))
    change(app, gain=2.0)
    assert not app.get("progress")
    rings = [t for t in charts(app)["phase"]["data"] if t["type"] == "scatter"]
    assert [t["x"][0] for t in rings] == pytest.approx([4.5] * len(rings))
    change(app, distractor=0.0)
    assert app.get("progress")
    assert_sound(finished(app))


def test_cancel_stops_and_go_on_goes_on() -> None:
    app = visit("phase-diagram", {**COARSE, "view_cells": "fine", "seed": "5"})
    press(app, "Cancel")
    text = app.get("progress")[0].proto.text
    assert app.run().get("progress")[0].proto.text == text
    change(app, seed=6)
    assert app.get("progress")[0].proto.text.startswith("0 of")
    assert "Nothing is computed yet" in verdict(app)
    press(app, "Go on")
    assert not app.get("progress")[0].proto.text.startswith("0 of")


def test_nonsense_in_a_link_is_the_default() -> None:
    bad: dict[str, Any] = {
        "view_x": "nothing",
        "view_y": "gain",
        "view_cells": "9",
        "view_number": "<",
    }
    app = visit("phase-diagram", {**COARSE, **bad})
    assert_sound(app)
    shown = {widget.key: widget.value for widget in knobs(app)}
    assert shown[widget_key(app, "phase-diagram.view_x")] == "gain"
    assert shown[widget_key(app, "phase-diagram.view_y")] == "seq_len"
    assert not set(bad) & set(app.query_params)


def test_a_task_that_cannot_be_made_is_refused_with_the_reason() -> None:
    app = change(visit("phase-diagram", COARSE), task="text", text="a")
    assert "This cannot be run" in said(app)


def test_a_loss_at_every_step_is_no_proof_of_memory() -> None:
    assert "no proof of memory" in said(visit("phase-diagram", {**COARSE, "loss_at": "every"}))


@pytest.mark.trained
def test_training_is_left_out() -> None:
    app = visit("phase-diagram", {**COARSE, "train_steps": "3"})
    assert_sound(app)
    assert app.session_state["diagram"].job.experiment.train_steps == 0
