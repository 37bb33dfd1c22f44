"""Who keeps the memory open? The gates of one model, and what they keep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnnviz.analysis import limits
from rnnviz.analysis.batch_carry import BatchCarry, batch_carry, only_first
from rnnviz.analysis.carry import CarryPaths, carry_paths
from rnnviz.analysis.gates import LEFT, RIGHT, GateStats, Memory, gate_stats, memory
from rnnviz.analysis.jacobian.structured import state_size
from rnnviz.analysis.layers import LayerTrace, in_real_time
from rnnviz.analysis.slopes import record_with_true_slopes
from rnnviz.analysis.verdicts import gates_verdict, memory_verdict
from rnnviz.core import Record
from rnnviz.core.trace import of_sequences
from rnnviz.experiment import Run
from rnnviz.plots import gates as plots
from rnnviz.plots import theme
from rnnviz.plots.carry import carry_figure, lines_drawn
from rnnviz.plots.cells import column_words
from rnnviz.views import layer_choice
from rnnviz.views.layer_choice import LayerChoice
from rnnviz.views.picture import Picture, Words
from rnnviz.wording.lists import apart, clauses, sentences
from rnnviz.wording.numbers import minus, percent
from rnnviz.wording.texts import caption, fill, texts
from rnnviz.wording.verdicts import say

COARSE_STEPS = 12
CARRY_BUDGET = 10_000_000_000
"""Multiplications: about two seconds of matrix products."""
BATCH_BUDGET = 2_000_000_000
"""Those of all sequences together: about a tenth of a second."""
BATCH_BYTES = 128 << 20
"""What their products may take: with a skip a state is as many states."""


@dataclass(frozen=True)
class Choices:
    """model: a label of one with a memory gate, layer, direction: names of a `LayerChoice`; "" for
    the first one, its last layer. coarse: fewer points of the true derivative, while a knob is
    dragged."""

    model: str = ""
    layer: str = ""
    direction: str = ""
    coarse: bool = False


@dataclass(frozen=True, eq=False)
class View:
    """What the page says of one model of a run.

    models: those with a memory gate; none if no model has one, then `model` is the first and its
    state is shown. stats: by gate, of the first sequence in the order of the input. carry: of the
    first sequence, batch: from its first step to its last, of several; None where the products
    would take too long. span: the steps of the first sequence, over which memory is to be kept;
    seq_len: of the longest. alike: whether all units keep alike.
    """

    models: tuple[str, ...]
    model: str
    label: str
    layers: LayerChoice
    stats: dict[str, GateStats]
    memory: Memory | None
    carry: CarryPaths | None
    batch: BatchCarry | None
    styles: dict[str, theme.Style]
    seq_len: int
    span: int
    backward: bool
    verdict: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def beside(self) -> tuple[object, ...]:
        """What stands on the page beside the figures: choices, and what is said without numbers."""
        return self.models, self.layers, self.alike, self.notes

    @property
    def alike(self) -> bool:
        """Whether the memory gate is a constant for practical purposes."""
        return self.memory is not None and self.stats[self.memory.gate].alike


def view(run: Run, choices: Choices = Choices()) -> View:
    """What the page says of `run`."""
    parts, text = layer_choice.parts_of(run), texts("gates")
    gated = tuple(label for label, each in parts.items() if each[0].trace.cell.MEMORY_GATE)
    model = choices.model if choices.model in gated else (gated or tuple(parts))[0]
    part, layers = layer_choice.single(parts, model, choices.layer, choices.direction)
    kept = carry = batch = None
    span = part.trace.steps_of(0)
    if gated:
        whole, coarse = part.trace, choices.coarse
        record = record_with_true_slopes(of_sequences(whole, np.arange(1)) if coarse else whole)
        kept = memory(whole if coarse else record, part.label)
        carry = _carry(record, part.label, coarse)
        if carry is not None:
            batch = only_first(carry, whole.batch_size) if coarse else _batch(record, carry)
    too_large = kept is not None and carry is None
    fixed = kept is not None and kept.gate not in part.trace.cell.trainable_gates
    return View(
        models=gated,
        model=model,
        label=part.label,
        layers=layers,
        stats=_stats(part),
        memory=kept,
        carry=carry,
        batch=batch,
        styles=theme.model_styles([*parts, part.label]),
        seq_len=run.batch.seq_len,
        span=span,
        backward=bool(part.direction),
        verdict=_verdict(kept, carry, batch, span),
        notes=tuple([text["too_large"]] * too_large + [text["fixed"]] * fixed),
    )


def _stats(part: LayerTrace) -> dict[str, GateStats]:
    """Each gate of the layer, its values in the order of the input."""
    found = gate_stats(part.trace, part.label)
    if "leak" in part.trace.cell.other_ways:
        found = _of_leaky_states(part)
    return {
        gate: replace(stats, values=in_real_time(stats.values, part.direction, axis=1))
        for gate, stats in found.items()
    }


def _of_leaky_states(part: LayerTrace) -> dict[str, GateStats]:
    """Of a leaky cell its states, which are not what its activation makes; one that is near an end
    of their range is not saturated."""
    trace = replace(part.trace, gate_values=part.trace.h[1:])
    found = gate_stats(trace, part.label)
    return {gate: replace(stats, saturates=False) for gate, stats in found.items()}


def _carry(record: Record, label: str, coarse: bool) -> CarryPaths | None:
    """Π f against the truth, at every step or, where that takes long, at some."""
    cell, T, work = record.cell, record.seq_len, _work(record)
    if work > CARRY_BUDGET or limits.refusal("", limits.carry_cost(cell, T, record.batch_size)):
        return None
    some = coarse or work > CARRY_BUDGET // 10
    return carry_paths(record, label, every=max(1, T // COARSE_STEPS) if some else 1)


def _batch(record: Record, carry: CarryPaths) -> BatchCarry:
    """Of as many sequences as the time allows, at least of the first one, which is known."""
    each = 8 * 4 * state_size(record.cell) * record.cell.hidden_size  # bytes of a product
    count = min(BATCH_BUDGET // _work(record), BATCH_BYTES // each)
    found = batch_carry(record, carry.label, count) if count > 1 else None
    return found or only_first(carry, record.batch_size)


def _work(record: Record) -> int:
    """Multiplications of one sequence's product."""
    cell = record.cell
    return record.seq_len * len(cell.GATES) * cell.hidden_size**3


