"""What is wrong with a run's gradients: networks whose fault is known by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz.__main__ import main
from rnnviz.core import LSTM, RNN
from rnnviz.core.network import Network, run_network
from rnnviz.core.truncation import truncated_backward
from rnnviz.diagnosis import Report, diagnose, diagnose_passages
from rnnviz.experiment import Experiment, Run
from rnnviz.experiment.runs import start
from rnnviz.experiment.weights import Weights
from rnnviz.experiment.weights import save as save_weights
from rnnviz.models import load, read_data, run_of
from rnnviz.models.diagnosis import clipped
from rnnviz.models.diagnosis.finding import OF_ALL
from rnnviz.models.saved_runs import read_passages, save_passages
from rnnviz.tasks.batch import Batch, lengths_mask
from rnnviz.wording.diagnosis import finding_words
from rnnviz.wording.texts import speak_in
from tests.models.golden import FOLDER
from tests.models.test_layouts import CASES, X


def kinds(report: Report) -> list[str]:
    return [one.kind for one in report.findings]


def linear(factor: float, steps: int, every: bool = False, dtype: type = np.float64) -> Run:
    """h_t = factor · h_{t−1} + x_t, whose last error is factor^k after k steps back."""
    network = Network((RNN(1, 1, activation="identity"),), 1)
    values = {"W_xh": 1.0, "W_hh": factor, "b_h": 0.0, "W_hy": 1.0, "b_y": 0.0}
    shapes = network.param_shapes()
    params = {n: np.full(s, values[n.rpartition(".")[2]], dtype) for n, s in shapes.items()}
    return made(network, params, steps, every)


def made(network: Network, params: dict[str, Any], steps: int, every: bool = False) -> Run:
    """A run of zeros but for the first input, its loss y_T, or the sum of all y."""
    lengths = np.array([steps])
    x = np.zeros((steps, network.cells[0].input_size, 1))
    x[0] = 1
    mask = lengths_mask(lengths, steps, "every" if every else "last").astype(float)
    batch = Batch(x, np.ones((steps, 1, 1)), mask, "projection", x.shape[1], 1, lengths)
    label = type(network.cells[0]).__name__.lower()
    label += ":activation=identity" * (label == "rnn")
    return Run({label: run_network(network, params, batch)}, batch)


@pytest.mark.parametrize("every", [False, True])
def test_an_error_that_vanishes_before_the_lag(every: bool) -> None:
    """0.5^11 > 1/4,000 > 0.5^12. Also where new errors enter at every step and hide it."""
    made_run = linear(0.5, 40, every)
    report = diagnose(made_run, lag=12)
    first = report.findings[0]
    assert first.kind == "vanishing"
    assert first.number == pytest.approx(12 * math.log10(0.5), rel=1e-12)
    assert report.serious
    assert [one.number for one in report.findings if one.kind == "refilled"] == [40] * every
    assert not diagnose(made_run, lag=11).serious
    assert "Nothing is wrong with the gradient over 11 steps" in str(diagnose(made_run, lag=11))


@pytest.mark.parametrize("lengths", [[40, 9], [20]])
def test_sequences_are_counted_from_their_own_ends(lengths: list[int]) -> None:
    """What is left after as many steps back is the same, wherever they end."""
    network = Network((RNN(1, 1, activation="identity"),), 1)
    whole = linear(0.5, 40)
    (label,) = whole
    ends, shape = np.array(lengths), (40, 1, len(lengths))
    mask = lengths_mask(ends, 40, "last").astype(float)
    batch = Batch(np.zeros(shape), np.ones(shape), mask, "projection", 1, 1, ends)
    padded = Run({label: run_network(network, whole[label].params, batch)}, batch)
    (found,) = (one for one in diagnose(padded, lag=12).findings if one.kind == "vanishing")
    assert found.number == pytest.approx(12 * math.log10(0.5), rel=1e-12)
    assert not diagnose(padded, lag=8).serious


def test_without_a_lag_the_horizon_is_said() -> None:
    """0.9^9 > 1/e > 0.9^10; neither that it vanishes too soon nor that nothing is wrong."""
    report = diagnose(linear(0.9, 100))
    first = report.findings[0]
    assert (first.kind, first.number) == ("horizon", 10)
    assert not report.serious
    assert "Nothing is wrong" not in str(report)
    assert "vanishes" not in str(report)
    beyond = diagnose(linear(0.999, 100)).findings[0]
    assert (beyond.kind, beyond.number) == ("horizon_beyond", 99)


def test_an_error_that_explodes_and_where() -> None:
    report = diagnose(linear(1.25, 61), lag=60)
    (found,) = report.findings
    assert (found.kind, found.values["lag"]) == ("exploding", 60)
    assert found.number == pytest.approx(60 * math.log10(1.25), rel=1e-12)
    assert found.values["factor"] == pytest.approx(1.25)
    assert diagnose(linear(1.06, 61), lag=60).findings == ()  # ×33


def test_closed_memory_gates_are_the_likely_cause() -> None:
    """f = 1/2 forgets half in one step: that enough is left of 50 steps takes four."""
    network = Network((LSTM(1, 1),), 1)
    params = {name: np.zeros(shape) for name, shape in network.param_shapes().items()}
    params["W_hy"] += 1
    params["0.forward.b_h"] += [3, 0, 0, 3]
    report = diagnose(made(network, params, 60), lag=50)
    assert kinds(report)[:2] == ["vanishing", "closed_memory"]
    closed = report.findings[1]
    assert closed.number == pytest.approx(1)
    assert closed.threshold == pytest.approx(50 * math.log10(2) / 3.6)
    assert closed.sure == "likely"
    bias = -math.log(2 ** (1 / 50) - 1)
    assert f"rnn.bias_ih_l0[H:2 * H] = {bias:.1f}" in closed.change
    params["0.forward.b_h"][1] = bias
    assert not diagnose(made(network, params, 60), lag=50).serious


def test_gates_that_are_open_enough_are_not_the_cause() -> None:
    """What is read is forgotten; the other unit keeps half over ten steps."""
    network = Network((LSTM(1, 2),), 1)
    params = {name: np.zeros(shape) for name, shape in network.param_shapes().items()}
    params["W_hy"][0, 0] = 1
    params["0.forward.b_h"][3] = -math.log(2 ** (1 / 10) - 1)
    report = diagnose(made(network, params, 60), lag=50)
    assert "vanishing" in kinds(report)
    assert "closed_memory" not in kinds(report)


@pytest.mark.parametrize("every", [False, True])
def test_a_gradient_that_lives_in_the_last_steps(every: bool) -> None:
    """h stays at 1, so that the parts of ∂ℓ/∂W_hh fall by half a step: 7 steps are 99 %. Also
    where a loss at every step gives the early steps gradients of their own."""
    params = {"weight_ih": [[1.0]], "weight_hh": [[0.5]], "bias_ih": [0.0]}
    model = load({n: np.array(v) for n, v in params.items()}, cell="rnn", activation="relu",
                 readout=(np.ones((1, 1)), np.zeros(1)))  # fmt: skip
    x = np.full((40, 1, 1), 0.5)
    data = read_data(x, layout="tdb", h0=np.ones((1, 1, 1)), d_output=np.ones((40, 1, 1)))
    if not every:
        last = np.zeros((40, 1, 1))
        last[-1] = 1
        data = read_data(x, layout="tdb", h0=np.ones((1, 1, 1)), d_output=last)
    report = diagnose(run_of(model, data), lag=20)
    (found,) = (one for one in report.findings if one.kind == "recent_only")
    assert found.number == 7
    assert "healthy" not in finding_words(found).sentence


@pytest.mark.parametrize(
    ("dtype", "lag", "expected"),
    [
        (np.float64, None, [("float32", 150), ("bfloat16", 134), ("float16", 25)]),
        (np.float32, None, [("float32", 150), ("bfloat16", 134), ("float16", 25)]),
        (np.float32, 140, [("bfloat16", 134), ("float16", 25)]),
        (np.float32, 150, [("float32", 150), ("bfloat16", 134), ("float16", 25)]),
        (np.float64, 20, []),
    ],
)
def test_formats_that_would_hold_zero(
    dtype: type, lag: int | None, expected: list[tuple[str, int]]
) -> None:
    """C5, A3: 2^−150 rounds to 0 in float32, 2^−25 in float16, 2^−134 in bfloat16."""
    report = diagnose(linear(0.5, 200, dtype=dtype), lag=lag)
    found = [one for one in report.findings if one.kind == "precision"]
    assert {(one.values["format"], one.values["back"]) for one in found} == set(expected)
    own = [one for one in found if one.serious]
    assert [one.values["format"] for one in own] == ["float32"] * (
        dtype is np.float32 and lag == 150
    )
    assert all(one.change == "model.double()" for one in own)


@pytest.mark.parametrize(("ends", "masked"), [(5, False), (5, True), (19, True), (20, False)])
@pytest.mark.parametrize("lag", [None, 3])
def test_an_error_that_is_too_small_at_once_is_lost_no_steps_back(
    ends: int, masked: bool, lag: int | None
) -> None:
    """2^−30 is 0 in float16 at the loss's own step, however many steps come after it."""
    whole = linear(0.5, 20)
    ((label, trace),) = whole.items()
    params = {**trace.params, "W_hy": np.full((1, 1), 2.0**-30)}
    lengths = np.array([20 if masked else ends])
    mask = np.zeros((20, 1))
    mask[ends - 1] = 1
    batch = replace(whole.batch, mask=mask, lengths=lengths)
    report = diagnose(Run({label: run_network(trace.network, params, batch)}, batch), lag=lag)
    (found,) = (one for one in report.findings if one.kind == "precision")
    assert (found.values["format"], found.values["back"], found.number) == ("float16", 0, ends)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_where_the_widest_format_holds_zero_no_other_is_proposed(dtype: type) -> None:
    """2^−1075 rounds to 0 in float64; a narrower one would be 0 sooner."""
    report = diagnose(linear(0.5, 1200, dtype=dtype), lag=1150)
    changes = {one.values["format"]: one.change for one in report.findings
               if one.kind == "precision" and one.serious}  # fmt: skip
    assert changes == {np.dtype(dtype).name: ""}


