"""What is named as the cause, and the change that follows from it: networks built by hand."""

from __future__ import annotations

import math
import re
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rnnviz.core import GRU, LSTM, RNN, Cell
from rnnviz.core.network import Network, run_network
from rnnviz.core.truncation import truncated_backward
from rnnviz.diagnosis import Report, diagnose, diagnose_passages
from rnnviz.experiment import Run
from rnnviz.models import load, read_data, run_of
from rnnviz.models.brought import FromWeights, own_run
from rnnviz.models.diagnosis import Finding, clipped
from rnnviz.models.saved_runs import read_passages, save_passages
from rnnviz.wording.diagnosis import finding_words
from rnnviz.wording.texts import speak_in
from tests.models.golden import FOLDER
from tests.models.test_diagnosis import kinds, made

LAG = 50
CENTRE = "x = (x - x.mean((0, 1))) / x.std((0, 1)).clamp(min=1e-6)"


def plain(cell: Cell, bias: Any = 0.0) -> tuple[Network, dict[str, Any]]:
    """A network whose weights are 0 but for the readout, and the bias of its memory gate."""
    network = Network((cell,), 1)
    params = {name: np.zeros(shape) for name, shape in network.param_shapes().items()}
    params["W_hy"] += 1
    if cell.MEMORY_GATE is not None and cell.MEMORY_GATE in cell.trainable_gates:
        params["0.forward.b_h"][cell.gate_rows(cell.MEMORY_GATE)] = bias
    return network, params


def the(report: Report, kind: str) -> Finding:
    (found,) = (one for one in report.findings if one.kind == kind)
    return found


def sentence(finding: Finding) -> str:
    return finding_words(finding).sentence


@pytest.mark.parametrize("cell", [LSTM(1, 2), GRU(1, 2)])
def test_a_bias_that_was_left_at_0_keeps_half_for_one_step(cell: Cell) -> None:
    found = the(diagnose(made(*plain(cell), 60), lag=LAG), "biases")
    assert found.number == pytest.approx(1)
    assert found.threshold == pytest.approx(LAG * math.log10(2) / 3.6)
    assert (found.sure, found.serious) == ("likely", True)
    gate = cell.MEMORY_GATE
    assert f"The bias of the memory gate {gate} is 0 in every unit: by itself" in sentence(found)
    needed = -math.log(2 ** (1 / LAG) - 1)
    assert f"rnn.bias_ih_l0[H:2 * H] = {needed:.1f}" in found.change


def test_biases_that_differ_are_said_as_they_are_and_the_longest_counts() -> None:
    found = the(diagnose(made(*plain(LSTM(1, 2), [-1.0, 1.5]), 60), lag=LAG), "biases")
    assert found.number == pytest.approx(math.log(2) / math.log1p(math.exp(-1.5)))
    assert "is −1 to 1.5 in its units: by itself" in sentence(found)
    assert "bias_ih" in found.change


def test_of_two_layers_the_one_that_keeps_longest_is_said() -> None:
    network = Network((LSTM(1, 1), LSTM(1, 1)), 1)
    params = {name: np.ones(shape) for name, shape in network.param_shapes().items()}
    for layer, bias in enumerate((-1.0, -3.0)):
        params[f"{layer}.forward.b_h"] = np.array([0, bias, 0, 0])
        params[f"{layer}.forward.W_hh"] = np.zeros((4, 1))
    found = the(diagnose(made(network, params, 60), lag=LAG), "biases")
    assert (found.layer, found.values["high"]) == (0, -1)
    assert "rnn.bias_ih_l0[H:2 * H]" in found.change


def test_the_bias_is_the_sum_of_both() -> None:
    zeros = {name: np.zeros((4, 1)) for name in ("weight_ih", "weight_hh")}
    weights = {**zeros, "bias_ih": np.array([3.0, 9, 0, 3]), "bias_hh": np.array([0.0, -9, 0, 0])}
    model = load(weights, cell="lstm", readout=(np.ones((1, 1)), np.zeros(1)))
    report = diagnose(run_of(model, read_data(np.ones((60, 1, 1)), layout="tdb")), lag=LAG)
    assert "is 0 in every unit" in sentence(the(report, "biases"))


