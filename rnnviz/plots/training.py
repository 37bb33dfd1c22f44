"""What happens while it learns? Loss and metric against the exact baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from rnnviz.analysis.courses import Course
from rnnviz.core.numerics import Array
from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, Range, drawing
from rnnviz.plots.marks import gapped, note, rule, tabled
from rnnviz.plots.panels import UNSEEN, axis, headline
from rnnviz.plots.theme import Styles
from rnnviz.wording.numbers import loss_words
from rnnviz.wording.texts import caption

HEIGHT = 190
MARGIN = {"l": 58, "r": 24, "t": 26, "b": 42}
SPANS = (50, 100, 200, 300, 400, 500, 600, 800)
"""Training steps the axis shows at least; then ten times these, and so on."""
MOST_POINTS = 240
SMOOTH = 12
"""The thick line is a mean over this many recorded steps: one batch says little."""
LOSS_SHARE = 0.56
ROOM = 3
"""Models whose losses fit beside their names."""
FAR = 8.0
"""Times the baseline, or the best model's loss, that the loss axis reaches at most."""
HUGE = 1e30
"""What float32 holds with room to spare; a line beyond has long left every range."""
LARGE, WIDE = 1e4, 96
"""From where on numbers beside an axis are powers of ten, and the pixels they take."""
POWERS = {"exponentformat": "power"}
GHOST_DASHES = ("dash", "dot", "dashdot")
PAST = theme.Style("", "", theme.GREY, "dash")


def span(courses: Sequence[Course], least: int = 0) -> float:
    """The end of the step axis: a round number, so that it stands still while training runs; not
    below `least`."""
    last = max([least, *(course.last_step for course in courses)])
    decade = 1
    while True:
        for step in SPANS:
            if last <= step * decade:
                return float(step * decade)
        decade *= 10


@FigureFunction
def loss_figure(
    courses: Sequence[Course],
    baseline: float | None = None,
    baseline_name: str = "",
    *,
    also: Mapping[str, float] = MappingProxyType({}),
    ghosts: Sequence[Course] = (),
    held_out_now: Mapping[str, tuple[float, float]] = MappingProxyType({}),
    playing: bool = False,
    least: int = 0,
    metric_name: str = "accuracy",
    log: bool = False,
    styles: Styles | None = None,
    height: int = HEIGHT,
) -> Drawing:
    """Loss per answer (left) and the metric (right) over training steps, one line a model.

    Thin: the loss of each batch; thick: its mean over the last recorded steps; circles: of what is
    held out, where that was asked for, and as `held_out_now` says at the last step (label -> loss,
    metric). The baseline, what
    is reached without looking at the sequence, is a dotted line that says so; `also` are further
    ones by name, such as an n-gram model's. `ghosts` are earlier
    runs, dashed in grey and named. log: log10 of the loss. playing: the numbers move on, and stand
    elsewhere: names alone are said. least: training steps that the axis shows at least.
    """
    known = theme.styles_for([course.label for course in courses], styles)
    own = {} if baseline is None else {baseline_name or caption("baseline"): baseline}
    levels = {name: value for name, value in {**own, **also}.items() if value > 0}
    limits, most = _limits(courses, ghosts, [*levels.values()], metric_name, log)
    metric = caption(METRICS[metric_name]) if metric_name in METRICS else metric_name
    data = [piece for i, ghost in enumerate(ghosts) for piece in _ghost(ghost, i, log)]
    for course in courses:
        style, now = known[course.label], held_out_now.get(course.label)
        data += _lines(course, _scaled(course.curves.loss_per_answer, log), style, "")
        data.append(_smooth(course, course.curves.metric, style, "2", metric))
        data += _held_out(course, style, log, metric, now)
    end = span((*courses, *ghosts), least)
    rules, said = _levels(levels, log)
    names = _headline(courses, known, ghosts, playing)
    losses = [_scaled(course.curves.loss_per_answer, log) for course in courses]
    metrics = [course.curves.metric for course in courses]
    beyond = _above(courses, losses, known, limits[1], end)
    beyond += _above(courses, metrics, known, most, end, "2")
    layout = _loss_layout(end, limits, most, metric_name, log)
    layout |= {"height": height, "shapes": rules, "annotations": [names, *beyond, *said]}
    return drawing(data or [UNSEEN], layout, "loss")


def _limits(
    courses: Sequence[Course],
    ghosts: Sequence[Course],
    levels: Sequence[float],
    metric_name: str,
    log: bool,
) -> tuple[Range, float]:
    """The ends of the loss axis, and where that of the metric ends."""
    whole = (*courses, *ghosts)
    losses = [_scaled(course.curves.loss_per_answer, log) for course in whole]
    losses += [_scaled(course.curves.held_out_loss, log) for course in courses]
    metrics = [c for each in whole for c in (each.curves.metric, each.curves.held_out_metric)]
    most = 1.02 if metric_name == "accuracy" else _loss_range(metrics, (), False)[1]
    return _loss_range(losses, levels, log), most


