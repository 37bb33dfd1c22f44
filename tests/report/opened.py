"""What is in a page that stands alone, as its script reads it."""

from __future__ import annotations

import base64
import gzip
import json
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.plots.drawing import Drawing

ADDRESS = re.compile(r"""(?:\w+://|(?<=["'`])//|@import|url\((?!#))[^\s"'`)]*""")
NAMESPACE = "http://www.w3.org/2000/svg"
"""A name that SVG has, and no address that is asked for."""


class Addresses(HTMLParser):
    """Collects the attributes by which HTML asks for something else."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.policy = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found += [
            f"{tag} {name}={value}"
            for name, value in attrs
            if name in ("src", "href", "srcset", "data", "action", "background", "poster")
        ]
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""


def asked_for(page: str) -> Addresses:
    """What the tags of a page ask for, and what its policy allows."""
    reader = Addresses()
    reader.feed(page)
    return reader


def unpacked(page: str, name: str) -> str:
    """The text of the packed part of that name."""
    found = re.search(rf'<script type="text/plain" id="{name}">([^<]*)</script>', page)
    assert found is not None
    return gzip.decompress(base64.b64decode(found[1])).decode()


def data_of(page: str) -> Any:
    return json.loads(unpacked(page, "data"))


def array(packed: dict[str, Any]) -> Array:
    values = np.frombuffer(base64.b64decode(packed["bdata"]), "<" + packed["dtype"])
    return values.reshape([int(n) for n in packed["shape"].split(",")] if "shape" in packed else -1)


def whole(value: Any, arrays: list[Any]) -> Any:
    """A figure with its arrays in their places."""
    if isinstance(value, list):
        return [whole(item, arrays) for item in value]
    if isinstance(value, dict):
        if "$" in value:
            return array(arrays[value["$"]])
        return {name: whole(item, arrays) for name, item in value.items()}
    return value


def same(found: Any, drawn: Drawing | Any) -> bool:
    """Whether a figure of a page is what was drawn, number by number."""
    if isinstance(drawn, np.ndarray) and drawn.dtype.kind in "biuf":
        return np.array_equal(found, drawn, equal_nan=drawn.dtype.kind == "f")
    if isinstance(drawn, dict):
        return set(found) == set(drawn) and all(same(found[name], drawn[name]) for name in drawn)
    if isinstance(drawn, list | tuple | range | np.ndarray):
        return len(found) == len(drawn) and all(map(same, found, drawn))
    return bool(found == drawn)
