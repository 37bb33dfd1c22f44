"""Which words are defined, and where they stand."""

from __future__ import annotations

import pytest

from rnnviz.wording.glossary import definition, first_places, in_drawing
from rnnviz.wording.texts import TERMS, speak_in, texts

ASKED = ("error", "gradient", "decade", "s", "h", "c", "clue", "rule_of_thumb")


def test_every_term_has_its_spelling_and_its_definition() -> None:
    assert tuple(texts(TERMS)) == ASKED
    assert set(texts("glossary")) == {*ASKED, "words"}
    assert all(definition(term).endswith(".") for term in ASKED)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Rule of thumb: the errors lose 3 decades.", ["Rule of thumb", "errors", "decades"]),
        ("true ∂c_T/∂c_0 goes through h instead", ["c_T", "h"]),
        ("‖∂L/∂s_t‖ of the RNN's error", ["s_t", "error"]),
        ("the RNN's W_hh, d_h and tanh′ at step 3", []),
        ("what it’s worth: hc, sc, c′", []),
        ("Gradient flow starts at the clue", ["clue"]),
        ("mean squared error 1/6, Median error 3, a rounding error", []),
    ],
)
def test_words_are_found_where_they_stand_and_nowhere_else(text: str, found: list[str]) -> None:
    assert [text[place.start : place.stop] for place in first_places(text)] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("第 100 步的误差，在 RNN 中损失 18 个数量级", ["误差", "数量级"]),
        ("均方误差与误差中位数，舍入误差，梯度流", []),
        ("状态 s_t、h 与线索", ["s_t", "h", "线索"]),
    ],
)
def test_so_they_are_in_a_language_without_spaces(text: str, found: list[str]) -> None:
    places = speak_in("zh", lambda: first_places(text))
    assert [text[place.start : place.stop] for place in places] == found


def test_what_is_defined_already_is_not_found_again() -> None:
    places = first_places("an error of h, an error of c", ["error"])
    assert [place.term for place in places] == ["h", "c"]


def test_a_figure_s_words_are_those_of_its_layout() -> None:
    layout = {"yaxis": {"title": {"text": "log<sub>10</sub> ‖∂L/∂s<sub>t</sub>‖"}},
              "annotations": [{"text": "<b>clue</b>, step 1", "x": 0}], "height": 3}  # fmt: skip
    assert list(in_drawing(layout)) == ["log_10 ‖∂L/∂s_t‖", "clue, step 1"]
