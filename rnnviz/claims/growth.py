"""σ_max, ρ, λ₁ and mean field as judges of one question, on random networks: does the error grow
or vanish on its way back?

Each draw is an RNN that an `Experiment` can be: the same weights and the same first sequence of
delayed recall (see `draw`). All numbers are decades (log10) a step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.gradients import gradient_flow, state_curve
from rnnviz.analysis.jacobian.qr import qr_pass
from rnnviz.analysis.jacobian.sequence import linearize
from rnnviz.analysis.rates import LOG10_E
from rnnviz.analysis.theory import mean_field
from rnnviz.core import RNN, Record, Trace, backward, checks, forward
from rnnviz.core.activations import ACTIVATIONS
from rnnviz.core.initializers import INITIALIZERS
from rnnviz.core.numerics import Array, Status

PREDICTORS = ("sigma", "rho", "mean_field", "lyapunov")
GAUSSIAN_LIKE = ("gaussian", "uniform", "glorot", "spectral_radius")
"""Initializers whose entries are independent: what mean field is about."""
GAINS, INPUTS = (0.25, 4.0), (0.1, 3.0)
"""From where to where a draw's gain and input amplitude are, evenly in the logarithm."""
INPUT_SIZE = 8
STEPS, STRETCH = 100, 50
"""Steps of a sequence, and over how many of its last ones growth is measured."""
VECTORS = 4
MOST = 1000
"""Draws that one seed has."""
LEVEL = 1e-9
"""Decades a step up to which nothing grows or vanishes: rounding."""
NILPOTENT = 1e-9
"""A spectral radius below this share of σ_max is rounding's."""


@dataclass(frozen=True)
class Draw:
    """One random RNN and how its error fared.

    network_seed, init, activation, gain, input_scale: what it was made of; inputs are
    N(0, input_scale²). sigma_max: of W_hh. lipschitz: γ, the largest slope of φ.
    sigma, rho: log10 γσ_max and log10 γρ. lyapunov: λ₁, measured on another input sequence of the
    same network, so no prediction from the weights. mean_field: ½ log10 χ; NaN where the theory
    does not apply (no tanh, or weights that are not independent). −inf: predicted zero.
    growth: of ‖∂L/∂h_t‖ a step back over the last `STRETCH` steps, for an error in a random
    direction at the last one; −inf if nothing is left. status: of what is left.
    """

    number: int
    network_seed: int
    init: str
    activation: str
    gain: float
    input_scale: float
    hidden_size: int
    sigma_max: float
    lipschitz: float
    sigma: float
    rho: float
    lyapunov: float
    mean_field: float
    growth: float
    status: Status

    @property
    def outcome(self) -> int:
        """1 explodes, −1 vanishes, 0 level or no number."""
        return sign(self.growth)


@dataclass(frozen=True)
class Score:
    """How well one predictor did. draws: those it has a prediction for; hits: whose sign it had
    right; median_error: in decades a step, ∞ if most are infinitely far off, NaN without draws."""

    predictor: str
    draws: int
    hits: int
    median_error: float

    @property
    def share(self) -> float:
        return self.hits / self.draws if self.draws else float("nan")


@dataclass(frozen=True)
class GrowthVerdict:
    """The rule "σ_max > 1 explodes, < 1 vanishes". draws: judged; wrong: by the rule word for
    word. below, vanished: draws with γσ_max < 1, and those of them that vanished; above, exploded:
    with γσ_max > 1. scores: of each predictor."""

    draws: int
    wrong: int
    below: int
    vanished: int
    above: int
    exploded: int
    scores: tuple[Score, ...]


def draws(seed: int, hidden_size: int, count: int, start: int = 0) -> Iterator[Draw]:
    """Draws start, start + 1, ... of a seed, one after the other: stop when you like. Raises
    ValueError for a negative count, and as `draw`."""
    numbers = range(checks.size("count", count, 0))
    return (draw(seed, hidden_size, start + k) for k in numbers)


def draw(seed: int, hidden_size: int, number: int) -> Draw:
    """Choose initializer, activation, gain and input amplitude at random, and measure.

    The same arguments give the same draw; another hidden size leaves the choices as they are.
    Raises ValueError for a bad size or a number from `MOST` on.
    """
    if checks.size("number", number, 0) >= MOST:
        raise ValueError(f"number must be from 0 to {MOST - 1}, got {number}")
    rng = np.random.default_rng([checks.size("seed", seed, 0), number])
    init = str(rng.choice(list(INITIALIZERS)))
    activation = str(rng.choice(list(ACTIVATIONS)))
    gain, scale = (_rounded(rng, *limits) for limits in (GAINS, INPUTS))
    own = seed * MOST + number
    cell = RNN(INPUT_SIZE, checks.size("hidden_size", hidden_size), activation)
    # The stream that an experiment of this seed draws the weights of its first layer from.
    weights = np.random.default_rng([own, 0, 0]).spawn(2)[1]
    params = cell.init_params(weights, init=init, gain=gain)
    judged, other = (forward(cell, params, _sequence(own, b, scale)) for b in (0, 1))
    growth, status = _growth(judged, rng)
    sigma_max, radius = _promises(params["W_hh"])
    gamma = ACTIVATIONS[activation].lipschitz
    return Draw(number, own, init, activation, gain, scale, hidden_size, sigma_max, gamma,
                _log10(gamma * sigma_max), _log10(gamma * radius), _exponent(other, rng),
                _theory(init, activation, params, scale), growth, status)  # fmt: skip


