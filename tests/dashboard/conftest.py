"""Pages as on the machine that estimates were made on: what they ask must not depend on another."""

from __future__ import annotations

import pytest

from rnnviz.core.cost import Speed
from rnnviz.dashboard import compute, jobs
from tests.dashboard.support import short_slices


@pytest.fixture(autouse=True)
def _reference_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "speed", Speed)


@pytest.fixture(autouse=True)
def _no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of work are done where a test can see them."""
    monkeypatch.setattr(jobs, "workers", lambda: None)


@pytest.fixture
def _short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page works out bit by bit is not what these tests look at."""
    short_slices(monkeypatch)
