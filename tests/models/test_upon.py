"""What stands upon what in a model of Keras, and what comes before the recurrent layers elsewhere:
nothing with an operation of its own is left out between layers without a word."""

from __future__ import annotations

import io
import json
import zipfile
from itertools import pairwise
from typing import Any

import h5py
import numpy as np
import pytest

from rnnviz.models import Loaded, load
from rnnviz.models.hints import upon
from rnnviz.wording.library import translated
from rnnviz.wording.texts import speak_in
from tests.models.test_layouts import torch_arrays

H = 3
Layer = tuple[str, str]
"""Its name and its class."""
STACK = [("lstm", "LSTM"), ("lstm_1", "LSTM")]


def arrays_of(kind: str) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    shapes = {"LSTM": [(H, 4 * H), (H, 4 * H), (4 * H,)], "Dense": [(H, H), (H,)],
              "BatchNormalization": [(H,)] * 4, "Embedding": [(7, H)]}  # fmt: skip
    return [rng.standard_normal(shape) for shape in shapes.get(kind, [])]


def config_of(layers: list[Layer], nodes: dict[str, Any] | None = None) -> str:
    """Sequential, or with nodes, name -> inbound nodes, Functional."""
    found: list[dict[str, Any]] = [
        {"class_name": kind, "config": {"name": name}} for name, kind in layers
    ]
    for each in found:
        if nodes is not None:
            each["inbound_nodes"] = nodes.get(each["config"]["name"], [])
    kind = "Sequential" if nodes is None else "Functional"
    return json.dumps({"class_name": kind, "config": {"layers": found}})


def saved(layers: list[Layer], nodes: dict[str, Any] | None = None) -> bytes:
    """A .keras file."""
    weights, file = io.BytesIO(), io.BytesIO()
    with h5py.File(weights, "w") as archive:
        for name, kind in layers:
            cell = "cell/" if kind == "LSTM" else ""
            for k, array in enumerate(arrays_of(kind)):
                archive[f"layers/{name}/{cell}vars/{k}"] = array
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", config_of(layers, nodes))
        archive.writestr("model.weights.h5", weights.getvalue())
    return file.getvalue()


def older(layers: list[Layer]) -> bytes:
    """A .h5 file as Keras 2 wrote it, whose layers have names of their own."""
    names = {"LSTM": ("lstm_cell/kernel", "lstm_cell/recurrent_kernel", "lstm_cell/bias"),
             "Dense": ("kernel", "bias"), "Embedding": ("embeddings",)}  # fmt: skip
    file = io.BytesIO()
    with h5py.File(file, "w") as archive:
        archive.attrs["model_config"] = config_of(layers)
        for name, kind in layers:
            for own, array in zip(names.get(kind, ()), arrays_of(kind), strict=False):
                archive[f"model_weights/{name}/{name}/{own}:0"] = array
    return file.getvalue()


def has_readout(loaded: Loaded) -> bool:
    return not np.array_equal(loaded.params["W_hy"], np.eye(H))


@pytest.mark.parametrize(
    "between", [("dense", "Dense"), ("batch_normalization", "BatchNormalization"),
                ("reshape", "Reshape")]
)  # fmt: skip
@pytest.mark.parametrize("write", [saved, older])
def test_layers_with_an_operation_between_them_are_no_stack(between: Layer, write: Any) -> None:
    data = write([STACK[0], between, STACK[1]])
    with pytest.raises(ValueError, match=r"prefix must be one of '.*lstm', '.*lstm_1' "):
        load(data)
    names = ("lstm", "lstm_1") if write is saved else ("model_weights/lstm", "model_weights/lstm_1")
    with pytest.raises(ValueError, match="layers must stand upon each other in the file as in pre"):
        load(data, prefix=names)
    above = load(data, prefix=names[1])
    assert len(above.network.cells) == 1
    assert not has_readout(above)
    assert not any("batch_normalization/kernel" in note for note in above.notes)
    assert not has_readout(load(data, prefix=names[0]))


def called(name: str, output: int = 0) -> list[Any]:
    """A layer that reads an output of another one, as Keras 3 writes it."""
    history = {"config": {"keras_history": [name, 0, output]}}
    return [{"args": [history], "kwargs": {}}]


@pytest.mark.parametrize(("output", "read"), [(0, True), (1, True), (2, False)])
def test_a_readout_may_read_the_last_h_and_not_the_last_c(output: int, read: bool) -> None:
    layers = [("input", "InputLayer"), ("lstm", "LSTM"), ("dense", "Dense")]
    nodes = {"lstm": called("input"), "dense": called("lstm", output)}
    assert has_readout(load(saved(layers, nodes))) == read


def test_of_two_networks_the_other_s_kernel_is_no_readout() -> None:
    layers = [("input", "InputLayer"), ("input_1", "InputLayer"), *STACK, ("dense", "Dense")]
    nodes = {"lstm": called("input"), "lstm_1": called("input_1"), "dense": called("lstm_1")}
    loaded = load(saved(layers, nodes), prefix="lstm_1")
    assert has_readout(loaded)
    assert not any("readout='lstm'" in note for note in loaded.notes)


