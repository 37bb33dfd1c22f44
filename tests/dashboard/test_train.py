"""The Train page without a browser: play, steps, runs, lessons, links, what went wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from rnnviz import Experiment, from_query
from rnnviz.dashboard import runs_table
from rnnviz.dashboard.lessons import LESSONS
from rnnviz.dashboard.trainees import Training, begin
from rnnviz.dashboard.training import Visit, changes, kept
from rnnviz.experiment.training import params_after
from tests.dashboard.support import (
    assert_sound,
    change,
    charts,
    experiment,
    go_to,
    numbers,
    press,
    said,
    same,
    verdict,
    visit,
)

SMALL = Experiment(models=("rnn", "lstm"), seq_len=8, hidden_size=4, batch_size=4)
WILD = replace(SMALL, models=("rnn", "gru"), activation="identity", optimizer="sgd",
               learning_rate=10.0, gain=16.0, distractor=10.0)  # fmt: skip
ABOVE, BELOW = ("loss", "state-maps"), ("profile", "norms", "spectra-course", "gate-course")


def training(app: AppTest) -> Training:
    return app.session_state["training"].training


def tick(app: AppTest) -> AppTest:
    """What the browser does while training plays: ask for the next slice."""
    app.session_state["training"].due = app.session_state["training"].playing
    return app.run()


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def click(app: AppTest, key: str) -> AppTest:
    return app.button(key=key).click().run()


def scrubber(app: AppTest) -> dict[str, Any]:
    """What the scrubber was told."""
    found = [e for e in app.get("bidi_component") if e.proto.component_name == "rnnviz_scrubber"]
    return json.loads(found[0].proto.bytes)


def tracks(app: AppTest) -> dict[str, int]:
    """Chart -> how many tracks it was sent."""
    found = [e for e in app.get("bidi_component") if e.proto.component_name == "rnnviz_chart"]
    sent = [json.loads(element.proto.bytes) for element in found]
    return {each["options"]["key"]: len(each["tracks"]) for each in sent}


def test_the_page_opens_with_untrained_networks() -> None:
    app = visit("train", SMALL)
    assert_sound(app)
    assert verdict(app).startswith("Before training: loss")
    assert "Baseline: a guess among 8 symbols" in verdict(app)
    assert set(charts(app)) == {*ABOVE, *BELOW}
    assert scrubber(app)["steps"] == [0]


def test_a_step_is_one_and_ten_are_ten() -> None:
    app = press(visit("train", SMALL), "+1")
    assert verdict(app).startswith("After 1 step:")
    app = press(app, "+10")
    assert verdict(app).startswith("After 11 steps")
    assert scrubber(app)["steps"] == list(range(12))
    assert len(numbers(charts(app)["loss"])[1]) == 12


def test_play_goes_on_at_every_tick_until_pause() -> None:
    app = press(visit("train", SMALL), "Play")
    before = training(app).updates
    tick(app)
    assert training(app).updates > before
    assert scrubber(app)["playing"]
    assert len(scrubber(app)["steps"]) == 1  # while it plays there is nothing to scrub
    app = press(app, "Pause")
    before = training(app).updates
    tick(app)
    assert training(app).updates == before
    assert len({t.state.step for t in training(app).trainees.values()}) == 1


def test_a_scrub_needs_no_server() -> None:
    app = press(visit("train", SMALL), "+10")
    assert tracks(app)["profile"] == tracks(app)["gate-course"] == 2
    assert tracks(press(app, "Play"))["profile"] == 0


def test_reset_goes_back_to_the_same_initial_weights() -> None:
    app = press(visit("train", SMALL), "+10")
    first = numbers(charts(app)["loss"])[1]
    app = click(app, "train_reset")
    assert verdict(app).startswith("Before training")
    app = press(app, "+10")
    assert np.array_equal(numbers(charts(app)["loss"])[1], first)


def test_reseed_draws_others() -> None:
    app = press(visit("train", SMALL), "+10")
    first = numbers(charts(app)["loss"])[1]
    app = click(app, "train_reseed")
    assert experiment(app).seed == 1
    assert verdict(app).startswith("Before training")
    assert numbers(charts(app)["loss"])[1][0] != first[0]


def test_a_knob_starts_again_and_says_so() -> None:
    app = press(visit("train", SMALL), "+10")
    app = change(app, gain=2.0)
    assert verdict(app).startswith("Before training")
    assert "New initial weights: Gain 1 → 2." in words(app)
    assert training(app).experiment.gain == 2.0


def test_what_trains_differently_starts_again_too() -> None:
    app = press(visit("train", SMALL), "+10")
    app = change(app, optimizer="sgd", learning_rate=0.1)
    assert "Optimizer adam → sgd" in words(app)
    assert training(app).updates == 1


def test_turning_the_page_does_not_lose_the_run() -> None:
    app = press(visit("train", SMALL), "+10")
    app = go_to(go_to(app, "gates"), "train")
    assert verdict(app).startswith("After 10 steps")


def test_divergence_is_named_and_two_ways_out_are_offered() -> None:
    app = press(visit("train", WILD), "+10")
    assert_sound(app)
    assert "at training step" in verdict(app)
    assert "is kept" in verdict(app)
    broken = next(t for t in training(app).trainees.values() if t.event)
    assert all(np.isfinite(p).all() for p in broken.state.params.values())
    app = press(app, "Clip at norm 1")
    assert (experiment(app).clip, experiment(app).clip_at) == ("norm", 1.0)
    assert training(app).experiment.clip == "norm"


def test_the_other_way_out_is_a_smaller_rate() -> None:
    app = press(press(visit("train", WILD), "+10"), "A tenth of the learning rate")
    assert experiment(app).learning_rate == pytest.approx(1.0)


def test_earlier_runs_are_in_the_table_and_can_be_drawn_in_grey() -> None:
    app = change(press(visit("train", SMALL), "+10"), gain=2.0)
    app = press(app, "+10")
    assert len(app.session_state["training"].runs) == 1
    drawn = len(charts(app)["loss"]["data"])
    app = change(app, train_ghosts=[1])
    names = [trace["name"] for trace in charts(app)["loss"]["data"]]
    assert len(names) > drawn
    assert any("run 1" in name for name in names)
    assert "Gain 1 → 2" in " ".join(e.proto.body for e in app.get("html"))


def test_a_run_that_got_nowhere_is_not_kept() -> None:
    app = change(press(visit("train", SMALL), "+1"), gain=2.0)
    assert app.session_state["training"].runs == []


def ended(updates: int = 12) -> Any:
    run = begin(SMALL)
    run.advance(updates - 1, seconds=60)
    return run


def test_a_kept_run_can_be_taken_away() -> None:
    run = kept(ended())
    frame = runs_table.curves_frame([run])
    assert list(frame["step"]) == [*range(12)] * 2
    (sent,) = json.loads(runs_table.as_json([run]))
    assert sent["experiment"]["seq_len"] == 8
    assert sent["models"][1]["label"] == "lstm"
    assert len(sent["models"][0]["loss_per_answer"]) == 12


def test_a_link_repeats_a_run_to_the_bit() -> None:
    run = ended()
    query = dict(parse_qsl(runs_table.link_of(kept(run))))
    asked, messages = from_query(query)
    assert messages == ()
    assert asked == replace(SMALL, train_steps=12)
    for label, trainee in run.trainees.items():
        again = params_after(asked, label, 12)
        assert all(np.array_equal(again[n], p) for n, p in trainee.state.params.items())


def test_a_link_with_training_steps_plays_up_to_there() -> None:
    app = visit("train", replace(SMALL, train_steps=30))
    for _ in range(50):
        if "Play" in labels(app):
            break
        tick(app)
    assert training(app).updates == 30
    assert "Play" in labels(app)


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


@pytest.mark.parametrize("name", [n for n, lesson in LESSONS.items() if not lesson.influence])
def test_a_lesson_sets_its_experiment_and_plays(name: str) -> None:
    app = choose(visit("train", replace(SMALL, seed=5)), name)
    assert_sound(app)
    assert experiment(app) == LESSONS[name].experiment(5)
    assert app.session_state["training"].playing
    assert LESSONS[name].sentence in words(app)


def test_the_clipping_pair_is_one_click() -> None:
    app = choose(visit("train"), "clipping")
    names = [trace["name"] for trace in charts(app)["loss"]["data"]]
    assert "earlier run 2 RNN" in names
    (first,) = app.session_state["training"].runs
    assert (first.updates, first.experiment.clip) == (600, "none")
    assert training(app).goal == 600
    assert training(app).experiment == replace(first.experiment, clip="norm", clip_at=1.0)


def test_the_wrong_way_truncation_is_one_click() -> None:
    app = choose(visit("train", SMALL), "influence")
    assert_sound(app)
    assert set(charts(app)) == {"influence", "influence-runs"}
    assert "−6" in verdict(app)
    assert "+0.57 at K = 40 and −0.22 at K = 41" in verdict(app)


def test_what_would_take_too_long_is_refused_with_the_reason() -> None:
    app = visit("train", Experiment(seq_len=1000, hidden_size=128))
    assert not charts(app)
    assert "One training step" in said(app)


@pytest.mark.parametrize(
    "changed",
    [
        {"task": "adding"},
        {"task": "text", "text": "to be or not to be"},
        {"loss_at": "every"},
        {"window": 3},
        {"models": ("rnn:activation=relu", "lstm:variant=peepholes", "gru:variant=reset_before")},
        {"layers": 2, "bidirectional": "yes"},
        {"skip": 3},
        {"dtype": "float32"},
        {"seq_len": 2, "hidden_size": 1, "batch_size": 1},
    ],
    ids=str,
)
def test_the_page_stands_whatever_is_trained(changed: dict[str, Any]) -> None:
    app = press(visit("train", replace(SMALL, **changed)), "+10")
    assert_sound(app)
    assert "10 steps" in verdict(app)
    assert set(charts(app)) - {"written"} == {*ABOVE, *BELOW}


def test_a_text_is_written_while_it_is_learned() -> None:
    app = visit("train", replace(SMALL, task="text", text="<b>to be</b> or not to be"))
    assert "What each network writes" in words(app)
    written = {row["name"]: row["text"][0] for row in charts(app)["written"]["data"]}
    assert set(written) == {"RNN", "LSTM"}
    assert all("<" not in text.replace("<br>", "") for text in written.values())


def test_a_network_that_reads_backwards_writes_nothing() -> None:
    wide = replace(SMALL, task="text", text="to be or not to be", bidirectional="yes")
    assert "written" not in charts(visit("train", wide))


@pytest.mark.parametrize("task", ["digit_rows", "digit_pixels"])
def test_digits_are_shown_with_the_answers(task: str) -> None:
    app = visit("train", replace(SMALL, task=task))
    figure = charts(app)["digits"]
    assert [len(row["text"]) for row in figure["data"][1:]] == [10, 10]
    assert np.isfinite(figure["data"][0]["z"]).sum() == 10 * 64


def test_models_that_are_behind_catch_up() -> None:
    run = begin(SMALL)
    run.advance(seconds=0.0)
    assert sorted(t.state.step for t in run.trainees.values()) == [1, 2]
    run.level()
    assert [t.state.step for t in run.trainees.values()] == [2, 2]


def test_a_slice_ends_when_its_time_is_up() -> None:
    run, now = begin(SMALL), iter(range(100))
    run.advance(seconds=5, clock=lambda: next(now))
    assert sum(t.state.step for t in run.trainees.values()) == 2 + 5


def test_a_visit_keeps_the_last_dozen_runs() -> None:
    seen = Visit()
    for seed in range(14):
        seen.begin(replace(SMALL, seed=seed)).advance(10, seconds=60)
    assert [run.experiment.seed for run in seen.runs] == list(range(1, 13))


def test_changes_are_told_in_words() -> None:
    assert changes(SMALL, replace(SMALL, models=("gru",))) == "Models rnn, lstm → gru"
    many = replace(SMALL, gain=2.0, seed=3, init="identity", seq_len=9)
    assert changes(SMALL, many).endswith("…")


def choose(app: AppTest, lesson: str) -> AppTest:
    return app.selectbox(key="train_lesson").select(lesson).run()


def words(app: AppTest) -> str:
    """All small print of the page."""
    bodies = " ".join(element.proto.body for element in app.get("html"))
    return bodies.replace("<b>", "").replace("</b>", "").replace("&#x27;", "'")
