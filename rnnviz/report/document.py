"""One HTML file that holds all it needs, and may load nothing."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from plotly.offline import get_plotlyjs

import rnnviz
from rnnviz.report.scripts import bundled, source_of
from rnnviz.wording.texts import say, texts

ALLOWED = ("default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; "
           "img-src data: blob:; base-uri 'none'; form-action 'none'")  # fmt: skip
"""Of the page: its own two scripts, by what is in them, its styles, and pictures that it made
itself (a heatmap, one that a reader saves). No address at all."""
PAGE = """\
<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{allowed}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="rnnviz {version}">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
<noscript><p>{no_script}</p></noscript>
<p id="too-old" role="alert" hidden>{too_old}</p>
{body}
<script type="text/plain" id="plotly">{plotly}</script>
<script type="text/plain" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def document(
    title: str, body: str, data: Any, script: str, styles: Sequence[str], language: str = "en"
) -> str:
    """The whole page.

    Parameters
    ----------
    title : of the window.
    body : HTML that is there before, and without, any script.
    data : what the script reads, as JSON has it.
    script : name of the script that draws, see `scripts.bundled`.
    styles : names of style sheets.
    language : of the body.

    Examples
    --------
    >>> page = document("Nothing", "<main>Nothing yet.</main>", {}, "diagnosis.js", [])
    >>> page.count("https:") + page.count("src=") + page.count("href=")
    0
    """
    code, plotly, text = bundled(script), get_plotlyjs(), texts("report")
    return PAGE.format(
        language=html.escape(language),
        allowed=ALLOWED.format(scripts=f"{_named(code)} {_named(plotly)}"),
        version=rnnviz.__version__,
        title=html.escape(title),
        style="\n".join(map(source_of, styles)),
        no_script=html.escape(text["no_script"]),
        too_old=html.escape(text["too_old"]),
        body=body,
        plotly=_packed_plotly(),
        data=packed(json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))),
        script=code,
    )


def made_by() -> str:
    """Who made a file, and that it keeps to itself."""
    return say("report", "made_by", version=rnnviz.__version__)


def packed(text: str) -> str:
    """A text as the page's script unpacks it."""
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


@cache
def _packed_plotly() -> str:
    return packed(get_plotlyjs())


def _named(script: str) -> str:
    """A script as a security policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
