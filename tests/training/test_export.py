"""What is taken away says what was recorded: nothing, NaN, infinity and numbers are different."""

from __future__ import annotations

import csv
import io
import json

import numpy as np

from rnnviz.training import History, StepRecord, TrainState
from rnnviz.training.export import to_csv, to_json


def history() -> History:
    filled = History(TrainState(0, {"W": np.zeros(2)}))
    curve, after = np.array([-np.inf, -2.5, np.nan], np.float32), TrainState(1, {"W": np.ones(2)})
    sigma, nan = np.array([2.0]), np.nan
    filled.add(after, StepRecord(0, 2.0, 2.0, 0.25, curve, 3.0, 1.0, True, 0.1, sigma, 1.5,
                                 held_out_loss=3.5, held_out_metric=0.75))  # fmt: skip
    bad = StepRecord(1, nan, np.inf, 0.0, curve, 3.0, 3.0, False, nan, event="the loss is NaN")
    filled.add(after, bad)
    return filled


def test_csv_has_a_line_for_each_record() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(history()))))
    assert [row["step"] for row in rows] == ["0", "1"]
    assert (rows[0]["loss"], rows[0]["spectral_radius"], rows[0]["event"]) == ("2.0", "1.5", "")
    assert (rows[1]["loss"], rows[1]["spectral_radius"]) == ("nan", "")
    assert rows[1]["event"] == "the loss is NaN"
    assert (rows[0]["held_out_loss"], rows[0]["held_out_metric"]) == ("3.5", "0.75")
    assert rows[1]["held_out_loss"] == ""


def test_json_is_strict_and_tells_apart_what_is_no_number() -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    given = json.loads(to_json(history(), label="rnn", seed=3), parse_constant=refuse)
    assert (given["label"], given["seed"], given["step"]) == ("rnn", 3, [0, 1])
    assert given["loss"] == [2.0, "NaN"]
    assert given["loss_per_answer"] == [2.0, "inf"]
    assert given["spectral_radius"] == [1.5, None]
    assert given["singular_values"] == [[2.0], None]
    assert given["log10_state"][0] == ["-inf", -2.5, "NaN"]
    assert given["clipped"] == [True, False]
