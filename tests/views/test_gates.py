"""What Gates says of the memory where units saturate: the truth, not what a format makes of it."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz import Experiment, run
from rnnviz.core import Trace
from rnnviz.core.numerics import Array, Status
from rnnviz.views import gates
from rnnviz.views.layer_choice import parts_of


def opening(a: Array) -> tuple[Array, Array]:
    """σ(a) and 1 − σ(a), each with all its digits."""
    return np.exp(-np.logaddexp(0, -a)), np.exp(-np.logaddexp(0, a))


def log10_of_one_unit(trace: Trace, b: int = 0) -> float:
    """log10 |∂h_T/∂h_0| of a GRU of one unit, of one sequence, step by step from its equations."""
    p = {name: value.astype(np.float64) for name, value in trace.params.items()}
    x, h = trace.x[:, :, b].astype(np.float64), trace.h[:-1, 0, b].astype(np.float64)
    a = (x @ p["W_xh"].T + p["b_h"]).T
    w_r, w_z, w_n = p["W_hh"][:, 0]
    (r, no_r), (z, no_z) = opening(a[0] + w_r * h), opening(a[1] + w_z * h)
    m = w_n * h + p["b_hn"][0]
    of_n = a[2] + r * m
    slope = 1 / np.cosh(of_n) ** 2
    through_n = no_z * slope * (r * w_n + r * no_r * w_r * m)
    return float(np.log10(np.abs(z + through_n + (h - np.tanh(of_n)) * z * no_z * w_z)).sum())


SATURATED = Experiment(models=("gru",), task="adding", hidden_size=1, layers=3, input_scale=100,
                       seq_len=8, batch_size=1, init="gaussian", gate_init="chrono",
                       seed=781)  # fmt: skip


@pytest.mark.parametrize("coarse", [False, True])
def test_the_true_derivative_is_that_of_the_pre_activations(coarse: bool) -> None:
    """Slopes read off the values, of which float64 makes 1, come to 10^−168.6."""
    result = run(SATURATED)
    view = gates.view(result, gates.Choices(layer="1", coarse=coarse))
    wanted = log10_of_one_unit(parts_of(result)["gru"][0].trace)
    assert wanted == pytest.approx(-119.9, abs=0.05)
    assert view.carry is not None
    assert view.batch is not None
    assert view.carry.true.log10[0] == pytest.approx(wanted, abs=1e-3)
    assert view.batch.true[0] == pytest.approx(wanted, abs=1e-3)
    assert "true ∂h_T/∂h_0 **10^−119.9**" in view.verdict[1]


def test_all_sequences_of_single_precision_have_their_true_derivative() -> None:
    experiment = Experiment(models=("gru",), hidden_size=1, seq_len=12, batch_size=3,
                            input_scale=30, memory_bias=-3.0, dtype="float32")  # fmt: skip
    result = run(experiment)
    view, trace = gates.view(result), result["gru"].trace
    assert view.batch is not None
    for b, found in enumerate(view.batch.true):
        wanted = log10_of_one_unit(trace, b)
        assert found == pytest.approx(wanted, abs=1e-3)
    assert (view.batch.true_status == Status.FINITE).all()


def test_units_outlast_the_steps_over_which_the_product_goes() -> None:
    """Of names the first has 4 steps, the longest 6: a product of 0.63 keeps half of them."""
    experiment = Experiment(models=("lstm",), task="captioning", loss_at="every", hidden_size=32,
                            memory_bias=2.0)  # fmt: skip
    result = run(experiment)
    view = gates.view(result)
    first, second = view.verdict
    assert "outlast T = 4" in first
    assert " **0 %**" not in first
    assert second.startswith("Over 4 steps")
    drawn = next(p for p in gates.pictures(view) if p.key == "half-life").drawing  # type: ignore[union-attr]
    assert "T = 4" in {note["text"] for note in drawn["layout"]["annotations"]}
