"""What a training run has come to, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnviz.analysis.courses import BEATEN, Course, peak
from rnnviz.wording.names import display_name
from rnnviz.wording.texts import say


def course_words(
    courses: Sequence[Course],
    baseline: float | None,
    baseline_text: str = "",
    metric_name: str = "accuracy",
) -> tuple[str, ...]:
    """The lines over the training figures, in Markdown: where every model stands, then whether
    the baseline is beaten; what went wrong comes first.

    baseline: loss per answer of the best answer that ignores the sequence; None if none is known.
    """
    lines = [_standing(courses, metric_name)]
    troubles = [course for course in courses if course.event]
    if troubles:
        return (*(_trouble(course) for course in troubles), *lines)
    if baseline is not None:
        lines.append(_against(courses, baseline, baseline_text))
    return tuple(lines)


def clip_words(courses: Sequence[Course], limit: float | None) -> str:
    """How often the gradient was clipped, in Markdown; limit None: it is not clipped at all."""
    if limit is None:
        highest = [(peak(course.curves.norm_before), course) for course in courses]
        value, course = max(highest, key=lambda pair: pair[0])
        return say("train", "not_clipped", norm=f"{value:.3g}", model=_name(course))
    shares = [
        say("train", "clipped_share", share=f"{course.clipped_share:.0%}", model=_name(course))
        for course in courses
    ]
    return say("train", "clipped", limit=f"{limit:g}", shares=", ".join(shares))


def _standing(courses: Sequence[Course], metric_name: str) -> str:
    ranked = sorted(courses, key=lambda course: (np.isnan(course.loss), course.loss))
    scores = [_score(c, metric_name, first=c is ranked[0]) for c in ranked]
    step = max(course.last_step for course in courses)
    name = "stands_before" if not step else "stands_one" if step == 1 else "stands"
    return say("train", name, steps=f"{step:,}", scores=", ".join(scores))


def _score(course: Course, metric_name: str, first: bool) -> str:
    right = bool(metric_name == "accuracy" and np.isfinite(course.metric))
    return say(
        "train",
        f"score{'_right' * right}{'_first' * (right and first)}",
        model=_name(course),
        loss=loss_words(course.loss),
        share=f"{100 * course.metric:.0f}",
    )


def _against(courses: Sequence[Course], baseline: float, text: str) -> str:
    better = [_name(c) for c in courses if c.loss < BEATEN * baseline]
    rest = [_name(c) for c in courses if not c.loss < BEATEN * baseline]
    known = say("train", "baseline", baseline=text or f"{baseline:.4g}")
    if baseline <= 0:
        return say("train", "below_none_can", baseline=known)
    if not better:
        return say("train", "below_none", baseline=known)
    if not rest:
        return say("train", "below_all" if len(courses) > 1 else "below_one", baseline=known)
    return say("train", "below_some", better=_list(better), rest=_list(rest), baseline=known)


def _trouble(course: Course) -> str:
    return say("train", "trouble", model=_name(course), event=course.event)


def _name(course: Course) -> str:
    return display_name(course.label)


def _list(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    return say("train", "names_and", names=", ".join(names[:-1]), last=names[-1])


def loss_words(value: float) -> str:
    """A loss as it is written wherever it stands: 2.08, 0.0022, NaN."""
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else "∞"
    return f"{value:.2f}" if 0.095 <= abs(value) < 100 else f"{value:.2g}"