def test_a_gate_that_its_inputs_close_has_no_wrong_bias() -> None:
    network, params = plain(LSTM(1, 1))
    found = {}
    for bias in (9.0, -3.0):  # and the input turns the gate to −3 and to 9
        params["0.forward.b_h"] = np.array([3.0, bias, 0, 3])
        params["0.forward.W_xh"] = np.array([[0.0], [6 - 2 * bias], [0], [0]])
        found[bias] = kinds(diagnose(with_x(network, params, np.ones((60, 1, 1))), lag=LAG))
    assert "closed_memory" in found[9]
    assert "biases" not in found[9]
    assert not {"biases", "closed_memory", "vanishing"} & set(found[-3])


def with_x(network: Network, params: dict[str, Any], x: Any) -> Any:
    """As `made`, of these inputs."""
    like = made(network, params, len(x)).batch
    batch = replace(like, x=x)
    label = type(network.cells[0]).__name__.lower()
    return Run({label: run_network(network, params, batch)}, batch)


def test_without_a_lag_or_a_learned_bias_nothing_is_said_of_it() -> None:
    assert "biases" not in kinds(diagnose(made(*plain(LSTM(1, 2)), 60)))
    assert "biases" not in kinds(diagnose(made(*plain(LSTM(1, 2), 9.0), 60), lag=LAG))
    fixed = LSTM(1, 2, fixed=(("f", 0.5),))
    assert "biases" not in kinds(diagnose(made(*plain(fixed), 60), lag=LAG))
    assert "vanishing" in kinds(diagnose(made(*plain(fixed), 60), lag=LAG))


@pytest.mark.parametrize(
    ("W_xh", "W_hh", "b_h", "cause", "change"),
    [
        (5.0, 0.1, 0.0, "the input, W_xh x", CENTRE),
        (0.1, 5.0, 3.0, "the state, W_hh h", "torch.nn.init.orthogonal_(block)"),
        (0.1, 0.1, 5.0, "the bias", "    rnn.bias_ih_l0[:H] = 0"),
    ],
)
def test_what_holds_saturated_units(
    W_xh: float, W_hh: float, b_h: float, cause: str, change: str
) -> None:
    network, params = plain(RNN(1, 1))
    values = {"W_xh": W_xh, "W_hh": W_hh, "b_h": b_h}
    params |= {f"0.forward.{n}": np.full_like(params[f"0.forward.{n}"], v)
               for n, v in values.items()}  # fmt: skip
    found = the(diagnose(with_x(network, params, np.ones((60, 1, 1)))), "saturated")
    assert f"What holds them there most is {cause}." in sentence(found)
    assert change in found.change


@pytest.mark.parametrize(("dtype", "size"), [(np.float32, 1e30), (np.float64, 1e200)])
@pytest.mark.filterwarnings("error")
def test_what_holds_units_is_told_where_its_square_is_no_number(dtype: type, size: float) -> None:
    network, params = plain(LSTM(2, 3))
    rng = np.random.default_rng(0)
    drawn = {name: rng.uniform(-1, 1, p.shape) for name, p in params.items()}
    drawn["0.forward.W_xh"] *= size
    drawn["0.forward.b_h"] *= size**0.6
    params = {name: value.astype(dtype) for name, value in drawn.items()}
    x = rng.standard_normal((60, 2, 1)).astype(dtype)
    report = diagnose(with_x(network, params, x), lag=LAG)
    found = [one for one in report.findings if one.kind == "saturated"]
    assert found
    assert {one.values["cause"] for one in found} == {"input"}


@pytest.mark.parametrize(
    ("gate", "rows"), [("i", ":H"), ("g", "2 * H:3 * H"), ("o", "3 * H:4 * H")]
)
def test_the_bias_of_the_gate_that_is_held_is_named(gate: str, rows: str) -> None:
    network, params = plain(LSTM(1, 3), 9.0)
    params["0.forward.b_h"][network.cells[0].gate_rows(gate)] = -6
    report = diagnose(made(network, params, 60))
    found = next(f for f in report.findings if f.values.get("gate") == gate)
    assert f"rnn.bias_ih_l0[{rows}] = 0\n    rnn.bias_hh_l0[{rows}] = 0" in found.change


