"""The knobs: each a live slider, or a list, whose range and name come from `experiment.FIELDS`. The
rarer ones stand behind one button: the task, the shape, models with settings of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import streamlit as st

from rnnviz.core import CELLS
from rnnviz.dashboard import layout, own_text, state
from rnnviz.dashboard.components import live_slider
from rnnviz.dashboard.components.slider import hear, last_drawn, looks_below
from rnnviz.experiment import FIELDS, MAX_MODELS, Model, make_task
from rnnviz.experiment.model import override_field, overrides_of
from rnnviz.wording.example import example_words
from rnnviz.wording.names import cell_name, field_name, setting_name
from rnnviz.wording.tasks import task_name, task_words
from rnnviz.wording.texts import fill, language, say, texts

# Where a knob's useful range is narrower than what is allowed: (low, high, format).
RANGES = {
    "gain": (0.25, 4.0, "%.2f"),
    "memory_bias": (-2.0, 6.0, "%.1f"),
    "seq_len": (10, 500, "%d"),
    "distractor": (0.0, 3.0, "%.1f"),
    "hidden_size": (1, 256, "%d"),
    "batch_size": (1, 64, "%d"),
    "input_scale": (0.0, 4.0, "%.1f"),
    "layers": (1, 4, "%d"),
    "leak": (0.01, 1.0, "%.2f"),
    "skip": (0, 20, "%d"),
}
OCTAVES = 1 / 24
PROBLEM = "variant_problem"
DRAFT: dict[str, Any] = {"persist_state": "session"}
"""Of what is filled in, and kept while the popover is closed."""


def slider(
    name: str, ticks: tuple[float, ...] = (), disabled: bool = False, whole: bool = False
) -> None:
    """A live slider whose range holds what a link or a preset asked for, too, and keeps holding
    it while the knob moves. whole: on a page that has no part that runs alone."""
    known, (low, high) = FIELDS[name], _range(name)
    live_slider(
        field_name(name),
        key=name,
        value=known.default,
        low=low,
        high=high,
        step=OCTAVES if known.log else (known.step or 1),
        log=known.log,
        fmt=_format(st.session_state[name], RANGES[name][2]),
        ticks=ticks,
        help=texts("sidebar")[f"help_{name}"],
        disabled=disabled,
        default=known.default,
        named_ticks=whole,
        on_change=None if whole else partial(_show_page, name),
    )


def _range(name: str) -> tuple[float, float]:
    low, high, _ = RANGES[name]
    held = (st.session_state[name], getattr(st.session_state[state.ASKED], name))
    return min(low, *held), max(high, *held)


def hear_sliders() -> None:
    """What they say is so already, in a callback; and at the beginning of a script. What a slider's
    own callback writes is lost where another message comes at once, as of a popover that closes:
    Streamlit ends the run that the callback belongs to, and calls it no more."""
    for name in RANGES if state.ASKED in st.session_state else ():
        hear(name, *_range(name))


def _format(value: float, fmt: str) -> str:
    """The knob's format, or one with the digits that a value from a link needs; of whole numbers
    there are none between."""
    return fmt if "d" in fmt or abs(float(fmt % value) - value) <= 0.01 * abs(value) else "%.3g"


def _show_page(name: str) -> None:
    """Run the page alone: the other knobs do not depend on a slider, and what is below the fold is
    asked for when it is looked at. All, if the browser had not drawn the last run of all: that may
    never reach it, or was cut short, before it has drawn a popover that was opened."""
    if last_drawn(name) == st.session_state[state.RUN]:
        st.rerun(state.WHOLE_PAGE if looks_below(name) else (state.PAGE,))


def select(name: str) -> None:
    """A list of what a field may be."""
    st.selectbox(
        field_name(name),
        options=FIELDS[name].choices,
        format_func=task_name if name == "task" else setting_name,
        **state.widget(name, options=FIELDS[name].choices),
    )


def more() -> None:
    """Drawn only while it is seen: a widget costs about a millisecond a run."""
    label = say("sidebar", "more")
    opened = st.popover(label, width="stretch", key="more", on_change=state.count_run)
    if not opened.open:
        return
    with opened:
        _task()
        layout.side_by_side(select, [("bidirectional",), ("gate_init",), ("match",), ("dtype",)])
        sizes = [("hidden_size", (64,)), ("batch_size", (16,)), ("input_scale", (1.0,))]
        layout.side_by_side(slider, sizes)
        layout.side_by_side(slider, [("layers", (1,)), ("leak", (1.0,)), ("skip", (0,))])
        add_model()


def _task() -> None:
    """The task, and beside it what it is about."""
    left, right = st.columns([2, 5])
    with left:
        select("task")
    with right:
        st.caption(task_words(state.read()[0]))
        st.caption(_task_example())
    if (task := st.session_state["task"]) in own_text.READERS:
        own_text.ways(task, "widget")


def _task_example() -> str:
    """One of the task's sequences; none where it cannot be made."""
    e = state.read()[0]
    with suppress(ValueError):
        batch = make_task(e).batch(e.seed, e.seq_len, 1, e.loss_at)
        return example_words(e.task, batch)
    return ""


