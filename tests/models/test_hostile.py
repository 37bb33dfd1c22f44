"""What a stranger's file can do: it is refused in one line, before memory is taken."""

from __future__ import annotations

import gc
import io
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.__main__ import main
from rnnviz.core import GRU, LSTM, RNN, Cell
from rnnviz.core.network import Network
from rnnviz.experiment.npz import read_npz
from rnnviz.models import UPLOAD, Limits, load
from tests.models.hostile import (
    GOOD,
    NPZ,
    SAFETENSORS,
    described,
    entry,
    npy,
    npz,
    safetensors,
    zipped,
)

ALL = {**{f"npz, {name}": case for name, case in NPZ.items()},
       **{f"safetensors, {name}": case for name, case in SAFETENSORS.items()}}  # fmt: skip
MEGABYTES_64 = 64 << 20


@pytest.mark.parametrize("name", ALL)
def test_a_hostile_file_is_refused_in_one_line_and_little_memory(name: str) -> None:
    make, message = ALL[name]
    data = make()
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=message) as caught:
            load(data, limits=UPLOAD)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    said = str(caught.value)
    assert said.isprintable()
    assert len(said) < 600
    assert peak < MEGABYTES_64


WHOLE = (npz(GOOD), safetensors({"weight_ih": entry([4, 1], 0, 16), "weight_hh":
         entry([4, 1], 16, 32)}, np.arange(8, dtype="<f4").tobytes()))  # fmt: skip


@given(st.sampled_from(WHOLE), st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255))),
       st.integers(0, 5000))  # fmt: skip
def test_nothing_but_a_value_error_comes_of_a_changed_file(
    whole: bytes, changes: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(whole)
    for at, value in changes:
        data[at % len(data)] = value
    data = data[: cut or None]
    with suppress(ValueError):
        load(bytes(data), limits=UPLOAD)


@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"\x93NUMPY\x01\x00"]))
def test_nothing_but_a_value_error_comes_of_any_bytes(data: bytes, start: bytes) -> None:
    for given_bytes in (start + data, zipped([("a.npy", start + data)])):
        with pytest.raises(ValueError, match=r"must|never"):
            load(given_bytes, limits=UPLOAD)


@given(st.text(max_size=200))
def test_nothing_but_a_value_error_comes_of_any_header(text: str) -> None:
    for data in (
        zipped([("a.npy", npy(text.encode("utf8").decode("latin1")))]),
        safetensors(text.encode()),
    ):
        with pytest.raises(ValueError, match="must"):
            load(data, limits=UPLOAD)


@pytest.mark.parametrize("dtype", [">f8", "<f8", "<f2", "<f4"])
def test_what_numpy_writes_is_read(dtype: str, tmp_path: Path) -> None:
    given_arrays = {name: np.asfortranarray(a.astype(dtype)) for name, a in GOOD.items()}
    path = tmp_path / "own.npz"
    np.savez_compressed(path, **given_arrays)
    for source in (path, str(path), path.read_bytes(), io.BytesIO(path.read_bytes())):
        loaded = load(source, limits=UPLOAD)
        np.testing.assert_array_equal(loaded.params["0.forward.W_xh"], GOOD["weight_ih_l0"])
        assert any("byte order" in note for note in loaded.notes) == (dtype == ">f8")
        assert any("widened" in note for note in loaded.notes) == (dtype == "<f2")


def test_newer_versions_of_the_array_format_are_read() -> None:
    for version in (b"\x02\x00", b"\x03\x00"):
        text = described("(4,)")[10:]
        data = (
            b"\x93NUMPY"
            + version
            + len(text).to_bytes(4, "little")
            + text
            + GOOD["bias_ih_l0"].tobytes()
        )
        members = zipped([("bias_ih.npy", data)])
        with pytest.raises(ValueError, match="names must say whose layout it is"):
            load(members)


def test_a_text_may_be_as_long_as_one_that_a_network_was_trained_on() -> None:
    text = "ä" * 1_000_000
    assert str(read_npz(npz({"about": np.array(text)}), Limits())["about"]) == text


def test_extreme_weights_are_taken_as_they_are() -> None:
    for value in (0.0, 1e308, 5e-324):
        arrays = {name: np.full_like(a, value) for name, a in GOOD.items()}
        assert (load(npz(arrays)).params["0.forward.W_hh"] == value).all()


def test_a_file_over_the_limit_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "long.npz"
    path.write_bytes(bytes(UPLOAD.bytes + 5))
    for source in (path, path.read_bytes(), io.BytesIO(path.read_bytes())):
        with pytest.raises(ValueError, match="must have at most 16,777,216 bytes, it has more"):
            load(source, limits=UPLOAD)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.npz")


def test_a_hundred_loads_leave_nothing_behind() -> None:
    data = npz({**GOOD, "more": np.ones(10_000)})
    tracemalloc.start()
    try:
        load(data)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(100):
            load(data)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < len(data)  # not one of the hundred


@pytest.mark.trained
def test_a_file_of_the_tools_own_is_loaded_as_it_was(tmp_path: Path) -> None:
    model = ["--models", "lstm:variant=peepholes", "--seq-len", "5", "--hidden-size", "3"]
    assert main(["train", "--task", "adding", *model, "--steps", "1", "--out", str(tmp_path)]) == 0
    (path,) = tmp_path.glob("*.npz")
    loaded = load(path, limits=UPLOAD)
    with np.load(path) as file:
        for name, value in loaded.params.items():
            np.testing.assert_array_equal(value, file[name])
    assert loaded.layout == "rnnviz"
    assert "after 1 training steps" in loaded.reading
    options = {"gates": "ifgo", "layout": "keras", "readout": False, "bidirectional": True}
    for name, value in options.items():
        with pytest.raises(ValueError, match="must be None for a file of rnnviz's own"):
            load(path, **{name: value})
    bare = load(loaded.params)
    assert bare.network == loaded.network
    np.testing.assert_array_equal(bare.params["W_hy"], loaded.params["W_hy"])


@pytest.mark.parametrize("cell", [GRU(2, 3), GRU(2, 3, reset="before"), LSTM(2, 3), RNN(2, 3)])
def test_parameters_of_the_cores_own_names(cell: Cell) -> None:
    above = replace(cell, input_size=6)
    network = Network((cell, above), 4, bidirectional=True)
    params = network.init_params(np.random.default_rng(0), memory_bias=0.5)
    params = {name: p + np.arange(p.size).reshape(p.shape) / 99 for name, p in params.items()}
    loaded = load(npz(params))
    assert loaded.network == network
    for name, value in params.items():
        np.testing.assert_array_equal(loaded.params[name], value)


@pytest.mark.parametrize("name", ["pt", "32 GiB declared", "twice"])
def test_training_from_a_hostile_file_is_refused_too(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make: Callable[[], bytes] = NPZ[name][0]
    path = tmp_path / "own.npz"
    path.write_bytes(make())
    with pytest.raises(SystemExit):
        main(
            [
                "train",
                "--task",
                "adding",
                "--models",
                "rnn",
                "--weights",
                str(path),
                "--out",
                str(tmp_path),
            ]
        )
    assert "must be a file of weights (.npz): " in capsys.readouterr().err
