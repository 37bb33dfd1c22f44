"""The trust strip: on every page, about the run that is on the screen and no other."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import rnnviz.dashboard.compute as compute
from rnnviz import Experiment
from rnnviz.analysis.trust import GRADIENT, NAMES, Check, Trust
from rnnviz.core.lstm import LSTM
from rnnviz.dashboard import trust_words
from rnnviz.dashboard.main import PAGES
from rnnviz.dashboard.texts import fill, scientific, texts
from rnnviz.tasks import TASKS
from tests.dashboard.support import change, press, visit

SMALL = Experiment(seq_len=20, hidden_size=4, batch_size=2)
TEXT = texts("trust")
THIS = {key: fill(TEXT[key], of="this run") for key in ("passed", "failed", "part", "open")}
OF = {"train": "of_trained", "phase-diagram": "of_sidebar", "claims": "of_sidebar"}


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    yield
    compute.trust.clear()
    compute.traces.clear()


def body(app: AppTest, css: str) -> str:
    """The one element of the page's own HTML with this class."""
    found = [e.proto.body for e in app.get("html") if f'class="{css}"' in e.proto.body]
    assert len(found) == 1, found
    return str(found[0])


def strip(app: AppTest) -> str:
    return body(app, "rnnviz-trust")


def line(app: AppTest) -> str:
    """What is seen without a click, as plain text."""
    now = strip(app).split('class="now">')[1].split('<span class="then">')[0]
    return html.unescape(re.sub(r"<[^>]+>", "", now))


def run_of(markup: str) -> str:
    found = re.search(r'data-run="(\w+)"', markup)
    assert found is not None
    return found[1]


def shown(app: AppTest) -> bool:
    """Whether the strip is about the run that the page says it shows: else it is dimmed."""
    return run_of(strip(app)) == run_of(body(app, "rnnviz-run"))


@pytest.mark.trained
@pytest.mark.parametrize("page", PAGES)
def test_it_is_on_every_page(page: str) -> None:
    app = visit(page, SMALL)
    assert not app.exception
    of = TEXT[OF.get(page, "of_here")]
    assert f"✓ {fill(TEXT['passed'], of=of)}" in line(app)
    for said in ("complex step", "dot test", "states", "sums", "det J", "float64", "T = 20"):
        assert said in line(app), said
    assert 'role="status"' in strip(app)
    assert "not for a GRU" in strip(app)
    assert shown(app)


def test_it_follows_the_knobs() -> None:
    app = visit(query=SMALL)
    before = strip(app)
    change(app, gain=1.5, seq_len=30)
    assert run_of(strip(app)) != run_of(before)
    assert "T = 30" in line(app)
    assert shown(app)