def test_half_precision_weights_are_read_and_diagnosed() -> None:
    """C5: float16 arrays are widened, said, and what float16 itself would hold is said."""
    names = {"weight_ih": [[0.0]], "weight_hh": [[0.5]], "bias_ih": [0.0], "bias_hh": [0.0]}
    half = {name: np.array(value, np.float16) for name, value in names.items()}
    model = load(half, cell="rnn", readout=False)
    assert any("float16 is widened to float32" in note for note in model.notes)
    data = read_data(np.zeros((200, 1, 1)), layout="tdb", d_h=np.ones((1, 1, 1)))
    report = diagnose(run_of(model, data), lag=100, notes=model.notes)
    (found,) = (one for one in report.findings if one.values.get("format") == "float16")
    assert found.number == 175  # exactly 0 at the steps 1 to 175
    assert "float16 is widened to float32" in str(report)


def test_notes_are_said_in_the_language_of_the_report(tmp_path: Path) -> None:
    note = "encoder: outputs differ from PyTorch's, in float32, by at most 6.0e-08"
    report, page = diagnose(linear(0.5, 10), lag=5, notes=(note,)), tmp_path / "report.html"
    assert note in str(report)

    def all_said() -> list[str]:
        report.html(page)
        return [str(report), report._repr_html_(), page.read_text("utf-8")]

    said = "encoder：输出与 PyTorch 的（float32）至多相差 6.0e-08"
    assert all(said in text for text in speak_in("zh", all_said))


