"""Scripts are packed once for all, and only for who takes them packed."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from streamlit import file_util
from streamlit.web.server.starlette.starlette_static_routes import (
    create_streamlit_static_assets_routes,
)

from rnnviz.dashboard.packed import Packed, takes_gzip
from tests.dashboard.asgi import get

FILES = r"/static/(js|css)/[\w.-]+\.(js|css)|/plotly\.js\?v=1"
SCRIPT = b"let gradient = 0;\n" * 1000


class Files:
    """As much of a server as has scripts, and counts how often it is asked. Each answer waits for
    `gate`."""

    def __init__(self, **headers: str) -> None:
        self.headers = {"Cache-Control": "public, immutable", "ETag": '"1"', **headers}
        self.asked: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(scope["path"])
        await self.gate.wait()
        answer = Response(SCRIPT, media_type="text/javascript", headers=self.headers)
        if not scope["path"].endswith((".js", ".css")):
            answer = Response(b"<!doctype html>" * 100, media_type="text/html")
        await answer(scope, receive, send)


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def streamlits(base: str) -> Any:
    """Streamlit's own files, as its server serves them below `base`."""
    files = rf"{base}/static/(js|css)/[\w.-]+\.(js|css)"
    routes = create_streamlit_static_assets_routes(base)
    return Starlette(routes=routes, middleware=[Middleware(Packed, files=files)])


def test_a_script_is_asked_for_once_and_packed_for_all() -> None:
    async def visits() -> None:
        files = Files()
        app = Packed(files, FILES)
        for _ in range(3):
            status, headers, body = await get(app, "/static/js/main.a1.js")
            assert (status, gzip.decompress(body)) == (200, SCRIPT)
            assert headers["content-encoding"] == "gzip"
            assert headers["content-length"] == str(len(body))
            assert headers["cache-control"] == "public, immutable"
            assert headers["vary"] == "Accept-Encoding"
            assert headers["etag"] == 'W/"1"'
        assert files.asked == ["/static/js/main.a1.js"]

    run(visits())


def test_many_who_ask_at_once_wait_for_one_packing() -> None:
    async def visits() -> None:
        files = Files()
        app = Packed(files, FILES)
        files.gate.clear()
        asking = [asyncio.create_task(get(app, "/plotly.js?v=1")) for _ in range(20)]
        while not files.asked:
            await asyncio.sleep(0)
        asking[0].cancel()  # the first to ask has left
        files.gate.set()
        answers = await asyncio.gather(*asking[1:])
        assert {gzip.decompress(body) for _, _, body in answers} == {SCRIPT}
        assert files.asked == ["/plotly.js"]

    run(visits())


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("gzip", True), ("gzip, deflate, br, zstd", True), ("br;q=1.0, gzip;q=0.001", True),
        ("*", True), ("GZIP;q=1", True), ("deflate, *;q=0.5", True),
        ("", False), ("identity", False), ("gzip;q=0", False), ("gzip; q=0.000", False),
        ("*, gzip;q=0", False), ("*;q=0", False), ("br", False), ("x-gzipped", False),
        ("gzip;q=much", False),
    ],
)  # fmt: skip
def test_gzip_goes_to_who_takes_it(accepted: str, takes: bool) -> None:
    assert takes_gzip(accepted) is takes

    async def visit() -> None:
        _, headers, body = await get(Packed(Files(), FILES), "/static/js/a.js", accepted)
        assert ("content-encoding" in headers) is takes
        assert (body == SCRIPT) is not takes

    run(visit())


def test_who_names_no_encoding_gets_it_plain() -> None:
    _, headers, body = run(get(Packed(Files(), FILES), "/static/js/a.js", None))
    assert ("content-encoding" in headers, body) == (False, SCRIPT)


def test_what_the_browser_has_is_not_sent_again() -> None:
    async def visit() -> None:
        app = Packed(Files(), FILES)
        for known in ('W/"1"', '"0", "1"'):
            status, headers, body = await get(app, "/static/js/a.js", if_none_match=known)
            assert (status, body, headers["etag"]) == (304, b"", 'W/"1"')
        assert (await get(app, "/static/js/a.js", if_none_match='"2"'))[0] == 200

    run(visit())


@pytest.mark.parametrize(
    "address",
    [
        "/static/js/a.js?1", "/static//js/a.js", "/static/js/../js/a.js", "/other/static/js/a.js",
        "/static/media/a.js", "/plotly.js", "/plotly.js?v=2", "/static/js/a.html",
    ],
)  # fmt: skip
def test_another_address_is_none_of_its_business(address: str) -> None:
    async def visits() -> None:
        files = Files()
        app = Packed(files, FILES)
        for _ in range(2):
            assert "content-encoding" not in (await get(app, address))[1]
        assert len(files.asked) == 2

    run(visits())


def test_a_range_and_a_cookie_are_for_one_visitor_alone() -> None:
    async def visits() -> None:
        cookie = Files(**{"Set-Cookie": "a=b"})
        for files, more in ((Files(), {"range": "bytes=0-9"}), (cookie, {})):
            _, headers, _ = await get(Packed(files, FILES), "/static/js/a.js", **more)
            assert "content-encoding" not in headers

    run(visits())


def test_what_is_kept_is_bounded() -> None:
    async def visits() -> None:
        files = Files()
        app = Packed(files, FILES, most_bytes=2 * len(gzip.compress(SCRIPT, 6)) + 10)
        for name in ("a", "b", "a", "c", "a", "c", "b"):  # b was the longest unasked when c came
            await get(app, f"/static/js/{name}.js")
        assert [path[-4] for path in files.asked] == ["a", "b", "c", "b"]
        tiny = Packed(files, FILES, most_bytes=10)
        assert (await get(tiny, "/static/js/a.js"))[0] == 200

    run(visits())


@pytest.mark.parametrize("base", ["", "/rnn"])
def test_streamlit_itself_says_what_may_be_kept(base: str) -> None:
    async def visits() -> None:
        app = streamlits(base)
        folder = Path(file_util.get_static_dir()) / "static" / "js"
        name = min(path.name for path in folder.glob("*.js"))
        _, plain, body = await get(app, f"{base}/static/js/{name}", None)
        _, packed, gzipped = await get(app, f"{base}/static/js/{name}")
        assert gzip.decompress(gzipped) == body
        assert "immutable" in plain["cache-control"]
        assert packed["cache-control"] == plain["cache-control"]
        assert packed["content-type"] == plain["content-type"]
        # A name that is not there is answered with the page, which nobody may keep.
        status, headers, page = await get(app, f"{base}/static/js/main.js")
        assert (status, headers["cache-control"]) == (200, "no-cache")
        assert page.startswith(b"<!")

    run(visits())


@pytest.mark.parametrize("base", ["", "/rnn"])
@pytest.mark.parametrize(
    "path", ["/static/js/../../index.html", "/static/js/..%2f..%2fa.js", "/static/js/..\\a.js"]
)
def test_no_path_leads_out_of_the_folder(base: str, path: str) -> None:
    status, headers, _ = run(get(streamlits(base), f"{base}{path}"))
    assert status == 400 or headers["content-type"].startswith("text/html")
