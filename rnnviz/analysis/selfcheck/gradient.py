"""The gradient of a whole network against a complex step through all of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnnviz.analysis.selfcheck.noise import (
    TINY,
    Compared,
    nudged,
    nudged_record,
    precision,
)
from rnnviz.core import Record, Trace, backward
from rnnviz.core.losses import LOSSES
from rnnviz.core.network import Examples, Network, NetworkTrace, predict, run_network
from rnnviz.core.numerics import Array
from rnnviz.core.trace import of_sequences

FLOORS = {"float64": 1e-100, "float32": 1e-30}
"""Norms below which a parameter's gradient is not scaled up any more."""


@dataclass(frozen=True, eq=False)
class _Part:
    """Some sequences of what a run was given; see `network.Examples`."""

    x: Array
    target: Array
    mask: Array
    loss: str
    lengths: Array | None
    context: Array | None


def elements_of(network: Network, seq_len: int) -> int:
    """Gate values that one sequence has in all layers."""
    rows = sum((len(cell.GATE_ROWS) + 1) * cell.hidden_size for cell in network.cells)
    return seq_len * network.directions * rows


def gradient_test(
    run: NetworkTrace, batch: Examples, sequences: int, rng: np.random.Generator
) -> Compared:
    """∂L/∂θ · v against Im L(θ + i h v) / h, h = 1e-170, in one random direction v of all
    parameters, one comparison; relative to Σ |∂L/∂θ_i v_i|, the size of what is summed. THEORY E19.

    L runs in complex128 from the recorded parameters and inputs. v is scaled so that every array
    of parameters has an equal part, however small its gradient. sequences: the first so many of
    the batch, all if it has no more: then ∂L/∂θ is what the run recorded, else what its recorded
    gate gradients of these sequences add up to. Noise: the run made again, and once more with
    all weights and gates moved by one rounding, and one of ∂L/∂y.
    """
    B = run.trace.batch_size
    chosen = np.arange(min(sequences, B))
    part, share = _part(run, batch, chosen), len(chosen) / B
    recorded = run.grads if len(chosen) == B else _cut(run, chosen).grads
    eps, tiny = precision(run.y.dtype), float(np.finfo(run.y.dtype).tiny)
    with np.errstate(all="ignore"):
        one, other = (_again(run, part, rng, by) for by in (0.0, eps))
        v = _direction(one, FLOORS[run.y.dtype.name], rng)
        size = {name: np.abs(values) for name, values in v.items()}
        slope, terms = _slope(run, part, v)
        error = abs(_along(recorded, v) - slope * share)
        scale = _along({k: np.abs(g) for k, g in one.items()}, size)
        noise = _along({k: np.abs(g - other[k]) + tiny for k, g in one.items()}, size)
        noise += eps * terms
    return Compared(np.array([error]), np.array([scale]) * share, np.array([noise]) * share, eps)


def _part(run: NetworkTrace, batch: Examples, chosen: Array) -> _Part:
    """The chosen sequences, as the run recorded its inputs."""
    first = run.trace
    return _Part(
        x=first.x[..., chosen],
        target=batch.target[..., chosen],
        mask=np.where(first.present, batch.mask, 0)[:, chosen],
        loss=batch.loss,
        lengths=None if first.lengths is None else first.lengths[chosen],
        context=None if run.context is None else run.context[:, chosen],
    )


def _cut(run: NetworkTrace, chosen: Array) -> NetworkTrace:
    layers = tuple(tuple(of_sequences(trace, chosen) for trace in layer) for layer in run.layers)
    context = None if run.context is None else run.context[:, chosen]
    y, d_y = run.y[..., chosen], run.d_y[..., chosen]
    return replace(run, layers=layers, y=y, d_y=d_y, context=context)


def _again(
    run: NetworkTrace, part: _Part, rng: np.random.Generator, eps: float
) -> dict[str, Array]:
    """The gradients of the run made again with weights and gates moved by one rounding."""

    def back(record: Record, d_h_direct: Any, *, direct_log2: Any = None) -> Trace:
        return backward(nudged_record(record, rng, eps), d_h_direct, direct_log2)

    params = {name: nudged(values, rng, eps) for name, values in run.params.items()}
    grads = run_network(run.network, params, part, back).grads
    return {name: gradient.astype(np.float64) for name, gradient in grads.items()}


def _direction(grads: dict[str, Array], floor: float, rng: np.random.Generator) -> dict[str, Array]:
    """Random entries, each array divided by the norm of its gradient; the largest is near 1, and
    so are those of an array whose gradient is 0."""
    norms = {name: float(np.linalg.norm(g)) for name, g in grads.items()}
    least = max(min((n for n in norms.values() if n > 0), default=floor), floor)
    scale = {name: least / max(n, floor) if n > 0 else 1.0 for name, n in norms.items()}
    return {k: rng.standard_normal(g.shape) * scale[k] for k, g in grads.items()}


def _along(grads: dict[str, Array], v: dict[str, Array]) -> float:
    return float(sum((grads[name].astype(np.float64) * v[name]).sum() for name in v))


def _slope(run: NetworkTrace, part: _Part, v: dict[str, Array]) -> tuple[float, float]:
    """The loss along v, by a complex step through the forward pass alone, and the size of all terms
    that it is a sum of: ∂L/∂y is softmax(y) − 1 or y − target, a difference itself."""
    moved = {name: value + 1j * TINY * v[name] for name, value in run.params.items()}
    y = predict(run.network, moved, replace(part, x=part.x.astype(complex)))
    loss, _ = LOSSES[part.loss](y, part.target, part.mask)
    of_classes = part.target.dtype.kind in "iu"
    terms = np.abs(y.imag) * (1 if of_classes else np.abs(y.real) + np.abs(part.target))
    size = (part.mask * terms.sum(axis=1)).sum() / y.shape[2]
    return loss.imag / TINY, float(size / TINY)
