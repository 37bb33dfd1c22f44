"""ONNX's recurrent nodes run as its reference evaluator, and PyTorch before the export, run them.

The models come from tests/reference/make_onnx_golden.py.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from onnx import TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator

from rnnviz.core.network import forward_network
from rnnviz.models import UPLOAD, Loaded, load, read_data, replay
from rnnviz.wording.library import translated
from rnnviz.wording.texts import speak_in
from tests.models.golden import FOLDER, columns, golden, rows

NAMES = ("lstm", "peepholes", "gru", "gru_after", "rnn", "stack")


def output(loaded: Loaded, x: np.ndarray) -> np.ndarray:
    return forward_network(loaded.network, loaded.params, x).y


@pytest.mark.parametrize("name", NAMES)
def test_nodes_give_the_reference_evaluators_numbers(name: str) -> None:
    arrays = golden("onnx")
    loaded = load(FOLDER / f"models_onnx_{name}.onnx", limits=UPLOAD)
    y = output(loaded, arrays["x"].transpose(0, 2, 1))
    assert_allclose(y.transpose(0, 2, 1), arrays[name], rtol=1e-12, atol=1e-14)


def test_a_model_exported_by_pytorch() -> None:
    arrays = golden("onnx")
    loaded = load(FOLDER / "models_onnx_exported.onnx", limits=UPLOAD)
    assert loaded.network.bidirectional
    assert len(loaded.network.cells) == 2
    assert loaded.reading == "gates z, r, n, reset after the product"
    y = output(loaded, columns(arrays["exported.x"]))
    assert_allclose(rows(y), arrays["exported.output"], rtol=2e-6, atol=1e-6)
    assert "'readout' is read as the readout" in loaded.notes


class Named(io.BytesIO):
    """An uploaded file: bytes with a name."""

    name = "my.onnx"


def model(name: str) -> Any:
    return onnx.ModelProto.FromString((FOLDER / f"models_onnx_{name}.onnx").read_bytes())


def changed(change: Callable[[Any, Any], Any], name: str = "lstm") -> Named:
    """A model after a change of its graph, which is given with its first recurrent node."""
    made = model(name)
    (node, *_) = (n for n in made.graph.node if n.op_type in ("LSTM", "GRU", "RNN"))
    change(made.graph, node)
    return Named(made.SerializeToString())


def option(name: str, value: Any) -> Callable[[Any, Any], None]:
    def change(_: Any, node: Any) -> None:
        node.attribute.append(onnx.helper.make_attribute(name, value))

    return change


def external(graph: Any, _: Any) -> None:
    tensor = graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def dims(*sizes: int) -> Callable[[Any, Any], None]:
    def change(graph: Any, _: Any) -> None:
        graph.initializer[0].dims[:] = sizes

    return change


def integers(graph: Any, _: Any) -> None:
    values = np.ones((1, 12, 2), np.int64)
    graph.initializer[0].CopyFrom(numpy_helper.from_array(values, graph.initializer[0].name))


def no_weights(graph: Any, _: Any) -> None:
    del graph.initializer[0]


def no_nodes(graph: Any, _: Any) -> None:
    del graph.node[:]


def message(field: int, data: bytes) -> bytes:
    """A field of a message that holds bytes or another message."""
    size, length = len(data), bytearray()
    while size > 127:
        length.append(size & 127 | 128)
        size >>= 7
    return bytes([field << 3 | 2, *length, size]) + data


def nested() -> Named:
    """Graphs in attributes of nodes of graphs."""
    data = b""
    for _ in range(20):
        data = message(1, message(5, message(6, data)))
    return Named(message(7, data))


def twice(graph: Any, node: Any) -> None:
    for each in graph.node:
        each.name = "same"


def without_outputs(graph: Any, _: Any) -> None:
    for node in graph.node:
        del node.output[:]


def named_without(what: str) -> Callable[[Any, Any], None]:
    def change(_: Any, node: Any) -> None:
        node.name = "rnn"
        del getattr(node, what)[:]

    return change


def nameless(_: Any, node: Any) -> None:
    node.name = ""
    del node.output[:]


REFUSED: dict[str, tuple[Callable[[], Named], str]] = {
    "reverse": (lambda: changed(option("direction", "reverse")),
                "direction of 'LSTM' must be one of forward, bidirectional: turn x round instead"),
    "clip": (lambda: changed(option("clip", 3.0)), "clip of 'LSTM' must be 0, got 3.0"),
    "coupled": (lambda: changed(option("input_forget", 1)), "input_forget of 'LSTM' must be 0"),
    "activations": (lambda: changed(option("activations", ["Sigmoid", "Relu", "Tanh"])),
                    r"activations of 'LSTM' must be \['Sigmoid', 'Tanh', 'Tanh'\], got"),
    "a number": (lambda: changed(option("direction", 3)), "forward, bidirectional: .* got '3'"),
    "no outputs": (lambda: changed(without_outputs), "must have names of their own|reset|prefix"),
    "named, no outputs": (lambda: changed(named_without("output")), "weights and outputs, got"),
    "named, no inputs": (lambda: changed(named_without("input")), "weights and outputs, got"),
    "rnn's": (lambda: changed(option("activations", ["Elu"]), "rnn"),
              "activations of 'RNN' must be one of Tanh, Relu, Sigmoid"),
    "elsewhere": (lambda: changed(external), "must hold its arrays itself, 'y0.W' is elsewhere"),
    "huge": (lambda: changed(dims(1, 1 << 30, 1 << 30)), "brings them to 9,223,372,036,854,"),
    "other size": (lambda: changed(dims(1, 12, 5)), "'y0.W' must have the numbers that its shape"),
    "negative": (lambda: changed(dims(1, -12, 2)), "sizes of at least 0"),
    "other axes": (lambda: changed(dims(12, 2)), r"'y0.W' must have 3 axes, .* got \(12, 2\)"),
    "integers": (lambda: changed(integers), "'y0.W' must be FLOAT, FLOAT16, DOUBLE, BFLOAT16, got"),
    "no weights": (lambda: changed(no_weights), "names must say whose layout|must have"),
    "no nodes": (lambda: changed(no_nodes), "must have LSTM, GRU or RNN nodes, got $"),
    "no model": (lambda: Named(b"\xff" * 99), "a whole protocol buffer, a number has no end"),
    "a model of another kind": (lambda: Named(b"\x3a\x03\x0a\x01\xff"), "a number has no end"),
    "no text": (lambda: Named(b"\x3a\x05\x0a\x03\x22\x01\xff"), "RNN nodes, got b'"),
    "cut": (lambda: Named(model("lstm").SerializeToString()[:-9]), "a field has no end"),
    "wire type": (lambda: Named(b"\x3b"), "got wire type 3"),
    "twice": (lambda: changed(twice, "stack"), "must have names of their own"),
    "no names": (lambda: changed(nameless), "must have names of their own, weights and"),
    "many nodes": (lambda: Named(message(7, b"\x0a\x00" * 70_000)), "at most 65,536 fields, 32"),
    "many places": (lambda: Named(message(7, message(5, b"\x6a\x00" * 70_000))), "65,536 fields"),
    "many integers": (lambda: Named(message(7, message(5, message(7, bytes(1_100_000))))),
                      "65,536 fields"),
    "depth": (nested, "65,536 fields, 32 deep"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused(name: str) -> None:
    make, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        load(make(), limits=UPLOAD)


def test_nodes_that_do_not_stand_on_each_other_are_asked_for() -> None:
    def apart(graph: Any, _: Any) -> None:
        second = [node for node in graph.node if node.op_type == "LSTM"][1]
        second.input[0] = "other"

    with pytest.raises(ValueError, match="prefix must be one of 'y0', 'y1' "):
        load(changed(apart, "stack"))
    assert load(changed(apart, "stack"), prefix="y0").network.cells[0].input_size == 2


@pytest.mark.parametrize("turned", [0, 1])
def test_a_readout_of_one_operator(turned: int) -> None:
    def gemm(graph: Any, _: Any) -> None:
        inputs = [graph.node[-2].input[0], "head.W", "head.b"]
        del graph.node[-2:]
        graph.node.append(onnx.helper.make_node("Gemm", inputs, ["out"], transB=turned))
        if turned:
            (W,) = (tensor for tensor in graph.initializer if tensor.name == "head.W")
            W.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(W).T, W.name))

    expected = load(FOLDER / "models_onnx_lstm.onnx").params
    for name, value in load(changed(gemm)).params.items():
        np.testing.assert_array_equal(value, expected[name])


def constant(graph: Any, name: str, values: Any) -> str:
    graph.initializer.append(numpy_helper.from_array(np.asarray(values), name))
    return name


def run_by_onnx(file: Named, **inputs: np.ndarray) -> np.ndarray:
    """The last output of the graph as ONNX's reference evaluator computes it."""
    made = onnx.ModelProto.FromString(file.getvalue())
    del made.graph.output[:], made.graph.input[:]
    for name, values in inputs.items():
        kind = onnx.helper.np_dtype_to_tensor_dtype(values.dtype)
        made.graph.input.append(onnx.helper.make_tensor_value_info(name, kind, values.shape))
    out = made.graph.node[-1].output[0]
    made.graph.output.append(onnx.helper.make_tensor_value_info(out, TensorProto.DOUBLE, None))
    return np.asarray(ReferenceEvaluator(made).run([out], dict(inputs))[0])


