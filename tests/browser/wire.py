"""The connection between a page and its server, held, cut or listened to by a test: what a slow
network and a busy server do by chance is done on purpose."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from playwright.sync_api import Page, WebSocketRoute

Message = str | bytes


def as_bytes(message: Message) -> bytes:
    return message if isinstance(message, bytes) else message.encode()


class Wire:
    """Lets every message through until it is told otherwise. Make it before the page is opened."""

    def __init__(self, page: Page) -> None:
        self.kept: list[Message] = []
        """What the server has sent and the page has not got."""
        self._said: list[Message] = []
        """What the page has sent since then."""
        self.has_lost = False
        """Whether anything that the server has sent never arrived."""
        self._browser, self._holds = page, False
        self._drops: Callable[[Message], bool] = lambda message: False
        page.route_web_socket(re.compile("_stcore/stream"), self._connect)

    def hold(self) -> None:
        """Keep what the server sends from now on."""
        self._said.clear()
        self._holds = True

    def wait_said(self, letters: str, seconds: float = 30) -> None:
        """Wait until the page has sent a message with these letters since the server is held."""
        end = time.monotonic() + seconds
        while not any(letters in str(message) for message in self._said):
            assert time.monotonic() < end
            self._browser.wait_for_timeout(20)

    def deliver(self, count: int | None = None) -> None:
        """Give the page the first of what is kept, all if no count is given."""
        for message in self.kept[:count]:
            self._page.send(message)
        del self.kept[:count]

    def release(self) -> None:
        """Give the page what is kept, and let the rest through."""
        self.deliver()
        self._holds = False

    def lose(self) -> None:
        """What is kept never arrives; let the rest through."""
        self.kept.clear()
        self.has_lost, self._holds = True, False

    def drop(self, which: Callable[[Message], bool]) -> None:
        """Keep these of the page's messages from the server."""
        self._drops = which

    def drop_first(self, which: Callable[[Message], bool]) -> list[Message]:
        """Keep the first of these from the server; returns where it is put once it has come."""
        dropped: list[Message] = []

        def first(message: Message) -> bool:
            if dropped or not which(message):
                return False
            dropped.append(message)
            return True

        self.drop(first)
        return dropped

    def _connect(self, page: WebSocketRoute) -> None:
        self._page, server = page, page.connect_to_server()
        server.on_message(self._to_page)
        page.on_message(lambda message: self._to_server(message, server))

    def _to_server(self, message: Message, server: WebSocketRoute) -> None:
        self._said.append(message)
        if not self._drops(message):
            server.send(message)

    def _to_page(self, message: Message) -> None:
        if self._holds:
            self.kept.append(message)
        else:
            self._page.send(message)
