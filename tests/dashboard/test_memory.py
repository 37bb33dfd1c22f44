"""Memory that all visitors share: a ceiling, one run for all who ask, turns, and leaving."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Event
from typing import Any

import pytest

from rnnviz.dashboard import memory
from rnnviz.dashboard.memory import Crowded, Memory, ceiling

SOON = 10.0
"""Seconds in which a thread has to get on: no test waits so long unless it fails."""


class Left(Exception):
    """The visitor has gone."""


def nobody() -> None:
    """Nothing to tell."""


def keep(room: Memory, key: str, size: int, make: Callable[[], Any] = object) -> Any:
    return room.get(key, make, size, size, nobody)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as found:
        yield found


def test_what_is_kept_stays_below_the_ceiling_whatever_its_sizes() -> None:
    room = Memory(100)
    for number, size in enumerate([60, 30, 20, 50, 1, 100, 99, 7]):
        keep(room, str(number), size)
        assert room.holds(str(number))
        assert room.used <= 100


def test_the_longest_unused_goes_first() -> None:
    room = Memory(100)
    first, _ = keep(room, "a", 40), keep(room, "b", 40)
    assert keep(room, "a", 40) is first
    keep(room, "c", 40)
    assert [room.holds(key) for key in "abc"] == [True, False, True]


def test_work_counts_what_it_takes_and_a_result_what_it_keeps() -> None:
    room = Memory(100)
    room.get("a", lambda: room.used, 90, 10, nobody)
    assert (room.get("a", object, 90, 10, nobody), room.used) == (90, 10)


def test_work_sends_away_what_is_kept() -> None:
    room = Memory(100)
    keep(room, "a", 40)
    with room.room(80, nobody):
        assert not room.holds("a")
        assert room.used == 80
    assert room.used == 0


def test_what_asks_for_room_itself_waits_for_it(pool: ThreadPoolExecutor) -> None:
    room, waits, go = Memory(100), Event(), Event()

    def waiting() -> None:
        waits.set()
        assert go.wait(SOON)

    with room.room(60, nobody):
        view = pool.submit(
            room.get, "view", lambda: room.get("run", object, 60, 60, waiting), 0, len_of_it, nobody
        )
        assert waits.wait(SOON)
        go.set()
    view.result(SOON)
    assert room.used == 67


def len_of_it(_: object) -> int:
    return 7


def test_two_who_ask_the_same_wait_for_one(pool: ThreadPoolExecutor) -> None:
    room, begun, go, made = Memory(100), Event(), Event(), []

    def make() -> object:
        begun.set()
        assert go.wait(SOON)
        made.append(object())
        return made[-1]

    one = pool.submit(keep, room, "a", 10, make)
    assert begun.wait(SOON)
    others = [pool.submit(room.get, "a", make, 10, 10, go.set) for _ in range(2)]
    assert {one.result(SOON), *(other.result(SOON) for other in others)} == set(made)
    assert len(made) == 1


def test_who_waits_goes_on_where_the_first_has_left(pool: ThreadPoolExecutor) -> None:
    room, begun, go = Memory(100), Event(), Event()

    def leave() -> None:
        begun.set()
        assert go.wait(SOON)
        raise Left

    one = pool.submit(keep, room, "a", 10, leave)
    assert begun.wait(SOON)
    other = pool.submit(room.get, "a", lambda: "made", 10, 10, go.set)
    assert other.result(SOON) == "made"
    with pytest.raises(Left):
        one.result(SOON)
    assert room.used == 10


def test_what_does_not_fit_beside_other_work_waits_its_turn(pool: ThreadPoolExecutor) -> None:
    room, waiting, order = Memory(100), Event(), []
    with ExitStack() as work:
        work.enter_context(room.room(60, nobody))
        assert not room.is_free(50)
        other = pool.submit(room.get, "b", lambda: order.append("b"), 50, 50, waiting.set)
        assert waiting.wait(SOON)
        keep(room, "small", 10)  # what fits goes first
        order.append("a")
    other.result(SOON)
    assert order == ["a", "b"]


def test_who_leaves_waits_no_longer() -> None:
    room = Memory(100)

    def leave() -> None:
        raise Left

    with ThreadPoolExecutor(1) as pool, room.room(60, nobody), pytest.raises(Left):
        pool.submit(room.get, "b", object, 50, 50, leave).result(SOON)
    assert keep(room, "b", 50)


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "PULSE", 0)
    room = Memory(100, clock=itertools.count(0, 5).__next__)
    with (
        ThreadPoolExecutor(1) as pool,
        room.room(60, nobody),
        pytest.raises(Crowded, match="has no room for this now"),
    ):
        pool.submit(keep, room, "b", 50).result(SOON)


def test_who_is_at_work_gets_more_without_waiting() -> None:
    room = Memory(100)
    with room.room(60, nobody):
        assert keep(room, "b", 50, lambda: "made") == "made"
        assert not room.holds("b")


def test_what_never_fits_is_refused_with_the_numbers() -> None:
    with pytest.raises(Crowded, match="would take 3 MiB; all work on this server together may take "
                       "2 MiB"):  # fmt: skip
        keep(Memory(2 << 20), "a", 3 << 20)


def test_failed_work_leaves_its_room() -> None:
    room = Memory(100)
    with pytest.raises(ZeroDivisionError):
        keep(room, "a", 90, lambda: 1 / 0)
    assert room.used == 0
    assert keep(room, "a", 90)


def test_the_ceiling_is_a_setting() -> None:
    assert ceiling({}) == 1 << 30
    assert ceiling({"RNNVIZ_MEMORY": "300"}) == 300 << 20
    for bad in ("", "0", "-5", "1.5", "1e3", "١٢", "much"):
        with pytest.raises(ValueError, match=f"RNNVIZ_MEMORY must be a whole .* got '{bad}'"):
            ceiling({"RNNVIZ_MEMORY": bad})
