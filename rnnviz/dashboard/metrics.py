"""What a server tells whoever watches it, where its setting asks for that: counts and sizes, and
nothing of any visitor."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from rnnviz.dashboard import compute, jobs
from rnnviz.dashboard.hosting import shows_metrics
from rnnviz.dashboard.memory import Memory
from rnnviz.dashboard.server import url
from rnnviz.dashboard.visitors import Visitors
from rnnviz.jobs.workers import Workers

METRICS = "/metrics"
KIND = "text/plain; version=0.0.4"
"""Of the exposition format that Prometheus and others read."""


def metrics_routes() -> list[BaseRoute]:
    """The metrics' route, where it is asked for."""
    return [Route(url(METRICS), metrics)] if shows_metrics() else []


async def metrics(request: Request) -> Response:
    """Answer with all figures as they are now."""
    figures = lines(request.scope["visitors"], compute.memory(), jobs.workers())
    text = "".join(figures)
    headers = {"Content-Type": KIND, "Cache-Control": "no-store"}
    return PlainTextResponse(text, headers=headers)


def lines(visitors: Visitors, memory: Memory, workers: Workers | None) -> Iterator[str]:
    """One figure after the other."""
    yield figure("visitors", visitors.connected, "Browsers that are connected")
    yield figure("visitors_refused_total", visitors.refused, "Times that nobody was let in")
    yield figure("runs_total", memory.runs, "Pieces of work that took room in memory")
    yield figure("run_seconds_total", memory.seconds, "How long they took together")
    yield figure("refusals_total", memory.refused, "Pieces of work that there was no room for")
    yield figure("memory_used_bytes", memory.used, "Of work that goes on and of what is kept")
    yield figure("memory_ceiling_bytes", memory.ceiling, "As RNNVIZ_MEMORY says")
    waiting, deaths = (workers.waiting, workers.deaths) if workers else (0, 0)
    yield figure("work_waiting", waiting, "Slices of long work that no process has taken up")
    yield figure("worker_deaths_total", deaths, "Processes that ended before their work")


def figure(name: str, value: float, means: str) -> str:
    """One figure with its meaning; what only grows has a name that ends in _total."""
    kind = "counter" if name.endswith("_total") else "gauge"
    return (
        f"# HELP rnnviz_{name} {means}.\n# TYPE rnnviz_{name} {kind}\nrnnviz_{name} {value:.12g}\n"
    )
