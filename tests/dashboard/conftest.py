"""Pages as on the machine that estimates were made on: what they ask must not depend on another."""

from __future__ import annotations

import pytest

from rnnviz.core.cost import Speed
from rnnviz.dashboard import compute


@pytest.fixture(autouse=True)
def _reference_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "speed", Speed)
