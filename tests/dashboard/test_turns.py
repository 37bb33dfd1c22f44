"""Who works when: slices of long work one at a time, and none while a knob is answered."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from rnnviz.dashboard.turns import Turns

LONG = 30.0
"""Seconds after which a test gives up."""


class Left(Exception):
    pass


def test_slices_are_worked_on_one_at_a_time_whoever_asked_first() -> None:
    turns, order, inside = Turns(), list[int](), list[int]()
    asked = [threading.Event() for _ in range(4)]
    go_on = threading.Event()

    def work(k: int) -> None:
        with turns.slice(tell=asked[k].set):
            inside.append(k)
            assert len(inside) == 1
            order.append(k)
            asked[k].set()
            assert go_on.wait(LONG)
            inside.remove(k)

    with ThreadPoolExecutor(4) as pool:
        done = []
        for k in range(4):
            done.append(pool.submit(work, k))
            assert asked[k].wait(LONG)
        go_on.set()
        for each in done:
            each.result(LONG)
    assert order == [0, 1, 2, 3]


def test_no_slice_begins_while_an_answer_is_made() -> None:
    turns, said = Turns(moment=LONG), list[str]()
    waits = threading.Event()

    def work() -> None:
        waits.set()
        with turns.slice():
            said.append("slice")

    with ThreadPoolExecutor(1) as pool:
        with turns.answer():
            done = pool.submit(work)
            assert waits.wait(LONG)
            with turns.answer():
                said.append("answer")
            said.append("answer")
        done.result(LONG)
    assert said == ["answer", "answer", "slice"]


def test_where_some_knob_always_moves_the_work_goes_on() -> None:
    turns = Turns(moment=0.01)
    with turns.answer(), turns.slice():
        pass


def test_who_leaves_the_line_holds_nobody_up() -> None:
    turns = Turns()

    def leave() -> None:
        raise Left

    def wait_and_leave() -> None:
        with turns.slice(leave):
            raise AssertionError("it was not its turn")

    def leave_in_the_middle() -> None:
        with turns.slice(), ThreadPoolExecutor(1) as pool:
            with pytest.raises(Left):
                pool.submit(wait_and_leave).result(LONG)
            leave()

    with pytest.raises(Left):
        leave_in_the_middle()
    with turns.slice():
        pass
