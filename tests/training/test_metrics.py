"""Metrics count the steps that are asked, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.tasks import Batch
from rnnviz.training.records import (
    accuracy,
    loss_per_answer,
    mean_squared_error,
    metric,
    share_within,
)


def batch(target: np.ndarray, mask: list[list[float]], loss: str) -> Batch:
    return Batch(np.zeros((2, 1, 2)), target, np.array(mask), loss, 1, 2, np.array([2, 2]))


CLASSES = batch(np.array([[0, 1], [1, 1]]), [[0, 1], [1, 0.5]], "softmax_cross_entropy")
SCORES = np.array([[[9, 9], [0, 0]], [[0, 0], [1, 2]]], float)
NUMBERS = batch(np.zeros((2, 1, 2)), [[0, 1], [1, 1]], "squared_error")
ANSWERS = np.array([[[9.0, 0.03]], [[-0.05, 0.1]]])


def test_accuracy_is_the_share_of_right_answers_where_one_is_asked() -> None:
    assert accuracy(CLASSES, SCORES) == metric(CLASSES, SCORES) == pytest.approx(2 / 3)


def test_the_mean_squared_error_has_no_half() -> None:
    expected = (0.03**2 + 0.05**2 + 0.1**2) / 3
    assert mean_squared_error(NUMBERS, ANSWERS) == pytest.approx(expected)
    assert metric(NUMBERS, ANSWERS) == pytest.approx(expected)


def test_hochreiter_and_schmidhubers_tolerance_is_of_the_error_not_of_its_square() -> None:
    assert share_within(NUMBERS, ANSWERS) == pytest.approx(1 / 3)
    assert share_within(NUMBERS, ANSWERS, 0.06) == pytest.approx(2 / 3)


def test_the_loss_per_answer_is_what_the_baseline_is_stated_in() -> None:
    assert loss_per_answer(CLASSES, 2.5) == pytest.approx(2.5 / 1.25)


def test_nothing_asked_is_nan() -> None:
    silent = batch(NUMBERS.target, [[0, 0], [0, 0]], "squared_error")
    assert np.isnan(metric(silent, ANSWERS))
    assert np.isnan(loss_per_answer(silent, 0.0))
