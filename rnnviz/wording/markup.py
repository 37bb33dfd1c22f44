"""The little Markdown that texts have, as HTML."""

from __future__ import annotations

import html
import re

LITERAL = re.compile("\x0e(.*?)\x0f", re.DOTALL)
"""What is no text of ours, and has no markup."""


def literal(name: str) -> str:
    """A name that somebody gave, to stand in a text as it is."""
    return f"\x0e{name}\x0f"


def as_html(text: str) -> str:
    """Bold, powers (10^3) and indices (W_hh, σ_max) as HTML; anything else as it is."""
    names = map(html.escape, LITERAL.findall(text))
    text = html.escape(LITERAL.sub("\x0e", text))
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text)
    text = re.sub(r"\^([−-]?[\d,]*\d(?:\.\d+)?)", r"<sup>\1</sup>", text)
    text = re.sub(r"\b([A-Za-zσ])_(\w{1,2}|skip|max)\b", r"\1<sub>\2</sub>", text)
    return re.sub("\x0e", lambda _: next(names, ""), text)
