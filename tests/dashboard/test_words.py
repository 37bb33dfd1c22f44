"""What a page says stands in rnnviz/wording: in the pseudo-locale all of it is in ⟦ ⟧."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from rnnviz.dashboard import compute
from rnnviz.wording.texts import ENGLISH, PSEUDO, speak
from tests.dashboard.reading import NO_WORDS, read, unbracketed
from tests.dashboard.support import change, visit
from tests.dashboard.training_support import choose, click, tick

pytestmark = [pytest.mark.trained, pytest.mark.usefixtures("_short_slices")]

SMALL = {"lang": PSEUDO, "hidden_size": "6", "batch_size": "4", "seq_len": "24"}
TEXT = {**SMALL, "task": "text", "text": "hello hello hello hello", "loss_at": "every",
        "models": "rnn,lstm:forget_bias=0", "layers": "2", "bidirectional": "yes"}  # fmt: skip
PAGES = ("gradient-flow", "spectrum", "gates", "phase-diagram", "claims", "train", "by-hand",
         "your-network")  # fmt: skip
POPOVERS = dict.fromkeys(("more", "train_how", "link", "run_links"), True)
NAMES = re.compile(
    "RNN|LSTM|GRU|rnn|lstm|gru"  # models
    "|tanh|glorot|sgd|momentum|rmsprop|adagrad|adam|chrono|b?float"  # as papers and NumPy name them
    "|English"  # a language under its own name
    "|log|max|NaN|nan|ReLU|relu|hello"  # signs of formulas, what is no number, the visitor's text
)
DEFINED = re.compile(r"<dfn [^>]*>.*?</dfn>")
"""Words that have a definition: wording spells them, the same in the pseudo-locale."""
FILE = re.compile(r"(?<=⟦Data: ⟧)[\w-]+(?=⟦)")
"""What a download is called."""


@pytest.fixture(autouse=True)
def _pseudo() -> Iterator[None]:
    """AppTest names the options of a list in this thread, as the page does in its own."""
    speak(PSEUDO)
    yield
    speak(ENGLISH)


def opened(app: AppTest) -> AppTest:
    """With every popover and every panel open."""
    panels = {f"open-{each.label}": True for each in app.get("expander")}
    return change(app, **panels, **POPOVERS)


def foreign(app: AppTest) -> list[str]:
    """What is said in words that do not come from rnnviz/wording."""
    assert not app.exception
    found = []
    for text in read(app):
        rest = DEFINED.sub("", FILE.sub("", text))
        if any(not NAMES.fullmatch(word) for word in unbracketed(rest)):
            found.append(text)
    return found


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_nothing_of_its_own_and_a_negative_number_has_a_true_minus(page: str) -> None:
    query = {**SMALL, "models": "gru:update_bias=-1.5,lstm,rnn", "memory_bias": "-2"}
    if page == "phase-diagram":
        query |= {"view_x": "memory_bias", "view_y": "gain"}
    app = opened(visit(page, query))
    assert foreign(app) == []
    said = [NO_WORDS.sub(" ", text) for text in read(app)]
    assert [text for text in said if re.search(r"(?<![\w)\]])-[\d.]", text)] == []


@pytest.mark.parametrize("page", ["gradient-flow", "spectrum", "gates", "train"])
def test_nor_with_layers_directions_and_a_text(page: str) -> None:
    assert foreign(opened(visit(page, TEXT))) == []


@pytest.mark.parametrize("lesson", ["quick", "clipping", "influence"])
def test_nor_does_a_lesson(lesson: str) -> None:
    app = choose(visit("train", SMALL), lesson)
    assert foreign(opened(tick(tick(app)))) == []


def test_nor_does_training_that_has_stopped() -> None:
    app = tick(click(visit("train", SMALL), "train_play"))
    app = tick(change(click(app, "train_play"), gain=2.0))
    assert foreign(opened(app)) == []
    assert (
        foreign(opened(visit("gates", {**SMALL, "train_steps": "2", "view_theory": "True"}))) == []
    )


@pytest.mark.parametrize(
    "query",
    [
        {
            "view_theory": "True",
            "view_why": "True",
            **SMALL,
            "init": "orthogonal",
            "activation": "relu",
        },
        {
            **SMALL,
            "models": "rnn,gru",
            "activation": "relu",
            "gain": "16",
            "seq_len": "300",
            "init": "identity",
        },
    ],
)
@pytest.mark.parametrize("page", ["gradient-flow", "spectrum"])
def test_nor_with_theory_and_in_an_overflow(page: str, query: dict[str, str]) -> None:
    assert foreign(opened(visit(page, query))) == []


@pytest.mark.parametrize("count", ["5", "11"])
def test_nor_with_seeds(count: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "SEEDS_SECONDS", 1.0 if count == "5" else 0.0)
    assert foreign(opened(visit("gradient-flow", {**TEXT, "view_seeds": count}))) == []


@pytest.mark.parametrize("units", ["", "0"])
def test_nor_with_the_states(units: str) -> None:
    query = {**TEXT, "view_states": "True", "view_units": units}
    assert foreign(opened(visit("gates", query))) == []
