"""The lecturer's side of a room: its phones show what she asks, and only she reveals."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from rnnviz.dashboard import hall, invite, votes
from rnnviz.dashboard.rooms import Room, Rooms
from rnnviz.lecture.scenes import LAST, QUIZ, SCENES
from tests.dashboard.support import said, send, visit
from tests.dashboard.test_lecture import SAYS, ballot, open_scene, page, press


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch) -> Rooms:
    made = Rooms(most=2)
    for module in (hall, votes):
        monkeypatch.setattr(module, "rooms", lambda: made)
    monkeypatch.setattr(invite, "own_addresses", lambda: ("10.0.0.7",))
    return made


def led(app: AppTest, rooms: Rooms) -> Room:
    """The room that a visit leads."""
    found = rooms.get(app.session_state[hall.KEY].code)
    assert found is not None
    return found


def desk(app: AppTest) -> dict[str, Any]:
    (found,) = (e for e in app.get("bidi_component") if e.proto.component_name == "rnnviz_desk")
    told: dict[str, Any] = json.loads(found.proto.json)
    return told


def test_a_room_is_opened_and_ended_by_one_key(rooms: Rooms) -> None:
    app = press(open_scene("travel"), "room", "travel")
    assert len(rooms) == 1
    room = led(app, rooms)
    assert room.asked.question == "travel"
    assert f"10.0.0.7/vote/{room.code}" in page(app)
    assert "Phones cannot reach" in page(app)
    assert desk(app)["room"] == [room.code, room.secret]
    assert room.secret not in page(app)
    press(app, "room", "travel")
    assert len(rooms) == 0
    assert desk(app)["room"] is None
    assert said(app) == ""


def test_the_phones_follow_the_scene_and_its_answer(rooms: Rooms) -> None:
    app = press(open_scene("travel"), "room", "travel")
    room = led(app, rooms)
    press(app, "reveal", "travel")
    assert (room.asked.question, room.asked.right) == ("travel", SCENES[0].right)
    press(app, "next", "travel")
    assert (room.asked.question, room.asked.right) == ("cells", 0)
    assert len(room.asked.choices) == 4


def test_a_key_for_the_room_holds_though_the_scene_has_just_turned(rooms: Rooms) -> None:
    app = press(press(open_scene("travel"), "room", "travel"), "next", "travel")
    assert len(rooms) == 1
    press(app, "room", "travel")
    assert len(rooms) == 0
    press(app, "next", "travel")  # of the scene, which is another one now
    assert app.query_params["scene"] == "2"


def test_who_leads_a_room_reveals_by_the_key_alone(rooms: Rooms) -> None:
    app = press(open_scene("travel"), "room", "travel")
    press(app, "answer", "travel", 4)
    assert (ballot(app)["taken"], ballot(app)["right"]) == (4, 0)
    assert ballot(press(app, "reveal", "travel"))["right"] == 4


def test_votes_are_drawn_before_the_answer_if_she_likes_and_after_it(rooms: Rooms) -> None:
    app = press(open_scene("travel"), "room", "travel")
    told, room = ballot(app)["votes"], led(app, rooms)
    assert told == {"path": f"/vote/{room.code}/counts?question=travel", "secret": room.secret,
                    "shown": False}  # fmt: skip
    assert ballot(press(app, "bars", "travel"))["votes"]["shown"] is True
    assert ballot(press(app, "bars", "travel"))["votes"]["shown"] is False
    assert ballot(press(app, "reveal", "travel"))["votes"]["shown"] is True
    assert ballot(open_scene("travel"))["votes"] is None


def test_the_quiz_is_asked_and_revealed_one_after_the_other(rooms: Rooms) -> None:
    app = press(visit("lecture", {"scene": str(LAST)}), "room", "quiz")
    room = led(app, rooms)
    for count, question in enumerate(QUIZ):
        assert page(app).count(SAYS) == count + 1  # and the line with the link
        assert (room.asked.question, room.asked.right) == (question.name, 0)
        press(app, "reveal", "quiz")
    assert (room.asked.question, room.asked.right) == (QUIZ[-1].name, QUIZ[-1].right)


def test_a_page_that_is_loaded_again_leads_its_room_again(rooms: Rooms) -> None:
    room = led(press(open_scene("travel"), "room", "travel"), rooms)
    again = open_scene("travel")
    send_back(again, room.code, "wrong")
    assert (desk(again)["room"], desk(again)["heard"]) == (None, room.code)
    send_back(again, room.code, room.secret)
    assert desk(again)["room"] == [room.code, room.secret]


def send_back(app: AppTest, code: str, secret: str) -> None:
    told = {"action": "back", "question": "travel", "number": 0, "code": code, "secret": secret}
    send(app, "rnnviz_desk", "act", told)


def test_a_room_that_has_ended_is_said_once(rooms: Rooms) -> None:
    app = press(open_scene("travel"), "room", "travel")
    room = led(app, rooms)
    rooms.close(room.code, room.secret)
    assert said(app.run()) == "The room has ended."
    assert said(app.run()) == ""


def test_where_there_are_too_many_rooms_that_is_said(rooms: Rooms) -> None:
    rooms.open(), rooms.open()
    app = press(open_scene("travel"), "room", "travel")
    assert said(app) == "There are as many rooms as this server may have. Try again later."
    assert len(rooms) == 2


def test_without_segno_the_link_stands_alone(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "segno", None)
    assert invite.qr_code("http://10.0.0.7/vote/bcdfg") == ""
    assert "<img" not in page(press(open_scene("travel"), "room", "travel"))


def test_with_segno_the_code_stands_beside_it(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invite, "qr_code", lambda link: f"<svg>{link}</svg>")
    assert 'src="data:image/svg+xml;base64,' in page(press(open_scene("travel"), "room", "travel"))


def test_segno_draws_the_link() -> None:
    pytest.importorskip("segno")
    svg = invite.qr_code("http://10.0.0.7:8501/vote/bcdfg")
    assert svg.startswith("<svg")
    assert svg != invite.qr_code("http://10.0.0.7:8501/vote/bcdfh")
