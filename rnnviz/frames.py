"""Results as pandas DataFrames in long form: one row per number, for export and notebooks.

Strict: a float column holds finite numbers or is missing; what a missing number was (zero,
rounded, below, above, nan, not_recorded) stands in `status`. NaN is never written as 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import pandas as pd

from rnnviz.analysis.batch_carry import BatchCarry
from rnnviz.analysis.carry import CarryPaths
from rnnviz.analysis.contributions import Contributions
from rnnviz.analysis.fixed_points import FixedPoints
from rnnviz.analysis.gates import GateStats, Memory
from rnnviz.analysis.gradients import GradientFlow
from rnnviz.analysis.lag_spectra import LagSpectrum
from rnnviz.analysis.lags import LagProfile
from rnnviz.analysis.lyapunov import LyapunovSpectrum
from rnnviz.analysis.pairs import PairMatrix
from rnnviz.analysis.rates import Curve, Rate
from rnnviz.analysis.saliency import Saliency
from rnnviz.analysis.seed_bands import SeedBand
from rnnviz.analysis.spectra import JacobianSpectrum, Spectrum
from rnnviz.analysis.states import State
from rnnviz.analysis.step_factors import StepFactors
from rnnviz.analysis.weights import WeightMaps
from rnnviz.core.numerics import Array, Status, status_of

Steps = TypeVar("Steps", int, Array)
STEPS = ("step", "loss_step", "from_step", "to_step")
"""Columns of steps in frames that hold a whole batch."""


def gradient_frame(flows: Iterable[GradientFlow]) -> pd.DataFrame:
    """model, kind, quantity (state, h, c, direct), step, log10, status. Steps are the input's: of
    a layer that reads from the end, whose first state is that of step T + 1, too; but not where it
    does so with sequences of different lengths, see `in_own_steps`."""
    return _concat(
        _curve(curve, flow.direction == 1, model=flow.label, kind=flow.kind, quantity=name)
        for flow in flows
        for name in ("state", "h", "c", "direct")
        if (curve := getattr(flow, name)) is not None
    )


def slope_frame(flows: Iterable[GradientFlow]) -> pd.DataFrame:
    """One row per model: slope with its window and R², reach and mean rate. Steps are the
    input's, with the exception of `in_own_steps`. Of sequences of different lengths that count
    from their own ends the slope is their rate from there: no line is fitted, and there is no one
    step that all begin at."""
    return pd.DataFrame([_slope_row(flow) for flow in flows])


def _slope_row(flow: GradientFlow) -> dict[str, object]:
    own, rate = flow.own_rate, flow.rate
    line = None if own else flow.slope
    slope: Rate | None = own or line
    window = sorted(map(flow.real_step, (line.start, line.stop))) if line else (None, None)
    return {
        "model": flow.label,
        "kind": flow.kind,
        "decades_per_step": slope.decades_per_step if slope else None,
        "window_start": window[0],
        "window_stop": window[1],
        "r2": line.r2 if line else None,
        "points": line.points if line else None,
        "half_or_double_steps": slope.halving_steps if slope else None,
        "e_fold_steps": slope.e_fold_steps if slope else None,
        "reach_from": None if own else flow.real_step(flow.reach_from),
        "reach_log10": float(_finite(flow.reach_log10)),
        "reach_status": flow.reach_status.name.lower(),
        "mean_factor_per_step": rate.factor_per_step if rate else None,
    }


def in_own_steps(frame: pd.DataFrame, own: bool = True) -> pd.DataFrame:
    """A frame of layers that read sequences of different lengths from their ends: they have no step
    of the input in common, step 1 of their own reads each sequence's last. So columns of steps are
    named after that: own_step, own_from_step, ... own: whether the frame is of such layers, else it
    stays as it is."""
    return frame.rename(columns={name: f"own_{name}" for name in STEPS}) if own else frame


def seed_frame(bands: Iterable[SeedBand]) -> pd.DataFrame:
    """model, seeds, quantity (least, median, greatest), step (from 1, the input's), count (of seeds
    with a number), log10 relative to each seed's last step, status."""
    return _concat(
        pd.DataFrame({"model": b.label, "seeds": b.seeds, "quantity": name,
                      "step": _steps_of(b), "count": b.count,
                      **_magnitude(values, status_of(values))})
        for b in bands
        for name, values in (("least", b.least), ("median", b.median), ("greatest", b.greatest))
    )  # fmt: skip


