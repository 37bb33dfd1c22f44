"""What a scrub shows, packed small."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rnnviz.plots.drawing import Track, Words, packed_values
from tests.plots.support import unpacked_values


def test_values_survive_but_for_one_part_in_60_000() -> None:
    values = np.linspace(-300.0, 4.0, 120).reshape(3, 4, 10)
    back = unpacked_values(json.loads(json.dumps(packed_values(values))))
    assert back.shape == values.shape
    assert np.abs(back - values).max() <= 304 / 60_000


def test_what_is_no_number_survives() -> None:
    values = np.array([[np.nan, -np.inf, np.inf], [-1.0, 0.0, 2.0]])
    back = unpacked_values(packed_values(values))
    assert np.isnan(back[0, 0])
    assert back[0, 1] == -np.inf
    assert back[0, 2] == np.inf
    assert np.allclose(back[1], values[1], atol=1e-4)


@pytest.mark.parametrize("value", [0.0, 1e-300, -1e300, np.nan, -np.inf])
def test_equal_values_come_back(value: float) -> None:
    back = unpacked_values(packed_values(np.full((2, 3), value)))
    assert np.allclose(back, value, rtol=1e-9, equal_nan=True)


def test_a_packed_track_is_json() -> None:
    track = Track(1, "y", np.array([0, 5]), np.array([[1.0, np.nan], [2.0, -np.inf]]))
    sent = json.loads(json.dumps(track.packed(), allow_nan=False))
    assert (sent["trace"], sent["attribute"], sent["shape"]) == (1, "y", [2, 2])


@pytest.mark.parametrize(
    ("attribute", "steps", "rows", "said"),
    [("x", [0], 1, "attribute"), ("y", [0, 1], 1, "values"), ("y", [1, 1], 2, "increase")],
)
def test_what_does_not_fit_is_refused(
    attribute: str, steps: list[int], rows: int, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        Track(0, attribute, np.array(steps), np.zeros((rows, 2)))


def test_words_are_one_row_for_each_step() -> None:
    assert Words(2, np.array([0, 5]), [["a"], ["b"]]).packed()["words"] == [["a"], ["b"]]
    with pytest.raises(ValueError, match="words must be one for each of 2 steps, got 1"):
        Words(0, np.array([0, 5]), [["a"]])
