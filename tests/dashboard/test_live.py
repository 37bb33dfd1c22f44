"""What a knob shows while it moves, past the script: the same as the script would show."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Iterator
from dataclasses import replace
from threading import Event
from typing import Any
from urllib.parse import parse_qsl

import pytest
from starlette.applications import Starlette

from rnnviz.dashboard import compute, frames, jobs, live, offers
from rnnviz.dashboard.asked import Asked, Move, moved
from rnnviz.dashboard.layout import SOON
from rnnviz.experiment import Experiment
from rnnviz.experiment.links import to_query
from rnnviz.views import gates, gradient_flow, spectrum
from rnnviz.views.gradient_flow import Choices
from tests.dashboard.live_support import (
    GAIN,
    JSON,
    ask,
    component,
    offered,
    post,
    request,
    sent,
    token,
)
from tests.dashboard.support import PAGES, change, go_to, visit

SMALL = Experiment(("rnn", "lstm"), seq_len=12, hidden_size=4, batch_size=4)


@pytest.mark.parametrize("page", PAGES)
def test_it_shows_what_the_script_would_show(page: str) -> None:
    app = visit(page, SMALL)
    status, found = post(token(app), {**GAIN, "rests": True})
    assert status == 200
    assert json.loads(found.pop("end"))["exact"]
    change(app, gain=1.5)
    of_script = sent(app)
    charts = {name for name in found if name.startswith("chart:")}
    assert charts == {name for name in of_script if name.startswith("chart:")}
    for name in charts:
        assert json.loads(found[name]) == json.loads(of_script[name]), name
    assert found["words:verdict"] in of_script["words:verdict"]


@pytest.mark.parametrize("page", PAGES)
def test_at_rest_it_says_all_that_the_script_would_say(page: str) -> None:
    idle = Experiment(("lstm",), seq_len=12, hidden_size=4, batch_size=4, activation="relu")
    app = visit(page, {**to_query(idle), "view_layer": "1"})
    assert offered(app)["beside"]
    status, found = post(token(app), {"knobs": {"gain": 1.5}, "settles": True})
    assert status == 200
    assert json.loads(found["end"])["beside"] == offered(app)["beside"]
    change(app, gain=1.5)
    assert found["panel:checks"] == component(app, "rnnviz_disclosure").proto.bytes
    assert "acts on none" in found["words:notes"].decode()
    written = b"".join(e.proto.body.encode() for e in app.get("html"))
    for name in ("mark", "notes", *["preset"] * (page == PAGES[0])):
        assert found[f"words:{name}"] in written, name
    assert dict(parse_qsl(found["address"].decode())) == dict(app.query_params)


@pytest.mark.parametrize("page", PAGES)
def test_what_the_script_alone_can_draw_beside_the_figures_has_another_name(page: str) -> None:
    app = visit(page, SMALL)
    _, found = post(token(app), {"knobs": {"layers": 2}, "settles": True})
    assert json.loads(found["end"])["beside"] != offered(app)["beside"]


@pytest.mark.trained
@pytest.mark.parametrize("query", [{"gain": "nonsense"}, {"train_steps": "2"}])
def test_what_goes_with_the_first_move_is_taken_away_by_the_script(query: dict[str, str]) -> None:
    app = visit(query={**to_query(SMALL), **query})
    assert token(app)
    assert offered(app)["beside"] == ""


def test_what_stands_behind_the_models_stays() -> None:
    pinned = replace(SMALL, gain=0.5)
    app = visit(query=SMALL)
    app.session_state["pin"] = pinned
    app.run()
    _, found = post(token(app), GAIN)
    names = [trace["name"] for trace in json.loads(found["chart:flow-state"])["figure"]["data"]]
    assert "pinned RNN" in names


def test_where_the_time_is_short_there_are_fewer_sequences_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rnnviz.dashboard.asked.HELD_SECONDS", 0.0)
    app = visit(query=SMALL)
    _, found = post(token(app), {**GAIN, "held": True})
    end, few = json.loads(found["end"]), json.loads(found["chart:flow-state"])
    assert (end["exact"], end["note"]) == (False, "first 1 of 4 sequences")
    assert "batch_size=1" in few["options"]["shows"]
    one = visit(query=replace(SMALL, batch_size=1))
    _, exact = post(token(one), GAIN)
    assert few["figure"] == json.loads(exact["chart:flow-state"])["figure"]


@pytest.mark.parametrize(
    ("choices", "what"),
    [(spectrum.Choices(), "points"), (gates.Choices(), "points"), (Choices(seeds=5), "curves")],
)
def test_what_is_left_out_is_said_until_the_knob_rests(choices: frames.Choices, what: str) -> None:
    shown = Asked(SMALL, choices)
    assert moved(shown, Move({"gain": 1.5})).note == f"fewer {what} while the knob moves"
    assert moved(shown, Move({"gain": 1.5}, rests=True)).note == ""


def test_single_losses_are_left_out_while_a_knob_moves() -> None:
    shown = Asked(replace(SMALL, loss_at="every"), gradient_flow.Choices())
    assert moved(shown, Move({"gain": 1.5})).note == "fewer curves while the knob moves"


def test_nothing_is_left_out_where_there_is_time() -> None:
    assert moved(Asked(SMALL, gradient_flow.Choices()), Move({"gain": 1.5})).note == ""


def test_an_axis_grows_and_does_not_shrink_while_the_knob_moves() -> None:
    app = visit(query=SMALL)
    _, first = post(token(app), GAIN)
    wide = [-300.0, 50.0]
    _, held = post(token(app), {**GAIN, "range": wide})
    assert json.loads(held["end"])["range"] == wide
    assert json.loads(first["end"])["range"] == [-26.0, 4.0]
    drawn = json.loads(held["chart:flow-state"])["figure"]["layout"]["yaxis"]["range"]
    assert drawn == wide


def test_knobs_that_the_script_does_not_know_yet_are_not_forgotten() -> None:
    """One is moved before the script has drawn the last one."""
    move = Move({"gain": 1.5, "memory_bias": 2.0, "seq_len": 20.0})
    shown = moved(Asked(SMALL, gradient_flow.Choices()), move).experiment
    assert shown == replace(SMALL, gain=1.5, memory_bias=2.0, seq_len=20)


def test_training_belongs_to_the_settings_it_was_done_with() -> None:
    shown = Asked(replace(SMALL, train_steps=5), gradient_flow.Choices())
    assert moved(shown, Move({"gain": 1.5})).experiment == replace(SMALL, gain=1.5)
    assert moved(shown, Move({"gain": SMALL.gain})) is None


BAD = [
    {"knobs": {"models": 1}},
    {"knobs": {"no_such_knob": 1}},
    {"knobs": {"gain": None}},
    {"knobs": {"gain": "1"}},
    {"knobs": {"gain": True}},
    {"knobs": {"gain": -1}},
    {"knobs": {"gain": 1.5, "seq_len": 0}},
    {"knobs": {}},
    {"knobs": ["gain"]},
    {"gain": 1},
    [1],
    b'{"knobs": {"gain": NaN}}',
    b'{"knobs": {"gain": 1e999}}',
    b'{"knobs": {"gain": 1' + b"0" * 400 + b"}}",
    b"not JSON",
    b"\xff",
]


@pytest.mark.parametrize("move", BAD, ids=repr)
def test_what_is_no_move_of_a_knob_is_refused(move: object) -> None:
    app = visit(query=SMALL)
    assert post(token(app), move) == (422, {})


@pytest.mark.parametrize("told", [None, [1], [2, 1], ["a", "b"], [float("nan"), 1], {}])
def test_a_range_that_is_none_is_left_out(told: object) -> None:
    assert Move.read({**GAIN, "range": told}).range is None


def test_what_would_take_too_long_is_refused() -> None:
    app = visit(query=replace(SMALL, hidden_size=256))
    assert post(token(app), {"knobs": {"seq_len": 5000}})[0] == 204


def test_what_takes_long_at_rest_is_the_scripts() -> None:
    app = visit(query=replace(SMALL, batch_size=16))
    large = {"hidden_size": 256, "seq_len": 1000}
    assert compute.traces.seconds(replace(SMALL, **large, batch_size=16)) > SOON
    assert post(token(app), {"knobs": large, "rests": True}) == (204, {})
    assert post(token(app), {"knobs": large, "settles": True}) == (204, {})
    assert post(token(app), {"knobs": large, "held": True})[0] == 200


def test_what_many_ask_for_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def counted(picture: Any, **more: Any) -> Any:
        made.append(picture.key)
        return right(picture, **more)

    right = frames.show.drawn
    apps = [visit(query=replace(SMALL, seed=77)) for _ in range(3)]
    monkeypatch.setattr(frames.show, "drawn", counted)
    answers = [post(token(app), GAIN) for app in apps]
    assert made == ["flow-state", "units"]
    assert answers[0] == answers[1] == answers[2]


def test_others_are_not_answered() -> None:
    app = visit(query=SMALL)
    mine = token(app)
    assert post("somebody", GAIN)[0] == 404
    assert post(mine, GAIN, origin="https://elsewhere.example")[0] == 403
    assert post(mine, GAIN, origin="null")[0] == 403
    assert post(mine, GAIN, origin="http://here")[0] == 200
    assert post(mine, GAIN, **{"content-type": "text/plain"})[0] == 415
    assert post(mine, b" " * 600)[0] == 413


def test_a_page_without_an_offer_has_no_token_and_the_last_one_is_gone() -> None:
    app = visit(query=SMALL)
    before = token(app)
    go_to(app, "phase-diagram")
    assert token(app) == ""
    assert post(before, GAIN)[0] == 204
    go_to(app, "spectrum")
    assert token(app) == before
    assert post(before, GAIN)[0] == 200


def test_what_was_offered_holds_while_the_next_script_runs() -> None:
    offer = offers.Offer(asked=Asked(SMALL, gradient_flow.Choices()))
    offers.open_offers()[offer.token] = offer
    offer.current = False  # a script has begun
    assert post(offer.token, GAIN)[0] == 200


def test_an_offer_ends_with_its_visit() -> None:
    offer = offers.Offer(asked=Asked(SMALL, gradient_flow.Choices()))
    offers.open_offers()[offer.token] = offer
    known = offer.token
    del offer
    gc.collect()
    assert post(known, GAIN)[0] == 404


def test_words_are_in_the_language_of_the_visit() -> None:
    app = visit(query={"lang": "xx", "seq_len": "12", "hidden_size": "4", "batch_size": "2"})
    _, found = post(token(app), GAIN)
    assert "⟦" in found["words:verdict"].decode()


def test_one_answer_at_a_time_and_of_those_that_wait_the_newest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[float] = []
    done = Event()

    def slow(asked: Asked) -> Iterator[tuple[str, bytes]]:
        begun.append(asked.experiment.gain)
        while not done.is_set():
            jobs.courteous()()
        yield "end", b"{}"

    async def three() -> list[int]:
        body = [json.dumps({"knobs": {"gain": value}}).encode() for value in (1, 2, 3)]
        asked = [asyncio.create_task(ask(known, each, JSON)) for each in body]
        await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        assert begun in ([], [1.0])
        done.set()
        return [status for status, _ in await asyncio.gather(*asked)]

    monkeypatch.setattr(live, "frames", slow)
    app = visit(query=SMALL)
    known = token(app)
    assert asyncio.run(three()) == [200, 429, 200]
    assert begun == [1.0, 3.0]


def test_the_more_ask_at_once_the_fewer_sequences_each_gets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And when they have been answered, all of them again."""
    large = replace(SMALL, hidden_size=64, batch_size=64)
    alone = compute.plan(large).cost.on(compute.speed()).seconds
    monkeypatch.setattr("rnnviz.dashboard.asked.HELD_SECONDS", 1.01 * alone)
    begun: list[tuple[float, int]] = []
    done = Event()

    def slow(asked: Asked) -> Iterator[tuple[str, bytes]]:
        begun.append((asked.experiment.gain, asked.experiment.batch_size))
        done.wait(10)
        yield "end", b"{}"

    async def in_a_crowd() -> None:
        asked = []
        for gain, app in enumerate(apps, 1):
            body = json.dumps({"knobs": {"gain": gain}, "held": True}).encode()
            asked.append(asyncio.create_task(ask(token(app), body, JSON)))
            await asyncio.sleep(0)  # it has asked before the next one does
        while not begun:
            await asyncio.sleep(0)
        done.set()
        assert [status for status, _ in await asyncio.gather(*asked)] == [200] * 3

    monkeypatch.setattr(live, "frames", slow)
    apps = [visit(query=large) for _ in range(3)]
    asyncio.run(in_a_crowd())
    assert [gain for gain, _ in begun] == [1, 2, 3]
    sizes = [batch_size for _, batch_size in begun]
    assert sizes[0] == 64 > sizes[1] > sizes[2]
    assert not live.makers(live.MOVING).answering


def test_an_answer_that_nobody_waits_for_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser that has asked for a newer value, or has gone."""
    ended: list[str] = []

    def endless(asked: Asked) -> Iterator[tuple[str, bytes]]:
        yield "begins", b""
        tell = jobs.courteous()
        try:
            while True:
                tell()
        finally:
            ended.append("ended")

    async def leave() -> None:
        left = asyncio.Event()

        async def receive() -> Any:
            if not heard:
                heard.append(1)
                return {"type": "http.request", "body": json.dumps(GAIN).encode()}
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                left.set()

        heard: list[int] = []
        await Starlette(routes=[live.route()])(request(known, JSON), receive, send)
        async with offer.turn:  # free again
            pass

    monkeypatch.setattr(live, "frames", endless)
    app = visit(query=SMALL)
    known, offer = token(app), app.session_state[offers.OFFER]
    asyncio.run(leave())
    assert ended == ["ended"]