def test_what_is_not_finite_is_named_by_place() -> None:
    broken = linear(0.5, 10)
    (label,) = broken
    trace = broken[label]
    params = {**trace.params, "0.forward.W_hh": np.array([[np.nan]])}
    (found,) = diagnose(made(trace.network, params, 10), lag=5).findings
    assert (found.kind, found.values["name"], found.values["where"]) == (
        "not_finite", "W_hh", "[0, 0]")  # fmt: skip
    (found,) = diagnose(linear(1e200, 10), lag=5).findings
    assert (found.kind, found.values["name"], found.values["step"]) == ("overflow", "h", 3)


def test_a_loss_that_sends_back_nan_is_named_by_unit_and_step() -> None:
    (one,) = read_passages(FOLDER / "watched_packed.npz").values()
    d_output = one.parts[0].d_output.copy()
    d_output[1, 2, 3] = np.inf
    broken = replace(one, parts=(replace(one.parts[0], d_output=d_output),))
    (found,) = diagnose_passages({"encoder": broken}).findings
    assert found.kind == "gradient_not_finite"
    assert (found.layer, found.direction) == (1, 0)
    assert {n: found.values[n] for n in ("step", "unit", "sequence")} == {
        "step": 2, "unit": 2, "sequence": 3}  # fmt: skip


@pytest.mark.parametrize("name", ["x", "weight_hh_l0", "h0"])
def test_what_goes_into_a_watched_module_is_named_by_its_own_name(name: str) -> None:
    (one,) = read_passages(FOLDER / "watched_packed.npz").values()
    part = one.parts[0]
    h0 = np.zeros((4, 4, 4))
    bad = {"x": part.x, "h0": h0, **part.weights}[name].copy()
    bad.flat[0] = np.nan
    changed = {"weights": {**part.weights, name: bad}} if name in part.weights else {name: bad}
    broken = replace(one, parts=(replace(part, **changed),))
    report = diagnose_passages({"encoder.rnn": broken})
    (found,) = report.findings
    assert (found.kind, found.label, found.values["name"]) == ("not_finite", "encoder.rnn", name)
    assert f"{name} is not a finite number: NaN at [0, 0" in str(report)