@pytest.mark.parametrize(("steps", "stuck"), [(58, True), (50, False)])
def test_units_that_are_at_an_end_at_most_steps_are_saturated(steps: int, stuck: bool) -> None:
    network, params = plain(RNN(1, 1))
    params["0.forward.W_xh"] += 9
    x = np.zeros((60, 1, 1))
    x[:steps] = 1
    assert ("saturated" in kinds(diagnose(with_x(network, params, x)))) is stuck


def held_by_input(layer: int, offset: float = 0.0, cell: type[Cell] = LSTM, gate: str = "g") -> Any:
    """Of two layers one has a gate whose weights of its input are far too large; the inputs
    are centred and scaled but for an offset."""
    network = Network((cell(3, 8), cell(8, 8)), 1)
    params = network.init_params(np.random.default_rng(0))
    params[f"{layer}.forward.W_xh"][network.cells[layer].gate_rows(gate)] *= 1e5
    x = np.random.default_rng(1).standard_normal((30, 3, 20))
    like = made(network, params, 30).batch
    x = (x - x.mean(axis=(0, 2), keepdims=True)) / x.std(axis=(0, 2), keepdims=True) + offset
    batch = replace(like, x=x, target=np.ones((30, 1, 20)), mask=np.ones((30, 20)),
                    lengths=np.full(20, 30))  # fmt: skip
    return Run({cell.__name__.lower(): run_network(network, params, batch)}, batch)


def begun_anew(run: Run, code: str) -> Run:
    """The run after the code of a change."""
    ((label, trace),) = run.items()
    values = {f"weight_ih_l{k}": trace.params[f"{k}.forward.W_xh"].copy() for k in range(2)}
    rng = np.random.default_rng(2)

    def xavier_uniform_(block: Any) -> None:
        block[...] = rng.uniform(-1, 1, block.shape) * np.sqrt(6 / sum(block.shape))

    nn = SimpleNamespace(init=SimpleNamespace(xavier_uniform_=xavier_uniform_))
    names = {"torch": SimpleNamespace(no_grad=nullcontext, nn=nn),
             "rnn": SimpleNamespace(hidden_size=8, **values)}  # fmt: skip
    exec(code, names)
    weights = {f"{k}.forward.W_xh": values[f"weight_ih_l{k}"] for k in range(2)}
    return Run({label: run_network(trace.network, trace.params | weights, run.batch)}, run.batch)


@pytest.mark.parametrize(("cell", "gate", "rows"), [(LSTM, "g", "2 * H:3 * H"), (RNN, "a", ":H")])
@pytest.mark.parametrize("layer", [0, 1])
def test_weights_of_an_input_that_need_no_centring_begin_anew(
    cell: type[Cell], gate: str, rows: str, layer: int
) -> None:
    run = held_by_input(layer, cell=cell, gate=gate)
    found = next(f for f in diagnose(run).findings if f.kind == "saturated" and f.layer == layer)
    assert found.values["cause"] == "input"
    weights = f"    torch.nn.init.xavier_uniform_(rnn.weight_ih_l{layer}[{rows}])"
    assert found.change == f"with torch.no_grad():\n    H = rnn.hidden_size\n{weights}"
    assert "saturated" not in kinds(diagnose(begun_anew(run, found.change)))


def test_inputs_that_are_far_off_are_centred_first_where_that_does_not_do() -> None:
    found = the(diagnose(held_by_input(0, offset=5.0)), "saturated")
    assert found.change.startswith(f"{CENTRE}\nwith torch.no_grad():")
    assert "torch.nn.init.xavier_uniform_(rnn.weight_ih_l0[2 * H:3 * H])" in found.change


def test_dead_relus_begin_anew_as_the_identity() -> None:
    network, params = plain(RNN(1, 2, activation="relu"))
    params["0.forward.b_h"] -= 3
    found = the(diagnose(made(network, params, 20)), "dead")
    assert found.values["cause"] == "bias"
    assert "torch.nn.init.eye_(rnn.weight_hh_l0)" in found.change
    shut = {**params, "0.forward.W_xh": np.full((2, 1), -9.0)}
    by_input = the(diagnose(with_x(network, shut, np.ones((20, 1, 1)))), "dead")
    assert by_input.change == CENTRE
    other = the(diagnose(made(network, params, 60), lag=LAG), "vanishing")
    assert other.change.startswith("rnn = torch.nn.LSTM(1, 2)")  # in which nothing is dead


