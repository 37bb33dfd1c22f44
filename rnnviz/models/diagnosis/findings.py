"""All findings of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np

from rnnviz.core import Trace, checks
from rnnviz.core.network import Network, NetworkTrace
from rnnviz.core.places import first_in, first_not_finite
from rnnviz.experiment.runs import Run
from rnnviz.models.diagnosis import biases, changes, steps, units
from rnnviz.models.diagnosis.decay import Decay
from rnnviz.models.diagnosis.decay import decays as decays_of
from rnnviz.models.diagnosis.finding import (
    GROWN_LOG10,
    LEFT_LOG10,
    OF_ALL,
    SPANNED,
    Finding,
)
from rnnviz.models.watched import Passage
from rnnviz.tasks.batch import Batch


def find(run: Run, lag: int | None = None) -> tuple[Finding, ...]:
    """What may be wrong with the gradients of each network of a run, the serious first.

    lag: over how many steps back the task must remember; only the caller knows it. Without one
    nothing is said to vanish too soon: the horizon is what is said.
    Raises ValueError for a lag below 1.
    """
    if lag is not None:
        lag = checks.size("lag", lag)
    found = [one for label in run for one in _fitted(run, label, lag)]
    return tuple(sorted(found, key=lambda one: not one.serious))


def find_in(
    passage: Passage, name: str, lag: int | None = None, run: Run | None = None
) -> tuple[Finding, ...]:
    """`find` of what was seen of a module, under its own name; also where what went in is not
    finite, of which there is no run. run: that of the passage, where it is made already."""
    for part in passage.parts:
        given = {n: a for n, a in part.arrays.items() if n in ("x", "h0", "c0")}
        if (place := first_in({**part.weights, **given})) is not None:
            step = place.index[0] if place.name == "x" else None
            values = {"name": place.name, "where": place.where, "step": step}
            change = changes.REPAIR if place.name == "x" else ""
            return (Finding("not_finite", name, place.value, np.nan, "certain", True,
                            change=change, values=values),)  # fmt: skip
    options = ("weight_hh" in passage.parts[0].weights, passage.batch_first, passage.dropout or 0.0)
    found: Sequence[Finding] = find(passage.run if run is None else run, lag)
    if passage.calls > 1:
        apart = Finding("apart", name, float(passage.calls), np.nan, "certain", False)
        found = sorted(
            (apart, *(one for one in found if one.kind not in OF_ALL)),
            key=lambda one: not one.serious,
        )
    return tuple(
        replace(one, label=name, change=changes.of_module(one.change, name, *options))
        for one in found
    )


def _fitted(run: Run, label: str, lag: int | None) -> Iterator[Finding]:
    """Findings of one network, with changes for the modules that have its layers."""
    network, unbiased = run[label].network, label in run.unbiased
    for one in _of_network(run[label], label, run.batch, lag):
        change = changes.fitted(one.change, network, one.layer, unbiased)
        values = _without_bias(one, run[label]) if unbiased else one.values
        yield replace(one, change=change, values=values)


def _without_bias(one: Finding, network: NetworkTrace) -> Mapping[str, Any]:
    """The values of a finding of a network without biases, which names none that there is not: also
    such a one may have what a kernel adds at run time."""
    if one.layer is None or network.layers[one.layer][one.direction].params["b_h"].any():
        return one.values
    cause = {"cause": "no_bias"} if one.values.get("cause") == "bias" else {}
    return {**one.values, **cause, **({"no_bias": True} if one.kind == "biases" else {})}


def _of_network(
    network: NetworkTrace, label: str, batch: Batch, lag: int | None
) -> Iterator[Finding]:
    """Findings of one network, in the order in which they are to be read."""
    places = [(t, k, d) for k, layer in enumerate(network.layers) for d, t in enumerate(layer)]
    forward = (_broken(trace, label, k, d) for trace, k, d in places)
    back = (_broken_gradient(trace, label, k, d) for trace, k, d in reversed(places))
    if (broken := next(filter(None, chain(forward, back)), None)) is not None:
        yield broken  # what comes of it is no number, either
        return
    decays = decays_of(network)
    if not decays:
        yield _nothing(network, label, batch)
        return
    if lag is not None:
        yield from _too_short(decays, network.trace, label, lag)
    yield from _exploding(decays, label)
    vanished = _vanishing(decays, network.network, label, lag) if lag is not None else None
    if lag is None:
        yield _horizon(decays, label)
    stuck = [each for trace, k, d in places for each in units.saturated(trace, label, k, d)]
    if lag is not None and vanished is not None:
        whole = changes.one_module(network.network)
        for cause in (vanished, *units.closed_memory(decays, label, lag),
                      *biases.short_biases(decays, label, lag)):  # fmt: skip
            held = [each.change for each in stuck if whole or each.layer == cause.layer]
            yield replace(cause, change=changes.after(held, cause.change))
        yield from units.recent_only(decays, label, lag)
    for each in decays:
        yield from units.precision_lost(each, label, lag)
    yield from steps.refilled(network.layers[-1][0], label, len(network.layers) - 1)
    yield from steps.padded(network, label, decays)
    yield from stuck


def _nothing(network: NetworkTrace, label: str, batch: Batch) -> Finding:
    """Why no gradient reaches any state: the loss is at its minimum, or does not depend on the
    network; which of them is not known of a loss of which gradients alone are."""
    known = bool(np.isfinite(network.loss))
    if known and batch.loss != "projection" and batch.mask.any() and not network.d_y.any():
        return Finding("exact_fit", label, network.loss, np.nan, "certain", False)
    return Finding("no_gradient", label, 0.0, 0.0, "certain", True, values={"known": known})


def _broken(trace: Trace, label: str, layer: int, direction: int) -> Finding | None:
    """The first weight, input or state that is not a finite number."""
    place = first_not_finite(trace)
    if place is None:
        return None
    fed = place.name == "x" and layer > 0
    kind = "overflow" if place.is_state or fed else "not_finite"
    step = place.index[0] if place.is_state or place.name == "x" else None
    change = changes.shrink(layer, direction) if kind == "overflow" else ""
    return Finding(kind, label, place.value, np.nan, "certain", True, layer, direction, change,
                   {"name": place.name, "where": place.where, "step": step})  # fmt: skip


def _broken_gradient(trace: Trace, label: str, layer: int, direction: int) -> Finding | None:
    """The first direct gradient that is not a finite number."""
    bad = np.argwhere(~np.isfinite(trace.d_h_direct))
    if not len(bad):
        return None
    t, unit, sequence = bad[0].tolist()
    value = float(trace.d_h_direct[t, unit, sequence])
    return Finding("gradient_not_finite", label, value, np.nan, "certain", True, layer, direction,
                   values={"step": t + 1, "unit": unit, "sequence": sequence})  # fmt: skip


def _too_short(decays: list[Decay], trace: Trace, label: str, lag: int) -> Iterator[Finding]:
    """Sequences, what of them a loss has before it, or windows of a truncated pass, that do not
    hold the lag."""
    held = {"too_short": max(len(one.log10) for one in decays) - 1}
    held |= {"truncated": trace.window - 1} if trace.window else {}
    steps = int(trace.present.sum(axis=0).max())
    for kind, most in held.items():
        if most < lag:
            serious = kind == "too_short" or most < SPANNED * lag
            early = kind == "too_short" and lag < steps  # longer sequences would not change it
            yield Finding(kind, label, float(most), float(lag), "certain", serious,
                          change="" if early else changes.longer_window(lag),
                          values={"steps": steps} if early else {})  # fmt: skip


def _vanishing(decays: list[Decay], network: Network, label: str, lag: int) -> Finding | None:
    """Whether too little of the last error is left a lag back, in the layer that keeps most."""
    having = [one for one in decays if lag < len(one.log10)]
    if not having:
        return None
    best = max(having, key=lambda one: one.log10[lag])
    left = float(best.log10[lag])
    if left >= LEFT_LOG10:
        return None
    change = changes.keep_longer(best.trace, lag, best.layer, best.direction, network)
    rounded = bool(best.rounded[lag])
    values = {"lag": lag, "horizon": best.horizon, "layers": len(decays), "rounded": rounded}
    return Finding("vanishing", label, left, LEFT_LOG10, "certain", True, best.layer,
                   best.direction, change, values)  # fmt: skip


def _exploding(decays: list[Decay], label: str) -> Iterator[Finding]:
    """Whether an error grows on its way back, and until where."""
    best = max(decays, key=lambda one: _grown(one, decays))
    lag, grown = best.peak[0], _grown(best, decays)
    if grown > GROWN_LOG10:
        change = changes.shrink(best.layer, best.direction)
        values = {"lag": lag, "factor": 10 ** (grown / lag)}
        yield Finding("exploding", label, grown, GROWN_LOG10, "certain", True, best.layer,
                      best.direction, change, values)  # fmt: skip


def _grown(one: Decay, decays: list[Decay]) -> float:
    """Decades by which an error becomes larger than where it enters: a layer below gets but a share
    of it at the loss's own step, and more on the way back without any growth."""
    entered = max(each.own for each in decays if each.direction == one.direction)
    return one.peak[1] + one.own - entered


def _horizon(decays: list[Decay], label: str) -> Finding:
    """How far back 1/e is left, in the layer that keeps longest."""
    horizons = [len(one.log10) if one.horizon is None else one.horizon for one in decays]
    best = decays[int(np.argmax(horizons))]
    if best.horizon is None:
        back = float(len(best.log10) - 1)
        return Finding("horizon_beyond", label, back, np.nan, "certain", False, best.layer,
                       best.direction)  # fmt: skip
    return Finding("horizon", label, float(best.horizon), np.nan, "certain", False, best.layer,
                   best.direction)  # fmt: skip
