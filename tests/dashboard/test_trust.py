"""The trust strip: on every page, about the run that is on the screen and no other."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import rnnviz.dashboard.compute as compute
from rnnviz import Experiment
from rnnviz.analysis.remarks import Remark
from rnnviz.analysis.selfcheck.checks import (
    DETERMINANT,
    DOT,
    GRADIENT,
    LOSSES,
    NAMES,
    QUICK,
    STATES,
    WEIGHTS,
    Check,
    Trust,
)
from rnnviz.core.lstm import LSTM
from rnnviz.dashboard import jobs, trust, trust_html
from rnnviz.dashboard.main import ALONE, PAGES
from rnnviz.tasks import TASKS
from rnnviz.wording.numbers import scientific
from rnnviz.wording.texts import fill, texts
from tests.dashboard.support import change, go_to, press, visit

SMALL = Experiment(seq_len=20, hidden_size=4, batch_size=2)
TEXT = texts("trust")
WITH_RUNS = [path for path in PAGES if path not in ALONE]
SHOWS_A_RUN = ("gradient-flow", "spectrum", "gates")
QUICKLY = "✓ sums, determinant, dot test checked"
WHOLLY = "✓ sums, determinant, dot test, complex step, states, losses checked"


pytestmark = pytest.mark.usefixtures("_short_slices")


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    yield
    st.cache_resource.clear()


def strip(app: AppTest) -> dict[str, Any]:
    """What the browser was told of the strip."""
    found = [e for e in app.get("bidi_component") if e.proto.component_name == "rnnviz_disclosure"]
    assert len(found) == 1
    told: dict[str, Any] = json.loads(found[0].proto.bytes)
    return told


def plain(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", markup))


def line(app: AppTest) -> str:
    """What is seen without a click, as plain text."""
    return plain(strip(app)["line"])


def shown(app: AppTest) -> bool:
    """Whether the strip is about the run that the page says it shows: else it is dimmed."""
    return strip(app)["run"] in mark(app)


def mark(app: AppTest) -> str:
    """What the page says of the run that it shows."""
    found = [e.proto.body for e in app.get("html") if 'class="rnnviz-run"' in e.proto.body]
    assert len(found) == 1
    return str(found[0])


def ask(app: AppTest, times: int = 1) -> AppTest:
    """What the browser does after a click on the button: ask until nothing is left."""
    for _ in range(times):
        app.session_state[trust.ASKED] = strip(app)["run"]
        app.run()
    return app


@pytest.mark.parametrize("page", SHOWS_A_RUN)
def test_a_page_that_shows_a_run_has_it_checked_quickly(page: str) -> None:
    app = visit(page, SMALL)
    assert not app.exception
    assert line(app) == f"{QUICKLY} · {TEXT['to_ask']}"
    panel = plain(strip(app)["panel"])
    for said in ("float64", "T = 20", "not for a GRU", "all 20 steps and 2 sequences"):
        assert said in panel, said
    assert panel.count(TEXT["not_checked"]) == 3 * (len(NAMES) - len(QUICK.names))
    assert strip(app)["ask"] == TEXT["ask_now"]
    assert (strip(app)["running"], strip(app)["done"]) == (False, False)
    assert shown(app)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        pytest.param("train", "unchecked", marks=pytest.mark.trained),
        ("phase-diagram", "unchecked_sidebar"),
        ("claims", "unchecked_sidebar"),
    ],
)
def test_a_page_without_one_makes_none(
    page: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compute, "quick_checks", None)
    monkeypatch.setattr("rnnviz.dashboard.trust.run_network", None)
    app = visit(page, SMALL)
    assert not app.exception
    assert line(app) == f"– {TEXT[said]}"
    assert plain(strip(app)["panel"]).count(TEXT["not_checked"]) == 3 * len(NAMES)
    assert shown(app)


@pytest.mark.trained
@pytest.mark.parametrize("page", WITH_RUNS)
def test_whoever_asks_gets_everything_model_after_model(page: str) -> None:
    app = ask(visit(page, SMALL))
    assert fill(TEXT["going"], done=2, models=3) in line(app)
    assert "complex step," not in line(app)
    assert (strip(app)["running"], strip(app)["ask"]) == (True, TEXT["checking"])
    ask(app, 2)
    assert not app.exception
    elsewhere = page in ("phase-diagram", "claims")
    assert line(app) == ("✓ Sidebar's run: " + WHOLLY[2:] if elsewhere else WHOLLY)
    assert (strip(app)["running"], strip(app)["done"]) == (False, True)
    panel = plain(strip(app)["panel"])
    assert TEXT["not_checked"] not in panel
    assert "2 of 2 sequences, all 20 steps" in panel
    assert shown(app)


def test_what_was_asked_for_stays_on_other_pages_and_other_knobs_lose_it() -> None:
    app = ask(visit(query=SMALL), 3)
    assert line(go_to(app, "spectrum")) == WHOLLY
    assert line(go_to(app, "claims")) == "✓ Sidebar's run: " + WHOLLY[2:]
    change(go_to(app, "gates"), gain=1.5)
    assert line(app) == f"{QUICKLY} · {TEXT['to_ask']}"


def test_nothing_goes_on_unless_the_browser_asks() -> None:
    app = ask(visit(query=SMALL))
    before = line(app)
    assert line(app.run()) == before


def test_what_the_browser_asks_of_another_run_is_not_heard() -> None:
    app = visit(query=SMALL)
    app.session_state[trust.ASKED] = "another"
    assert line(app.run()) == f"{QUICKLY} · {TEXT['to_ask']}"


def test_who_asks_for_what_another_visitor_asked_for_waits_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask(visit(query=SMALL), 3)
    monkeypatch.setattr(compute.trusting, "trust", None)
    app = visit("spectrum", SMALL)
    assert line(ask(app, 3)) == WHOLLY
    assert not app.exception


def test_no_run_is_made_for_the_quick_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are made with the page, while its run is in memory: gone from there, it stays gone."""
    made = []

    def counted(*given: Any) -> Any:
        made.append(given[0].experiment)
        return right(*given)

    right = compute.run_plan
    monkeypatch.setattr(compute, "run_plan", counted)
    monkeypatch.setattr("rnnviz.dashboard.offers.tell_sliders", lambda *_: compute.traces.clear())
    monkeypatch.setattr("rnnviz.dashboard.pages.gradient_flow.details", lambda setting: None)
    app = visit(query=SMALL)
    assert line(app).startswith(QUICKLY)
    assert made == [SMALL]


