"""What the server answers beside the page."""

from __future__ import annotations

import collections
import json
import os
import re
import signal
import urllib.request
from pathlib import Path
from typing import Any

import plotly.offline
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from tests.benchmarks.served import served
from tests.browser.support import ROOT, server
from tests.jobs.processes import ends

pytestmark = pytest.mark.browser
SPY = """
import socket

def spied(ask, place):
    def asking(*given, **more):
        host = str(given[place][0] if place else given[0])
        if host not in ("127.0.0.1", "localhost", "0.0.0.0", "None"):
            with open({log!r}, "a") as log:
                log.write(host + "\\n")
        return ask(*given, **more)
    return asking

class Socket(socket.socket):
    connect = spied(socket.socket.connect, 1)

socket.getaddrinfo, socket.socket = spied(socket.getaddrinfo, 0), Socket
"""


def head(address: str, accept: str = "gzip") -> dict[str, str]:
    request = urllib.request.Request(address, headers={"Accept-Encoding": accept})
    with urllib.request.urlopen(request) as answer:
        return {name.lower(): value for name, value in answer.headers.items()}


def test_page_allows_scripts_from_here_alone(components: str) -> None:
    headers = head(components)
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "unsafe-eval" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_plotly_is_compressed_and_kept_by_the_browser(components: str) -> None:
    version = plotly.offline.get_plotlyjs_version()
    headers = head(f"{components}/plotly/plotly.min.js?v={version}")
    assert headers["content-encoding"] == "gzip"
    assert "immutable" in headers["cache-control"]


def streamlit_script(address: str) -> str:
    """The address of the first script that Streamlit's page names."""
    with urllib.request.urlopen(address) as answer:
        found = re.search(r'src="\.?(/static/js/[^"]+)"', answer.read().decode())
    assert found is not None
    return address + found[1]


def test_scripts_are_packed_for_who_takes_them_packed(components: str) -> None:
    for address in (streamlit_script(components), f"{components}/rnnviz/chart.js"):
        packed, plain = head(address), head(address, "gzip;q=0, identity")
        assert packed["content-encoding"] == "gzip"
        assert "content-encoding" not in plain
        assert int(packed["content-length"]) < int(plain["content-length"])
        assert packed["vary"] == "Accept-Encoding"
        assert "Accept-Encoding" in plain["vary"]
        assert packed["cache-control"] == plain["cache-control"]
        assert packed["x-content-type-options"] == "nosniff"


def test_own_scripts_are_asked_for_each_time(components: str) -> None:
    assert head(f"{components}/rnnviz/chart.js")["cache-control"] == "no-cache"


def test_no_request_leaves_the_machine_at_start(tmp_path: Path) -> None:
    """Neither a name that is looked up nor a connection, where the server listens to all."""
    log = tmp_path / "asked"
    (tmp_path / "sitecustomize.py").write_text(SPY.format(log=str(log)), encoding="utf-8")
    path = f"{tmp_path}:{ROOT}"
    with server(PYTHONPATH=path, STREAMLIT_SERVER_ADDRESS="0.0.0.0") as address:
        head(address)
    assert not log.exists(), log.read_text("utf-8")


def test_workers_begin_and_end_with_the_server() -> None:
    with served(RNNVIZ_WORKERS="2") as app:
        family = app.pids()
        assert len(family) == 3
        os.kill(app.pid, signal.SIGTERM)
        assert all(map(ends, family[1:]))


def test_no_text_of_a_visitor_is_in_the_log(tmp_path: Path) -> None:
    """Neither of an address, nor of a message, nor of what is no message at all."""
    log, secret = tmp_path / "log", "my-own-words"
    kinds: Any = ["streamlit"]
    with served(log=log) as running:
        address = running.address.replace("http:", "ws:") + "/_stcore/stream"
        urllib.request.urlopen(f"{running.address}/?text={secret}").close()
        with connect(address, subprotocols=kinds, max_size=None, max_queue=None) as socket:
            ask = BackMsg()
            ask.rerun_script.query_string = f"task=text&text={secret}&models={secret}&{secret}=1"
            said = json.dumps({"knob": {"value": secret}})
            ask.rerun_script.widget_states.widgets.add(id="gain", json_value=said)
            socket.send(ask.SerializeToString())
            kind = ""
            while kind != "script_finished":
                told = ForwardMsg.FromString(bytes(socket.recv(timeout=60)))
                kind = told.WhichOneof("type") or ""
            socket.send(secret.encode())  # no message of Streamlit's
            with pytest.raises(ConnectionClosedError):
                collections.deque(socket, maxlen=0)
    text = log.read_text("utf-8")
    assert "URL:" in text
    assert secret not in text
