"""A result is made once for all who ask, and the last of them are kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import copy_context
from threading import Barrier, Thread

import pytest
import streamlit as st

from rnnviz.dashboard.cached import cached
from rnnviz.wording.texts import speak

made: list[object] = []


@cached(3)
def squared(number: int) -> list[int]:
    made.append(number)
    return [number**2]


@cached(3)
def told_of(name: str, _with: object) -> str:
    made.append(_with)
    return name


@cached(3, worded=True)
def worded(name: str) -> list[str]:
    made.append(name)
    return [name]


@cached(3)
def refuses(name: str) -> str:
    made.append(name)
    raise ValueError(name)


@pytest.fixture(autouse=True)
def _afresh() -> Iterator[None]:
    made.clear()
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def test_a_result_is_made_once() -> None:
    assert squared(3) == [9]
    assert squared(3) is squared(3)
    assert made == [3]


def test_the_last_that_were_asked_for_are_kept() -> None:
    for number in (1, 2, 3, 1, 4, 1, 2):
        squared(number)
    assert made == [1, 2, 3, 4, 2]


def test_an_argument_that_tells_nothing_makes_no_other_result() -> None:
    assert told_of("a", object()) == told_of("a", object()) == "a"
    assert len(made) == 1


def test_words_are_kept_for_each_language() -> None:
    def chinese() -> list[str]:
        speak("zh")
        return worded("a")

    english = worded("a")
    assert copy_context().run(chinese) is copy_context().run(chinese)
    assert copy_context().run(chinese) is not english
    assert len(made) == 2


def test_what_is_raised_is_not_kept() -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match=r"^no$"):
            refuses("no")
    assert made == ["no", "no"]


def test_those_who_ask_at_once_wait_for_one() -> None:
    begun, found = Barrier(8), list[list[int]]()

    def ask() -> None:
        begun.wait()
        found.append(squared(12))

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [12]
    assert all(each is found[0] for each in found)