def test_it_follows_the_knobs() -> None:
    app = visit(query=SMALL)
    before = strip(app)["run"]
    change(app, gain=1.5, seq_len=30)
    assert strip(app)["run"] != before
    assert "T = 30" in strip(app)["panel"]
    assert shown(app)


def test_a_page_that_is_ahead_leaves_it_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until what is below the fold has followed: what was checked is another run."""
    app = visit(query=SMALL)
    before = strip(app)["run"]
    monkeypatch.setattr("rnnviz.dashboard.main._details", lambda path: None)
    change(app, gain=1.5)
    assert not app.exception
    marked = mark(app)
    assert before not in marked
    run = re.search(r'data-run="(\w+)"', marked)[1]
    assert f'.rnnviz-trust:not([data-run="{run}"]) .now {{ display: none; }}' in marked


def test_single_precision_is_said() -> None:
    app = visit(query=Experiment(("lstm",), seq_len=20, hidden_size=4, dtype="float32"))
    assert "float32" in strip(app)["panel"]
    assert line(app).startswith(QUICKLY)


@pytest.mark.parametrize("page", WITH_RUNS)
def test_what_was_refused_is_not_checked(page: str) -> None:
    too_large = {"hidden_size": 512, "seq_len": 2000, "batch_size": 256}
    app = visit(page, {**too_large, "models": "lstm"})
    assert line(app) == f"– {TEXT['nothing']}"
    assert strip(app)["panel"] == ""
    assert shown(app)


@pytest.mark.trained
def test_while_training_plays_it_waits() -> None:
    app = visit("train", SMALL)
    assert "updates so far: 1)" in strip(app)["panel"]
    press(app, "Play")
    assert line(app) == f"– {TEXT['playing']}"
    assert strip(app)["panel"] == ""
    press(app, "Pause")
    assert line(app) == f"– {TEXT['unchecked']}"
    assert shown(app)


@pytest.mark.trained
def test_a_training_step_is_another_run() -> None:
    app = ask(visit("train", SMALL), 3)
    assert line(app) == WHOLLY
    before = strip(app)["run"]
    press(app, "+1")
    assert strip(app)["run"] != before
    assert line(app) == f"– {TEXT['unchecked']}"
    assert "updates so far: 2)" in strip(app)["panel"]
    assert shown(app)


def test_the_same_run_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    app = visit(query=SMALL)
    monkeypatch.setattr(compute.trusting, "trust", None)
    app.run()
    assert not app.exception
    assert shown(app)


def wrong_output_gate(patch: pytest.MonkeyPatch) -> None:
    right = LSTM.local_derivatives

    def wrong(self: LSTM, *given: Any) -> None:
        right(self, *given)
        given[3][:, 0] *= 1.001  # one unit's output gate

    patch.setattr(LSTM, "local_derivatives", wrong)


def test_a_mistake_turns_it_red(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong_output_gate(monkeypatch)
    app = visit(query=SMALL)
    assert line(app) == f"✗ determinant, dot test failed in LSTM · {TEXT['to_ask']}"
    assert 'class="bad"' in strip(app)["line"]
    ask(app, 3)
    assert line(app) == "✗ determinant, dot test, complex step, states failed in LSTM"


@pytest.mark.trained
def test_on_train_a_mistake_turns_it_red_as_soon_as_one_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong_output_gate(monkeypatch)
    app = ask(visit("train", SMALL), 2)
    assert line(app).startswith("✗ determinant, dot test, complex step, states failed in LSTM · ")


def test_a_mistake_that_the_quick_checks_cannot_see(monkeypatch: pytest.MonkeyPatch) -> None:
    from rnnviz.core import network

    right = network.weighted

    def wrong(*given: Any) -> Any:
        errors, d_y = right(*given)
        return errors, d_y * 1.001

    monkeypatch.setattr(network, "weighted", wrong)
    app = visit(query=replace(SMALL, models=("rnn",)))
    assert line(app).startswith(QUICKLY)
    assert line(ask(app)) == "✗ complex step failed in RNN"


def test_an_overflow_is_neither_green_nor_red() -> None:
    app = visit(query=Experiment(("rnn",), seq_len=400, hidden_size=4, gain=16.0,
                                 activation="identity"))  # fmt: skip
    assert line(app) == f"– determinant, dot test checked · {TEXT['to_ask']}"
    ask(app)
    assert line(app).endswith(TEXT["no_answer"])
    assert "the loss is not a finite number" in strip(app)["panel"]


@pytest.mark.parametrize("task", TASKS)
def test_every_kind_of_task_is_checked(task: str) -> None:
    small = {"seq_len": 12, "hidden_size": 4, "batch_size": 3, "text": "to be or not to be"}
    app = visit(query=Experiment(("lstm", "gru"), task=task, layers=2, skip=3, **small))
    assert line(app).startswith("✓ sums, dot test checked")
    ask(app, 2)
    assert not app.exception
    assert line(app).startswith("✓ sums, dot test, complex step, states"), line(app)


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.0, "0"), (7.3e-16, "7·10⁻¹⁶"), (1.0, "1·10⁰"), (np.nan, "not a number"), (np.inf, "∞")],
)
def test_numbers(value: float, written: str) -> None:
    assert scientific(value) == written


def made(label: str = "rnn", **given: Any) -> Trust:
    """Checks by name: a value to be compared with 10^-12, or why there is none."""
    named = {"sums": WEIGHTS, "det": DETERMINANT, "dot": DOT, "step": GRADIENT, "states": STATES,
             "losses": LOSSES}  # fmt: skip
    checks = []
    for name, value in given.items():
        if isinstance(value, str):
            reason = Remark("compares_nothing")
            checks.append(Check(named[name], np.nan, np.nan, (), reason, value[:3] != "not"))
        else:
            checks.append(Check(named[name], value, 1e-12, (Remark("first_sequence"),)))
    return Trust(label, tuple(checks), "float64", 7, 0.25)


@pytest.mark.parametrize(
    ("found", "done", "said"),
    [
        ([], None, "– Not checked yet: ask"),
        ([], 0, "– checking · complex step: model 1 of 2 …"),
        ([made(sums=0.0, det="not for it"), made(sums=1e-13, det="not for it")], None,
         "✓ sums checked · complex step: ask"),
        ([made(sums=0.0, dot="too large"), made(sums=1e-13, dot=0.0)], None,
         "✓ sums, dot test (1 of 2) checked · complex step: ask"),
        ([made(sums="zero", dot=0.0), made(sums="zero", dot=0.0)], None,
         "– dot test checked · complex step: ask"),
        ([made(sums="zero"), made(sums="zero")], None,
         "– nothing could be checked · complex step: ask"),
        ([made(sums=0.0, step=0.0), made(sums=0.0)], 1,
         "✓ sums checked · complex step: model 2 of 2 …"),
        ([made(sums=0.0, step=0.0), made(sums=0.0, step="chaos")], 2,
         "✓ sums, complex step (1 of 2) checked"),
        ([made(sums=0.0, step="chaos"), made(sums=0.0, step="chaos")], 2,
         "✓ sums checked · complex step: no answer here"),
        ([made(sums=0.0), made("lstm", sums=1e-11)], None,
         "✗ sums failed in LSTM · complex step: ask"),
        ([made(sums=np.nan), made("lstm", sums=0.0, dot=1.0)], None,
         "✗ sums, dot test failed in RNN, LSTM · complex step: ask"),
    ],
)  # fmt: skip
def test_the_line(found: list[Trust], done: int | None, said: str) -> None:
    assert plain(trust_html.line(found, done, 2, elsewhere=False)) == said
    elsewhere = plain(trust_html.line(found, done, 2, elsewhere=True))
    assert elsewhere[:2] == said[:2]
    assert elsewhere[2:].startswith("Sidebar's run")


def test_the_panel() -> None:
    panel = trust_html.panel([made(sums=1e-13, dot=np.nan)], ["rnn", "gru"], "About <this>.")
    assert "About &lt;this&gt;." in panel
    assert "At 25 % of the steps" in panel
    assert "1·10⁻¹³ ≤ 1·10⁻¹²" in plain(panel)
    assert "not a number ≰ 1·10⁻¹²" in plain(panel)
    assert panel.count(TEXT["not_checked"]) == 2 * len(NAMES) - 2
    assert "GRU" in trust_html.panel([], ["gru"], "")


def test_every_check_and_every_state_has_its_words() -> None:
    states = {"passed", "failed", "open", "working", "to_ask", "going", "no_answer", "unchecked",
              "unchecked_sidebar", "of_sidebar", "not_checked", "stale", "nothing", "playing",
              "panel_name", "ask_now", "checking", "done", "trained", "sidebar", "here", "groups",
              "bounds", "conventions", "rescaled", "in_range", "of_some"}  # fmt: skip
    checks = {name.replace(" ", "_") for name in NAMES}
    named = {f"{what}_{check}" for check in checks for what in ("name", "equation")}
    short = {"short_sum_over_steps", "short_state_gradients", "short_sum_over_losses"}
    assert set(TEXT) == states | checks | named | short


def test_a_newer_value_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two checks Streamlit is asked whether a newer script waits."""
    asked: list[float] = []
    monkeypatch.setattr(jobs, "give_way", asked.append)
    app = visit(query=Experiment(("rnn",), seq_len=20, hidden_size=4))
    assert asked == []
    ask(app)
    assert len(asked) == len(NAMES)