def test_a_dragged_knob_leaves_it_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page alone runs then, in single precision: what was checked is another run."""
    app = visit(query=SMALL)
    before = strip(app)
    for name in ("controls", "knobs"):
        monkeypatch.setattr(f"rnnviz.dashboard.{name}.is_dragging", lambda: True)
    monkeypatch.setattr("rnnviz.dashboard.main._details", lambda path: None)
    app.run()
    marked = body(app, "rnnviz-run")
    assert run_of(marked) != run_of(before)
    assert f'.rnnviz-trust:not([data-run="{run_of(marked)}"]) .now {{ display: none; }}' in marked


def test_single_precision_is_said() -> None:
    app = visit(query=Experiment(("lstm",), seq_len=20, hidden_size=4, dtype="float32"))
    assert "float32" in line(app)
    assert f"✓ {THIS['passed']}" in line(app)


@pytest.mark.parametrize("page", PAGES)
def test_what_was_refused_is_not_checked(page: str) -> None:
    too_large = {"hidden_size": 512, "seq_len": 2000, "batch_size": 256}
    app = visit(page, {**too_large, "models": "lstm"})
    assert line(app) == f"– {TEXT['nothing']}"
    assert shown(app)


@pytest.mark.trained
def test_while_training_plays_it_waits() -> None:
    app = visit("train", SMALL)
    assert "After 1 training steps" in strip(app)
    press(app, "Play")
    assert line(app) == f"– {TEXT['playing']}"
    press(app, "Pause")
    assert f"✓ {fill(TEXT['passed'], of=TEXT['of_trained'])}" in line(app)
    assert shown(app)


@pytest.mark.trained
def test_a_training_step_is_another_run() -> None:
    app = visit("train", SMALL)
    before = run_of(strip(app))
    press(app, "+1")
    assert run_of(strip(app)) != before
    assert "After 2 training steps" in strip(app)
    assert shown(app)


def test_the_same_run_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    app = visit(query=SMALL)
    monkeypatch.setattr(compute.trusting, "trust", None)
    monkeypatch.setattr("rnnviz.dashboard.trust.check", None)
    app.run()
    assert not app.exception
    assert shown(app)


@pytest.mark.trained
@pytest.mark.parametrize("page", ["gradient-flow", "train"])
def test_a_mistake_turns_it_red(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = LSTM.factors

    def wrong(self: LSTM, *given: Any) -> None:
        right(self, *given)
        given[3][:, 0] *= 1.001  # one unit's output gate

    monkeypatch.setattr(LSTM, "factors", wrong)
    app = visit(page, SMALL)
    assert "✗ A check of this" in line(app)
    for name in ("complex step", "dot test", "states", "det J"):
        assert f"✗ {name}" in line(app)
    assert "✗ sums" not in line(app)


def test_an_overflow_is_neither_green_nor_red() -> None:
    app = visit(query=Experiment(("rnn",), seq_len=400, hidden_size=4, gain=16.0,
                                 activation="identity"))  # fmt: skip
    assert f"– {THIS['part']}" in line(app)
    assert "the loss is not a finite number" in strip(app)


@pytest.mark.parametrize("task", TASKS)
def test_every_kind_of_task_is_checked(task: str) -> None:
    small = {"seq_len": 12, "hidden_size": 4, "batch_size": 3, "text": "to be or not to be"}
    app = visit(query=Experiment(("lstm", "gru"), task=task, layers=2, skip=3, **small))
    assert not app.exception
    assert f"✓ {THIS['passed']}" in line(app), strip(app)


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.0, "0"), (7.3e-16, "7·10⁻¹⁶"), (1.0, "1·10⁰"), (np.nan, "not a number"), (np.inf, "∞")],
)
def test_numbers(value: float, written: str) -> None:
    assert scientific(value) == written


def made(*values: tuple[float, str]) -> Trust:
    """A model of which all checks but the first are left out."""
    first = [Check(GRADIENT, "", value, 1e-12, "", reason) for value, reason in values]
    left_out = NAMES[len(first) :]
    rest = [Check(name, "", np.nan, np.nan, "", "too large") for name in left_out]
    return Trust("rnn", (*first, *rest), "float64", 7, 0.25)


def test_words() -> None:
    some = trust_words.whole(
        "a", [made((1e-15, "")), made((np.nan, "chaos"))], "this run", "About <this>."
    )
    assert THIS["part"] in some
    assert "complex step 1·10⁻¹⁵ (1/2)" in some
    assert "dot test –" in some
    assert "About &lt;this&gt;." in some
    assert "At 25% of the steps" in some
    nothing = trust_words.whole("a", [made((np.nan, "chaos"))], "this run", "")
    assert THIS["open"] in nothing
    no_number = trust_words.whole("a", [made((np.nan, ""))], "this run", "")
    assert THIS["failed"] in no_number
    assert "not a number ≰ 1·10⁻¹²" in no_number


def test_every_check_and_every_state_has_its_words() -> None:
    states = {"passed", "failed", "part", "open", "stale", "nothing", "playing", "trained",
              "sidebar", "here", "bounds", "conventions", "rescaled", "in_range",
              "of_here", "of_trained", "of_sidebar"}  # fmt: skip
    assert set(TEXT) == states | {name.replace(" ", "_") for name in NAMES}


def test_a_newer_value_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two checks Streamlit is asked whether a newer script waits."""
    asked: list[float] = []
    monkeypatch.setattr(compute, "give_way", asked.append)
    visit(query=Experiment(("rnn",), seq_len=20, hidden_size=4))
    assert len(asked) == len(NAMES)
