"""Weights of a network that was made elsewhere, as a network and parameters that the core runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
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
from rnnviz.models.blocks import blocks
from rnnviz.models.files import Source, opened
from rnnviz.models.given import absent_biases, numbers_held, without_biases
from rnnviz.models.hints import Hints
from rnnviz.models.layouts import KINDS, LAYOUTS, Blocks, Layout, Reading, reading, readings
from rnnviz.models.readout import embedding_table, with_readout
from rnnviz.models.reference import settle
from rnnviz.models.widening import Widening

NO_LIMITS = Limits()


@dataclass(frozen=True, eq=False)
class Loaded:
    """A network that came from elsewhere.

    network, params: what `run_network` takes. layout: whose arrays they were, and reading: how
    they were understood. embedding (V, D): one row a token, or None. where: the name before the
    arrays' own, "" for none. notes: what was assumed, widened or left out, one sentence each.
    unbiased: whether the arrays are without any bias. absent: the biases in params that stand in
    for ones that there are not, and stay what they are. held: how many numbers the arrays of the
    recurrent layers and the readout hold, None for those of params. All arrays are read-only.
    """

    network: Network
    params: dict[str, Array]
    layout: str
    reading: str
    embedding: Array | None = None
    where: str = ""
    notes: tuple[str, ...] = ()
    unbiased: bool = False
    absent: frozenset[str] = frozenset()
    held: int | None = None

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
    layout_name: str = "layout",
) -> Loaded:
    """A network and its parameters from weights of PyTorch, Keras, ONNX, TensorFlow 1 or rnnviz.

    Parameters
    ----------
    source
        A mapping from names to arrays or tensors (a `state_dict`), a module that has one, a list of
        a layer's arrays (Keras's `get_weights()`) or of such lists, or a file by its path, its
        bytes or opened: .npz, .safetensors, what `python -m rnnviz train` writes; with an extra
        .keras and .h5, and .onnx, which only its name tells.
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
        arrays that fits is taken, unless a file says that it reads something else, that it is not
        the last layer or that its activation is more than a softmax or sigmoid, or it comes before
        the recurrent arrays. Without a readout y is the output of the last layer; with one it is
        what that gives before an activation.
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
    layout_name
        What the caller's own users call `layout`: so errors name it.

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
    said: dict[str, Any] = {"gates": gates, "reset": reset}
    said |= {"forget_bias": forget_bias, "activation": activation}
    found = opened(source, limits)
    if isinstance(found.arrays, Mapping) and weights.ABOUT in found.arrays:
        said |= {layout_name: layout, "prefix": prefix, "cell": cell, "reads": reads}
        said["bidirectional"] = bidirectional or None
        _check_unsaid({**said, "readout": readout, "embedding": embedding, "reference": reference})
        return _own(found.arrays)
    stack = _stack(found, layout, prefix, bidirectional, layout_name)
    widening = Widening(found.half)
    layers, known = _layers(stack, widening, cell)
    hints = found.hints.of(stack.names)
    said["reset"] = reset or known or hints.get("reset")
    said["activation"] = activation or hints.get("activation")
    chosen, notes = _read(layers, LAYOUTS[stack.layout], said, reference, axes)
    network, bare = _network(layers, chosen, reads or hints.get("reads"))
    rest = dict(stack.rest)
    apart = partial(_apart, stack, found.hints)
    ending = found.hints.ending
    network, params, more = with_readout(network, bare, rest, readout, widening, apart, ending)
    looked_up = partial(found.hints.looks_up, stack.names[0] if stack.names else "")
    size = network.cells[0].input_size
    table, of_table = embedding_table(rest, embedding, size, widening, looked_up)
    notes += [
        *_assumed(stack, chosen, said),
        *more,
        *of_table,
        *widening.notes,
        *found.hints.notes,
        *_left([*rest, *found.hints.unread]),
    ]
    read = {name: params[name] for name in ("W_hy", "b_y") if params[name] is not bare[name]}
    zeros = found.hints.zeros - rest.keys()
    absent = absent_biases(stack, params) | ({"b_y"} if zeros else set())
    return Loaded(network, params, stack.layout, str(chosen), table, stack.where, tuple(notes),
                  without_biases(stack)[1], absent, numbers_held(stack, read, absent))  # fmt: skip


