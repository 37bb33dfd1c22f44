"""What the configuration of a Keras model says of its recurrent layers, read as data: how they are
meant, and what stands upon what."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from rnnviz.experiment.npz import shown
from rnnviz.models.endings import Ending, endings
from rnnviz.models.hints import Hints, chain, upon

ACTIVATIONS = {"tanh": "tanh", "relu": "relu", "sigmoid": "logistic", "linear": "identity"}
CELLS = ("LSTM", "GRU", "SimpleRNN")
RECURRENT = (*CELLS, "Bidirectional", "RNN")
PASSING = ("InputLayer", "Dropout", "SpatialDropout1D", "AlphaDropout", "GaussianDropout",
           "GaussianNoise", "Masking", "ActivityRegularization", "Identity")  # fmt: skip
"""Layers that leave what they are given as it is, once trained."""
ENDING = (*PASSING, "Activation", "Softmax", "Reshape", "Flatten", "Permute")
"""Those that may come after a readout: beside them such as change the shape alone, or apply no more
than a function."""
SAVED = "model_weights/"
"""Begins the names of arrays in a .h5 file that has the whole model."""


def parsed(text: Any) -> dict[str, Any]:
    """A configuration from its JSON. Raises ValueError where it is none."""
    try:
        config = json.loads(text)
        assert isinstance(config["config"], dict)
    except (ValueError, TypeError, KeyError, AssertionError, RecursionError) as error:
        raise ValueError(f"the configuration must be Keras's JSON, got {shown(text)}") from error
    return config


def hints(model: dict[str, Any], arrays: Iterable[str], counted: bool) -> Hints:
    """What a model's configuration says of its recurrent layers.

    arrays: the names of the file's. counted: whether they rather begin with the kind of a layer and
    its number than with the layer's own name. Raises ValueError for options that the core's cells
    do not have.
    """
    layers = model["config"].get("layers", [])
    if not isinstance(layers, list) or not all(isinstance(each, dict) for each in layers):
        raise ValueError(f"layers must be a list of layers, got {shown(layers)}")
    kinds = [str(layer.get("class_name")) for layer in layers]
    configs = [_mapping(layer.get("config", {})) for layer in layers]
    recurrent = [k for k, kind in enumerate(kinds) if kind in RECURRENT]
    said = {k: _options(kinds[k], configs[k]) for k in recurrent}
    names = _names(kinds, configs, recurrent, arrays, counted)
    options = {names[k]: each for k, each in said.items()}
    ends = _endings(model, layers, names, kinds)
    sources = _sources(model, layers)
    if sources is None:
        return Hints(options=options, endings=ends)
    through = {names[k] for k, kind in enumerate(kinds) if kind in PASSING}
    read = {names[k]: names[below] if below is not None else "" for k, below in sources.items()}
    found = upon(read, list(options), through)
    embeddings = [names[k] for k, kind in enumerate(kinds) if kind == "Embedding"]
    of_rows = upon(read, embeddings, through)
    tables = {name: of_rows[name] for name in options}
    stack = chain(list(options), found)
    prefix = _prefixes(stack, arrays) if stack else None
    return Hints(prefix, options, found, tables, endings=ends)


def _names(
    kinds: list[str],
    configs: list[dict[str, Any]],
    recurrent: list[int],
    arrays: Iterable[str],
    counted: bool,
) -> list[str]:
    """What the arrays' names of each layer begin with: its kind and number, or its own name."""
    by_kind, counts = list[str](), Counter[str]()
    for kind in kinds:
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind).lower()
        by_kind.append(f"{snake}_{counts[snake]}" if counts[snake] else snake)
        counts[snake] += 1
    own = [str(config.get("name", name)) for config, name in zip(configs, by_kind, strict=True)]
    first, second = (by_kind, own) if counted else (own, by_kind)
    there = {name.removeprefix(SAVED).split("/")[0] for name in arrays}
    fits = {first[k] for k in recurrent} <= there or not {second[k] for k in recurrent} <= there
    return first if fits else second


def _prefixes(stack: tuple[str, ...], arrays: Iterable[str]) -> tuple[str, ...] | None:
    """The names of layers as arrays' names begin with them; None where there is one without any."""
    every = tuple(arrays)
    found = [next((start + name for start in ("", SAVED)
                   if any(each.startswith(f"{start}{name}/") for each in every)), None)
             for name in stack]  # fmt: skip
    there = tuple(name for name in found if name is not None)
    return there if len(there) == len(found) else None


def _sources(model: dict[str, Any], layers: list[dict[str, Any]]) -> dict[int, int | None] | None:
    """Which layer each of them reads, None for the input or what is not known of one; None where
    the model does not say it."""
    if model.get("class_name") == "Sequential":
        return {k: k - 1 if k else None for k in range(len(layers))}
    if not any("inbound_nodes" in layer for layer in layers):
        return None
    own = _own_names(layers)
    cells = {name for name, k in own.items() if layers[k].get("class_name") in CELLS}
    return {k: own.get(_read(layer.get("inbound_nodes"), cells)) for k, layer in enumerate(layers)}


def _own_names(layers: list[dict[str, Any]]) -> dict[str, int]:
    """The name that a model calls a layer by -> which it is."""
    return {str(_mapping(layer.get("config", {})).get("name", layer.get("name"))): k
            for k, layer in enumerate(layers)}  # fmt: skip


