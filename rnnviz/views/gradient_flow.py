"""Does the error reach the past? Gradient norms through time, one line a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rnnviz.analysis.gradients import GradientFlow
from rnnviz.analysis.layers import LayerTrace
from rnnviz.analysis.own_losses import OwnLoss
from rnnviz.analysis.predictions import Predictions
from rnnviz.analysis.seed_bands import SeedBand, seed_bands
from rnnviz.analysis.step_factors import StepFactors, step_factors
from rnnviz.experiment import Run
from rnnviz.plots import gradients as plots
from rnnviz.plots import step_factors as split_plots
from rnnviz.plots import theme
from rnnviz.plots.cells import column_words
from rnnviz.plots.drawing import Drawing, Range
from rnnviz.views import flow_chain, flow_words, layer_choice, theory
from rnnviz.views.flow_chain import Chain
from rnnviz.views.flow_curves import (
    flows_of,
    ghosts_of,
    losses_of,
    splits_of,
    splits_quickly,
    true_layers,
)
from rnnviz.views.layer_choice import LayerChoice
from rnnviz.views.picture import Picture, Words, batch_note
from rnnviz.views.rounding import lost_to_rounding, marked
from rnnviz.views.seeds import (
    NO_OTHERS,
    OtherSeeds,
    is_last,
)
from rnnviz.wording.lists import clauses, sentences
from rnnviz.wording.texts import caption, fill, texts

HEIGHT, LINE = 300, 26
QUANTITIES = ("h", "c", "detail")
"""What can be drawn beside the state's gradient."""


@dataclass(frozen=True)
class Choices:
    """layer, direction: names of a `LayerChoice`, "" for the first. theory: whether it is laid
    over. why: whether every step is split. seeds: how many are drawn. coarse: one seed alone
    and no single losses, while a knob moves. chain: the label of the model that is unrolled above
    the curves, "" for none; moving: a knob does, so that its shares wait where they are costly.
    steady: decades that the axis always shows."""

    layer: str = ""
    direction: str = ""
    theory: bool = False
    why: bool = False
    seeds: int = 1
    coarse: bool = False
    chain: str = ""
    moving: bool = False
    steady: Range = plots.STEADY


@dataclass(frozen=True, eq=False)
class View:
    """What the page says of a run.

    flows: of the layers in front, which the verdict is about; behind: of the other layers; ghosts:
    of a pinned run. losses: where one enters at every step, some of them alone. theory: label ->
    what is predicted. splits: every step split, where that was asked for. bands: of the layers in
    front over several seeds, where that was asked for. verdict, warnings:
    sentences. note: what the task did to its sequences. chain: the unrolled model. lines: how many
    lines of text stand above the figures, which makes them lower, as the chain does. layers: which
    layer is in front, and what else there is to choose. clue_steps, loss_at: what the flags above
    the curves say: where the clue is, where the loss. own_order: whether the layer in front reads
    padded sequences from their ends, so that steps are its own. lower: whether any layer in front
    stands below its model's last one.
    """

    choices: Choices
    layers: LayerChoice
    flows: tuple[GradientFlow, ...]
    behind: tuple[GradientFlow, ...]
    ghosts: tuple[GradientFlow, ...]
    styles: dict[str, theme.Style]
    losses: tuple[OwnLoss, ...]
    theory: dict[str, Predictions]
    splits: tuple[StepFactors, ...]
    bands: tuple[SeedBand, ...]
    verdict: tuple[str, ...]
    warnings: tuple[str, ...]
    note: str
    chain: Chain | None
    lines: int
    clue_steps: tuple[int, ...]
    loss_at: str
    own_order: bool
    lower: bool = False

    @property
    def beside(self) -> tuple[object, ...]:
        """What stands on the page beside the figures: choices, and whether steps are split."""
        return self.layers, bool(self.splits)

    @property
    def drawn(self) -> tuple[GradientFlow, ...]:
        return (*self.behind, *self.flows)

    @property
    def styles_drawn(self) -> dict[str, theme.Style]:
        """Those of the layers that are drawn."""
        return {flow.label: self.styles[flow.label] for flow in self.drawn}

    @property
    def backward(self) -> bool:
        """Whether error travels from step 1 to step T."""
        return any(flow.direction for flow in self.flows)

    @cached_property
    def decades(self) -> Range:
        """Those that hold every curve of the state's gradient."""
        curves, steady = (*self.drawn, *self.ghosts), self.choices.steady
        return plots.flow_range(curves, steady=steady, bands=self.bands)

    def y_range(self, quantity: str = "state") -> Range:
        """Decades that hold every curve."""
        if quantity == "state":
            return self.decades
        return plots.flow_range((*self.drawn, *self.ghosts), quantity)