def score(found: Sequence[Draw], predictor: str) -> Score:
    """Judge one predictor by these draws; draws whose growth is no number do not count.

    Raises ValueError for an unknown predictor.
    """
    checks.choice("predictor", predictor, PREDICTORS)
    pairs = [(getattr(d, predictor), d.growth) for d in found]
    pairs = [(p, g) for p, g in pairs if not (np.isnan(p) or np.isnan(g))]
    errors = [0.0 if p == g else abs(p - g) for p, g in pairs]
    hits = sum(sign(p) == sign(g) for p, g in pairs)
    return Score(predictor, len(pairs), hits, float(np.median(errors)) if errors else np.nan)


def sign(decades: float) -> int:
    """1 grows, −1 vanishes, 0 neither (or NaN)."""
    return int(decades > LEVEL) - int(decades < -LEVEL)


def growth_verdict(found: Sequence[Draw]) -> GrowthVerdict:
    """Draws whose growth is no number do not count."""
    known = [d for d in found if not np.isnan(d.growth)]
    wrong = sum(sign(_log10(d.sigma_max)) != d.outcome for d in known)
    below = [d.outcome for d in known if sign(d.sigma) < 0]
    above = [d.outcome for d in known if sign(d.sigma) > 0]
    scores = tuple(score(found, predictor) for predictor in PREDICTORS)
    return GrowthVerdict(len(known), wrong, len(below), below.count(-1), len(above),
                         above.count(1), scores)  # fmt: skip


def _rounded(rng: np.random.Generator, low: float, high: float) -> float:
    """Two decimals, so that a link to the same network is short."""
    return round(float(np.exp(rng.uniform(np.log(low), np.log(high)))), 2)


def _sequence(seed: int, index: int, scale: float) -> Array:
    """The sequence `index` of delayed recall: a clue of size 1, then noise; (T, D, 1)."""
    rng = np.random.default_rng([seed, 1, index])
    x = np.zeros((STEPS, INPUT_SIZE, 1))
    x[0, rng.integers(INPUT_SIZE)] = np.sqrt(INPUT_SIZE)
    x[1:, :, 0] = scale * rng.standard_normal((STEPS - 1, INPUT_SIZE))
    return x


def _growth(record: Record, rng: np.random.Generator) -> tuple[float, Status]:
    """Decades a step back, and what is left in the end."""
    direct = np.zeros((STEPS, record.cell.hidden_size, 1))
    direct[-1, :, 0] = rng.standard_normal(record.cell.hidden_size)
    trace = backward(record, direct)
    log10 = state_curve(trace).log10
    before, left = log10[STEPS], log10[STEPS - STRETCH]
    if np.isfinite(left):
        return float(left - before) / STRETCH, Status.FINITE
    return (-np.inf if np.isneginf(left) else np.nan), _why(trace)


def _why(trace: Trace) -> Status:
    """Whether zeros are exact, which is asked only where there are any."""
    return gradient_flow(trace, "").state.value(STEPS - STRETCH)[1]


def _promises(W: Array) -> tuple[float, float]:
    """σ_max and ρ."""
    sigma_max = float(np.linalg.svd(W, compute_uv=False)[0])
    radius = float(np.abs(np.linalg.eigvals(W)).max())
    return sigma_max, radius if radius > NILPOTENT * sigma_max else 0.0


def _exponent(record: Record, rng: np.random.Generator) -> float:
    """The largest of a few finite-time exponents, from a random frame: fixed axes could miss it."""
    size = record.cell.hidden_size
    frame = np.linalg.qr(rng.standard_normal((size, min(VECTORS, size))))[0]
    done = qr_pass(linearize(record, 0, STEPS - STRETCH, STEPS), frame, back=True)
    return float(done.logs.max()) / STRETCH * LOG10_E


def _theory(init: str, activation: str, params: dict[str, Array], scale: float) -> float:
    if activation != "tanh" or init not in GAUSSIAN_LIKE:
        return float("nan")
    hidden_size = len(params["W_hh"])
    variance = float(scale**2 * (params["W_xh"] ** 2).sum() / hidden_size)
    gain = float(np.linalg.norm(params["W_hh"]) / np.sqrt(hidden_size))
    return mean_field(gain, variance).lyapunov * LOG10_E


def _log10(value: float) -> float:
    return float(np.log10(value)) if value > 0 else -np.inf
