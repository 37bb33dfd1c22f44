"""Arrays in .npz files; and from those, and .npy files, that anybody may have made: bounded, and
never unpickled.

What a file declares is checked before anything of that size is allocated, so that a small file
cannot ask for much memory, whatever its headers say.
"""

from __future__ import annotations

import ast
import io
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.experiment.targets import replacing

ZIP, NPY = (b"PK\x03\x04", b"PK\x05\x06"), b"\x93NUMPY"
"""How these files begin; the second of the first is an archive of nothing."""
MAX_HEADER, MAX_AXES = 10_000, 8
NUMBERS = re.compile(r"[<>|=]([fiu][1248]|b1)")
TEXT = re.compile(r"[<>]U\d{1,8}")

IS_PICKLE = "is a pickle, which is never loaded, for it may run any code"
PICKLE = (
    f"{IS_PICKLE}; save the weights without one: "
    "from safetensors.torch import save_file; save_file(model.state_dict(), 'model.safetensors')"
)
BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, OverflowError,
          NotImplementedError, UnicodeError)  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """The most that a file may hold. bytes: of all its arrays together, as they are in memory, and
    of the file itself; arrays: how many.

    Examples
    --------
    >>> Limits(bytes=1 << 20).arrays
    1024
    """

    bytes: int = 256 << 20
    arrays: int = 1024


UPLOAD = Limits(bytes=16 << 20, arrays=64)
"""What a page takes from a visitor."""


class Budget:
    """What is left of a file's limits while its arrays are read one after the other."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.bytes, self.arrays = limits, 0, 0

    def take(self, name: str, shape: tuple[int, ...], itemsize: int) -> int:
        """Count one more array, and return its bytes. Raises ValueError where that is too much."""
        if len(shape) > MAX_AXES:
            raise ValueError(f"{name} must have at most {MAX_AXES} axes, got {len(shape)}")
        size = math.prod(shape) * itemsize
        self.bytes, self.arrays = self.bytes + size, self.arrays + 1
        if self.bytes > self.limits.bytes:
            raise ValueError(
                f"the arrays must take at most {self.limits.bytes:,} bytes together, {name} of "
                f"shape {shown(shape)} brings them to {self.bytes:,}"
            )
        if self.arrays > self.limits.arrays:
            raise ValueError(f"the file must hold at most {self.limits.arrays} arrays, got more")
        return size


def shown(name: object) -> str:
    """A name that a stranger gave, for a message: nothing in it acts, and it is short."""
    text = repr(name)
    return text if len(text) <= 80 else f"{text[:60]}… ({len(text)} characters)"


def write_npz(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write arrays by their names into a file; its own name is given .npz where it lacks it."""
    named = path if path.name.endswith(".npz") else path.with_name(f"{path.name}.npz")
    with replacing(named) as file:
        np.savez_compressed(file, **arrays)


def read_bytes(path: Path, limits: Limits) -> bytes:
    """A file's bytes. Raises ValueError for an empty or too large one, OSError for none."""
    with path.open("rb") as file:
        data = file.read(limits.bytes + 1)
    check_size(data, limits)
    return data


def check_size(data: bytes, limits: Limits) -> None:
    """Raise ValueError for a file that is empty or too large."""
    if not data:
        raise ValueError("the file must hold arrays, it is empty")
    if len(data) > limits.bytes:
        raise ValueError(f"the file must have at most {limits.bytes:,} bytes, it has more")


def read_npz(data: bytes, limits: Limits) -> dict[str, Array]:
    """The arrays of a .npz file by name: numbers, and single texts.

    Raises ValueError naming what does not fit: a broken, encrypted or pickled file, a member that
    is no array, names that come twice or lead out of the file, too many arrays or bytes.
    """
    check_size(data, limits)
    if data.count(b"PK\x01\x02") > limits.arrays:  # before a list of them is made
        raise ValueError(f"the file must hold at most {limits.arrays} arrays, got more")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _members(archive, Budget(limits))
    except BROKEN as error:
        raise ValueError(f"the file must be a whole .npz file, it is damaged ({error})") from error


