"""What was trained survives a page that is loaded again, and belongs to one tab of one browser."""

from __future__ import annotations

import gc
import pickle
import tracemalloc
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from rnnviz.dashboard.saving import SHARED, Saved
from rnnviz.dashboard.store import new_token
from rnnviz.dashboard.training import Visit, kept
from rnnviz.training import Curves
from tests.dashboard.support import change, charts, go_to, press, same, send, visit, widget_key
from tests.dashboard.training_support import SMALL, scrubber, tick, training, words
from tests.jobs.support import same_training, trained

pytestmark = pytest.mark.trained

LOST = "The server no longer has what was trained in this tab"


EXPERIMENTS = {
    "many records": replace(SMALL, models=("rnn",), optimizer="sgd"),
    "long records": replace(SMALL, models=("rnn",), optimizer="sgd", seq_len=300, hidden_size=2),
    "large arrays": replace(SMALL, models=("lstm",), hidden_size=64),
    "a long text": replace(SMALL, models=("rnn",), task="text", text="to be or not " * 7000),
}


def read_back(packed: bytes) -> tuple[Any, int]:
    """What was pickled, and the memory it takes. A collection empties Python's stock of small
    objects: one that comes from there would not count, one that goes there would."""
    gc.collect()
    tracemalloc.start()
    value = pickle.loads(packed)
    gc.collect()
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return value, used


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_bytes_are_counted_honestly(name: str) -> None:
    """Of the run that goes on, and of one in the table."""
    run = trained(EXPERIMENTS[name], 40)
    for value in (run, kept(run)):
        again, used = read_back(pickle.dumps(value))
        assert again.nbytes == value.nbytes, type(value)
        assert 0.9 * used <= value.nbytes <= 1.2 * used, type(value)


def test_all_that_is_kept_counts() -> None:
    run = trained(SMALL, 12)
    alone, table = (Saved(run, runs, {}) for runs in ((), (kept(run),) * 2))
    assert alone.nbytes >= run.nbytes
    assert table.nbytes - alone.nbytes >= 2 * kept(run).nbytes


def test_what_the_table_keeps_holds_no_hidden_arrays() -> None:
    for course in kept(trained(SMALL, 20)).courses:
        arrays = [getattr(course.curves, f.name) for f in fields(Curves)]
        assert all(array.base is None for array in arrays)


def token(app: AppTest) -> str:
    return str(app.session_state["training"].token)


def claim(app: AppTest, token: object, **said: object) -> AppTest:
    """What the tab asks for when its page is loaded again."""
    return send(app, "rnnviz_tab", "claim", {"token": token, "copy": False, **said})


def played() -> AppTest:
    """A visit with a run in the table, and one that goes on."""
    app = press(visit("train", SMALL), "+10")
    app = change(press(app, "+10"), gain=2.0)
    app.button_group(key=widget_key(app, "train_ghosts")).set_value([1]).run()
    app = change(press(app, "Play"), train_log=True, train_speed="slow")
    for _ in range(3):
        tick(app)
    return app


def test_a_hall_that_trains_the_same_is_kept_once() -> None:
    alone = replace(SMALL, seed=4321)
    apps, sizes = [], [SHARED.saved.nbytes]
    for _ in range(3):
        apps.append(press(press(visit("train", alone), "+10"), "+10"))
        sizes.append(SHARED.saved.nbytes)
    first, *more = (after - before for before, after in pairwise(sizes))
    assert all(0 < each < 0.2 * first for each in more)
    again = claim(visit("train", alone), token(apps[0]))
    assert same_training(training(again), training(apps[0]))
    assert same_training(training(apps[1]), training(apps[0]))


def test_a_page_that_is_loaded_again_goes_on() -> None:
    app = played()
    again = visit("train", app.query_params)
    assert training(again).updates == 0
    again = claim(again, token(app))
    assert not again.exception
    assert training(again).updates == training(app).updates > 0
    assert scrubber(again)["steps"] == scrubber(press(app, "Pause"))["steps"]
    assert all(same(chart, charts(again)[key]) for key, chart in charts(app).items())
    assert "run 1" in " ".join(t["name"] for t in charts(again)["loss"]["data"] if t.get("name"))
    assert [run.number for run in again.session_state["training"].runs] == [1]
    chosen = ("train_log", "train_speed")
    assert [again.session_state[name] for name in chosen] == [True, "slow"]
    assert not again.session_state["training"].playing
    assert token(again) == token(app)
    assert LOST not in words(again)