def test_what_vanishes_in_units_that_are_held_asks_to_free_them_first() -> None:
    """A longer memory behind a shut output gate, or in front of an input that is not centred,
    would not help alone."""
    network, params = plain(LSTM(1, 2), -2.0)
    params["0.forward.b_h"][network.cells[0].gate_rows("o")] = -9
    found = the(diagnose(made(network, params, 60), lag=LAG), "vanishing")
    assert found.change.index("[3 * H:4 * H] = 0") < found.change.index("[H:2 * H] =")
    network, params = plain(RNN(1, 2))
    params["0.forward.W_xh"] += 9
    found = the(diagnose(with_x(network, params, np.ones((60, 1, 1))), lag=LAG), "vanishing")
    assert found.change.startswith(f"{CENTRE}\nrnn = torch.nn.LSTM(1, 2)")
    renewed = "an optimizer that you have made already must be given its parameters."
    assert finding_words(found).definition.endswith(renewed)
    kept = replace(found, change=CENTRE)
    assert renewed not in finding_words(kept).definition


def module(code: str) -> str:
    """The line that makes another module; "" for none."""
    return next((line for line in code.splitlines() if line.startswith("rnn = torch")), "")


def biases(code: str) -> set[str]:
    """The bias vectors that a change writes to."""
    return set(re.findall(r"rnn\.(bias_\w+)\[", code))


@pytest.mark.parametrize(
    ("layers", "both", "made_module", "ends"),
    [
        (1, False, "torch.nn.LSTM(3, 8)", ("_l0",)),
        (2, False, "torch.nn.LSTM(3, 8, num_layers=2)", ("_l0", "_l1")),
        (1, True, "torch.nn.LSTM(3, 8, bidirectional=True)", ("_l0", "_l0_reverse")),
        (2, True, "torch.nn.LSTM(3, 8, num_layers=2, bidirectional=True)",
         ("_l0", "_l0_reverse", "_l1", "_l1_reverse")),
    ],
)  # fmt: skip
def test_another_cell_has_all_layers_and_directions_of_the_one_before(
    layers: int, both: bool, made_module: str, ends: tuple[str, ...]
) -> None:
    cells = (RNN(3, 8), RNN(8 * (1 + both), 8))[:layers]
    network = Network(cells, 1, both)
    params = network.init_params(np.random.default_rng(0), gain=0.5)
    found = the(diagnose(made(network, params, 60), lag=LAG), "vanishing")
    assert module(found.change) == f"rnn = {made_module}"
    assert biases(found.change) == {f"bias_{part}{end}" for part in ("ih", "hh") for end in ends}


def test_of_layers_of_different_sizes_the_one_that_keeps_most_is_another_module() -> None:
    network = Network((RNN(3, 8), RNN(8, 4)), 1)
    params = network.init_params(np.random.default_rng(0), gain=0.5)
    found = the(diagnose(made(network, params, 60), lag=LAG), "vanishing")
    size = [(3, 8), (8, 4)][found.layer or 0]
    assert module(found.change) == f"rnn = torch.nn.LSTM{size}"
    assert biases(found.change) == {"bias_ih_l0", "bias_hh_l0"}


def test_of_layers_of_different_sizes_each_is_the_first_of_its_module() -> None:
    network = Network((LSTM(3, 8), LSTM(8, 4)), 1)
    params = network.init_params(np.random.default_rng(0), gain=0.5)
    params["0.forward.b_h"][24:] = -9  # what holds the first is not the second's
    params["1.forward.b_h"][4:8] = 1.0  # which keeps most
    report = diagnose(made(network, params, 60), lag=LAG)
    first, second = the(report, "saturated"), the(report, "closed_memory")
    assert (first.layer, second.layer) == (0, 1)
    for found in (first, second):
        assert set(re.findall(r"_l\d", found.change)) == {"_l0"}
    assert "[3 * H:4 * H]" in first.change
    assert "[3 * H:4 * H]" not in second.change