def _verdict(
    kept: Memory | None, carry: CarryPaths | None, batch: BatchCarry | None, span: int
) -> tuple[str, ...]:
    """Nothing for a model without a memory gate."""
    if kept is None:
        return ()
    if carry is None or batch is None:
        return (say(memory_verdict([kept])),)
    return tuple(say(gates_verdict(kept, carry, batch, span)).split("\n"))


def pictures(view: View) -> Iterator[Picture | Words]:
    """The verdict; the memory gate beside its half-lives, the other gates beside Π f and the truth;
    the states of a model that has no memory gate."""
    text = texts("gates")
    if view.memory is None:
        yield Words("info", (text["no_memory"],))
        yield from _states(view)
        return
    yield Words("verdict", view.verdict)
    if view.notes:
        yield Words("note", view.notes)
    yield Picture(
        "memory-gate",
        plots.gate_heatmap.plain(
            view.stats[view.memory.gate], view.memory.order, styles=view.styles
        ),
        text["alt_memory_gate"],
        _how("heatmap", view, "smallest", [view.stats[view.memory.gate]]),
        time_axis=True,
    )
    yield Picture(
        "half-life",
        plots.half_life_figure.plain([view.memory], view.span, styles=view.styles),
        text["alt_half_life"],
        text["how_to_read_half_life"],
    )
    yield from _paths(view, view.memory)


def _paths(view: View, kept: Memory) -> Iterator[Picture]:
    text = texts("gates")
    others = [stats for gate, stats in view.stats.items() if gate != kept.gate]
    drawn = [] if view.carry is None else lines_drawn(view.carry, [kept])
    how = [text["how_to_read_carry"]]
    how += [text[f"line_{name}"] for name in ("through", "cell", "half_life") if name in drawn]
    how.append(text["solid_and_dotted"])
    if view.batch is not None:
        several = view.batch.sequences > 1
        how.append(text["how_to_read_batch" if several else "how_to_read_one_sequence"])
    how.append(text["two_references"])
    yield Picture(
        "gate-strips",
        plots.gate_strips.plain(others, kept.order, styles=view.styles),
        text["alt_gate_strips"],
        _how("strips", view, "furthest", others),
        time_axis=True,
    )
    yield Picture(
        "carry",
        carry_figure.plain(
            [view.carry] if view.carry else [],
            batches=[view.batch] if view.batch else [],
            memories=[kept],
            styles=view.styles,
            time_title=caption("own_step") if view.backward else None,
        ),
        text["alt_carry"],
        sentences(how),
        time_axis=not view.backward,
    )


def _states(view: View) -> Iterator[Picture]:
    text, every = texts("gates"), list(view.stats.values())
    for stats in [replace(every[0], gate="h")] if len(every) == 1 else every:
        yield Picture(
            "states",
            plots.gate_heatmap.plain(stats, styles=view.styles),
            text["alt_states"],
            _how("states", view, "furthest", [stats])
            if stats.signed
            else _how("states_unsigned", view, "smallest", [stats]),
            time_axis=True,
        )


def _how(name: str, view: View, kept: str, stats: Sequence[GateStats]) -> str:
    """How to read gates, and which share of their values is saturated."""
    text = texts("gates")
    how = fill(text[f"how_to_read_{name}"], column=column_words(view.seq_len, kept))
    flat = [each for each in stats if each.saturates]
    groups = [[each for each in flat if each.signed is signed] for signed in (False, True)]
    said = apart(_saturated(group) for group in groups if group)
    return sentences([how, fill(text["saturated"], shares=said)]) if said else how


def _saturated(stats: Sequence[GateStats]) -> str:
    """Of gates whose ends are the same, over all units, steps and sequences."""
    shares = [
        f"{s.gate} {percent(float(s.left.mean()))} / {percent(float(s.right.mean()))}"
        for s in stats
    ]
    low = minus(f"{-RIGHT if stats[0].signed else LEFT}")
    return fill(texts("gates")["saturated_of"], low=low, gates=clauses(shares))
