"""Keras 3 and TensorFlow 1's kernels run as they do there: outputs and every gradient.

The arrays come from tests/reference/make_keras_golden.py; TensorFlow is needed only to make them.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.testing import assert_allclose

from rnnviz.core.network import NetworkTrace, backward_network, forward_network
from rnnviz.models import UPLOAD, Loaded, load
from tests.models.golden import FOLDER, beginning, columns, golden, rows

EXACT = {"rtol": 1e-11, "atol": 1e-13}
SINGLE = {"rtol": 2e-6, "atol": 1e-6}


def replayed(loaded: Loaded, arrays: dict[str, np.ndarray]) -> NetworkTrace:
    record = forward_network(loaded.network, loaded.params, columns(arrays["x"]))
    return backward_network(record, columns(arrays["direct"]))


def d_x(trace: NetworkTrace) -> np.ndarray:
    first, *second = trace.layers[0]
    return rows(first.d_x + second[0].d_x[::-1] if second else first.d_x)


@pytest.mark.parametrize("name", ["lstm", "gru", "gru_before", "simple_rnn", "bidirectional"])
def test_get_weights_give_keras_own_outputs_and_gradients(name: str) -> None:
    arrays = golden(f"keras_{name}")
    options = {"layout": "keras", "bidirectional": name == "bidirectional"}
    loaded = load(list(beginning(arrays, "weight.").values()), **options)
    trace = replayed(loaded, arrays)
    assert_allclose(rows(trace.y), arrays["output"], **EXACT)
    assert_allclose(d_x(trace), arrays["d_x"], **EXACT)
    grads = list(beginning(arrays, "grad.").values())
    if name == "gru":  # both biases of r and z have the same gradient: it counts once
        grads[2][1, :6] = 0
    for parameter, value in load(grads, **options).params.items():
        if parameter not in ("W_hy", "b_y"):
            assert_allclose(trace.grads[parameter], value, **EXACT, err_msg=parameter)


def test_tensorflow1s_lstm() -> None:
    arrays = golden("tensorflow1_lstm")
    loaded = load({f"rnn/basic_lstm_cell/{name}": arrays[name] for name in ("kernel", "bias")})
    x, direct, output, expected_d_x = (
        arrays[name].transpose(0, 2, 1) for name in ("x", "direct", "output", "d_x")
    )
    trace = backward_network(forward_network(loaded.network, loaded.params, x), direct)
    assert_allclose(trace.y, output, **SINGLE)
    assert_allclose(trace.trace.d_x, expected_d_x, **SINGLE)
    d_given = {f"basic_lstm_cell/{name}": arrays[f"d_{name}"] for name in ("kernel", "bias")}
    expected = load(d_given, forget_bias=0).params
    for parameter in ("W_xh", "W_hh", "b_h"):
        name = f"0.forward.{parameter}"
        assert_allclose(trace.grads[name], expected[name], **SINGLE, err_msg=name)


def test_tensorflow1s_gru() -> None:
    arrays = golden("tensorflow1_gru")
    loaded = load(beginning(arrays, "rnn/"))
    y = forward_network(loaded.network, loaded.params, arrays["x"].transpose(0, 2, 1)).y
    assert_allclose(y.transpose(0, 2, 1), arrays["output"], **SINGLE)


@pytest.mark.parametrize("name", ["stack", "both"])
def test_a_saved_model_is_read_whole(name: str) -> None:
    arrays = golden(f"keras_{name}")
    loaded = load(FOLDER / f"models_keras_{name}.keras", limits=UPLOAD)
    assert loaded.embedding is not None
    x = loaded.embedding[arrays["tokens"].T].transpose(0, 2, 1)
    y = forward_network(loaded.network, loaded.params, x).y
    assert_allclose(rows(y), arrays["output"], **EXACT)
    assert not any("not read" in note for note in loaded.notes)


def saved(name: str) -> dict[str, bytes]:
    with zipfile.ZipFile(FOLDER / f"models_keras_{name}.keras") as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def whole(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def test_weights_alone_do_not_say_which_layer_stands_on_which() -> None:
    weights = saved("stack")["model.weights.h5"]
    with pytest.raises(ValueError, match="prefix must be one of 'lstm', 'lstm_1' "):
        load(weights)
    loaded = load(weights, prefix=("lstm", "lstm_1"))
    whole_model = load(FOLDER / "models_keras_stack.keras")
    for name, value in whole_model.params.items():
        np.testing.assert_array_equal(loaded.params[name], value)


CHANGES: dict[str, tuple[str, str, str]] = {
    "activation": ('"activation": "tanh"', '"activation": "gelu"',
                   "activation of GRU must be one of tanh, got 'gelu'"),
    "gates": ('"recurrent_activation": "sigmoid"', '"recurrent_activation": "hard_sigmoid"',
              "recurrent_activation must be 'sigmoid', got 'hard_sigmoid'"),
    "merge": ('"merge_mode": "concat"', '"merge_mode": "sum"', "merge_mode must be 'concat', got"),
    "backwards": ('"go_backwards": false', '"go_backwards": true', "go_backwards must be False in"),
    "cell": ('"class_name": "GRU"', '"class_name": "PeepholeLSTM"',
             "recurrent layers must be LSTM, GRU, SimpleRNN, got 'PeepholeLSTM'"),
    "list": ('"config": {"name": "bidirectional_1"', '"config": [], "x": {"name": "b"',
             "the configuration must be Keras's JSON, got"),
    "both of both": ('"class_name": "GRU"', '"class_name": "Bidirectional"',
                     "recurrent layers must be LSTM, GRU, SimpleRNN, got 'Bidirectional'"),
    "no json": ('{"module"', '{"module', "the configuration must be Keras's JSON"),
    "no layers": ('"layers": [', '"layers": 3, "x": [', "layers must be a list of layers, got 3"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_what_the_core_has_not_is_refused_by_name(name: str) -> None:
    old, new, message = CHANGES[name]
    members = saved("both")
    config = members["config.json"].decode()
    assert old in config
    with pytest.raises(ValueError, match=message):
        load(whole({**members, "config.json": config.replace(old, new).encode()}))


def test_the_last_states_of_both_directions_may_be_what_is_read() -> None:
    members = saved("both")
    config = members["config.json"].decode()
    changed = config.replace('"return_sequences": true', '"return_sequences": false')
    loaded = load(whole({**members, "config.json": changed.encode()}))
    assert loaded.network.readout == "final"
    for other, message in (
        ({"go_backwards": True}, "both directions must be meant alike, got "),
        ({"go_backwards": True, "activation": "relu"}, "activation must be None for GRU weights"),
    ):
        with pytest.raises(ValueError, match=message):
            load(with_simple_layers(members, other))


def with_simple_layers(members: dict[str, bytes], other: dict[str, Any]) -> bytes:
    """A file whose configuration says SimpleRNN in both directions, relu in the first."""
    simple = json.loads(members["config.json"])
    for layer in simple["config"]["layers"]:
        if layer["class_name"] == "Bidirectional":
            inner = {"class_name": "SimpleRNN", "config": {"activation": "relu"}}
            back = {"class_name": "SimpleRNN", "config": other}
            layer["config"].update(layer=inner, backward_layer=back)
    return whole({**members, "config.json": json.dumps(simple).encode()})


def built(make: Callable[[Any], None]) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as archive:
        make(archive)
    return file.getvalue()


def external_storage(file: Any) -> None:
    file.create_dataset("lstm/kernel", (4, 4), "f8", external=[("/etc/passwd", 0, 128)])


def virtual(file: Any) -> None:
    layout = h5py.VirtualLayout((4,), "f8")
    layout[:] = h5py.VirtualSource("other.h5", "a", (4,))
    file.create_virtual_dataset("kernel", layout)


def linked(link: Any) -> Callable[[Any], None]:
    def make(file: Any) -> None:
        file["kernel"] = link

    return make


def circle(file: Any) -> None:
    file.create_group("a")["b"] = file["/"]


def test_an_older_file_is_read_by_its_names_and_its_configuration() -> None:
    """As Keras 2 wrote it, whose gates were hard sigmoids unless said otherwise."""
    shapes = {"kernel:0": (2, 12), "recurrent_kernel:0": (3, 12), "bias:0": (12,)}
    weights = {name: np.ones(shape) for name, shape in shapes.items()}

    def make(gates: str) -> bytes:
        options = {"activation": "tanh", "recurrent_activation": gates}
        layers = [{"class_name": "LSTM", "config": options}]
        config = {"class_name": "Sequential", "config": {"layers": layers}}

        def write(file: Any) -> None:
            file.attrs["model_config"] = json.dumps(config)
            for name, value in weights.items():
                file[f"model_weights/lstm/lstm/lstm_cell/{name}"] = value
                file[f"optimizer_weights/lstm/lstm_cell/{name}"] = value

        return built(write)

    assert load(make("sigmoid")).where == "model_weights/lstm/lstm"
    with pytest.raises(ValueError, match="recurrent_activation must be 'sigmoid', got 'hard_sigm"):
        load(make("hard_sigmoid"))


def test_an_older_file_of_both_directions_is_one_layer() -> None:
    """Keras 2 counts the cells of a process: each direction's has another number."""
    inner = {"class_name": "LSTM", "config": {"name": "lstm", "return_sequences": True}}
    both = {"name": "bidirectional", "merge_mode": "concat", "layer": inner}
    layers = [{"class_name": "Bidirectional", "config": both}]
    shapes = {"kernel:0": (2, 12), "recurrent_kernel:0": (3, 12), "bias:0": (12,)}

    def write(file: Any) -> None:
        config = {"class_name": "Sequential", "config": {"layers": layers}}
        file.attrs["model_config"] = json.dumps(config)
        for n, way in enumerate(("forward", "backward")):
            where = f"model_weights/bidirectional/bidirectional/{way}_lstm/lstm_cell_{n + 1}"
            for name, shape in shapes.items():
                file[f"{where}/{name}"] = np.full(shape, float(n))

    loaded = load(built(write))
    assert loaded.network.bidirectional
    assert [loaded.params[f"0.{way}.W_hh"].max() for way in ("forward", "backward")] == [0, 1]