@pytest.mark.parametrize("lag", [None, 2, 50])
def test_of_one_of_several_calls_nothing_is_said_that_the_whole_sequence_decides(
    lag: int | None, tmp_path: Path
) -> None:
    (one,) = read_passages(FOLDER / "watched_packed.npz").values()
    save_passages({"decoder": replace(one, calls=7)}, tmp_path / "run.npz")
    report = diagnose_passages(read_passages(tmp_path / "run.npz"), lag)
    assert kinds(report)[0] == "apart"
    assert not OF_ALL & set(kinds(report))
    assert "The module ran 7 times in one backward pass" in str(report)
    assert "Nothing is wrong" not in str(report)
    assert OF_ALL & set(kinds(diagnose_passages({"decoder": one}, 50)))


def test_a_module_that_does_not_run_as_others_is_named_and_the_rest_diagnosed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (good,) = read_passages(FOLDER / "watched_packed.npz").values()
    output = good.parts[0].output + 1
    bad = replace(good, parts=(replace(good.parts[0], output=output),))
    path, page = tmp_path / "run.npz", tmp_path / "report.html"
    save_passages({"bad": bad, "good": good}, path)
    status = main(["diagnose", str(path), "--lag", "50", "--html", str(page)])
    found = capsys.readouterr().out
    assert status == 1
    assert "good: 1 serious" in found
    assert "bad: the module must compute what PyTorch's own does" in found
    assert "the module must compute" in page.read_text("utf-8")
    save_passages({"bad": bad}, path)
    with pytest.raises(SystemExit) as stopped:
        main(["diagnose", str(path)])
    assert stopped.value.code == 2
    assert "bad: the module must compute" in capsys.readouterr().err


def test_sequences_and_windows_that_do_not_hold_the_lag() -> None:
    report = diagnose(linear(1.0, 20), lag=20)
    (found,) = report.findings
    assert (found.kind, found.number, found.serious) == ("too_short", 19, True)
    assert diagnose(linear(1.0, 21), lag=20).findings == ()
    whole = linear(1.0, 60)
    (label,) = whole
    trace = whole[label]
    cut = truncated_backward(trace.trace.record, trace.trace.d_h_direct, window=10)
    windowed = Run({label: replace(trace, layers=((cut,),))}, whole.batch)
    (found,) = diagnose(windowed, lag=20).findings
    assert (found.kind, found.number) == ("truncated", 9)


def test_a_loss_that_stands_too_early_is_not_helped_by_longer_sequences() -> None:
    whole = linear(1.0, 100)
    (label,) = whole
    mask = np.zeros((100, 1))
    mask[19] = 1
    early = replace(whole.batch, mask=mask)
    run = Run({label: run_network(whole[label].network, whole[label].params, early)}, early)
    (found,) = diagnose(run, lag=30).findings
    assert (found.kind, found.number, found.serious, found.change) == ("too_short", 19, True, "")
    said = finding_words(found).sentence
    assert "the last one is 19 steps after the first step, though sequences have 100" in said
    assert diagnose(run, lag=19).findings == ()
    (short,) = diagnose(run, lag=100).findings
    assert "The sequences are too short" in finding_words(short).sentence
    assert short.change == "window = 101"


@pytest.mark.parametrize("loss", ["squared_error", "softmax_cross_entropy"])
def test_a_loss_at_its_minimum_sends_nothing_back_and_is_not_serious(loss: str) -> None:
    weights, data = readout_of(2000.0 * np.array([[1.0], [-1.0]])), np.ones((20, 1, 4))
    model = load(weights, "pytorch")
    (trace,) = run_of(model, read_data(data, layout="tdb")).values()
    target = trace.y[-1] if loss == "squared_error" else trace.y[-1].argmax(0)
    report = diagnose(run_of(model, read_data(data, layout="tdb", target=target)), lag=5)
    assert (kinds(report), report.serious) == (["exact_fit"], False)
    assert "The loss is at its minimum, 0: " in str(report)
    assert "Nothing is wrong" not in str(report)
    off = 1 - target if loss == "softmax_cross_entropy" else target + 1
    assert "exact_fit" not in kinds(
        diagnose(run_of(model, read_data(data, layout="tdb", target=off)), lag=5)
    )


def readout_of(W: Any) -> dict[str, Any]:
    """An RNN of one unit with a readout."""
    names = {"weight_ih_l0": [[1.0]], "weight_hh_l0": [[0.5]], "bias_ih_l0": [0.0]}
    weights = {name: np.array(value) for name, value in names.items()}
    return {**weights, "fc.weight": W, "fc.bias": np.zeros(len(W))}