def _check_unsaid(options: Mapping[str, Any]) -> None:
    """Raise ValueError for options beside a file that says all of it."""
    if given := [name for name, value in options.items() if value is not None]:
        raise ValueError(f"{given[0]} must be None for a file of rnnviz's own, which says it, got "
                         f"{options[given[0]]!r:.80}")  # fmt: skip


def _stack(
    found: Source,
    layout: str | None,
    prefix: str | Sequence[str] | None,
    bidirectional: bool,
    layout_name: str,
) -> names.Stack:
    if layout is not None:
        checks.choice(layout_name, layout, LAYOUTS)
    if not isinstance(found.arrays, Mapping):
        if prefix is not None:
            raise ValueError(f"prefix must be None for arrays without names, got {prefix!r}")
        return names.in_order(found.arrays, names.choose_layout(layout), bidirectional)
    if bidirectional:
        raise ValueError("bidirectional must be False for arrays with names, which say it")
    wanted = found.hints.prefix if prefix is None else prefix
    return names.find(found.arrays, layout, wanted, found.in_order, layout_name)


def _apart(stack: names.Stack, hints: Hints, name: str, weight: str) -> str:
    """Why a linear layer is none upon the recurrent ones, as far as the source says it; else ""."""
    if weight in stack.before and name != "W_hy":
        return "its arrays come before the recurrent layers'"
    if stack.names and not hints.stands(name, stack.names[-1]):
        return "in the file it does not read the last recurrent layer's output"
    return hints.ending(name).why


def _layers(
    stack: names.Stack, widening: Widening, cell: str | None
) -> tuple[list[list[Blocks]], str | None]:
    """The blocks of each layer and direction, and the GRU's reset where the arrays say it."""
    said = checks.choice("cell", cell, KINDS.values()) if cell else None
    made: list[list[Blocks]] = []
    known: set[str | None] = set()
    for k, layer in enumerate(stack.layers):
        made.append([])
        for d, part in enumerate(layer):
            where = f"in the backward direction of layer {k}" if d else f"in layer {k}"
            where += f" of {shown(stack.where)}" if stack.where else ""
            arrays = {name: widening(*named) for name, named in part.items()}
            kind = said or names.cell_of(stack.layout, part)
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


def _read(
    layers: list[list[Blocks]], layout: Layout, said: dict[str, Any], reference: Any, axes: str
) -> tuple[Reading, list[str]]:
    """The reading that a reference proves, and what to say of it; else the one that is said."""
    checks.choice("axes", axes, AXES)
    kind = _kind(layers)
    if reference is None:
        return reading(layout, kind, **said), []
    open_reset = {"reset": said["reset"] or layout.reset or "after"} if kind == "gru" else {}
    tried = readings(reading(layout, kind, **{**said, **open_reset}), kind)
    which, note = settle([(str(one), *_network(layers, one)) for one in tried], reference, axes)
    return tried[which], [note]


def _network(
    layers: list[list[Blocks]], chosen: Reading, reads: str | None = None
) -> tuple[Network, dict[str, Array]]:
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
    if reads is not None and not both:
        raise ValueError(f"reads must be None for one direction, got {reads!r}")
    return Network(cells, width, both, READOUTS[0] if reads is None else reads), params


def _own(arrays: Mapping[str, Any]) -> Loaded:
    """What `python -m rnnviz train` has written."""
    found = weights.from_arrays(arrays)
    said = f"the model {found.label} after {found.state.step} training steps"
    params = dict(found.state.params)
    held = sum(array.size for array in params.values())
    return Loaded(found.network, params, "rnnviz", said, held=held)


def _assumed(stack: names.Stack, chosen: Reading, said: Mapping[str, Any]) -> list[str]:
    """What neither the arrays nor the caller said."""
    missing, every = without_biases(stack)
    which = "bias" if every else _listed(missing)
    notes = [f"no {which} in the file: zeros are taken"] if missing else []
    if chosen.activation and said["activation"] is None:
        notes.append(f"the nonlinearity is taken to be {chosen.activation}: weights do not say it")
    if chosen.forget_bias and said["forget_bias"] is None:
        notes.append(f"{chosen.forget_bias:g} is added to b_f, as this kernel does at run time")
    return notes


def _listed(found: Sequence[str]) -> str:
    return ", ".join(map(shown, found[:5])) + ", ..." * (len(found) > 5)


def _left(rest: Sequence[str]) -> list[str]:
    return [f"not read: {len(rest)} more arrays ({_listed(rest)})"] if rest else []