def _levels(levels: Mapping[str, float], log: bool) -> tuple[list[Piece], list[Piece]]:
    """A dotted line across the loss for each, and its words."""
    rules, words = list[Piece](), list[Piece]()
    for name, value in levels.items():
        level = float(np.log10(value)) if log else value
        rules.append(rule((0, 1), (level, level), xref="x domain", line={"width": 2}))
        words.append(level_words(f"{name} {value:.4g}", level, LOSS_SHARE))
    return rules, words


def _lines(course: Course, values: Array, style: theme.Style, suffix: str) -> list[Piece]:
    """The loss of each batch, thin and pale, under its running mean."""
    thin = {"color": style.colour, "width": 1}
    name = caption("name_batch", model=style.title)
    pale = step_line(course.curves.steps, values, name, "", thin)
    pale |= {"opacity": 0.35, "hoverinfo": "skip"}
    return [pale, _smooth(course, values, style, suffix, caption("loss"))]


def _smooth(course: Course, values: Array, style: theme.Style, suffix: str, what: str) -> Piece:
    line = {"color": style.colour, "width": theme.LINE, "dash": style.dash}
    hover = f"{style.title} {what} %{{y:.3g}}"
    piece = step_line(course.curves.steps, running_mean(values), style.title, hover, line)
    return piece if not suffix else {**piece, "xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}


def _above(
    courses: Sequence[Course],
    lines: Sequence[Array],
    styles: Styles,
    top: float,
    end: float,
    axes: str = "",
) -> list[Piece]:
    """Where lines end above their axis, an arrow each at the edge, in the colour of the model."""
    arrows, last = "", 0
    for course, values in zip(courses, lines, strict=True):
        mean = running_mean(values)
        at = np.flatnonzero(np.isfinite(mean))
        if len(at) and mean[at[-1]] > top:
            arrows += f"<span style='color:{styles[course.label].colour}'>▲</span>"
            last = max(last, int(course.curves.steps[at[-1]]))
    if not arrows:
        return []
    place = {"xref": f"x{axes}", "yref": f"y{axes}", "yanchor": "top", "xshift": 4}
    if last > end / 2:
        place |= {"xshift": -4, "xanchor": "right"}
    else:
        place |= {"xanchor": "left"}
    font = {"size": theme.SMALL_SIZE}
    return [note(f"{arrows} {caption('above_axis')}", last, top, font=font, **place)]


def _held_out(
    course: Course, style: theme.Style, log: bool, metric: str, now: tuple[float, float] | None
) -> list[Piece]:
    """Loss and metric on what is held out, circles where they were worked out."""
    line = {"color": style.colour, "width": 1, "dash": style.dash}
    circle = {"symbol": "circle-open", "size": 7, "color": style.colour, "line": {"width": 2}}
    curves, pieces = course.curves, list[Piece]()
    for k, (given, what) in enumerate(((curves.held_out_loss, caption("loss")),
                                       (curves.held_out_metric, metric))):  # fmt: skip
        values = np.asarray(given, float).copy()
        if now is not None and len(values):
            values[-1] = now[k]
        values = _scaled(values, log and not k)
        at = np.isfinite(values)
        if at.any():
            hover = caption("held_out_hover", model=style.title, what=what)
            name = caption("held_out_of", model=style.title)
            piece = step_line(curves.steps[at], values[at], name, hover, line)
            place = {"xaxis": "x2", "yaxis": "y2"} if k else {}
            pieces.append({**piece, **place, "mode": "lines+markers", "marker": circle})
    return pieces


def _ghost(course: Course, index: int, log: bool) -> list[Piece]:
    name = caption("earlier", run=course.label)
    line = {"color": theme.GREY, "width": 2, "dash": GHOST_DASHES[index % len(GHOST_DASHES)]}
    steps, curves = course.curves.steps, course.curves
    loss = running_mean(_scaled(curves.loss_per_answer, log))
    metric = step_line(steps, running_mean(curves.metric), name, f"{name} %{{y:.3g}}", line)
    return [
        step_line(steps, loss, name, f"{name} %{{y:.3g}}", line),
        {**metric, "xaxis": "x2", "yaxis": "y2"},
    ]


def step_line(steps: Array, values: Array, name: str, hover: str, line: Piece) -> Piece:
    """A line over training steps, thinned; what is not finite is a gap. One number is a dot."""
    keep, at = kept(len(steps), MOST_POINTS), caption("step_hover")
    shown = np.asarray(values, float)[keep]
    shown = np.where(np.isfinite(shown), shown, np.nan)
    drawn = np.clip(shown, -HUGE, HUGE)
    further = not np.array_equal(drawn, shown, equal_nan=True)
    return {
        "type": "scatter",
        "mode": "lines" if np.isfinite(shown).sum() > 1 else "markers",
        "x": np.asarray(steps)[keep].astype(np.int32),
        "y": gapped(drawn, 4),
        "name": name,
        "line": line,
        "marker": {"color": line["color"], "size": 7},
        "hovertemplate": f"{at}  {hover}<extra></extra>",
        **({"meta": {"values": tabled(shown)}} if further else {}),
    }


def kept(count: int, most: int) -> Array:
    """Indices of at most `most` of `count` recorded steps, the first and the last among them."""
    if count <= most:
        return np.arange(count)
    return np.unique(np.rint(np.linspace(0, count - 1, most)).astype(int))


def running_mean(values: Array, window: int = SMOOTH) -> Array:
    """The mean of each value and the up to window − 1 before it; what is not finite is left out."""
    clean = np.asarray(values, float)
    finite = np.isfinite(clean)
    total = np.cumsum(np.concatenate(([0.0], np.where(finite, clean, 0.0))))
    count = np.cumsum(np.concatenate(([0], finite)))
    stop = np.arange(1, len(clean) + 1)
    start = np.maximum(stop - window, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (total[stop] - total[start]) / (count[stop] - count[start])


def _scaled(loss: Array, log: bool) -> Array:
    return log10(loss) if log else np.asarray(loss, float)


def log10(values: Array) -> Array:
    """The decimal logarithm without warnings: −∞ at 0, NaN below."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log10(np.asarray(values, float))


def _loss_range(losses: Sequence[Array], levels: Sequence[float], log: bool) -> Range:
    """Steady: 0 (or the least decade) up to a fifth over the largest of levels and median."""
    highest = max(levels, default=0.0)
    finite = [values[np.isfinite(values)] for values in losses]
    values = np.concatenate(finite) if finite else np.zeros(0)
    if log:
        values = np.concatenate([values, np.log10(levels)])
        low, high = values.min(initial=-1.0), values.max(initial=0.5)
        return float(np.floor(low)), float(np.ceil(2 * high) / 2)
    usual = [float(np.median(v)) for v in finite if len(v)]
    first = [float(v[0]) for v in finite if len(v)]
    top = 1.25 * max([highest, *usual, *first, 1e-3])
    usable = [max(pair) for pair in zip(usual, first, strict=True)]
    return 0.0, min(top, FAR * max(highest, min(usable, default=1.0), 1e-3))


def _loss_layout(end: float, limits: Range, most: float, metric_name: str, log: bool) -> Piece:
    """most: where the metric's axis ends."""
    metric = {"range": [0, most], **({"tickformat": ".0%"} if metric_name == "accuracy" else {})}
    name = caption("log_loss") if log else caption("loss")
    wide = not log and limits[1] >= LARGE
    return {
        "margin": MARGIN | {"l": WIDE if wide else MARGIN["l"]},
        "xaxis": {**step_axis(end), "domain": [0, LOSS_SHARE]},
        "xaxis2": {**step_axis(end), "domain": [0.72, 1], "anchor": "y2", "nticks": 4},
        "yaxis": axis(name, range=list(limits), nticks=5, **POWERS),
        "yaxis2": axis(_metric_title(metric_name), anchor="x2", nticks=4, **POWERS, **metric),
    }


METRICS = {"accuracy": "accuracy", "mean squared error": "squared_error"}


def _metric_title(name: str) -> str:
    return caption(f"metric_{METRICS[name]}") if name in METRICS else name


def step_axis(end: float) -> Piece:
    """The x axis of training steps, from 0 to `end`."""
    return axis(caption("training_step"), range=[-0.01 * end, end], showgrid=False, nticks=6)


def _headline(
    courses: Sequence[Course], styles: Styles, ghosts: Sequence[Course], playing: bool
) -> Piece:
    """Every model's name in its colour, with its loss where there is room: the figure's legend."""
    known = [(styles[course.label], course) for course in courses]
    past = [(PAST, course.label) for course in ghosts[:ROOM]]
    past += [(PAST, caption("and_more", count=len(ghosts) - ROOM))] if len(ghosts) > ROOM else []
    if playing or len(courses) > ROOM:
        small = 0 if len(courses) > ROOM else theme.WIDTH
        return headline("", [*((style, style.title) for style, _ in known), *past], small)
    now = [(style, f"{style.title} {loss_words(course.loss)}") for style, course in known]
    return headline(caption("loss_now"), [*now, *past], theme.WIDTH)


def level_words(text: str, level: float, share: float = 1.0) -> Piece:
    """Small words that stand on a horizontal line, ending at a share of the width."""
    small = {"size": theme.SMALL_SIZE}
    place = {"xref": "paper", "xanchor": "right", "yanchor": "bottom", "xshift": -2, "yshift": 1}
    return note(theme.plain(text, 70), share, level, font=small, **place)
