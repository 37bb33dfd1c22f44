"""Weights that Keras saved, read without Keras and without running anything of the file.

Needs h5py (`pip install "rnnviz[keras]"`): HDF5 is no format to parse anew. Of what it can do, only
arrays that lie in the file itself are read: no links, which could lead to other files, no external
or virtual storage, no filters but the usual ones. The configuration is read as data: it says which
layers stand upon each other, and refuses what the core's cells are not.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

from rnnviz.core.numerics import Array
from rnnviz.experiment.npz import BROKEN, Budget, Limits, check_size, shown
from rnnviz.models.hints import Hints
from rnnviz.models.keras_config import hints, parsed

MAX_CONFIG = 1 << 20
FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32"}
DAMAGED = (OSError, RuntimeError, LookupError, TypeError, AttributeError, ArithmeticError,
           MemoryError, UnicodeError, SystemError)  # fmt: skip
"""What h5py has been seen to raise for changed bytes."""

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
    named = {_keras_name(name, found): array for name, array in found.items()}
    said = Hints() if config is None else hints(parsed(config), named, counted=False)
    return named, said


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
    return arrays, hints(parsed(config), arrays, counted=True)


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


def _keras_name(path: str, arrays: Mapping[str, Array]) -> str:
    """Keras 3 numbers a layer's arrays; this is how its layers name them. Where the first is no
    matrix, as of a normalization, names are not known and the path remains."""
    match = re.fullmatch(r"(?:_?layers/)?(.+?)(/cell)?/vars/(\d)", path)
    if match is None:
        return path
    where, cell, number = match[1], match[2], int(match[3])
    names = ["kernel", "recurrent_kernel", "bias"] if cell else ["kernel", "bias"]
    if "embedding" in where:
        names = ["embeddings"]
    first = arrays.get(f"{path[:-1]}0")
    plain = first is None or first.ndim < 2
    return path if plain or number >= len(names) else f"{where}/{names[number]}"
