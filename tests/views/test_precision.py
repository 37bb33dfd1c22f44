"""What Gradient flow says of number formats, and of derivatives that a format makes 0."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz import Experiment, run
from rnnviz.analysis.gradients import gradient_flow as gradient_flow_of
from rnnviz.analysis.measures import measures
from rnnviz.analysis.precision import precision
from rnnviz.core import GRU, LSTM, RNN
from rnnviz.core.network import Network, run_network
from rnnviz.core.numerics import Status
from rnnviz.experiment import Run
from rnnviz.tasks import Batch
from rnnviz.views import gradient_flow, spectrum
from rnnviz.views.flow_panels import precision_rows, precision_words
from rnnviz.views.layer_choice import parts_of
from rnnviz.wording.numbers import factor


def one_unit(
    W_hh: float, steps: int, x: float = 0.0, dtype: type = np.float64, more: int = 0, **cell: str
) -> Run:
    """A network of one unit with a loss at the last step alone. more: units beside it that do not
    read x."""
    batch = Batch(
        x=np.full((steps, 1, 1), x, dtype),
        target=-np.ones((steps, 1, 1), dtype),
        mask=np.append(np.zeros(steps - 1), 1)[:, None].astype(dtype),
        loss="squared_error",
        input_size=1,
        output_size=1,
        lengths=np.full(1, steps),
    )
    network = Network((RNN(1, 1 + more, **cell),), 1)
    params = {name: np.zeros(shape, dtype) for name, shape in network.param_shapes().items()}
    for name, value in params.items():
        if name.endswith("W_hh"):
            value[...] = W_hh * np.eye(len(value))
        elif name.endswith(("W_hy", "W_xh")):
            value[: 1 if name.endswith("xh") else None] = 1
    return Run({"rnn": run_network(network, params, batch)}, batch)


def table(result: Run) -> tuple[dict[str, str], tuple[str, ...]]:
    flows = gradient_flow.view(result).flows
    found = [precision(p[-1].trace, p[-1].label) for p in parts_of(result).values()]
    (row,) = precision_rows(found, flows)
    return row, precision_words(found, flows).lines


def test_where_each_format_holds_zero() -> None:
    """∂L/∂h_t = 0.5^(200 − t): 2^−150 and 2^−25 are rounded to 0."""
    row, said = table(one_unit(0.5, 200, activation="identity"))
    assert row["model"] == "RNN"
    assert row["float64"] == "–"
    assert row["float32"] == "0 from step 50 back (150 steps from the loss)"
    assert row["bfloat16"] == "0 from step 66 back (134 steps from the loss)"
    assert row["float16"] == "0 from step 175 back (25 steps from the loss)"
    assert row["float32, rounded at every step"] == row["float32"]
    assert said == ()


def test_where_each_format_holds_infinity() -> None:
    row, _ = table(one_unit(2.0, 200, activation="identity"))
    assert row["float32"] == "∞ from step 72 back (128 steps from the loss)"
    assert row["float64"] == "–"


def test_float32_that_comes_to_nan_is_not_said_to_hold_every_step() -> None:
    """Past the largest number ∞ − ∞ is NaN, in the sums of W_hhᵀ at once."""
    result = run(
        Experiment(models=("rnn",), activation="identity", init="orthogonal", gain=3.0,
                   seq_len=100)
    )  # fmt: skip
    row, _ = table(result)
    assert row["float32"] == "∞ from step 15 back (85 steps from the loss)"
    assert row["float32, rounded at every step"] == "NaN from step 15 back (85 steps from the loss)"


def test_where_float32_sticks() -> None:
    """0.7^n, multiplied in float32, stays at the smallest number."""
    row, said = table(one_unit(0.7, 400, activation="identity"))
    assert row["float32"].startswith("0 from step 1")
    assert row["float32, rounded at every step"] == "–"
    assert "sticks, at step 1 at 1·10⁻⁴⁵" in said[0]


def test_no_number_is_not_said_to_be_held_and_its_cause_is_named() -> None:
    row, _ = table(one_unit(1e200, 8, x=1.0, activation="identity"))
    assert row["float64"] == "no number: the states explode"


def test_the_true_gradient_of_single_precision_is_drawn_and_the_zeros_are_said() -> None:
    """tanh(10) is 1 in float32, its derivative 0; in truth 1/cosh²(10.5) a step."""
    result = one_unit(0.5, 6, x=10.0, dtype=np.float32)
    view = gradient_flow.view(result, gradient_flow.Choices(why=True))
    (flow,) = view.flows
    expected = 5 * np.log10(0.5 / np.cosh(10.5) ** 2)
    assert flow.reach_log10 == pytest.approx(expected, abs=1e-5)
    assert view.warnings[0].startswith("RNN: backpropagation in float32 makes ∂L/∂h exactly 0 at 5")
    assert "The true gradient is drawn." in view.warnings[0]
    (split,) = view.splits
    assert np.sum(split.change[1:]) == pytest.approx(expected, abs=1e-5)
    ghost = gradient_flow.view(result, pinned=result).ghosts[0]
    np.testing.assert_array_equal(ghost.state.log10, flow.state.log10)


def test_what_float64_loses_is_said_and_the_true_gradient_is_drawn() -> None:
    """a = 40.5 but in the first step: float64 holds 1 and the slope 0."""
    view = gradient_flow.view(one_unit(0.5, 6, x=40.0))
    (said,), (flow,) = view.warnings, view.flows
    assert said.startswith("RNN: backpropagation in float64 makes ∂L/∂h exactly 0 at 5 of 6 steps")
    assert flow.reach_log10 == pytest.approx(5 * np.log10(0.5 / np.cosh(40.5) ** 2), abs=1e-9)


@pytest.mark.parametrize(("dtype", "gain"), [("float32", 1.0), ("float64", 16.0)])
def test_the_steps_of_saturated_units_are_measured_with_their_true_slopes(
    dtype: str, gain: float
) -> None:
    """What Spectrum says was measured is what Gradient flow says."""
    saturated = {"input_scale": 30.0, "init": "gaussian", "gain": gain, "dtype": dtype}
    of = run(Experiment(models=("rnn",), hidden_size=4, seq_len=60, batch_size=4, **saturated))
    (flow,) = gradient_flow.view(of).flows
    view = spectrum.view(of)
    assert flow.rate is not None
    assert view.jacobian.measured_rate == pytest.approx(flow.rate.factor_per_step, rel=1e-9)
    assert f"**{factor(flow.rate.factor_per_step)}** a step. " in view.verdict
    assert "rounded to zero" not in view.verdict


def test_while_a_knob_moves_true_slopes_are_taken_where_their_rounding_would_be_seen() -> None:
    for scale, seen in ((1.0, False), (30.0, True)):
        of = run(Experiment(models=("rnn",), hidden_size=4, seq_len=60, batch_size=4,
                            input_scale=scale, init="gaussian", dtype="float32"))  # fmt: skip
        moving, exact = (spectrum.view(of, spectrum.Choices(coarse=c)) for c in (True, False))
        rates = moving.jacobian.measured_rate, exact.jacobian.measured_rate
        assert rates[0] == pytest.approx(rates[1], rel=1e-3)
        rounded = gradient_flow_of(of["rnn"].trace, "rnn").rate
        assert rounded is not None
        assert (rounded.factor_per_step != pytest.approx(rates[1], rel=1e-3)) == seen


def test_saturated_units_beside_open_ones_are_said_with_their_true_size() -> None:
    """Of two units one has a = 40.5 but in the first step; 2 log10(2/e^40) = −34.1."""
    (said,) = gradient_flow.view(one_unit(0.5, 6, x=40.0, more=1)).warnings
    assert "at 6 of 12 values" in said
    assert "10^−34.6 to 10^−34.1" in said
    assert said.endswith("The true gradient is drawn.")


def test_of_an_ordinary_run_nothing_is_said() -> None:
    for dtype in ("float64", "float32"):
        result = run(Experiment(seq_len=12, hidden_size=5, batch_size=2, dtype=dtype))
        assert gradient_flow.view(result).warnings == ()


CLOSED = {"gain": 60.0, "memory_bias": -120.0, "input_scale": 40.0, "seq_len": 12}
SATURATED = [
    Experiment(("lstm",), hidden_size=2, batch_size=1, **CLOSED),
    Experiment(("gru",), hidden_size=6, batch_size=2, **CLOSED),
    Experiment(("rnn",), gain=17.0, hidden_size=2, init="identity", seq_len=12, batch_size=1),
    Experiment(("rnn",), gain=17.0, hidden_size=2, init="identity", seq_len=12, batch_size=2,
               layers=2),
]  # fmt: skip


@pytest.mark.parametrize("experiment", SATURATED, ids=["lstm", "gru", "rnn", "stack"])
@pytest.mark.parametrize("layer", ["1", "2"])
def test_points_whose_digits_a_cell_cannot_give_have_a_status_and_a_sentence(
    experiment: Experiment, layer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a cell that does not say its pre-activations; those here all do."""
    choices = gradient_flow.Choices(layer=layer)
    assert not (gradient_flow.view(run(experiment), choices).flows[0].state.status != 0).any()
    for cell in (RNN, LSTM, GRU):
        monkeypatch.delattr(cell, "preactivations")
    found = gradient_flow.view(run(experiment), choices)
    status = found.flows[0].state.status
    lost = np.flatnonzero(status == Status.LOST)
    assert len(lost)
    below = layer == "1" and experiment.layers == 2  # all its error has gone through layer 2
    assert below or status[-1] == Status.FINITE
    (said,) = (line for line in found.warnings if "digits lost" in line)
    assert f"from step {lost[-1]} back" in said
    assert "about 1 part in 10^" in found.verdict[0].replace("*", "")


