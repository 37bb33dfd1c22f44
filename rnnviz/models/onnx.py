"""LSTM, GRU and RNN nodes of an ONNX graph.

Needs onnx (`pip install "rnnviz[onnx]"`), which reads the file's protocol buffer; nothing of the
graph is run, and no array is taken from another file. Nodes stand upon each other where one's
output reaches the next through operators that change its shape alone; so do a table before them,
whose rows the first one reads, and a linear layer upon the last one's output, or the last of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.experiment.npz import Budget, Limits, check_size, shown
from rnnviz.models.endings import NOTHING_KNOWN, Ending
from rnnviz.models.hints import Hints, chain
from rnnviz.models.onnx_graph import (
    LAST,
    NOTHING,
    OUTPUT,
    ROWS,
    Linear,
    Origin,
    linears,
    origins,
    put_out,
    reader_of_numbers,
    why_no_readout,
)
from rnnviz.models.protobuf import check_fields

WEIGHTS = ("W", "R", "B", "", "initial_h", "initial_c", "P")
"""The inputs of a recurrent node after x, "" for those that are no weights."""
DEFAULTS = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}
ACTIVATIONS = {"Tanh": "tanh", "Relu": "relu", "Sigmoid": "logistic"}
TYPES = {1: "FLOAT", 10: "FLOAT16", 11: "DOUBLE", 16: "BFLOAT16"}
FORWARD = ("forward", "bidirectional")
READOUT_BIAS = "readout/bias"


def read_onnx(data: bytes, limits: Limits) -> tuple[dict[str, Array], list[str], Hints]:
    """The arrays of the recurrent nodes, of an embedding before the first and a readout after the
    last one, by name; the names of those that were bfloat16; and what the nodes say of how they are
    meant.

    Raises ValueError for a damaged file, and for options that the core's cells do not have.
    """
    try:
        import onnx
    except ImportError as error:
        raise ValueError('ONNX files need onnx: pip install "rnnviz[onnx]"') from error
    check_size(data, limits)
    graph = _graph(data, onnx.ModelProto)
    nodes = _named_nodes(graph)
    tensors, value = _tensors(graph), onnx.helper.get_attribute_value
    reader = _Reader(onnx.numpy_helper.to_array, Budget(limits))
    said = {name: _options(node, {a.name: value(a) for a in node.attribute})
            for name, node in nodes.items()}  # fmt: skip
    places = {f"{name}.{kind}": str(source) for name, node in nodes.items()
              for kind, source in zip(WEIGHTS, node.input[1:], strict=False)
              if kind and source in tensors}  # fmt: skip
    arrays = {place: reader(place, tensors[source]) for place, source in places.items()}
    number = reader_of_numbers(onnx.numpy_helper.to_array)
    known = origins(graph.node, nodes, tensors, number)
    upon, around = _around(graph, nodes, known, tensors)
    if around.table:
        arrays["embedding"] = reader("embedding", tensors[around.table])
    if around.readout is not None:
        arrays |= _readout(around.readout, tensors, reader)
    weights = {tensor.name: tensor for tensor in graph.initializer}
    unread = _unread(weights, {*places.values(), *around.tensors})
    first = around.stack[0] if around.stack and around.table else ""
    tables = {name: "embedding" if name == first else "" for name in nodes}
    made = around.readout is not None and not around.readout.bias
    zeros = frozenset({READOUT_BIAS} if made else ())
    ends = {"readout": around.ending}
    return (
        arrays,
        reader.half,
        Hints(around.stack, said, upon, tables, unread, zeros, ends, around.notes),
    )


def _graph(data: bytes, model: Any) -> Any:
    """The graph of a file, parsed by the class of a model. Raises ValueError where it is none."""
    check_fields(data, model.DESCRIPTOR)
    try:
        return model.FromString(data).graph
    except Exception as error:  # the class of a parser's errors depends on its implementation
        raise ValueError("the file must be a whole ONNX model, it cannot be parsed") from error


@dataclass(frozen=True)
class _Around:
    """The recurrent nodes that stand upon each other, None for none such, the table whose rows the
    first of them reads, and the linear layer upon the last, with what becomes of what it makes, or
    why a product is none."""

    stack: tuple[str, ...] | None = None
    table: str = ""
    readout: Linear | None = None
    notes: tuple[str, ...] = ()
    ending: Ending = NOTHING_KNOWN

    @property
    def tensors(self) -> tuple[str, ...]:
        """All that is read besides the recurrent nodes'."""
        both = () if self.readout is None else (self.readout.kernel, self.readout.bias)
        return (self.table, *both)


def _around(
    graph: Any, nodes: Mapping[str, Any], known: Mapping[str, Origin], tensors: Mapping[str, Any]
) -> tuple[dict[str, str], _Around]:
    """What each recurrent node, and the readout, stands upon, and what is read of a graph."""
    below = {name: known.get(node.input[0], NOTHING) for name, node in nodes.items()}
    upon = {name: of if what == OUTPUT else "" for name, (what, of) in below.items()}
    if (stack := chain(tuple(nodes), upon)) is None:
        return upon, _Around()
    what, table = below[stack[0]]
    ends = (OUTPUT, stack[-1]), (LAST, stack[-1])
    last = put_out(graph.node, [each.name for each in graph.output])
    readout = next((one for one in linears(graph.node, tensors)
                    if known.get(one.reads) in ends and one.writes in last), None)  # fmt: skip
    ending = NOTHING_KNOWN if readout is None else Ending(last[readout.writes])
    notes = () if readout else _no_readout(graph, tensors, [v for v in known if known[v] in ends])
    found = _Around(stack, table if what == ROWS else "", readout, notes, ending)
    return {**upon, "readout": stack[-1]}, found


def _no_readout(graph: Any, tensors: Mapping[str, Any], reads: Collection[str]) -> tuple[str, ...]:
    name, why = why_no_readout(graph.node, tensors, reads)
    return (f"the product {shown(name)} is not read as the readout: {why}",) if why else ()


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


def _readout(found: Linear, tensors: Mapping[str, Any], reader: _Reader) -> dict[str, Array]:
    """The weights of a linear layer as Keras names them."""
    W = reader("readout/kernel", tensors[found.kernel])
    W = W.T if found.turned else W
    if not found.bias:
        return {"readout/kernel": W, READOUT_BIAS: np.zeros(W.shape[-1:], W.dtype)}
    return {"readout/kernel": W, READOUT_BIAS: reader(READOUT_BIAS, tensors[found.bias])}


def _unread(tensors: Mapping[str, Any], used: Collection[str]) -> tuple[str, ...]:
    """What may be weights, and was not read: no numbers alone, and no shapes or indices."""
    return tuple(
        name
        for name, tensor in tensors.items()
        if name not in used and len(tensor.dims) > (tensor.data_type not in TYPES)
    )