def view(
    run: Run,
    choices: Choices = Choices(),
    pinned: Run | None = None,
    others: OtherSeeds = NO_OTHERS,
) -> View:
    """What the page says of `run`, with the curves of a `pinned` one and of other seeds behind."""
    parts = layer_choice.parts_of(run)
    layers = layer_choice.choose(parts, parts, choices.layer, choices.direction)
    front, behind = layer_choice.in_front(parts, layers), layer_choice.behind(parts, layers)
    true, above, grey = true_layers(front, behind, parts)
    found, note = flows_of(true), batch_note(run.batch)
    marks = zip(found, above, front, strict=True)
    flows = tuple(marked(flow, layers, part.direction) for flow, layers, part in marks)
    predicted = theory.of_flows(run, front, flows) if choices.theory else {}
    own_order = layer_choice.in_own_order(front)
    flowing = any(flow.refilled for flow in flows) and not own_order
    simple = {p.label: step_factors(p.trace, p.label) for p in true if splits_quickly(p)}
    splits, refusals = splits_of(true, simple) if choices.why else ((), ())
    styles = layer_choice.styles_of(parts, behind)
    return View(
        choices=choices,
        layers=layers,
        flows=flows,
        behind=grey,
        ghosts=ghosts_of(pinned, layers, own_order),
        styles=styles,
        losses=losses_of(true, parts) if flowing and not choices.coarse else (),
        theory=predicted,
        splits=splits,
        bands=seed_bands(flows, others.curves),
        verdict=flow_words.verdict(true, flows, above, simple),
        warnings=(
            *lost_to_rounding(front, true, flows),
            *flow_words.warnings(run, parts, layers, predicted, own_order),
            *refusals,
            *filter(None, (others.refusal,)),
        ),
        note=note,
        chain=_chain(true, flows, styles, choices, {**simple, **{s.label: s for s in splits}}),
        lines=bool(note) + bool(run.trained_steps),
        clue_steps=() if own_order else run.batch.clue_steps,
        loss_at=flow_words.loss_at(run),
        own_order=own_order,
        lower=not all(is_last(part, parts) for part in front),
    )


def _chain(
    parts: Sequence[LayerTrace],
    flows: Sequence[GradientFlow],
    styles: Mapping[str, theme.Style],
    choices: Choices,
    splits: Mapping[str, StepFactors],
) -> Chain | None:
    """splits: those that have been made, by label."""

    def split(part: LayerTrace) -> StepFactors:
        return splits.get(part.label) or step_factors(part.trace, part.label)

    if not choices.chain:
        return None
    wanted, moving = choices.chain, choices.moving
    return flow_chain.chain(parts, flows, styles, wanted, split, splits.keys(), moving)


def pictures(view: View, at_least: Range | None = None) -> Iterator[Picture | Words]:
    """The verdict, the curves, each unit's gradient, and what the figures do not say. `at_least`:
    decades that the axis keeps while a knob is dragged."""
    text = texts("gradient_flow")
    yield Words("verdict", view.verdict)
    if view.splits:
        yield _split_picture(view)
    how = theory.words(view.theory) or text[_how_to_read(view)]
    own_ends = any(flow.own_rate for flow in view.drawn) or any(b.own_ends for b in view.bands)
    how = sentences((how, text["how_to_read_own_ends"] * own_ends, _seeds_words(view)))
    yield quantity_picture(view, "state", how, at_least)
    yield Picture(
        "units",
        plots.unit_heatmaps.plain(
            view.flows,
            y_range=_held(view.y_range(), at_least),
            styles=view.styles,
        ),
        text["alt_units"],
        fill(
            text["how_to_read_units"],
            column=column_words(max((f.seq_len for f in view.flows), default=1)),
        ),
        time_axis=True,
    )
    if view.warnings:
        yield Words("warning", view.warnings)


