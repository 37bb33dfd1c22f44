"""Which layers and directions of the models a page shows: display choices, never the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rnnviz.analysis.labels import display_name
from rnnviz.analysis.layers import ARROWS, LayerTrace, layer_traces
from rnnviz.dashboard import compute, layout
from rnnviz.experiment import Experiment
from rnnviz.plots import theme

ALL = "all"
LAYER, DIRECTION = "view_layer", "view_direction"
DIRECTIONS = ("forward", "backward")
WIDTH, WIDE, SMALL = 104, 128, 72


@dataclass(frozen=True)
class View:
    """layer: counted from the input's, 0 for all of them; direction: 0 forward, 1 backward."""

    layer: int
    direction: int


def view(experiment: Experiment, labels: Sequence[str], every: bool = True) -> View:
    """What was chosen last, as far as these models have it."""
    layers, directions = _options(experiment, labels, every)
    layer = layout.kept(LAYER, layers, layers[0] if every else layers[-1])
    direction = layout.kept(DIRECTION, directions, directions[0])
    return View(0 if layer == ALL else int(layer), DIRECTIONS.index(direction))


def choices(experiment: Experiment, labels: Sequence[str], every: bool = True) -> None:
    """The two choices, each only where there is one; for the row of the page's question. Small
    where they stand beside others (not `every`)."""
    layers, directions = _options(experiment, labels, every)
    now = view(experiment, labels, every)
    if len(layers) > 1:
        layer = ALL if now.layer == 0 else str(now.layer)
        layout.choice("Layer", layers, LAYER, layer, _layer_name, None if every else WIDTH)
    if len(directions) > 1:
        direction = DIRECTIONS[now.direction]
        wide = None if every else WIDE
        layout.choice("Direction", directions, DIRECTION, direction, _direction_name, wide)


def offers(experiment: Experiment, label: str) -> bool:
    """Whether there is anything to choose from in one model."""
    return any(len(found) > 1 for found in _options(experiment, [label], every=False))


def _options(
    experiment: Experiment, labels: Sequence[str], every: bool
) -> tuple[list[str], list[str]]:
    """Layers and directions to choose from; `every`: all layers at once is a choice too."""
    known = _parts(experiment)
    parts = [part for label in labels for part in known[str(label)]]
    deepest, most = max(p.layer for p in parts), max(p.direction for p in parts)
    numbers = [str(k) for k in range(1, deepest + 1)]
    layers = [ALL, *numbers] if every and deepest > 1 else numbers
    return layers, list(DIRECTIONS[: most + 1])


def _layer_name(layer: str) -> str:
    return "all layers" if layer == ALL else f"layer {layer}"


def _direction_name(direction: str) -> str:
    return f"{ARROWS[DIRECTIONS.index(direction)]} {direction}"


def shown(experiment: Experiment, chosen: View) -> tuple[LayerTrace, ...]:
    """What stands in front: of each model that has the direction, the chosen layer; the last one
    where all are shown or the model has fewer."""
    return tuple(
        parts[-1] if not chosen.layer else parts[min(chosen.layer, len(parts)) - 1]
        for parts in _of(experiment, chosen).values()
        if parts
    )


def behind(experiment: Experiment, chosen: View) -> tuple[LayerTrace, ...]:
    """The other layers of these models, where all are shown."""
    if chosen.layer:
        return ()
    found = _of(experiment, chosen).values()
    return tuple(part for parts in found for part in parts[:-1])


def _of(experiment: Experiment, chosen: View) -> dict[str, list[LayerTrace]]:
    """The layers of each model in the chosen direction; none where it has no such direction."""
    return {
        label: [part for part in parts if part.direction == chosen.direction]
        for label, parts in _parts(experiment).items()
    }


def _parts(experiment: Experiment) -> dict[str, tuple[LayerTrace, ...]]:
    return {label: layer_traces(t, label) for label, t in compute.traces(experiment).items()}


def part(experiment: Experiment, label: str) -> LayerTrace:
    """The chosen layer and direction of one model; its last layer if none was chosen."""
    now = view(experiment, [label], every=False)
    return _of(experiment, now)[label][now.layer - 1]


def is_last(experiment: Experiment, label: str) -> bool:
    """Whether no layer of its model lies above this one."""
    found = compute.layers(experiment, label)
    return compute.layer(experiment, label).layer == found[-1].layer


def labels_of(parts: Sequence[LayerTrace]) -> tuple[str, ...]:
    """The labels of layers, in their order."""
    return tuple(part.label for part in parts)


def styles(experiment: Experiment, chosen: View) -> dict[str, theme.Style]:
    """Each layer in its model's style, thin where it stands behind."""
    parts = [part for found in _parts(experiment).values() for part in found]
    thin = labels_of(behind(experiment, chosen))
    known = theme.model_styles([*map(str, experiment.models), *labels_of(parts)])
    return {label: replace(s, faint=label in thin) for label, s in known.items()}


def own_order(parts: Sequence[LayerTrace]) -> bool:
    """Whether steps are the layers' own: they read padded sequences from their ends."""
    return any(p.direction == 1 and p.trace.lengths is not None for p in parts)


def missing(experiment: Experiment, chosen: View) -> str:
    """Which models are not shown because they read in the other direction alone; "" if none."""
    names = [display_name(label) for label, parts in _of(experiment, chosen).items() if not parts]
    return f"Not shown, for it reads forward only: {', '.join(names)}." if names else ""
