"""A Plotly chart that is updated in place, so that zoom, legend and hover survive."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypedDict, Unpack

import streamlit as st

from rnnviz.dashboard.components.browser import HERE, loader
from rnnviz.dashboard.server import plotly_url
from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing, Track, Words, to_json
from rnnviz.wording.texts import texts

OnClick = Callable[[Mapping[str, Any]], None]

# Not isolated in a shadow root: plotly.js puts its styles into the document's head.
_CHART = st.components.v2.component(
    "rnnviz_chart",
    css=(HERE / "chart.css").read_text("utf-8"),
    js=loader("chart.js"),
    isolate_styles=False,
)


class Look(TypedDict, total=False):
    """time_axis : x is the time step. One cursor is shared by all such charts of the page.
    step_axis : x is the training step. The one that the scrubber has chosen is marked.
    revision : with another one the chart is of something else, and what a reader zoomed to is
        forgotten. Once drawn it stands in `data-revision`. 0 for a chart that is always of the
        same.
    tracks : what the chart shows at the training step that the scrubber has chosen.
    filename : of the PNG and SVG a reader saves, without the ending.
    alt : what the chart shows, for those who cannot see it.
    shows : the query of the experiment that is drawn, as its link writes it. It stands in
        `data-shows` as soon as that is on the screen.
    """

    time_axis: bool
    step_axis: bool
    revision: int
    tracks: Sequence[Track | Words]
    filename: str
    alt: str
    shows: str


class Options(Look):
    """height : in pixels; the width is the column's. What else there is to say, see `Look`."""

    height: int


def live_chart(
    figure: Drawing, *, key: str, on_click: OnClick | None = None, **options: Unpack[Options]
) -> None:
    """Draw a figure, or bring the one already there up to date.

    The page's theme sets background, text and grid; a trace keeps the figure's own colours, on a
    dark page those of `theme.DARK`. What
    the figure's template says of these is overridden, what its layout says itself is kept. After
    each paint the element `.rnnviz-chart[data-key=...]` counts one up in `data-painted`.

    Parameters
    ----------
    figure : give it a template of your own: Streamlit's default one has placeholder colours.
    key : names the chart on its page; zoom and legend are remembered under it.
    on_click : called, before the script's body, with {"x", "y", "z", "curve", "point"} of a click.
    options : see `Options`.
    """
    callbacks: dict[str, Any] = {}
    if on_click is not None:
        callbacks["on_click_change"] = partial(_clicked, key, on_click)
    sent = payload(figure, key=key, clicks=on_click is not None, **options)
    _CHART(key=_component_key(key), data=sent, height=options["height"], **callbacks)


def payload(
    figure: Drawing, *, key: str, clicks: bool = False, **options: Unpack[Options]
) -> bytes:
    """What the browser is sent of a chart: its options, what it shows at training steps, the
    figure. The script sends it, and the live route does."""
    told = {
        "key": key,
        "revision": options.get("revision", 0),
        "height": options["height"],
        "timeAxis": options.get("time_axis", False),
        "stepAxis": options.get("step_axis", False),
        "filename": options.get("filename", "rnnviz"),
        "alt": options.get("alt") or key,
        "shows": options.get("shows"),
        "clicks": clicks,
        "plotly": plotly_url(),
        "dark": theme.DARK,
        "words": texts("chart"),
    }
    parts = {
        "options": json.dumps(told, default=dict),
        "tracks": json.dumps([track.packed() for track in options.get("tracks", ())]),
        "figure": to_json(figure),
    }
    return ("{" + ",".join(f'"{name}":{part}' for name, part in parts.items()) + "}").encode()


def _clicked(key: str, on_click: Callable[[Mapping[str, Any]], None]) -> None:
    state = st.session_state.get(_component_key(key)) or {}
    point = state.get("click")
    if isinstance(point, Mapping):
        on_click(point)


def _component_key(key: str) -> str:
    return f"{key}.chart"
