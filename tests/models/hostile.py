"""Files that somebody made to break a reader, each by what makes it hostile."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import numpy as np

GOOD = {
    "weight_ih_l0": np.arange(8.0).reshape(4, 2) / 8,
    "weight_hh_l0": np.arange(4.0).reshape(4, 1) / 4,
    "bias_ih_l0": np.arange(4.0),
}


def npz(arrays: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def npy(header: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    text = header.encode("latin1")
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text + data


def described(shape: str, dtype: str = "'<f8'", data: bytes = b"") -> bytes:
    return npy(f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}}}", data)


def zipped(
    members: Iterable[tuple[str, bytes]],
    method: int = zipfile.ZIP_DEFLATED,
    change: Callable[[zipfile.ZipInfo], None] | None = None,
) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            if change is not None:
                change(info)
            archive.writestr(info, data)
    return file.getvalue()


def of_array(data: bytes) -> bytes:
    return zipped([("weight_ih_l0.npy", data)])


def objects() -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([{}], object), allow_pickle=True)
    return file.getvalue()


def encrypted() -> bytes:
    data = bytearray(of_array(described("(1,)", data=bytes(8))))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    return bytes(data)


def damaged() -> bytes:
    data = bytearray(zipped([("a.npy", described("(9,)", data=bytes(72)))], zipfile.ZIP_STORED))
    data[data.index(b"PK\x01\x02") - 5] ^= 1
    return bytes(data)


def safetensors(entries: Any, body: bytes = b"", length: int | None = None) -> bytes:
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def entry(shape: Any, start: int, stop: int, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


def twice() -> bytes:
    one = json.dumps(entry([1], 0, 4))
    return safetensors(f'{{"a": {one}, "a": {one}}}'.encode(), bytes(4))


def same_name() -> bytes:
    names = ("a.npy", "b.npy")
    data = zipped([(name, described("(1,)", data=bytes(8))) for name in names])
    return data.replace(b"b.npy", b"a.npy")


def many_names() -> bytes:
    """A list of 300,000 members without the members."""
    whole = zipped([("a.npy", b"")])
    start, end = whole.index(b"PK\x01\x02"), whole.index(b"PK\x05\x06")
    names = whole[start:end] * 300_000
    tail = bytearray(whole[end:])
    tail[12:20] = struct.pack("<II", len(names), start)
    return whole[:start] + names + tail


def bomb(shape: str) -> bytes:
    """200 MB that deflate to 195 kB."""
    return of_array(described(shape, data=bytes(200_000_000)))


NPZ: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "the file must hold arrays, it is empty"),
    "random": (lambda: np.random.default_rng(0).bytes(1 << 20), "must be a .npz, .safetensors, "),
    "pickle": (lambda: pickle.dumps(GOOD, 2), "the file is a pickle, which is never loaded"),
    "objects": (lambda: of_array(objects()), "'weight_ih_l0' holds Python objects: that is a "
                "pickle, which is never loaded"),
    "pt": (lambda: zipped([("model/data.pkl", pickle.dumps(GOOD)), ("model/data/0", bytes(8))]),
           r"the file holds 'model/data.pkl': it is a pickle, .* from safetensors.torch import"),
    "truncated": (lambda: npz(GOOD)[:-40], "must be a whole .npz file, it is damaged"),
    "bad checksum": (damaged, r"damaged \(Bad CRC-32 for file 'a.npy'\)"),
    "32 GiB declared": (lambda: of_array(described("(65536, 65536)")),
                        r"at most 16,777,216 bytes together, 'weight_ih_l0' of shape "
                        r"\(65536, 65536\) brings them to 34,359,738,368"),
    "a million units": (lambda: of_array(described("(4000000, 1000000)")), "32,000,000,000,000"),
    "deflate bomb": (lambda: bomb("(25000000,)"), "brings them to 200,000,000"),
    "bomb behind a small header": (lambda: bomb("(1,)"),
                                   "must have 8 bytes, as its header says, it has more"),
    "many members": (lambda: zipped((f"{k}.npy", described("(1,)", data=bytes(8)))
                                    for k in range(10_000)), "at most 64 arrays, got more"),
    "many names": (many_names, "at most 64 arrays, got more"),
    "many just under the limit": (
        lambda: zipped((f"{k}.npy", described("(2000000,)", data=bytes(16_000_000)))
                       for k in range(3)), "'1' of shape .* brings them to 32,000,000"),
    "encrypted": (encrypted, "must not be encrypted, 'weight_ih_l0.npy' is"),
    "nested": (lambda: zipped([("in.zip", npz(GOOD))]),
               "hold .npy arrays alone, got 'in.zip'"),
    "a zip that calls itself .npy": (lambda: zipped([("in.npy", npz(GOOD))]),
                                     "'in' must be a .npy array, it begins with b'PK"),
    "twice": (same_name, "each array must have a name of its own, got 'a' twice"),
    "outside": (lambda: zipped([("../../x.npy", described("(1,)", data=bytes(8)))]),
                "names must stay inside the file, got '../../x.npy'"),
    "root": (lambda: zipped([("/etc/x.npy", described("(1,)", data=bytes(8)))]), "stay inside"),
    "no array": (lambda: zipped([("read.me", b"hello")]), "npy arrays alone, got 'read.me'"),
    "lzma": (lambda: zipped([("a.npy", described("(1,)"))], zipfile.ZIP_LZMA),
             "'a.npy' must be stored or deflated, got method 14"),
    "structured": (lambda: of_array(described("(1,)", "[('a', '<f8')]")), "must hold real numbers"),
    "datetime": (lambda: of_array(described("(1,)", "'<M8[s]'")), "numbers, got dtype '<M8"),
    "void": (lambda: of_array(described("(1,)", "'|V8'")), "numbers, got dtype '|V8'"),
    "texts": (lambda: of_array(described("(1,)", "'<U8'")), "numbers, got dtype '<U8'"),
    "complex": (lambda: of_array(described("(1,)", "'<c16'")), "numbers, got dtype '<c16'"),
    "version 9": (lambda: of_array(npy("{}", version=b"\x09\x00")), r"version 1, 2 or 3, got "),
    "long header": (lambda: of_array(npy(" " * 20_000)), "at most 10000 bytes, got 20000"),
    "header of code": (lambda: of_array(npy("__import__('os').system('true')")), "header of NumPy"),
    "header of brackets": (lambda: of_array(npy("[" * 9000)), "header of NumPy's"),
    "short header": (lambda: of_array(b"\x93NUMPY\x01\x00\x10"), "damaged"),
    "negative": (lambda: of_array(described("(-1, 4)")), r"at least 0 as its shape, got \(-1, 4\)"),
    "bool shape": (lambda: of_array(described("(True,)")), r"as its shape, got \(True,\)"),
    "float shape": (lambda: of_array(described("(1.0,)")), r"as its shape, got \(1.0,\)"),
    "many axes": (lambda: of_array(described(str((1,) * 65))), "at most 8 axes, got 65"),
    "no bytes": (lambda: of_array(described("(2,)", data=bytes(8))), "have 16 bytes, .* fewer"),
    "one array alone": (lambda: described("(1,)", data=bytes(8)), "got a .npy file of one array"),
    "no weights": (lambda: npz({"<img onerror=x>": np.ones(2), "\u202ex": np.ones(2)}),
                   r"names must say whose layout .*'<img onerror=x>', '.u202e"),
    "no numbers": (lambda: npz({**GOOD, "weight_hh_l0": np.ones((4, 1), bool)}),
                   "'weight_hh_l0' must be float16, bfloat16, float32 or float64, got bool"),
    "a million layers": (
        lambda: npz({"about": np.array(json.dumps(
            {"label": "rnn", "experiment": {"models": ["rnn"], "layers": 10**6}, "steps": 0}))}),
        "layers must be at most 1, as many as there are arrays, got 1000000"),
    "zero size": (lambda: npz({**GOOD, "weight_ih_l0": np.ones((4, 0))}), r"got shape \(4, 0\)"),
}  # fmt: skip

SAFETENSORS: dict[str, tuple[Callable[[], bytes], str]] = {
    "length 2^63": (lambda: safetensors({}, length=1 << 63), "length of its header, at most"),
    "length beyond the file": (lambda: safetensors({}, length=100), "at most 2 here, got 100"),
    "nothing but a length": (lambda: struct.pack("<Q", 0), "must be a .npz, .safetensors, "),
    "100 MB header": (lambda: safetensors(b"{" + b" " * 3_000_000 + b"}"),
                      "at most 1,048,576 here, got 3,000,002"),
    "no json": (lambda: safetensors(b"{no}"), "the header must be JSON, got b'{no}'"),
    "no utf-8": (lambda: safetensors(b'{"\xff": 1}'), "the header must be JSON"),
    "space first": (lambda: safetensors(b' {"a": 1}'), "must be a .npz, .safetensors, "),
    "depth": (lambda: safetensors(b'{"a":' + b"[" * 100_000), "must be JSON|must have dtype"),
    "overlap": (lambda: safetensors({"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, bytes(12)),
                "'b' must begin at byte 8, where the array before it ends, got 4 to 12"),
    "hole": (lambda: safetensors({"a": entry([1], 0, 4), "b": entry([1], 8, 12)}, bytes(12)),
             "'b' must begin at byte 4"),
    "trailing": (lambda: safetensors({"a": entry([1], 0, 4)}, bytes(9)),
                 "must fill the file's 9 bytes, they end at 4"),
    "beyond": (lambda: safetensors({"a": entry([4], 0, 16)}, bytes(8)), "they end at 16"),
    "backwards": (lambda: safetensors({"a": entry([1], 0, -4)}), "at least 0 as data_offsets"),
    "twice": (twice, "must name everything once, got 'a' twice"),
    "wrong bytes": (lambda: safetensors({"a": entry([3], 0, 8)}, bytes(8)),
                    r"'a' must have the bytes of F32 of shape \(3,\), got 8"),
    "F8": (lambda: safetensors({"a": entry([8], 0, 8, "F8_E4M3")}, bytes(8)),
           "'a' must be one of F64, F32, F16, BF16, .* got 'F8_E4M3'"),
    "I4": (lambda: safetensors({"a": entry([8], 0, 4, "I4")}, bytes(4)), "got 'I4'"),
    "many": (lambda: safetensors({f"{k}": entry([1], 4 * k, 4 * k + 4) for k in range(2000)},
                                 bytes(8000)), "at most 64 arrays, got more"),
    "25,000 arrays": (lambda: safetensors({f"{k}": entry([0], 0, 0) for k in range(25_000)}),
                       "at most 1,048,576 here"),
    "rank 65": (lambda: safetensors({"a": entry([1] * 65, 0, 4)}, bytes(4)), "at most 8 axes"),
    "zero size": (lambda: safetensors({"a": entry([0, 1 << 40], 0, 0)}), "at least one number"),
    "huge": (lambda: safetensors({"a": entry([1 << 62, 1 << 62], 0, 4)}, bytes(4)), "brings them"),
    "bool shape": (lambda: safetensors({"a": entry([True], 0, 4)}, bytes(4)), "0 as shape"),
    "no entry": (lambda: safetensors({"a": 3}), "'a' must have dtype, shape and data_offsets"),
    "long name": (lambda: safetensors({"x" * 900_000: 3}), r"'x{59}… \(900002 char.*must have"),
    "metadata alone": (lambda: safetensors({"__metadata__": {"a": "b"}}), "got none"),
}  # fmt: skip

for cases in (NPZ, SAFETENSORS):  # what is made is never changed: once for all tests
    cases.update({name: (cache(make), message) for name, (make, message) in cases.items()})
