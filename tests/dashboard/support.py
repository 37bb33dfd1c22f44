"""A visit to the dashboard without a browser, and reading back what the page shows."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import numpy as np
import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from rnnviz.dashboard import jobs, state
from rnnviz.dashboard.state import PIN, VIEWS, Setting
from rnnviz.experiment import Experiment
from rnnviz.experiment.links import to_query

SCRIPT = Path(__file__).parents[2] / "rnnviz" / "dashboard" / "script" / "run.py"
PAGES = ("gradient-flow", "spectrum", "gates")
Chart = dict[str, Any]
# A server asks all installed packages for components when it starts, AppTest before every visit:
# that takes longer than a page.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)


def short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slice of what a page works out bit by bit is a single step."""
    for name in ("AHEAD", "CLAIMS", "DIAGRAM"):
        monkeypatch.setattr(jobs, name, jobs.Pace(0.0, 0.0))


def visit(page: str = "gradient-flow", query: Mapping[str, Any] | Experiment = {}) -> AppTest:  # noqa: B006
    """Open a page by a link and run its script."""
    app = AppTest.from_file(SCRIPT, default_timeout=60)
    app.query_params = to_query(query) if isinstance(query, Experiment) else dict(query)
    return go_to(app, page)


def go_to(app: AppTest, page: str) -> AppTest:
    """Turn to a page as its tab does. AppTest itself only turns to pages that are files."""
    app._page_hash = calc_hash(page)
    return app.run()


def change(app: AppTest, **knobs: Any) -> AppTest:
    """Move knobs; a view is the open page's."""
    for name, value in knobs.items():
        app.session_state[view_key(app, name) if name in VIEWS else name] = value
    return app.run()


def view_key(app: AppTest, view: str) -> str:
    """Where the open page has a display choice."""
    return state.view_key(view, app.session_state[state.PATH])


def widget_key(app: AppTest, name: str, place: str = "widget") -> str:
    """Under which key the widget of a choice was drawn last."""
    record = state.widget_record(name, place)
    return f"{record}.{app.session_state[record][0]}" if record in app.session_state else record


def knobs(app: AppTest) -> list[Any]:
    """Every widget of Streamlit's own on the page that sets a value and has a key."""
    kinds = ("selectbox", "number_input", "select_slider", "text_area", "button_group", "toggle")
    return [widget for kind in kinds for widget in app.get(kind) if widget.key]


def press(app: AppTest, label: str) -> AppTest:
    """Press the button with this label."""
    found = [button for button in app.button if button.label == label]
    assert len(found) == 1, [button.label for button in app.button]
    return found[0].click().run()


def send(app: AppTest, component: str, event: str, value: object, about: str = "") -> AppTest:
    """What the browser's part of a component tells the server. AppTest itself has no such part.
    about: of several, what only the right one was told."""
    found = [e for e in app.get("bidi_component") if e.proto.component_name == component]
    found = [element for element in found if about in element.proto.json]
    assert len(found) == 1
    told = json.dumps([{"event": event, "value": value}])
    states = app._tree.get_widget_states()
    states.widgets.append(WidgetState(id=_make_trigger_id(found[0].proto.id, "events"),
                                      json_trigger_value=told))  # fmt: skip
    return app._run(states)


def setting(app: AppTest) -> Setting:
    return Setting(app.session_state["last_good"], app.session_state[PIN])


def experiment(app: AppTest) -> Experiment:
    return setting(app).experiment


def charts(app: AppTest) -> dict[str, Chart]:
    """Key -> figure, as sent to the browser, its arrays decoded."""
    found = {}
    for element in app.get("bidi_component"):
        if element.proto.component_name == "rnnviz_chart":
            sent = json.loads(element.proto.bytes)
            found[sent["options"]["key"]] = _decoded(sent["figure"])
    return found


def sent_chain(app: AppTest) -> dict[str, Any]:
    """What the browser is told of the chain of By hand."""
    found = [e.proto for e in app.get("bidi_component")]
    (chain,) = (proto for proto in found if proto.component_name == "rnnviz_chain")
    told: dict[str, Any] = json.loads(chain.bytes)
    return told