@pytest.mark.parametrize("experiment", SATURATED, ids=["lstm", "gru", "rnn", "stack"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_table_of_runs_has_the_numbers_of_the_page(experiment: Experiment, dtype: str) -> None:
    result = run(replace(experiment, dtype=dtype))
    (flow,), (trace,) = gradient_flow.view(result).flows, result.values()
    found = measures(trace.layers[-1][0], experiment.batch_size)
    assert found.reach_log10 == flow.reach_log10
    assert found.reach_status == flow.reach_status
    assert found.final_log10 == pytest.approx(flow.state.log10[1], rel=1e-12)


@pytest.mark.parametrize("model", ["rnn", "lstm", "gru"])
def test_points_with_all_their_digits_have_none(model: str) -> None:
    found = gradient_flow.view(run(Experiment((model,), seq_len=12, gain=3.0, layers=2)))
    assert not (found.flows[0].state.status == Status.LOST).any()
    assert "about" not in found.verdict[0]


def test_every_layer_of_a_single_precision_run_is_drawn_with_true_slopes() -> None:
    """In float32 nothing is left at step 1 of layer 1, as of layer 2; in truth there is."""
    e = Experiment(("rnn",), gain=9.0, init="identity", input_scale=4.0, layers=2, hidden_size=2,
                   seq_len=12, batch_size=2)  # fmt: skip
    narrow, wide = (
        gradient_flow.view(run(replace(e, dtype=dtype)), gradient_flow.Choices(layer=layer))
        for dtype, layer in (("float32", "1"), ("float64", "1"))
    )
    assert narrow.flows[0].reach_log10 == pytest.approx(wide.flows[0].reach_log10, abs=0.1)
    behind = gradient_flow.view(run(replace(e, dtype="float32"))).behind
    assert behind[0].reach_log10 == pytest.approx(wide.flows[0].reach_log10, abs=0.1)
