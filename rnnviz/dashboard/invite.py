"""How a hall comes into a room: the short link, large, and its QR code where segno is installed."""

from __future__ import annotations

import io
import socket
from contextlib import closing, suppress
from urllib.parse import urlsplit

import streamlit

from rnnviz.dashboard.server import url
from rnnviz.dashboard.votes import PATH

HERE_ALONE = {"localhost", "127.0.0.1", "::1", "0.0.0.0"}
"""Names under which only this machine finds itself."""
ELSEWHERE = ("192.0.2.1", 9)
"""An address of no machine (RFC 5737): asking the way to it sends nothing."""


def listens_alone() -> bool:
    """Whether the server hears this machine alone."""
    return streamlit.get_option("server.address") in HERE_ALONE - {"0.0.0.0"}


def is_local(address: str) -> bool:
    """Whether a page's address says so only to this machine."""
    return (urlsplit(address).hostname or "localhost") in HERE_ALONE


def links(address: str, code: str, hosts: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """The links into a room from a page at `address`: one, or where that is this machine's own
    name one for each address that it has in its networks (`hosts`); none if it has none, or the
    server hears this machine alone."""
    parts = urlsplit(address)
    path = url(f"{PATH}/{code}")
    if not is_local(address):
        return (f"{parts.scheme}://{parts.netloc}{path}",)
    if listens_alone():
        return ()
    port = f":{parts.port}" if parts.port else ""
    found = hosts if hosts is not None else own_addresses()
    return tuple(f"{parts.scheme or 'http'}://{host}{port}{path}" for host in found)


def own_addresses() -> tuple[str, ...]:
    """The machine's IPv4 addresses in its networks, first the one that leads to others."""
    found = list[str]()
    with suppress(OSError), closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.connect(ELSEWHERE)
        found.append(str(probe.getsockname()[0]))
    with suppress(OSError):
        named = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
        found += [str(entry[4][0]) for entry in named]
    return tuple(host for host in dict.fromkeys(found) if not host.startswith(("127.", "0.")))


def qr_code(link: str) -> str:
    """The link as an SVG for an `img`; "" without segno."""
    try:
        import segno
    except ImportError:
        return ""
    out = io.BytesIO()
    segno.make(link, error="m", micro=False).save(
        out, kind="svg", scale=8, border=3, dark="#000000", light="#ffffff", xmldecl=False
    )
    return out.getvalue().decode()
