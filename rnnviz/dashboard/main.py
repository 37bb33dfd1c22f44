"""Page config and navigation. Every page sees the experiment that the sidebar describes."""

from __future__ import annotations

from functools import partial

import streamlit as st

from rnnviz.dashboard import (
    address,
    compute,
    controls,
    hosting,
    layout,
    offers,
    own_text,
    saving,
    scene,
    state,
    train_controls,
    trained,
    trust,
)
from rnnviz.dashboard.components import all_drawn, below_the_fold
from rnnviz.dashboard.knobs import hear_sliders
from rnnviz.dashboard.memory import Crowded
from rnnviz.dashboard.pages import (
    by_hand,
    claims,
    gates,
    gradient_flow,
    lecture,
    phase,
    spectrum,
    train,
    your_network,
)
from rnnviz.dashboard.saving import Shared
from rnnviz.dashboard.server import url
from rnnviz.experiment import Experiment
from rnnviz.wording.texts import fill, language, texts

PAGES = {
    "gradient-flow": gradient_flow,
    "spectrum": spectrum,
    "gates": gates,
    "train": train,
    "phase-diagram": phase,
    "claims": claims,
    "by-hand": by_hand,
    "your-network": your_network,
}
FIRST = "gradient-flow"
FREE_SECONDS, FREE_BYTES = 1.0, 400 << 20
"""What a link may start by itself; for more it takes a click. A link is opened by those who did not
write it, and in a hall by all of them at once. What a visitor sets by hand is not asked about."""
RUNNING = ("gradient-flow", "spectrum", "gates")
"""Pages that run the experiment themselves. The others work in slices, from the start or by a
click, and what a slice may take is bounded."""
ALONE = ("by-hand", "your-network")
"""Pages that show no experiment: without knobs, and without anything to check or to refuse."""
LINKED, ALLOWED = "linked", "allowed"
"""Where a visit keeps the experiment that it began with, and those that were clicked."""


def main(shared: Shared) -> None:
    """Sidebar, navigation, then the chosen page. `shared`: what all visitors share."""
    state.count_run()
    hear_sliders()
    address.open_language()
    layout.style()
    pages = [
        st.Page(partial(_show, path), title=_title(path), url_path=path, default=path == FIRST)
        for path in (*PAGES, state.LECTURE)
    ]
    st.session_state[saving.PLACE] = shared
    st.session_state["pages"] = dict(zip((*PAGES, state.LECTURE), pages, strict=True))
    # Before the knobs: until the page is known, Streamlit gives them names it forgets in the next
    # run, and with the names their values.
    chosen = st.navigation(pages, position="top")
    st.set_page_config(page_title=f"{chosen.title} · rnnviz", page_icon="📉", layout="wide")
    if hosting.opened_file() and address.begins() and not (chosen.url_path or st.query_params):
        st.switch_page(st.session_state["pages"]["your-network"])
    linked = address.open_page(chosen.url_path or FIRST)
    layout.hide(st.session_state[state.HIDE])
    controls.languages()
    if chosen.url_path == state.LECTURE:
        scene.prepare(linked)
    elif chosen.url_path not in ALONE:
        controls.sidebar()
    chosen.run()
    all_drawn(st.session_state[state.RUN], language())


def _title(path: str) -> str:
    return texts("layout")[f"page_{path.replace('-', '_')}"]


def _show(path: str) -> None:
    if path == state.LECTURE:
        lecture.show_scene()
        saving.tab()
        return
    _page(path)
    _details(path)


