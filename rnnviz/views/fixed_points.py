"""Where a network would come to rest if its input were held constant, and the run around it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnnviz.analysis import limits
from rnnviz.analysis.fixed_points import (
    HUGE,
    FixedPoints,
    Plane,
    fixed_points,
    principal_plane,
    starts_for,
    visited_states,
)
from rnnviz.core.cost import Estimate
from rnnviz.core.numerics import Array
from rnnviz.experiment import Run
from rnnviz.plots import theme
from rnnviz.plots.fixed_points import SYMBOLS, fixed_points_figure
from rnnviz.views.layer_choice import LayerChoice, parts_of, single
from rnnviz.views.picture import Picture, Words
from rnnviz.wording.lists import clauses, sentences
from rnnviz.wording.names import display_name
from rnnviz.wording.numbers import general, near_one, scientific
from rnnviz.wording.remarks import refusal_words
from rnnviz.wording.texts import fill, texts

MOST_INPUT = 10.0
ROWS = 12
"""Of the table."""


@dataclass(frozen=True)
class Choices:
    """model: a label; layer, direction: names of a `LayerChoice`; "" for the first model, its last
    layer, forward. value: what every input of the layer is held at."""

    model: str = ""
    layer: str = ""
    direction: str = ""
    value: float = 0.0


@dataclass(frozen=True, eq=False)
class View:
    """What was found of one layer of one model: None where it was refused, `refusal` says why.

    plane, path (n, S): of the first sequence's states that are finite and not huge. left_out: how
    many are not. distances: from each point to the nearest of these, NaN without any.
    """

    choices: Choices
    layers: LayerChoice
    label: str
    found: FixedPoints | None
    plane: Plane
    path: Array
    left_out: int
    distances: Array
    styles: dict[str, theme.Style]
    refusal: str = ""


def view(run: Run, choices: Choices = Choices()) -> View:
    """The fixed points of the chosen layer of `run`, of the first model where it has no such."""
    parts = parts_of(run)
    part, layers = single(parts, choices.model, choices.layer, choices.direction)
    path, found, refusal = visited_states(part.trace, 0), None, ""
    try:
        found = fixed_points(part.trace, part.label, choices.value)
    except ValueError as error:
        refusal = refusal_words(part.label, error)
    points = np.zeros((0, path.shape[1])) if found is None else found.points
    return View(
        choices,
        layers,
        part.label,
        found,
        principal_plane(path if len(path) else np.zeros((1, path.shape[1]))),
        path,
        1 + part.trace.steps_of(0) - len(path),
        _distances(points, path),
        theme.model_styles([*parts, part.label]),
        refusal,
    )


def cost(run: Run, choices: Choices) -> Estimate:
    """Of the search that `view` makes; nothing where it refuses to."""
    part, _ = single(parts_of(run), choices.model, choices.layer, choices.direction)
    trace = part.trace
    count = starts_for(trace.cell)
    found = limits.fixed_points_cost(trace.cell, count, trace.seq_len, trace.batch_size)
    return Estimate() if limits.refusal("", found) else found


def _distances(points: Array, path: Array) -> Array:
    if not len(path):
        return np.full(len(points), np.nan)
    return np.array([np.linalg.norm(path - point, axis=1).min() for point in points])


def pictures(view: View) -> Iterator[Picture | Words]:
    """How many there are, of which kind, and where they lie."""
    text, found = texts("fixed_points"), view.found
    if found is None:
        yield Words("warning", (view.refusal,))
        return
    yield Words("note", (_summary(found),))
    if view.left_out:
        name, most = "left_out" if len(view.path) else "no_path", general(HUGE)
        yield Words("warning", (fill(text[name], count=f"{view.left_out:,}", most=most),))
    yield Picture(
        "fixed-points",
        fixed_points_figure.plain(found, view.plane, view.path, styles=view.styles),
        text["alt"],
        text["how_to_read"],
    )


def _summary(found: FixedPoints) -> str:
    text = texts("fixed_points")
    of = {"name": display_name(found.label), "value": general(found.value), "starts": found.starts}
    slow = [fill(text["slow"], count=found.slow)] if found.slow else []
    if not len(found.points):
        return sentences([fill(text["none"], **of), *slow])
    counts = Counter(found.kinds)
    kinds = clauses(fill(text[f"count_{k}"], count=counts[k]) for k in SYMBOLS if counts[k])
    one = "found_one" if len(found.points) == 1 else "found"
    said = fill(text[one], count=len(found.points), kinds=kinds, ended=found.ended, **of)
    return sentences([said, *slow])


def _radius(found: FixedPoints, k: int) -> float | str:
    """Of a marginal point 1, of one near it with digits that tell it from 1."""
    radius = float(found.radii[k])
    if found.kinds[k] == "marginal":
        return 1.0
    return near_one(radius) if f"{radius:.4g}" == "1" else radius


def _growing(found: FixedPoints, k: int) -> str:
    known = found.kinds[k] != "kink"
    return f"{found.growing[k]} / {found.eigenvalues.shape[1]}" if known else "–"


def rows(view: View) -> list[dict[str, object]]:
    """A row for each of the first fixed points."""
    text, found = texts("fixed_points"), view.found
    if found is None:
        return []
    return [
        {
            text["column_number"]: str(k + 1),
            text["column_kind"]: text[f"kind_{found.kinds[k]}"],
            text["column_radius"]: _radius(found, k),
            text["column_growing"]: _growing(found, k),
            text["column_norm"]: float(np.linalg.norm(found.points[k])),
            text["column_distance"]: float(view.distances[k]),
            text["column_residual"]: scientific(float(found.residuals[k])),
        }
        for k in range(min(ROWS, len(found.points)))
    ]
