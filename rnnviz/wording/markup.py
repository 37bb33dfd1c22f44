"""The little Markdown that texts have, as HTML."""

from __future__ import annotations

import html
import re


def as_html(text: str) -> str:
    """Bold, powers (10^3) and indices (W_hh, σ_max) as HTML; anything else as it is."""
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", html.escape(text))
    text = re.sub(r"\^([−-]?[\d,]*\d(?:\.\d+)?)", r"<sup>\1</sup>", text)
    return re.sub(r"\b([A-Za-zσ])_(\w{1,2}|skip|max)\b", r"\1<sub>\2</sub>", text)
