"""Data from elsewhere: axes, padding, targets, tokens and tables, and what is wrong with them."""

from __future__ import annotations

import io
import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.models import UPLOAD, Limits, Sequences, load, read_data
from rnnviz.wording.library import translated
from rnnviz.wording.texts import speak_in
from tests.models.hostile import NPZ, npz

T, B, D, OUT = 4, 3, 2, 2
RNG = np.random.default_rng(0)
X, TARGET = RNG.standard_normal((T, D, B)), RNG.standard_normal((T, OUT, B))
MASK, CLASSES = RNG.random((T, B)), RNG.integers(0, OUT, (T, B))
TURNS = {"tdb": (0, 1, 2), "btd": (2, 0, 1), "tbd": (0, 2, 1)}


def flat(values: np.ndarray, layout: str) -> np.ndarray:
    """(T, B) as a layout has it."""
    return values.T if layout == "btd" else values


@pytest.mark.parametrize("layout", TURNS)
def test_every_layout_comes_to_the_same(layout: str) -> None:
    turn = TURNS[layout]
    states = np.arange(2.0 * 5 * B).reshape(2, 5, B)
    outside = states if layout == "tdb" else states.swapaxes(1, 2)
    data = read_data(X.transpose(turn), layout=layout, target=TARGET.transpose(turn),
                     mask=flat(MASK, layout), d_output=TARGET.transpose(turn), h0=outside,
                     d_c=outside)  # fmt: skip
    expected = {"x": X, "target": TARGET, "mask": MASK, "d_output": TARGET, "h0": states,
                "d_c": states}  # fmt: skip
    for name, value in expected.items():
        np.testing.assert_array_equal(getattr(data, name), value, err_msg=name)
    tokens = read_data(flat(CLASSES, layout), layout=layout, target=flat(CLASSES, layout))
    np.testing.assert_array_equal(tokens.x, CLASSES)
    np.testing.assert_array_equal(tokens.target, CLASSES)
    last = read_data(X.transpose(turn), layout=layout,
                     target=TARGET[-1] if layout == "tdb" else TARGET[-1].T)  # fmt: skip
    np.testing.assert_array_equal(last.target, TARGET[-1])


def test_one_sequence_needs_no_layout() -> None:
    np.testing.assert_array_equal(read_data(X[:, :, 0]).x, X[:, :, :1])
    np.testing.assert_array_equal(read_data(X[:, 0, 0]).x, X[:, :1, :1])
    np.testing.assert_array_equal(read_data(CLASSES[:, 0]).x, CLASSES[:, :1])


def test_padding_on_the_left_is_brought_to_the_end() -> None:
    lengths = np.array([4, 2, 1])
    there = np.arange(T)[:, None] < lengths
    x, mask, target = X * there[:, None], MASK * there, CLASSES * there
    left = [np.stack([np.roll(a[..., b], T - n, axis=0) for b, n in enumerate(lengths)], axis=-1)
            for a in (x, mask, target)]  # fmt: skip
    data = read_data(
        left[0], layout="tdb", padding="left", lengths=lengths, mask=left[1], target=left[2]
    )
    for found, expected in ((data.x, x), (data.mask, mask), (data.target, target)):
        np.testing.assert_array_equal(found, expected)


def test_a_file_may_say_its_own_layout(tmp_path: Path) -> None:
    path = tmp_path / "batch.npz"
    np.savez(path, x=X.transpose(TURNS["btd"]), layout="btd", padding="right", lengths=[4, 4, 4])
    for source in (path, str(path), path.read_bytes(), io.BytesIO(path.read_bytes())):
        np.testing.assert_array_equal(read_data(source, limits=UPLOAD).x, X)
    single = tmp_path / "x.npy"
    np.save(single, X.astype(np.float32))
    data = read_data(single, layout="tdb", limits=UPLOAD)
    assert data.x is not None
    assert data.x.dtype == np.float32


def test_an_archive_of_nothing_is_said_to_be_empty() -> None:
    nothing = io.BytesIO()
    np.savez(nothing)
    for read in (load, read_data):
        with pytest.raises(ValueError, match="the file must hold arrays, it is empty"):
            read(nothing.getvalue())


class Tensor:
    """What of a PyTorch tensor stands in NumPy's way."""

    dtype = "torch.bfloat16"

    def detach(self) -> Tensor:
        return self

    def cpu(self) -> Tensor:
        return self

    def float(self) -> Tensor:
        self.dtype = "torch.float32"
        return self

    def numpy(self) -> np.ndarray:
        assert self.dtype == "torch.float32"
        return X.astype(np.float32)


def test_a_tensor_of_bfloat16_is_read() -> None:
    np.testing.assert_array_equal(read_data(Tensor(), layout="tdb").x, X.astype(np.float32))


