"""What the pages say: Markdown files, one a page, one section a text."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "en"


@cache
def texts(page: str) -> dict[str, str]:
    """Section name -> Markdown. A section begins with a line "# name"."""
    content = (FOLDER / f"{page}.md").read_text("utf-8")
    parts = re.split(r"^# (\w+)\n", content, flags=re.MULTILINE)[1:]
    return {name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}


def fill(text: str, **values: object) -> str:
    """Replace [[name]] by its value."""
    return re.sub(r"\[\[(\w+)\]\]", lambda match: str(values[match[1]]), text)
