"""Every colour and size of the figures.

Models' colours can be read as small text on white (contrast at least 4.5:1) and be seen on
near-black (3:1), so one figure serves a page and a notebook; a dark page puts `DARK` in their
place. The three cells keep the hues of Okabe and Ito's palette (https://jfly.uni-koeln.de/color/),
which stay apart in the common kinds of colour blindness.
Text that carries no model's colour is left to the page's theme.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnnviz.analysis.layers import SEPARATOR
from rnnviz.wording.lists import cut, listed, shortened
from rnnviz.wording.names import name_parts, place_name

WIDTH = 960
"""Pixels a figure is designed for; the page may stretch it."""

AXIS_SIZE = 16
LABEL_SIZE = 18
NOTE_SIZE = 15
TICK_SIZE = 14
SMALL_SIZE = 13
LINE = 3
THIN = 1.5

INK = "#16191d"
PAPER = "#ffffff"
GREY = "#808890"
"""Ghosts, rules and whatever belongs to no model."""
GRID = "rgba(128,136,144,0.25)"

SEQUENTIAL = "Viridis"
"""Magnitudes and gates: perceptually uniform, the same to a colour-blind reader."""
DIVERGING = (
    (0.0, "#4b2a85"),
    (0.25, "#9f86c4"),
    (0.5, "#e8e6e1"),
    (0.75, "#d9bf4a"),
    (1.0, "#7a6200"),
)
"""Signed quantities, centred at 0: purple below, yellow above; no model is of these colours."""
NOT_A_NUMBER = "#c2528e"
EXACT_ZERO = "#8a8f98"
INFINITE = "#d11141"
ROUNDED_ZERO = "#b7a98f"
REFUSED = "#55606e"
"""Cells that are no number on the scale wear a colour that is not on the scale."""

KIND_COLOURS: Mapping[str, tuple[str, ...]] = {
    "rnn": ("#bf5400", "#c04c7a", "#986d1b"),
    "lstm": ("#1d72cd", "#7367cc", "#1a808c"),
    "gru": ("#0c6e5b", "#55801c", "#387e84"),
}
OTHER_COLOURS = ("#7367cc", "#986d1b", "#c04c7a")
NO_MODEL = ("#7a3fb0", "#c2255c", "#7d7000", "#5e6772", "#2b3036")
"""Of what is told apart and is no model: activations, biases, cases. The last one for a fifth."""
WRONG, RIGHT = NO_MODEL[1], NO_MODEL[3]
PARTS: Mapping[str, str] = {
    "weight": "#5f6873",
    "slope": "#a9b1bb",
    "direction": "#c2255c",
    "passed": "#5f6873",
    "carry": "#5f6873",
    "leak": "#5f6873",
    "output": "#a9b1bb",
    "skip": "#a9b1bb",
    "entering": "#8f3f97",
    "a": "#d3a900",
    "g": "#d3a900",
    "n": "#d3a900",
    "i": "#efe08a",
    "z": "#efe08a",
    "f": "#8a7a2e",
    "r": "#8a7a2e",
    "o": "#f7c9a0",
}
"""Factors of a step and paths through it: greys for what no weight turns, yellows for gates, and
for nothing else."""
DARK: Mapping[str, str] = {
    "#bf5400": "#f0741a",
    "#c04c7a": "#dd7ba2",
    "#986d1b": "#c8912a",
    "#1d72cd": "#3f93e8",
    "#7367cc": "#a098ea",
    "#1a808c": "#2fb0c0",
    "#0c6e5b": "#2bd4a0",
    "#55801c": "#7fb437",
    "#387e84": "#55adb3",
    "#7a3fb0": "#b784e8",
    "#c2255c": "#f06595",
    "#7d7000": "#cdb82a",
    "#5e6772": "#a9b1bc",
    "#2b3036": "#eef1f5",
}
"""What each colour of a line or a text becomes on a dark page."""
FONT = "system-ui, PingFang SC, Microsoft YaHei, Noto Sans CJK SC, sans-serif"
"""Of a figure outside of the page, with what systems have for Chinese."""
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")

_MARKUP = re.compile(r"[<>${}\\\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Style:
    """How one model is drawn, everywhere.

    Examples
    --------
    >>> plots.model_styles(["rnn", "lstm"])["lstm"].name
    'LSTM'
    """

    name: str
    """The cell in capitals: RNN."""
    detail: str
    """What sets it apart from the shared knobs: forget bias 0. Often empty."""
    colour: str
    dash: str
    where: str = ""
    """The layer and direction: layer 2 ←. Empty where the model has one of each."""
    faint: bool = False
    """Whether it stands behind another layer of its model: thin, its name in small."""

    @property
    def title(self) -> str:
        name = listed(filter(None, (self.name, self.detail)))
        return f"{name}{SEPARATOR}{self.where}" if self.where else name

    @property
    def small(self) -> str:
        """What stands in small beside or below the name."""
        return listed(filter(None, (self.where, self.detail)))

    @property
    def width(self) -> float:
        return THIN if self.faint else LINE


Styles = Mapping[str, Style]
"""Model label -> its style, the same in every figure."""


def plain(text: object, limit: int = 40) -> str:
    """User text made safe for a label: no mark-up, no TeX, no template, one line, not too long."""
    return cut(_clean(text), limit)


def short(name: object, limit: int = 40) -> str:
    """The same of a model's name or detail: where it is too long, its end is kept as well, at which
    it differs from another."""
    return shortened(_clean(name), limit)


def _clean(text: object) -> str:
    return " ".join(_MARKUP.sub("", str(text)).split())


def model_kind(label: str) -> str:
    """The cell's name in a label: "lstm" of "lstm:forget_bias=0" and of "lstm · layer 2"."""
    return label.partition(SEPARATOR)[0].partition(":")[0].strip().lower()


