"""What theory says of the models of a run, and in words where it says nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from rnnviz.analysis.gradients import GradientFlow
from rnnviz.analysis.layers import LayerTrace
from rnnviz.analysis.predictions import (
    Predictions,
    WeightLaw,
    gradient_predictions,
    norm_predictions,
    weight_law,
)
from rnnviz.analysis.remarks import Remark
from rnnviz.analysis.spectra import Stretch, stretch
from rnnviz.experiment import Run
from rnnviz.wording.lists import apart, said_of, sentence, sentences
from rnnviz.wording.lists import names as listed
from rnnviz.wording.names import display_name
from rnnviz.wording.remarks import remark_words
from rnnviz.wording.texts import fill, texts

Array = np.ndarray

REFILLED, GATED = Remark("theory_refilled"), Remark("theory_gated")
KINDS = {"mean field": "theory_mean_field", "exact": "theory_exact",
         "gate alone": "theory_gate_alone"}  # fmt: skip


def of_flows(
    run: Run, parts: Sequence[LayerTrace], flows: Sequence[GradientFlow]
) -> dict[str, Predictions]:
    """What is predicted of each layer's gradient curve, by label."""
    found = {}
    for part, flow in zip(parts, flows, strict=True):
        one = gradient_predictions(part.trace, part.label, flow.reach_from, *_weights(run, part))
        silent = flow.enters_on_the_way
        found[part.label] = replace(one, lines=(), missing=REFILLED) if silent else one
    return found


def of_lags(run: Run, parts: Iterable[LayerTrace]) -> dict[str, Predictions]:
    """What is predicted of each layer's lag profile, by label."""
    return {
        part.label: norm_predictions(
            part.trace, part.label, part.trace.steps_of(0), *_weights(run, part)
        )
        for part in parts
    }


def of_block(run: Run, part: LayerTrace, gate: str, powers: Array) -> WeightLaw | Remark:
    """What is predicted of one H × H block of W_hh, or why nothing is."""
    trace = part.trace
    W = trace.params["W_hh"][trace.cell.gate_rows(gate)].astype(np.float64)
    return weight_law(W, _initializer(run, part), bool(run.trained_steps), powers)


def of_exponents(run: Run, parts: Sequence[LayerTrace]) -> tuple[dict[str, float], str]:
    """λ₁ in nats a step of the layers that it is known of (½ ln χ; ln g without a nonlinearity),
    and why it is not of the others."""
    found = of_lags(run, parts)
    rates: dict[str, float] = {}
    for label, each in found.items():
        known = [line.rate for line in each.lines if line.name in ("mean field", "exact")]
        rates |= {label: known[0]} if known else {}
        if not known and not each.missing:
            found[label] = replace(each, lines=(), missing=GATED)
    return rates, silent(found)


def words(found: Mapping[str, Predictions]) -> str:
    """What the lines are, as far as there are any; "" if there are none."""
    text, names = texts("gradient_flow"), [n.name for each in found.values() for n in each.lines]
    kinds = [text[key] for name, key in KINDS.items() if name in names]
    rates = [fill(text["theory_drawn"], kinds=apart(kinds))] * bool(kinds)
    return sentences([*rates, *[text["theory_bound"]] * ("bound" in names)])


def silent(found: Mapping[str, Predictions]) -> str:
    """Of which models theory gives no rate, and why; "" if it gives one of each."""
    by_reason: dict[Remark, list[str]] = {}
    for label, each in found.items():
        if each.missing:
            by_reason.setdefault(each.missing, []).append(display_name(label))
    said = [sentence(said_of(listed(names), remark_words(r))) for r, names in by_reason.items()]
    some = any(line.name in KINDS for each in found.values() for line in each.lines)
    text = texts("gradient_flow")["theory_partly_silent" if some else "theory_silent"]
    return fill(text, reasons=sentences(said)) if said else ""


def _weights(run: Run, part: LayerTrace) -> tuple[str, bool, Stretch | None]:
    """How W_hh was drawn, whether it was trained since, and how far it stretches in an RNN."""
    cell = part.trace.cell
    stretched = stretch(part.trace, cell.CANDIDATE_GATE) if cell.SIMPLE else None
    return _initializer(run, part), bool(run.trained_steps), stretched


def _initializer(run: Run, part: LayerTrace) -> str:
    return run.initializer(part.model)
