"""What a lecture's page says, in the language that is spoken."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

from rnnviz.lecture.scenes import QUIZ, Question, Scene
from rnnviz.lecture.words import BALLOT, holds, words
from rnnviz.report import knobs
from rnnviz.report.document import made_by
from rnnviz.report.figures import chart_words
from rnnviz.views.by_hand import furnishings
from rnnviz.wording.glossary import definition, first_places
from rnnviz.wording.lists import sentences
from rnnviz.wording.markup import as_html
from rnnviz.wording.names import field_name
from rnnviz.wording.texts import say, texts

KEYS = ("previous", "next", "reveal", "note", "clock", "cards", "full")
"""Of the Lecture page's keys those that need no server."""
OPEN, SHUT = "\x02", "\x03"
"""Around a word that is defined, while its text is turned into HTML."""
MARKED = re.compile(rf"{OPEN}(\d+){OPEN}(.*?){SHUT}", re.DOTALL)


def lecture_words(scenes: Sequence[Scene]) -> dict[str, Any]:
    """All of it, as the page's script reads it; what may be marked is HTML."""
    text, own = texts("lecture"), texts("report")
    desk = {name: text[f"key_{name}"] for name in KEYS}
    desk |= {name: text[name] for name in ("clock_says", "clock_means", "cards_name")}
    return {
        "title": own["lecture_title"],
        "language": own["language"],
        "desk": desk,
        "ballot": {name: text[name] for name in BALLOT},
        "chart": chart_words(),
        "hidden": html.escape(text["hidden"]),
        "verdicts": [text["answer_wrong"], text["answer_right"]],
        "guesses": [text["guess_far"], text["guess_near"]],
        "between": say("lists", "sentences", before="", after=""),
        "score": text["score"],
        "scenes": [_scene(scene, k + 1, len(scenes)) for k, scene in enumerate(scenes)],
        "quiz": {
            "title": as_html(texts("scenes")["quiz_title"]),
            "number": _number(len(scenes) + 1, len(scenes)),
            "questions": [_question(question, []) for question in QUIZ],
        },
        "hand": {
            "title": as_html(own["by_hand"]),
            "question": as_html(texts("by_hand")["question"]),
            "how": as_html(say("layout", "how_to_read", said=texts("by_hand")["how_to_read"])),
            "given": furnishings(),
        },
        "about": as_html(sentences([own["inside_lecture"], made_by()])),
    }


def _number(number: int, count: int) -> str:
    return html.escape(say("lecture", "number", number=number, count=count + 1))


def _scene(scene: Scene, number: int, count: int) -> dict[str, Any]:
    known: list[str] = []
    said = words(scene)
    return {
        "number": _number(number, count),
        "title": as_html(said.title),
        **_question(scene, known),
        "sentence": _defined(said.sentence, known),
        "to_try": _defined(said.to_try, known),
        "note": as_html(said.note),
        **_knob(scene),
    }


def _question(question: Question, known: list[str]) -> dict[str, Any]:
    said = words(question)
    return {
        "question": _defined(said.question, known),
        "choices": [as_html(choice) for choice in said.choices],
        "reveal": _defined(said.reveal, known),
    }


def _knob(scene: Scene) -> dict[str, str]:
    if not scene.knob:
        return {}
    count = len(knobs.VALUES[scene.knob])
    caption = as_html(say("report", "knob", count=count))
    return {"knob": field_name(scene.knob), "caption": caption, "holds": holds(scene)}


def _defined(text: str, known: list[str]) -> str:
    """A text as HTML; each word that is new to the scene with its definition, which the Tab key and
    a finger reach."""
    for start, stop, term in reversed(first_places(text, known)):
        text = f"{text[:start]}{OPEN}{len(known)}{OPEN}{text[start:stop]}{SHUT}{text[stop:]}"
        known.append(term)

    def element(found: re.Match[str]) -> str:
        means = html.escape(definition(known[int(found[1])]))
        return f'<dfn class="rnnviz-term" tabindex="0" aria-description="{means}">{found[2]}</dfn>'

    return MARKED.sub(element, as_html(text))
