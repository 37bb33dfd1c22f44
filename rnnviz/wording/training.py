"""What a training run has come to, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnviz.analysis.courses import BEATEN, Course, peak
from rnnviz.wording.names import display_name


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
        return f"Not clipped. Largest gradient norm: **{value:.3g}** ({_name(course)})."
    shares = [f"**{course.clipped_share:.0%}** in the {_name(course)}" for course in courses]
    return f"Clipped at {limit:g}, of all training steps: {', '.join(shares)}."


def _standing(courses: Sequence[Course], metric_name: str) -> str:
    ranked = sorted(courses, key=lambda course: (np.isnan(course.loss), course.loss))
    scores = [_score(c, metric_name, first=c is ranked[0]) for c in ranked]
    step = max(course.last_step for course in courses)
    when = f"After **{step:,}** step{'s' * (step > 1)}" if step else "Before training"
    return f"{when}: loss {', '.join(scores)}."


def _score(course: Course, metric_name: str, first: bool) -> str:
    right = ""
    if metric_name == "accuracy" and np.isfinite(course.metric):
        right = f" ({course.metric:.0%}{' right' if first else ''})".replace("%", " %")
    return f"{_name(course)} **{loss_words(course.loss)}**{right}"


def _against(courses: Sequence[Course], baseline: float, text: str) -> str:
    better = [_name(c) for c in courses if c.loss < BEATEN * baseline]
    rest = [_name(c) for c in courses if not c.loss < BEATEN * baseline]
    known = f"Baseline: {text or f'{baseline:.4g}'}."
    if baseline <= 0:
        return f"No loss can be below the baseline. {known}"
    if not better:
        return f"No loss is clearly below the baseline yet. {known}"
    if not rest:
        return f"{'All are below' if len(courses) > 1 else 'Below'} the baseline. {known}"
    return f"Below the baseline: {_list(better)}; not, or not yet: {_list(rest)}. {known}"


def _trouble(course: Course) -> str:
    return (f"{_name(course)}: **{course.event}**. It stops here; the last network whose numbers "
            "were all finite is kept.")  # fmt: skip


def _name(course: Course) -> str:
    return display_name(course.label)


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def loss_words(value: float) -> str:
    """A loss as it is written wherever it stands: 2.08, 0.0022, NaN."""
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else "∞"
    return f"{value:.2f}" if 0.095 <= abs(value) < 100 else f"{value:.2g}"
