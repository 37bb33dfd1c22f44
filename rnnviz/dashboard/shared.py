"""What all visitors share: one object, made when the server loads its script, and handed on."""

from __future__ import annotations

from dataclasses import dataclass, field

from rnnviz.dashboard.saving import Saved
from rnnviz.dashboard.store import Store


@dataclass(frozen=True, eq=False)
class Shared:
    """saved: what visitors have trained, by the token of their browser's tab."""

    saved: Store[Saved] = field(default_factory=Store)


SHARED = Shared()
