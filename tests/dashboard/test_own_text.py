"""A task that needs a text asks for one where the page would be, and takes it from there."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from rnnviz import Experiment
from rnnviz.dashboard.main import ALONE, PAGES
from rnnviz.dashboard.own_text import READERS
from rnnviz.experiment import make_task
from rnnviz.tasks.text import SPLIT_FROM
from rnnviz.wording.texts import texts
from tests.dashboard.support import assert_sound, change, experiment, press, said, visit, widget_key

WITH_RUNS = [path for path in PAGES if path not in ALONE]
LACKING = {"task": "text", "seq_len": "12", "hidden_size": "4", "batch_size": "2"}
WAYS = {
    "sample": lambda app: press(app, "A nursery rhyme"),
    "pasted": lambda app: app.text_area(key=widget_key(app, "text", "page")).input("abcabc").run(),
    "file": lambda app: app.file_uploader[0].upload("a.txt", b"from a file", "text/plain").run(),
}
GOT = {"sample": texts("samples")["rhyme"], "pasted": "abcabc", "file": "from a file"}


def asks(app: AppTest) -> bool:
    return any("Which text?" in element.proto.body for element in app.get("html"))


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_a_text_opens_the_page(way: str) -> None:
    app = visit(query=LACKING)
    assert asks(app)
    assert not said(app), "nobody has done anything wrong"
    app = WAYS[way](app)
    assert not asks(app)
    assert_sound(app)
    assert experiment(app).text == GOT[way]
    assert app.query_params["text"] == GOT[way]


@pytest.mark.parametrize("page", WITH_RUNS)
def test_every_page_asks(page: str) -> None:
    app = visit(page, LACKING)
    assert asks(app)
    assert not app.exception


def test_more_has_the_same_ways_beside_the_page() -> None:
    app = change(visit(query=LACKING), more=True)
    assert not app.exception
    app = app.text_area(key=widget_key(app, "text", "page")).input("abcabc").run()
    assert app.text_area(key=widget_key(app, "text")).value == "abcabc"
    app.button(key="sample-sonnet-widget").click().run()
    assert app.text_area(key=widget_key(app, "text")).value == texts("samples")["sonnet"]


@pytest.mark.parametrize("task", READERS)
def test_a_text_that_will_not_do_is_refused_and_asked_for_again(task: str) -> None:
    app = change(visit(query={**LACKING, "task": task, "text": "ab"}), text=" ")
    assert asks(app)
    assert "This cannot be run" in said(app)


@pytest.mark.parametrize("task", READERS)
@pytest.mark.parametrize("name", texts("samples"))
def test_every_sample_will_do_and_fits_into_a_link(name: str, task: str) -> None:
    text = texts("samples")[name]
    assert make_task(Experiment(task=task, text=text)).shape(12)[1] > 1
    assert SPLIT_FROM <= len(text) <= 2000


def test_every_sample_is_offered() -> None:
    titles = {f"title_{name}" for name in texts("samples")}
    assert titles == {key for key in texts("own_text") if key.startswith("title_")}