def _steps_of(band: SeedBand) -> Array:
    steps = np.arange(len(band.count)) + 1
    return steps[::-1] if band.direction else steps


def spectrum_frame(spectra: Iterable[Spectrum]) -> pd.DataFrame:
    """model, gate, quantity, index (from 1; k for powers), value, imaginary, status.

    quantity: singular_value, eigenvalue (value is its real part) or power (log10 ‖Wᵏ‖^(1/k)).
    """
    parts = []
    for s in spectra:
        columns = (
            ("singular_value", s.singular_values, np.nan, None),
            ("eigenvalue", s.eigenvalues.real, _finite(s.eigenvalues.imag), None),
            ("power", s.powers_log10, np.nan, status_of(s.powers_log10)),
        )
        for quantity, values, imaginary, status in columns:
            part = _table("value", values, status, {"index": 1},
                          model=s.label, gate=s.gate, quantity=quantity)  # fmt: skip
            part.insert(5, "imaginary", imaginary)
            if quantity == "power":
                part["index"] = s.powers_k
            parts.append(part)
    return _concat(parts)


def jacobian_frame(spectra: Iterable[JacobianSpectrum]) -> pd.DataFrame:
    """model, step, index (from 1), singular_value, mean_slope, slope_of, status."""
    parts = []
    for s in spectra:
        part = _table("singular_value", s.singular_values, None, {"step": 0, "index": 1},
                      model=s.label)  # fmt: skip
        row = part["step"].to_numpy()
        part["step"] = s.steps[row]
        part.insert(4, "mean_slope", _finite(s.mean_slope[row]))
        part.insert(5, "slope_of", s.slope_of)
        parts.append(part)
    return _concat(parts)


def pair_frame(matrices: Iterable[PairMatrix], backward: bool = False) -> pd.DataFrame:
    """model, quantity (h, state), loss_step, step (0 the initial state), log10, status: ‖∂L_s/∂h_k‖
    and ‖∂L_s/∂s_k‖ for k <= s, with cancellation and checksum at each step. backward: of layers
    that read from the end, whose steps are given as the input's."""
    parts = []
    for m in matrices:
        T = m.h.shape[1] - 1
        row, step = np.nonzero(np.arange(T + 1) <= m.losses[:, None])
        for name, values, status in (("h", m.h, m.h_status), ("state", m.state, m.state_status)):
            at = {"loss_step": _real(m.losses[row], T, backward), "step": _real(step, T, backward)}
            part = {"model": m.label, "quantity": name, **at}
            sums = {"cancellation": _finite(m.cancellation)[step],
                    "checksum": _finite(m.checksum)[step]}  # fmt: skip
            magnitude = _magnitude(values[row, step], status[row, step])
            parts.append(pd.DataFrame({**part, **magnitude, **sums}))
    return _concat(parts)


def lag_frame(profiles: Iterable[LagProfile], backward: bool = False) -> pd.DataFrame:
    """model, quantity (state, h), end, lag, log10, status: ‖∂s_t/∂s_{t−k}‖₂ and that of h.
    backward: of layers that read from the end; `end` is given as the input's step."""
    return _concat(
        _table("log10", curve.log10, curve.status, {"lag": 0},
               model=p.label, quantity=name, end=_real(p.end, p.steps, backward))
        for p in profiles
        for name, curve in (("state", p.state), ("h", p.h))
    )  # fmt: skip


def saliency_frame(found: Iterable[Saliency]) -> pd.DataFrame:
    """model, at (s), output, step, log10, status: ‖∂y_s/∂x_t‖; signed: its share in y_s."""
    return _concat(
        pd.DataFrame({"model": f.label, "at": f.step, "output": f.output,
                      "step": np.arange(f.seq_len) + 1,
                      **_magnitude(f.size.log10, f.size.status), "signed": _finite(f.signed)})
        for f in found
    )  # fmt: skip


def forecast_frame(
    forecasts: Mapping[str, tuple[Array, Array]], series: Sequence[str], known: Array, first: int
) -> pd.DataFrame:
    """model, step, series, known, one_step, free: what came, and what each model said of it."""
    weeks, columns = known.shape
    return _concat(
        pd.DataFrame({"model": model, "step": np.repeat(np.arange(first, first + weeks), columns),
                      "series": list(series) * weeks, "known": known.ravel(),
                      "one_step": one_step.ravel(), "free": free.ravel()})
        for model, (one_step, free) in forecasts.items()
    )  # fmt: skip


def sentence_frame(words: Sequence[str], positive: Mapping[str, Array]) -> pd.DataFrame:
    """model, step, word, p_positive: how sure each model is after each word."""
    return _concat(
        pd.DataFrame({"model": model, "step": np.arange(len(words)) + 1, "word": list(words),
                      "p_positive": _finite(p)})
        for model, p in positive.items()
    )  # fmt: skip


def lag_spectra_frame(spectra: Iterable[LagSpectrum]) -> pd.DataFrame:
    """model, end (t, of the steps in the order in which the layer reads), lag (k), index (from 1),
    log10, status: the singular values of ∂s_t/∂s_{t−k}."""
    parts = []
    for s in spectra:
        part = _table("log10", s.log10, s.status, {"lag": 0, "index": 1},
                      model=s.label, end=s.end)  # fmt: skip
        part["lag"] = s.lags[part["lag"].to_numpy()]
        parts.append(part)
    return _concat(parts)


def contribution_frame(
    contributions: Iterable[Contributions], backward: bool = False
) -> pd.DataFrame:
    """model, quantity (batch, one_by_one), step, log10, status, share of ∂L/∂W_hh. backward: of
    layers that read from the end, whose steps are given as the input's."""
    return _concat(
        pd.DataFrame({"model": c.label, "quantity": name,
                      "step": _real(np.arange(len(c.share)) + 1, len(c.share), backward),
                      **_magnitude(values, status_of(values)), "share": _finite(c.share)})
        for c in contributions
        for name, values in (("batch", c.log10_norm), ("one_by_one", c.log10_each))
    )  # fmt: skip


def step_factor_frame(splits: Iterable[StepFactors], backward: bool = False) -> pd.DataFrame:
    """model, from_step, to_step, kind (change, factor, share), name, value: decades, or shares of
    the error that arrives; missing where a step has no error, a factor also where it is infinite
    (0 in truth, or all error has just entered). backward: of layers that read from
    the end, whose steps are given as the input's."""
    return _concat(
        pd.DataFrame({"model": s.label, **_from_to(len(values), backward), "kind": kind,
                      "name": name, "value": _finite(values)})
        for s in splits
        for kind, parts in (("change", {"all": s.change}), ("factor", s.factors),
                            ("share", s.shares))
        for name, values in parts.items()
    )  # fmt: skip


def _from_to(seq_len: int, backward: bool) -> dict[str, Array]:
    start = _real(np.arange(seq_len) + 1, seq_len, backward)
    return {"from_step": start, "to_step": start + (1 if backward else -1)}


def lyapunov_frame(spectra: Iterable[LyapunovSpectrum]) -> pd.DataFrame:
    """model, steps, direction, index (from 1), exponent in nats a step, status."""
    return _concat(
        _table("exponent", s.exponents, s.status, {"index": 1},
               model=s.label, steps=s.steps, direction=s.direction)
        for s in spectra
    )  # fmt: skip


def state_frame(states: Iterable[State]) -> pd.DataFrame:
    """model, kind, state (h, c), quantity (value, log10_gradient), unit (from 1), step (from 1, the
    input's), number, status; sequence 0."""
    return _concat(
        _table("number", numbers, status, {"unit": 1, "step": 1},
               model=s.label, kind=s.kind, state=s.name, quantity=quantity)
        for s in states
        for quantity, numbers, status in (("value", s.values, None),
                                          ("log10_gradient", s.log10, s.status))
    )  # fmt: skip


def saturation_frame(stats: Iterable[GateStats]) -> pd.DataFrame:
    """model, kind, gate, unit (from 1), left, right: shares of steps and sequences."""
    return _concat(
        pd.DataFrame({"model": s.label, "kind": s.kind, "gate": s.gate,
                      "unit": np.arange(len(s.left)) + 1, "left": s.left, "right": s.right})
        for s in stats
    )  # fmt: skip


def memory_frame(memories: Iterable[Memory]) -> pd.DataFrame:
    """model, gate, unit (from 1), half_life in steps, status (above: never lost anything)."""
    return _concat(
        _table("half_life", m.half_life, None, {"unit": 1}, model=m.label, gate=m.gate)
        for m in memories
    )


