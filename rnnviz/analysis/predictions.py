"""What theory predicts of one model's initial weights, to lay over what was measured; or, in words,
why it says nothing there.

Closed forms and their sources are in `theory`; here they are given the model's own numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.analysis import theory
from rnnviz.analysis.remarks import Remark, remark
from rnnviz.analysis.spectra import Stretch
from rnnviz.core import Cell, Record
from rnnviz.core.activations import Activation
from rnnviz.core.numerics import LN_10, Array, log10_rms

INDEPENDENT = ("gaussian", "uniform", "glorot", "spectral_radius")
"""Initializers whose entries are independent, of mean 0 and one variance: the wide-matrix laws hold
for all of them (spectral_radius: for the gain that its scaling comes to)."""
LEAST = 16
"""Units from which on a law of wide networks says something."""
MOST_INPUTS = 4096
TRAINED, UNKNOWN = Remark("trained"), Remark("unknown_weights")
NOT_FINITE = Remark("weights_not_finite")


@dataclass(frozen=True, eq=False)
class Prediction:
    """log10 (n+1,) at the lags 0..n. name: "mean field", "gate alone", "exact" or "bound", the
    last an upper limit. rate: nats a step in the long run."""

    name: str
    log10: Array
    rate: float


@dataclass(frozen=True, eq=False)
class Predictions:
    """lines: what is predicted, a bound last. missing: why no rate is; None if one is."""

    label: str
    lines: tuple[Prediction, ...]
    missing: Remark | None


@dataclass(frozen=True, eq=False)
class WeightLaw:
    """What a wide matrix with independent entries of variance gain²/H has.

    singular_values (H,): the quarter-circle law's quantiles, descending. radius: of the disc that
    the eigenvalues fill. powers_log10: log10 of ‖Wᵏ‖₂^(1/k), for the powers asked for.
    """

    gain: float
    singular_values: Array
    radius: float
    powers_log10: Array


def norm_predictions(
    record: Record, label: str, lags: int, init: str, trained: bool, stretch: Stretch | None
) -> Predictions:
    """Of ‖∂h_t/∂h_{t−k}‖₂ at the lags 0 to `lags`.

    A product of k wide matrices with independent entries stretches its best direction by
    √((k+1)^{k+1}/kᵏ) more than a typical one (Fuss-Catalan): the slope is that of
    `gradient_predictions`, the curve lies above it by up to √(e (k+1)). The slopes φ′ are taken as
    alike; beyond k of about H the factor no longer grows. With an orthogonal W_hh: the slope alone.
    stretch: of an RNN's W_hh, for the bound.

    Examples
    --------
    >>> from rnnviz.analysis.spectra import stretch
    >>> found = analysis.norm_predictions(rnn, "RNN", 10, "uniform", False, stretch(rnn, "a"))
    >>> [line.name for line in found.lines]
    ['bound']
    """
    k = np.arange(lags + 1)
    found = gradient_predictions(record, label, lags, init, trained, stretch)
    factor = theory.power_norm_log10(k, 1.0) if init in INDEPENDENT else np.zeros(lags + 1)
    lines = []
    for line in found.lines:
        log10 = line.log10
        if line.name == "mean field":
            log10 = log10 + factor
        if line.name == "gate alone":
            log10 = k * line.rate / LN_10
        lines.append(Prediction(line.name, log10, line.rate))
    return Predictions(label, tuple(lines), found.missing)


def gradient_predictions(
    record: Record, label: str, lags: int, init: str, trained: bool, stretch: Stretch | None
) -> Predictions:
    """Of ‖∂L/∂h_{t−k}‖ over ‖∂L/∂h_t‖ where no error enters on the way, at the lags 0 to `lags`.

    tanh RNN: k ½ ln χ of `theory.mean_field`, with the gain √H ‖W_hh‖_F/H that the weights have and
    the variance that the run's own inputs give W_xh x_t + b_h. ReLU: χ = g²/2 (He et al. 2015,
    arXiv:1502.01852). No activation: gᵏ. An orthogonal W_hh of the same size has the same χ
    (Pennington, Schoenholz, Ganguli 2017, arXiv:1711.04735).
    LSTM, GRU: the memory gate alone at its bias, σ(b)ᵏ (`theory.half_life`), of hard gates their
    own function's, exact for W_hh = 0;
    RMS over the units. stretch: of an RNN's W_hh, for Pascanu's bound (γ σ_max)ᵏ.

    Examples
    --------
    >>> from rnnviz.analysis.spectra import stretch
    >>> found = analysis.gradient_predictions(rnn, "RNN", 10, "uniform", False, stretch(rnn, "a"))
    >>> [line.name for line in found.lines]
    ['bound']
    """
    k = np.arange(lags + 1)
    if not record.cell.SIMPLE:
        return _of_gate(record, label, k, trained)
    bound = _bound(record.cell, stretch, k)
    found = _rate(record, init, trained)
    if isinstance(found, Remark):
        return Predictions(label, bound, found)
    name, rate = found
    return Predictions(label, (Prediction(name, k * rate / LN_10, rate), *bound), None)


def weight_law(W: Array, init: str, trained: bool, powers: Array) -> WeightLaw | Remark:
    """The laws of wide matrices for one H × H block, with the gain √H ‖W‖_F/H that it has; or
    why they say nothing of it. ‖Wᵏ‖₂^(1/k) holds for k well below H.

    Examples
    --------
    >>> W = 1.5 * np.random.default_rng(0).standard_normal((64, 64)) / 8
    >>> law = analysis.weight_law(W, "gaussian", False, np.arange(1, 4))
    >>> round(law.radius, 1)  # the eigenvalues fill a disc, of the gain's radius
    1.5
    """
    reason = _no_law(W, init, trained)
    if reason:
        return reason
    gain, n = _gain(W), len(W)
    shares = (np.arange(n, 0, -1) - 0.5) / n
    sigma = theory.quarter_circle_quantile(shares, gain)
    log10 = theory.power_norm_log10(powers, gain) / powers
    return WeightLaw(gain, sigma, theory.circular_law_radius(gain), log10)


def _no_law(W: Array, init: str, trained: bool) -> Remark | None:
    if trained or not init:
        return TRAINED if trained else UNKNOWN
    if not np.isfinite(W).all() or not W.any():
        return Remark("weights_zero_or_not_finite")
    if init == "orthogonal":
        return remark("orthogonal_weights", value=_gain(W))
    if init not in INDEPENDENT:
        return remark("no_random_matrix", init=init)
    return _too_narrow(len(W))


def _too_narrow(n: int) -> Remark | None:
    return remark("too_narrow", units=n) if n < LEAST else None


def _rate(record: Record, init: str, trained: bool) -> tuple[str, float] | Remark:
    """(name, nats a step), or why there is none."""
    W = record.params["W_hh"].astype(np.float64)
    if not np.isfinite(W).all():
        return NOT_FINITE
    if trained or not init:
        return TRAINED if trained else UNKNOWN
    if not W.any():
        return Remark("weights_zero_or_not_finite")
    for way in record.cell.other_ways:
        return Remark(f"no_formula_{way}")
    gain, activation = _gain(W), record.cell.activation_of(record.cell.CANDIDATE_GATE).name
    if activation == "identity" and init in ("orthogonal", "identity"):
        return "exact", float(np.log(gain))
    if init not in (*INDEPENDENT, "orthogonal"):
        return remark("no_random_matrix", init=init)
    if reason := _too_narrow(len(W)):
        return reason
    return _mean_field(record, activation, gain)


def _mean_field(record: Record, activation: str, gain: float) -> tuple[str, float] | Remark:
    if activation == "relu":
        return "mean field", float(np.log(gain) - 0.5 * np.log(2))
    if activation == "identity":
        return "mean field", float(np.log(gain))
    if activation != "tanh":
        return remark("no_formula_activation", activation=activation)
    variance = input_variance(record)
    if not np.isfinite(variance):
        return Remark("inputs_not_finite")
    return "mean field", theory.mean_field(gain, variance).lyapunov


def input_variance(record: Record) -> float:
    """The mean square of W_xh x_t + b_h over units, steps and sequences (of an RNN): what the input
    adds to a pre-activation. Of long runs every n-th step of a sequence."""
    x = record.x.transpose(1, 0, 2).reshape(record.x.shape[1], -1)[:, record.present.ravel()]
    x = x[:, :: max(1, -(-x.shape[1] // MOST_INPUTS))].astype(np.float64)
    W, b = (record.params[name].astype(np.float64) for name in ("W_xh", "b_h"))
    with np.errstate(all="ignore"):
        moments = x @ x.T / x.shape[1]
        linear = np.einsum("hd,de,he->h", W, moments, W, optimize=True)
        return float(np.mean(linear + 2 * b * (W @ x.mean(axis=1)) + b * b))


def _gain(W: Array) -> float:
    """The standard deviation of an entry, times √H."""
    with np.errstate(all="ignore"):
        scale = np.abs(W).max()
        return float(scale * (np.linalg.norm(W / scale) / np.sqrt(len(W))))


def _bound(cell: Cell, stretch: Stretch | None, k: Array) -> tuple[Prediction, ...]:
    """The powers of what no step can exceed, (γ σ_max)ᵏ of an RNN without a leak. A skip's error
    takes another way too."""
    if stretch is None or cell.skip or not np.isfinite(stretch.law) or not stretch.law:
        return ()
    log10 = theory.gradient_bound_log10(k, stretch.law)
    return (Prediction("bound", log10, float(np.log(stretch.law))),)


def _of_gate(record: Record, label: str, k: Array, trained: bool) -> Predictions:
    gate = record.cell.MEMORY_GATE
    if trained:
        return Predictions(label, (), TRAINED)
    if gate is None or gate not in record.cell.trainable_gates:
        return Predictions(label, (), Remark("gate_without_bias"))
    bias = record.params["b_h"][record.cell.gate_rows(gate)].astype(np.float64)
    rates = _log_gate(record.cell.activation_of(gate), bias)
    with np.errstate(invalid="ignore"):
        powers = np.where(k[:, None] > 0, np.outer(k, rates), 0.0)
    log10 = log10_rms(powers / LN_10)
    return Predictions(label, (Prediction("gate alone", log10, float(rates.max())),), None)


def _log_gate(gate: Activation, bias: Array) -> Array:
    """ln of what a gate keeps at its bias; −∞ where a hard one is shut."""
    if gate.name == "logistic":
        return -1 / theory.e_fold(bias)
    kept = np.empty_like(bias)
    gate.value(bias, kept)
    with np.errstate(divide="ignore"):
        return np.log(kept)
