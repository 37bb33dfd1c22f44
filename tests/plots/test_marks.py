"""Spreading labels apart, and numbers as text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.plots import theme
from rnnviz.plots.marks import end_labels, gapped, gutter, model_label, small_label, spread
from rnnviz.wording.lists import text_width
from rnnviz.wording.numbers import signed

place = st.floats(-50, 350)
size = st.floats(5, 40)


@given(st.lists(st.tuples(place, size), min_size=1, max_size=7))
def test_spread_labels_do_not_overlap_and_stay_inside(labels):
    centres, sizes = [c for c, _ in labels], [s for _, s in labels]
    placed = spread(centres, sizes, 0.0, 300.0)
    order = np.argsort(placed)
    lower = np.array(placed)[order] - np.array(sizes)[order] / 2
    upper = np.array(placed)[order] + np.array(sizes)[order] / 2
    assert (upper[:-1] <= lower[1:] + 1e-6).all()
    assert lower[0] >= -1e-6
    assert upper[-1] <= 300 + 1e-6


@given(st.lists(st.tuples(place, size), min_size=1, max_size=7))
def test_spread_keeps_the_order(labels):
    centres = [c for c, _ in labels]
    placed = spread(centres, [s for _, s in labels], 0.0, 300.0)
    assert np.argsort(placed, kind="stable").tolist() == np.argsort(centres, kind="stable").tolist()


def test_labels_with_room_stay_where_they_are():
    assert spread([20.0, 100.0], [20, 20], 0, 300) == [20.0, 100.0]


def test_more_labels_than_room_are_squeezed():
    placed = spread([10.0] * 5, [100.0] * 5, 0, 300)
    np.testing.assert_allclose(placed, [30, 90, 150, 210, 270])


def test_names_of_layers_behind_are_left_out_where_those_of_models_leave_no_room():
    style = theme.Style("RNN", "", "#000000", "solid", "layer 2")
    behind = theme.Style("RNN", "", "#000000", "solid", "layer 1", faint=True)
    pair = [model_label(style, "−3.0", -3.0), model_label(behind, "−2.9", -2.9)]

    def shown(models: int, pixels: float) -> list[str]:
        notes = end_labels(pair * models, (-26.0, 4.0), pixels, 1)
        return sorted(note["text"].split()[0] for note in notes)

    assert shown(3, 170.0) == ["<b>RNN</b>"] * 3 + ["layer"] * 3 + ["layer"] * 3
    assert shown(4, 170.0) == ["<b>RNN</b>"] * 4 + ["layer"] * 4 + ["layer"] * 2
    assert shown(6, 170.0) == ["<b>RNN</b>"] * 6 + ["layer"] * 6


def test_where_all_labels_are_small_none_is_left_out():
    labels = [small_label(f"unit {k}", 0.0) for k in range(30)]
    assert len(end_labels(labels, (-1.0, 1.0), 100.0, 1)) == 30


@pytest.mark.parametrize("name", ["RNN", "my_own_network_1", "我自己训练的网络", "LSTM →"])
def test_the_gutter_has_room_for_a_bold_name_and_its_number(name):
    name, _, where = name.partition(" ")
    style = theme.Style(name, "", "#000000", "solid", where)
    text = model_label(style, "−100.1", 0.0).text.replace("<b>", "").replace("</b>", "")
    assert gutter({"x": style}) >= 10.5 * text_width(text) + 12


def test_the_gutter_has_room_for_a_chinese_detail():
    style = theme.Style("GRU", "循环权重的初始化方式均匀", "#000000", "solid")
    assert gutter({"x": style}) >= 6.5 * text_width(style.small) + 12


@pytest.mark.parametrize(
    ("value", "text"), [(-24.44, "−24.4"), (0.31, "+0.3"), (0.0, "0.0"), (-0.04, "0.0")]
)
def test_signed(value, text):
    assert signed(value) == text


def test_gaps_are_none_and_never_nan():
    assert gapped(np.array([1.0, np.nan, -np.inf, 2.12345])) == [1.0, None, None, 2.123]
    whole = gapped(np.array([1.0, 2.0]))
    assert whole.dtype == np.float32


def test_numbers_between_gaps_are_rounded_once_for_who_points_at_them():
    values = np.append(np.random.default_rng(0).uniform(-30, 30, 5000), np.nan)
    drawn = gapped(values)[:-1]
    assert [f"{v:.2f}" for v in drawn] == [f"{v:.2f}" for v in values[:-1]]
