"""The three walks in .github/CONTRIBUTING.md are true of the code."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest
import streamlit as st

from rnnviz import Experiment, run
from tests.dashboard.support import change, send, visit

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / ".github" / "CONTRIBUTING.md").read_text("utf-8")
Place = tuple[str, str]


def walk(title: str) -> str:
    (text,) = re.findall(rf"^## {title}.*?\n(.*?)(?=^## |\Z)", GUIDE, re.MULTILINE | re.DOTALL)
    return text


def places(text: str) -> list[Place]:
    """(file, function) of every `file.py` `function()`, in the order of the text."""
    found, file = [], ""
    for path, function in re.findall(r"`(rnnviz/[\w/.]+)`|`(\w+)\(\)`", text):
        file = path or file
        if function:
            found.append((file, function))
    return found


def first_calls(action: Callable[[], object]) -> list[Place]:
    """Every function of the package that is called, in the order of the first calls."""
    called: dict[Place, None] = {}

    def note(frame: FrameType, event: str, _: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(ROOT / "rnnviz"):
            called[path.relative_to(ROOT).as_posix(), frame.f_code.co_name] = None

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return list(called)


def test_a_scene_is_revealed_as_told() -> None:
    st.cache_resource.clear()  # another test may have shown the very scene
    app = visit("lecture", {"scene": "3"})
    told = {"action": "reveal", "question": "gate", "number": 0}
    called = first_calls(lambda: send(app, "rnnviz_desk", "act", told))
    places_told = places(walk("Walk 3"))
    assert [place for place in called if place in places_told] == places_told


def test_gain_goes_from_the_slider_to_the_chart_as_told() -> None:
    app = visit()
    called = first_calls(lambda: change(app, gain=1.2345))
    told = places(walk("Walk 1"))
    assert [place for place in called if place in told] == told


def test_x_goes_through_the_core_as_told() -> None:
    short = Experiment(("lstm",), seq_len=9)  # type: ignore[arg-type]
    called = first_calls(lambda: run(short)["lstm"].trace.grads)
    told = places(walk("Walk 2"))
    assert [place for place in called if place in told] == told


@pytest.mark.parametrize("title", ["Walk 1", "Walk 2"])
def test_a_walk_has_ten_lines(title: str) -> None:
    lines = [line for line in walk(title).splitlines() if line]
    assert [line.partition(".")[0] for line in lines] == [str(n) for n in range(1, 11)]


def test_every_file_that_is_named_is_there() -> None:
    named = re.findall(r"`((?:rnnviz|tests)/[\w/.]+|\.streamlit/[\w.]+)`", GUIDE)
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []
