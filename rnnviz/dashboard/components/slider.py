"""A slider whose value the page follows while it moves.

The value lives in `st.session_state[key]` as a plain float, so reading is
`st.session_state["gain"]` and setting (Reset, a preset, a link) is
`st.session_state["gain"] = 1.0`, from a button's callback or anywhere before the slider is drawn;
`set_value` does the same. The value stays when its page is left. What the browser
sends arrives through a callback, before the script's body runs, as with Streamlit's own widgets.

What follows the hand is `dashboard.live`, past the script; the script hears of a value that has
come to rest. On a page without it, or where that fails, the slider sends every value to the script.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import streamlit as st

from rnnviz.dashboard.components.browser import HERE, finite, loader, number

_SLIDER = st.components.v2.component(
    "rnnviz_slider",
    html=(HERE / "slider.html").read_text("utf-8"),
    css=(HERE / "slider.css").read_text("utf-8"),
    js=loader("slider.js"),
)
_RUN = st.components.v2.component("rnnviz_run", js=loader("run.js"))
_BELOW = st.components.v2.component("rnnviz_below", js=loader("below.js"))
_OFFER = st.components.v2.component("rnnviz_offer", js=loader("offer.js"))
_SET, _BELOW_COUNT = "sliders.set", "below.count"


def live_slider(
    label: str,
    *,
    key: str,
    value: float,
    low: float,
    high: float,
    step: float,
    log: bool = False,
    fmt: str = "%.2f",
    ticks: Sequence[float] = (),
    help: str | None = None,
    disabled: bool = False,
    default: float | None = None,
    named_ticks: bool = False,
    on_change: Callable[[], None] | None = None,
) -> float:
    """Draw the slider and return its value, one of the last the browser sent.

    Parameters
    ----------
    label : shown on the left, and the accessible name.
    key : where the value lives in `st.session_state`.
    value : used when `st.session_state` has none yet.
    low, high : the ends of the track; 0 < low for a log scale.
    step : what one arrow key moves: in units of the value, or in octaves (log2) on a log scale.
    log : equal distances are equal ratios, so that 1 is the middle of 0.25 to 4.
    fmt : how the value is written: one `%d`, `%.2f`, `%.3g` or `%+.1f` with any text around it.
    ticks : values with a mark under the track, where a drag comes to rest exactly.
    help : a sentence shown on hover and read out by a screen reader.
    default : what a double click on the label sets; without it, nothing.
    named_ticks : whether each mark says its value.
    on_change : called after a new value has arrived, before the script's body.

    Raises
    ------
    ValueError : if the range, the step or the scale make no slider.
    """
    _check(label, low, high, step, log)
    if key not in st.session_state:
        st.session_state[key] = float(value)
    current = clamp(st.session_state[key], low, high)
    data = {
        "key": key,
        "label": label,
        "value": current,
        "low": low,
        "high": high,
        "step": step,
        "log": log,
        "fmt": fmt,
        "ticks": [tick for tick in ticks if low <= tick <= high],
        "named": named_ticks,
        "help": help or "",
        "disabled": disabled,
        "reset": default,
        "seq": st.session_state.get(_seq_key(key), 0),
    }
    _SLIDER(
        key=_component_key(key),
        data=data,
        on_knob_change=partial(_adopt, key, low, high, on_change),
    )
    return current


def follow_hand(
    page: str,
    token: str,
    path: str,
    rest: int,
    keys: Iterable[str],
    beside: str = "",
) -> None:
    """Draw nothing, but tell the sliders how this page follows them. Call it once a page.

    Parameters
    ----------
    page : the path of its address.
    token : what the live route knows the page by; "" where the page shows a value that has come to
        rest, and none before.
    path : of the live route.
    rest : milliseconds without a move after which a value has come to rest.
    keys : of all sliders. Each learns which of its messages was heard last.
    beside : names what stands beside the figures; where the live route names something else, the
        script draws it. "" where only the script can show a value at rest.
    """
    heard = {key: st.session_state.get(_seq_key(key), 0) for key in keys}
    data = {"page": page, "token": token, "path": path, "rest": rest, "heard": heard,
            "beside": beside}  # fmt: skip
    _OFFER(key="page.offer", data=data)


def all_drawn(run: int, language: str) -> None:
    """Draw nothing, but let the browser know that a run of the whole script, of this number, has
    come to its end, and which language it speaks. Call it there, and in no fragment."""
    _RUN(key="drawn.run", data={"run": run, "language": language})


def below_the_fold() -> None:
    """Draw nothing, but let the browser know that the part of a page that is below the fold has
    come to its end, and ask for that part when it comes in sight. Call it there."""
    count = st.session_state[_BELOW_COUNT] = st.session_state.get(_BELOW_COUNT, 0) + 1
    _BELOW(key="below.fold", data={"count": count}, on_look_change=lambda: None)


def last_drawn(key: str) -> float | None:
    """Which run of the script the browser had drawn last when the slider sent its value."""
    return finite(_knob(key).get("run"))


def looks_below(key: str) -> bool:
    """Whether what is below the fold was in sight when the slider sent its value."""
    return _knob(key).get("below") is not False


def set_value(key: str, value: float) -> None:
    """Set a slider's value, from a callback or before the slider is drawn."""
    st.session_state[key] = float(value)


def clamp(value: Any, low: float, high: float) -> float:
    """Bring what a browser or a link sent into the range; what is no number becomes `low`."""
    read = number(value)
    return low if read is None else min(max(read, low), high)


def _adopt(key: str, low: float, high: float, on_change: Callable[[], None] | None) -> None:
    """Its number goes back to the browser: the slider is told of a value that is set afterwards,
    even if that is the one it was drawn with."""
    hear(key, low, high)
    if on_change is not None:
        on_change()


def hear(key: str, low: float, high: float) -> None:
    """Take over what the browser sent last. Streamlit tells of a click on a button before it tells
    of a slider that was moved before, where both wait for a script: a button's callback that does
    something with the value calls this first."""
    told = _knob(key)
    if not told:  # a slider that is not drawn any more says nothing
        return
    seq = finite(told.get("seq")) or 0.0
    if seq == st.session_state.get(_seq_key(key), 0):
        return
    st.session_state[_seq_key(key)] = seq
    if not _is_stale(told):
        st.session_state[key] = clamp(told.get("value"), low, high)


def end_moves(run: int) -> None:
    """What sliders have sent before the browser has drawn this run of the script is not listened
    to: other code has set them since. See `hear`."""
    st.session_state[_SET] = run


def _is_stale(told: dict[str, Any]) -> bool:
    drawn = finite(told.get("run"))
    return drawn is not None and drawn < st.session_state.get(_SET, 0)


def _knob(key: str) -> dict[str, Any]:
    """What the browser sent last: {"value", "seq", "run", "below"}, or nothing yet."""
    told = (st.session_state.get(_component_key(key)) or {}).get("knob")
    return told if isinstance(told, dict) else {}


def _seq_key(key: str) -> str:
    return f"{key}.seq"


def _component_key(key: str) -> str:
    return f"{key}.slider"


def _check(label: str, low: float, high: float, step: float, log: bool) -> None:
    if not low < high:
        raise ValueError(f"{label}: low = {low} and high = {high}; low must be below high")
    if not step > 0:
        raise ValueError(f"{label}: step = {step}; it must be above 0")
    if log and not low > 0:
        raise ValueError(f"{label}: low = {low} on a log scale; it must be above 0")
