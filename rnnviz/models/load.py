"""Weights of a network that was made elsewhere, as a network and parameters that the core runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnnviz.core import checks
from rnnviz.core.architecture import READOUTS
from rnnviz.core.layers import key
from rnnviz.core.layouts import LAYOUTS as AXES
from rnnviz.core.network import Network
from rnnviz.core.numerics import Array
from rnnviz.experiment import weights
from rnnviz.experiment.npz import Limits, shown
from rnnviz.models import names
from rnnviz.models.blocks import blocks, missing_bias
from rnnviz.models.files import opened
from rnnviz.models.layouts import KINDS, LAYOUTS, Blocks, Reading, reading, readings
from rnnviz.models.reference import settle
from rnnviz.models.widening import Widening

NO_LIMITS = Limits()


@dataclass(frozen=True, eq=False)
class Loaded:
    """A network that came from elsewhere.

    network, params: what `run_network` takes. layout: whose arrays they were, and reading: how
    they were understood. embedding (V, D): one row a token, or None. where: the name before the
    arrays' own, "" for none. notes: what was assumed, widened or left out, one sentence each. All
    arrays are read-only.
    """

    network: Network
    params: dict[str, Array]
    layout: str
    reading: str
    embedding: Array | None = None
    where: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for array in (*self.params.values(), self.embedding):
            if array is not None:
                array.flags.writeable = False


def load(
    source: Any,
    layout: str | None = None,
    *,
    prefix: str | Sequence[str] | None = None,
    cell: str | None = None,
    gates: str | Sequence[str] | None = None,
    reset: str | None = None,
    forget_bias: float | None = None,
    activation: str | None = None,
    bidirectional: bool = False,
    readout: Any = None,
    embedding: Any = None,
    reads: str | None = None,
    reference: tuple[Any, Any] | None = None,
    axes: str = "tdb",
    limits: Limits = NO_LIMITS,
) -> Loaded:
    """A network and its parameters from weights of PyTorch, Keras, ONNX, TensorFlow 1 or rnnviz.

    Parameters
    ----------
    source
        A mapping from names to arrays or tensors (a `state_dict`), a module that has one, a list of
        a layer's arrays (Keras's `get_weights()`) or of such lists, or a file by its path, its
        bytes or opened: .npz, .safetensors, what `python -m rnnviz train` writes.
    layout
        One of `LAYOUTS`; the arrays' names say it, else it must be given: a wrong order of gates
        has the right shapes.
    prefix
        Which network of several, "encoder.rnn", or the names of layers that stand upon each other.
    cell, gates, reset, forget_bias, activation
        What neither names nor file say, or what the layout says otherwise: "lstm", "gru" or "rnn";
        the order of the gates, such as "ifgo"; the GRU's reset "before" or "after" the product;
        what is added to the LSTM's b_f at run time; the RNN's nonlinearity, "tanh" or "relu".
    bidirectional
        Whether a list has the arrays of two directions in each layer.
    readout
        (W, b), the name before its ".weight" and ".bias", or False for none; else the one pair of
        arrays that fits is taken. Without a readout y is the output of the last layer.
    embedding
        The table (V, D) or its name; else the one whose name says so.
    reads
        What a readout of two directions reads: "aligned", both at the same step (the default), or
        "final", each direction's own last state at the last step.
    reference
        (x, h): inputs, and the last layer's output at every step, or at the last one alone, as the
        framework computed it. The reading that reproduces it is taken and said.
    axes
        How x and h of the reference are laid out: "tdb", "btd" (batch first) or "tbd".
    limits
        The most that a file may hold.

    Raises
    ------
    ValueError
        For what is missing, does not fit or cannot be told, naming it and what is allowed, and for
        a file that is damaged, too large or a pickle.
    OSError
        For a path without a file.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> shapes = {"weight_ih_l0": (12, 2), "weight_hh_l0": (12, 3), "bias_ih_l0": (12,)}
    >>> lstm = load({f"rnn.{name}": rng.standard_normal(n) for name, n in shapes.items()})
    >>> lstm.layout, lstm.reading, lstm.where
    ('pytorch', 'gates i, f, g, o', 'rnn')
    >>> sorted(lstm.params)
    ['0.forward.W_hh', '0.forward.W_xh', '0.forward.b_h', 'W_hy', 'b_y']
    """
    if layout is not None:
        checks.choice("layout", layout, LAYOUTS)
    found = opened(source, limits)
    if isinstance(found.arrays, Mapping) and weights.ABOUT in found.arrays:
        return _own(found.arrays)
    options: dict[str, Any] = {
        "gates": gates,
        "reset": reset,
        "forget_bias": forget_bias,
        "activation": activation,
    }
    said_by_file = found.hints
    options |= {name: said_by_file[name] for name in ("reset", "activation")
                if options[name] is None and name in said_by_file}  # fmt: skip
    prefix = prefix if prefix is not None else said_by_file.get("prefix")
    reads = reads or said_by_file.get("reads")
    stack = _stack(found.arrays, layout, prefix, bidirectional)
    widening = Widening(found.half)
    layers, known = _layers(stack, widening, cell)
    gru = _kind(layers) == "gru"
    if options["reset"] is None:
        options["reset"] = known or ("after" if reference is not None and gru else None)
    first = reading(LAYOUTS[stack.layout], _kind(layers), **options)
    chosen, notes = _settled(layers, first, reference, axes)
    network, params = _network(layers, chosen)
    if reads:
        network = replace(network, readout=checks.choice("reads", reads, READOUTS))
    notes += _assumed(stack, first, options["activation"])
    rest = dict(stack.rest)
    network, params, said = _with_readout(network, params, rest, readout, widening)
    table, more = _table(rest, embedding, network.cells[0].input_size, widening)
    notes += [*said, *more, *widening.notes, *_left(rest)]
    return Loaded(network, params, stack.layout, str(chosen), table, stack.where, tuple(notes))


def _stack(arrays: Any, layout: str | None, prefix: Any, bidirectional: bool) -> names.Stack:
    if isinstance(arrays, Mapping):
        return names.find(arrays, layout, prefix)
    return names.in_order(arrays, names.choose_layout(layout), bidirectional)


def _layers(
    stack: names.Stack, widening: Widening, cell: str | None
) -> tuple[list[list[Blocks]], str | None]:
    """The blocks of each layer and direction, and the GRU's reset where the arrays say it."""
    kind = checks.choice("cell", cell, KINDS.values()) if cell else stack.cell
    made: list[list[Blocks]] = []
    known: set[str | None] = set()
    for k, layer in enumerate(stack.layers):
        made.append([])
        for d, part in enumerate(layer):
            where = f" in layer {k}{', backward' * d}"
            where += f" of {shown(stack.where)}" if stack.where else ""
            arrays = {name: widening(*named) for name, named in part.items()}
            one, reset = blocks(stack.layout, arrays, where, kind)
            made[-1].append(one)
            known.add(reset)
    kinds = {one.kind for layer in made for one in layer}
    if len(kinds) > 1 or len(known) > 1:
        raise ValueError(f"all layers must be of one kind, got {', '.join(sorted(kinds))}, reset "
                         f"{', '.join(map(str, known))}")  # fmt: skip
    return made, known.pop()


