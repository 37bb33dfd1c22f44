"""Pictures and words of a view, put on the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import streamlit as st

from rnnviz.dashboard import layout
from rnnviz.dashboard.components import live_chart
from rnnviz.plots import theme
from rnnviz.views.picture import Picture, Words

OnClick = Callable[[Mapping[str, Any]], None]


def show(
    items: Iterable[Picture | Words],
    styles: Mapping[str, theme.Style],
    pairs: Sequence[tuple[str, str]] = (),
    shares: Mapping[str, tuple[int, int]] = {},
    clicks: Mapping[str, OnClick] = {},
    revision: int = 0,
) -> None:
    """One below the other, each as soon as it is made. `pairs`: keys of pictures that stand side by
    side; `shares`: of the left one's key, how the width is divided. `clicks`: what a click on a
    picture does; `revision`: see `live_chart`."""
    partner, places = dict(pairs), dict[str, Any]()
    for item in items:
        if item.key in partner:
            left, right = st.columns(shares.get(item.key, (1, 1)))
            places |= {item.key: left, partner[item.key]: right}
        place: AbstractContextManager[Any] = places.get(item.key) or nullcontext()
        with place:
            if isinstance(item, Picture):
                chart(item, clicks.get(item.key), revision)
            else:
                words(item, styles)


def chart(picture: Picture, on_click: OnClick | None = None, revision: int = 0) -> None:
    """Draw a picture of a view, and its sentence below it."""
    live_chart(
        picture.drawing,
        key=picture.key,
        height=picture.height,
        time_axis=picture.time_axis,
        step_axis=picture.step_axis,
        revision=revision,
        tracks=picture.tracks,
        filename=f"rnnviz-{picture.key}",
        alt=picture.alt,
        on_click=on_click,
    )
    if picture.how:
        layout.how_to_read(picture.how)


def words(said: Words, styles: Mapping[str, theme.Style]) -> None:
    """The answer in large, a note in small, a warning with its sign."""
    if said.key == "verdict":
        layout.verdict(said.lines, styles)
    elif said.key == "warning":
        layout.warn(" ".join(said.lines))
    elif said.key == "info":
        st.info(" ".join(said.lines))
    else:
        for line in said.lines:
            st.caption(line)