@pytest.mark.parametrize("write", [saved, older])
def test_what_leaves_its_input_as_it_is_may_stand_anywhere(write: Any) -> None:
    layers = [("input", "InputLayer"), STACK[0], ("dropout", "Dropout"), STACK[1],
              ("dropout_1", "Dropout"), ("dense", "Dense")]  # fmt: skip
    loaded = load(write(layers))
    assert len(loaded.network.cells) == 2
    np.testing.assert_array_equal(loaded.params["W_hy"], arrays_of("Dense")[0].T)


class Counted(dict[str, str]):
    """Counts how often it is asked."""

    asked = 0

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
        self.asked += 1
        return super().get(name, default)


@pytest.mark.parametrize("turned", [False, True])
def test_a_long_chain_of_layers_is_gone_through_once(turned: bool) -> None:
    names = ["lstm", *(f"dropout_{k}" for k in range(2000)), "dense"]
    pairs = list(pairwise(names))
    read = Counted({above: below for below, above in (pairs[::-1] if turned else pairs)})
    found = upon(read, ["lstm"], set(names[1:-1]))
    assert found == dict.fromkeys(names[1:], "lstm")
    assert read.asked <= 2 * len(names)


def test_layers_that_read_each_other_in_a_circle_stand_upon_none() -> None:
    read = {"one": "two", "two": "one", "dense": "two", "self": "self", "lstm": ""}
    assert upon(read, ["lstm"], {"one", "two", "self"}) == dict.fromkeys(read, "")


@pytest.mark.parametrize("write", [saved, older])
def test_layers_are_called_in_the_order_of_the_configuration(write: Any) -> None:
    own = [("second", "LSTM"), ("first", "LSTM")] if write is older else STACK
    assert load(write(own)).where.split(", ")[0].endswith(own[0][0])


@pytest.mark.parametrize("write", [saved, older])
def test_a_dense_layer_before_the_recurrent_one_is_not_its_readout(write: Any) -> None:
    loaded = load(write([("dense", "Dense"), STACK[0]]))
    assert not has_readout(loaded)
    said = "dense' is not read as the readout: in the file it does not read the last recurrent lay"
    assert any(said in note for note in loaded.notes)
    both = load(write([("dense", "Dense"), STACK[0], ("dense_1", "Dense")]))
    assert has_readout(both)
    assert any("dense_1' is read as the readout" in note for note in both.notes)


def test_a_dense_layer_upon_another_operation_is_not_the_readout() -> None:
    normal = ("batch_normalization", "BatchNormalization")
    assert not has_readout(load(saved([STACK[0], normal, ("dense", "Dense")])))


def keras3(name: str, output: int = 0) -> list[Any]:
    history = {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, output]}}
    return [{"args": [history], "kwargs": {}}]


def keras2(name: str, output: int = 0) -> list[Any]:
    return [[[name, 0, output, {}]]]


@pytest.mark.parametrize("node", [keras2, keras3])
def test_a_functional_model_says_what_reads_what(node: Any) -> None:
    layers = [("input", "InputLayer"), ("dense", "Dense"), *STACK, ("dense_1", "Dense")]
    chain = {"dense": node("input"), "lstm": node("dense"), "lstm_1": node("lstm")}
    whole = load(saved(layers, {**chain, "dense_1": node("lstm_1")}))
    assert len(whole.network.cells) == 2
    assert has_readout(whole)
    for below in (node("lstm"), node("lstm_1", 2), [*node("lstm_1"), *node("lstm")], {}):
        assert not has_readout(load(saved(layers, {**chain, "dense_1": below})))
    with pytest.raises(ValueError, match="prefix must be one of 'lstm', 'lstm_1' "):
        load(saved(layers, {**chain, "lstm_1": node("input")}))


@pytest.mark.parametrize("write", [saved, older])
def test_an_embedding_is_that_of_the_layer_that_reads_it(write: Any) -> None:
    words = ("embedding", "Embedding")
    start = "" if write is saved else "model_weights/"
    direct = load(write([words, ("dropout", "Dropout"), *STACK]))
    assert direct.embedding is not None
    above = load(write([words, *STACK]), prefix=f"{start}lstm_1")
    assert above.embedding is None
    assert any("not read: " in note and "embedding" in note for note in above.notes)
    assert load(write([words, ("dense", "Dense"), STACK[0]])).embedding is None


def linear(name: str) -> dict[str, np.ndarray]:
    return {f"{name}.weight": np.full((5, 2), 2.0), f"{name}.bias": np.ones(5)}


RNN = {f"rnn.{name}": array for name, array in torch_arrays(4).items()}


def test_a_linear_layer_that_a_module_has_before_its_network_is_not_the_readout() -> None:
    loaded = load({**linear("inp"), **RNN})
    assert loaded.network.output_size == 2
    note = ("'inp' is not read as the readout: its arrays come before the recurrent layers'; "
            "readout='inp' takes it")  # fmt: skip
    assert note in loaded.notes
    assert speak_in("zh", lambda: translated(note)).startswith("'inp' 未读作读出层：")
    named = load({**linear("inp"), **RNN}, readout="inp")
    assert named.network.output_size == 5
    assert note not in named.notes
    both = load({**linear("inp"), **RNN, **linear("fc")})
    assert "'fc' is read as the readout" in both.notes
    assert note in both.notes


def test_an_order_by_name_says_nothing_of_what_comes_before() -> None:
    by_name = dict(sorted({**RNN, **linear("fc")}.items()))
    assert next(iter(by_name)) == "fc.bias"
    assert "'fc' is read as the readout" in load(by_name).notes
