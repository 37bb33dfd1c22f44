from __future__ import annotations

import gzip
import hashlib
from importlib import resources

import numpy as np
import pytest

from rnnviz.core.losses import softmax_cross_entropy
from rnnviz.tasks import HELD_OUT, DigitPixels, DigitRows
from rnnviz.tasks.digits import TRAINED, chosen, digits


def test_the_data_are_the_ones_that_the_text_beside_them_names() -> None:
    folder = resources.files("rnnviz.tasks") / "data"
    raw = (folder / "digits.csv.gz").read_bytes()
    about = (folder / "digits.txt").read_text(encoding="utf-8")
    assert hashlib.sha256(raw).hexdigest() in about
    assert len(raw) < 60_000
    for fact in ("Alpaydin", "Kaynak", "10.24432/C50P49", "CC BY 4.0", "1,437", "360"):
        assert fact in about
    first = gzip.decompress(raw).decode().splitlines()[0].split(",")
    pictures, labels = digits()
    assert (pictures[0] * 16 == [float(pixel) for pixel in first[:64]]).all()
    assert labels[0] == int(first[64])


def test_there_are_as_many_of_each_digit_as_the_source_says() -> None:
    pictures, labels = digits()
    assert pictures.shape == (1797, 64)
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert pictures.min() == 0
    assert pictures.max() == 1


def test_rows_and_pixels_are_the_same_pictures() -> None:
    rows, pixels = (task.batch(0, 64, 5, "last") for task in (DigitRows(), DigitPixels()))
    assert rows.x.shape == (8, 8, 5)
    assert pixels.x.shape == (64, 1, 5)
    assert (rows.x.reshape(64, 5) == pixels.x[:, 0]).all()
    assert (rows.target[-1] == pixels.target[-1]).all()
    pictures, labels = digits()
    for b in range(5):
        same = (pictures == pixels.x[:, 0, b]).all(axis=1)
        assert labels[same].tolist() == [rows.target[0, b]]


def test_360_held_out_sequences_show_each_held_out_picture_once() -> None:
    assert sorted(chosen(0, 360, HELD_OUT)) == list(range(TRAINED, 1797))
    assert (chosen(5, 3, HELD_OUT + 359) == [1796, TRAINED, TRAINED + 1]).all()
    assert chosen(0, 5000, 0).max() == TRAINED - 1


def test_no_picture_is_in_both_parts() -> None:
    pictures = {picture.tobytes() for picture in digits()[0]}
    assert len(pictures) == 1797


def test_a_guess_is_nearly_the_best_answer_without_the_picture() -> None:
    """The digits are nearly as frequent as each other: their own shares save 0.0002 nats."""
    batch = DigitRows().batch(0, 8, 360, "last", HELD_OUT)
    shares = np.bincount(digits()[1][:TRAINED]) / TRAINED
    y = np.tile(np.log(shares)[:, None], (8, 1, 360))
    loss, _ = softmax_cross_entropy(y, batch.target, batch.mask)
    assert loss == pytest.approx(np.log(10), abs=0.001)