def test_an_embedding_before_the_first_node_is_read() -> None:
    def embedded(graph: Any, node: Any) -> None:
        table = constant(graph, "words", np.sin(np.arange(14.0)).reshape(7, 2))
        made = [onnx.helper.make_node("Gather", [table, "tokens"], ["rows"]),
                onnx.helper.make_node("Transpose", ["rows"], ["x0"], perm=[1, 0, 2])]  # fmt: skip
        nodes = [*made, *graph.node]
        del graph.node[:]
        graph.node.extend(nodes)

    file, tokens = changed(embedded), np.array([[0, 3, 6, 2], [5, 5, 1, 4]])
    loaded = load(file)
    assert "'embedding' is read as the embedding" in loaded.notes
    y = replay(loaded, read_data(tokens, layout="btd")).y
    expected = run_by_onnx(file, tokens=tokens)
    assert_allclose(y.transpose(0, 2, 1), expected, rtol=1e-12, atol=1e-14)


def ending(kind: str, *numbers: Any) -> Callable[[Any, Any], None]:
    """The readout reads the last step, as Gather or Slice takes it."""

    def change(graph: Any, node: Any) -> None:
        indices = [constant(graph, f"index{k}", np.array(n)) for k, n in enumerate(numbers)]
        options = {"axis": 0} if kind == "Gather" else {}
        made = onnx.helper.make_node(kind, ["x1", *indices], ["end"], **options)
        nodes = [*graph.node[:-2], made, *graph.node[-2:]]
        nodes[-2].input[0] = "end"
        del graph.node[:]
        graph.node.extend(nodes)

    return change


