"""Every page stands whatever the knobs say: an answer in words, no blank chart, nothing infinite.

A run is made once and shown on every page, the states of each of its models too. What Streamlit
adds is tested in tests/dashboard/test_pages.py, on some of these.
"""

from __future__ import annotations

import re
from types import ModuleType

import numpy as np
import pytest

from rnnviz import Experiment, run
from rnnviz.plots.drawing import to_json
from rnnviz.views import gates, gradient_flow, spectrum, states
from rnnviz.views.picture import Picture, Words
from tests.views.situations import SITUATIONS

VIEWS = (gradient_flow, spectrum, gates)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_page_says_and_draws_something(situation: str) -> None:
    """As it is at rest; and on one of the pages, on each in turn, while a knob is held."""
    result = run(SITUATIONS[situation])
    held = VIEWS[[*SITUATIONS].index(situation) % len(VIEWS)]
    for page, coarse in (*((each, False) for each in VIEWS), (held, True)):
        assert_sound(page, list(page.pictures(page.view(result, page.Choices(coarse=coarse)))))
    for model in result:
        for item in states.pictures(states.view(result, states.Choices(model=model))):
            assert isinstance(item, Picture), model
            assert item.alt, item.key
            assert item.how, item.key
            assert_drawn(item)


def assert_sound(page: ModuleType, items: list[Picture | Words]) -> None:
    pictures = [item for item in items if isinstance(item, Picture)]
    answers = [item for item in items if item.key in ("verdict", "info")]
    assert len(answers) == 1, page
    assert re.search(r"\w{3}.*\.$", answers[0].lines[0]), page  # type: ignore[union-attr]
    assert pictures, page
    for picture in pictures:
        assert_drawn(picture)


def assert_drawn(picture: Picture) -> None:
    drawn = np.concatenate([numbers(trace) for trace in picture.drawing["data"]])
    assert np.isfinite(drawn).any(), f"{picture.key} is blank"
    assert not np.isinf(drawn).any(), f"{picture.key} holds infinities"
    to_json(picture.drawing)


def numbers(trace: dict) -> np.ndarray:
    """What a trace draws: its z, or else its y."""
    values = trace.get("z", trace.get("y"))
    return np.array([] if values is None else values, float).ravel()


def test_a_view_is_the_same_each_time() -> None:
    drawn = []
    for _ in range(2):
        view = gradient_flow.view(run(Experiment(seq_len=20, hidden_size=6)))
        drawn.append([to_json(p.drawing) for p in gradient_flow.pictures(view)
                      if isinstance(p, Picture)])  # fmt: skip
    assert drawn[0] == drawn[1]
