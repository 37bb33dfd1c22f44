"""What the numbers of a run amount to, still as numbers: `rnnviz.wording.verdicts` says
them in words.

Each function is pure: results in, `Verdict(kind, fields)` out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from rnnviz.analysis.batch_carry import BatchCarry
from rnnviz.analysis.carry import CarryPaths
from rnnviz.analysis.gates import Memory
from rnnviz.analysis.gradients import GradientFlow
from rnnviz.analysis.rates import Drop, Rate
from rnnviz.analysis.spectra import Spectrum, Stretch, WholeStep
from rnnviz.analysis.step_factors import StepFactors
from rnnviz.analysis.trouble import exploded_by_itself
from rnnviz.analysis.truncated import Truncated
from rnnviz.core.numerics import Array, Status

LEVEL_REACH = 1.0
"""Decades from the last step to the first, beyond which no curve is level, however slow."""
NO_GROWTHS: Mapping[str, float] = MappingProxyType({})
EDGE = 1e-6
"""Relative distance from 1/γ up to which a largest singular value counts as on the edge."""


class Verdict(NamedTuple):
    """kind: which template says it; fields: the numbers that go in.

    Examples
    --------
    >>> analysis.Verdict("memory", {"models": (("lstm", "f", 13.2),)}).kind
    'memory'
    """

    kind: str
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Reach:
    """How much of one model's error reaches step 1, at which rate, and from which step of the
    input. drop: where most of it is lost in a single step. exploded: the states are no numbers
    from a step of the way forward on; then log10 is that of its linear steps, if they are.
    refilled: new error enters on the way, so log10 is of the total, not of what has travelled.
    empty: there is no error at any step."""

    label: str
    kind: str
    log10: float
    status: Status
    rate: Rate | None
    from_step: int
    drop: Drop | None = None
    exploded: bool = False
    refilled: bool = False
    empty: bool = False

    @property
    def unknown(self) -> bool:
        """Whether no number is left, because the states have exploded."""
        return self.exploded and bool(np.isnan(self.log10))

    @property
    def loss_rank(self) -> float:
        """Sorts the greatest loss of error first, unknown values last."""
        return np.inf if np.isnan(self.log10) else self.log10


def reach_verdict(
    flows: Sequence[GradientFlow], growths: Mapping[str, float] = NO_GROWTHS
) -> Verdict:
    """Of the error at the last step, what reaches step 1 in each model, greatest loss first.

    from_step, to_step: of the input; where the models read from the end, error travels forward.
    total_from: from_step of the models in which new error enters on the way. own_ends: sequences of
    different lengths count from their own ends.
    growths: label -> what linear steps alone make of the error (`stack_growth`), in decades, of
    those whose states have exploded.
    Raises ValueError if there are no flows, and `Truncated` for one of a truncated pass.
    """
    if not flows:
        raise ValueError("flows must hold at least one GradientFlow, got none")
    for flow in flows:
        if flow.window:
            raise Truncated("reach_verdict", flow.window)
    reaches = [_reach(flow, growths.get(flow.label)) for flow in flows]
    ranked = tuple(sorted(reaches, key=lambda reach: reach.loss_rank))
    totals = [flow for flow in flows if flow.refilled]
    others = [flow for flow in flows if not flow.refilled]
    return Verdict(
        "reach",
        {
            "from_step": _furthest(others or flows),
            "total_from": _furthest(totals or flows),
            "to_step": flows[0].real_step(1),
            "models": ranked,
            "own_ends": any(f.own_rate for f in others),
        },
    )


def _furthest(flows: Sequence[GradientFlow]) -> int:
    """The step of the input at which error enters that has furthest to go."""
    start = max(flows, key=lambda f: f.reach_from)
    return start.real_step(start.reach_from)


def _reach(flow: GradientFlow, growth: float | None) -> Reach:
    exploded = exploded_by_itself(flow)
    found = Reach(flow.label, flow.kind, flow.reach_log10, flow.reach_status, flow.rate,
                  flow.real_step(flow.reach_from), _in_real_steps(flow), exploded, flow.refilled,
                  flow.empty)  # fmt: skip
    if exploded and growth is not None:
        return replace(found, log10=growth, status=Status.FINITE, rate=None)
    return found


def _in_real_steps(flow: GradientFlow) -> Drop | None:
    """Where most of the error is lost, in steps of the input."""
    drop = flow.drop
    if drop is None:
        return None
    return replace(drop, start=flow.real_step(drop.start), end=flow.real_step(drop.end))


def rule_verdict(
    flow: GradientFlow,
    stretch: Stretch,
    split: StepFactors | None = None,
    growth: float | None = None,
) -> Verdict:
    """The rule of thumb "σ_max > 1/γ explodes, σ_max < 1/γ vanishes" against what happened.

    says, does: "vanishes", "explodes" or "level"; does is None if no rate was measured. What makes
    right and needs is `_judgement`. shortest: whether the error counts from each sequence's own
    end, so that span is the shortest one's.
    Neither is judged where new error enters on the way (`GradientFlow.refilled`).
    why: slope, weight and direction, the factors whose product is the measured rate; None where
    that is not all that makes it. growth: as in `reach_verdict`, where the states have exploded.
    """
    factor = stretch.sigma_max * stretch.lipschitz
    says: str | None = "explodes" if factor > 1 else "vanishes"
    if not np.isfinite(factor):
        says = None
    elif abs(factor - 1) <= EDGE:
        says = "level"
    does = None if flow.refilled else _behaviour(flow)
    if growth is not None and abs(growth) > LEVEL_REACH and exploded_by_itself(flow):
        does = "explodes" if growth > 0 else "vanishes"
    return Verdict(
        "rule",
        {
            "label": flow.label,
            "leaky": stretch.leaky,
            "sigma_max": stretch.sigma_max,
            "threshold": 1 / stretch.lipschitz,
            "says": says,
            "does": does,
            **_judgement(says, does, stretch, flow.span),
            "span": flow.span,
            "shortest": flow.own_span > 0,
            "refilled": flow.refilled,
            "why": None if split is None else _why(flow, split),
            "slope_name": "" if split is None else split.slope_of,
        },
    )


def _judgement(says: str | None, does: str | None, stretch: Stretch, span: int) -> dict[str, Any]:
    """Whether what the rule says is right of what the error does in so many steps.

    Only the second half of the rule is a theorem: where `law` is below 1 the error must vanish
    (must), and the rule is never wrong to say so. factor: what a step multiplies the error with by
    the rule, or at most by the law. needs: steps for a factor of 10, where that is too slow to be
    seen in the span. right is None then, where nothing was measured, and where the law holds and
    the error does something else: then it is something else that was measured.
    """
    must = stretch.law < 1
    proven = must and says == "vanishes"
    factor = stretch.law if proven else stretch.sigma_max * stretch.lipschitz
    changes = says not in (None, "level") and factor > 0
    needs = LEVEL_REACH / abs(np.log10(factor)) if changes else None
    slow = does == "level" and needs is not None and needs >= span
    judged = None not in (says, does) and not slow and (says == does or not proven)
    return {
        "right": says == does if judged else None,
        "factor": factor,
        "must": must,
        "needs": needs if slow else None,
    }


def _why(flow: GradientFlow, split: StepFactors) -> dict[str, float] | None:
    if flow.enters_on_the_way or split.shares:
        return None
    means = {name: split.mean(name) for name in ("weight", "slope", "direction")}
    if not np.isfinite([*means.values()]).all():
        return None
    return {name: float(10.0**mean) for name, mean in means.items()}


def memory_verdict(memories: Sequence[Memory]) -> Verdict:
    """The median unit's half-life in each gated model, shortest first."""
    ranked = sorted(memories, key=lambda memory: memory.median)
    return Verdict("memory", {"models": tuple((m.label, m.gate, m.median) for m in ranked)})


