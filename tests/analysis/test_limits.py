"""Estimates of what an analysis takes, and refusals."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rnnviz import Experiment, run
from rnnviz.analysis import limits
from rnnviz.analysis.carry import carry_paths
from rnnviz.analysis.contributions import weight_contributions
from rnnviz.analysis.fixed_points import fixed_points, starts_for
from rnnviz.analysis.jacobian.qr import product_spectrum
from rnnviz.analysis.jacobian.structured import state_size
from rnnviz.analysis.lag_spectra import MOST_LAGS, lag_spectrum
from rnnviz.analysis.lags import lag_profile
from rnnviz.analysis.lyapunov import lyapunov_spectrum
from rnnviz.analysis.measures import measures
from rnnviz.analysis.pairs import pair_matrix
from rnnviz.analysis.precision import precision
from rnnviz.analysis.step_factors import step_factors
from rnnviz.core import CELLS, GRU, LSTM, RNN, Cell, Trace, bptt
from rnnviz.core.cost import Estimate
from tests.analysis.cells import any_problem

T, H, B = 120, 24, 2
RUNS = {
    "lags": (lag_profile, lambda cell: limits.lags_cost(cell, T)),
    "spectrum": (
        lyapunov_spectrum,
        lambda cell: limits.exponents_cost(cell, T, B, state_size(cell)),
    ),
    "pairs": (pair_matrix, lambda cell: limits.pairs_cost(cell, T, T, B)),
    "contributions": (weight_contributions, lambda cell: limits.contributions_cost(cell, T, B)),
    "carry": (carry_paths, lambda cell: limits.carry_cost(cell, T, B)),
    "paths": (step_factors, lambda cell: limits.paths_cost(cell, T, B)),
    "lag spectra": (lag_spectrum, lambda cell: limits.lag_spectra_cost(cell, T, MOST_LAGS)),
    "fixed points": (
        fixed_points,
        lambda cell: limits.fixed_points_cost(cell, starts_for(cell), T, B),
    ),
}


@pytest.mark.parametrize("name", RUNS)
def test_bytes_are_those_that_are_used(name):
    """Within a factor of two or so of the peak; parameters' gradients and views aside."""
    cell, rng = LSTM(3, H), np.random.default_rng(0)
    trace = bptt(cell, cell.init_params(rng), rng.standard_normal((T, 3, B)), np.ones((T, H, B)))
    run, cost = RUNS[name]
    run(trace, "m")
    tracemalloc.start()
    run(trace, "m")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < cost(cell).bytes < 4 * max(peak, 1 << 20)


WORST: list[dict[str, Any]] = [
    {"models": ("rnn",), "gain": 0.01},
    {"models": ("rnn",), "activation": "relu", "skip": 3},
    {"models": ("rnn",), "activation": "identity", "init": "orthogonal"},
    {"models": ("rnn:leak=0.5",), "gain": 0.05},
    {"models": ("lstm",), "gain": 0.01, "memory_bias": -6.0},
    {"models": ("lstm",), "skip": 3},
    {"models": ("gru:variant=reset_before",), "gain": 0.05},
    {"models": ("gru",), "init": "orthogonal", "memory_bias": 6.0},
]
"""What sends analyses into their costly branches: exact zeros, directions that die, steps that do
not factor, singular values that lie together."""
OF_TRACES: dict[str, tuple[Callable[[Trace], Any], Callable[[Trace], Estimate]]] = {
    "lags": (lambda t: lag_profile(t, "m"),
             lambda t: limits.lags_cost(t.cell, t.seq_len, t.batch_size)),
    "spectrum": (lambda t: lyapunov_spectrum(t, "m"),
                 lambda t: limits.exponents_cost(
                     t.cell, t.seq_len, t.batch_size, state_size(t.cell))),
    "products": (lambda t: product_spectrum(t, "m"),
                 lambda t: limits.products_cost(t.cell, t.seq_len)),
    "measures": (measures,
                 lambda t: limits.measures_cost(t.cell, t.seq_len, t.batch_size)),
    "pairs": (lambda t: pair_matrix(t, "m"),
              lambda t: limits.pairs_cost(t.cell, t.seq_len, t.seq_len, t.batch_size)),
    "contributions": (lambda t: weight_contributions(t, "m"),
                      lambda t: limits.contributions_cost(t.cell, t.seq_len, t.batch_size)),
    "carry": (lambda t: carry_paths(t, "m"),
              lambda t: limits.carry_cost(t.cell, t.seq_len, t.batch_size)),
    "paths": (lambda t: step_factors(t, "m"),
              lambda t: limits.paths_cost(t.cell, t.seq_len, t.batch_size)),
    "lag spectra": (lambda t: lag_spectrum(t, "m"),
                    lambda t: limits.lag_spectra_cost(t.cell, t.seq_len, MOST_LAGS)),
    "fixed points": (lambda t: fixed_points(t, "m"),
                     lambda t: limits.fixed_points_cost(
                         t.cell, starts_for(t.cell), t.seq_len, t.batch_size)),
}  # fmt: skip