def test_of_a_watched_loss_it_is_not_known_why_nothing_comes_back() -> None:
    (one,) = read_passages(FOLDER / "watched_cells.npz").values()
    zeros = {n: np.zeros_like(a) for n, a in one.parts[0].arrays.items() if n.startswith("d_")}
    report = diagnose_passages({"cell": replace(one, parts=(replace(one.parts[0], **zeros),))})
    assert kinds(report) == ["no_gradient"]
    assert "depends on this network, or the loss is at its minimum" in str(report)
    masked = linear(0.5, 10)
    (label,) = masked
    batch = replace(masked.batch, mask=np.zeros((10, 1)), loss="squared_error")
    run = Run({label: run_network(masked[label].network, masked[label].params, batch)}, batch)
    (found,) = diagnose(run).findings
    assert (found.kind, found.serious) == ("no_gradient", True)
    assert finding_words(found).sentence.endswith("nothing of the loss depends on this network.")


def test_no_gradient_at_all() -> None:
    empty = linear(0.5, 10)
    (label,) = empty
    network, params = empty[label].network, {**empty[label].params, "W_hy": np.zeros((1, 1))}
    assert kinds(diagnose(made(network, params, 10), lag=5)) == ["no_gradient"]


def test_dead_and_saturated_units() -> None:
    network = Network((RNN(1, 4, activation="relu"),), 1)
    params = {name: np.zeros(shape) for name, shape in network.param_shapes().items()}
    params["W_hy"] += 1
    params["0.forward.b_h"] += [1, -1, -1, -1]
    (dead,) = (one for one in diagnose(made(network, params, 10)).findings if one.kind == "dead")
    assert (dead.number, dead.serious) == (0.75, False)
    network = Network((LSTM(1, 4),), 1)
    params = {name: np.zeros(shape) for name, shape in network.param_shapes().items()}
    params["W_hy"] += 1
    params["0.forward.b_h"] += np.repeat([-5, -5, 1, -5], 4)
    params["0.forward.b_h"][0] = 0  # one unit of i is free
    found = diagnose(made(network, params, 10)).findings
    stuck = {one.values["gate"]: one.number for one in found if one.kind == "saturated"}
    assert stuck == {"o": 1}


def padded_run(ends: list[int], filler: Any, declared: bool = False) -> Run:
    """Sequences of 12 steps that end in a filler from some step on."""
    network = Network((RNN(1, 2),), 1)
    params = network.init_params(np.random.default_rng(0))
    x = np.random.default_rng(1).standard_normal((12, 1, len(ends)))
    for b, end in enumerate(ends):
        x[end:, :, b] = filler[b] if isinstance(filler, list) else filler
    lengths = np.array(ends) if declared else np.full(len(ends), 12)
    mask = lengths_mask(lengths, 12, "last").astype(float)
    batch = Batch(x, np.ones((12, 1, len(ends))), mask, "projection", 1, 1, lengths)
    return Run({"rnn": run_network(network, params, batch)}, batch)


@pytest.mark.parametrize("filler", [0.0, 0.7])
@pytest.mark.parametrize(
    ("ends", "share"),
    [([3, 9, 12, 12], 0.5), ([3, 9, 10, 12], 0.75), ([3, 11, 12, 12], 0), ([6, 6, 6, 6], 0)],
)
def test_padding_that_reaches_the_loss(ends: list[int], share: float, filler: float) -> None:
    """Where all sequences end alike it is the task that has nothing more to say."""
    found = [one for one in diagnose(padded_run(ends, filler)).findings if one.kind == "padded"]
    assert [one.number for one in found] == ([share] if share else [])
    if share:
        mean = np.mean([12 - end for end in ends if end < 11])
        assert found[0].values["steps"] == pytest.approx(mean)
    assert all("new module" not in finding_words(one).definition for one in found)


def test_padding_that_begins_at_one_step_is_defined_as_what_was_found() -> None:
    """Three sequences of six steps and one of twelve: all padding begins at the same step."""
    (found,) = (
        one for one in diagnose(padded_run([6, 6, 6, 12], 0.0)).findings if one.kind == "padded"
    )
    assert found.number == 0.75
    definition = finding_words(found).definition
    assert "from different steps" not in definition
    assert "not all sequences end in equally many" in definition


