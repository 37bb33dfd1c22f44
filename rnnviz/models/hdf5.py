"""Weights that Keras saved, read without Keras and without running anything of the file.

Needs h5py (`pip install "rnnviz[keras]"`): HDF5 is no format to parse anew. Of what it can do, only
arrays that lie in the file itself are read: no links, which could lead to other files, no external
or virtual storage, no filters but the usual ones. The configuration is read as data: it says which
layers stand upon each other, and refuses what the core's cells are not.
"""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from typing import Any

from rnnviz.core.numerics import Array
from rnnviz.experiment.npz import BROKEN, Budget, Limits, check_size, shown
from rnnviz.models.hints import Hints

MAX_CONFIG = 1 << 20
FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32"}
ACTIVATIONS = {"tanh": "tanh", "relu": "relu", "sigmoid": "logistic", "linear": "identity"}
DAMAGED = (OSError, RuntimeError, LookupError, TypeError, AttributeError, ArithmeticError,
           MemoryError, UnicodeError, SystemError)  # fmt: skip
"""What h5py has been seen to raise for changed bytes."""
CELLS = ("LSTM", "GRU", "SimpleRNN")

Weights = tuple[dict[str, Array], Hints]
"""Arrays by name, and what the file says of how they are meant."""


def read_hdf5(data: bytes, limits: Limits) -> Weights:
    """The arrays of a Keras .weights.h5 or .h5 file under Keras's names for them, and what the
    configuration says, where there is one. Raises ValueError for anything unusual."""
    try:
        import h5py
    except ImportError as error:
        raise ValueError('HDF5 files need h5py: pip install "rnnviz[keras]"') from error
    check_size(data, limits)
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            found = dict(_arrays(file, h5py, Budget(limits)))
            config = file.attrs.get("model_config")
    except DAMAGED as error:
        raise ValueError(f"the file must be a whole HDF5 file, it is damaged "
                         f"({str(error)[:80]})") from error  # fmt: skip
    named = {_keras_name(name): array for name, array in found.items()}
    return named, _hints(_parsed(config), named) if config is not None else Hints()


def read_keras(data: bytes, limits: Limits) -> Weights:
    """The arrays of a .keras file, and what its configuration says of them."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            config = _member(archive, "config.json", MAX_CONFIG)
            weights = _member(archive, "model.weights.h5", limits.bytes)
    except (*BROKEN, KeyError, RuntimeError) as error:
        raise ValueError(f"the file must be a whole .keras file, it is damaged "
                         f"({str(error)[:80]})") from error  # fmt: skip
    arrays, _ = read_hdf5(weights, limits)
    return arrays, _hints(_parsed(config), arrays)


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    with archive.open(name) as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise ValueError(f"{name} must have at most {most:,} bytes, it has more")
    return data


def _arrays(file: Any, h5py: Any, budget: Budget) -> Iterator[tuple[str, Array]]:
    """Path -> array of every one that lies in the file."""
    groups, seen = [("", file)], 0
    while groups:
        path, group = groups.pop(0)
        for name in group:
            seen += 1
            where = f"{path}{name}"
            if seen > 16 * budget.limits.arrays:
                raise ValueError(f"the file must have fewer groups, {shown(where)} is too many")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"the file must hold its arrays itself, {shown(where)} is a link")
            item = group[name]
            if isinstance(item, h5py.Group):
                groups.append((f"{where}/", item))
            elif not where.startswith("optimizer") and item.dtype.kind in "fiu":
                yield where, _array(item, shown(where), budget)


def _array(item: Any, name: str, budget: Budget) -> Array:
    if item.is_virtual or item.external:
        raise ValueError(f"the file must hold its arrays itself, {name} is stored elsewhere")
    settings = item.id.get_create_plist()
    filters = [settings.get_filter(k)[0] for k in range(settings.get_nfilters())]
    if not set(filters) <= set(FILTERS):
        raise ValueError(f"{name} must be stored with {', '.join(FILTERS.values())} alone, got "
                         f"filters {filters}")  # fmt: skip
    budget.take(name, item.shape, item.dtype.itemsize)
    if math.prod(item.chunks or (0,)) * item.dtype.itemsize > budget.limits.bytes:
        raise ValueError(f"{name} must have smaller chunks, got {shown(item.chunks)}")
    return item[()]


def _keras_name(path: str) -> str:
    """Keras 3 numbers a layer's arrays; this is how its layers name them."""
    match = re.fullmatch(r"(?:_?layers/)?(.+?)(/cell)?/vars/(\d)", path)
    if match is None:
        return path
    where, cell, number = match[1], match[2], int(match[3])
    names = ["kernel", "recurrent_kernel", "bias"] if cell else ["kernel", "bias"]
    if "embedding" in where:
        names = ["embeddings"]
    return f"{where}/{names[number]}" if number < len(names) else path


def _parsed(text: Any) -> dict[str, Any]:
    try:
        config = json.loads(text)
        assert isinstance(config["config"], dict)
    except (ValueError, TypeError, KeyError, AssertionError, RecursionError) as error:
        raise ValueError(f"the configuration must be Keras's JSON, got {shown(text)}") from error
    return config


def _hints(model: dict[str, Any], arrays: dict[str, Array]) -> Hints:
    """What a model's configuration says of its recurrent layers. Raises ValueError for options that
    the core's cells do not have."""
    layers = model["config"].get("layers", [])
    if not isinstance(layers, list) or not all(isinstance(each, dict) for each in layers):
        raise ValueError(f"layers must be a list of layers, got {shown(layers)}")
    said: dict[str, dict[str, str]] = {}
    prefixes, counts = [], Counter[str]()
    for layer in layers:
        kind, options = str(layer.get("class_name")), _mapping(layer.get("config", {}))
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind).lower()
        name = f"{snake}_{counts[snake]}" if counts[snake] else snake
        counts[snake] += 1
        if kind in (*CELLS, "Bidirectional", "RNN"):
            said[name] = said[str(options.get("name"))] = _options(kind, options)
            prefixes.append(name)
    there = [p for p in prefixes if any(n.startswith(f"{p}/") for n in arrays)]
    if model.get("class_name") == "Sequential" and prefixes and there == prefixes:
        return Hints(tuple(prefixes), said)
    return Hints(options=said)


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
