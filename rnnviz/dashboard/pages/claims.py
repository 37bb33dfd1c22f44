"""What everybody says: is it true?"""

from __future__ import annotations

import html
from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from rnnviz.claims.counterexamples import EXAMPLES, counterexample
from rnnviz.dashboard import claims_details, layout
from rnnviz.dashboard.choices import view_key
from rnnviz.dashboard.claims import CLAIMS, Asked, Visit, Work, visit
from rnnviz.dashboard.claims_links import OPENS, experiment_of_draw
from rnnviz.dashboard.components import live_chart
from rnnviz.dashboard.components.clock import clock
from rnnviz.dashboard.components.numbers import finite
from rnnviz.dashboard.state import WHOLE_PAGE, Setting
from rnnviz.experiment import Experiment
from rnnviz.plots import theme
from rnnviz.plots.claims import drawn_at
from rnnviz.plots.claims_theory import examples_figure
from rnnviz.plots.drawing import Drawing
from rnnviz.wording.claims import SENTENCES, WAITING, Said
from rnnviz.wording.texts import texts

BOARD, CLOCK = "claims-board", "claims"
"""Keys of the fragment that a tick runs, and of the clock that ticks."""
CLAIM, UNITS, SEED, EXAMPLE = "view_claim", "view_units", "view_draws", "view_example"
SIZES = ("8", "16", "32", "64")
MOST_SEED = 99_999
ROW = 3
HEIGHT = 318
STYLES = theme.model_styles(("rnn", "lstm", "gru"))
"""Cells are named in their colours."""


def page(setting: Setting) -> None:
    """The sentences, each with its verdict; then the chosen one's. Of nonsense in a link nothing
    stays in the address."""
    st.session_state[view_key(SEED)] = str(_seed() or "")
    for view, known in ((CLAIM, CLAIMS), (EXAMPLE, EXAMPLES)):
        st.session_state[view_key(view)] = layout.kept(view, list(known), "")
    layout.link_messages(setting.experiment)
    _board(setting)


@st.fragment(key=BOARD)
def _board(setting: Setting) -> None:
    """The page, and a slice of work if there is any. The browser asks for it again and again."""
    mine = visit()
    mine.turning.turn()
    chosen = layout.kept(CLAIM, list(CLAIMS), "sigma")
    hidden_size = int(layout.kept(UNITS, SIZES, "32"))
    if not (setting.dragging and mine.works):
        mine.follow(Asked(_seed(), hidden_size, setting.experiment))
    leaving = mine.turning.asked is not None
    working = not (setting.dragging or mine.finished or leaving)
    work = mine.works[chosen]
    # What is known is on the screen before more is found out, and all of it speaks of the same
    # results; of none at all there is nothing to draw.
    begins = working and not work.found
    if begins:
        mine.advance(chosen)
    count, said, figure = _shown(work)
    _question(work, count)
    _sentences(mine, chosen, said)
    example = layout.kept(EXAMPLE, list(EXAMPLES), "")
    if chosen == "sigma" and example:
        _example(example)
    else:
        _answer(chosen, said, figure)
    if working and not begins:
        mine.advance(chosen)
    mine.slices += not leaving
    clock(key=CLOCK, running=working or leaving, count=mine.slices, on_tick=_tick)


def _shown(work: Work) -> tuple[int, Said, Drawing]:
    """How many results of the chosen claim the page shows, what they say, and their figure."""

    def make() -> tuple[int, Said, Drawing]:
        found = list(work.found)
        return len(found), work.claim.words(found), work.claim.figure(found, height=HEIGHT)

    shown: tuple[int, Said, Drawing] = work.picture(work.name, make)
    return shown


def _question(work: Work, count: int) -> None:
    """The page's title; how far the chosen claim is; how many units the draws have; others."""
    left, middle, size, right = st.columns([9, 7, 3, 4], vertical_alignment="center")
    with left:
        layout.question(texts("claims")["question"])
    with middle:
        if count < work.total:
            st.progress(count / work.total, text=work.so_far(count))
    with size:
        layout.choice("Hidden units", SIZES, UNITS, "32", lambda n: f"H = {n}", width=96)
    with right:
        st.button("Draw again", key="draw_again", on_click=_draw_again, width="stretch",
                  help="Other random networks: the next seed")  # fmt: skip


