"""Every page stands whatever the knobs say: no traceback, an answer, no blank chart. All the
situations are gone through on every page, without Streamlit, in tests/views/test_situations.py."""

from __future__ import annotations

import itertools
import json
import re

import pytest

from rnnviz import Experiment
from tests.dashboard.live_support import sent
from tests.dashboard.support import PAGES, assert_sound, change, charts, said, verdict, visit
from tests.views.situations import SITUATIONS

ON_THE_PAGE = ("defaults", "six models", "T = 2", "ReLU overflows", "rounded to zero",
               "two layers, both directions", "padded, both directions", "loss at every step",
               "skip beyond T", "variant lstm peepholes", "task captioning")  # fmt: skip

TEXTS = {
    "two characters": "ab",
    "one character many times": "a" * 500,
    "only spaces": " " * 50,
    "emoji": "🙂🙃👩‍👩‍👧‍👦" * 30,
    "right to left, zero width, combining": "שלום\u200b\u202e e\u0301" * 20,
    "markup": "<script>alert(1)</script> ![x](http://evil.example) $\\href{javascript:x}{y}$" * 9,
    "very long": "the quick brown fox\n" * 5000,
    "many different characters": "".join(map(chr, range(0x4E00, 0x4E00 + 3000))),
}


@pytest.mark.parametrize(
    ("situation", "tab"),
    [("defaults", tab) for tab in PAGES]
    + [*zip(ON_THE_PAGE[1:], itertools.cycle(PAGES), strict=False)],
)
def test_a_page_stands(situation: str, tab: str) -> None:
    app = visit(tab, SITUATIONS[situation])
    assert_sound(app)
    assert charts(app)
    assert not app.error


@pytest.mark.parametrize("text", TEXTS)
def test_a_page_stands_on_any_text(text: str) -> None:
    app = visit()
    change(app, task="text", text=TEXTS[text], hidden_size=12, seq_len=40)
    assert_sound(app)


def test_text_is_inert_on_the_page() -> None:
    app = change(visit(), task="text", text=TEXTS["markup"])
    assert "script" not in verdict(app)
    assert not any("<script>alert" in element.proto.body for element in app.get("html"))
    assert not any("evil" in box.value for box in app.markdown)


@pytest.mark.parametrize("tab", PAGES)
def test_a_loss_at_every_step_is_no_proof_of_memory(tab: str) -> None:
    app = visit(tab, Experiment(models=("rnn", "lstm"), loss_at="every"))
    if tab == "gradient-flow":
        assert "no proof of memory" in said(app)
    assert "survives" not in verdict(app)


def test_what_has_no_number_is_said() -> None:
    app = visit(query=SITUATIONS["every model overflows"])
    assert "explode on the way forward: its error has no number" in " ".join(verdict(app).split())


def test_a_power_is_raised_with_its_decimal() -> None:
    body = "".join(str(element.proto.body) for element in visit().get("html"))
    assert re.search(r"10<sup>24\.\d</sup>", body)


def test_one_cursor_is_for_the_figure_and_the_heatmaps() -> None:
    """Charts share it that say that their x is the time step."""
    told = sent(visit())
    for name in ("chart:flow-state", "chart:units"):
        assert json.loads(told[name])["options"]["timeAxis"], name
