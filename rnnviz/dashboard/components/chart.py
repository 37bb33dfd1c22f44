"""A Plotly chart that is updated in place, so that zoom, legend and hover survive."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from rnnviz.dashboard.components.browser import HERE, loader
from rnnviz.dashboard.server import plotly_url
from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing, Track, Words, to_json
from rnnviz.wording.texts import texts

# Not isolated in a shadow root: plotly.js puts its styles into the document's head.
_CHART = st.components.v2.component(
    "rnnviz_chart",
    css=(HERE / "chart.css").read_text("utf-8"),
    js=loader("chart.js"),
    isolate_styles=False,
)


def live_chart(
    figure: Drawing,
    *,
    key: str,
    height: int,
    time_axis: bool = False,
    step_axis: bool = False,
    revision: int = 0,
    tracks: Sequence[Track | Words] = (),
    filename: str = "rnnviz",
    alt: str = "",
    on_click: Callable[[Mapping[str, Any]], None] | None = None,
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
    height : in pixels; the width is the column's.
    time_axis : x is the time step. One cursor is shared by all such charts of the page.
    step_axis : x is the training step. The one that the scrubber has chosen is marked.
    revision : with another one the chart is of something else, and what a reader zoomed to is
        forgotten. Once drawn it stands in `data-revision`. 0 for a chart that is always of the
        same.
    tracks : what the chart shows at the training step that the scrubber has chosen.
    filename : of the PNG and SVG a reader saves, without the ending.
    alt : what the chart shows, for those who cannot see it.
    on_click : called, before the script's body, with {"x", "y", "z", "curve", "point"} of a click.
    """
    options = {
        "key": key,
        "revision": revision,
        "height": height,
        "timeAxis": time_axis,
        "stepAxis": step_axis,
        "filename": filename,
        "alt": alt or key,
        "clicks": on_click is not None,
        "plotly": plotly_url(),
        "dark": theme.DARK,
        "words": texts("chart"),
    }
    parts = {
        "options": json.dumps(options, default=dict),
        "tracks": json.dumps([track.packed() for track in tracks]),
        "figure": to_json(figure),
    }
    payload = "{" + ",".join(f'"{name}":{part}' for name, part in parts.items()) + "}"
    callbacks: dict[str, Any] = {}
    if on_click is not None:
        callbacks["on_click_change"] = partial(_clicked, key, on_click)
    _CHART(key=_component_key(key), data=payload.encode(), height=height, **callbacks)


def _clicked(key: str, on_click: Callable[[Mapping[str, Any]], None]) -> None:
    state = st.session_state.get(_component_key(key)) or {}
    point = state.get("click")
    if isinstance(point, Mapping):
        on_click(point)


def _component_key(key: str) -> str:
    return f"{key}.chart"
