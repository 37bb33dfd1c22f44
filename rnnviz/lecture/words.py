"""What a scene says, in the language that is spoken, with its numbers filled in."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rnnviz.lecture.scenes import Number, Question, Scene
from rnnviz.wording.names import field_name
from rnnviz.wording.numbers import general, minus
from rnnviz.wording.texts import fill, say, texts

BALLOT = ("choices", "right", "taken", "guess_label", "guess_send", "guess_yours", "guess_truth",
          "guess_range")  # fmt: skip
"""What of wording/*/lecture.md a question's choices, or its scale, say themselves."""


@dataclass(frozen=True)
class Words:
    """Markdown; choices in their order, none of a guess. to_try: what a student alone does next.
    title, sentence, to_try, note: "" for a question of the quiz."""

    title: str
    question: str
    choices: tuple[str, ...]
    reveal: str
    sentence: str
    to_try: str
    note: str


def words(question: Question) -> Words:
    """All that is said of a scene or of a question of the quiz."""
    text, name = texts("scenes"), question.name
    values = {key: said(number) for key, number in question.numbers.items()}

    def filled(part: str) -> str:
        return fill(text.get(f"{name}_{part}", ""), **values)

    choices = (filled(f"choice_{k}") for k in range(1, question.choices + 1))
    after = filled("reveal"), filled("sentence"), _invitation(filled("try")), filled("note")
    return Words(filled("title"), filled("question"), tuple(choices), *after)


def _invitation(task: str) -> str:
    """What is to be tried, with the words before it; "" for nothing."""
    return task and say("lecture", "try_this", task=task)


def holds(scene: Scene) -> str:
    """Of which value of its knob a scene's answer is; "" for a scene without one."""
    if not scene.knob:
        return ""
    value = general(getattr(scene.experiment, scene.knob), 3)
    return say("lecture", "holds", field=field_name(scene.knob), value=value)


def verdict(question: Question, taken: int) -> str:
    """What is said of an answer beside the truth; "" where none was taken."""
    if not taken:
        return ""
    text, right = texts("lecture"), question.is_right(taken)
    if question.guess is None:
        return text["answer_right" if right else "answer_wrong"]
    number = question.numbers[question.guess.of]
    mine = question.guess.value(taken)
    values = {"guess": said(replace(number, value=mine)),
              "off": said(replace(number, value=abs(mine - number.value)))}  # fmt: skip
    return fill(text["guess_near" if right else "guess_far"], **values)


def said(number: Number) -> str:
    """A number as a reveal says it."""
    return minus(f"{number.value:.{number.digits}f}")
