"""A script of ours that Streamlit's page loads before its own.

What a component loads comes when the component is drawn, after the links to other pages. Who clicks
one before it comes finds that Streamlit has written over what the address of the page before said.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rnnviz.dashboard.packed import without

HEAD = b"<head>"


class FirstScript:
    """ASGI middleware: every page without a policy of its own, which are Streamlit's, loads this
    module first. What is inside sends all plain, since Streamlit would pack its page.

    script: its address.
    """

    def __init__(self, app: ASGIApp, script: str) -> None:
        self.app = app
        self._head = HEAD + f'<script type="module" src="{script}"></script>'.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start: Message | None = None

        async def send_with_script(message: Message) -> None:
            nonlocal start
            begins = message["type"] == "http.response.start"
            if begins and is_streamlits_page(MutableHeaders(scope=message)):
                start = message  # until it is known how long the page will be
                return
            if start is not None:
                message = self._added(start, message)
                await send(start)
                start = None
            await send(message)

        await self.app(without(scope, b"accept-encoding"), receive, send_with_script)

    def _added(self, start: Message, first: Message) -> Message:
        """The first part of a page, with the script; the headers are what they then have to be."""
        body = first.get("body", b"")
        headers = MutableHeaders(scope=start)
        for of_file in ("content-length", "etag", "last-modified"):
            del headers[of_file]
        with_script = body.replace(HEAD, self._head, 1)
        if body and not first.get("more_body"):
            headers["Content-Length"] = str(len(with_script))
        return {**first, "body": with_script}


def is_streamlits_page(headers: MutableHeaders) -> bool:
    """Whether the answer with these headers is a page that nobody has given a policy yet."""
    is_page = headers.get("content-type", "").startswith("text/html")
    return is_page and "content-security-policy" not in headers