def carry_frame(paths: Iterable[CarryPaths], backward: bool = False) -> pd.DataFrame:
    """model, gate, quantity (product, carry, through, true), step, log10, status. backward: of
    layers that read from the end, whose steps are given as the input's."""
    return _concat(
        _curve(getattr(p, name), backward, model=p.label, gate=p.gate, quantity=name)
        for p in paths
        for name in ("product", "carry", "through", "true")
    )


def batch_carry_frame(batches: Iterable[BatchCarry]) -> pd.DataFrame:
    """model, gate, sequence (from 1), quantity (product, true), log10, status: of what each
    sequence keeps from its first step to its last."""
    return _concat(
        pd.DataFrame({"model": b.label, "gate": b.gate, "sequence": b.numbers + 1,
                      "quantity": name, **_magnitude(values, status)})
        for b in batches
        for name, values, status in (("product", b.product, b.product_status),
                                     ("true", b.true, b.true_status))
    )  # fmt: skip


def fixed_points_frame(found: FixedPoints) -> pd.DataFrame:
    """model, input, point (from 1), kind, residual, quantity (state: h, then c; eigenvalue), index
    (from 1), value (of an eigenvalue its real part), imaginary, status."""
    parts = []
    for quantity, values in (("state", found.points), ("eigenvalue", found.eigenvalues)):
        part = _table("value", values.real, None, {"point": 1, "index": 1},
                      model=found.label, input=found.value, quantity=quantity)  # fmt: skip
        of = part["point"].to_numpy() - 1
        part["kind"] = np.array(found.kinds, dtype=object)[of]
        part["residual"] = found.residuals[of]
        imaginary = values.imag.ravel() if quantity == "eigenvalue" else np.nan
        part["imaginary"] = _finite(imaginary)
        parts.append(part)
    return _concat(parts)


def weight_frame(maps: WeightMaps) -> pd.DataFrame:
    """model, matrix (W_xf, W_hf, ...), gate, quantity (weight, gradient), to (unit, from 1), from
    (unit or input, from 1), value, status."""
    return _concat(
        _table("value", values, None, {"to": 1, "from": 1},
               model=maps.label, matrix=block.name, gate=block.gate, quantity=quantity)
        for block in maps.maps
        for quantity, values in (("weight", block.values), ("gradient", block.gradient))
    )  # fmt: skip


def _table(
    name: str, values: Array, status: Array | None, axes: Mapping[str, int], **columns: object
) -> pd.DataFrame:
    """One row per entry of `values`: `columns`, then its place on each of `axes` (name: the index
    of the first), then the value and what it is; without `status` they are plain numbers."""
    places = np.indices(values.shape)
    at = {axis: index.ravel() + axes[axis] for axis, index in zip(axes, places, strict=True)}
    codes = _plain_status(values) if status is None else status
    numbers = {name: _finite(values.ravel()), "status": _names(codes.ravel())}
    return pd.DataFrame({**columns, **at, **numbers})


def _curve(curve: Curve, backward: bool = False, **columns: str) -> pd.DataFrame:
    T = len(curve.log10) - 1
    step = _real(np.arange(T + 1), T, backward)
    return pd.DataFrame({**columns, "step": step, **_magnitude(curve.log10, curve.status)})


def _real(own: Steps, seq_len: int, backward: bool) -> Steps:
    """The input's steps of a layer's own; the initial state of one that reads from the end is that
    of step T + 1."""
    return seq_len + 1 - own if backward else own


def _magnitude(log10: Array, status: Array) -> Mapping[str, object]:
    return {"log10": _finite(log10), "status": _names(status)}


def _plain_status(values: Array) -> Array:
    """The status of plain numbers, which may be negative or zero."""
    status = np.full(np.shape(values), Status.FINITE, np.int8)
    status[np.isinf(values)] = Status.ABOVE
    status[np.isnan(values)] = Status.NAN
    return status


def _finite(values: Array | float) -> Array:
    return np.where(np.isfinite(values), values, np.nan)


def _names(status: Array) -> pd.Series:
    return pd.Series(pd.Categorical.from_codes(status, pd.Index([s.name.lower() for s in Status])))


def _concat(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    listed = list(parts)
    return pd.concat(listed, ignore_index=True) if listed else pd.DataFrame()