@pytest.mark.parametrize(("readout", "serious"), [("", True), ("aligned", True), ("final", False)])
def test_what_padding_leaves_is_said_of_the_direction_that_goes_through_it(
    readout: str, serious: bool
) -> None:
    """0.3^9 over nine steps. The other direction reads the padding first: a loss at the last step
    sees nothing else of it, one that reads what it has read last needs no other way."""
    network = Network((RNN(1, 1, activation="identity"),), 1, bool(readout), readout or "aligned")
    values = {"W_xh": 1.0, "W_hh": 0.3, "b_h": 0.0, "W_hy": 1.0, "b_y": 0.0}
    shapes = network.param_shapes()
    params = {n: np.full(s, values[n.rpartition(".")[2]]) for n, s in shapes.items()}
    ends, x = np.array([3, 3, 4, 12]), np.random.default_rng(1).standard_normal((12, 1, 4))
    x *= (np.arange(12)[:, None] < ends)[:, None]
    lengths = np.full(4, 12)
    mask = lengths_mask(lengths, 12, "last").astype(float)
    batch = Batch(x, np.ones((12, 1, 4)), mask, "projection", 1, 1, lengths)
    report = diagnose(Run({"rnn": run_network(network, params, batch)}, batch))
    (found,) = (one for one in report.findings if one.kind == "padded")
    assert found.values["log10"] == pytest.approx(9 * math.log10(0.3))
    assert found.serious == serious


def test_what_is_declared_and_what_differs_is_no_padding_that_reaches_the_loss() -> None:
    for run in (
        padded_run([3, 9, 12], 0.0, declared=True),
        padded_run([3, 9, 10], [0.1, 0.2, 0.3]),
    ):
        assert "padded" not in kinds(diagnose(run))


def test_clipping_that_acts_on_most_steps() -> None:
    found = clipped([2.0, 3.0, 0.5, 4.0], 1.0, "model")
    assert found is not None
    assert (found.number, found.values["median"], found.values["count"]) == (2.5, 2.5, 4)
    assert found.values["acts"] == 75
    assert "Clipping at 1 acts on 75 % of the last 4 backward passes" in str(finding_words(found))
    some = clipped([2.0, 3.0, 0.5, 4.0], 1.0, "model", passes=9)
    assert "acts on 75 % of 4 of the last 9 backward passes" in str(finding_words(some))
    rare = replace(found, values={**found.values, "acts": 99.96, "count": 2500})
    assert "acts on over 99 % of the last" in str(finding_words(rare))
    assert clipped([1.9, 1.9, 9.0], 1.0, "model") is None
    assert clipped([2.0, 3.0, 0.5, 4.0], 1.0, "model", adaptive=True) is None
    assert clipped([], 1.0, "model") is None
    with pytest.raises(ValueError, match="clip must be"):
        clipped([1.0], 0.0, "model")


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_of_clipping_nothing_is_said_of_passes_that_are_not_finite(bad: float) -> None:
    assert clipped([bad, bad], 1.0, "model") is None
    assert clipped([bad, 1.5, bad], 1.0, "model") is None
    found = clipped([bad, 3.0, bad], 1.0, "model")
    assert found is not None
    assert (found.number, found.values["count"], found.values["acts"]) == (3.0, 1, 100)


def test_of_a_stack_the_layer_that_keeps_most_counts() -> None:
    cell = RNN(1, 1, activation="identity")
    network = Network((cell, cell), 1)
    params = {name: np.ones(shape) for name, shape in network.param_shapes().items()}
    for factors in ((0.5, 0.99), (0.99, 0.5)):
        for layer, factor in enumerate(factors):
            params[f"{layer}.forward.W_hh"] = np.full((1, 1), factor)
        assert not diagnose(made(network, params, 40), lag=30).serious


@pytest.mark.parametrize("lag", [0, -1, 1.5])
def test_a_wrong_lag_is_named(lag: Any) -> None:
    with pytest.raises(ValueError, match=f"lag must be .*got {lag}"):
        diagnose(linear(0.5, 10), lag=lag)


@pytest.mark.parametrize("name", CASES)
def test_weights_of_every_framework_are_diagnosed_alike(name: str) -> None:
    """C1: whatever stored them."""
    source, options, _, _ = CASES[name]
    data = read_data(X, layout="tdb")
    report = diagnose(run_of(load(source, **options), data), lag=2)
    assert len(report.labels) == 1
    assert "lag 2" in str(report)


def test_a_report_shows_itself_and_is_written(tmp_path: Path) -> None:
    report = diagnose(linear(0.5, 40), lag=30)
    html = report._repr_html_()
    written = tmp_path / "report.json"
    report.json(written)
    content = json.loads(written.read_text("utf-8"))
    assert (content["lag"], content["serious"]) == (30, True)
    assert len(content["findings"]) == len(report.findings)
    for one, found in zip(report.findings, content["findings"], strict=True):
        words = finding_words(one)
        assert words.sentence in str(report)
        assert words.sentence == found["sentence"]
        assert found["number"] == pytest.approx(one.number)
        assert "[[" not in "".join(words)
        assert html.count("<li>") == len(report.findings)
    assert report.scalars()["rnn:activation=identity/vanishing"] == report.findings[0].number