def test_it_goes_on_as_if_nothing_had_happened() -> None:
    app = press(visit("train", SMALL), "+10")
    again = press(claim(visit("train", SMALL), token(app)), "+10")
    assert same_training(training(again), trained(SMALL, 20))
    third = claim(visit("train", SMALL), token(app))
    assert training(third).updates == 20


def test_nobody_else_sees_it() -> None:
    app = played()
    other = visit("train", app.query_params)
    assert token(other) != token(app)
    assert token(app) not in str(app.query_params)
    assert training(claim(other, new_token())).updates == 0
    assert other.session_state["training"].runs == []


@pytest.fixture(scope="module")
def opened() -> AppTest:
    """A page that is told what no tab says."""
    return visit("train", SMALL)


@pytest.mark.parametrize("said", ["", "x" * 22 + "y", "../" * 9, None, 3, {"a": 1}, ["x"] * 22])
def test_a_hostile_token_is_ignored(opened: AppTest, said: object) -> None:
    mine = token(opened)
    claim(opened, said, trained=True)
    assert not opened.exception
    assert token(opened) == mine
    assert LOST not in words(opened)


@pytest.mark.parametrize("claim", [None, 7, "x", [1], {}])
def test_a_claim_of_another_kind_is_ignored(opened: AppTest, claim: object) -> None:
    mine = token(opened)
    assert not send(opened, "rnnviz_tab", "claim", claim).exception
    assert token(opened) == mine


def test_two_tabs_that_began_as_one_are_independent() -> None:
    first = press(visit("train", SMALL), "+10")
    second = claim(visit("train", SMALL), token(first), copy=True)
    assert training(second).updates == 10
    assert token(second) != token(first)
    second = press(second, "+10")
    assert training(first).updates == 10
    assert training(claim(visit("train", SMALL), token(first))).updates == 10
    assert training(claim(visit("train", SMALL), token(second))).updates == 20


def test_a_duplicate_is_kept_wherever_it_was_opened() -> None:
    first = press(visit("train", SMALL), "+10")
    second = claim(visit("gradient-flow", SMALL), token(first), copy=True)
    assert training(claim(visit("train", SMALL), token(second))).updates == 10


def test_what_the_server_has_no_more_is_said_until_it_plays() -> None:
    app = claim(visit("train", SMALL), new_token(), trained=True)
    assert LOST in words(app)
    assert training(app).updates == 0
    assert LOST not in words(press(app, "Play"))
    assert LOST not in words(claim(visit("train", SMALL), new_token(), trained=False))


def test_what_was_reset_does_not_come_back() -> None:
    app = press(visit("train", SMALL), "+1")
    assert training(claim(visit("train", SMALL), token(app))).updates == 1
    app.button(key="train_reset").click().run()
    assert training(claim(visit("train", SMALL), token(app))).updates == 0


def test_the_address_decides_which_network_it_is() -> None:
    app = press(visit("train", SMALL), "+10")
    other = claim(visit("train", replace(SMALL, gain=2.0)), token(app))
    assert training(other).experiment == replace(SMALL, gain=2.0)
    assert training(other).number == 2
    assert [run.updates for run in other.session_state["training"].runs] == [10]
    assert "Gain 1 → 2" in words(other)


def test_what_was_begun_meanwhile_goes_on() -> None:
    app = press(visit("train", SMALL), "+10")
    other = claim(press(visit("train", SMALL), "+1"), token(app))
    assert (training(other).updates, training(other).number) == (1, 2)
    assert [run.updates for run in other.session_state["training"].runs] == [10]


def test_a_text_that_no_address_holds_is_brought_back() -> None:
    long = replace(SMALL, task="text", loss_at="every", text="to be or not to be " * 200)
    app = visit("train", replace(long, text="short"))
    app = press(change(app, text=long.text), "+10")
    again = claim(visit("train", app.query_params), token(app))
    assert training(again).experiment == training(app).experiment == long
    assert training(again).updates == 10
    assert again.session_state["text"] == long.text


def test_the_other_pages_show_it_too() -> None:
    """Without training it again, which may take longer than a page is allowed."""
    app = press(visit("train", SMALL), "+10")
    shown = replace(SMALL, train_steps=9)
    again = claim(visit("gradient-flow", shown), token(app))
    assert training(again).updates == 10
    assert "After 9 training steps." in words(again)
    assert training(go_to(again, "train")).updates == 10


def test_a_visit_that_trained_nothing_takes_no_room() -> None:
    before = SHARED.saved.nbytes
    visit("train", replace(SMALL, seed=7))
    assert SHARED.saved.nbytes == before


def test_numbers_of_runs_go_on() -> None:
    seen = Visit()
    run = seen.begin(SMALL)
    seen.restore(replace(run, number=5), ())
    assert seen.begin(SMALL).number == 6
