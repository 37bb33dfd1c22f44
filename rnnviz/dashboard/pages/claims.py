"""What everybody says: is it true?"""

from __future__ import annotations

import html
from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from rnnviz.claims.counterexamples import EXAMPLES
from rnnviz.dashboard import compute, jobs, layout, show, state
from rnnviz.dashboard.components.browser import finite
from rnnviz.dashboard.jobs import Work
from rnnviz.dashboard.state import WHOLE_PAGE, Setting, view_key
from rnnviz.jobs.claims import CLAIMS, OPENS, Asked, Claims, advance, experiment_of_draw, follow
from rnnviz.plots.claims import drawn_at
from rnnviz.views.claims import (
    Choices,
    View,
    examples_picture,
    how_it_is_measured,
    pictures,
    rows,
    scores,
    view,
)
from rnnviz.views.picture import Picture, Words
from rnnviz.wording.claims import Said
from rnnviz.wording.texts import texts

BOARD, CLOCK = "claims-board", "claims"
"""Keys of the fragment that a tick runs, and of the clock that ticks."""
CLAIM, UNITS, SEED, EXAMPLE = "view_claim", "view_units", "view_draws", "view_example"
SIZES = ("8", "16", "32", "64")
MOST_SEED = 99_999
ROW = 3


def visit() -> Work[Claims]:
    """What this visit has measured."""
    return jobs.work(CLOCK, jobs.CLAIMS)


def page(setting: Setting) -> None:
    """The sentences, each with its verdict; then the chosen one's. Of nonsense in a link nothing
    stays in the address."""
    st.session_state[view_key(SEED)] = str(_seed() or "")
    for name, known in ((CLAIM, CLAIMS), (EXAMPLE, EXAMPLES)):
        st.session_state[view_key(name)] = layout.kept(name, list(known), "")
    layout.link_messages(setting.experiment)
    _board(setting)


@state.fragment(key=BOARD)
def _board(setting: Setting) -> None:
    """The page, and a slice of work if there is any. The browser asks for it again and again."""
    work = visit()
    work.turn()
    chosen = layout.kept(CLAIM, list(CLAIMS), "sigma")
    hidden_size = int(layout.kept(UNITS, SIZES, "32"))
    asked = Asked(_seed(), hidden_size, setting.experiment)
    claims = follow(work.job, asked, chosen)
    work.follow(claims)
    working = not (claims.finished or work.leaving is not None)
    # What is known is on the screen before more is found out, and all of it speaks of the same
    # results; of none at all there is nothing to draw.
    begins = working and not claims.results[chosen]
    if begins:
        claims = work.advance(_step) or claims
    shown, items = _shown(work, claims, chosen)
    _question(shown)
    with st.container(key="sentences"):
        _sentences(shown)
    show.show(items, shown.styles, clicks={"claims-sigma": _open_draw})
    if shown.example:
        back = texts("claims")["back_to_draws"]
        st.button(back, key="back_to_draws", on_click=partial(_choose, "sigma"))
    elif chosen == "sigma":
        _examples()
    if working and not begins:
        work.advance(_step)
    work.tick(CLOCK, more=working)


_step = partial(advance, measure=compute.claim_result)


def _shown(work: Work[Claims], claims: Claims, chosen: str) -> tuple[View, list[Picture | Words]]:
    example = layout.kept(EXAMPLE, list(EXAMPLES), "")
    choices = Choices(chosen, example if chosen == "sigma" else "")

    def make() -> tuple[View, list[Picture | Words]]:
        shown = view(claims, choices)
        return shown, list(pictures(shown))

    size, finished = sum(map(len, claims.results.values())), claims.is_finished(chosen)
    return work.picture((choices, finished), size, not claims.finished, make)


def _question(shown: View) -> None:
    """The page's title; how far the chosen claim is; how many units the draws have; others."""
    text = texts("claims")
    left, middle, size, right = st.columns([8, 6, 4, 5], vertical_alignment="center")
    with left:
        layout.question(text["question"])
    with middle:
        if shown.so_far:
            st.progress(len(shown.results) / shown.total, text=shown.so_far)
    with size:
        layout.choice(text["units"], SIZES, UNITS, "32", lambda n: f"H = {n}", width=96)
    with right:
        st.button(text["draw_again"], key="draw_again", on_click=_draw_again, width="stretch",
                  help=text["other_draws"])  # fmt: skip


def _seed() -> int:
    given = str(st.session_state.get(view_key(SEED)) or "0")
    return min(int(given), MOST_SEED) if given.isascii() and given.isdigit() else 0


def _draw_again() -> None:
    st.session_state[view_key(SEED)] = str((_seed() + 1) % (MOST_SEED + 1))
    st.rerun(WHOLE_PAGE)


def _sentences(shown: View) -> None:
    """All of them in two rows, each with its verdict."""
    names = list(CLAIMS)
    for row in (names[:ROW], names[ROW:]):
        for column, name in zip(st.columns(ROW), row, strict=True):
            with column:
                _sentence(name, shown.verdicts[name], name == shown.claim)


def _sentence(name: str, said: Said, chosen: bool) -> None:
    """One sentence as a button, its verdict below."""
    sentence = texts("claims")[f"claim_{name}"]
    st.button(f"“{sentence}”", key=f"claim-{name}", on_click=partial(_choose, name),
              type="primary" if chosen else "secondary", width="stretch")  # fmt: skip
    st.html(f'<p class="rnnviz-said {said.tone}">{html.escape(said.short)}</p>')


def _choose(name: str) -> None:
    st.session_state[view_key(CLAIM)] = name
    st.session_state.pop(view_key(EXAMPLE), None)
    st.rerun(WHOLE_PAGE)


def _examples() -> None:
    """The counterexamples, one click away."""
    text = texts("claims")
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="examples"):
        st.html(f'<p class="rnnviz-how"><b>{text["counterexamples"]}</b></p>')
        for name in EXAMPLES:
            st.button(text[f"button_{name}"], key=f"example-{name}", on_click=partial(_see, name),
                      help=text[f"help_{name}"])  # fmt: skip


def _see(name: str) -> None:
    """Open the counterexample on its page; one that no experiment can be, here."""
    if name in OPENS:
        path, experiment = OPENS[name]
        visit().leave(path, experiment)
    else:
        st.session_state[view_key(EXAMPLE)] = name
        st.rerun(WHOLE_PAGE)


def _open_draw(point: Mapping[str, Any]) -> None:
    """Open the network of a dot on Gradient flow."""
    work = visit()
    curve, dot = finite(point.get("curve")), finite(point.get("point"))
    if work.job is None or curve is None or dot is None:
        return
    if (draw := drawn_at(work.job.results["sigma"], int(curve), int(dot))) is not None:
        work.leave("gradient-flow", experiment_of_draw(draw))


def details(setting: Setting) -> None:
    """More about the chosen claim, for those who want it."""
    name, claims = layout.kept(CLAIM, list(CLAIMS), "sigma"), visit().job
    if claims is None:
        return
    found, text = claims.results[name], texts("claims")
    st.caption(how_it_is_measured(name))
    if name == "sigma":
        with layout.lazy(text["scores"]) as opened:
            if opened:
                layout.table(scores(found))
        with layout.lazy(text["examples"]) as opened:
            if opened:
                show.chart(examples_picture())
    with layout.lazy(text["numbers"]) as opened:
        if opened:
            layout.data_button(f"claim-{name}", lambda: pd.DataFrame(rows(found)))
