"""What an operator may set beside Streamlit's options, by environment variables: how many visitors,
which sites may embed the pages, whether there are metrics, the file that is open from the start.
`RNNVIZ_MEMORY` is in memory.py."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from rnnviz.sweep.pool import cores
from rnnviz.wording.texts import fill, texts

VISITORS, EMBED, METRICS = "RNNVIZ_VISITORS", "RNNVIZ_EMBED", "RNNVIZ_METRICS"
WORKERS, MOST_WORKERS = "RNNVIZ_WORKERS", 64
OPEN = "RNNVIZ_OPEN"
"""What `rnnviz app FILE` sets."""
SITE = re.compile(r"https?://(\*\.)?[\w-]+(\.[\w-]+)*(:\d{1,5})?", re.ASCII)
"""A source of the Content-Security-Policy, with nothing in it that would end the directive."""


def most_visitors(environment: Mapping[str, str] = os.environ) -> int | None:
    """At once; None for as many as come. Raises ValueError naming what is no number of them."""
    given = environment.get(VISITORS, "")
    if given and not (given.isascii() and given.isdigit() and int(given)):
        raise ValueError(fill(texts("server")["bad_visitors"], name=VISITORS, value=repr(given)))
    return int(given) if given else None


def worker_count(environment: Mapping[str, str] = os.environ) -> int:
    """Processes for long work, unless said otherwise one a core but one, which is left to visitors'
    hands, and at least one; 0 for none. Raises ValueError naming what is no number of them."""
    given = environment.get(WORKERS, str(min(max(1, cores() - 1), MOST_WORKERS)))
    if not (given.isascii() and given.isdigit() and int(given) <= MOST_WORKERS):
        said = {"name": WORKERS, "value": repr(given), "most": str(MOST_WORKERS)}
        raise ValueError(fill(texts("server")["bad_workers"], **said))
    return int(given)


def embedding_sites(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Whose pages may hold these in a frame, beside the server's own. Raises ValueError naming
    what is no site."""
    given = environment.get(EMBED, "").split()
    for site in given:
        if not SITE.fullmatch(site):
            raise ValueError(fill(texts("server")["bad_embed"], name=EMBED, value=repr(site)))
    return tuple(given)


def shows_metrics(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether /metrics answers. Raises ValueError naming what is neither yes nor no."""
    given = environment.get(METRICS, "0")
    if given not in ("0", "1"):
        raise ValueError(fill(texts("server")["bad_metrics"], name=METRICS, value=repr(given)))
    return given == "1"


def opened_file(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The network that every visit begins with on Your network, which is then the first page."""
    given = environment.get(OPEN, "")
    return Path(given) if given else None
