"""The curves of Gradient flow: of a run's layers, of a pinned run, of single losses, and every step
of them split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rnnviz.analysis.gradients import GradientFlow, gradient_flow
from rnnviz.analysis.layers import LayerTrace
from rnnviz.analysis.own_losses import OwnLoss, own_losses
from rnnviz.analysis.step_factors import StepFactors, step_factors
from rnnviz.analysis.truncated import Truncated
from rnnviz.core.layers import Traces
from rnnviz.experiment import Run
from rnnviz.views import flow_chain, layer_choice
from rnnviz.views.layer_choice import LayerChoice
from rnnviz.views.seeds import front_parts, is_last, true_stacks
from rnnviz.wording.names import display_name
from rnnviz.wording.numbers import counted
from rnnviz.wording.remarks import refusal_words
from rnnviz.wording.texts import say


def true_layers(
    front: Sequence[LayerTrace], behind: Sequence[LayerTrace], parts: layer_choice.Parts
) -> tuple[list[LayerTrace], list[Traces], tuple[GradientFlow, ...]]:
    """The layers in front with their true derivatives, each with those above it, and the curves of
    those behind. One model after the other: traces are large, and of those behind none is kept."""
    true, above = dict[str, LayerTrace](), dict[str, Traces]()
    curves, in_front = dict[str, GradientFlow](), {part.label for part in front}
    for model in parts:
        mine = [part for part in (*front, *behind) if part.model == model]
        for part, layers in zip(mine, true_stacks(mine, parts), strict=True):
            exact = part._replace(trace=layers[0][part.direction])
            if part.label in in_front:
                true[part.label], above[part.label] = exact, layers
            else:
                (curves[part.label],) = flows_of([exact])
    labels = [part.label for part in front]
    kept = [true[n] for n in labels], [above[n] for n in labels]
    return *kept, tuple(curves[part.label] for part in behind)


def losses_of(front: Sequence[LayerTrace], parts: layer_choice.Parts) -> tuple[OwnLoss, ...]:
    """Of last layers, whose direct gradients are the losses', in gradients of each sequence's own
    loss like `flows_of`."""
    last = [part for part in front if is_last(part, parts)]
    found = (own_losses(part.trace, part.label, scale=part.trace.batch_size) for part in last)
    return tuple(one for each in found for one in each)


def flows_of(parts: Sequence[LayerTrace], own_order: bool = False) -> tuple[GradientFlow, ...]:
    """In gradients of each sequence's own loss. Where sequences are padded, a layer that reads from
    the end stays in its own order: their ends are at different steps of the input. own_order: so
    does every layer."""
    flows = (
        gradient_flow(
            part.trace,
            part.label,
            part.trace.batch_size,
            0 if own_order or part.trace.lengths is not None else part.direction,
        )
        for part in parts
    )
    return tuple(replace(f, fed=p.layer > 1) for f, p in zip(flows, parts, strict=True))


def splits_quickly(part: LayerTrace) -> bool:
    """Whether its steps are split for the verdict, which costs no more than a norm."""
    cell = part.trace.cell
    return flow_chain.one_way(cell) and not cell.skip and not part.trace.window


def splits_of(
    parts: Sequence[LayerTrace], made: Mapping[str, StepFactors]
) -> tuple[tuple[StepFactors, ...], tuple[str, ...]]:
    """Every step of each layer split, and why that of others is not. made: those that are."""
    found, refusals = [], []
    for part in parts:
        try:
            found.append(made.get(part.label) or step_factors(part.trace, part.label))
        except Truncated as refusal:
            window, name = counted(refusal.window, "steps"), display_name(part.label)
            refusals.append(say("gradient_flow", "why_truncated", name=name, window=window))
        except ValueError as refusal:
            refusals.append(refusal_words(part.label, refusal))
    return tuple(found), tuple(refusals)


def ghosts_of(
    pinned: Run | None, wanted: LayerChoice, own_order: bool = False
) -> tuple[GradientFlow, ...]:
    """Of the pinned run the same layer, as far as it has it, and the same direction, else none:
    what reads the other way would mean the opposite. own_order: whether steps are the layers' own,
    in which any such layer can be drawn; in the input's steps padded ones cannot."""
    if pinned is None:
        return ()
    front = front_parts(pinned, wanted.layer, wanted.direction)
    found = [part for part in front if part.direction == wanted.backward]
    if wanted.backward and not own_order:
        found = [part for part in found if part.trace.lengths is None]
    return flows_of(found, own_order)