def spectrum_verdict(
    spectrum: Spectrum,
    rate: Rate | None,
    slope_name: str = "tanh",
    *,
    reach_status: Status = Status.FINITE,
    refilled: bool = False,
    step: WholeStep | None = None,
) -> Verdict:
    """One step's worst case, the asymptotic rate, the measured rate and what is left between.

    rest = measured / ρ: what the nonlinearity and alignment take or add; None where ρ = 0 (a
    nilpotent matrix keeps some rounding: below 1e-9 of sigma_max counts) or nothing was measured.
    reach_status, refilled: of the GradientFlow whose rate it is; a rate that ends in zero holds
    only until there, and a refilled gradient does not measure W_hh at all. step: a whole step, by
    which a cell with a leak or a skip is judged.
    """
    judged = step or WholeStep(
        spectrum.sigma_max, spectrum.spectral_radius, spectrum.stretches_alike
    )
    sigma_max, rho, alike = judged
    measured = None if rate is None or refilled else rate.factor_per_step
    has_rho = rho > 1e-9 * sigma_max
    return Verdict(
        "spectrum",
        {
            "label": spectrum.label,
            "gate": spectrum.gate,
            "whole_step": step is not None,
            "sigma_max": sigma_max,
            "rho": rho if has_rho or np.isnan(rho) else 0.0,
            "measured": measured,
            "rest": measured / rho if has_rho and measured is not None else None,
            "alike": alike,
            "slope_name": slope_name,
            "reach_status": reach_status,
            "refilled": refilled,
        },
    )


