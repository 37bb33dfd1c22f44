"""The lecturer's side of a room: opened and closed, what it is asked, and what her page shows."""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass

import streamlit as st

from rnnviz.dashboard import invite, layout, scene, words_html
from rnnviz.dashboard.rooms import NoRoom, Room
from rnnviz.dashboard.server import url
from rnnviz.dashboard.votes import PATH, rooms
from rnnviz.lecture.scenes import QUIZ, Question
from rnnviz.lecture.words import words
from rnnviz.wording.texts import fill, language, say, texts

KEY, PROBLEM, BARS, HEARD = "lecture.room", "lecture.problem", "lecture.bars", "lecture.heard"


@dataclass(frozen=True)
class Key:
    """What a lecturer's visit holds: the room's code and its secret."""

    code: str
    secret: str


def key() -> Key | None:
    """Of the room that this visit leads, or led before it ended."""
    found: Key | None = st.session_state.get(KEY)
    return found


def room() -> Room | None:
    """The room that this visit leads."""
    mine = key()
    return None if mine is None else rooms().led(mine.code, mine.secret)


def turn() -> None:
    """Open a room, or close the one that is open. A callback, as those below are."""
    mine = key()
    if mine is not None and room() is not None:
        rooms().close(mine.code, mine.secret)
        st.session_state[KEY] = None
        return
    try:
        opened = rooms().open(language())
    except NoRoom:
        st.session_state[PROBLEM] = texts("lecture")["no_room"]
        return
    st.session_state[KEY] = Key(opened.code, opened.secret)


def come_back(code: str, secret: str) -> None:
    """Lead a room that this tab led before it was loaded again."""
    st.session_state[HEARD] = code
    if key() is None and rooms().led(code, secret) is not None:
        st.session_state[KEY] = Key(code, secret)


def heard() -> str:
    """The code of the room that this tab asked to lead again."""
    return str(st.session_state.get(HEARD, ""))


def turn_bars() -> None:
    """Show the votes before the answer, or do not."""
    st.session_state[BARS] = not shows_bars()


def shows_bars() -> bool:
    """Whether votes are shown before the answer."""
    return bool(st.session_state.get(BARS, False))


def ask(question: Question | None) -> None:
    """Let the phones show the question that is open."""
    now = room()
    if now is None:
        return
    if question is None:
        now.ask("", "", ())
        return
    said = words(question)
    right = question.answer if scene.is_shown(question.name) else 0
    choices = tuple(map(words_html.marked, said.choices))
    now.ask(question.name, words_html.marked(said.question), choices, right, question.guess)


def of_quiz() -> Question:
    """The question of the quiz that the hall is asked: the first that is not revealed."""
    return next((q for q in QUIZ if not scene.is_shown(q.name)), QUIZ[-1])


def votes(question: str) -> dict[str, object] | None:
    """Where the votes on a question are asked for, and whether they are drawn."""
    mine = key()
    if mine is None or room() is None:
        return None
    shown = scene.is_shown(question) or shows_bars()
    path = url(f"{PATH}/{mine.code}/counts?question={question}")
    return {"path": path, "secret": mine.secret, "shown": shown}


def say_problem() -> None:
    """Why there is no room, if one was asked for."""
    problem = st.session_state.pop(PROBLEM, "")
    if not problem and key() is not None and room() is None:
        problem, st.session_state[KEY] = texts("lecture")["room_ended"], None
    if problem:
        layout.warn(problem)


def invitation() -> str:
    """HTML in large, in the place of a curve that is hidden; "" without a room."""
    mine = key()
    if mine is None or room() is None:
        return ""
    address = st.context.url or ""
    links = invite.links(address, mine.code)
    local = invite.is_local(address)
    picture = invite.qr_code(links[0]) if links else ""
    parts = [f'<span class="link">{html.escape(_short(link))}</span>' for link in links[:2]]
    parts += [f'<span class="voted">{_voted()}</span>']
    if local:
        without = "listens_alone" if invite.listens_alone() else "no_network"
        reason = texts("lecture")["localhost" if links else without]
        parts.append(f'<span class="small">{html.escape(reason)}</span>')
    body = f'<span class="told">{"".join(parts)}</span>'
    return _image(picture) + body


def line() -> str:
    """HTML of one line, where a picture has the place; "" without a room."""
    mine = key()
    if mine is None or room() is None:
        return ""
    links = invite.links(st.context.url or "", mine.code)
    return fill(
        html.escape(texts("lecture")["vote_at"]),
        link=f"<b>{html.escape(_short(links[0]) if links else mine.code)}</b>",
        votes=_voted(),
    )


def _voted() -> str:
    count = '<b class="rnnviz-votes">0</b>'
    return fill(html.escape(say("lecture", "voted")), count=count)


def _short(link: str) -> str:
    """As one types it."""
    return link.removeprefix("http://")


def _image(svg: str) -> str:
    if not svg:
        return ""
    data = base64.b64encode(svg.encode()).decode()
    alt = html.escape(texts("lecture")["qr"])
    return f'<img class="qr" alt="{alt}" src="data:image/svg+xml;base64,{data}">'