def add_model() -> None:
    """A cell, one of its settings, a value, and a button that adds that model."""
    st.markdown(texts("sidebar")["add_model"])
    left, middle, right, last = st.columns([2, 3, 5, 3], vertical_alignment="bottom")
    with left:
        kind = st.selectbox(
            say("sidebar", "cell"),
            list(CELLS),
            format_func=cell_name,
            key="variant_kind",
            **DRAFT,
        )
    with middle:
        settings = overrides_of(kind)
        setting = _list(say("sidebar", "setting"), settings, setting_name, f"setting_{kind}")
    with right:
        _variant_value(kind, setting)
    with last:
        st.button(say("sidebar", "add"), on_click=_add_variant, width="stretch")
    if problem := st.session_state.pop(PROBLEM, ""):
        st.error(problem)


def _variant_value(kind: str, setting: str) -> None:
    label = say("sidebar", "value")
    if not (choices := _choices(kind, setting)):
        allowed = override_field(setting, kind).allowed
        st.text_input(label, key="variant_value", placeholder=allowed, **DRAFT)
        return
    _list(label, choices, _called, f"value_{setting}_{kind}")


def _list(label: str, options: Sequence[str], called: Callable[[str], str], what: str) -> str:
    """A list of the form; tells what is chosen. In another language it is another one, with the
    same choice: a browser knows what is chosen by its words."""
    name, key = f"variant_{what}", f"variant_{what}_{language()}"
    index = options.index(_listed(options, what))
    st.session_state[name] = st.selectbox(label, options, index, called, key=key)
    return str(st.session_state[name])


def _listed(options: Sequence[str], what: str) -> str:
    """What is chosen, or was when the list was drawn last; of one that was not, the first."""
    filled, name = st.session_state, f"variant_{what}"
    return str(filled.get(f"{name}_{language()}") or filled.get(name) or options[0])


def _choices(kind: str, setting: str) -> list[str]:
    """Where a setting is no number: a variant is what the cell is not already."""
    return [choice for choice in override_field(setting, kind).choices if choice != "plain"]


def _draft() -> str:
    """The label of the model that is filled in now. The form may have been drawn before its last
    entry: what it was drawn with is not asked."""
    filled = st.session_state
    kind = filled["variant_kind"]
    setting = _listed(overrides_of(kind), f"setting_{kind}")
    if choices := _choices(kind, setting):
        value = _listed(choices, f"value_{setting}_{kind}")
    else:
        value = filled.get("variant_value") or ""
    return f"{kind}:{setting}={value.strip()}"


def _check_page(model: Model) -> None:
    """Raise ValueError for a number that no link may ask for either."""
    for name, value in model.overrides:
        known = override_field(name, model.kind)
        if known.kind != "choice" and not known.page_low <= value <= known.page_high:
            raise ValueError(f"{name} of {model.kind} must be {known.allowed} here, got {value}")


def _called(choice: str) -> str:
    return texts("sidebar").get(f"variant_{choice}", setting_name(choice))


def _add_variant() -> None:
    state.speak_here()
    models, text = st.session_state["models"], texts("sidebar")
    try:
        model = Model(_draft())
        _check_page(model)
    except ValueError as error:
        st.session_state[PROBLEM] = str(error)
        return
    if model in models:
        st.session_state[PROBLEM] = fill(text["model_is_there"], model=str(model))
    elif len(models) >= MAX_MODELS:
        st.session_state[PROBLEM] = fill(text["too_many_models"], most=MAX_MODELS)
    else:
        st.session_state["models"] = [*models, str(model)]
