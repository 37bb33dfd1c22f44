"""What a training run has come to, in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rnnviz.analysis.courses import Course, recent
from rnnviz.wording.library import translated
from rnnviz.wording.lists import clauses, names_and, sentences
from rnnviz.wording.names import display_name
from rnnviz.wording.numbers import loss_words, minus, percent
from rnnviz.wording.texts import say

INFINITE = re.compile(r"-?\binf\b")


class Score(NamedTuple):
    """A model's loss per answer and its metric, in training or on what is held out."""

    label: str
    loss: float
    metric: float


Unseen = Score
"""Of what is held out."""


def course_words(
    courses: Sequence[Course],
    baseline: float | None,
    baseline_text: str = "",
    metric_name: str = "accuracy",
    unseen: Sequence[Unseen] | None = (),
    unseen_baseline: float | None = None,
) -> tuple[str, ...]:
    """The lines over the training figures, in Markdown: where every model stands, then whether
    the baseline is beaten; what went wrong comes first.

    baseline: loss per answer of the best answer that ignores the sequence; None if none is known.
    unseen: of what is held out, nothing while it is not known; None where nothing is held out.
    unseen_baseline: what the baseline's answer costs there, None where that is the baseline.
    """
    lines = [_standing(courses, metric_name)]
    troubles = [course for course in courses if course.event]
    if troubles:
        return (*map(_trouble, troubles), *lines)
    if baseline is not None:
        lines.append(_against(courses, baseline, baseline_text))
    if unseen is None:
        lines.append(say("train", "nothing_held_out"))
    elif unseen:
        lines.append(_held_out(unseen, metric_name, unseen_baseline))
    return tuple(lines)


def _held_out(unseen: Sequence[Unseen], metric_name: str, baseline: float | None) -> str:
    said = say("train", "held_out", scores=_ranked(unseen, metric_name))
    if baseline is None:
        return said
    return sentences([said, say("train", "held_out_baseline", loss=loss_words(baseline))])


def clip_words(courses: Sequence[Course], limit: float | None) -> str:
    """How often the gradient was clipped, in Markdown; limit None: it is not clipped at all."""
    if limit is None:
        course = max(courses, key=lambda course: np.nan_to_num(course.largest_norm, nan=-1.0))
        return say("train", "not_clipped", norm=f"{course.largest_norm:.3g}", model=_name(course))
    shares = [
        say("train", "clipped_share", share=percent(course.clipped_share), model=_name(course))
        for course in courses
    ]
    return say("train", "clipped", limit=f"{limit:g}", shares=clauses(shares))


def _standing(courses: Sequence[Course], metric_name: str) -> str:
    """Where the models stand that go on, at a step that all of them have recorded; then those that
    have stopped."""
    going = [course for course in courses if not course.event]
    stopped = [course for course in courses if course.event]
    said = [_going(going, metric_name)] if going else []
    return sentences([*said, *([_stopped(stopped)] if stopped else [])])


def _going(courses: Sequence[Course], metric_name: str) -> str:
    step = min(course.last_step for course in courses)
    rows = [(course, course.row_at(step)) for course in courses]
    scored = [Score(course.label, course.loss_at(row), course.metric_at(row))
              for course, row in rows]  # fmt: skip
    over = recent(min(row + 1 for _, row in rows))
    name = "stands" if over == 1 else "stands_over"
    name = "stands_before" if not step else "stands_one" if step == 1 else name
    scores = _ranked(scored, metric_name)
    return say("train", name, steps=f"{step:,}", recent=over, scores=scores)


def _stopped(courses: Sequence[Course]) -> str:
    return say("train", "stopped", models=clauses(map(_stopped_at, courses)))


def _stopped_at(course: Course) -> str:
    """Where a model has stopped, and its last loss that is a number."""
    model, step, last = _name(course), f"{course.last_step:,}", course.last_finite
    if last is None:
        return say("train", "stopped_at", model=model, step=step)
    known, loss = last
    return say("train", "stopped_after", model=model, step=step, loss=loss_words(loss),
               known=f"{known:,}")  # fmt: skip


def _ranked(scored: Sequence[Score], metric_name: str) -> str:
    """The best first."""
    ranked = sorted(scored, key=lambda one: (np.isnan(one.loss), one.loss))
    return clauses(_score(one, metric_name, first=one is ranked[0]) for one in ranked)


def _score(one: Score, metric_name: str, first: bool) -> str:
    right = bool(metric_name == "accuracy" and np.isfinite(one.metric))
    return say(
        "train",
        f"score{'_right' * right}{'_first' * (right and first)}",
        model=_name(one),
        loss=loss_words(one.loss),
        share=percent(one.metric),
    )


def _against(courses: Sequence[Course], baseline: float, text: str) -> str:
    judged = [(_name(course), course.beats(baseline)) for course in courses]
    better, rest = ([name for name, below in judged if below is wanted] for wanted in (True, False))
    known = say("train", "baseline", baseline=text or f"{baseline:.4g}")
    if baseline <= 0:
        return say("train", "below_none_can", baseline=known)
    if not better:
        return say("train", "below_none", baseline=known)
    if not rest:
        return say("train", "below_all" if len(courses) > 1 else "below_one", baseline=known)
    return say(
        "train", "below_some", better=names_and(better), rest=names_and(rest), baseline=known
    )


def event_words(course: Course) -> str:
    """What ended a model's training, "" if nothing did."""
    said = translated(course.event)
    return INFINITE.sub(lambda found: minus(found[0]).replace("inf", "∞"), said)


def _trouble(course: Course) -> str:
    return say("train", "trouble", model=_name(course), event=event_words(course))


def _name(course: Course | Score) -> str:
    return display_name(course.label)
