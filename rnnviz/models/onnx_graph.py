"""What the values of an ONNX graph are, as far as it matters here: outputs of recurrent nodes, rows
of a table, and what a linear layer makes of them. Nothing is run."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

RESHAPING = ("Transpose", "Reshape", "Squeeze", "Unsqueeze", "Identity", "Dropout", "Cast")
SCORED = ("Softmax", "LogSoftmax", "Sigmoid")
CHOOSING = (*SCORED, "ArgMax", "Gather", "Slice")
"""What may come after a readout: it tells what its numbers are of, or takes some steps."""
WHOLE = (6, 7)
"""The types of tensors that hold indices."""
OUTPUT, LAST, ROWS = "output", "last", "rows"
"""What a value may be: all that a recurrent node puts out, the last of it, or rows of a table."""

Origin = tuple[str, str]
"""What a value is, and of which node or tensor."""
NOTHING: Origin = ("", "")


def origins(
    nodes: Iterable[Any],
    recurrent: Mapping[str, Any],
    tensors: Mapping[str, Any],
    number: Callable[[Any], int | None],
) -> dict[str, Origin]:
    """Value -> what it is, also after operators that change its shape alone.

    nodes: in the order in which they run, as a graph has them. recurrent: by name. number: what a
    tensor holds, None where it is not one whole number.
    """
    found, steps = dict[str, Origin](), dict[str, int | None]()
    for name, node in recurrent.items():
        found |= dict.fromkeys(node.output[:1], (OUTPUT, name))
        if _options(node).get("direction", b"forward") == b"forward":
            found |= dict.fromkeys(filter(None, node.output[1:2]), (LAST, name))
        steps |= dict.fromkeys(
            filter(None, node.output[:2]), int(_options(node).get("layout") == 1)
        )
    for node in nodes:
        if not node.input or not node.output:
            continue
        read, made = node.input[0], node.output[0]
        what, of = found.get(read, NOTHING)
        given = [number(tensors.get(name)) for name in node.input[1:5]]
        if node.op_type in RESHAPING and what:
            found[made], steps[made] = (what, of), _moved(steps.get(read), node, given)
        elif node.op_type in ("Gather", "Slice") and given:
            if read in tensors and not _options(node).get("axis"):
                found[made] = ROWS, str(read)
            elif what in (OUTPUT, LAST) and _takes_last(node, given, steps.get(read)):
                found[made] = LAST, of
    return found


def _moved(axis: int | None, node: Any, given: Sequence[int | None]) -> int | None:
    """Where an axis of what a node reads is after it, None for nowhere: a Transpose and a Squeeze
    say it; the others, as frameworks write them, leave what stands before the units where it is."""
    options = _options(node)
    if axis is None:
        return None
    if node.op_type == "Squeeze":
        gone = [at for at in (*given, *(options.get("axes") or ())) if at is not None and at >= 0]
        return None if axis in gone else axis - sum(at < axis for at in gone)
    order = options.get("perm") if node.op_type == "Transpose" else None
    return list(order).index(axis) if order and axis in order else axis


def _takes_last(node: Any, given: Sequence[int | None], axis: int | None) -> bool:
    """Whether a Gather or Slice takes the last along an axis. given: the numbers that it reads."""
    if node.op_type == "Gather":
        return given[0] == -1 and _of_three(_options(node).get("axis") or 0) == axis is not None
    along, by = 0 if len(given) < 3 else given[2], 1 if len(given) < 4 else given[3]
    return given[0] == -1 and by == 1 and _of_three(along) == axis is not None


def _of_three(axis: int | None) -> int | None:
    """An axis that is counted from the end, of steps, sequences and units in some order."""
    return axis + 3 if axis is not None and axis < 0 else axis


def _options(node: Any) -> dict[str, Any]:
    """The options of a node that are read here."""
    return {a.name: a.s or a.i or a.f or list(a.ints) for a in node.attribute}


@dataclass(frozen=True)
class Linear:
    """A linear layer by its tensors, "" for no bias. reads, writes: what it acts on, and makes.
    turned: whether its kernel is (to, from)."""

    reads: str
    writes: str
    kernel: str
    bias: str
    turned: bool


def linears(nodes: Iterable[Any], tensors: Mapping[str, Any]) -> Iterator[Linear]:
    """Every linear layer of a graph whose weights are in it."""
    every = list(nodes)
    turned = _turned(every)
    added = {value: n for n in every if n.op_type == "Add" for value in n.input}
    for node in every:
        options = _options(node)
        if not _is_product(node) or _unusual(node):
            continue
        kernel = turned.get(node.input[1], node.input[1])
        bias, made = node.input[2] if len(node.input) > 2 else "", node.output[0]
        after = added.get(made)
        named = () if after is None or bias else [name for name in after.input if name in tensors]
        if after is not None and named:
            bias, made = named[0], after.output[0]
        if kernel in tensors and (not bias or bias in tensors):
            across = (kernel != node.input[1]) != bool(options.get("transB"))
            yield Linear(str(node.input[0]), str(made), str(kernel), str(bias), across)


def why_no_readout(
    nodes: Iterable[Any], tensors: Mapping[str, Any], reads: Collection[str]
) -> tuple[str, str]:
    """The last product with weights of a graph, and why it is no readout; "" where there is none.
    reads: the values that a readout may read."""
    every = list(nodes)
    turned = _turned(every)
    products = [n for n in every
                if _is_product(n) and turned.get(n.input[1], n.input[1]) in tensors]  # fmt: skip
    if not products:
        return "", ""
    node = products[-1]
    name, unusual = str(node.name or node.output[0]), _unusual(node)
    if unusual:
        return name, f"its {unusual} is {_options(node)[unusual]!r:.40}"
    if node.input[0] not in reads:
        return name, "it reads something else than the last recurrent node's output or its last"
    return name, "the file puts out what other nodes make of it"


def _is_product(node: Any) -> bool:
    whole = len(node.input) > 1 and len(node.output) > 0
    return node.op_type in ("MatMul", "Gemm") and whole


def _unusual(node: Any) -> str:
    """The option of a Gemm that makes it more than a linear layer, "" for none."""
    usual = {"alpha": 1, "beta": 1, "transA": 0} if node.op_type == "Gemm" else {}
    options = _options(node)
    return next((name for name, value in usual.items() if options.get(name, value) != value), "")


def _turned(nodes: Iterable[Any]) -> dict[str, str]:
    """Matrices that are turned, and of what."""
    return {n.output[0]: n.input[0] for n in nodes
            if n.op_type == "Transpose" and n.input and n.output
            and _options(n).get("perm", [1, 0]) == [1, 0]}  # fmt: skip


def put_out(nodes: Iterable[Any], outputs: Iterable[str]) -> dict[str, str]:
    """The values that are outputs of a graph, or become one by what changes their shape alone or
    chooses among them, each with the function that makes probabilities of it on the way, "" for
    none."""
    found = dict.fromkeys(outputs, "")
    for node in reversed(list(nodes)):
        ways = [found[value] for value in node.output if value in found]
        if node.op_type in (*RESHAPING, *CHOOSING) and ways and node.input:
            function = str(node.op_type) if node.op_type in SCORED else ways[0]
            known = found.get(node.input[0], function)
            found[node.input[0]] = known and function
    return found


def reader_of_numbers(to_array: Callable[[Any], Any]) -> Callable[[Any], int | None]:
    """What a tensor holds, None where it is not one whole number that lies in the file itself."""

    def number(tensor: Any) -> int | None:
        if tensor is None or tensor.data_location or tensor.external_data:
            return None
        if tensor.data_type not in WHOLE or math.prod(tensor.dims) != 1:
            return None
        try:
            return int(to_array(tensor).item())
        except (ValueError, TypeError, RuntimeError):
            return None

    return number
