"""LSTM, GRU and RNN nodes of an ONNX graph.

Needs onnx (`pip install "rnnviz[onnx]"`), which reads the file's protocol buffer; nothing of the
graph is run, and no array is taken from another file. Nodes stand upon each other where one's
output reaches the next through operators that change its shape alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.experiment.npz import Budget, Limits, check_size, shown
from rnnviz.models.hints import Hints
from rnnviz.models.protobuf import check_fields

WEIGHTS = ("W", "R", "B", "", "initial_h", "initial_c", "P")
"""The inputs of a recurrent node after x, "" for those that are no weights."""
DEFAULTS = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}
ACTIVATIONS = {"Tanh": "tanh", "Relu": "relu", "Sigmoid": "logistic"}
RESHAPING = ("Transpose", "Reshape", "Squeeze", "Unsqueeze", "Identity", "Dropout", "Cast")
TYPES = {1: "FLOAT", 10: "FLOAT16", 11: "DOUBLE", 16: "BFLOAT16"}
FORWARD = ("forward", "bidirectional")


def read_onnx(data: bytes, limits: Limits) -> tuple[dict[str, Array], list[str], Hints]:
    """The arrays of the recurrent nodes and of a readout after the last one, by name; the names of
    those that were bfloat16; and what the nodes say of how they are meant.

    Raises ValueError for a damaged file, and for options that the core's cells do not have.
    """
    try:
        import onnx
    except ImportError as error:
        raise ValueError('ONNX files need onnx: pip install "rnnviz[onnx]"') from error
    check_size(data, limits)
    check_fields(data, onnx.ModelProto.DESCRIPTOR)
    try:
        graph = onnx.ModelProto.FromString(data).graph
    except Exception as error:  # the class of a parser's errors depends on its implementation
        raise ValueError("the file must be a whole ONNX model, it cannot be parsed") from error
    nodes = _named_nodes(graph)
    tensors, value = _tensors(graph), onnx.helper.get_attribute_value
    reader = _Reader(onnx.numpy_helper.to_array, Budget(limits))
    arrays: dict[str, Array] = {}
    said: dict[str, dict[str, str]] = {}
    for name, node in nodes.items():
        said[name] = _options(node, {a.name: value(a) for a in node.attribute})
        for kind, source in zip(WEIGHTS, node.input[1:], strict=False):
            if kind and source in tensors:
                arrays[f"{name}.{kind}"] = reader(f"{name}.{kind}", tensors[source])
    ends = {node.output[0]: k for k, node in enumerate(nodes.values())}
    below = [_below(node.input[0], graph.node, ends) for node in nodes.values()]
    if below != [None, *range(len(nodes) - 1)]:
        return arrays, reader.half, Hints(options=said)
    arrays |= _readout(graph.node, len(nodes) - 1, ends, tensors, reader)
    return arrays, reader.half, Hints(tuple(nodes), said)


def _named_nodes(graph: Any) -> dict[str, Any]:
    """Name -> recurrent node. Raises ValueError where there is none, and for one without name,
    weights or output."""
    nodes = [node for node in graph.node if node.op_type in DEFAULTS]
    if not nodes:
        kinds = ", ".join(sorted({shown(node.op_type) for node in graph.node})[:9])
        raise ValueError(f"the graph must have LSTM, GRU or RNN nodes, got {kinds}")
    names = [str(node.name or next(iter(node.output), "")) for node in nodes]
    whole = all(len(node.input) > 2 and node.output for node in nodes)
    if len({*names}) < len(names) or not all(names) or not whole:
        raise ValueError("recurrent nodes must have names of their own, weights and outputs, got "
                         f"{shown(names)}")  # fmt: skip
    return dict(zip(names, nodes, strict=True))


class _Reader:
    """Reads one tensor after the other, within the limits."""

    def __init__(self, to_array: Any, budget: Budget) -> None:
        self._to_array, self._budget = to_array, budget
        self.half: list[str] = []

    def __call__(self, name: str, tensor: Any) -> Array:
        if tensor.data_location or tensor.external_data:
            raise ValueError(f"the file must hold its arrays itself, {shown(name)} is elsewhere")
        if tensor.data_type not in TYPES:
            raise ValueError(f"{shown(name)} must be {', '.join(TYPES.values())}, got type "
                             f"{tensor.data_type}")  # fmt: skip
        if any(n < 0 for n in tensor.dims):
            raise ValueError(
                f"{shown(name)} must have sizes of at least 0, got {list(tensor.dims)}"
            )
        self._budget.take(shown(name), tuple(tensor.dims), 8)
        try:
            array = np.asarray(self._to_array(tensor))
        except (ValueError, TypeError, RuntimeError) as error:
            raise ValueError(f"{shown(name)} must have the numbers that its shape says, got "
                             f"{str(error)[:80]}") from error  # fmt: skip
        if TYPES[tensor.data_type] == "BFLOAT16":
            self.half.append(name)
            return array.astype(np.float32)
        return array


def _tensors(graph: Any) -> dict[str, Any]:
    """Name -> constant of the graph."""
    found = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.output:
            values = [a.t for a in node.attribute if a.name == "value"]
            found |= dict(zip(node.output, values, strict=False))
    return found


def _options(node: Any, given: Mapping[str, Any]) -> dict[str, str]:
    """What a node says of how its weights are meant. Raises ValueError for what the core's cells
    are not."""
    name, kind = shown(node.name or node.op_type), node.op_type
    direction = _text(given.get("direction", b"forward"))
    if direction not in FORWARD:
        raise ValueError(f"direction of {name} must be one of {', '.join(FORWARD)}: turn x round "
                         f"instead, got {shown(direction)}")  # fmt: skip
    for option in ("clip", "input_forget"):
        if given.get(option):
            raise ValueError(f"{option} of {name} must be 0, got {shown(given[option])}")
    directions = 1 + (direction == "bidirectional")
    default = DEFAULTS[kind] * directions
    activations = given.get("activations")
    said = [_text(a) for a in activations] if isinstance(activations, list) else default
    if kind == "RNN":
        if len(set(said)) != 1 or said[0] not in ACTIVATIONS:
            raise ValueError(f"activations of {name} must be one of {', '.join(ACTIVATIONS)} for "
                             f"every direction, got {shown(said)}")  # fmt: skip
        return {"activation": ACTIVATIONS[said[0]]}
    if said != default:
        raise ValueError(f"activations of {name} must be {default}, got {shown(said)}")
    if kind == "GRU":
        return {"reset": "after" if given.get("linear_before_reset") else "before"}
    return {}


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _below(source: str, nodes: Iterable[Any], ends: Mapping[str, int]) -> int | None:
    """Which recurrent node a value comes from through operators that change its shape alone."""
    made = {output: node for node in nodes for output in node.output}
    seen = set()
    while source not in ends:
        node = made.get(source)
        if node is None or node.op_type not in RESHAPING or source in seen or not node.input:
            return None
        seen.add(source)
        source = node.input[0]
    return ends[source]


def _readout(
    nodes: Any, last: int, ends: Mapping[str, int], tensors: Mapping[str, Any], reader: _Reader
) -> dict[str, Array]:
    """The weights, as Keras names them, of a linear layer on the last recurrent node's output."""
    for node in nodes:
        if node.op_type not in ("MatMul", "Gemm") or len(node.input) < 2:
            continue
        if _below(node.input[0], nodes, ends) != last or node.input[1] not in tensors:
            continue
        kernel, bias = node.input[1], node.input[2] if len(node.input) > 2 else ""
        turned = any(a.name == "transB" and a.i for a in node.attribute)
        for after in nodes:
            if after.op_type == "Add" and {*node.output} & {*after.input}:
                bias = next((name for name in after.input if name in tensors), bias)
        if bias in tensors:
            W = reader("readout/kernel", tensors[kernel])
            b = reader("readout/bias", tensors[bias])
            return {"readout/kernel": W.T if turned else W, "readout/bias": b}
    return {}
