"""The sidebar: widgets -> Setting. Ranges, names and defaults come from `experiment.FIELDS`."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from rnnviz.analysis.labels import display_name
from rnnviz.core import CELLS
from rnnviz.dashboard import layout, state, variants
from rnnviz.dashboard.components import dragging, live_slider
from rnnviz.dashboard.state import PIN, Setting
from rnnviz.experiment import FIELDS, Experiment, check_size
from rnnviz.links import left_out
from rnnviz.presets import PRESETS

SLIDERS = ("gain", "memory_bias", "seq_len", "distractor", "hidden_size", "batch_size",
           "input_scale")  # fmt: skip
# Where a knob's useful range is narrower than what is allowed: (low, high, format).
RANGES = {
    "gain": (0.25, 4.0, "%.2f"),
    "memory_bias": (-2.0, 6.0, "%.1f"),
    "seq_len": (10, 500, "%d"),
    "distractor": (0.0, 3.0, "%.1f"),
    "hidden_size": (1, 256, "%d"),
    "batch_size": (1, 64, "%d"),
    "input_scale": (0.0, 4.0, "%.1f"),
}
OCTAVES = 1 / 24
LABELS = {"init": "Initializer", "activation": "Activation"}


def sidebar() -> None:
    """Draw the knobs. A visit begins with what its link asks."""
    state.begin_visit()
    with st.sidebar:
        _preset()
        _models()
        _slider("gain", "Scales W_hh, of gated cells each H × H block.", ticks=(1.0,))
        _slider("memory_bias", "Sets the LSTM's forget bias b_f and the GRU's update bias b_z.",
                ticks=(0.0, 3.0),
                disabled=st.session_state["gate_init"] == "chrono")  # fmt: skip
        left, right = st.columns([3, 2])
        with left:
            _select("init")
        with right:
            _select("activation")
        _slider("seq_len", "Steps from the clue to the question.", ticks=(100,))
        _slider("distractor", "Amplitude of the noise after the clue.", ticks=(0.0, 1.0))
        _loss_and_seed()
        with st.container(horizontal=True, gap="small"):
            _buttons()


def setting() -> Setting:
    """What the knobs say.

    While one is dragged the run is in single precision: it takes half the time and moves a curve
    by less than its width, unless the dynamics are chaotic; at rest the run is exact.
    """
    experiment, _ = state.read()
    if any(map(dragging, SLIDERS)):
        return Setting(replace(experiment, dtype="float32"), st.session_state[PIN], dragging=True)
    return Setting(experiment, st.session_state[PIN], dragging=False)


def follow(shown: Setting) -> None:
    """Say what is wrong with the knobs; let the address follow if none is held."""
    _, problem = state.read()
    if problem:
        st.error(f"{problem}. The page still shows the last experiment that could be run.")
    if not shown.dragging:
        state.write_address(state.query_of(shown))


def _preset() -> None:
    st.selectbox(
        "Preset",
        options=list(PRESETS),
        format_func=lambda name: PRESETS[name].title,
        index=None,
        placeholder="Choose a preset …",
        key="preset",
        on_change=_choose_preset,
        label_visibility="collapsed",
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
        "Models",
        options=known,
        selection_mode="multi",
        format_func=display_name,
        key="models",
        label_visibility="collapsed",
    )


def _slider(name: str, help: str, ticks: tuple[float, ...] = (), disabled: bool = False) -> None:
    """A live slider whose range holds what a link or a preset asked for, too, and keeps holding
    it while the knob moves."""
    known, (low, high, fmt) = FIELDS[name], RANGES[name]
    held = (st.session_state[name], getattr(st.session_state[state.ASKED], name))
    live_slider(
        known.label,
        key=name,
        value=known.default,
        low=min(low, *held),
        high=max(high, *held),
        step=OCTAVES if known.log else (known.step or 1),
        log=known.log,
        fmt=_format(held[0], fmt),
        ticks=ticks,
        help=help,
        disabled=disabled,
        default=known.default,
        on_change=_show_page,
    )


def _format(value: float, fmt: str) -> str:
    """The knob's format, or one with the digits that a value from a link needs."""
    return fmt if abs(float(fmt % value) - value) <= 0.01 * abs(value) else "%.3g"


def _show_page() -> None:
    """Run the page alone: the other knobs do not depend on a slider."""
    st.rerun(state.PAGE if any(map(dragging, SLIDERS)) else state.WHOLE_PAGE)


def _select(name: str) -> None:
    known = FIELDS[name]
    st.selectbox(
        LABELS.get(name, known.label),
        options=known.choices,
        format_func=lambda choice: choice.replace("_", " "),
        key=name,
    )


def _loss_and_seed() -> None:
    st.segmented_control(
        FIELDS["loss_at"].label,
        options=FIELDS["loss_at"].choices,
        format_func=lambda at: f"{at} step",
        key="loss_at",
        required=True,
    )
    left, middle, right = st.columns([6, 3, 8], vertical_alignment="bottom")
    with left:
        known = FIELDS["seed"]
        st.number_input("Seed", int(known.low), int(known.high), step=1, key="seed")
    with middle:
        st.button("", icon=":material/casino:", key="reseed", on_click=_reseed,
                  help="Another seed: redraw weights and data")  # fmt: skip
    with right:
        _more()


def _reseed() -> None:
    st.session_state["seed"] = (st.session_state["seed"] + 1) % (int(FIELDS["seed"].high) + 1)


def _more() -> None:
    """The rarer knobs, drawn only while they are seen: a widget costs about a millisecond a run."""
    more = st.popover("More", width="stretch", key="more", on_change="rerun")
    if not more.open:
        return
    with more:
        layout.side_by_side(_select, [(name,) for name in ("task", "gate_init", "match", "dtype")])
        st.text_area(
            "Text for the tasks “text” and “words”",
            key="text",
            max_chars=int(FIELDS["text"].high),
            height=80,
            disabled=st.session_state["task"] not in ("text", "words"),
        )
        layout.side_by_side(
            _slider,
            [
                ("hidden_size", "Units of every model.", (64,)),
                ("batch_size", "Sequences in the batch.", (16,)),
                ("input_scale", "Scales W_xh, which is uniform ±1/√H.", (1.0,)),
            ],
        )
        variants.add_model()


def _buttons() -> None:
    st.button("Reset", on_click=_reset, help="Back to the start: every default")
    if st.session_state[PIN] is None:
        st.button("Pin", on_click=_pin, help="Keep these curves, faded, while knobs move")
    else:
        st.button("Unpin", on_click=_unpin, help="Remove the faded curves")
    link = st.popover("Link", key="link", on_change="rerun")
    if link.open:
        with link:
            _link()


def _link() -> None:
    experiment, _ = state.read()
    st.caption("This address opens the same view.")
    address = state.link(Setting(experiment, st.session_state[PIN], dragging=False))
    st.code(address, language=None, wrap_lines=True)
    if cut := left_out(experiment):
        st.caption(cut)


def _reset() -> None:
    state.adopt(Experiment())
    state.forget_messages()
    st.session_state.update({PIN: None, "preset": state.preset_of(Experiment())})


def _pin() -> None:
    experiment, _ = state.read()
    if not check_size(experiment):
        st.session_state[PIN] = experiment


def _unpin() -> None:
    st.session_state[PIN] = None