def read_npy(data: bytes, limits: Limits) -> Array:
    """The array of a .npy file. Raises ValueError as `read_npz` does."""
    check_size(data, limits)
    try:
        return _array(io.BytesIO(data), "the array", Budget(limits))
    except BROKEN as error:
        raise ValueError(f"the file must be a whole .npy file, it is damaged ({error})") from error


def _members(archive: zipfile.ZipFile, budget: Budget) -> dict[str, Array]:
    arrays: dict[str, Array] = {}
    if not archive.infolist():
        raise ValueError("the file must hold arrays, it is empty")
    for info in archive.infolist():
        name = _member_name(info)
        if name in arrays:
            raise ValueError(f"each array must have a name of its own, got {shown(name)} twice")
        with archive.open(info) as stream:
            arrays[name] = _array(stream, shown(name), budget)
    return arrays


def _member_name(info: zipfile.ZipInfo) -> str:
    """The array's name. Raises ValueError for a member that `numpy.savez` does not write."""
    path, name = info.filename, shown(info.filename)
    if path.rpartition("/")[2] == "data.pkl":
        raise ValueError(f"the file holds {name}: it {PICKLE}")
    if path.startswith("/") or "\\" in path or ".." in path.split("/"):
        raise ValueError(f"names must stay inside the file, got {name}")
    if info.flag_bits & 1:
        raise ValueError(f"the file must not be encrypted, {name} is")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} must be stored or deflated, got method {info.compress_type}")
    if not path.endswith(".npy"):
        raise ValueError(f"the file must hold .npy arrays alone, got {name}")
    return path.removesuffix(".npy")


def _array(stream: IO[bytes], name: str, budget: Budget) -> Array:
    """One array, read to its end; what follows is refused."""
    dtype, fortran, shape = _header(stream, name)
    size = budget.take(name, shape, dtype.itemsize)
    data = stream.read(size)
    if len(data) < size or stream.read(1):
        raise ValueError(f"{name} must have {size:,} bytes, as its header says, it has "
                         f"{'fewer' if len(data) < size else 'more'}")  # fmt: skip
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C").copy("K")


def _header(stream: IO[bytes], name: str) -> tuple[np.dtype, bool, tuple[int, ...]]:
    magic = stream.read(8)
    if magic[:6] != NPY:
        raise ValueError(f"{name} must be a .npy array, it begins with {magic[:6]!r}")
    if magic[6:] not in (b"\x01\x00", b"\x02\x00", b"\x03\x00"):
        raise ValueError(f"{name} must be a .npy array of version 1, 2 or 3, got {magic[6:]!r}")
    width = "<H" if magic[6] == 1 else "<I"
    (length,) = struct.unpack(width, stream.read(struct.calcsize(width)))
    if length > MAX_HEADER:
        raise ValueError(f"{name} must have a header of at most {MAX_HEADER} bytes, got {length}")
    header = _literal(stream.read(length).decode("latin1" if magic[6] < 3 else "utf8"), name)
    shape = header["shape"]
    if type(shape) is not tuple or any(type(n) is not int or n < 0 for n in shape):
        raise ValueError(f"{name} must have integers of at least 0 as its shape, got "
                         f"{shown(shape)}")  # fmt: skip
    return _dtype(header["descr"], name, shape), header["fortran_order"] is True, shape


def _literal(text: str, name: str) -> dict[str, Any]:
    try:
        header = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        header = None
    if not isinstance(header, dict) or set(header) != {"descr", "fortran_order", "shape"}:
        raise ValueError(f"{name} must have a header of NumPy's, got {shown(text)}")
    return header


def _dtype(descr: object, name: str, shape: tuple[int, ...]) -> np.dtype:
    if isinstance(descr, str):
        if "O" in descr:
            raise ValueError(f"{name} holds Python objects: that {PICKLE}")
        if NUMBERS.fullmatch(descr) or (TEXT.fullmatch(descr) and shape == ()):
            return np.dtype(descr)
    raise ValueError(f"{name} must hold real numbers, got dtype {shown(descr)}")
