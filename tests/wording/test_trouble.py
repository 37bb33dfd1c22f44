"""Where numbers stop being ordinary ones, in words."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.analysis.trouble import Trouble, Troubles
from rnnviz.core.numerics import Status
from rnnviz.core.places import NotFinite
from rnnviz.wording.trouble import trouble_words


def on_the_way_back(*models: Trouble) -> str:
    return trouble_words(Troubles(models))


def test_where_there_is_none_nothing_is_said() -> None:
    assert trouble_words(Troubles()) == ""


def test_each_model_is_told_with_the_step_from_which_it_is_so() -> None:
    assert on_the_way_back(Trouble("rnn", 36, Status.ZERO), Trouble("gru", 9, Status.NAN)) == (
        "The error in the RNN is exactly zero from step 36 back. "
        "The error in the GRU is not a number (NaN) from step 9 back."
    )
    assert on_the_way_back(Trouble("rnn", 12, Status.BELOW)) == (
        "The error in the RNN is below 10^−307.6, where float64 alone would lose digits of it or "
        "all, from step 12 back."
    )


def test_error_that_comes_back_is_told_with_how_many_steps_have_none() -> None:
    assert on_the_way_back(Trouble("rnn", 15, Status.ZERO, 3, 15)) == (
        "The error in the RNN is exactly zero at 3 of the 15 steps from step 15 back."
    )


def test_where_error_travels_forward_it_is_so_from_a_step_on() -> None:
    assert on_the_way_back(Trouble("rnn", 9, Status.ZERO, 12, 12, direction=1)) == (
        "The error in the RNN is exactly zero from step 9 on."
    )
    assert on_the_way_back(Trouble("rnn", 9, Status.ZERO, 3, 12, direction=1)) == (
        "The error in the RNN is exactly zero at 3 of the 12 steps from step 9 on."
    )


def test_states_that_explode_come_first() -> None:
    assert trouble_words(Troubles(forward=(("rnn", 260),))) == (
        "The states of the RNN explode: at step 260 on the way forward they pass the largest "
        "number that their precision holds."
    )


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (NotFinite("W_hh", (0, 0), np.nan), "W_hh of the RNN is NaN at [0, 0]."),
        (NotFinite("b_h", (3,), -np.inf), "b_h of the RNN is −∞ at [3]."),
        (
            NotFinite("x", (4, 0, 2), np.inf),
            "The input of the RNN is ∞ at step 5, feature 1, sequence 3.",
        ),
    ],
    ids=str,
)
def test_what_came_in_is_told_with_its_place(place: NotFinite, said: str) -> None:
    assert trouble_words(Troubles(given=(("rnn", place),))) == said


@pytest.mark.parametrize(
    "status", sorted(set(Status) - {Status.FINITE, Status.LOST, Status.NOT_RECORDED})
)
def test_every_status_has_its_words(status: Status) -> None:
    assert on_the_way_back(Trouble("rnn", 1, status)).endswith("from step 1 back.")
