"""A visit to the Train page, and what it trains."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from streamlit.testing.v1 import AppTest

from rnnviz import Experiment
from rnnviz.jobs.training import Training
from tests.dashboard.support import widget_key

SMALL = Experiment(models=("rnn", "lstm"), seq_len=8, hidden_size=4, batch_size=4)
WILD = replace(SMALL, models=("rnn", "gru"), activation="identity", optimizer="sgd",
               learning_rate=10.0, gain=16.0, distractor=10.0)  # fmt: skip
ABOVE, BELOW = ("loss", "state-maps"), ("profile", "norms", "spectra-course", "gate-course")


def training(app: AppTest) -> Training:
    return app.session_state["training"].training


def tick(app: AppTest) -> AppTest:
    """What the browser does while training plays: ask for the next slice."""
    app.session_state["training"].due = app.session_state["training"].playing
    return app.run()


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def click(app: AppTest, key: str) -> AppTest:
    return app.button(key=key).click().run()


def scrubber(app: AppTest) -> dict[str, Any]:
    """What the scrubber was told."""
    found = [e for e in app.get("bidi_component") if e.proto.component_name == "rnnviz_scrubber"]
    return json.loads(found[0].proto.bytes)


def sent(app: AppTest) -> dict[str, dict[str, Any]]:
    """Chart -> all that it was sent."""
    found = [e for e in app.get("bidi_component") if e.proto.component_name == "rnnviz_chart"]
    told = [json.loads(element.proto.bytes) for element in found]
    return {each["options"]["key"]: each for each in told}


def tracks(app: AppTest) -> dict[str, int]:
    """Chart -> how many tracks it was sent."""
    return {key: len(each["tracks"]) for key, each in sent(app).items()}


def revisions(app: AppTest) -> dict[str, int]:
    """Chart -> which lesson or link it is of."""
    return {key: each["options"]["revision"] for key, each in sent(app).items()}


def choose(app: AppTest, lesson: str) -> AppTest:
    return app.selectbox(key=widget_key(app, "train_lesson")).select(lesson).run()


def prepared(app: AppTest) -> AppTest:
    """Tick until the run that a lesson compares with is done."""
    for _ in range(300):
        if app.session_state["training"].ahead.job is None:
            break
        tick(app)
    return app


def words(app: AppTest) -> str:
    """All small print of the page."""
    bodies = " ".join(element.proto.body for element in app.get("html"))
    return bodies.replace("<b>", "").replace("</b>", "").replace("&#x27;", "'")
