"""What W_hh promises (its spectrum) and what a step does (the spectrum of the state Jacobian)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from rnnviz.analysis.gradients import state_curve
from rnnviz.analysis.jacobian.norms import log10_spectral_norm, normalise, singular_values
from rnnviz.analysis.jacobian.sequence import check_steps, state_jacobians
from rnnviz.analysis.jacobian.structured import state_size
from rnnviz.analysis.lyapunov import long_run
from rnnviz.analysis.rates import mean_rate
from rnnviz.core import Cell, Record, Trace, checks
from rnnviz.core.numerics import LOG10_2, Array

POWERS = tuple(range(1, 51))
EXACT, GROWTH = 256, 500
"""Rows of a matrix whose eigenvalues are all worked out; steps that a larger one's growth is
averaged over, after as many. See `whole_step`."""


@dataclass(frozen=True)
class Stretch:
    """What the rule of thumb goes by: the largest singular value of W_hh, and γ of the nonlinearity
    behind it, the two of which must not exceed 1 in product. For a leaky cell those of a whole
    step at φ′ = γ, (1 − α)I + αγW_hh, behind which nothing comes: lipschitz is 1.

    law: what no step can exceed, for any input: below 1 the error must vanish. With a leak
    ‖(1 − α)I + ½αγW‖ + ½αγ‖W‖, as φ′ may lie anywhere in [0, γ]; else σ_max·γ.
    """

    sigma_max: float
    lipschitz: float
    leaky: bool = False
    law: float = np.nan


ALIKE = 1e-5
"""Share by which singular values that are one differ after rounding, in either precision."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """One H × H block of W_hh.

    singular_values (H,) descending; eigenvalues (H,) complex, by falling modulus.
    departure: Henrici's √(‖W‖_F² − Σ|λ|²) / ‖W‖_F, 0 for a normal matrix (source: Henrici 1962,
    Numer. Math. 4, 24-40). powers_k and powers_log10: log10 of ‖Wᵏ‖₂^(1/k), which falls from
    sigma_max at k = 1 to the spectral radius; −inf where Wᵏ = 0.
    lipschitz: γ, the largest slope of the gate's nonlinearity; sigma_max < 1/γ makes the gradient
    of an RNN vanish for every input. simple: whether this block alone is W_hh (`Cell.SIMPLE`).
    All NaN for a block that is not finite.
    """

    label: str
    gate: str
    singular_values: Array
    eigenvalues: Array
    spectral_radius: float
    sigma_max: float
    departure: float
    powers_k: Array
    powers_log10: Array
    lipschitz: float
    simple: bool

    @property
    def stretches_alike(self) -> bool:
        """Whether no direction is stretched more than another."""
        return stretches_alike(self.singular_values)


@dataclass(frozen=True, eq=False)
class JacobianSpectrum:
    """The state Jacobians ∂s_t/∂s_{t−1} of one sequence at chosen steps.

    singular_values (n, S) descending; mean_slope (n,): the mean over units of φ′(a_t) for an RNN,
    of the candidate's tanh′ (LSTM g, GRU n) for a gated cell: `slope_of` says which.
    measured_rate: what one step back multiplied the error with, on average over the run and the
    batch (`rates.mean_rate`); None if no error was recorded, or at more than one step, and of a
    truncated pass.
    """

    label: str
    steps: Array
    singular_values: Array
    mean_slope: Array
    slope_of: str
    measured_rate: float | None


def weight_spectra(
    trace: Record,
    label: str,
    gates: Sequence[str] | None = None,
    powers: Sequence[int] = POWERS,
) -> dict[str, Spectrum]:
    """The spectrum of each gate's H × H block of W_hh (of `gates` only, if given).

    Raises ValueError for an unknown gate or a power below 1.

    Examples
    --------
    >>> spectrum = analysis.weight_spectra(rnn, "RNN")["a"]
    >>> bool(spectrum.sigma_max >= spectrum.spectral_radius)
    True
    """
    cell, W_hh = trace.cell, trace.params["W_hh"].astype(np.float64)
    names = cell.trainable_gates if gates is None else gates
    for gate in names:
        checks.choice("gates", gate, cell.trainable_gates)
    k = np.array(sorted({checks.size("powers", power) for power in powers}))
    return {gate: _spectrum(W_hh[cell.gate_rows(gate)], label, gate, cell, k) for gate in names}


def stretch(trace: Record, gate: str) -> Stretch:
    """σ_max(W) and γ of one gate's block, or of a whole leaky step; NaN for a block that is not
    finite.

    Raises ValueError for an unknown gate.
    """
    cell = trace.cell
    checks.choice("gate", gate, cell.trainable_gates)
    gamma = cell.activation_of(gate).lipschitz
    if "leak" in cell.other_ways:
        steepest, middle, flat = (step_at(trace, share * gamma) for share in (1.0, 0.5, 0.0))
        law = spectral_norm(middle) + spectral_norm(middle - flat)
        return Stretch(spectral_norm(steepest), 1.0, leaky=True, law=law)
    sigma_max = spectral_norm(trace.params["W_hh"][cell.gate_rows(gate)].astype(np.float64))
    return Stretch(sigma_max, gamma, law=sigma_max * gamma)


class WholeStep(NamedTuple):
    """sigma_max: the largest singular value of a step; radius: its spectral radius; alike: whether
    it stretches no direction more than another."""

    sigma_max: float
    radius: float
    alike: bool


def whole_step(trace: Record) -> WholeStep:
    """What a step of a `SIMPLE` cell is, leak and skip included, at φ′ = γ in all units: with a
    skip of the block companion matrix. The spectral radius of one of more than EXACT rows is what
    GROWTH steps multiply a state with on average: of small ones (8 to 64 units, skips of 5 to 100
    steps) it was off by up to 0.2 %, mostly by 0.02 %."""
    gamma = trace.cell.activation_of(trace.cell.CANDIDATE_GATE).lipschitz
    J = step_at(trace, gamma)
    if not np.isfinite(J).all():
        return WholeStep(np.nan, np.nan, False)
    rows = state_size(trace.cell)
    if rows == len(J):
        radius = np.abs(np.linalg.eigvals(J)).max()
    elif rows <= EXACT:
        radius = np.abs(np.linalg.eigvals(step_at(trace, gamma, whole=True))).max()
    else:
        radius = _growth(trace, gamma)
    found = np.linalg.svd(J, compute_uv=False)
    return WholeStep(float(found[0]), float(radius), rows == len(J) and stretches_alike(found))


def _growth(trace: Record, slope: float) -> float:
    """By how much a state grows in a step whose units all have this slope, in the long run."""
    cell = replace(trace.cell, activation="identity")  # type: ignore[call-arg]
    params = {name: np.zeros(v.shape) for name, v in trace.params.items()}
    params |= {name: slope * trace.params[name].astype(float) for name in ("W_hh", "W_skip")}
    rest = np.zeros((cell.hidden_size, 1))
    *_, last = long_run(cell, params, GROWTH, "", discard=GROWTH, count=1, h0=rest)
    return float(np.exp(last.exponents[0]))


def step_at(trace: Record, slope: float, whole: bool = False) -> Array:
    """The state Jacobian of a `SIMPLE` cell whose units all have this slope φ′(a).

    A skip of d > 2 steps adds parts that only move on, d − 2 times an I beside those of a skip of
    two: they change no norm, and stand here only if the `whole` of it is asked for.
    """
    cell = trace.cell if whole else replace(trace.cell, skip=min(trace.cell.skip, 2))
    params = {name: value.astype(np.float64) for name, value in trace.params.items()}
    found = cell.state_jacobian(params, np.full(cell.hidden_size, slope))
    assert found is not None
    return found


def stretches_alike(descending: Array) -> bool:
    """Whether all singular values are one but for rounding, as of a multiple of an orthogonal
    matrix."""
    return bool(descending[0] - descending[-1] <= ALIKE * descending[0])


def spectral_norm(W: Array) -> float:
    """The largest singular value; NaN for a matrix that is not finite."""
    return float(np.linalg.svd(W, compute_uv=False)[0]) if np.isfinite(W).all() else np.nan


def jacobian_spectrum(
    trace: Trace, label: str, sequence: int = 0, steps: Sequence[int] | None = None
) -> JacobianSpectrum:
    """Singular values of ∂s_t/∂s_{t−1} for each t in `steps` (all of 1 to T unless given); of a
    cell with a skip without what that adds, see `state_jacobians`.

    Raises ValueError for a step or sequence that the trace does not have.

    Examples
    --------
    >>> found = analysis.jacobian_spectrum(rnn, "RNN", steps=[1, 20])
    >>> found.singular_values.shape
    (2, 8)
    """
    checked = check_steps(trace, steps, sequence)
    name, slope = _slope(trace, checked, sequence)
    enters = trace.enters.any(axis=1)
    # A gradient that is refilled on the way, or cut off, does not measure the Jacobians.
    whole = not trace.window and np.count_nonzero(enters) <= 1
    rate = mean_rate(state_curve(trace)) if whole else None
    return JacobianSpectrum(
        label=label,
        steps=checked,
        singular_values=singular_values(state_jacobians(trace, steps, sequence)),
        mean_slope=slope.mean(axis=1),
        slope_of=name,
        measured_rate=None if rate is None else rate.factor_per_step,
    )


def power_norms_log10(W: Array, powers: Array) -> Array:
    """log10 of ‖Wᵏ‖₂^(1/k) for each k of `powers` (ascending), (n,)."""
    scaled, first = normalise(W)
    wanted, product, exponent = set(powers.tolist()), np.eye(len(W)), 0
    kept, exponents = [], []
    for k in range(1, int(powers[-1]) + 1):
        product, extra = normalise(scaled @ product)
        exponent += int(extra) + int(first)
        if k in wanted:
            kept.append(product)
            exponents.append(exponent)
    return (log10_spectral_norm(np.array(kept)) + np.array(exponents) * LOG10_2) / powers


def departure(W: Array, eigenvalues: Array) -> float:
    """√(‖W‖_F² − Σ|λ|²) / ‖W‖_F; differences within rounding count as 0."""
    total = np.sum(W * W)
    rest = total - np.sum(np.abs(eigenvalues) ** 2)
    if rest <= 8 * len(W) * np.finfo(float).eps * total:
        return 0.0
    return float(np.sqrt(rest / total))


def _spectrum(W: Array, label: str, gate: str, cell: Cell, powers: Array) -> Spectrum:
    lipschitz = cell.activation_of(gate).lipschitz
    if not np.isfinite(W).all():
        blank = np.full(len(W), np.nan)
        return Spectrum(label, gate, blank, blank.astype(complex), np.nan, np.nan, np.nan, powers,
                        np.full(len(powers), np.nan), lipschitz, cell.SIMPLE)  # fmt: skip
    scaled, exponent = normalise(W)
    eigenvalues = np.linalg.eigvals(scaled).astype(complex)
    eigenvalues = eigenvalues[np.argsort(-np.abs(eigenvalues), kind="stable")]
    sigma = np.linalg.svd(W, compute_uv=False)
    scale = float(np.ldexp(1.0, int(exponent)))
    with np.errstate(over="ignore"):
        eigenvalues_of_W = eigenvalues * scale
    return Spectrum(
        label=label,
        gate=gate,
        singular_values=sigma,
        eigenvalues=eigenvalues_of_W,
        spectral_radius=float(np.abs(eigenvalues_of_W[0])),
        sigma_max=float(sigma[0]),
        departure=departure(scaled, eigenvalues),
        powers_k=powers,
        powers_log10=power_norms_log10(W, powers),
        lipschitz=lipschitz,
        simple=cell.SIMPLE,
    )


def _slope(trace: Record, steps: Array, sequence: int) -> tuple[str, Array]:
    """(what it is the slope of, φ′ (n, H)) of one sequence."""
    cell = trace.cell
    gate, activation = cell.CANDIDATE_GATE, cell.activation_of(cell.CANDIDATE_GATE)
    values = trace.gates[gate][steps - 1, :, sequence].astype(np.float64)
    slope = np.empty_like(values)
    activation.slope(values, slope)
    return (activation.name if cell.SIMPLE else gate), slope
