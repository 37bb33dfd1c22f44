"""What Streamlit's page loads first is the script that keeps addresses."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import streamlit
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp

from rnnviz.dashboard.first_script import FirstScript
from rnnviz.dashboard.server import SCRIPTS, middleware
from tests.dashboard.asgi import ask

PAGE = Path(streamlit.__file__).parent / "static" / "index.html"
TAG = b'<script type="module" src="/rnnviz/address.js"></script>'


def answer(response: ASGIApp, method: str = "GET") -> tuple[dict[str, str], bytes]:
    [ours] = [each for each in middleware() if each.cls is FirstScript]
    app = ours.cls(response, **ours.kwargs)
    _, headers, body = asyncio.run(ask(app, method, "/lecture", {"accept-encoding": "gzip"}))
    return headers, body


def test_streamlit_s_page_loads_it_before_any_script_of_its_own() -> None:
    headers, body = answer(GZipMiddleware(FileResponse(PAGE)))  # as Streamlit has it
    assert body.replace(TAG, b"") == PAGE.read_bytes()
    assert body.index(TAG) < body.index(b"<script>")
    assert (SCRIPTS / "address.js").exists()
    assert headers["content-length"] == str(len(body))
    # A browser that asks whether Streamlit's file is still the same would be told that it is.
    assert not {"etag", "last-modified"} & set(headers)


def test_what_is_only_asked_about_is_not_said_to_be_shorter() -> None:
    headers, body = answer(FileResponse(PAGE), "HEAD")
    assert (body, "content-length" in headers) == (b"", False)


@pytest.mark.parametrize(
    "other",
    [
        HTMLResponse("<head></head>", headers={"Content-Security-Policy": "default-src 'none'"}),
        PlainTextResponse("<head></head>", headers={"ETag": "1"}),
    ],
    ids=["a page of ours", "no page"],
)
def test_another_answer_is_as_it_was(other: Response) -> None:
    headers, body = answer(other)
    assert body == b"<head></head>"
    assert headers["content-length"] == str(len(body))
    assert headers.get("etag") == other.headers.get("etag")
