"""What a page is made of: pictures and words of a view, the choices beside them, the equations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, Unpack

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rnnviz.dashboard import layout, words_html
from rnnviz.dashboard.components import live_chart
from rnnviz.dashboard.components.chart import Look, OnClick, Options
from rnnviz.dashboard.state import SHOWS, WHOLE_PAGE, view_key, widget
from rnnviz.experiment import Plan
from rnnviz.plots import theme
from rnnviz.views import equations as views
from rnnviz.views.layer_choice import ALL, LayerChoice
from rnnviz.views.picture import Picture, Words
from rnnviz.wording.glossary import in_drawing
from rnnviz.wording.lists import sentences
from rnnviz.wording.names import display_name
from rnnviz.wording.texts import fill, say, texts

LAYER, DIRECTION = "view_layer", "view_direction"
LAYER_WIDTH, DIRECTION_WIDTH, GATE_WIDTH = 104, 128, 72
ALL_WIDTH = 124
"""Of a list that offers all layers, too."""
THEORY, WHY = "view_theory", "view_why"


def show(
    items: Iterable[Picture | Words],
    styles: Mapping[str, theme.Style],
    pairs: Sequence[tuple[str, str]] = (),
    shares: Mapping[str, tuple[int, int]] = {},
    clicks: Mapping[str, OnClick] = {},
    revision: int = 0,
    above: Mapping[str, Callable[[], None]] = {},
) -> None:
    """One below the other, each as soon as it is made. `pairs`: keys of pictures that stand side by
    side; `shares`: of the left one's key, how the width is divided. `clicks`: what a click on a
    picture does; `revision`: see `live_chart`; `above`: what draws that which stands above one."""
    partner, places = dict(pairs), dict[str, Any]()
    for item in items:
        if item.key in partner:
            left, right = st.columns(shares.get(item.key, (1, 1)))
            places |= {item.key: left, partner[item.key]: right}
        place: AbstractContextManager[Any] = places.get(item.key) or nullcontext()
        with place:
            if item.key in above:
                above[item.key]()
            if isinstance(item, Picture):
                chart(item, clicks.get(item.key), revision)
            else:
                words(item, styles)


def chart(picture: Picture, on_click: OnClick | None = None, revision: int = 0) -> None:
    """Draw a picture of a view, and its sentence below it."""
    shows = st.session_state[SHOWS]
    options = drawn(picture, shows=shows, revision=revision)
    live_chart(picture.drawing, key=picture.key, on_click=on_click, **options)
    if picture.how:
        layout.how_to_read(picture.how, _written(picture), picture.key)


def drawn(picture: Picture, **more: Unpack[Look]) -> Options:
    """How a chart is to show a picture."""
    own: Options = {
        "height": picture.height,
        "time_axis": picture.time_axis,
        "step_axis": picture.step_axis,
        "tracks": picture.tracks,
        "filename": f"rnnviz-{picture.key}",
        "alt": picture.alt,
    }
    return {**own, **more}


def _written(picture: Picture) -> str:
    return "\n".join(in_drawing(picture.drawing["layout"]))


def spoken(item: Picture | Words, styles: Mapping[str, theme.Style]) -> dict[str, str]:
    """The words of a page that follow a knob while it moves, as HTML, under the names that they
    have in the page."""
    if isinstance(item, Picture):
        how = item.how and words_html.how_to_read(item.how, _written(item))
        return {f"how-{item.key}": how} if how else {}
    if item.key == "verdict":
        return {"verdict": words_html.verdict(item.lines, styles)}
    if item.key == "warning":
        return {"warning": words_html.warning(sentences(item.lines))}
    return {}


def words(said: Words, styles: Mapping[str, theme.Style]) -> None:
    """The answer in large, a note in small, a warning with its sign."""
    if said.key == "verdict":
        layout.verdict(said.lines, styles)
    elif said.key == "warning":
        layout.warn(sentences(said.lines), said.key)
    elif said.key == "sentence":
        for line in said.lines:
            layout.sentence(line, styles)
    elif said.key == "info":
        st.info(sentences(said.lines))
    else:
        layout.small(said.lines)


def chosen_layer() -> tuple[str, str]:
    """What was chosen last, "" for nothing: names of a layer and a direction."""
    return layout.chosen(LAYER), layout.chosen(DIRECTION)


def layer_choice(choice: LayerChoice, small: bool = False) -> None:
    """Each only where there is something to choose; small where they stand beside others."""
    text = texts("layout")
    if len(choice.layers) > 1:
        narrow = ALL_WIDTH if ALL in choice.layers else LAYER_WIDTH
        width = narrow if small else None
        layout.choice(text["layer"], choice.layers, LAYER, choice.layer, _layer_name, width)
    if len(choice.directions) > 1:
        width = DIRECTION_WIDTH if small else None
        names = choice.directions
        layout.choice(text["direction"], names, DIRECTION, choice.direction, _direction_name, width)


def _layer_name(layer: str) -> str:
    if layer == ALL:
        return say("layout", "all_layers")
    return say("names", "layer", number=layer)


def _direction_name(direction: str) -> str:
    return texts("layout")[direction]


def theory_is_on() -> bool:
    """Whether theory is drawn."""
    return is_on(THEORY)


def is_on(name: str) -> bool:
    """Whether a page's switch is on. A link says it as text."""
    return st.session_state.get(view_key(name)) in (True, "True")


def choices_row() -> DeltaGenerator:
    """Where a page's choices and the switch stand, beside its question."""
    return st.container(horizontal=True, gap="small", horizontal_alignment="right",
                        vertical_alignment="center", key="choices")  # fmt: skip


def theory_switch() -> None:
    """Whether theory is laid over the page's figures."""
    page_switch(THEORY, texts("layout")["theory"])


def page_switch(name: str, label: str) -> None:
    """It stands where there is room without moving the page's figures."""
    st.session_state[view_key(name)] = is_on(name)
    st.toggle(label, **widget(view_key(name), then=partial(st.rerun, WHOLE_PAGE)))


def equations(plan: Plan) -> None:
    """An expander for each different network on the page."""
    for name, label in views.different(plan).items():
        title = fill(texts("layout")["equations"], network=display_name(name))
        with layout.lazy(title) as opened:
            if opened:
                st.markdown(views.equations(plan, label))
