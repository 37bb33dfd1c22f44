"""Results of a sweep as grids, and the words for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from rnnviz import Experiment, run
from rnnviz.analysis.measures import Measures, measures
from rnnviz.analysis.phase import Axis, CellStatus, level_cells, phase_grids, turns
from rnnviz.core.numerics import Status
from rnnviz.wording.phase import phase_words
from rnnviz.wording.texts import speak_in

GAIN = Axis("gain", (0.5, 1.0, 2.0), log=True)
LENGTH = Axis("seq_len", (10, 20), log=True)
NUMBERS = Measures(-0.5, 1.0, 0.87, -5.0, Status.FINITE, -6.0, Status.FINITE, -1.1, Status.FINITE)


@dataclass(frozen=True)
class Found:
    at: tuple[tuple[str, Any], ...]
    model: str
    measures: Measures | None
    message: str = ""


def found(gain: float, seq_len: int, model: str = "rnn", **numbers: Any) -> Found:
    return Found((("gain", gain), ("seq_len", seq_len)), model, replace(NUMBERS, **numbers))


def one(results: list[Found], quantity: str = "slope") -> Any:
    (grid,) = phase_grids(results, ["rnn"], GAIN, LENGTH, quantity)
    return grid


def test_a_result_lies_in_its_cell_rows_are_y() -> None:
    grid = one([found(2.0, 10, slope=0.25), found(0.5, 20, slope=-0.75)])
    assert grid.values.shape == grid.cells.shape == (2, 3)
    assert (grid.values[0, 2], grid.values[1, 0]) == (0.25, -0.75)
    assert np.isnan(grid.values).sum() == (grid.cells == CellStatus.PENDING).sum() == 4


@pytest.mark.parametrize(
    ("quantity", "value"), [("slope", -0.5), ("horizon", 0.87), ("reach", -5.0), ("lambda_1", -1.1)]
)
def test_each_quantity_is_its_number(quantity: str, value: float) -> None:
    assert one([found(1.0, 10)], quantity).values[0, 1] == value


def test_several_seeds_are_averaged_over_those_with_a_number() -> None:
    results = [found(1.0, 10, slope=s) for s in (0.1, 0.3, None)]
    grid = one(results)
    assert grid.values[0, 1] == pytest.approx(0.2)
    assert grid.cells[0, 1] == CellStatus.NUMBER


@pytest.mark.parametrize(
    ("status", "cell"),
    [
        (Status.ZERO, CellStatus.ZERO),
        (Status.ROUNDED, CellStatus.ROUNDED),
        (Status.NAN, CellStatus.NONE),
        (Status.ABOVE, CellStatus.EXPLODED),
    ],
)
def test_what_is_no_number_says_what_it_is(status: Status, cell: CellStatus) -> None:
    assert one([found(1.0, 10, reach_log10=None, reach_status=status)], "reach").cells[0, 1] == cell
    exponent = found(1.0, 10, lambda_1=None, lambda_1_status=status)
    assert one([exponent], "lambda_1").cells[0, 1] == cell


@pytest.mark.parametrize("quantity", ["slope", "horizon", "reach"])
def test_nothing_is_left_though_the_steps_before_lie_on_a_line(quantity: str) -> None:
    """A shift register keeps its norm until what it holds has left it."""
    gone = found(1.0, 10, slope=-0.01, horizon=43.4, reach_log10=None, reach_status=Status.ZERO)
    assert one([gone], quantity).cells[0, 1] == CellStatus.ZERO


def test_a_refused_point_and_strangers() -> None:
    refused = Found((("gain", 1.0), ("seq_len", 10)), "rnn", None, "too large")
    other = [found(1.0, 10, "gru"), found(7.0, 10), Found((), "rnn", NUMBERS)]
    grid = one([refused, *other])
    assert grid.cells[0, 1] == CellStatus.REFUSED
    assert (grid.cells == CellStatus.PENDING).sum() == 5


def test_an_unknown_quantity_is_named() -> None:
    with pytest.raises(ValueError, match=r"quantity must be one of slope, .*got 'size'"):
        one([], "size")


def test_places_and_values_of_an_axis() -> None:
    assert [GAIN.place(v) for v in GAIN.values] == [0, 1, 2]
    assert GAIN.place(np.sqrt(2)) == pytest.approx(1.5)
    assert np.isnan(GAIN.place(4.0))
    assert [GAIN.value(p) for p in (-3, 0.4, 0.6, 2, 9)] == [0.5, 0.5, 1.0, 2.0, 2.0]
    single = Axis("skip", (3,), log=False)
    assert (single.place(3), single.value(0.0)) == (0.0, 3)
    assert np.isnan(single.place(4))


def test_where_the_slope_changes_its_sign() -> None:
    grid = one([found(g, 10, slope=s) for g, s in zip(GAIN.values, (-0.3, -0.1, 0.1), strict=True)])
    assert [turn.at for turn in turns(grid, 0)] == pytest.approx([np.sqrt(2)])
    assert turns(grid, 1) == []
    gap = one([found(0.5, 10, slope=-0.1), found(2.0, 10, slope=0.1)])
    assert [turn.at for turn in turns(gap, 0)] == pytest.approx([1.0])


def test_the_count_of_level_cells() -> None:
    """Over the whole length; what has nothing left was run, too."""
    numbers = zip(GAIN.values, (-9.9, -0.9, 0.3), (-0.02, -0.09, 0.0), strict=True)
    results = [found(g, 10, slope=s, reach_log10=r) for g, r, s in numbers]
    assert level_cells(one(results, "reach")) == (2, 3)
    zero = found(0.5, 20, reach_log10=-np.inf, reach_status=Status.ZERO)
    assert level_cells(one([*results, zero], "reach")) == (2, 4)
    assert level_cells(one([])) == (0, 0)


def words(results: list[Found], *models: str) -> tuple[str, ...]:
    grids = [phase_grids(results, models, GAIN, LENGTH, name) for name in ("slope", "reach")]
    return phase_words(*grids, 100)


def test_words_have_the_numbers_and_the_least_level_model_first() -> None:
    results = [found(g, 10, "lstm", slope=0.01, reach_log10=0.5) for g in GAIN.values]
    results += [found(g, 10, slope=s) for g, s in zip(GAIN.values, (-0.3, -0.1, 0.1), strict=True)]
    first, second = words(results, "lstm", "rnn", "gru")
    assert first == (
        "The error stays level (within a factor of 10 from the last step to the first) in "
        "**0 of 3 settings** in the RNN, **3 of 3** in the LSTM."
    )
    assert second == (
        "At T = 10 it turns from dying to growing at gain **1.4** in the RNN, "
        "nowhere (it grows) in the LSTM."
    )


def row_of(*slopes: float, model: str = "rnn") -> Any:
    """A grid of one row, its x from 0 up."""
    x, y = Axis("distractor", tuple(map(float, range(len(slopes)))), log=False), LENGTH
    results = [Found((("distractor", float(k)), ("seq_len", 10)), model, replace(NUMBERS, slope=s))
               for k, s in enumerate(slopes)]  # fmt: skip
    (grid,) = phase_grids(results, [model], x, y, "slope")
    return grid


def test_a_turn_has_its_direction_and_level_cells_between_are_passed_over() -> None:
    assert turns(row_of(0.2, 0.1, -0.1), 0) == [(pytest.approx(1.5), False)]
    assert turns(row_of(-0.3, 0.0, 0.1), 0) == [(pytest.approx(1.0), True)]
    assert turns(row_of(-0.3, 1e-17, -1e-17, 0.1), 0) == [(pytest.approx(1.5), True)]
    assert turns(row_of(-0.3, 0.3, 0.0, -0.3), 0) == [(0.5, True), (2.0, False)]
    assert turns(row_of(1e-17, -1e-17, 1e-9, 0.0), 0) == []


GONE = {"reach_log10": None, "reach_status": Status.ZERO}
EXPLODED = {"slope": None, "reach_log10": None, "reach_status": Status.ABOVE}


@pytest.mark.parametrize(
    ("cells", "at", "grows"),
    [
        (({"slope": 0.3}, GONE), np.sqrt(0.5), False),
        (({"slope": -0.3}, EXPLODED), np.sqrt(0.5), True),
        ((EXPLODED, {"slope": -0.3}), np.sqrt(0.5), False),
        (({"slope": 0.3}, {"slope": 0.0}, GONE), 1.0, False),
    ],
)
def test_what_has_nothing_left_dies_and_what_explodes_grows(
    cells: tuple[dict[str, Any], ...], at: float, grows: bool
) -> None:
    grid = one([found(g, 10, **c) for g, c in zip(GAIN.values, cells, strict=False)])
    assert turns(grid, 0) == [(pytest.approx(at), grows)]


def test_a_row_without_a_slope_is_told_too() -> None:
    gone, grown = (one([found(g, 10, **c) for g in GAIN.values]) for c in (GONE, EXPLODED))
    for grid, said in ((gone, "nowhere (it dies)"), (grown, "nowhere (it grows)")):
        assert phase_words([grid], [grid], 10)[1] == f"At T = 10 it turns {said} in the RNN."


def one_row(values: tuple[int, ...], slopes: tuple[float, ...], log: bool = True) -> Any:
    """A grid over whole numbers."""
    x = Axis("hidden_size", values, log)
    results = [Found((("hidden_size", k), ("seq_len", 10)), "rnn", replace(NUMBERS, slope=s))
               for k, s in zip(values, slopes, strict=True)]  # fmt: skip
    (grid,) = phase_grids(results, ["rnn"], x, LENGTH, "slope")
    return grid


def test_a_setting_of_whole_numbers_turns_at_one_that_it_has() -> None:
    grid = one_row((1, 2, 3, 4), (0.3, 0.2, -0.01, 0.3), log=False)
    assert turns(grid, 0) == [(3.0, False), (4.0, True)]
    assert turns(one_row((16, 64, 256, 1024), (0.1, 0.001, -0.1, -0.1)), 0) == [(65.0, False)]
    assert turns(one_row((16, 64, 256), (0.1, 0.0, -0.1)), 0) == [(64.0, False)]


@pytest.mark.parametrize(
    ("slopes", "said", "chinese"),
    [
        ((0.1, -0.1), "from growing to dying at distractor **0.5** in", "由增长转为衰减"),
        ((-0.1, 0.1), "from dying to growing at distractor **0.5** in", "由衰减转为增长"),
        ((0.1, -0.1, 0.1), "from growing to dying and back at distractor **0.5** and **1.5** in",
         "再转回"),
        ((-0.1, 0.1, -0.1, 0.1),
         "3 times (first from dying to growing at distractor **0.5**) in", "3 次（首次在"),
        ((-0.1, 0.1, -0.1, 0.1, -0.1),
         "4 times (first from dying to growing at distractor **0.5**) in", "4 次（首次在"),
        ((1e-17, -2e-17, 0.0), "nowhere (it stays level) in", "保持水平"),
        ((0.0, -0.1, -0.1), "nowhere (it dies or stays level) in", "衰减或保持水平"),
        ((0.0, 0.1, 0.1), "nowhere (it grows or stays level) in", "增长或保持水平"),
        ((-0.1, -0.2), "nowhere (it dies) in", "一直衰减"),
    ],
)  # fmt: skip
def test_a_row_is_told_as_it_goes(slopes: tuple[float, ...], said: str, chinese: str) -> None:
    grid = row_of(*slopes)
    assert phase_words([grid], [grid], 10)[1] == f"At T = 10 it turns {said} the RNN."
    assert chinese in speak_in("zh", lambda: phase_words([grid], [grid], 10)[1])


def test_places_that_are_close_have_the_digits_that_tell_them_apart() -> None:
    for slopes, said in (
        ((0.1, -0.9, 0.1), "**0.1** and **1.9**"),
        ((1.0, -0.001, 1.0), "**0.999** and **1.001**"),
    ):
        grid = row_of(*slopes)
        assert said in phase_words([grid], [grid], 10)[1]


def test_what_two_models_have_in_common_is_told_once() -> None:
    grids = [row_of(-0.1, 0.1), row_of(-0.3, 0.1, model="lstm"), row_of(-0.1, -0.2, model="gru")]
    assert phase_words(grids, grids, 10)[1] == (
        "At T = 10 it turns from dying to growing at distractor **0.5** in the RNN, "
        "at **0.75** in the LSTM, nowhere (it dies) in the GRU."
    )
    apart = [grids[0], row_of(0.3, -0.1, model="lstm"), grids[2], grids[2]]
    assert "from growing to dying at distractor **0.75**" in phase_words(apart, apart, 10)[1]
    assert "**0.75**（同上）" in speak_in("zh", lambda: phase_words(grids, grids, 10)[1])


def test_nothing_is_said_of_what_is_not_there() -> None:
    assert words([], "rnn") == ()
    assert len(words([found(1.0, 10)], "rnn")) == 1


@pytest.mark.parametrize(
    ("activation", "reach", "cell"),
    [("identity", 700 * np.log10(5), CellStatus.NUMBER), ("relu", None, CellStatus.EXPLODED)],
)
def test_states_that_explode_are_a_cell_of_their_own(activation, reach, cell) -> None:
    e = Experiment(("rnn",), activation=activation, init="identity", gain=5.0, seq_len=701,
                   hidden_size=3, batch_size=2)  # fmt: skip
    found_ = measures(run(e)["rnn"].trace)
    assert found_.reach_status == Status.ABOVE
    assert found_.reach_log10 == (None if reach is None else pytest.approx(reach))
    diagram = one([replace(found(1.0, 10), measures=found_)], "reach")
    assert diagram.cells[0, 1] == cell