def of_last_state(graph: Any, node: Any) -> None:
    node.output.append("h")
    graph.node[-2].input[0] = "h"


@pytest.mark.parametrize(
    "change",
    [ending("Gather", -1), ending("Slice", [-1], [2**31], [0]),
     ending("Slice", [-1], [2**31], [0], [1]), of_last_state],
)  # fmt: skip
def test_a_readout_of_the_last_step_is_read(change: Callable[[Any, Any], None]) -> None:
    file, x = changed(change), golden("onnx")["x"]
    loaded = load(file)
    assert "'readout' is read as the readout" in loaded.notes
    expected = run_by_onnx(file, x0=x).reshape(len(x[0]), -1)
    assert_allclose(output(loaded, x.transpose(0, 2, 1))[-1].T, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "change",
    [ending("Gather", 0), ending("Slice", [-1], [-(2**31)], [0], [-1]), ending("Slice", [0], [1])],
)
def test_what_reads_other_steps_is_not_read_and_said(change: Callable[[Any, Any], None]) -> None:
    loaded = load(changed(change))
    assert loaded.notes[0].startswith("without a readout")
    assert "not read: 2 more arrays ('head.W', 'head.b')" in loaded.notes


def taken(kind: str, *numbers: Any) -> Callable[[Any, Any], None]:
    """The last step of what a readout makes of every one."""

    def change(graph: Any, node: Any) -> None:
        indices = [constant(graph, f"index{k}", np.array(n)) for k, n in enumerate(numbers)]
        options = {"axis": 0} if kind == "Gather" else {}
        made = graph.node[-1].output[0]
        graph.node.append(onnx.helper.make_node(kind, [made, *indices], ["end"], **options))
        graph.output[0].name = "end"

    return change


@pytest.mark.parametrize("change", [taken("Gather", -1), taken("Slice", [-1], [2**31], [0])])
def test_a_readout_of_every_step_of_which_the_last_is_taken_is_read(
    change: Callable[[Any, Any], None],
) -> None:
    expected = load(FOLDER / "models_onnx_lstm.onnx").params
    for name, value in load(changed(change)).params.items():
        np.testing.assert_array_equal(value, expected[name])


