"""What a browser posts to a route of ours: small JSON, from a page of the same site."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request

MOST_BYTES = 512


class Refused(Exception):
    """What was posted is not looked at. status: 403 another site asks; 413 it is longer than any
    of ours; 415 it is no JSON."""

    def __init__(self, status: int) -> None:
        super().__init__(f"refused with status {status}")
        self.status = status


async def posted(request: Request) -> bytes:
    """The body. Raises Refused."""
    if not _same_site(request):
        raise Refused(403)
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise Refused(415)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise Refused(413)
    return body


def _same_site(request: Request) -> bool:
    """Browsers say where a page that posts comes from."""
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")
