"""Where weights come from: arrays in memory, or a file of any of the formats, never unpickled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnviz.experiment.npz import (
    NPY,
    PICKLE,
    ZIP,
    Limits,
    check_size,
    read_bytes,
    read_npz,
    shown,
)
from rnnviz.models.hdf5 import read_hdf5, read_keras
from rnnviz.models.hints import Hints
from rnnviz.models.onnx import read_onnx
from rnnviz.models.safetensors import read_safetensors

NO_HINTS = Hints()
HDF5 = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True, eq=False)
class Source:
    """What a source holds. arrays: by name, or a list of a layer's, or of layers'. half: those
    that were bfloat16. hints: what the file says of how its arrays are meant. in_order: whether
    names may be in the order in which a module made its parts; some formats sort them."""

    arrays: Mapping[str, Any] | Sequence[Any]
    half: tuple[str, ...] = ()
    hints: Hints = NO_HINTS
    in_order: bool = False


def opened(source: Any, limits: Limits) -> Source:
    """A mapping, a list of arrays, a module with a `state_dict`, a path, bytes or a binary file.

    Raises ValueError for anything else and for a file that cannot be read safely, OSError for a
    path without a file.
    """
    if isinstance(source, Source):
        return source
    if callable(getattr(source, "state_dict", None)):
        source = source.state_dict()
    if isinstance(source, Mapping):
        return Source({str(name): value for name, value in source.items()}, in_order=True)
    if isinstance(source, list | tuple):
        return Source(source)
    if isinstance(source, str | Path):
        return from_bytes(read_bytes(Path(source), limits), limits, Path(source).suffix.lower())
    if isinstance(source, bytes | bytearray | memoryview):
        return from_bytes(bytes(source), limits)
    if callable(getattr(source, "read", None)):
        suffix = Path(str(getattr(source, "name", ""))).suffix.lower()
        return from_bytes(source.read(limits.bytes + 1), limits, suffix)
    raise ValueError(f"source must be a path, a file's bytes, a mapping from names to arrays or a "
                     f"list of arrays, got {shown(source)}")  # fmt: skip


def from_bytes(data: bytes, limits: Limits, suffix: str = "") -> Source:
    """What the bytes of a file hold; they say its format themselves, `suffix` where they do not."""
    check_size(data, limits)
    if data[:1] == b"\x80" and data[1:2] in b"\x02\x03\x04\x05":
        raise ValueError(f"the file {PICKLE}")
    if data.startswith(ZIP) and b"model.weights.h5" in data:
        arrays, hints = read_keras(data, limits)
        return Source(arrays, hints=hints)
    if data.startswith(HDF5):
        arrays, hints = read_hdf5(data, limits)
        return Source(arrays, hints=hints)
    if data.startswith(ZIP):
        return Source(read_npz(data, limits), in_order=True)
    if suffix == ".onnx":
        arrays, bfloat16, hints = read_onnx(data, limits)
        return Source(arrays, tuple(bfloat16), hints)
    if data[8:9] == b"{" or suffix == ".safetensors":
        arrays, half = read_safetensors(data, limits)
        return Source(arrays, tuple(half))
    found = "a .npy file of one array" if data.startswith(NPY) else f"{data[:8]!r} at its beginning"
    raise ValueError(
        f"the file must be a .npz, .safetensors, .keras, .h5 or .onnx file, got {found}"
    )


def bytes_of(source: Any, limits: Limits) -> bytes:
    """The bytes of a path, of bytes or of a binary file."""
    if isinstance(source, str | Path):
        return read_bytes(Path(source), limits)
    reads = callable(getattr(source, "read", None))
    data = source.read(limits.bytes + 1) if reads else bytes(source)
    check_size(data, limits)
    return data
