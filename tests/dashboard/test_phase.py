"""The phase diagram: slice by slice, coarse first, following every knob but its own two."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from rnnviz.analysis.phase import QUANTITIES, CellStatus
from rnnviz.dashboard.diagram import RANGES, SIZES, Diagram, Visit, make_axis
from rnnviz.dashboard.pages import phase
from rnnviz.experiment import FIELDS, Experiment
from rnnviz.plots.phase import SCALES
from tests.dashboard.support import (
    assert_sound,
    change,
    charts,
    knobs,
    press,
    said,
    verdict,
    visit,
)

SMALL = Experiment(("rnn", "gru"), seq_len=20, hidden_size=4, batch_size=2)  # type: ignore[arg-type]
COARSE = {"view_cells": "coarse", "view_y": "memory_bias", "hidden_size": "4", "batch_size": "2",
          "seq_len": "20", "models": "rnn,gru"}  # fmt: skip


def diagram(experiment: Experiment = SMALL, x: str = "gain", y: str = "memory_bias") -> Diagram:
    return Diagram(experiment, make_axis(x, 7), make_axis(y, 5))


def finished(app: AppTest) -> AppTest:
    """Run slices as the browser asks for them."""
    while app.get("progress"):
        app.run()
    return app


def test_a_slice_ends_when_its_time_is_up() -> None:
    ticks = count()
    d = diagram()
    d.advance(3.0, lambda: float(next(ticks)))
    assert (d.done, len(d.results), d.total) == (3, 3, 70)
    d.advance(0.0, lambda: 0.0)
    assert d.done == 4
    while not d.finished:
        d.advance()
    assert {(r.at, r.model) for r in d.results} == {
        ((("gain", x), ("memory_bias", y)), model)
        for x in d.x.values for y in d.y.values for model in ("rnn", "gru")
    }  # fmt: skip
    assert len(d.results) == d.total


def test_the_corners_of_the_coarse_grid_come_first() -> None:
    d = diagram(replace(SMALL, models=("rnn",)))  # type: ignore[arg-type]
    ticks = count()
    d.advance(4.0, lambda: float(next(ticks)))
    done = np.argwhere(d.grids("slope")[0].cells == CellStatus.NUMBER)
    assert done.tolist() == [[0, 0], [0, 4], [4, 0], [4, 4]]


def test_equal_parameter_counts_are_measured_together() -> None:
    d = diagram(replace(SMALL, match="parameters"))
    d.advance(0.0)
    assert [r.model for r in d.results] == ["rnn", "gru"]
    assert (d.done, d.total) == (1, 35)


def test_a_picture_is_drawn_anew_after_a_while_or_at_the_end() -> None:
    d, made = diagram(), count()

    def picture(of: str, now: float) -> int:
        return d.picture(of, lambda: next(made), lambda: now)

    d.advance(0.0)
    assert [picture("slope", 100.0), picture("slope", 100.01), picture("slope", 101.0)] == [0, 0, 1]
    assert picture("reach", 101.0) == 2
    d.advance(60.0)
    assert d.finished
    assert picture("reach", 101.0) == 3


def test_a_diagram_is_kept_until_another_knob_moves() -> None:
    seen, axes = Visit(), (make_axis("gain", 7), make_axis("memory_bias", 5))
    first = seen.follow(SMALL, *axes)
    assert seen.follow(replace(SMALL, gain=2.0, memory_bias=0.0), *axes) is first
    assert seen.follow(replace(SMALL, seed=1), *axes) is not first
    other = seen.follow(SMALL, axes[0], make_axis("distractor", 5))
    assert other is not first
    assert other.results == []


@pytest.mark.parametrize("name", RANGES)
def test_every_knob_makes_an_axis(name: str) -> None:
    known = FIELDS[name]
    for number in {n for size in SIZES.values() for n in size}:
        axis = make_axis(name, number)
        assert list(axis.values) == sorted(set(axis.values))
        assert (axis.values[0], axis.values[-1]) == RANGES[name]
        assert len(axis.values) == number or known.kind == "int"
        for value in axis.values:
            assert known.check(name, value) == value


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
    assert shown["phase-diagram.view_x.widget"] == "gain"
    assert shown["phase-diagram.view_y.widget"] == "seq_len"
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
    assert app.session_state["diagram"].diagram.experiment.train_steps == 0
