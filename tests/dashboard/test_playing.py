"""Training that plays, past the script: every slice of it shows what the script would show."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from threading import Event

import pytest
from streamlit.testing.v1 import AppTest

from rnnviz import Experiment
from rnnviz.dashboard import offers
from rnnviz.dashboard.saving import SHARED
from rnnviz.experiment.links import to_query
from tests.dashboard.live_support import (
    GAIN,
    JSON,
    Frames,
    ask,
    component,
    offered,
    post,
    sent,
    token,
)
from tests.dashboard.support import change, press, verdict, visit, widget_key
from tests.dashboard.training_support import SMALL, WILD, scrubber, tick, training

pytestmark = pytest.mark.trained
TICK = {"tick": True}
CHARTS = {"chart:loss", "chart:state-maps"}


def playing(experiment: Experiment = SMALL) -> AppTest:
    return press(visit("train", experiment), "Play")


def told(frames: Frames) -> dict[str, object]:
    found: dict[str, object] = json.loads(frames["end"])
    return found


def assert_shows_what_the_script_does(found: Frames, app: AppTest) -> None:
    of_script = sent(app)
    assert {name for name in found if name.startswith("chart:")} == CHARTS
    for name in CHARTS:
        assert json.loads(found[name]) == json.loads(of_script[name]), name
    assert found["words:verdict"] in of_script["words:verdict"]


def test_a_slice_shows_what_the_script_would_show() -> None:
    app = playing()
    before = training(app).updates
    status, found = post(token(app), TICK)
    assert status == 200
    assert told(found) == {"shown": True}
    assert training(app).updates > before
    done = training(app)
    app.run()
    assert training(app) is done
    assert_shows_what_the_script_does(found, app)
    assert json.loads(found["panel:training-step"]) == scrubber(app)


def test_a_slice_in_the_language_of_the_page() -> None:
    app = visit("train", {**to_query(SMALL), "train_steps": "50", "lang": "zh"})
    _, found = post(token(app), TICK)
    assert "步" in found["words:verdict"].decode()


def test_what_a_slice_has_trained_is_saved() -> None:
    app = playing(replace(SMALL, seed=17))
    post(token(app), TICK)
    saved = SHARED.saved.get(app.session_state["training"].token)
    assert saved is not None
    assert saved.training.updates == training(app).updates > 0


def test_of_what_does_not_play_there_is_no_slice() -> None:
    app = visit("train", SMALL)
    assert post(token(app), TICK) == (204, {})
    app = press(press(app, "Play"), "Pause")
    before = training(app)
    assert post(token(app), TICK) == (204, {})
    assert training(app) is before


def test_nothing_is_trained_after_a_pause_that_the_script_has_not_drawn() -> None:
    app = playing()
    app.session_state["training"].pause()
    before = training(app)
    assert told(post(token(app), TICK)[1]) == {"shown": False}
    assert training(app) is before


def test_where_training_ends_the_script_draws_the_page() -> None:
    app = visit("train", {**to_query(SMALL), "train_steps": "5"})
    for _ in range(50):
        found = post(token(app), TICK)[1]
        if not told(found)["shown"]:
            break
    assert set(found) == {"end"}
    assert training(app).updates == 5
    assert "Pause" in [button.label for button in app.button]
    app.run()
    assert "Play" in [button.label for button in app.button]


def test_where_a_model_stops_the_script_draws_what_helps() -> None:
    app = playing(WILD)
    for _ in range(50):
        if not told(post(token(app), TICK)[1])["shown"]:
            break
    assert any(trainee.event for trainee in training(app).trainees.values())
    app.run()
    assert any("Clip" in button.label for button in app.button)


@pytest.mark.parametrize("plays", [True, False])
def test_a_knob_shows_the_run_that_it_would_begin(plays: bool) -> None:
    app = playing() if plays else visit("train", SMALL)
    before = training(app)
    status, found = post(token(app), GAIN)
    assert status == 200
    assert training(app) is before  # only the script begins another run
    change(app, gain=1.5)
    assert_shows_what_the_script_does(found, app)


def test_a_knob_that_is_held_waits_for_the_slice_that_is_made() -> None:
    app = playing()
    known, offer, done = token(app), app.session_state[offers.OFFER], Event()

    def slow() -> Iterator[tuple[str, bytes]]:
        done.wait(10)
        yield "end", b"{}"

    async def both() -> list[int]:
        told = [json.dumps(each).encode() for each in (TICK, {**GAIN, "held": True})]
        first = asyncio.create_task(ask(known, told[0], JSON))
        while not offer.turn.locked():
            await asyncio.sleep(0)
        then = asyncio.create_task(ask(known, told[1], JSON))
        while offer.waiting is None and not then.done():
            await asyncio.sleep(0)
        done.set()
        return [status for status, _ in await asyncio.gather(first, then)]

    offer.playing = slow
    assert asyncio.run(both()) == [200, 200]


def test_a_knob_takes_nothing_from_a_drawn_run_that_the_visit_alone_has() -> None:
    app = press(press(visit("train", SMALL), "+10"), "Same initial weights")
    app = app.button_group(key=widget_key(app, "train_ghosts")).set_value([1]).run()
    assert post(token(app), GAIN) == (204, {})


@pytest.mark.usefixtures("_short_slices")
def test_a_run_that_is_trained_ahead_is_told_slice_by_slice() -> None:
    app = visit("train", SMALL)
    app = app.selectbox(key=widget_key(app, "train_lesson")).select("clipping").run()
    ahead = app.session_state["training"].ahead.job
    _, found = post(token(app), TICK)
    assert app.session_state["training"].ahead.job is not ahead
    assert told(found) == {"shown": True}
    app.run()
    assert_shows_what_the_script_does(found, app)
    assert post(token(app), GAIN) == (204, {})


def test_the_page_of_another_kind_of_figure_has_neither() -> None:
    app = visit("train", SMALL)
    app = app.selectbox(key=widget_key(app, "train_lesson")).select("influence").run()
    assert not offered(app)["token"]
    assert component(app, "rnnviz_offer")


def test_a_tick_of_the_script_still_trains() -> None:
    app = playing()
    post(token(app), TICK)
    before = training(app).updates
    tick(app)
    assert training(app).updates > before
    assert verdict(app).startswith("After")