def without_biases(kind: str, layers: int = 1, both: bool = False) -> dict[str, Any]:
    """What a module with bias=False has."""
    rng, rows = np.random.default_rng(0), {"lstm": 32, "gru": 24}[kind]
    found = {}
    for k in range(layers):
        for end in ("", "_reverse")[: 1 + both]:
            D = 8 * (1 + both) if k else 3
            found[f"weight_ih_l{k}{end}"] = rng.uniform(-0.3, 0.3, (rows, D))
            found[f"weight_hh_l{k}{end}"] = rng.uniform(-0.3, 0.3, (rows, 8))
    return found


@pytest.mark.parametrize(
    ("kind", "layers", "both", "made_module"),
    [
        ("lstm", 1, False, "torch.nn.LSTM(3, 8, bias=True)"),
        ("gru", 2, False, "torch.nn.GRU(3, 8, num_layers=2, bias=True)"),
        ("lstm", 1, True, "torch.nn.LSTM(3, 8, bias=True, bidirectional=True)"),
    ],
)
def test_a_module_without_biases_is_to_have_some_before_they_are_set(
    kind: str, layers: int, both: bool, made_module: str
) -> None:
    model = load(without_biases(kind, layers, both), readout=False)
    data = read_data(np.ones((60, 3, 1)), layout="tdb")
    first = diagnose(run_of(model, data), lag=LAG).findings[0]
    brought = FromWeights(model, data)
    (same, *_) = brought.findings(own_run(brought), LAG)
    assert same.change == first.change
    assert first.kind == "vanishing"
    assert first.change.startswith(f"rnn = {made_module}\nwith torch.no_grad():")
    zeros = {n.replace("weight", "bias"): np.zeros(len(a))
             for n, a in without_biases(kind, layers, both).items()}  # fmt: skip
    has = load({**without_biases(kind, layers, both), **zeros}, readout=False)
    assert module(diagnose(run_of(has, data), lag=LAG).findings[0].change) == ""


@pytest.mark.parametrize(("kind", "gate"), [("lstm", "f"), ("gru", "z")])
def test_of_a_network_without_biases_none_is_named(kind: str, gate: str) -> None:
    small = {name: 0.1 * array for name, array in without_biases(kind).items()}
    data = read_data(np.ones((60, 3, 1)), layout="tdb")
    report = diagnose(run_of(load(small, readout=False), data), lag=LAG)
    assert sentence(the(report, "closed_memory")).endswith(
        "What keeps it closed most is that there is no bias."
    )
    assert sentence(the(report, "biases")).startswith(
        f"The memory gate {gate} has no bias, b = 0: by itself that keeps half for 1 step. Over 50"
    )
    said = speak_in("zh", lambda: [sentence(the(report, k)) for k in ("closed_memory", "biases")])
    assert said[0].endswith("使它关闭的主要是没有偏置。")
    assert f"记忆门 {gate} 没有偏置" in said[1]
    zeros = {f"bias_ih{name.removeprefix('weight_ih')}": np.zeros(len(array))
             for name, array in small.items() if "_ih" in name}  # fmt: skip
    report = diagnose(run_of(load({**small, **zeros}, readout=False), data), lag=LAG)
    assert sentence(the(report, "closed_memory")).endswith("What keeps it closed most is the bias.")
    assert "is 0 in every unit" in sentence(the(report, "biases"))


def test_what_a_kernel_adds_at_run_time_is_a_bias() -> None:
    model = load({"basic_lstm_cell/kernel": np.full((11, 32), 1e-3)}, readout=False)
    data = read_data(np.ones((60, 3, 1)), layout="tdb")
    report = diagnose(run_of(model, data), lag=LAG)
    assert model.unbiased
    assert "The bias of the memory gate f is 1 in every unit" in sentence(the(report, "biases"))
    assert sentence(the(report, "closed_memory")).endswith("What keeps it closed most is the bias.")


