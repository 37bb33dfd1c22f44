"""The same experiment with other seeds, and the layers that Gradient flow is about."""

from __future__ import annotations

from dataclasses import dataclass

from rnnviz.analysis.gradients import state_curve
from rnnviz.analysis.layers import LayerTrace
from rnnviz.analysis.rates import Curve
from rnnviz.analysis.slopes import with_slopes_in_float64
from rnnviz.experiment import Run
from rnnviz.views import layer_choice


@dataclass(frozen=True)
class OtherSeeds:
    """The state's gradient of the same models with the next seeds: a curve by label for each.
    refusal: why there are none, though they were asked for."""

    curves: tuple[dict[str, Curve], ...] = ()
    refusal: str = ""


NO_OTHERS = OtherSeeds()


def seed_curves(run: Run, layer: str = "", direction: str = "") -> dict[str, Curve]:
    """What a run of another seed has for `OtherSeeds`: by label, of the layers in front."""
    front = front_parts(run, layer, direction)
    return {part.label: state_curve(part.trace) for part in front}


def front_parts(run: Run, layer: str, direction: str) -> list[LayerTrace]:
    """Of each model the layer in front, with its true derivatives."""
    parts = layer_choice.parts_of(run)
    chosen = layer_choice.choose(parts, parts, layer, direction)
    return [true_part(part, parts) for part in layer_choice.in_front(parts, chosen)]


def true_part(part: LayerTrace, parts: layer_choice.Parts) -> LayerTrace:
    """With the derivatives of its pre-activations, if it is of single precision. Of a last layer:
    what reaches the others has gone through layers of float32."""
    if not is_last(part, parts):
        return part
    return part._replace(trace=with_slopes_in_float64(part.trace))


def is_last(part: LayerTrace, parts: layer_choice.Parts) -> bool:
    """Whether no layer of its model is above it."""
    return part.layer == parts[part.model][-1].layer