def _seeds_words(view: View) -> str:
    """What the band is, or where it is while a knob is dragged."""
    text, asked = texts("gradient_flow"), view.choices.seeds
    if asked > 1 and view.choices.coarse:
        return text["seeds_dragged"]
    if not view.bands:
        return ""
    lost = [
        fill(text["seeds_lost_of"], model=view.styles[b.label].title, count=b.nothing, all=b.seeds)
        for b in view.bands
        if b.nothing
    ]
    said = fill(text["seeds_lost"], models=clauses(lost)) if lost else ""
    return sentences((fill(text["how_to_read_seeds"], count=asked), said))


def _how_to_read(view: View) -> str:
    if view.losses:
        return "how_to_read_every_layers" if view.behind else "how_to_read_every"
    if any(flow.enters_on_the_way for flow in view.flows):
        return "how_to_read_refilled"
    return "how_to_read_forward" if view.backward else "how_to_read"


def _split_picture(view: View) -> Picture:
    """Why: what each step multiplies the error with, or by which paths it comes."""
    text, longest = texts("gradient_flow"), max(len(each.change) for each in view.splits)
    kinds = ["factors"] * any(not s.shares for s in view.splits)
    kinds += ["shares"] * any(bool(s.shares) for s in view.splits)
    how = [text[f"how_to_read_{kind}"] for kind in kinds]
    each = split_plots.bar_steps(longest)
    if any(not s.shares and s.refilled[1:].any() for s in view.splits):
        some = "how_to_read_factors_refilled_some"
        how.insert(1, text[some if each > 1 else "how_to_read_factors_refilled"])
    if each > 1:
        how.append(fill(text["how_to_read_bars"], count=each))
    drawing = split_plots.step_factors_figure.plain(
        view.splits,
        styles=view.styles,
        backward=view.backward,
        time_title=caption("own_step_each") if view.own_order else None,
    )
    return Picture(
        "step-factors", drawing, text["alt_step_factors"], sentences(how), time_axis=True
    )


def quantity_picture(
    view: View, quantity: str, how: str = "", at_least: Range | None = None
) -> Picture:
    """The norm of one gradient through time: "state", "h", "c"; "detail" for all of them, total
    beside direct."""
    text = texts("gradient_flow")
    if quantity == "detail":
        drawing = plots.flow_detail_figure.plain(view.flows, styles=view.styles)
        alt = text["alt_detail"]
    else:
        drawing = _curves(view, quantity, _held(view.y_range(quantity), at_least))
        longest = max((flow.seq_len for flow in view.drawn), default=1)
        alt = fill(text["alt_flow"], step=1 if view.backward else longest)
    said = how or text[f"how_to_read_{quantity}"]
    return Picture(f"flow-{quantity}", drawing, alt, said, time_axis=True)


def _curves(view: View, quantity: str, y_range: Range) -> Drawing:
    return plots.flow_figure.plain(
        view.drawn,
        ghosts=view.ghosts,
        quantity=quantity,
        clue_steps=view.clue_steps,
        loss_at=view.loss_at,
        y_range=y_range,
        styles=view.styles,
        height=HEIGHT - LINE * view.lines - flow_chain.HIGH * (view.chain is not None),
        time_title=caption("own_step_each") if view.own_order else None,
        theory=view.theory if quantity == "state" else {},
        losses=view.losses if quantity == "state" else (),
        bands=view.bands if quantity == "state" else (),
    )


def chain_data(view: View, at_least: Range | None = None) -> dict[str, Any]:
    """What a browser draws the chain from: it stands above the curves and has their axes."""
    assert view.chain is not None
    margin = plots.margin_of(view.styles_drawn, view.backward)
    return {
        **view.chain.data(_held(view.y_range(), at_least)),
        "x": plots.step_range(max(flow.seq_len for flow in (*view.drawn, *view.ghosts))),
        "left": margin["l"],
        "right": margin["r"],
    }


def _held(wanted: Range, at_least: Range | None) -> Range:
    low, high = at_least or wanted
    return min(low, wanted[0]), max(high, wanted[1])