def test_a_watched_cell_is_replaced_by_a_cell_and_one_without_biases_gets_some() -> None:
    (one,) = read_passages(FOLDER / "watched_cells.npz").values()
    weights = {n: 0.1 * a for n, a in one.parts[0].weights.items() if "weight" in n}
    D, H = weights["weight_ih"].shape[1], weights["weight_hh"].shape[1]
    weights["weight_ih"][H : 2 * H] = -9  # shuts the gate
    found = {}
    for kind, rows in (("lstm", 4 * H), ("rnn", H)):
        part = replace(one.parts[0], weights={n: a[:rows] for n, a in weights.items()}, c0=None,
                       d_c=None, x=np.ones_like(one.parts[0].x))  # fmt: skip
        passage = replace(one, kind=kind, parts=(part,))
        passage = replace(passage, parts=(replace(part, output=passage.replayed(None, False).y),))
        found[kind] = diagnose_passages({"cell": passage}, lag=4).findings[0].change
    assert found["lstm"].startswith(f"rnn = model.cell = torch.nn.LSTMCell({D}, {H}, bias=True)")
    assert found["rnn"].startswith(f"rnn = model.cell = torch.nn.LSTMCell({D}, {H})\n")
    assert all(biases(code) == {"bias_ih", "bias_hh"} for code in found.values())


def forgetful(layers: int = 1) -> Any:
    """A watched nn.RNN that forgets, of some layers."""
    (one,) = read_passages(FOLDER / "watched_cells.npz").values()
    given = one.parts[0].weights
    D, H = given["weight_ih"].shape[1], given["weight_hh"].shape[1]
    weights = {}
    for k in range(layers):
        weights[f"weight_ih_l{k}"] = np.full((H, H if k else D), 0.1)
        weights[f"weight_hh_l{k}"] = np.zeros((H, H))
        weights[f"bias_ih_l{k}"] = weights[f"bias_hh_l{k}"] = np.zeros(H)
    part = replace(one.parts[0], weights=weights, c0=None, h0=None, d_c=None, d_h=None,
                   d_output=np.ones_like(one.parts[0].output))  # fmt: skip
    passage = replace(one, kind="rnn", activation="tanh", parts=(part,))
    return replace(passage, parts=(replace(part, output=passage.replayed(None, False).y),))


@pytest.mark.parametrize(
    ("name", "place"),
    [("encoder.rnn", "model.encoder.rnn"), ("", "model"), ("layers.0.rnn", "model.layers[0].rnn"),
     ("by name.a-b", "model['by name']['a-b']")],
)  # fmt: skip
def test_a_watched_module_is_replaced_where_it_stands_with_the_options_it_has(
    name: str, place: str, tmp_path: Path
) -> None:
    seen = {"as it is": forgetful(), "batch": replace(forgetful(), batch_first=True, dropout=0.5),
            "stack": replace(forgetful(2), batch_first=False, dropout=0.25)}  # fmt: skip
    save_passages(seen, tmp_path / "run.npz")
    read = read_passages(tmp_path / "run.npz")
    found = {key: diagnose_passages({name: one}, lag=4).findings[0] for key, one in read.items()}
    assert {one.kind for one in found.values()} == {"vanishing"}
    D, H = (forgetful().parts[0].weights[f"weight_{part}_l0"].shape[1] for part in ("ih", "hh"))
    options = {"as it is": "", "batch": ", batch_first=True",
               "stack": ", num_layers=2, dropout=0.25"}  # fmt: skip
    for key, one in found.items():
        made_module, *rest = one.change.splitlines()
        assert made_module == f"rnn = {place} = torch.nn.LSTM({D}, {H}{options[key]})"
        assert rest[0] == "with torch.no_grad():"


def test_inputs_are_centred_before_a_watched_module_is_replaced() -> None:
    one = forgetful()
    part = one.parts[0]
    weights = {**part.weights, "weight_ih_l0": 9 + part.weights["weight_ih_l0"]}
    held = replace(part, x=np.ones_like(part.x), weights=weights)
    passage = replace(one, parts=(held,))
    passage = replace(passage, parts=(replace(held, output=passage.replayed(None, False).y),))
    found = diagnose_passages({"rnn": passage}, lag=4).findings[0]
    assert found.change.startswith(f"{CENTRE}\nrnn = model.rnn = torch.nn.LSTM(")