def sliders(app: AppTest) -> dict[str, dict[str, Any]]:
    """Label -> what the slider was told."""
    found = [e for e in app.get("bidi_component") if e.proto.component_name == "rnnviz_slider"]
    told = [json.loads(element.proto.json) for element in found]
    return {slider["label"]: slider for slider in told}


def numbers(chart: Chart) -> list[np.ndarray]:
    """What each trace draws: its z, or else its y."""
    drawn = [trace.get("z", trace.get("y")) for trace in chart["data"]]
    return [np.array([] if values is None else values, float) for values in drawn]


def same(left: Chart, right: Chart) -> bool:
    """Whether two charts draw the same numbers."""
    pairs = zip(numbers(left), numbers(right), strict=True)
    return all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


def line(chart: Chart, name: str) -> np.ndarray:
    """The y of the line with this name."""
    return next(np.array(t["y"], float) for t in chart["data"] if t.get("name") == name)


def verdict(app: AppTest) -> str:
    """The page's answer as plain text; "" if there is none."""
    return _plain(app, "rnnviz-verdict")


def preset_words(app: AppTest) -> str:
    return _plain(app, "rnnviz-preset")


def notes(app: AppTest) -> str:
    """What the task did to its sequences, and which settings act on nothing."""
    return _plain(app, "rnnviz-notes")


def said(app: AppTest) -> str:
    """Every message of the page, its small warnings first."""
    bodies = (element.proto.body for element in app.get("html"))
    small = [html.unescape(body[body.index("⚠") + 2 : -4]) for body in bodies if "⚠" in body]
    boxes = [box.value for kind in (app.error, app.warning, app.info) for box in kind]
    return "\n".join([*small, *boxes])


def assert_sound(app: AppTest) -> None:
    """No traceback, an answer in words, no blank chart, nothing infinite sent to the browser."""
    assert not app.exception
    if app.session_state[state.PATH] == "by-hand":  # whose browser draws
        assert "Infinity" not in json.dumps(sent_chain(app))
        return
    if not charts(app):
        assert app.error or asks(app)
        return
    assert re.search(r"\w{3}.*\.$", verdict(app)) or app.info
    for key, chart in charts(app).items():
        drawn = np.concatenate([values.ravel() for values in numbers(chart)])
        assert np.isfinite(drawn).any(), f"{key} is blank"
        assert not np.isinf(drawn).any(), f"{key} holds infinities"


def asks(app: AppTest) -> bool:
    """Whether the page asks for a click, or for a text, before it shows anything."""
    keys = [button.key or "" for button in app.button]
    if "example-vanishes" in keys:  # or for a network
        return True
    return "run_it" in keys or any(re.fullmatch(r"sample-.*-page", key) for key in keys)


@dataclass(frozen=True)
class Address:
    """A link taken apart."""

    base: str
    query: dict[str, str]

    @classmethod
    def of(cls, link: str) -> Address:
        base, _, query = link.partition("?")
        return cls(base, dict(parse_qsl(query, keep_blank_values=True)))


def query(**fields: object) -> str:
    return urlencode(fields)


def _plain(app: AppTest, css: str) -> str:
    bodies = (element.proto.body for element in app.get("html"))
    found = (body for body in bodies if f'"{css}"' in body)
    written = re.sub(
        r"<sub>(.*?)</sub>", r"_\1", re.sub(r"<sup>(.*?)</sup>", r"^\1", next(found, ""))
    )
    return html.unescape(re.sub(r"<[^>]+>", "", written)).strip()


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "bdata" in value:
        array = np.frombuffer(base64.b64decode(value["bdata"]), dtype=value["dtype"])
        shape = [int(size) for size in str(value.get("shape", "-1")).split(",")]
        return array.reshape(shape)
    return {key: _decoded(item) for key, item in value.items()}


def walk(value: Any) -> Iterator[str]:
    """Every text in a figure."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from walk(item)
