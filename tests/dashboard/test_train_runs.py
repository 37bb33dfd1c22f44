"""Runs are kept, linked, and shown on other pages; lessons are one click."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from rnnviz import from_query
from rnnviz.dashboard import runs_table
from rnnviz.dashboard.training import kept
from rnnviz.experiment import plan
from rnnviz.experiment.lessons import LESSONS
from rnnviz.experiment.runs import params_after
from rnnviz.jobs.training import advance, begin
from rnnviz.wording.texts import speak_in, texts
from tests.dashboard.support import (
    assert_sound,
    change,
    charts,
    experiment,
    go_to,
    press,
    same,
    verdict,
    visit,
    walk,
    widget_key,
)
from tests.dashboard.training_support import (
    SMALL,
    choose,
    labels,
    tick,
    training,
    words,
)

pytestmark = pytest.mark.trained


def test_earlier_runs_are_in_the_table_and_can_be_drawn_in_grey() -> None:
    app = change(press(visit("train", SMALL), "+10"), gain=2.0)
    app = press(app, "+10")
    assert len(app.session_state["training"].runs) == 1
    drawn = len(charts(app)["loss"]["data"])
    app = app.button_group(key=widget_key(app, "train_ghosts")).set_value([1]).run()
    names = [trace["name"] for trace in charts(app)["loss"]["data"]]
    assert len(names) > drawn
    assert any("run 1" in name for name in names)
    assert "run 1 RNN" in " ".join(walk(charts(app)["loss"]["layout"]))
    assert "Gain 1 → 2" in " ".join(e.proto.body for e in app.get("html"))


def test_a_run_that_got_nowhere_is_not_kept() -> None:
    app = change(press(visit("train", SMALL), "+1"), gain=2.0)
    assert app.session_state["training"].runs == []


def steps_of_runs(app: AppTest) -> list[int]:
    """The training steps in the table of runs, a row a model."""
    bodies = [e.proto.body for e in app.get("html") if "<th>training steps</th>" in e.proto.body]
    rows = re.findall(r"<tr><td>(.*?)</tr>", bodies[0]) if bodies else []
    return [int(row.split("</td><td>")[2]) for row in rows]


def test_the_table_of_runs_says_what_it_lists() -> None:
    app = visit("train", SMALL)
    assert steps_of_runs(app) == []
    app = press(app, "+1")
    assert steps_of_runs(app) == [1, 1]
    assert "Choose" not in words(app)
    assert "This run. It stays in the table" in words(app)
    app = change(press(app, "+10"), gain=2.0)
    assert steps_of_runs(app) == [11, 11]
    assert "earlier runs of this visit with at least 10 training steps. Choose" in words(app)
    app = press(app, "+1")
    assert steps_of_runs(app) == [11, 11, 1, 1]
    assert "at least 10 training steps, then this one. Choose earlier ones" in words(app)


def ended(updates: int = 12) -> Any:
    run, _ = advance(begin(plan(SMALL)), 60, updates)
    return run


def test_a_kept_run_can_be_taken_away() -> None:
    run = kept(ended())
    frame = runs_table.curves_frame([run])
    assert list(frame["step"]) == [*range(13)] * 2
    (sent,) = json.loads(runs_table.as_json([run]))
    assert sent["experiment"]["seq_len"] == 8
    assert sent["models"][1]["label"] == "lstm"
    assert len(sent["models"][0]["loss_per_answer"]) == 13


def test_held_out_numbers_go_with_it() -> None:
    """All of them, though of a long run only some of the recorded steps are kept."""
    experiment = replace(SMALL, models=("rnn",), task="digit_rows", batch_size=64)
    run = kept(advance(begin(plan(experiment)), 60, 275)[0])
    frame = runs_table.curves_frame([run])
    asked = frame[frame["held_out_loss"].notna()]
    assert list(asked["step"]) == list(range(10, 271, 10))
    assert asked["held_out_metric"].between(0, 1).all()
    (model,) = json.loads(runs_table.as_json([run]))[0]["models"]
    assert [v for v in model["held_out_loss"] if v is not None] == list(asked["held_out_loss"])
    assert len(model["held_out_loss"]) == len(model["steps"]) < 276


def test_a_link_repeats_a_run_to_the_bit() -> None:
    run = ended()
    query = dict(parse_qsl(runs_table.link_of(kept(run))))
    asked, messages = from_query(query)
    assert messages == ()
    assert asked == replace(SMALL, train_steps=12)
    for label in run.trainees:
        again = params_after(asked, label, 12)
        assert all(np.array_equal(again[n], p) for n, p in run.params_at(label, 12).items())


def test_what_ended_a_run_is_said_in_the_table_in_the_language() -> None:
    run, event = kept(ended()), "W_hy after the update is -inf at [0, 0] at training step 3"
    over = replace(run, courses=tuple(replace(one, event=event) for one in run.courses))

    def column() -> set[str]:
        return set(runs_table.frame([over])[texts("train")["column_ended"]])

    assert column() == {"W_hy after the update is −∞ at [0, 0] at training step 3"}
    assert speak_in("zh", column) == {"在训练步 3，更新之后的 W_hy 在 [0, 0] 处为 −∞"}
    assert set(runs_table.frame([run])[texts("train")["column_ended"]]) == {""}


def test_a_run_that_no_link_can_ask_for_has_none() -> None:
    run, most = kept(ended()), 20_000
    asked, messages = from_query(dict(parse_qsl(runs_table.link_of(replace(run, updates=most)))))
    assert (asked.train_steps, messages) == (most, ())
    assert runs_table.link_of(replace(run, updates=most + 1)) == ""


def test_a_link_with_training_steps_plays_up_to_there() -> None:
    app = played(visit("train", replace(SMALL, train_steps=30)))
    assert training(app).updates == 30
    assert verdict(app).startswith("After 30 steps")
    assert "Play" in labels(app)


def played(app: AppTest) -> AppTest:
    """Once it has paused by itself."""
    for _ in range(50):
        if "Play" in labels(app):
            break
        tick(app)
    return app


def test_so_does_going_back_to_it_from_a_knob_that_was_moved() -> None:
    app = change(played(visit("train", replace(SMALL, train_steps=3))), gain=2.0)
    assert (training(app).updates, experiment(app).train_steps) == (0, 0)
    app = played(change(app, gain=SMALL.gain, train_steps=3))
    assert (training(app).updates, experiment(app).train_steps) == (3, 3)


def test_other_pages_show_the_trained_network_and_lead_back() -> None:
    app = press(visit("train", SMALL), "+10")
    untrained = charts(visit(query=SMALL))["flow-state"]
    fresh = charts(visit(query=replace(SMALL, train_steps=9)))["flow-state"]
    app = go_to(change(app, train_steps=9), "gradient-flow")
    shown = charts(app)["flow-state"]
    assert "After 9 training steps." in words(app)
    assert same(shown, fresh)
    assert not same(shown, untrained)
    app = press(app, "Back to the initial weights")
    assert same(charts(app)["flow-state"], untrained)


def test_a_knob_on_another_page_shows_initial_weights_again() -> None:
    app = change(visit(query=replace(SMALL, train_steps=3)), gain=2.0)
    assert experiment(app) == replace(SMALL, gain=2.0)
    assert "training steps" not in words(app)


@pytest.mark.usefixtures("_short_slices")
@pytest.mark.parametrize("name", [n for n, lesson in LESSONS.items() if not lesson.influence])
def test_a_lesson_sets_its_experiment_and_plays(name: str) -> None:
    app = choose(visit("train", replace(SMALL, seed=5)), name)
    assert set(charts(app)) >= {"loss", "state-maps"}
    assert experiment(app) == LESSONS[name].experiment(5)
    assert app.session_state["training"].playing
    assert texts("lessons")[name] in words(app)


def test_the_wrong_way_truncation_is_one_click() -> None:
    app = choose(visit("train", SMALL), "influence")
    assert_sound(app)
    assert set(charts(app)) == {"influence", "influence-runs"}
    assert "−6" in verdict(app)
    assert "+0.57 at K = 40 and −0.22 at K = 41" in verdict(app)