def model_colour(label: str, index: int = 0) -> str:
    """A model's colour. `index` counts the models of the same cell before it, not all models.

    Examples
    --------
    >>> plots.model_colour("lstm")
    '#1d72cd'
    """
    shades = KIND_COLOURS.get(model_kind(label), OTHER_COLOURS)
    return shades[index % len(shades)]


def model_dash(index: int = 0) -> str:
    """A model's dash pattern: solid for the first of its cell."""
    return DASHES[index % len(DASHES)]


def model_styles(labels: Sequence[str]) -> dict[str, Style]:
    """The style of each model of a page, or of each layer of a model, in the page's order. All
    layers and directions of a model share its colour and dash.

    Pass the result to every figure of the page, so that a figure that shows only some of the
    models gives them the same colours.

    Examples
    --------
    >>> [style.dash for style in plots.model_styles(["lstm", "lstm:forget_bias=0"]).values()]
    ['solid', 'dash']
    """
    places: dict[str, int] = {}
    kinds: dict[str, int] = {}
    styles: dict[str, Style] = {}
    for label in dict.fromkeys(labels):
        model, _, where = label.partition(SEPARATOR)
        if model not in places:
            kind = model_kind(model)
            places[model] = kinds.get(kind, 0)
            kinds[kind] = places[model] + 1
        styles[label] = _style(model, where, places[model])
    return styles


def _style(model: str, where: str, index: int) -> Style:
    cell, *settings = name_parts(model)
    name, *more = cell.split(", ", 1)
    detail = listed([*more, *settings])
    colour, dash = model_colour(model, index), model_dash(index)
    return Style(short(name, 16), short(detail), colour, dash, plain(place_name(where), 20))


def styles_for(labels: Sequence[str], styles: Mapping[str, Style] | None) -> Mapping[str, Style]:
    """The page's styles, with the labels it does not know added."""
    known = dict(styles or {})
    missing = [label for label in labels if label not in known]
    return {**model_styles(missing), **known} if missing else known


def axis(**options: Any) -> dict[str, Any]:
    """What every axis of the template has in common."""
    return {
        "showgrid": True,
        "gridcolor": GRID,
        "zeroline": False,
        "linecolor": INK,
        "tickcolor": INK,
        "ticks": "outside",
        "ticklen": 4,
        "title": {"font": {"size": AXIS_SIZE}, "standoff": 6},
        "tickfont": {"size": AXIS_SIZE},
        # Each of these spares the browser measuring every label at every update.
        "automargin": False,
        "tickangle": 0,
        "ticklabeloverflow": "allow",
        **options,
    }


def template() -> dict[str, Any]:
    """The template of every figure: small, and not plotly's or Streamlit's default."""
    return {
        "layout": {
            "font": {"size": AXIS_SIZE, "color": INK, "family": FONT},
            "paper_bgcolor": PAPER,
            "plot_bgcolor": PAPER,
            "xaxis": axis(),
            "yaxis": axis(),
            "hoverlabel": {"font": {"size": NOTE_SIZE}},
            "legend": {"font": {"size": NOTE_SIZE}, "orientation": "h"},
            "annotationdefaults": {"font": {"size": NOTE_SIZE}, "showarrow": False},
        }
    }
