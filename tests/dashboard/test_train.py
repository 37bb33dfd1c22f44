"""The Train page without a browser: play, steps, runs, lessons, links, what went wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rnnviz import Experiment
from rnnviz.experiment.links import to_query
from tests.dashboard.support import (
    assert_sound,
    change,
    charts,
    experiment,
    go_to,
    numbers,
    press,
    said,
    verdict,
    visit,
    walk,
)
from tests.dashboard.training_support import (
    ABOVE,
    BELOW,
    SMALL,
    WILD,
    click,
    scrubber,
    tick,
    tracks,
    training,
    words,
)

pytestmark = pytest.mark.trained


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
    assert training(app).updates == 0


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


def test_what_is_tried_where_every_model_has_diverged_plays() -> None:
    app = press(visit("train", replace(WILD, models=("rnn",))), "+10")
    assert not training(app).going
    app = press(app, "Clip at norm 1")
    assert app.session_state["training"].playing
    assert training(tick(app)).updates > 0


def test_a_few_steps_that_take_too_long_leave_no_model_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rnnviz.dashboard.training.STEP_SECONDS", 0.0)
    app = press(visit("train", SMALL), "+10")
    assert {trainee.updates for trainee in training(app).trainees.values()} == {1}


def test_the_other_way_out_is_a_smaller_rate() -> None:
    app = press(press(visit("train", WILD), "+10"), "A tenth of the learning rate")
    assert experiment(app).learning_rate == pytest.approx(1.0)


def test_what_would_take_too_long_is_refused_with_the_reason() -> None:
    app = visit("train", Experiment(seq_len=2000, hidden_size=256, batch_size=4))
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
    assert set(charts(app)) - {"written", "next-symbol"} == {*ABOVE, *BELOW}


def test_a_text_is_written_while_it_is_learned() -> None:
    app = visit("train", replace(SMALL, task="text", text="<b>to be</b> or not to be"))
    assert "What each network writes" in words(app)
    written = {row["name"]: row["text"][0] for row in charts(app)["written"]["data"]}
    assert set(written) == {"RNN", "LSTM"}
    assert all("<" not in text.replace("<br>", "") for text in written.values())


def test_the_likeliest_next_words_are_shown() -> None:
    app = visit("train", replace(SMALL, task="words", loss_at="every"))
    assert "after “⟨start⟩" in words(app)
    bars = charts(app)["next-symbol"]["data"]
    assert [bar["name"] for bar in bars] == ["RNN", "LSTM"]
    for bar in bars:
        assert list(bar["y"]) == sorted(bar["y"], reverse=True)
        assert 0 < sum(bar["y"]) <= 1 + 1e-6


def test_a_network_that_reads_backwards_writes_nothing() -> None:
    wide = replace(SMALL, task="text", text="to be or not to be", bidirectional="yes")
    assert "written" not in charts(visit("train", wide))


@pytest.mark.parametrize("task", ["digit_rows", "digit_pixels"])
def test_digits_are_shown_with_the_answers(task: str) -> None:
    app = visit("train", replace(SMALL, task=task))
    figure = charts(app)["digits"]
    assert [len(row["text"]) for row in figure["data"][1:]] == [10, 10]
    assert np.isfinite(figure["data"][0]["z"]).sum() == 10 * 64


def test_held_out_weeks_are_drawn_with_what_networks_say_of_them() -> None:
    app = visit("train", replace(SMALL, task="stocks", models=("gru",)))
    grey = numbers(charts(app)["forecast"])[0]
    app = change(app, view_company="AAPL")
    assert_sound(app)
    assert not np.array_equal(numbers(charts(app)["forecast"])[0], grey)


def test_a_sentence_of_ones_own_is_read_word_by_word() -> None:
    app = visit("train", replace(SMALL, task="sentiment", models=("gru",)))
    assert len(numbers(charts(app)["own-sentence"])[-1]) == 8
    app.text_input(key="own_sentence").set_value("the film was not great").run()
    assert len(numbers(charts(app)["own-sentence"])[-1]) == 5
    app.text_input(key="own_sentence").set_value("the film was <i>grand</i>").run()
    assert_sound(app)
    assert "is not among the task's words" in said(app)
    assert "own-sentence" not in charts(app)
    assert app.text_input(key="own_sentence").value == "the film was <i>grand</i>"


def test_a_hidden_markov_model_stands_beside_the_n_grams() -> None:
    query = to_query(replace(SMALL, task="counting", loss_at="every", models=("gru",)))
    views = ({}, {"view_hidden_states": "9"}, {"view_hidden_states": "0"})
    losses = [charts(visit("train", {**query, **view}))["loss"] for view in views]
    said = [" ".join(walk(loss)) for loss in losses]
    assert ["hidden Markov, 4 states" in text for text in said] == [True, False, False]
    assert ["hidden Markov, 9 states" in text for text in said] == [False, True, False]