def _seed() -> int:
    given = str(st.session_state.get(view_key(SEED)) or "0")
    return min(int(given), MOST_SEED) if given.isascii() and given.isdigit() else 0


def _draw_again() -> None:
    st.session_state[view_key(SEED)] = str((_seed() + 1) % (MOST_SEED + 1))
    st.rerun(WHOLE_PAGE)


def _sentences(mine: Visit, chosen: str, shown: Said) -> None:
    """All of them in two rows, the chosen one with the verdict that is `shown` below."""
    names, current = list(CLAIMS), mine.current(chosen)
    for row in (names[:ROW], names[ROW:]):
        for column, name in zip(st.columns(ROW), row, strict=True):
            with column:
                work = mine.works[name]
                said = shown if name == chosen else work.said()
                waits = not work.found and name != current
                _sentence(name, WAITING if waits else said, name == chosen)


def _sentence(name: str, said: Said, chosen: bool) -> None:
    """One sentence as a button, its verdict below."""
    st.button(f"“{SENTENCES[name]}”", key=f"claim-{name}", on_click=partial(_choose, name),
              type="primary" if chosen else "secondary", width="stretch")  # fmt: skip
    st.html(f'<p class="rnnviz-said {said.tone}">{html.escape(said.short)}</p>')


def _choose(name: str) -> None:
    st.session_state[view_key(CLAIM)] = name
    st.session_state.pop(view_key(EXAMPLE), None)
    st.rerun(WHOLE_PAGE)


def _answer(name: str, said: Said, figure: Drawing) -> None:
    """The verdict in words and the figure, as far as they are."""
    text = texts("claims")
    why = text.get(f"why_{name}")
    layout.verdict([*said.lines, *([why] if why else [])], STYLES)
    live_chart(
        figure,
        key=f"claims-{name}",
        height=HEIGHT,
        filename=f"rnnviz-claim-{name}",
        alt=text[f"alt_{name}"],
        on_click=_open_draw if name == "sigma" else None,
    )
    layout.how_to_read(text[f"how_to_read_{name}"])
    if name == "sigma":
        _examples()


def _examples() -> None:
    """The counterexamples, one click away."""
    text = texts("claims")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.html('<p class="rnnviz-how"><b>Counterexamples:</b></p>')
        for name in EXAMPLES:
            st.button(text[f"button_{name}"], key=f"example-{name}", on_click=partial(_see, name),
                      help=text[f"help_{name}"])  # fmt: skip


def _see(name: str) -> None:
    """Open the counterexample on its page; one that no experiment can be, here."""
    if name in OPENS:
        path, experiment = OPENS[name]
        _leave(path, experiment)
    else:
        st.session_state[view_key(EXAMPLE)] = name
        st.rerun(WHOLE_PAGE)


def _leave(path: str, experiment: Experiment) -> None:
    mine = visit()
    mine.slices += 1
    mine.turning.ask(path, experiment)


def _tick() -> None:
    """Before a slice."""
    mine = visit()
    mine.turning.hear(CLOCK, mine.slices)


def _example(name: str) -> None:
    text = texts("claims")
    layout.verdict([text[f"help_{name}"]], STYLES)
    live_chart(
        examples_figure.plain([counterexample(name)], height=HEIGHT),
        key=f"claims-{name}",
        height=HEIGHT,
        filename=f"rnnviz-{name}",
        alt=text[f"help_{name}"],
    )
    layout.how_to_read(text["how_to_read_examples"])
    st.button("Back to the draws", key="back_to_draws", on_click=partial(_choose, "sigma"))


def _open_draw(point: Mapping[str, Any]) -> None:
    """Open the network of a dot on Gradient flow."""
    found = visit().works["sigma"].found
    curve, dot = finite(point.get("curve")), finite(point.get("point"))
    if curve is None or dot is None:
        return
    if (draw := drawn_at(found, int(curve), int(dot))) is not None:
        _leave("gradient-flow", experiment_of_draw(draw))


def details(setting: Setting) -> None:
    """More about the chosen claim, for those who want it."""
    name = layout.kept(CLAIM, list(CLAIMS), "sigma")
    if work := visit().works.get(name):
        claims_details.show(work)