@pytest.mark.parametrize("lag", [np.int64(30), np.uint8(30)])
def test_a_lag_of_numpys_is_written_as_any_other(tmp_path: Path, lag: Any) -> None:
    report = diagnose(linear(0.5, 40), lag=lag)
    ((name, one),) = read_passages(FOLDER / "watched_cells.npz").items()
    clip = clipped([2.0, 3.0], np.float32(0.5), "model")
    assert clip is not None
    watched = diagnose_passages({name: one}, lag=lag, more=(clip,))
    for each in (report, watched):
        each.json(tmp_path / "report.json")
        assert json.loads((tmp_path / "report.json").read_text("utf-8"))["lag"] == 30
    assert report == diagnose(linear(0.5, 40), lag=30)


def weights_file(folder: Path, bias: float) -> Path:
    """An LSTM as PyTorch names it, with a readout."""
    rng, H = np.random.default_rng(0), 8
    shapes = {"weight_ih_l0": (4 * H, 2), "weight_hh_l0": (4 * H, H), "bias_ih_l0": (4 * H,)}
    arrays = {f"rnn.{n}": rng.uniform(-1, 1, s) / np.sqrt(H) for n, s in shapes.items()}
    arrays["rnn.bias_ih_l0"][H : 2 * H] += bias
    arrays |= {"fc.weight": rng.standard_normal((1, H)), "fc.bias": np.zeros(1)}
    np.savez(folder / "weights.npz", **arrays)
    return folder / "weights.npz"


@pytest.mark.parametrize(("bias", "status"), [(0.0, 1), (5.0, 0)])
def test_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], bias: float, status: int
) -> None:
    """C2: a user's weights and data; the exit status says whether something is seriously wrong."""
    rng = np.random.default_rng(1)
    np.savez(tmp_path / "batch.npz", x=rng.standard_normal((4, 60, 2)),
             target=rng.standard_normal((4, 1)))  # fmt: skip
    weights, out = weights_file(tmp_path, bias), tmp_path / "report.json"
    asked = ["diagnose", str(weights), "--data", str(tmp_path / "batch.npz"), "--layout", "btd"]
    assert main([*asked, "--lag", "50", "--json", str(out)]) == status
    said = capsys.readouterr().out
    assert ("The error vanishes before the lag" in said) == (status == 1)
    assert ("Nothing is wrong with the gradient over 50 steps" in said) == (status == 0)
    assert "'fc' is read as the readout" in said
    assert json.loads(out.read_text("utf-8"))["serious"] == bool(status)
    assert main(asked) == 0  # without a lag nothing is seriously wrong


@pytest.mark.parametrize("option", ["--json", "--html"])
@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("weights.npz", "weights.npz must be another file: it is read from"),
        ("batch.npz", "batch.npz must be another file: it is read from"),
        ("no/such/x.out", "x.out cannot be written: there is no folder"),
        (".", "is a folder"),
    ],
)
def test_where_a_report_cannot_be_written_is_said_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, target: str, said: str
) -> None:
    weights, batch = weights_file(tmp_path, 0.0), tmp_path / "batch.npz"
    np.savez(batch, x=np.ones((4, 60, 2)))
    before = weights.read_bytes(), batch.read_bytes()
    asked = ["diagnose", str(weights), "--data", str(batch), "--layout", "btd"]
    with pytest.raises(SystemExit, match="2"):
        main([*asked, option, str(tmp_path / target)])
    written = capsys.readouterr()
    assert said in written.err
    assert written.out == ""
    assert (weights.read_bytes(), batch.read_bytes()) == before


def test_what_no_file_says_can_be_said_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gru = {"gru/gru_cell/kernel": np.ones((2, 9)), "gru/gru_cell/recurrent_kernel": np.ones((3, 9))}
    kernel = {"kernel": np.ones((5, 12))}
    for name, arrays, more, option in (
        ("gru", gru, [], ["--reset", "before"]),
        ("kernel", kernel, ["--framework", "tensorflow1"], ["--cell", "lstm"]),
    ):
        path = tmp_path / f"{name}.npz"
        np.savez(path, **arrays)
        with pytest.raises(SystemExit, match="2"):
            main(["diagnose", str(path), *more])
        assert f"{option[0][2:]} must be said of" in capsys.readouterr().err
        main(["diagnose", str(path), *more, *option])
        assert capsys.readouterr().out.startswith("gru:" if name == "gru" else "lstm:")
    with pytest.raises(SystemExit, match="2"):
        main(["diagnose", str(FOLDER / "watched_cells.npz"), "--reset", "after"])
    assert "reset must not be given for saved runs" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["framework", "prefix", "cell", "reset"])