def queried(graph: Any, _: Any) -> None:
    """What looks like a readout is the query of an attention."""
    made = graph.node[-1].output[0]
    graph.node.append(onnx.helper.make_node("Tanh", [made], ["query"]))
    graph.node.append(onnx.helper.make_node("Identity", ["query"], ["out.query"]))
    graph.output[0].name = "out.query"


def residual(graph: Any, _: Any) -> None:
    """What is added to the product is no bias."""
    del graph.node[-1]
    made = graph.node[-1].output[0]
    graph.node.append(onnx.helper.make_node("Add", [made, "x1"], ["sum"]))
    graph.output[0].name = "sum"


@pytest.mark.parametrize(
    "change",
    [queried, residual, ending("Slice", [-1], [2**31], [1])],
    ids=["query", "residual", "last sequence"],
)
def test_a_product_that_is_no_readout_is_not_read(change: Callable[[Any, Any], None]) -> None:
    loaded = load(changed(change))
    assert loaded.notes[0].startswith("without a readout")
    assert any("'head.W'" in note for note in loaded.notes if note.startswith("not read"))


def unturned(graph: Any, node: Any) -> None:
    doubled(graph, node)
    graph.node[-1].attribute[0].CopyFrom(onnx.helper.make_attribute("transA", 1))
    graph.node[-1].name = "head"


OTHERS = "the file puts out what other nodes make of it"
APART = "it reads something else than the last recurrent node's output or its last"


@pytest.mark.parametrize(
    ("change", "why"),
    [(queried, OTHERS), (residual, OTHERS), (ending("Gather", 0), APART),
     (lambda *of: doubled(*of), "its alpha is 2.0"), (unturned, "its transA is 1")],
    ids=["query", "residual", "first step", "alpha", "turned"],
)  # fmt: skip
def test_the_product_that_is_not_read_is_named_with_the_reason(change: Any, why: str) -> None:
    file = changed(change)
    nodes = onnx.ModelProto.FromString(file.getvalue()).graph.node
    (product,) = (node for node in nodes if node.op_type in ("MatMul", "Gemm"))
    name = product.name or product.output[0]
    said = f"the product {name!r} is not read as the readout: {why}"
    assert said in load(file).notes
    assert speak_in("zh", lambda: translated(said)).startswith(f"乘积 {name!r} 未读作读出层：")


def of_first_in_both_directions(graph: Any, node: Any) -> None:
    node.output.append("h")
    graph.node[-2].input[0] = "h"
    node.attribute.append(onnx.helper.make_attribute("direction", "bidirectional"))
    for tensor in graph.initializer[:3]:
        values = numpy_helper.to_array(tensor)
        tensor.CopyFrom(numpy_helper.from_array(np.concatenate([values] * 2), tensor.name))


def doubled(graph: Any, _: Any) -> None:
    inputs = [graph.node[-2].input[0], "head.W", "head.b"]
    del graph.node[-2:]
    graph.node.append(onnx.helper.make_node("Gemm", inputs, ["out"], alpha=2.0))


def another(graph: Any, _: Any) -> None:
    graph.node[-2].input[0] = "elsewhere"
    constant(graph, "more", np.ones((2, 3), np.int8))
    constant(graph, "a.number", 3.0)


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (of_first_in_both_directions, "'head.W', 'head.b'"),
        (doubled, "'head.W', 'head.b'"),
        (another, "'head.W', 'head.b', 'more'"),
    ],
)
def test_every_tensor_of_weights_that_is_not_read_is_named(change: Any, names: str) -> None:
    count = names.count("'") // 2
    assert f"not read: {count} more arrays ({names})" in load(changed(change)).notes