WIDE = {"seq_len": 70, "hidden_size": 32, "batch_size": 10}
LONG = {"seq_len": 120, "hidden_size": 10, "batch_size": 30}


@pytest.mark.parametrize(
    ("change", "sizes"), [*zip(WORST, itertools.cycle([WIDE, LONG]), strict=False)], ids=str
)
def test_memory_is_never_underestimated(change: dict[str, Any], sizes: dict[str, int]) -> None:
    """Each kind of cell at either size."""
    (network,) = run(Experiment(loss_at="every", **sizes, **change)).values()
    for name, (analyse, cost) in OF_TRACES.items():
        tracemalloc.start()
        analyse(network.trace)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak <= cost(network.trace).bytes, name


SIZES: dict[str, dict[str, int]] = {
    "a large batch": {"seq_len": 20, "hidden_size": 8, "batch_size": 256},
    "wide inputs": {"seq_len": 8, "hidden_size": 4, "batch_size": 2, "input_size": 1000},
    "a long skip": {"seq_len": 24, "hidden_size": 3, "batch_size": 4, "skip": 40},
    "one unit": {"seq_len": 120, "hidden_size": 1, "batch_size": 1},
}
ROUNDED = (30.0, np.float32)
REGIMES = [(1.0, np.float64), (30.0, np.float64), (0.01, np.float64)]
"""How large weights are: saturated units, in float32 with slopes that are rounded to 0, which take
the most, and gradients that vanish take other branches."""
MEASURED = {**OF_TRACES, "precision": (
    lambda t: precision(t, "m"),
    lambda t: limits.precision_cost(t.cell, t.seq_len, t.batch_size),
)}  # fmt: skip


def any_trace(kind: str, scale: float, dtype: type, seq_len: int, hidden_size: int,
              batch_size: int, input_size: int = 3, skip: int = 0) -> Trace:  # fmt: skip
    cell, rng = CELLS[kind](input_size, hidden_size, skip=skip), np.random.default_rng(0)
    params = {name: dtype(scale * value) for name, value in cell.init_params(rng).items()}
    x = rng.standard_normal((seq_len, input_size, batch_size)).astype(dtype)
    return bptt(cell, params, x, np.ones((seq_len, hidden_size, batch_size), dtype))


@pytest.fixture(scope="module")
def _imported() -> None:
    """What an analysis imports, it imports once."""
    for kind in CELLS:
        for analyse, _ in MEASURED.values():
            analyse(any_trace(kind, *REGIMES[0], 4, 2, 1))