def gates_verdict(memory: Memory, carry: CarryPaths, batch: BatchCarry, seq_len: int) -> Verdict:
    """Half-life of the median unit and the share of units that outlast the gap, over all sequences;
    of what is kept from step 0 to the last one, Π f of the best unit against the truth in the best
    direction: the median sequence's, and the least and the greatest truth."""
    true, product = float(np.median(batch.true)), float(np.median(batch.product))
    return Verdict(
        "gates",
        {
            "label": memory.label,
            "gate": memory.gate,
            "half_life": memory.median,
            "share_beyond": memory.share_beyond(seq_len),
            "seq_len": seq_len,
            "steps": len(carry.true.log10) - 1,
            "sequences": batch.sequences,
            "batch_size": batch.batch_size,
            "product_log10": product,
            "product_status": _status_of_median(product, batch.product, batch.product_status),
            "true_log10": true,
            "true_status": _status_of_median(true, batch.true, batch.true_status),
            "true_range": (float(batch.true.min()), float(batch.true.max())),
        },
    )


def _status_of_median(median: float, values: Array, status: Array) -> Status:
    """Of a median that is 0, what its zeros are: rounded, if one of them is."""
    if not np.isneginf(median):
        return Status.FINITE
    return Status.ROUNDED if (status[np.isneginf(values)] == Status.ROUNDED).any() else Status.ZERO


def _behaviour(flow: GradientFlow) -> str | None:
    """What the error does on its way back; None where there is none, where it has no number, and
    where it is less in most sequences and more in their mean, or the other way round."""
    if flow.empty:
        return None
    if flow.reach_status in (Status.ZERO, Status.ROUNDED) or flow.reach_log10 == -np.inf:
        return "vanishes"
    if flow.reach_log10 == np.inf:
        return "explodes"
    if flow.reach_status == Status.NAN or np.isnan(flow.reach_log10) or flow.rate is None:
        return None
    if flow.rate.verdict != "level" and flow.rate.decades_per_step * flow.reach_log10 < 0:
        return None
    if flow.rate.verdict == "level" and abs(flow.reach_log10) > LEVEL_REACH:
        return "vanishes" if flow.reach_log10 < 0 else "explodes"
    return flow.rate.verdict