@pytest.mark.parametrize("turned", [0, 1])
def test_a_readout_without_a_bias_has_zeros(turned: int) -> None:
    def bare(graph: Any, _: Any) -> None:
        del graph.node[-1]
        if turned:
            (W,) = (tensor for tensor in graph.initializer if tensor.name == "head.W")
            W.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(W).T, W.name))
            node = graph.node.pop()
            graph.node.append(onnx.helper.make_node("Transpose", ["head.W"], ["W.T"], perm=[1, 0]))
            node.input[1] = "W.T"
            graph.node.append(node)
        graph.output[0].name = graph.node[-1].output[0]

    loaded, expected = load(changed(bare)), load(FOLDER / "models_onnx_lstm.onnx").params
    np.testing.assert_array_equal(loaded.params["W_hy"], expected["W_hy"])
    np.testing.assert_array_equal(loaded.params["b_y"], np.zeros(3))
    whole = load(FOLDER / "models_onnx_lstm.onnx")
    assert (whole.held - loaded.held, loaded.absent) == (3, {"b_y"})
    assert not whole.absent
    assert not any("not read" in note and "head.W" in note for note in loaded.notes)


def test_the_readout_of_a_stack_is_not_that_of_its_first_layer() -> None:
    first = load(FOLDER / "models_onnx_stack.onnx", prefix="y0")
    np.testing.assert_array_equal(first.params["W_hy"], np.eye(3))
    assert any(note.startswith("'readout' is not read as the readout: in") for note in first.notes)


def test_each_node_is_meant_as_it_says_itself() -> None:
    def differ(graph: Any, _: Any) -> None:
        first, second = (node for node in graph.node if node.op_type == "LSTM")
        weights = {t.name: t for t in graph.initializer}
        for number, node in enumerate((first, second)):
            node.op_type = "GRU"
            node.attribute.append(onnx.helper.make_attribute("linear_before_reset", number))
            for name, axis in zip(node.input[1:4], (1, 1, 1), strict=True):
                values = numpy_helper.to_array(weights[name])
                kept = values[:, : values.shape[axis] * 3 // 4]
                weights[name].CopyFrom(numpy_helper.from_array(kept, name))

    for prefix, form in (("y0", "before"), ("y1", "after")):
        assert load(changed(differ, "stack"), prefix=prefix).reading.endswith(f"{form} the product")
    with pytest.raises(
        ValueError, match="reset must be the same in all layers, got before and aft"
    ):
        load(changed(differ, "stack"))


def test_bfloat16_is_widened_and_said() -> None:
    def half(graph: Any, _: Any) -> None:
        for tensor in graph.initializer:
            if tensor.data_type == TensorProto.DOUBLE:
                values = numpy_helper.to_array(tensor)
                bits = (values.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
                shape, kind = tensor.dims, TensorProto.BFLOAT16
                made = onnx.helper.make_tensor(tensor.name, kind, shape, bits.tobytes(), raw=True)
                tensor.CopyFrom(made)

    loaded = load(changed(half))
    exact = load(FOLDER / "models_onnx_lstm.onnx")
    for name, value in loaded.params.items():
        assert value.dtype == np.float32
        assert_allclose(value, exact.params[name], rtol=2**-7, atol=2**-9)
    assert any(note.startswith("bfloat16 is widened to float32: ") for note in loaded.notes)


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1, max_size=20))
def test_nothing_but_a_value_error_comes_of_a_changed_file(changes: list[tuple[int, int]]) -> None:
    data = bytearray((FOLDER / "models_onnx_stack.onnx").read_bytes())
    for at, value in changes:
        data[at % len(data)] = value
    try:
        load(Named(bytes(data)), limits=UPLOAD)
    except ValueError:
        return


def test_without_onnx_the_way_to_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(ValueError, match=r'need onnx: pip install "rnnviz\[onnx\]"'):
        load(FOLDER / "models_onnx_lstm.onnx")


@pytest.mark.parametrize("function", ["Softmax", "LogSoftmax", "Sigmoid"])
def test_y_is_what_a_readout_gives_before_what_makes_probabilities(function: str) -> None:
    def scored(graph: Any, _: Any) -> None:
        made = graph.node[-1].output[0]
        graph.node.append(onnx.helper.make_node(function, [made], ["chances"]))
        graph.node.append(onnx.helper.make_node("Identity", ["chances"], ["end"]))
        graph.output[0].name = "end"

    loaded, expected = load(changed(scored)), load(FOLDER / "models_onnx_lstm.onnx")
    np.testing.assert_array_equal(loaded.params["W_hy"], expected.params["W_hy"])
    note = f"y is what 'readout' gives before {function}"
    assert note in loaded.notes
    assert not any("before" in each for each in expected.notes)

    def both(graph: Any, node: Any) -> None:
        scores = graph.node[-1].output[0]
        scored(graph, node)
        graph.output.add().name = scores

    assert note not in load(changed(both)).notes
