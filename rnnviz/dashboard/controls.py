"""The sidebar: widgets -> Setting. Ranges, names and defaults come from `experiment.FIELDS`."""

from __future__ import annotations

import streamlit as st

from rnnviz.core import CELLS
from rnnviz.dashboard import address, state
from rnnviz.dashboard.knobs import hear_sliders, more, select, slider
from rnnviz.dashboard.state import PIN, Setting
from rnnviz.experiment import FIELDS, Experiment, check_size
from rnnviz.experiment.links import left_out
from rnnviz.experiment.presets import PRESETS
from rnnviz.wording.library import translated
from rnnviz.wording.names import display_name, field_name
from rnnviz.wording.texts import OFFERED, fill, language, own_name, texts

LAYERED = ("view_layer", "view_direction")
"""Display choices that the defaults leave no room for."""


def sidebar() -> None:
    """Draw the knobs."""
    with st.sidebar:
        _preset()
        _models()
        slider("gain", ticks=(1.0,))
        chrono = st.session_state["gate_init"] == "chrono"
        slider("memory_bias", ticks=(0.0, 3.0), disabled=chrono)
        left, right = st.columns([3, 2])
        with left:
            select("init")
        with right:
            select("activation")
        slider("seq_len", ticks=(100,))
        slider("distractor", ticks=(0.0, 1.0))
        _loss_and_seed()
        with st.container(horizontal=True, gap="small"):
            _buttons()


def languages() -> None:
    """In the page's header a button for every other language, under the name it has for itself."""
    with st.container(key="language"):
        for name in OFFERED:
            if name != language():
                st.button(own_name(name), key=f"speak_{name}", type="tertiary",
                          on_click=state.choose_language, args=(name,))  # fmt: skip


def setting() -> Setting:
    """What the knobs say."""
    experiment, _ = state.read()
    return Setting(experiment, st.session_state[PIN])


def say_problem() -> None:
    """Say what is wrong with the knobs, if anything."""
    _, problem = state.read()
    if problem:
        st.error(fill(texts("sidebar")["problem"], problem=translated(problem)))


def follow(shown: Setting) -> None:
    """Let the address follow."""
    address.write_address(address.query_of(shown))


def _preset() -> None:
    text = texts("sidebar")
    st.selectbox(
        text["preset"],
        options=list(PRESETS),
        format_func=lambda name: texts("presets")[f"title_{name}"],
        placeholder=text["choose_preset"],
        required=True,  # or Escape would empty it
        label_visibility="collapsed",
        **state.widget("preset", options=list(PRESETS), then=_choose_preset),
    )


def _choose_preset() -> None:
    chosen = st.session_state.get("preset")
    if chosen in PRESETS:
        apply_preset(chosen)


def apply_preset(name: str) -> None:
    """Set every knob as the preset has it, but the seed. A button's callback."""
    st.session_state["preset"] = name
    state.adopt(PRESETS[name].experiment(seed=st.session_state["seed"]))


def _models() -> None:
    known = list(dict.fromkeys([*CELLS, *st.session_state["models"]]))
    st.pills(
        field_name("models"),
        options=known,
        selection_mode="multi",
        format_func=display_name,
        label_visibility="collapsed",
        **state.widget("models", default="default"),
    )


def _loss_and_seed() -> None:
    st.segmented_control(
        field_name("loss_at"),
        options=FIELDS["loss_at"].choices,
        format_func=lambda at: texts("names")[f"loss_at_{at}"],
        required=True,
        **state.widget("loss_at", default="default"),
    )
    left, middle, right = st.columns([6, 3, 8], vertical_alignment="bottom")
    with left:
        known = FIELDS["seed"]
        st.number_input(field_name("seed"), int(known.low), int(known.high), step=1,
                        **state.widget("seed"))  # fmt: skip
    with middle:
        st.button(texts("sidebar")["reseed"], icon=":material/casino:", key="reseed",
                  on_click=_reseed, help=texts("sidebar")["help_reseed"])  # fmt: skip
    with right:
        more()


def _reseed() -> None:
    st.session_state["seed"] = (st.session_state["seed"] + 1) % (int(FIELDS["seed"].high) + 1)
    state.count_run()


def _buttons() -> None:
    text = texts("sidebar")
    st.button(text["reset"], on_click=_reset, help=text["help_reset"])
    if st.session_state[PIN] is None:
        st.button(text["pin"], on_click=_pin, help=text["help_pin"])
    else:
        st.button(text["unpin"], on_click=_unpin, help=text["help_unpin"])
    link = st.popover(text["open_link"], key="link", on_change=state.count_run)
    if link.open:
        with link:
            _link()


def _link() -> None:
    experiment, _ = state.read()
    st.caption(texts("sidebar")["link"])
    link = address.link(Setting(experiment, st.session_state[PIN]))
    st.code(link, language=None, wrap_lines=True)
    if cut := left_out(experiment):
        st.caption(translated(cut))


def _reset() -> None:
    state.adopt(Experiment())
    address.forget_messages()
    st.session_state.update({PIN: None, "preset": state.preset_of(Experiment())})
    for path in state.PAGE_VIEWS:
        for view in LAYERED:
            st.session_state.pop(state.view_key(view, path), None)


def _pin() -> None:
    hear_sliders()
    experiment, _ = state.read()
    if not check_size(experiment):
        st.session_state[PIN] = experiment
        state.count_run()


def _unpin() -> None:
    st.session_state[PIN] = None
    state.count_run()
