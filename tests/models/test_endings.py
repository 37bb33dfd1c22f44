"""A layer is the readout where what it gives is what the model does: not where another one reads
it, nor where its activation is more than what a loss has in itself."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import h5py
import numpy as np
import pytest

from rnnviz.models import Loaded, load
from rnnviz.wording.library import translated
from rnnviz.wording.texts import speak_in
from tests.models.test_upon import arrays_of, has_readout, keras2, keras3

Layer = tuple[str, str, dict[str, Any]]
"""Its name, its class and what its configuration says besides."""
LSTM: Layer = ("lstm", "LSTM", {})
WITHOUT = "without a readout: y is the output of the last layer, 3 numbers"
READ = "'dense' is read as the readout"


def dense(name: str = "dense", activation: Any = "linear") -> Layer:
    return name, "Dense", {"activation": activation}


def model(
    *layers: Layer,
    nodes: dict[str, Any] | None = None,
    outputs: Any = None,
    inner: str = "",
    readout: str | None = None,
) -> Loaded:
    """Loaded from a .keras file. nodes: name -> inbound nodes of a Functional model. inner: where a
    layer keeps its arrays."""
    found: list[dict[str, Any]] = [
        {"class_name": kind, "config": {"name": name, **options}} for name, kind, options in layers
    ]
    config: dict[str, Any] = {"layers": found}
    if nodes is not None:
        config["output_layers"] = outputs
        for each in found:
            each["inbound_nodes"] = nodes.get(each["config"]["name"], [])
    weights, file = io.BytesIO(), io.BytesIO()
    with h5py.File(weights, "w") as archive:
        for name, kind, _ in layers:
            within = {"LSTM": "cell/", "TimeDistributed": inner}.get(kind, "")
            for k, array in enumerate(arrays_of(kind.replace("TimeDistributed", "Dense"))):
                archive[f"layers/{name}/{within}vars/{k}"] = array
    with zipfile.ZipFile(file, "w") as archive:
        kind = "Sequential" if nodes is None else "Functional"
        archive.writestr("config.json", json.dumps({"class_name": kind, "config": config}))
        archive.writestr("model.weights.h5", weights.getvalue())
    return load(file.getvalue(), readout=readout)


def refused(loaded: Loaded, why: str, name: str = "dense") -> bool:
    note = f"{name!r} is not read as the readout: {why}; readout={name!r} takes it"
    return not has_readout(loaded) and WITHOUT in loaded.notes and note in loaded.notes


@pytest.mark.parametrize("activation", ["softmax", "sigmoid", "log_softmax"])
def test_y_is_what_a_readout_gives_before_what_makes_probabilities(activation: str) -> None:
    loaded = model(LSTM, dense(activation=activation))
    assert has_readout(loaded)
    assert loaded.notes[:2] == (READ, f"y is what 'dense' gives before {activation}")
    said = speak_in("zh", lambda: translated(loaded.notes[1]))
    assert said == f"y 是 'dense' 在 {activation} 之前给出的值"


@pytest.mark.parametrize("activation", ["linear", None])
def test_of_a_readout_without_an_activation_nothing_is_said(activation: str | None) -> None:
    assert model(LSTM, dense(activation=activation)).notes == (READ,)


@pytest.mark.parametrize(
    ("activation", "name"),
    [
        ("relu", "relu"),
        ("tanh", "tanh"),
        ({"class_name": "function", "config": "of_ours"}, "of_ours"),
        ({"class_name": "LeakyReLU", "config": {"alpha": 0.2}}, "LeakyReLU"),
    ],
)
def test_a_layer_with_another_activation_is_not_the_readout(activation: Any, name: str) -> None:
    loaded = model(LSTM, dense(activation=activation))
    assert refused(loaded, f"in the file its activation is {name}")
    assert loaded.network.output_size == 3
    (note,) = (each for each in loaded.notes if "activation" in each)
    said = speak_in("zh", lambda: translated(note))
    assert said == f"'dense' 未读作读出层：在文件中它的激活函数是 {name}；readout='dense' 则选用它"


@pytest.mark.parametrize("activation", ["relu", "linear", "softmax"])
def test_a_layer_that_another_one_reads_is_not_the_readout(activation: str) -> None:
    between = ("dropout", "Dropout", {})
    loaded = model(LSTM, dense(activation=activation), between, dense("dense_1"))
    assert refused(loaded, "in the file 'dense_1' reads what it gives")
    (note,) = (each for each in loaded.notes if "reads what it gives" in each)
    said = speak_in("zh", lambda: translated(note))
    assert said == "'dense' 未读作读出层：在文件中 'dense_1' 读取它的输出；readout='dense' 则选用它"


@pytest.mark.parametrize(
    ("kind", "options", "function"),
    [
        ("Softmax", {}, "softmax"),
        ("Activation", {"activation": "sigmoid"}, "sigmoid"),
        ("Activation", {"activation": "linear"}, ""),
        ("Reshape", {}, ""),
        ("Dropout", {}, ""),
    ],
)
def test_what_comes_after_a_readout_may_be_a_layer_without_weights(
    kind: str, options: dict[str, Any], function: str
) -> None:
    loaded = model(LSTM, dense(), ("after", kind, options))
    assert has_readout(loaded)
    assert loaded.notes[1:] == tuple(
        [f"y is what 'dense' gives before {function}"] if function else []
    )


@pytest.mark.parametrize(
    ("kind", "options", "why"),
    [
        ("Activation", {"activation": "relu"}, "its activation is relu"),
        ("ReLU", {}, "'re_lu' reads what it gives"),
        ("Rescaling", {"scale": 2.0}, "'rescaling' reads what it gives"),
    ],
)
def test_what_changes_the_numbers_of_a_layer_makes_it_no_readout(
    kind: str, options: dict[str, Any], why: str
) -> None:
    assert refused(model(LSTM, dense(), ("after", kind, options)), f"in the file {why}")


def test_a_dense_layer_at_every_step_has_its_own_activation() -> None:
    for activation in ("relu", "softmax"):
        own = {"layer": {"class_name": "Dense", "config": {"activation": activation}}}
        name = "time_distributed/layer"
        loaded = model(LSTM, ("time_distributed", "TimeDistributed", own), inner="layer/")
        if activation == "relu":
            assert refused(loaded, "in the file its activation is relu", name)
        else:
            assert f"y is what {name!r} gives before softmax" in loaded.notes


@pytest.mark.parametrize("node", [keras2, keras3])
def test_a_functional_model_says_which_layers_it_puts_out(node: Any) -> None:
    layers = (("input", "InputLayer", {}), LSTM, dense(), dense("dense_1"))
    nodes = {"lstm": node("input"), "dense": node("lstm"), "dense_1": node("dense")}
    hidden = model(*layers, nodes=nodes, outputs=[["dense_1", 0, 0]])
    assert refused(hidden, "in the file 'dense_1' reads what it gives")
    for outputs in ([["dense", 0, 0], ["dense_1", 0, 0]], ["dense", 0, 0]):
        assert READ in model(*layers, nodes=nodes, outputs=outputs).notes


@pytest.mark.parametrize("node", [keras2, keras3])
def test_a_layer_that_makes_the_first_state_of_another_is_not_the_readout(node: Any) -> None:
    """As the bridge from an encoder to its decoder: the state is handed over by its name."""
    layers = (("input", "InputLayer", {}), LSTM, dense(), ("decoder", "PeepholeDecoder", {}))
    first, state = node("input"), node("dense")[0]
    if node is keras2:
        first[0][0][3]["initial_state"] = state
    else:
        first[0]["kwargs"]["initial_state"] = state["args"]
    nodes = {"lstm": node("input"), "dense": node("lstm"), "decoder": first}
    loaded = model(*layers, nodes=nodes, outputs=[["decoder", 0, 0]])
    assert refused(loaded, "in the file 'peephole_decoder' reads what it gives")


def test_a_layer_that_is_named_is_taken_and_what_is_left_of_it_said() -> None:
    loaded = model(LSTM, dense(activation="relu"), readout="dense")
    np.testing.assert_array_equal(loaded.params["W_hy"], arrays_of("Dense")[0].T)
    assert "y is what 'dense' gives before relu" in loaded.notes


def test_a_long_chain_of_layers_is_gone_through_once() -> None:
    after = [(f"after{k}", "Activation", {"activation": "relu"}) for k in range(9000)]
    assert refused(model(LSTM, dense(), *after), "in the file its activation is relu")
