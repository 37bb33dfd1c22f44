"""Uploads over HTTP to the real server: a session has a limit, and leaves nothing behind."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError
from uuid import uuid4

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string
from websockets.sync.client import connect

pytestmark = pytest.mark.browser
MEGABYTE = 1 << 20


@contextmanager
def session(app: str) -> Iterator[str]:
    """A visitor's session while its connection is open."""
    address = app.replace("http:", "ws:") + "/_stcore/stream"
    # What comes is not read to the end, and a full queue would keep the closing from being heard.
    kinds: Any = ["streamlit"]
    with connect(address, subprotocols=kinds, max_size=None, max_queue=None) as socket:
        ask = BackMsg()
        ask.rerun_script.query_string = "hidden_size=2&seq_len=3&batch_size=1&models=rnn"
        socket.send(ask.SerializeToString())
        while True:
            told = ForwardMsg.FromString(bytes(socket.recv(timeout=30)))
            if told.WhichOneof("type") == "new_session":
                break
        yield told.new_session.initialize.session_id


def upload(app: str, session: str, size: int) -> int:
    """Send a file of so many bytes; the status of the answer."""
    head = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n\r\n'
    body, token = head + b"a" * size + b"\r\n--x--\r\n", generate_xsrf_token_string()
    request = urllib.request.Request(f"{app}/_stcore/upload_file/{session}/{uuid4()}", body,
                                     method="PUT")  # fmt: skip
    request.add_header("Content-Type", "multipart/form-data; boundary=x")
    request.add_header("Cookie", f"_streamlit_xsrf={token}")
    request.add_header("X-Xsrftoken", token)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def held(app: str) -> int:
    """The bytes of all files that Streamlit holds."""
    with urllib.request.urlopen(f"{app}/held", timeout=30) as answer:
        return int(answer.read())


def wait_held(app: str, size: int) -> None:
    """The server hears a little later that a connection has ended."""
    assert any(held(app) == size for _ in range(1000))


@pytest.fixture(scope="module")
def app(components: str) -> str:
    return components


def test_a_session_has_a_limit_and_each_its_own(app: str) -> None:
    with session(app) as mine, session(app) as other:
        assert [upload(app, mine, 6 * MEGABYTE) for _ in range(4)] == [204, 204, 413, 413]
        assert upload(app, mine, 3 * MEGABYTE) == 204
        assert upload(app, other, 6 * MEGABYTE) == 204
        wait_held(app, 21 * MEGABYTE)
        assert upload(app, "nobody", 1) == 400


def test_files_that_come_at_once_are_counted_together(app: str) -> None:
    with session(app) as mine, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: upload(app, mine, 6 * MEGABYTE), range(8)))
        assert answers.count(204) == 2
        wait_held(app, 12 * MEGABYTE)


def test_what_a_session_sent_goes_with_its_connection(app: str) -> None:
    with session(app) as other:
        assert upload(app, other, MEGABYTE) == 204
        with session(app) as mine:
            assert upload(app, mine, 5 * MEGABYTE) == 204
            wait_held(app, 6 * MEGABYTE)
        wait_held(app, MEGABYTE)
    wait_held(app, 0)
