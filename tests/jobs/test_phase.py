"""The phase diagram: slice by slice, coarse first, following every knob but its own two."""

from __future__ import annotations

import pickle
from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from rnnviz.analysis.phase import CellStatus
from rnnviz.experiment import FIELDS, Experiment
from rnnviz.jobs.phase import RANGES, SIZES, Diagram, advance, follow, make_axis
from rnnviz.views import phase

SMALL = Experiment(("rnn", "gru"), seq_len=20, hidden_size=4, batch_size=2)  # type: ignore[arg-type]


def diagram(experiment: Experiment = SMALL) -> Diagram:
    return Diagram(experiment, make_axis("gain", 7), make_axis("memory_bias", 5))


def clocked(d: Diagram, points: int) -> Diagram:
    """With so many points more."""
    ticks = count()
    return advance(d, float(points), clock=lambda: float(next(ticks)))[0]


def numbers(d: Diagram) -> list[object]:
    """All results but how long they took."""
    return [replace(result, seconds=0.0) for result in d.results]


def test_a_slice_ends_when_its_time_is_up() -> None:
    d = clocked(diagram(), 3)
    assert (d.done, len(d.results), d.total) == (3, 3, 70)
    d, record = advance(d, 0.0, clock=lambda: 0.0)
    assert d.done == 4
    assert d.results[-1:] == record
    d, _ = advance(d, 1000)
    assert d.finished
    assert {(r.at, r.model) for r in d.results} == {
        ((("gain", x), ("memory_bias", y)), model)
        for x in d.x.values for y in d.y.values for model in ("rnn", "gru")
    }  # fmt: skip
    assert len(d.results) == d.total
    assert advance(d, 0.0) == (d, ()) or advance(d, 0.0)[1] == ()


def test_what_is_pickled_goes_on_to_the_bit() -> None:
    whole, sliced = clocked(diagram(), 23), diagram()
    for points in (1, 2, 20):
        sliced = clocked(pickle.loads(pickle.dumps(sliced)), points)
    assert numbers(sliced) == numbers(whole)
    assert len(whole.results) == 23


def test_the_corners_of_the_coarse_grid_come_first() -> None:
    d = clocked(diagram(replace(SMALL, models=("rnn",))), 4)  # type: ignore[arg-type]
    done = np.argwhere(phase.view(d).grids[0].cells == CellStatus.NUMBER)
    assert done.tolist() == [[0, 0], [0, 4], [4, 0], [4, 4]]


def test_equal_parameter_counts_are_measured_together() -> None:
    d, _ = advance(diagram(replace(SMALL, match="parameters")), 0.0)
    assert [r.model for r in d.results] == ["rnn", "gru"]
    assert (d.done, d.total) == (1, 35)


def test_a_diagram_is_kept_until_another_knob_moves() -> None:
    axes = make_axis("gain", 7), make_axis("memory_bias", 5)
    first = clocked(follow(None, SMALL, *axes), 1)
    assert follow(first, replace(SMALL, gain=2.0, memory_bias=0.0), *axes) is first
    for other in (
        follow(first, replace(SMALL, seed=1), *axes),
        follow(first, SMALL, axes[0], make_axis("distractor", 5)),
    ):
        assert other is not first
        assert other.results == ()


@pytest.mark.parametrize("name", RANGES)
def test_every_knob_makes_an_axis(name: str) -> None:
    known = FIELDS[name]
    for number in {n for size in SIZES.values() for n in size}:
        axis = make_axis(name, number)
        assert list(axis.values) == sorted(set(axis.values))
        assert (axis.values[0], axis.values[-1]) == RANGES[name]
        assert len(axis.values) == number or known.kind == "int"
        for value in axis.values:
            assert known.check(name, value) == value
