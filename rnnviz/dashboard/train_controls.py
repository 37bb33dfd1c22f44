"""The controls of the Train page: play, steps, speed, how it trains, lessons."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import streamlit as st

from rnnviz.dashboard import state, training
from rnnviz.dashboard.state import view_key, widget
from rnnviz.dashboard.training import Visit
from rnnviz.experiment import FIELDS, Experiment
from rnnviz.experiment.lessons import LESSONS, Lesson
from rnnviz.jobs.training import Training
from rnnviz.tasks import TASKS, Task
from rnnviz.views.baselines import HIDDEN_STATES, MOST_STATES
from rnnviz.wording.lists import listed
from rnnviz.wording.names import field_name, setting_name
from rnnviz.wording.texts import fill, say, texts

LESSON, SPEED, LOG, GHOSTS = "train_lesson", "train_speed", "train_log", "train_ghosts"
STATES = "view_hidden_states"
"""Of a hidden Markov model."""
OWN = ("optimizer", "learning_rate", "clip", "clip_at", "window", "stride")
"""The knobs that only this page has."""
LESSON_WIDTH, WORDS_WIDTH = 216, 130
RATES = (1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 0.5, 1.0)


STEPS = {"step": "+1", "ten": "+10"}
"""The buttons that train a few steps, and what stands on them."""


class Speed(NamedTuple):
    """every: seconds between two ticks; updates: of each model in a tick, None for as many as
    the slice has time for."""

    every: float
    updates: int | None


SPEEDS = {"slow": Speed(0.4, 1), "full": Speed(0.1, None)}


def speed() -> Speed:
    """The chosen speed."""
    return SPEEDS.get(st.session_state.get(SPEED) or "full", SPEEDS["full"])


def lesson() -> str:
    """The lesson that was chosen last; "" for none, or if a knob has been moved since."""
    name, run = st.session_state.get(LESSON), training.visit().training
    if name not in LESSONS:
        return ""
    chosen = LESSONS[name]
    same = run is None or run.experiment == chosen.experiment(run.experiment.seed)
    return str(name) if chosen.influence or same else ""


def log_loss() -> bool:
    """Whether the loss is drawn on a logarithmic axis."""
    return bool(st.session_state.get(LOG, False))


def hidden_states() -> int:
    """Of the hidden Markov model beside the loss; a link says it as text."""
    said = str(st.session_state.get(view_key(STATES, "train"), HIDDEN_STATES))
    return min(int(said), MOST_STATES) if said.isdecimal() else HIDDEN_STATES


def draw(visit: Visit, idle: str = "") -> None:
    """One row: what training does, how fast, how, and the lessons. idle: why nothing can be
    trained here, "" if it can; then what would do nothing is disabled, and says why."""
    text = texts("train")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        _play(visit.playing, idle or _stopped(visit))
        moves = idle or _stopped(visit) or text["idle_playing"] * visit.playing
        for name, label in STEPS.items():
            _button(label, name, moves)
        _button(text["reset"], "reset", idle or _untouched(visit), ":material/restart_alt:")
        _button(text["reseed"], "reseed", idle, ":material/casino:")
        st.session_state.setdefault(SPEED, "full")
        st.segmented_control(
            text["speed"],
            list(SPEEDS),
            format_func=lambda name: text[f"speed_{name}"],
            required=True,
            disabled=bool(idle),
            label_visibility="collapsed",
            **widget(SPEED, default="default", then=_redraw),
        )
        _how(disabled=bool(idle))
        _lessons()
        st.html(f'<p class="rnnviz-set">{_how_words()}</p>', width=WORDS_WIDTH)


def _stopped(visit: Visit) -> str:
    """Why no model can go on; "" if one can."""
    run = visit.training
    return texts("train")["idle_stopped"] if run is not None and not run.going else ""


def _untouched(visit: Visit) -> str:
    """Why there is nothing to reset; "" if there is."""
    run = visit.training
    began = run is None or visit.playing or run.furthest
    return "" if began else texts("train")["idle_reset"]


def _button(label: str, name: str, idle: str, icon: str | None = None) -> None:
    st.button(label, icon=icon, key=f"train_{name}", on_click=_do, args=(name,),
              disabled=bool(idle), help=idle or texts("train")[f"help_{name}"])  # fmt: skip


def _play(playing: bool, idle: str) -> None:
    """Play and Pause, which are one button: there is never a second one beside it."""
    name, icon = ("pause", ":material/pause:") if playing else ("play", ":material/play_arrow:")
    text = texts("train")
    st.button(text[name], icon=icon, key="train_play", on_click=_do, args=(name,),
              type="secondary" if playing else "primary", disabled=bool(idle),
              help=idle or text["help_play"])  # fmt: skip


def _do(name: str) -> None:
    command(name)
    if name == "reseed":
        st.rerun()  # the seed is in the sidebar
    st.rerun(state.WHOLE_PAGE)


def command(name: str, step: int = 0) -> None:
    """What a button or a key asks for."""
    visit = training.visit()
    if visit.training is None:
        return
    if name == "play":
        visit.set_goal(None)
        visit.play()
    elif name == "pause":
        visit.pause()
    elif name in ("step", "ten"):
        visit.step(10 if name == "ten" else 1)
    elif name == "reset":
        visit.reset()
    elif name == "reseed":
        _reseed()
    elif name == "show":
        show(visit, step)


def _reseed() -> None:
    known = FIELDS["seed"]
    st.session_state["seed"] = (st.session_state["seed"] + 1) % (int(known.high) + 1)


def show(visit: Visit, step: int) -> None:
    """Let the other pages show the network after that many training steps."""
    visit.playing = False
    st.session_state["train_steps"] = step
    visit.leaving = "gradient-flow"


def shown_after(experiment: Experiment) -> None:
    """On the other pages: that the network is a trained one, and the way back."""
    if not experiment.train_steps:
        return
    text, steps = texts("train"), experiment.train_steps
    after = fill(text["trained_one" if steps == 1 else "trained"], steps=f"{steps:,}")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.html(f'<p class="rnnviz-how"><b>{after}</b> {text["starts_over"]}</p>')
        st.button(text["untrain"], type="tertiary", key="untrain", on_click=_untrain)


def _untrain() -> None:
    st.session_state["train_steps"] = 0
    st.rerun(state.WHOLE_PAGE)


def _how(disabled: bool) -> None:
    """How it trains, behind a button. What it is set to is said elsewhere: a popover with another
    label would be another popover, a closed one."""
    with st.popover(
        field_name("optimizer"), key="train_how", on_change="rerun", disabled=disabled
    ) as opened:
        if opened.open:
            for pair in (OWN[:2], OWN[2:4], OWN[4:]):
                for column, name in zip(st.columns(2), pair, strict=True):
                    with column:
                        _knob(name)
            st.toggle(texts("train")["log_loss"], **widget(LOG, log_loss(), then=_redraw))
            of_language = TASKS[st.session_state["task"]].hmm_loss is not Task.hmm_loss
            if of_language and st.session_state["loss_at"] == "every":
                _hidden_states()


def _hidden_states() -> None:
    text, own = texts("train"), widget(view_key(STATES), hidden_states(), then=_redraw)
    help_ = text["hidden_states_help"]
    st.number_input(text["hidden_states"], 0, MOST_STATES, help=help_, **own)


def _how_words() -> str:
    now, said = st.session_state, []
    if now["clip"] != "none":
        how = setting_name(now["clip"])
        said.append(say("train", "how_clip", how=how, limit=f"{now['clip_at']:g}"))
    if now["window"]:
        said.append(f"K {now['window']:g}")
    return listed([f"{now['optimizer']} {now['learning_rate']:g}", *said])


def _knob(name: str) -> None:
    known, value = FIELDS[name], st.session_state[name]
    options = known.choices if known.kind == "choice" else None
    common: dict[str, Any] = {
        "label": field_name(name),
        **widget(name, options=options, then=_redraw),
    }
    if known.kind == "choice":
        st.selectbox(options=known.choices, format_func=setting_name, **common)
    elif name == "learning_rate":
        rates = sorted({*RATES, float(value)})
        st.select_slider(options=rates, format_func="{:g}".format, **common)
    elif known.kind == "int":
        common |= {"min_value": int(known.page_low), "max_value": int(known.page_high)}
        st.number_input(step=1, **common)
    else:
        common |= {"min_value": known.page_low, "max_value": known.page_high}
        st.number_input(step=known.step, format="%g", **common)


def _redraw() -> None:
    st.rerun(state.WHOLE_PAGE)


def _lessons() -> None:
    st.selectbox(
        texts("train")["lesson"],
        list(LESSONS),
        format_func=lambda name: texts("lessons")[f"title_{name}"],
        placeholder=texts("train")["choose_lesson"],
        required=True,  # or Escape would empty it
        label_visibility="collapsed",
        width=LESSON_WIDTH,
        **widget(LESSON, st.session_state.get(LESSON), options=list(LESSONS), then=_choose),
    )


def _choose() -> None:
    name = st.session_state.get(LESSON)
    training.visit().playing = False
    if name in LESSONS:
        begin_lesson(LESSONS[name])
    st.rerun()  # the sidebar's knobs too


def begin_lesson(chosen: Lesson) -> None:
    """Set every knob as the lesson has it, but the seed, and play. No preset is shown any more."""
    visit, seed = training.visit(), st.session_state["seed"]
    st.session_state["preset"] = None
    if chosen.influence:
        return
    experiment = chosen.experiment(seed)
    state.adopt(experiment)
    first = chosen.experiment(seed, first=True) if chosen.first else None
    visit.begin_lesson(experiment, first, chosen.goal)


def forget_lesson() -> None:
    """Before the list is drawn: it names no lesson that is not shown."""
    if not lesson():
        st.session_state[LESSON] = None


def troubles(run: Training) -> None:
    """Where training has diverged: what to try, one click each."""
    if not any(trainee.event for trainee in run.trainees.values()):
        return
    text = texts("train")
    with st.container(horizontal=True, gap="small"):
        if run.experiment.clip == "none":
            st.button(text["clip"], on_click=_set, args=({"clip": "norm", "clip_at": 1.0},))
        rate = max(run.experiment.learning_rate / 10, FIELDS["learning_rate"].page_low)
        st.button(text["slower"], on_click=_set, args=({"learning_rate": rate},))


def _set(changes: dict[str, Any]) -> None:
    """Train anew with these."""
    visit = training.visit()
    assert visit.training is not None
    st.session_state.update(changes)
    visit.begin(replace(visit.training.experiment, **changes))
    visit.play()
    st.rerun(state.WHOLE_PAGE)