@pytest.mark.parametrize(
    ("given_arrays", "message"),
    [
        ({"x": X}, r"layout must be said of x with shape \(4, 2, 3\): one of tdb, btd, tbd"),
        ({"x": X, "layout": "bdt"}, "layout must be one of tdb, btd, tbd, got 'bdt'"),
        ({"x": X, "layout": "tdb", "padding": "middle"}, "padding must be one of right, left"),
        ({"inputs": X}, "names must be among x, lengths, .* got 'inputs'"),
        (
            {"x": np.where(X[2, 1, 0] == X, np.nan, X), "layout": "tdb"},
            r"x must be finite, got nan at \[2, 1, 0\]",
        ),
        (
            {"x": X * np.inf, "layout": "tdb"},
            r"x must be finite, got -?inf at \[0, 0, 0\] and 23 more",
        ),
        ({"x": X, "mask": MASK * np.nan, "layout": "tdb"}, "mask must be finite, got nan"),
        ({"x": X, "mask": -MASK, "layout": "tdb"}, "mask must hold numbers of at least 0"),
        ({"x": X.astype(complex), "layout": "tdb"}, "x must hold numbers, got complex128"),
        ({"x": np.array(["a"])}, "x must hold numbers, got <U1"),
        (
            {"x": np.ones((0, 2, 3)), "layout": "tdb"},
            r"x must hold numbers, got float64 of shape \(0",
        ),
        ({"x": np.ones((2, 2, 2, 2)), "layout": "tdb"}, "x must have an axis for each of t, d, b"),
        (
            {"x": X, "lengths": [4, 5, 1], "layout": "tdb"},
            "lengths must be from 1 to 4, got 1 to 5",
        ),
        ({"x": X, "lengths": [4, 4], "layout": "tdb"}, "lengths must be 3 integers"),
        (
            {"x": X, "lengths": [4.0, 4, 4], "layout": "tdb"},
            "lengths must be 3 integers, got float",
        ),
        (
            {"x": X, "mask": MASK.T, "layout": "tdb"},
            "steps and sequences must be as many in all arrays, got x 4 and 3, mask 3 and 4",
        ),
        ({"x": X, "h0": np.ones(3), "layout": "tdb"}, r"h0 must have shape \(layers · directions"),
    ],
)
def test_what_is_wrong_is_named(given_arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_data(given_arrays)


@pytest.mark.parametrize(
    "read",
    [
        lambda: read_data({"x": np.array([[0, 2**63 + 1]], np.uint64)}, layout="btd"),
        lambda: read_data({"target": np.array([0, 2**63 + 1], np.uint64)}),
        lambda: read_data(b"token,target\n1,2\n9223372036854775809,1\n"),
        lambda: read_data(b"a,target\n0.5,2\n1,9223372036854775809\n"),
    ],
)
def test_an_integer_that_is_too_large_is_named_as_it_is(read: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match="must hold integers of a size below") as caught:
        read()
    match = re.fullmatch(r"(\w+) must .* below 2\^63, got (\d+)", str(caught.value))
    assert match
    name, got = match.groups()
    assert name in ("x", "token", "target")
    assert abs(int(got) - 2**63) <= 1  # a table's is rounded
    said = speak_in("zh", lambda: translated(str(caught.value)))
    assert said == f"{name} 中整数的绝对值须小于 2^63，现有 {got}"


def test_integers_of_every_type_are_read_as_they_are() -> None:
    for kind in (np.uint8, np.int16, np.uint64, np.int64):
        x = read_data({"x": np.array([[0, 100]], kind)}, layout="btd").x
        np.testing.assert_array_equal(x, [[0], [100]])
        assert x.dtype == np.int64
    least = np.array([-(2**63)])
    np.testing.assert_array_equal(read_data({"target": least}).target, least)


WIDE = b"price;volume;target\n1.5;2;\n2.5;-3;7\n"
LONG = b"""sequence,step,a,b,target
7,1,0.5,1,1
2,20,5,6,0
2,10,3,4,1
7,2,1.5,2,0
2,30,7,8,1
"""


def test_a_wide_table_is_one_sequence() -> None:
    data = read_data(WIDE)
    np.testing.assert_array_equal(data.x, np.array([[[1.5], [2]], [[2.5], [-3]]]))
    np.testing.assert_array_equal(data.target, [[0], [7]])
    np.testing.assert_array_equal(data.mask, [[0], [1]])
    assert data.target.dtype == np.int64
    bare = read_data(b"\xef\xbb\xbf1,2\r\n3,4\r\n")
    np.testing.assert_array_equal(bare.x[:, :, 0], [[1, 2], [3, 4]])
    assert bare.target is None
    tokens = read_data(b"token\n3\n0\n")
    np.testing.assert_array_equal(tokens.x, [[3], [0]])
    several = read_data(b"a,target 1,target 2\n1,2,3\n")
    np.testing.assert_array_equal(several.target, [[[2.0], [3.0]]])


COUNTED = "the first row of the table, 0 to {}, is taken for the names of its columns"


@pytest.mark.parametrize(
    ("table", "steps", "last"),
    [
        (b"0,1,2\n0.5,0.25,1\n1,2,3\n", [[0.5, 0.25, 1], [1, 2, 3]], 2),
        (b"0, 1 ,2\r\n5,6,7\r\n", [[5, 6, 7]], 2),
        (b"0;1\n0.5;3\n", [[0.5, 3]], 1),
        (b"0,1\n1,0\n0,1\n", [[0, 1], [1, 0], [0, 1]], 0),  # two marks at every step
        (b"0,1,2\n", [[0, 1, 2]], 0),
        (b"0,1\n1,0.5\n2,0.25\n", [[0, 1], [1, 0.5], [2, 0.25]], 0),  # the time goes on below
        (b"0\n0.5\n", [[0], [0.5]], 0),
        (b"0,1,2.0\n5,6,7\n", [[0, 1, 2], [5, 6, 7]], 0),
        (b"0,1,3\n5,6,7\n", [[0, 1, 3], [5, 6, 7]], 0),
    ],
)
def test_columns_that_pandas_has_counted_are_names_not_a_step(
    table: bytes, steps: list[list[float]], last: int
) -> None:
    data = read_data(table)
    assert data.x is not None
    np.testing.assert_array_equal(data.x[:, :, 0], steps)
    assert data.notes == ((COUNTED.format(last),) if last else ())


def test_a_file_of_arrays_has_no_notes_of_its_own() -> None:
    with pytest.raises(ValueError, match="names must be among x"):
        read_data({"x": X, "notes": np.ones(3)}, layout="tdb")


def test_a_long_table_has_many_sequences_padded_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_bytes(LONG)
    data = read_data(path)
    np.testing.assert_array_equal(data.lengths, [2, 3])
    np.testing.assert_array_equal(data.x[:, :, 0], [[0.5, 1], [1.5, 2], [0, 0]])
    np.testing.assert_array_equal(data.x[:, :, 1], [[3, 4], [5, 6], [7, 8]])
    np.testing.assert_array_equal(data.target, [[1, 1], [0, 0], [0, 1]])
    np.testing.assert_array_equal(data.mask, [[1, 1], [1, 1], [0, 1]])


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (b"a,b\n1,2\n3,nan\n", "line 3, column 'b' must be a finite number, got 'nan'"),
        (b"a,b\n1,2\n3,\n", "line 3, column 'b' must be a finite number, got ''"),
        (b"a,b\n1,=cmd|' /C calc'!A0\n", "line 2, column 'b' must be a finite number, got \"=cmd"),
        (b"1,2\n1,inf\n", "line 2, column 'column 2' must be a finite number, got 'inf'"),
        (b"a,b\n1,2,3\n", "line 2 must have 2 cells, got 3"),
        (b"a,a\n1,2\n", "columns must have names of their own"),
        (b"a,\n1,2\n", "columns must have names of their own"),
        (b"a,b\n", "must hold rows of numbers, it has names alone"),
        (b"\n\n", "must hold rows of numbers, it has none"),
        (b"", "must hold arrays, it is empty"),
        (b"target\n1\n", "must have columns of inputs, got target"),
        (b"sequence,a\n1,2\n", "must have the columns sequence and step, got sequence"),
        (b"sequence,step,a\n1,2,3\n1,2,4\n", "line 3 must have a step of its own, got step 2 of"),
        (b"a\n\xff\n", "must be a CSV file in UTF-8"),
        (b"\x80\x04K\x01.", "the file is a pickle, which is never loaded"),
        (b"a," + b"x" * 200_000 + b"\n1,2\n", "must be a CSV file|columns"),
    ],
)
def test_what_is_wrong_in_a_table_is_named_with_its_line(table: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        read_data(table, limits=UPLOAD)
    assert len(str(caught.value)) < 400
    assert str(caught.value).isprintable()


def test_a_table_whose_padding_would_be_large_is_refused_before_memory_is_taken() -> None:
    rows = [f"0,{t},1" for t in range(20_000)] + [f"{b},0,1" for b in range(1, 20_000)]
    data = ("sequence,step,a\n" + "\n".join(rows)).encode()
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="brings them to 3,200,000,000"):
            read_data(data, limits=UPLOAD)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 << 20
    with pytest.raises(ValueError, match="the table must take at most 100 bytes, it takes more"):
        read_data(b"1," * 49 + b"1\n", limits=Limits(bytes=100))


@pytest.mark.parametrize(
    "name",
    ["objects", "pt", "32 GiB declared", "deflate bomb", "many members", "twice", "encrypted"],
)
def test_a_hostile_file_of_data_is_refused_as_one_of_weights(name: str) -> None:
    make, message = NPZ[name]
    with pytest.raises(ValueError, match=message):
        read_data(make(), limits=UPLOAD)


@given(st.one_of(st.binary(max_size=400), st.text("0123456789.,;\n -aet\"'", max_size=400)))
def test_nothing_but_a_value_error_comes_of_any_file(data: bytes | str) -> None:
    given_bytes = data.encode() if isinstance(data, str) else data
    for file in (given_bytes, npz({"x": np.ones(3)})[:-20] + given_bytes):
        try:
            found = read_data(file, limits=UPLOAD)
        except ValueError:
            continue
        assert isinstance(found, Sequences)
