"""The weights of one layer as they are, and what the loss would have them change: maps of every
gate's blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.weights import WeightMaps, weight_maps
from rnnviz.experiment import Run
from rnnviz.plots import theme
from rnnviz.plots import weights as plots
from rnnviz.views.layer_choice import LayerChoice, parts_of, single
from rnnviz.views.picture import Picture, Words
from rnnviz.views.seeds import true_parts
from rnnviz.wording.lists import sentences
from rnnviz.wording.numbers import counted, general
from rnnviz.wording.texts import fill, texts

PARTS = {"values": "weights", "gradient": "weight-gradients"}


@dataclass(frozen=True)
class Choices:
    """model: a label; layer, direction: names of a `LayerChoice`. "" for the first model, its last
    layer, forward."""

    model: str = ""
    layer: str = ""
    direction: str = ""


@dataclass(frozen=True, eq=False)
class View:
    """The blocks of one layer of one model. window: after how many steps its gradients are
    truncated, 0 if they are not. own_loss: whether the loss is known by its gradients alone."""

    choices: Choices
    layers: LayerChoice
    maps: WeightMaps
    styles: dict[str, theme.Style]
    window: int
    own_loss: bool


def view(run: Run, choices: Choices = Choices()) -> View:
    """The weights of the chosen layer of `run`, of the first model where it has no such."""
    parts = parts_of(run)
    part, layers = single(parts, choices.model, choices.layer, choices.direction)
    (exact,) = true_parts([part], parts)
    styles, trace = theme.model_styles([*parts, part.label]), exact.trace
    maps = weight_maps(trace, part.label)
    return View(choices, layers, maps, styles, trace.window, run[part.model].own_loss)


def pictures(view: View) -> Iterator[Picture | Words]:
    """The weights, then their gradients, each with its histograms."""
    text, maps = texts("weights"), view.maps
    bounds = {"values": maps.bound, "gradient": maps.gradient_bound}
    for part, key in PARTS.items():
        name = key.replace("-", "_")
        yield Picture(
            key,
            plots.weight_figure.plain(maps, gradient=part == "gradient", styles=view.styles),
            text[f"alt_{name}"],
            _how_to_read(view, part, general(bounds[part], 3)),
        )
        if said := _missing(maps, part):
            yield Words("note", (said,))


def _how_to_read(view: View, part: str, bound: str) -> str:
    text = texts("weights")
    if part == "values":
        skip = any(block.parameter == "W_skip" for block in view.maps.maps)
        return sentences([fill(text["how_to_read_weights"], bound=bound), text["skip_line"] * skip])
    loss = text["gradient_own" if view.own_loss else "gradient_mean"]
    step = text["step_truncated" if view.window else "step_lowers"]
    scale = fill(text["how_to_read_weight_gradients"], bound=bound)
    return sentences([loss, fill(step, window=counted(view.window, "steps")), scale])


def _missing(maps: WeightMaps, part: str) -> str:
    """How many entries are 0, and how many are no number; "" if none."""
    values = np.concatenate([np.ravel(getattr(block, part)) for block in maps.maps])
    counts = {
        f"zeros_{part}": int(np.sum(values == 0)),
        "infinite": int(np.isinf(values).sum()),
        "not_a_number": int(np.isnan(values).sum()),
    }
    what, total = "∂L/∂W" if part == "gradient" else "W", f"{values.size:,}"
    return sentences(
        fill(texts("weights")[name], count=f"{count:,}", total=total, what=what)
        for name, count in counts.items()
        if count
    )