@pytest.mark.parametrize("batch_first", [True, False, None])
def test_padding_is_declared_in_the_layout_of_the_watched_module(batch_first: bool | None) -> None:
    one = replace(forgetful(), batch_first=batch_first)
    x = np.random.default_rng(0).standard_normal(one.parts[0].x.shape)
    for b in range(x.shape[2]):
        x[-2 - b :, :, b] = 0
    part = replace(one.parts[0], x=x)
    passage = replace(one, parts=(part,))
    passage = replace(passage, parts=(replace(part, output=passage.replayed(None, False).y),))
    (found,) = (f for f in diagnose_passages({"rnn": passage}).findings if f.kind == "padded")
    assert found.change.startswith("packed = ")
    assert ("batch_first=True" in found.change) is (batch_first is not False)


def test_a_clip_that_always_acts_is_to_be_twice_the_usual_norm() -> None:
    found = clipped([20.0, 30.0, 50.0], 0.1, "model")
    assert found is not None
    assert found.change == "torch.nn.utils.clip_grad_norm_(model.parameters(), 60)"
    assert clipped([np.inf] * 3, 1.0, "model") is None


@pytest.mark.parametrize(("name", "repaired"), [("x", True), ("weight_hh_l0", False)])
def test_inputs_that_are_not_finite_can_be_repaired_weights_cannot(
    name: str, repaired: bool
) -> None:
    (one,) = read_passages(FOLDER / "watched_packed.npz").values()
    part = one.parts[0]
    bad = np.array(part.x if name == "x" else part.weights[name])
    bad.flat[0] = np.nan
    changed = {"x": bad} if name == "x" else {"weights": {**part.weights, name: bad}}
    broken = replace(one, parts=(replace(part, **changed),))
    (found,) = diagnose_passages({"rnn": broken}).findings
    assert found.change == ("x[~torch.isfinite(x)] = 0" if repaired else "")


@pytest.mark.parametrize(("bias", "serious"), [(-2.0, True), (9.0, False)])
def test_padding_is_serious_where_the_error_vanishes_over_it(bias: float, serious: bool) -> None:
    network, params = plain(LSTM(1, 2), bias)
    x = np.random.default_rng(0).standard_normal((40, 1, 4))
    for b, end in enumerate((10, 12, 14, 16)):
        x[end:, :, b] = 0
    like = made(network, params, 40).batch
    mask = np.zeros((40, 4))
    mask[-1] = 1
    batch = replace(like, x=x, target=np.ones((40, 1, 4)), mask=mask, lengths=np.full(4, 40))
    run = Run({"lstm": run_network(network, params, batch)}, batch)
    found = the(diagnose(run), "padded")
    assert found.serious is serious
    assert "Over as many steps" in sentence(found)


@pytest.mark.parametrize(("window", "serious"), [(10, True), (31, False)])
def test_a_window_is_serious_where_it_spans_less_than_most_of_the_lag(
    window: int, serious: bool
) -> None:
    whole = made(*plain(LSTM(1, 1), 9.0), 60)
    trace = whole["lstm"]
    cut = truncated_backward(trace.trace.record, trace.trace.d_h_direct, window)
    report = diagnose(Run({"lstm": replace(trace, layers=((cut,),))}, whole.batch), lag=LAG)
    found = the(report, "truncated")
    assert (found.number, found.serious) == (window - 1, serious)
    assert found.change == "window = 51"
    assert "Nothing is wrong" not in str(report)
    assert "Nothing is wrong" not in report._repr_html_()


def test_a_window_that_holds_the_lag_is_no_finding() -> None:
    whole = made(*plain(LSTM(1, 1), 9.0), 60)
    trace = whole["lstm"]
    cut = truncated_backward(trace.trace.record, trace.trace.d_h_direct, LAG + 1)
    report = diagnose(Run({"lstm": replace(trace, layers=((cut,),))}, whole.batch), lag=LAG)
    assert "truncated" not in kinds(report)
    assert "Nothing is wrong with the gradient over 50 steps" in str(report)