def _kind(layers: list[list[Blocks]]) -> str:
    return layers[0][0].kind


def _settled(
    layers: list[list[Blocks]], first: Reading, reference: Any, axes: str
) -> tuple[Reading, list[str]]:
    """The reading that a reference proves, and what to say of it; else the one there is."""
    checks.choice("axes", axes, AXES)
    if reference is None:
        return first, []
    tried = readings(first, _kind(layers))
    which, note = settle([(str(one), *_network(layers, one)) for one in tried], reference, axes)
    return tried[which], [note]


def _network(layers: list[list[Blocks]], chosen: Reading) -> tuple[Network, dict[str, Array]]:
    """The network without a readout: y is what the last layer puts out."""
    cells = tuple(layer[0].cell(chosen) for layer in layers)
    params: dict[str, Array] = {}
    for k, layer in enumerate(layers):
        for d, one in enumerate(layer):
            params |= {key(k, name, d): value for name, value in one.params(chosen).items()}
    both = len(layers[0]) == 2
    for k, layer in enumerate(layers):
        if any(one.cell(chosen) != cells[k] for one in layer):
            raise ValueError(f"both directions of layer {k} must have the same sizes, got "
                             f"{', '.join(str(one.W_x.shape) for one in layer)}")  # fmt: skip
    width = cells[-1].hidden_size * len(layers[-1])
    dtype = np.result_type(*params.values())
    params |= {"W_hy": np.eye(width, dtype=dtype), "b_y": np.zeros(width, dtype)}
    return Network(cells, width, both), params


def _own(arrays: Mapping[str, Any]) -> Loaded:
    """What `python -m rnnviz train` has written."""
    found = weights.from_arrays(arrays)
    said = f"the model {found.label} after {found.state.step} training steps"
    return Loaded(found.network, dict(found.state.params), "rnnviz", said)