def test_an_option_that_a_file_leaves_no_room_for_is_named_as_it_was_given(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file of rnnviz's own says all; and its framework is no layout of the data."""
    experiment = Experiment(("lstm",), seq_len=4, hidden_size=3)  # type: ignore[arg-type]
    save_weights(Weights("lstm", experiment, start(experiment)["lstm"][1]), tmp_path / "lstm.npz")
    value = {"framework": "keras", "prefix": "rnn", "cell": "lstm", "reset": "after"}[option]
    with pytest.raises(SystemExit, match="2"):
        main(["diagnose", str(tmp_path / "lstm.npz"), f"--{option}", value])
    said = f"error: {option} must be None for a file of rnnviz's own, which says it, got {value!r}"
    assert said in capsys.readouterr().err


def test_a_framework_that_has_other_names_is_named_as_an_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["diagnose", str(weights_file(tmp_path, 0.0)), "--framework", "keras"])
    assert "error: framework 'keras' must have arrays named " in capsys.readouterr().err


def test_arrays_of_no_framework_are_asked_for_by_the_name_of_the_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "what.npz", what=np.ones((2, 2)))
    with pytest.raises(SystemExit, match="2"):
        main(["diagnose", str(tmp_path / "what.npz")])
    assert "and framework= as one of these names" in capsys.readouterr().err


def test_a_layout_is_called_what_the_caller_calls_it() -> None:
    for name, value in (("gates of", "keras"), ("layout", "onnx")):
        with pytest.raises(ValueError, match=f"{name} '{value}' must have arrays named"):
            load({"what": np.ones((2, 2))}, value, layout_name=name)


def test_axes_without_data_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["diagnose", str(weights_file(tmp_path, 0.0)), "--layout", "btd"])
    assert "--layout must be given with --data FILE, whose axes it names" in capsys.readouterr().err


def test_a_table_with_a_nan_is_refused_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """C2."""
    table = tmp_path / "series.csv"
    table.write_text("a,b\n0.1,0.2\n0.3,nan\n")
    with pytest.raises(SystemExit, match="2"):
        main(["diagnose", str(weights_file(tmp_path, 0.0)), "--data", str(table)])
    assert "line 3, column 'b' must be a finite number, got 'nan'" in capsys.readouterr().err


def test_what_no_machine_has_memory_for_is_refused_before_anything_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "long.npz", lengths=np.array([10**9, 10**9]))
    data = str(tmp_path / "long.npz")
    with pytest.raises(SystemExit, match="2"):
        main(["diagnose", str(weights_file(tmp_path, 0.0)), "--data", data])
    said = capsys.readouterr().err
    assert "diagnosing 1,000,000,000 steps of 2 sequences needs " in said
    assert "MiB, the machine has " in said


def test_a_saved_run_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    saved = str(FOLDER / "watched_cells.npz")
    assert main(["diagnose", saved, "--lag", "5"]) == 0
    assert capsys.readouterr().out.startswith("model: 0 serious")
    with pytest.raises(SystemExit):
        main(["diagnose", saved, "--prefix", "rnn"])
    assert "prefix must not be given for saved runs" in capsys.readouterr().err


def test_changes_are_named_as_the_module_is() -> None:
    (one,) = read_passages(FOLDER / "watched_cells.npz").values()
    closed = {**one.parts[0].weights}
    closed["bias_ih"] = closed["bias_ih"] - np.repeat([0, 9, 0, 0], 4)
    weak = {**closed, "weight_hh": 0 * closed["weight_hh"]}
    part = replace(one.parts[0], weights=weak)
    h = diagnose_passages({"encoder.cell": replace(one, parts=(aligned(one, part),))}, lag=4)
    (first, *_) = h.findings
    assert first.kind == "vanishing"
    assert first.change.startswith("rnn = model.encoder.cell\nwith torch.no_grad():")
    assert "rnn.bias_ih[H:2 * H]" in first.change


def aligned(one: Any, part: Any) -> Any:
    """A part with the outputs that its weights give."""
    made_output = one._replayed(part).y
    return replace(part, output=made_output)


def test_a_file_in_which_nothing_was_seen_is_said_to_be_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_passages({}, tmp_path / "none.npz")
    with pytest.raises(SystemExit) as stopped:
        main(["diagnose", str(tmp_path / "none.npz"), "--lag", "3"])
    assert stopped.value.code == 2
    assert "it holds none: nothing was seen" in capsys.readouterr().err
