"""What Gradient flow says of its curves in sentences: the verdict, and what they do not say by
themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rnnviz.analysis.gates import memory
from rnnviz.analysis.gradients import GradientFlow
from rnnviz.analysis.layers import LayerTrace
from rnnviz.analysis.linear_growth import stack_growth
from rnnviz.analysis.predictions import Predictions
from rnnviz.analysis.spectra import stretch
from rnnviz.analysis.step_factors import StepFactors
from rnnviz.analysis.trouble import troubles
from rnnviz.core.layers import Traces
from rnnviz.experiment import Run
from rnnviz.views import layer_choice, theory
from rnnviz.views.layer_choice import LayerChoice
from rnnviz.wording.texts import texts
from rnnviz.wording.trouble import trouble_words
from rnnviz.wording.verdicts import gradient_words


def verdict(
    parts: Sequence[LayerTrace],
    flows: Sequence[GradientFlow],
    above: Sequence[Traces],
    splits: Mapping[str, StepFactors],
) -> tuple[str, ...]:
    """The rule of thumb knows nothing of a skip: then it is not judged."""
    simple = [p for p in parts if p.trace.cell.SIMPLE and not p.trace.cell.skip]
    spectra = {p.label: stretch(p.trace, p.trace.cell.CANDIDATE_GATE) for p in simple}
    memories = [] if spectra else [memory(part.trace, part.label) for part in parts]
    trouble, kept = trouble_words(troubles(flows)), [m for m in memories if m is not None]
    lines = gradient_words(flows, spectra, kept, splits, _growths(flows, above))
    return (*lines, *([trouble] if trouble else []))


def _growths(flows: Sequence[GradientFlow], above: Sequence[Traces]) -> dict[str, float]:
    """How much linear steps alone make of the error where the states have exploded."""
    found = {
        flow.label: stack_growth([layer[0] for layer in layers])
        for flow, layers in zip(flows, above, strict=True)
        if flow.forward_ends is not None and (len(layers) == 1 or len(layers[0]) == 1)
    }
    return {label: log10 for label, log10 in found.items() if log10 is not None}


def warnings(
    run: Run,
    parts: layer_choice.Parts,
    layers: LayerChoice,
    predicted: dict[str, Predictions],
    own_order: bool,
) -> tuple[str, ...]:
    """What the curves do not say by themselves."""
    text = texts("gradient_flow")
    front, others = layer_choice.in_front(parts, layers), layer_choice.behind(parts, layers)
    deepest = {label: each[-1].layer for label, each in parts.items()}
    lower = any(p.layer < deepest[p.model] and p.trace.d_h_direct.any() for p in (*front, *others))
    said = (
        text["every_step_warning"] * (loss_at(run) == "every"),
        text["lower_layer"] * lower,
        text["own_order"] * own_order,
        layer_choice.without_direction(parts, layers),
        theory.silent(predicted),
    )
    return tuple(filter(None, said))


def loss_at(run: Run) -> str:
    """ "every" step, the "last" one, or the "ends" of sequences of different lengths."""
    asked = np.asarray(run.batch.mask) != 0
    if (asked.sum(axis=0) > 1).any():
        return "every"
    return "ends" if np.ptp(run.batch.lengths) else "last"