def test_a_gru_without_bias_is_read_as_its_configuration_says() -> None:
    for after in (True, False):
        options = {"activation": "tanh", "recurrent_activation": "sigmoid", "reset_after": after}
        config = {"config": {"layers": [{"class_name": "GRU", "config": options}]}}

        def write(file: Any, text: str = json.dumps(config)) -> None:
            file.attrs["model_config"] = text
            for k, shape in enumerate([(2, 9), (3, 9)]):
                file[f"layers/gru/cell/vars/{k}"] = np.ones(shape)

        said = load(built(write)).reading
        assert said == f"gates z, r, n, reset {'after' if after else 'before'} the product"
    with pytest.raises(ValueError, match="reset must be said of Keras's GRU weights"):
        load([np.ones((2, 9)), np.ones((3, 9))], "keras")


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "external link": (lambda: built(linked(h5py.ExternalLink("/etc/passwd", "/"))), "is a link"),
    "soft link": (lambda: built(linked(h5py.SoftLink("/other"))), "'kernel' is a link"),
    "external storage": (lambda: built(external_storage), "is stored elsewhere"),
    "virtual": (lambda: built(virtual), "'kernel' is stored elsewhere"),
    "circle": (lambda: built(circle), "must have fewer groups"),
    "huge": (lambda: built(lambda f: f.create_dataset("kernel", (1 << 20, 1 << 20), "f8",
                                                      chunks=(1, 1 << 10))),
             "brings them to 8,796,093,022,208"),
    "huge chunks": (lambda: built(lambda f: f.create_dataset("kernel", (8, 8), "f8", maxshape=(
        None, None), chunks=(1 << 12, 1 << 12))), "must have smaller chunks"),
    "many": (lambda: built(lambda f: [f.create_dataset(f"{k}", data=[1.0]) for k in range(99)]),
             "at most 64 arrays"),
    "other filter": (lambda: built(lambda f: f.create_dataset("kernel", (8,), "f8",
                                                              compression="lzf")),
                     "must be stored with deflate, shuffle, fletcher32 alone"),
    "cut": (lambda: saved("both")["model.weights.h5"][:9000], "whole HDF5 file, it is damaged"),
    "no hdf5": (lambda: whole({**saved("both"), "model.weights.h5": b"x" * 99}), "HDF5 file"),
    "no configuration": (lambda: whole({"model.weights.h5": saved("both")["model.weights.h5"]}),
                         "a whole .keras file, it is damaged"),
    "long configuration": (lambda: whole({**saved("both"), "config.json": b" " * 2_000_000}),
                           "config.json must have at most 1,048,576 bytes"),
    "texts": (lambda: built(lambda f: f.create_dataset("kernel", data="text")), "got none"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused(name: str, tmp_path: Path) -> None:
    make, message = HOSTILE[name]
    with pytest.raises(ValueError, match=message):
        load(make(), limits=UPLOAD)


def test_without_h5py_the_way_to_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(ValueError, match=r'need h5py: pip install "rnnviz\[keras\]"'):
        load(FOLDER / "models_keras_stack.keras")