def _with_readout(
    network: Network, params: dict[str, Array], rest: dict[str, Any], given: Any, widening: Widening
) -> tuple[Network, dict[str, Array], list[str]]:
    """The network with the readout that is given or named, or the only one that fits; what to
    say of it. What is taken is no longer in rest."""
    pairs = _pairs(rest)
    if isinstance(given, str) and given not in pairs:
        raise ValueError(f"readout must be one of {', '.join(map(shown, pairs)) or 'none'}, got "
                         f"{shown(given)}")  # fmt: skip
    fitting = [n for n, (w, _, turned) in pairs.items()
               if np.shape(rest[w])[not turned :][:1] == (network.output_width,)]  # fmt: skip
    none = f"without a readout: y is the output of the last layer, {network.output_width} numbers"
    name = given if isinstance(given, str) else fitting[0] if len(fitting) == 1 else None
    if given is False or (given is None and name is None):
        several = f" ({', '.join(map(shown, fitting))} would fit)" if fitting else ""
        return network, params, [none + several]
    if name is None or not (given is None or isinstance(given, str)):
        W, b = (widening(f"readout[{k}]", value) for k, value in enumerate(given))
        said = []
    else:
        w, bias, turned = pairs[name]
        W, b = widening(w, rest.pop(w)), widening(bias, rest.pop(bias))
        W, said = W.T if turned else W, [f"{shown(name)} is read as the readout"]
    if W.ndim != 2 or W.shape[1] != network.output_width or b.shape != W.shape[:1]:
        raise ValueError(f"readout must be W (O, {network.output_width}) and b (O,), got {W.shape} "
                         f"and {b.shape}")  # fmt: skip
    params = {**params, "W_hy": np.ascontiguousarray(W), "b_y": b}
    return replace(network, output_size=len(W)), params, said


def _pairs(rest: Mapping[str, Any]) -> dict[str, tuple[str, str, bool]]:
    """Name -> weight, bias, and whether the weight is (from, to), of what may be a readout."""
    found = {}
    for weight in rest:
        for end, bias, turned in ((".weight", ".bias", False), ("/kernel", "/bias", True)):
            number = ":0" * weight.endswith(":0")  # as TensorFlow ends a name
            name = weight.removesuffix(number).removesuffix(end)
            beside = name + bias + number
            if weight.endswith(end + number) and beside in rest and np.ndim(rest[beside]) == 1:
                found[name] = weight, beside, turned
    if "W_hy" in rest and "b_y" in rest:
        found["W_hy"] = "W_hy", "b_y", False
    return found


def _table(
    rest: dict[str, Any], given: Any, input_size: int, widening: Widening
) -> tuple[Array | None, list[str]]:
    """The embedding table (V, D) that is given or named, or the only one by its name."""
    if given is False:
        return None, []
    name = given if isinstance(given, str) else None
    if name is not None and name not in rest and f"{name}.weight" in rest:
        name = f"{name}.weight"
    if name is not None and name not in rest:
        raise ValueError(f"embedding must be one of {', '.join(map(shown, rest)) or 'none'}, got "
                         f"{shown(given)}")  # fmt: skip
    if given is None:
        fitting = [n for n, a in rest.items() if "emb" in n.lower() and np.ndim(a) == 2
                   and np.shape(a)[1] == input_size]  # fmt: skip
        if len(fitting) != 1:
            return None, []
        name = fitting[0]
    table = widening("embedding", given) if name is None else widening(name, rest.pop(name))
    if table.ndim != 2 or table.shape[1] != input_size:
        raise ValueError(f"embedding must have shape (V, {input_size}), got {table.shape}")
    return table, [] if name is None else [f"{shown(name)} is read as the embedding"]


def _assumed(stack: names.Stack, first: Reading, activation: str | None) -> list[str]:
    """What neither the arrays nor the caller said."""
    parts = [part for layer in stack.layers for part in layer]
    notes = ["no bias in the file: zeros are taken"] if any(map(missing_bias, parts)) else []
    if first.activation and activation is None:
        notes.append(f"the nonlinearity is taken to be {first.activation}: weights do not say it")
    if stack.layout == "tensorflow1" and first.forget_bias:
        notes.append(f"{first.forget_bias:g} is added to b_f, as this kernel does at run time")
    return notes


def _left(rest: Mapping[str, Any]) -> list[str]:
    names_ = ", ".join(shown(name) for name in list(rest)[:5]) + ", ..." * (len(rest) > 5)
    return [f"not read: {len(rest)} more arrays ({names_})"] if rest else []
