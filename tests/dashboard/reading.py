"""Everything that a page says, in a visit without a browser."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message
from streamlit.testing.v1 import AppTest

SAID = ("label", "help", "body", "placeholder", "text", "options")
"""Fields of Streamlit's elements that are read; `body` is Markdown or HTML."""
DRAWN = ("text", "hovertemplate", "title", "ticktext", "customdata", "hovertext")
"""Those of a figure."""
TOLD = ("label", "help", "line", "otherwise", "panel", "name", "ask", "show", "alt")
"""Those of a component of our own."""
NO_WORDS = re.compile(
    r"<style.*?</style>|<[^>]*>|\$\$.*?\$\$|\$.*?\$|%\{[^}]*\}|:material/\w+:|&\w+;", re.DOTALL
)
BRACKETED = re.compile("⟦[^⟦⟧]*[⟧…]")
"""A text, whole or cut short."""
WORD = re.compile(r"[^\W\d_]{3,}")


def unbracketed(text: str) -> list[str]:
    """The words of a text that stand in no ⟦ ⟧, without tags and formulas."""
    text, count = html.unescape(NO_WORDS.sub(" ", text)), 1
    while count:
        text, count = BRACKETED.subn(" ", text)
    return WORD.findall(text)


def read(app: AppTest) -> Iterator[str]:
    """Labels, tooltips, options, sentences; what is written in figures and in components."""
    for element in app:
        proto = getattr(element, "proto", None)
        if not isinstance(proto, Message):
            continue
        if element.type == "bidi_component":
            told = proto.json if proto.WhichOneof("data") == "json" else proto.bytes
            yield from _of_component(json.loads(told))
        else:
            yield from _of_message(proto)


def _of_message(message: Message) -> Iterator[str]:
    for field, value in message.ListFields():
        for item in [value] if isinstance(value, str | Message) else _items(value):
            if isinstance(item, Message):
                yield from _of_message(item)
            elif isinstance(item, str) and field.name in (*SAID, "content"):
                yield item


def _items(value: Any) -> list[Any]:
    return list(value) if hasattr(value, "__iter__") and not isinstance(value, bytes) else []


def _of_component(told: dict[str, Any]) -> Iterator[str]:
    if "chain" in told:
        said = (*told["words"].values(), *told["definitions"].values())
        yield from (re.sub(r"\[\[\w+\]\]", "", text) for text in said)
    yield from (told[name] for name in TOLD if isinstance(told.get(name), str))
    yield from _of_component(told["options"]) if "options" in told else ()
    yield from (each["name"] for each in told.get("series", ()))
    yield from _of_figure(told.get("figure", {}), "")


def _of_figure(value: Any, name: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from () if key == "meta" else _of_figure(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _of_figure(item, name)
    elif isinstance(value, str) and name in DRAWN:
        yield value
