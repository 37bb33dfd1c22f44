"""The choices of a layer and a direction: display choices, never the network."""

from __future__ import annotations

from rnnviz.analysis.layers import ARROWS
from rnnviz.dashboard import layout
from rnnviz.views.layer_choice import ALL, DIRECTIONS, LayerChoice

LAYER, DIRECTION = "view_layer", "view_direction"
WIDTH, WIDE, SMALL = 104, 128, 72


def chosen() -> tuple[str, str]:
    """What was chosen last, "" for nothing: names of a layer and a direction."""
    return layout.chosen(LAYER), layout.chosen(DIRECTION)


def draw(choice: LayerChoice, small: bool = False) -> None:
    """Each only where there is something to choose; small where they stand beside others."""
    if len(choice.layers) > 1:
        width = WIDTH if small else None
        layout.choice("Layer", choice.layers, LAYER, choice.layer, _layer_name, width)
    if len(choice.directions) > 1:
        width = WIDE if small else None
        names = choice.directions
        layout.choice("Direction", names, DIRECTION, choice.direction, _direction_name, width)


def _layer_name(layer: str) -> str:
    return "all layers" if layer == ALL else f"layer {layer}"


def _direction_name(direction: str) -> str:
    return f"{ARROWS[DIRECTIONS.index(direction)]} {direction}"
