"""The Claims page: measured slice by slice, the chosen sentence first; every network it speaks of
can be opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from rnnviz.claims.counterexamples import EXAMPLES
from rnnviz.dashboard import jobs
from rnnviz.jobs.claims import CLAIMS, OPENS
from rnnviz.wording.claims import TONES, measuring, waiting
from rnnviz.wording.texts import texts
from tests.dashboard.support import (
    assert_sound,
    change,
    charts,
    press,
    said,
    verdict,
    visit,
)  # fmt: skip

pytestmark = pytest.mark.trained

FEW = 6
SMALL = {"models": "rnn,gru", "hidden_size": "4", "batch_size": "2", "seq_len": "12",
         "view_units": "8"}  # fmt: skip


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A few draws of each claim, so that a visit measures them in no time."""
    for name, claim in CLAIMS.items():
        monkeypatch.setitem(CLAIMS, name, replace(claim, count=min(FEW, claim.count)))
    return


def finished(app: AppTest) -> AppTest:
    """Run slices as the browser asks for them."""
    while not app.session_state["claims"].job.finished:
        app.run()
    return app.run()


def chips(app: AppTest) -> list[tuple[str, str]]:
    """(tone, text) beside each sentence."""
    bodies = [e.proto.body for e in app.get("html") if 'class="rnnviz-said ' in e.proto.body]
    return [(b.split('"')[1].split()[1], b[b.index(">") + 1 : b.index("</p")]) for b in bodies]


def test_every_sentence_has_its_test_and_its_texts() -> None:
    for name in CLAIMS:
        wanted = {f"claim_{name}", f"how_to_read_{name}", f"alt_{name}", f"drawn_{name}"}
        assert wanted <= set(texts("claims"))
    assert set(OPENS) < set(EXAMPLES)
    assert {f"help_{name}" for name in EXAMPLES} <= set(texts("claims"))


@pytest.mark.parametrize("name", CLAIMS)
def test_the_page_stands(name: str, few: None) -> None:
    app = visit("claims", {**SMALL, "view_claim": name})
    assert_sound(app)
    finished(app)
    assert_sound(app)
    assert list(charts(app)) == [f"claims-{name}"]
    assert verdict(app)
    assert len(chips(app)) == len(CLAIMS)
    assert {tone for tone, _ in chips(app)} <= set(TONES) - {"open"}
    assert not app.get("progress")


def test_what_is_there_so_far_is_shown_with_how_far_it_is(few: None) -> None:
    app = visit("claims", {**SMALL, "view_draws": "7"})
    assert app.get("progress") or app.session_state["claims"].job.is_finished("sigma")
    assert_sound(app)
    assert [button.label for button in app.button if button.label.startswith("“")] == [
        f"“{texts('claims')[f'claim_{name}']}”" for name in CLAIMS
    ]


def one_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each slice measures a single result, and each run draws anew."""
    monkeypatch.setattr(jobs, "CLAIMS", jobs.Pace(0.0, 0.0))


def test_the_bar_the_chip_and_the_verdict_speak_of_the_same_draws(
    few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_slice(monkeypatch)
    app = visit("claims", SMALL)
    bars = set()
    while found := app.get("progress"):
        bar, of_all = found[0].proto.text.split(" ", 1)
        assert of_all == f"of {FEW} draws"
        assert chips(app)[0][1].endswith(f" {bar} draws")
        assert f"of {bar} draws" in verdict(app) or "every draw" in verdict(app)
        bars.add(int(bar))
        app.run()
    assert bars == set(range(1, FEW))
    assert chips(app)[0][1].endswith(f" {FEW} draws")


def test_a_claim_says_whether_it_is_measured_or_waits(
    few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_slice(monkeypatch)
    app = visit("claims", {**SMALL, "view_claim": "highway"})
    shorts = dict(zip(CLAIMS, [short for _, short in chips(app)], strict=True))
    assert "1" in shorts.pop("highway")
    assert set(shorts.values()) == {waiting().short}
    work = app.session_state["claims"]
    while not work.job.is_finished("highway"):
        app.run()
    shorts = dict(zip(CLAIMS, [short for _, short in chips(app.run())], strict=True))
    assert f"of {FEW}" in shorts["highway"]
    assert shorts["sigma"] == measuring().short
    assert shorts["reduction"] == waiting().short


def test_another_sentence_and_other_draws(few: None) -> None:
    app = finished(visit("claims", SMALL))
    first = chips(app)
    press(app, f"“{texts('claims')['claim_stability']}”")
    assert app.session_state["claims.view_claim"] == "stability"
    assert list(charts(app)) == ["claims-stability"]
    assert app.query_params["view_claim"] == "stability"
    press(app, "Draw again")
    assert app.query_params["view_draws"] == "1"
    assert finished(app)
    assert chips(app) != first


def test_nonsense_in_a_link_is_the_default(few: None) -> None:
    bad = {"view_claim": "<b>", "view_units": "9", "view_draws": "-1", "view_example": "x"}
    app = visit("claims", {**SMALL, **bad})
    assert_sound(app)
    assert list(charts(app)) == ["claims-sigma"]
    asked = app.session_state["claims"].job.asked
    assert (asked.seed, asked.hidden_size) == (0, 32)
    assert not set(bad) & set(app.query_params)
    huge = visit("claims", {**SMALL, "view_draws": "9" * 40}).session_state["claims"]
    assert huge.job.asked.seed == 99_999


def test_the_counterexample_that_no_experiment_is_stands_here(few: None) -> None:
    app = finished(visit("claims", SMALL))
    press(app, texts("claims")["button_zero_radius"])
    assert list(charts(app)) == ["claims-zero_radius"]
    assert "doubles" in verdict(app)
    again = visit("claims", {**SMALL, "view_example": "zero_radius"})
    assert list(charts(again)) == ["claims-zero_radius"]
    press(app, "Back to the draws")
    assert list(charts(app)) == ["claims-sigma"]


@pytest.mark.parametrize("name", OPENS)
def test_a_counterexample_s_button_asks_for_its_page(name: str, few: None) -> None:
    app = finished(visit("claims", SMALL))
    press(app, texts("claims")[f"button_{name}"])
    assert app.session_state["claims"].leaving == OPENS[name]
    assert_sound(app)


def test_a_task_that_cannot_be_made_is_refused_with_the_reason(few: None) -> None:
    app = change(visit("claims", SMALL), task="text", text="a")
    assert "This cannot be run" in said(app)