def _endings(
    model: dict[str, Any], layers: list[dict[str, Any]], names: list[str], kinds: list[str]
) -> dict[str, Ending]:
    """What becomes of what each layer puts out, as far as the model says it."""
    readers: dict[str, list[str]] = {name: [] for name in names}
    own = _own_names(layers)
    if model.get("class_name") == "Sequential":
        readers |= {below: [above] for below, above in pairwise(names)}
    else:
        for name, layer in zip(names, layers, strict=True):
            for read, *_ in _histories(layer.get("inbound_nodes")):
                if read in own:
                    readers[names[own[read]]].append(name)
    said = [names[own[name]] for name, *_ in _histories(model["config"].get("output_layers"))
            if name in own]  # fmt: skip
    outputs = {*said, *(name for name, above in readers.items() if not above)}
    functions = {name: _function(layer) for name, layer in zip(names, layers, strict=True)}
    through = {name for name, kind in zip(names, kinds, strict=True) if kind in ENDING}
    return endings(readers, outputs, functions, through)


def _function(layer: dict[str, Any]) -> str:
    """The name of the function that a layer applies to what it gives, "" for none."""
    config = _mapping(layer.get("config", {}))
    if layer.get("class_name") == "TimeDistributed":
        return _function(_mapping(config.get("layer", {})))
    if layer.get("class_name") == "Softmax":
        return "softmax"
    said = config.get("activation")
    if isinstance(said, dict):  # a function or layer of its own
        said = said["config"] if isinstance(said.get("config"), str) else said.get("class_name")
    return "" if said in (None, "linear") else shown(said).strip("'")


def _read(nodes: object, cells: set[str]) -> str:
    """The layer whose first output a layer is called upon, once, or of a recurrent one in a single
    direction its last h; "" for all else."""
    if not isinstance(nodes, list) or len(nodes) != 1:
        return ""
    node = nodes[0].get("args") if isinstance(nodes[0], dict) else nodes[0]
    name, call, output = next(_histories(node), ("", 0, 0))
    return name if (call, output) == (0, 0) or (call, output, name in cells) == (0, 1, True) else ""


def _histories(node: object) -> Iterator[tuple[str, int, int]]:
    """The tensors that are handed over, each by its layer and two numbers, as Keras 3 and before
    wrote them."""
    if isinstance(node, list | tuple):
        match node:
            case [str(name), int(call), int(output), *more]:
                yield name, call, output
                yield from _histories(more)
            case _:
                for each in node:
                    yield from _histories(each)
    elif isinstance(node, dict):
        if isinstance(tensor := node.get("config"), dict):
            yield from _histories(tensor.get("keras_history"))
        else:
            yield from _histories(list(node.values()))


def _options(kind: str, options: dict[str, Any]) -> dict[str, str]:
    """What one recurrent layer says. Raises ValueError for what is not one of the core's cells."""
    if kind == "Bidirectional":
        return _of_both(options)
    if kind not in CELLS:
        raise ValueError(f"recurrent layers must be {', '.join(CELLS)}, got {shown(kind)}")
    if options.get("go_backwards"):
        raise ValueError("go_backwards must be False: turn x round instead, got True")
    activation, gates = options.get("activation", "tanh"), options.get("recurrent_activation")
    allowed = list(ACTIVATIONS) if kind == "SimpleRNN" else ["tanh"]
    if activation not in allowed:
        raise ValueError(f"activation of {kind} must be one of {', '.join(allowed)}, got "
                         f"{shown(activation)}")  # fmt: skip
    if kind != "SimpleRNN" and gates not in (None, "sigmoid"):
        raise ValueError(f"recurrent_activation must be 'sigmoid', got {shown(gates)}")
    if kind == "SimpleRNN":
        return {"activation": ACTIVATIONS[activation]}
    if "reset_after" in options:
        return {"reset": "after" if options["reset_after"] else "before"}
    return {}


def _of_both(options: dict[str, Any]) -> dict[str, str]:
    """What a layer in both directions says: that of each, which must be the same, and what of
    them is read."""
    if options.get("merge_mode") != "concat":
        raise ValueError(f"merge_mode must be 'concat', got {shown(options.get('merge_mode'))}")
    inner = [_mapping(options[n]) for n in ("layer", "backward_layer") if options.get(n)]
    configs = [_mapping(each.get("config", {})) for each in inner]
    if [bool(each.get("go_backwards")) for each in configs] != [False, True][: len(configs)]:
        raise ValueError("go_backwards must be False in the first direction and True in the second")
    ways = []
    for each, config in zip(inner, configs, strict=True):
        if (kind := each.get("class_name")) not in CELLS:
            raise ValueError(f"recurrent layers must be {', '.join(CELLS)}, got {shown(kind)}")
        ways.append(_options(kind, {**config, "go_backwards": False}))
    if not ways or any(way != ways[0] for way in ways):
        raise ValueError(f"both directions must be meant alike, got {ways}")
    return {**ways[0], "reads": "aligned" if configs[0].get("return_sequences") else "final"}


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"the configuration must be Keras's JSON, got {shown(value)}")
    return value