@pytest.mark.usefixtures("_imported")
@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("sizes", SIZES)
def test_of_unusual_sizes_memory_is_not_underestimated(sizes: str, kind: str) -> None:
    """Nor, where its costly branches are taken here, far overestimated. Each size and each kind of
    cell is there with every regime."""
    turn = [*SIZES].index(sizes) + [*CELLS].index(kind)
    regimes = ROUNDED, REGIMES[turn % len(REGIMES)]
    traces = [any_trace(kind, *regime, **SIZES[sizes]) for regime in regimes]
    for name, (analyse, cost) in MEASURED.items():
        peaks = []
        for trace in traces:
            tracemalloc.start()
            there = analyse(trace) is not None  # an RNN has no carry
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        expected = cost(traces[-1]).bytes
        assert max(peaks) <= expected, name
        if there and name in ("carry", "measures", "contributions", "precision"):
            assert expected <= 2 * max(peaks) + (6 << 20), name


@pytest.mark.parametrize("kind", CELLS)
def test_a_thousand_steps_of_128_units_are_allowed(kind):
    cell = CELLS[kind](8, 128)
    costs = (
        limits.lags_cost(cell, 1000),
        limits.spectrum_cost(cell, 1000, state_size(cell)),
        limits.pairs_cost(cell, 1000, 1000, 1),
        limits.contributions_cost(cell, 1000, 16),
        limits.carry_cost(cell, 1000),
        limits.paths_cost(cell, 1000, 16),
    )
    assert [limits.refusal("It", cost) for cost in costs] == [""] * 6
    assert all(cost.bytes < 2**28 for cost in costs)


def test_more_costs_more():
    small, large = limits.lags_cost(GRU(1, 64), 100), limits.lags_cost(GRU(1, 64, skip=4), 100)
    assert large.seconds > small.seconds
    assert large.bytes > small.bytes


def test_a_refusal_says_what_it_would_take():
    cost = Estimate(bytes=3 * 2**30, python=90)
    with pytest.raises(ValueError, match="The lag profile would take about 90 s and 3,072 MiB; the "
                       r"limits are 30 s and 1,024 MiB\. Take a shorter sequence"):  # fmt: skip
        limits.check("The lag profile", cost)


def test_what_is_too_large_is_refused_before_it_begins():
    cell = GRU(1, 2, skip=4000)
    params = cell.init_params(np.random.default_rng(0))
    trace = bptt(cell, params, np.zeros((60, 1, 1)), np.ones((60, 2, 1)))
    for analyse in (lag_profile, lyapunov_spectrum):
        with pytest.raises(ValueError, match="would take about"):
            analyse(trace, "m")


@pytest.mark.parametrize("run", [lag_profile, lyapunov_spectrum, product_spectrum, pair_matrix,
                                 carry_paths, weight_contributions])  # fmt: skip
def test_progress_rises_to_one_and_can_stop_the_work(run):
    trace, shares = any_problem("lstm", 30, 2).trace(), []
    found = run(trace, "m", progress=shares.append)
    assert shares[-1] == pytest.approx(1)
    assert (np.diff(shares) >= 0).all()
    assert len(shares) >= 30
    assert vars(found).keys() == vars(run(trace, "m")).keys()

    def stop(share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(trace, "m", progress=stop)


@pytest.mark.parametrize(
    ("cell", "options", "steps"),
    [
        (LSTM(2, 96, skip=4), {}, 17),
        (LSTM(2, 2, skip=150), {}, 40),
        (RNN(2, 160, activation="identity"), {"init": "orthogonal"}, 40),
        (GRU(2, 160), {"init": "orthogonal", "memory_bias": 6.0}, 40),
    ],
    ids=["skip", "long skip", "equal values", "values close together"],
)
def test_products_of_large_matrices_are_counted_too(
    cell: Cell, options: dict[str, Any], steps: int
) -> None:
    """Some at a time, whole and their block of h, beside what finds their norms."""
    rng, H = np.random.default_rng(0), cell.hidden_size
    params = cell.init_params(rng, **options)
    trace = bptt(cell, params, rng.standard_normal((steps, 2, 1)), np.ones((steps, H, 1)))
    tracemalloc.start()
    lag_profile(trace, "m")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= limits.lags_cost(cell, steps, 1).bytes <= 2 * peak
