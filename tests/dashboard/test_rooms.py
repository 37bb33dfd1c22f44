"""A room counts each voter once, ends by itself, and there are never too many."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from rnnviz.dashboard import rooms as module
from rnnviz.dashboard.rooms import (
    CLOSED,
    COUNTED,
    FULL,
    LONGEST,
    MOST_CHANGES,
    OFTEN,
    SILENT,
    NoRoom,
    Room,
    Rooms,
)
from rnnviz.lecture.scenes import Guess

CHOICES = ("a", "b", "c")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def asked(rooms: Rooms | None = None) -> Room:
    room = (rooms or Rooms()).open()
    room.ask("travel", "How much?", CHOICES)
    return room


def test_a_vote_replaces_the_voter_s_last_one() -> None:
    room = asked()
    assert [room.vote("x", "travel", 1), room.vote("y", "travel", 3)] == [COUNTED, COUNTED]
    assert room.counts("travel", 3) == [1, 0, 1]
    assert room.vote("x", "travel", 3) == COUNTED
    assert room.counts("travel", 3) == [0, 0, 2]
    assert [room.choice_of(v, "travel") for v in "xyz"] == [3, 3, 0]


def test_many_voters_at_once_are_each_counted_once() -> None:
    room = asked()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: room.vote(f"v{n % 300}", "travel", 1 + n % 3), range(900)))
    assert sum(room.counts("travel", 3)) == 300


@pytest.mark.parametrize(
    ("question", "choice"), [("gate", 1), ("travel", 0), ("travel", 4), ("", 1)]
)
def test_only_the_question_that_is_asked_is_voted_on(question: str, choice: int) -> None:
    room = asked()
    assert room.vote("x", question, choice) == CLOSED
    assert room.counts("travel", 3) == [0, 0, 0]


def test_votes_are_closed_once_the_answer_is_shown_and_stay_when_the_scene_comes_back() -> None:
    room = asked()
    room.vote("x", "travel", 2)
    room.ask("travel", "How much?", CHOICES, right=3)
    assert room.vote("x", "travel", 3) == room.vote("y", "travel", 3) == CLOSED
    room.ask("gate", "What now?", CHOICES)
    assert room.vote("x", "gate", 1) == COUNTED
    room.ask("travel", "How much?", CHOICES, right=3)
    assert room.counts("travel", 3) == [0, 1, 0]


def test_a_phone_is_told_of_each_change_and_of_nothing_else() -> None:
    room = asked()
    before = room.asked.version
    room.ask("travel", "How much?", CHOICES)
    assert room.asked.version == before
    room.ask("travel", "How much?", CHOICES, right=1)
    assert room.asked.version == before + 1


def test_a_voter_changes_a_vote_so_often_and_no_more() -> None:
    room = asked()
    said = [room.vote("x", "travel", 1 + n % 3) for n in range(MOST_CHANGES + 2)]
    assert said == [COUNTED] * MOST_CHANGES + [OFTEN, OFTEN]
    assert room.vote("y", "travel", 1) == COUNTED
    room.ask("gate", "What now?", CHOICES)
    assert room.vote("x", "gate", 1) == COUNTED


def test_a_room_is_full_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_VOTERS", 2)
    room = asked()
    assert [room.vote(v, "travel", 1) for v in "abc"] == [COUNTED, COUNTED, FULL]
    assert room.vote("a", "travel", 2) == COUNTED
    assert room.counts("travel", 3) == [1, 1, 0]


def test_a_room_ends_when_its_lecturer_is_silent() -> None:
    clock = Clock()
    rooms = Rooms(clock=clock)
    room = rooms.open()
    clock.now = SILENT
    assert rooms.led(room.code, room.secret) is room
    clock.now = 2 * SILENT
    assert rooms.get(room.code) is room  # she was heard meanwhile
    clock.now += 1
    assert rooms.get(room.code) is None
    assert len(rooms) == 0


def test_no_room_lasts_for_ever_however_often_its_lecturer_is_heard() -> None:
    clock = Clock()
    rooms = Rooms(clock=clock)
    room = rooms.open()
    for clock.now in range(0, int(LONGEST) + 1, int(SILENT)):
        assert rooms.led(room.code, room.secret) is room
    clock.now += 1
    assert rooms.get(room.code) is None


def test_there_are_so_many_rooms_and_no_more() -> None:
    rooms = Rooms(most=3)
    made = [rooms.open() for _ in range(3)]
    with pytest.raises(NoRoom):
        rooms.open()
    rooms.close(made[0].code, made[0].secret)
    assert rooms.open().code != made[0].code


def test_only_the_secret_leads_and_closes() -> None:
    rooms = Rooms()
    room, other = rooms.open(), rooms.open()
    for secret in ("", room.code, other.secret, "ä"):
        rooms.close(room.code, secret)
        assert rooms.led(room.code, secret) is None
    assert rooms.get(room.code) is room
    rooms.close(room.code, room.secret)
    assert rooms.get(room.code) is None


def test_a_code_is_short_and_can_be_read_out() -> None:
    rooms = Rooms()
    codes = {rooms.open().code for _ in range(50)}
    assert len(codes) == 50
    assert all(re.fullmatch("[bcdfghjkmnpqrstvwxz]{5}", code) for code in codes)


def test_a_guess_is_a_place_on_its_scale_and_nothing_else() -> None:
    room, scale = Rooms().open(), Guess("x", low=-30.0, high=5.0, step=0.1, within=2.0)
    room.ask("weights", "How much?", (), guess=scale)
    for silly in (0, -1, 352, 10**9):
        assert room.vote("x", "weights", silly) == CLOSED
    assert [room.vote(v, "weights", n) for v, n in (("x", 1), ("y", 351), ("x", 80))] == (
        [COUNTED] * 3
    )
    found = room.counts("weights", scale.places)
    assert len(found) == 351
    assert {n + 1: count for n, count in enumerate(found) if count} == {80: 1, 351: 1}
    before = room.asked.version
    room.ask("weights", "How much?", (), guess=scale)
    assert room.asked.version == before
    room.ask("weights", "How much?", (), right=80, guess=scale)
    assert room.vote("x", "weights", 81) == CLOSED