@state.fragment(key=state.PAGE)
def _page(path: str) -> None:
    """What is seen first."""
    hear_sliders()
    offers.begin()
    setting = controls.setting()
    controls.say_problem()
    controls.follow(setting)
    if path in ALONE:
        PAGES[path].page(setting)
        offers.tell_sliders(url(f"/{path}"), partial(trust.settled, path))
        saving.tab()
        return
    linked, setting = setting, _of_page(path, setting)
    refusal = compute.refusal(trained.still_to_do(setting.experiment))
    missing = _lacks_consent(linked, refusal)
    address.say_what_is_drawn(setting.experiment)
    place, question = st.empty(), st.empty()
    trust.mark(place, path, setting.experiment, refusal or missing * "not run")
    if refusal:
        layout.unseen_heading(_title(path))
        layout.link_messages(setting.experiment)
        if not own_text.asked(setting.experiment, refusal):
            layout.refused(refusal)
    elif missing and path in RUNNING:
        layout.unseen_heading(_title(path))
        layout.link_messages(setting.experiment)
        with question.container():  # so that it goes as soon as it is answered
            _ask_consent(setting)
    else:
        _answer(path, setting)
    if path == "train":  # it may have begun another run
        trust.mark(place, path, setting.experiment, refusal)
    with st.container(key="trust"):
        trust.strip(path, setting.experiment, refusal or missing * "not run")
    offers.tell_sliders(url("/" if path == FIRST else f"/{path}"), partial(trust.settled, path))
    saving.tab()


def _answer(path: str, setting: state.Setting) -> None:
    seconds, waits = 0.0, False
    if path in RUNNING:
        seconds = compute.traces.seconds(setting.experiment)
        waits = compute.traces.must_wait(setting.experiment)
    try:
        with layout.patience(setting.experiment, seconds, waits):
            layout.note(compute.notes(setting.experiment))
            if path != "gates":  # which has a switch for it
                train_controls.shown_after(setting.experiment)
            PAGES[path].page(setting)
        trust.check(path, setting.experiment)
    except Crowded as crowded:
        layout.refused(fill(texts("layout")["refused"], reason=crowded))


@state.fragment(key=state.DETAILS)
def _details(path: str) -> None:
    """What is below the fold: it follows when a knob is let go and it is looked at."""
    linked = controls.setting()
    if path in ALONE:
        controls.follow(linked)
        return
    setting = _of_page(path, linked)
    address.say_what_is_drawn(setting.experiment)
    refusal = compute.refusal(trained.still_to_do(setting.experiment))
    missing = _lacks_consent(linked, refusal)
    unseen = missing and path in RUNNING
    with st.container(key="details"):
        try:
            if not (refusal or unseen):
                PAGES[path].details(setting)
        except Crowded as crowded:
            layout.refused(fill(texts("layout")["refused"], reason=crowded))
    controls.follow(linked)  # the page has dropped the views that it does not have
    below_the_fold()


def _of_page(path: str, setting: state.Setting) -> state.Setting:
    """The Train page trains by itself; the others show what was trained, or the initial weights."""
    return trained.beginning(setting) if path == "train" else setting


def _lacks_consent(setting: state.Setting, refusal: str) -> bool:
    """Whether this is what the visit's link asks for, takes much, and nobody has clicked yet. What
    is refused anyway (`refusal` says why) is not asked about."""
    experiment = setting.experiment
    linked: Experiment = st.session_state.setdefault(LINKED, experiment)
    if refusal or experiment != linked:
        return False
    small = _seconds(setting) <= FREE_SECONDS and _bytes(setting) <= FREE_BYTES
    return linked not in _allowed() and not small


def _ask_consent(setting: state.Setting) -> None:
    """Instead of a page: what it would take, and the button."""
    layout.ask(setting.experiment, _seconds(setting), _bytes(setting), _allow)


def _allow() -> None:
    st.session_state[ALLOWED] = {*_allowed(), st.session_state[LINKED]}
    st.rerun(state.WHOLE_PAGE)


def _allowed() -> set[Experiment]:
    found: set[Experiment] = st.session_state.get(ALLOWED, set())
    return found


def _seconds(setting: state.Setting) -> float:
    return sum(map(compute.traces.seconds, _wanted(setting)))


def _bytes(setting: state.Setting) -> int:
    """What is not there yet would take."""
    new = (each for each in _wanted(setting) if not compute.memory().holds(each))
    return sum(compute.plan(experiment).cost.bytes for experiment in new)


def _wanted(setting: state.Setting) -> list[Experiment]:
    both = setting.experiment, setting.pinned
    return [experiment for experiment in both if experiment is not None]