@pytest.mark.parametrize(
    ("W_xh", "W_hh", "cause"), [(-7.5, -8.0, "recurrent"), (-8.0, -7.5, "input")]
)
def test_what_pushes_the_other_way_holds_nothing(W_xh: float, W_hh: float, cause: str) -> None:
    """The largest part, a bias of 9, opens the gate that the two others together shut."""
    H = 4
    weights = {"weight_ih": np.zeros((4 * H, 1)), "weight_hh": np.zeros((4 * H, H)),
               "bias_ih": np.repeat([9.0, 9, 0, 9], H), "bias_hh": np.zeros(4 * H)}  # fmt: skip
    weights["weight_ih"][:H] = W_xh
    weights["weight_ih"][2 * H : 3 * H] = 3
    weights["weight_hh"][:H] = W_hh / H
    data = read_data(np.ones((40, 1, 1)), layout="tdb", h0=np.full((1, H, 1), 0.995),
                     c0=np.full((1, H, 1), 3.0))  # fmt: skip
    report = diagnose(run_of(load(weights, cell="lstm", readout=False), data))
    found = next(f for f in report.findings if f.values.get("gate") == "i")
    assert (found.kind, found.values["cause"]) == ("saturated", cause)


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize(("b_r", "cause"), [(-10.0, "bias"), (10.0, "recurrent")])
def test_what_a_reset_gate_keeps_out_holds_no_candidate(reset: str, b_r: float, cause: str) -> None:
    H = 4
    network, params = plain(GRU(1, H, reset=reset), 2.0)
    params["0.forward.b_h"][:H] = b_r
    params["0.forward.b_h"][2 * H :] = -6
    params["0.forward.W_hh"][2 * H :] = 20 / H
    report = diagnose(made(network, params, 200))
    found = next(f for f in report.findings if f.values.get("gate") == "n")
    assert (found.kind, found.values["cause"]) == ("saturated", cause)


def held_shut(kind: str, cause: str) -> tuple[dict[str, Any], Any]:
    """Weights of a cell of 8 units whose memory gate is shut by one of its parts, and data."""
    rng, H = np.random.default_rng(0), 8
    rows, x = {"lstm": 4 * H, "gru": 3 * H}[kind], np.abs(rng.standard_normal((80, 3, 8))) + 0.5
    weights = {f"{part}_l0": rng.uniform(-1, 1, (rows, *shape)) / np.sqrt(H)
               for part, shape in (("weight_ih", (3,)), ("weight_hh", (H,)), ("bias_ih", ()),
                                   ("bias_hh", ()))}  # fmt: skip
    weights["bias_ih_l0"][H : 2 * H] = 1
    if cause == "bias":
        weights["bias_ih_l0"][H : 2 * H] = -9
    if cause == "input":
        weights["weight_ih_l0"][H : 2 * H] = -4
    if cause == "recurrent":
        weights["bias_ih_l0"][-H:] = weights["bias_ih_l0"][2 * H : 3 * H] = 9  # h is near 1
        weights["weight_ih_l0"][-H:] = 0
        weights["weight_hh_l0"][H : 2 * H] = -4
    return weights, read_data(x, layout="tdb")


@pytest.mark.parametrize("kind", ["lstm", "gru"])
@pytest.mark.parametrize("cause", ["bias", "input", "recurrent"])
def test_what_keeps_a_memory_gate_closed_is_named_and_its_change_opens_it(
    kind: str, cause: str
) -> None:
    weights, data = held_shut(kind, cause)
    report = diagnose(run_of(load(weights, readout=False), data), lag=LAG)
    closed, vanished = the(report, "closed_memory"), the(report, "vanishing")
    assert closed.values["cause"] == cause
    assert "What keeps it closed most is the " in sentence(closed)
    assert {f.sure for f in report.findings if f.kind == "biases"} <= {
        "likely" if cause == "bias" else "possible"}  # fmt: skip
    assert ("rnn.weight_ih_l0[H:2 * H] = 0" in closed.change) is (cause == "input")
    assert closed.change == vanished.change
    rnn = SimpleNamespace(hidden_size=8, **weights)
    exec(closed.change, {"rnn": rnn, "torch": SimpleNamespace(no_grad=nullcontext)})
    after = {n: a for n, a in vars(rnn).items() if n != "hidden_size"}
    assert not diagnose(run_of(load(after, readout=False), data), lag=LAG).serious
