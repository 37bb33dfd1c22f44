"""The same experiment with other seeds, and the layers that Gradient flow is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rnnviz.analysis.layers import LayerTrace
from rnnviz.analysis.seed_bands import SeedCurve, seed_curve
from rnnviz.analysis.slopes import layers_with_true_slopes
from rnnviz.core.layers import Traces
from rnnviz.experiment import Run
from rnnviz.views import layer_choice


@dataclass(frozen=True)
class OtherSeeds:
    """The state's gradient of the same models with the next seeds: a curve by label for each.
    refusal: why there are none, though they were asked for."""

    curves: tuple[dict[str, SeedCurve], ...] = ()
    refusal: str = ""


NO_OTHERS = OtherSeeds()


def seed_curves(run: Run, layer: str = "", direction: str = "") -> dict[str, SeedCurve]:
    """What a run of another seed has for `OtherSeeds`: by label, of the layers in front."""
    front = front_parts(run, layer, direction)
    return {part.label: seed_curve(part.trace) for part in front}


def front_parts(run: Run, layer: str, direction: str) -> tuple[LayerTrace, ...]:
    """Of each model the layer in front, with its true derivatives."""
    parts = layer_choice.parts_of(run)
    chosen = layer_choice.choose(parts, parts, layer, direction)
    return true_parts(layer_choice.in_front(parts, chosen), parts)


def true_parts(wanted: Sequence[LayerTrace], parts: layer_choice.Parts) -> tuple[LayerTrace, ...]:
    """With the derivatives of their pre-activations, and of the layers above them, if these are of
    single precision."""
    stacks = zip(wanted, true_stacks(wanted, parts), strict=True)
    return tuple(p._replace(trace=layers[0][p.direction]) for p, layers in stacks)


def true_stacks(wanted: Sequence[LayerTrace], parts: layer_choice.Parts) -> list[Traces]:
    """Of each the layer and all above it, in all their directions, with such derivatives; the layer
    alone where those above have all their digits, of which nobody asks more."""
    found: dict[tuple[str, int], Traces] = {}
    for model in dict.fromkeys(p.model for p in wanted):
        numbers = {p.layer for p in wanted if p.model == model}
        layers = layers_with_true_slopes(layers_from(parts[model], min(numbers)))
        found |= {(model, n): _needed(layers[n - min(numbers) :]) for n in numbers}
    return [found[p.model, p.layer] for p in wanted]


def _needed(layers: Traces) -> Traces:
    exact = all(t.remainders is not None for layer in layers for t in layer)
    return layers[:1] if exact else layers


def layers_from(every: Sequence[LayerTrace], lowest: int) -> Traces:
    """The traces of a model's layer of that number and of all above it, lowest first."""
    numbers = range(lowest, every[-1].layer + 1)
    return tuple(tuple(p.trace for p in every if p.layer == number) for number in numbers)


def is_last(part: LayerTrace, parts: layer_choice.Parts) -> bool:
    """Whether no layer of its model is above it."""
    return part.layer == parts[part.model][-1].layer
