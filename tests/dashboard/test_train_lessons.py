"""A lesson shows nothing of the one before, and offers nothing that would do nothing."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from rnnviz import Experiment
from rnnviz.dashboard import jobs
from rnnviz.experiment.lessons import LESSONS
from rnnviz.views import influence
from rnnviz.wording.texts import texts
from tests.dashboard.support import change, charts, press, verdict, visit, walk, widget_key
from tests.dashboard.training_support import (
    SMALL,
    WILD,
    choose,
    labels,
    prepared,
    revisions,
    scrubber,
    tick,
    training,
    words,
)

pytestmark = pytest.mark.trained

BUTTONS = ("train_play", "train_step", "train_ten", "train_reset", "train_reseed")


def disabled(app: AppTest) -> dict[str, str]:
    """The buttons that are disabled, and what they say of it."""
    return {key: app.button(key=key).help for key in BUTTONS if app.button(key=key).disabled}


def headline(app: AppTest) -> str:
    """The line above the loss, without its colours."""
    return re.sub("<.*?>", "", charts(app)["loss"]["layout"]["annotations"][0]["text"])


def test_play_and_pause_are_one_button() -> None:
    app = visit("train", SMALL)
    before = app.button(key="train_play").proto.id
    for shown in ("Pause", "Play", "Pause"):
        app = app.button(key="train_play").click().run()
        assert [label for label in labels(app) if label in ("Play", "Pause")] == [shown]
        assert app.button(key="train_play").proto.id == before


@pytest.mark.usefixtures("_short_slices")
@pytest.mark.parametrize("lesson", LESSONS)
def test_in_a_lesson_no_preset_is_claimed(lesson: str) -> None:
    app = visit("train")
    assert app.selectbox(key=widget_key(app, "preset")).value
    choose(app, lesson)
    assert app.selectbox(key=widget_key(app, "preset")).value is None
    assert texts("lessons")[lesson] in words(app)


def test_the_clipping_pair_is_one_click_and_the_next_lesson_clears_its_ghosts_and_axes() -> None:
    app = prepared(choose(visit("train"), "clipping"))
    assert "earlier run 2 RNN" in [line["name"] for line in charts(app)["loss"]["data"]]
    assert verdict(app).startswith(("After", "Before"))
    (first,) = app.session_state["training"].runs
    assert (first.updates, first.experiment.clip) == (600, "none")
    assert training(app).goal == 600
    assert training(app).experiment == replace(first.experiment, clip="norm", clip_at=1.0)
    assert "run 2 RNN" in headline(app)
    app = choose(press(app, "Pause"), "closed")
    names = [line["name"] for line in charts(app)["loss"]["data"]]
    assert not any("earlier" in name for name in names)
    assert "run" not in headline(app)
    assert charts(app)["loss"]["layout"]["xaxis"]["range"][1] < 100
    app = press(app, "Pause")  # now the list of runs is there again
    assert app.button_group(key=widget_key(app, "train_ghosts")).value == []
    assert not any("earlier" in line["name"] for line in charts(app)["loss"]["data"])


def test_a_lesson_s_list_names_no_lesson_once_a_knob_has_moved() -> None:
    app = change(press(choose(visit("train"), "quick"), "Pause"), gain=2.0)
    assert "New initial weights: Gain 1 → 2." in words(app)
    assert app.run().selectbox(key=widget_key(app, "train_lesson")).value is None


def test_the_first_run_of_a_lesson_is_done_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "AHEAD", jobs.Pace(0.02, 0.0))  # however fast this machine is
    app = choose(visit("train"), "clipping")
    ahead = app.session_state["training"].ahead
    assert ahead.job.updates < 600
    assert verdict(app).startswith("First the run to compare with, in grey:")
    assert "of 600 training steps" in verdict(app)
    assert training(app).updates == 0
    before = ahead.job.updates
    tick(app)
    assert ahead.job.updates > before
    assert f"earlier run {ahead.job.number} RNN" in [t["name"] for t in charts(app)["loss"]["data"]]
    paused = press(app, "Pause")
    before = ahead.job.updates
    tick(paused)
    assert ahead.job.updates == before
    tick(press(paused, "Play"))
    assert ahead.job.updates > before


@pytest.mark.usefixtures("_short_slices")
def test_a_knob_ends_what_a_lesson_prepares() -> None:
    app = choose(visit("train"), "clipping")
    assert app.session_state["training"].ahead.job is not None
    change(app, gain=1.0)
    assert app.session_state["training"].ahead.job is None
    assert "First the run" not in verdict(app)


def test_where_nothing_would_happen_the_controls_are_disabled_and_say_why() -> None:
    app = choose(visit("train", SMALL), "influence")
    assert disabled(app) == dict.fromkeys(BUTTONS, texts("train")["idle_influence"])
    assert app.button_group(key=widget_key(app, "train_speed")).disabled
    app = choose(app, "quick")
    assert set(disabled(app)) == {"train_step", "train_ten"}  # while it plays


def test_what_is_refused_cannot_be_played() -> None:
    app = visit("train", Experiment(seq_len=2000, hidden_size=256, batch_size=4))
    assert disabled(app) == dict.fromkeys(BUTTONS, texts("train")["idle_refused"])


def test_at_the_initial_weights_there_is_nothing_to_reset() -> None:
    app = visit("train", SMALL)
    assert disabled(app) == {"train_reset": texts("train")["idle_reset"]}
    assert disabled(press(app, "+1")) == {}


def test_where_every_model_has_stopped_there_is_nothing_to_play() -> None:
    app = press(visit("train", replace(WILD, models=("rnn",))), "+10")
    stopped = dict.fromkeys(BUTTONS[:3], texts("train")["idle_stopped"])
    assert disabled(app) == stopped


def test_while_it_plays_step_and_losses_are_said_once() -> None:
    app = tick(press(visit("train", SMALL), "Play"))
    assert re.match(r"After \d+ steps?: training loss", verdict(app))
    assert headline(app).split() == ["RNN", "LSTM"]
    assert len(scrubber(app)["steps"]) == 1


def test_one_number_for_one_thing() -> None:
    app = press(press(visit("train", SMALL), "+10"), "+10")
    losses = dict(re.findall(r"(RNN|LSTM) ([\d.]+)", verdict(app)))
    assert dict(re.findall(r"(RNN|LSTM) ([\d.]+)", headline(app))) == losses
    said = scrubber(app)
    assert {each["name"]: each["losses"][-1] for each in said["series"]} == losses
    assert verdict(app).startswith(f"After {said['steps'][-1]} steps:")


def test_ghosts_are_named_in_the_figure() -> None:
    app = press(change(press(visit("train", SMALL), "+10"), gain=2.0), "+10")
    app = app.button_group(key=widget_key(app, "train_ghosts")).set_value([1]).run()
    assert "run 1 RNN   run 1 LSTM" in headline(app)
    assert any("run 1 RNN" in text for text in walk(charts(app)["loss"]["layout"]))


@pytest.mark.parametrize("task", ["delayed_recall", "words", "captioning", "digit_rows"])
def test_every_figure_is_of_the_run_that_the_page_shows(task: str) -> None:
    """The page hides what is of another one."""
    app = press(visit("train", replace(SMALL, task=task, loss_at="every")), "+1")
    shown = revisions(app)
    assert set(shown.values()) == {training(app).zoom} != {0}
    assert ("written" in shown) == (task in ("words", "captioning"))
    assert ("digits" in shown) == (task in ("digit_rows", "captioning"))
    assert set(revisions(choose(app, "influence")).values()) == {influence.REVISION}
