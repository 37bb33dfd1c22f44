"""The dashboard with a mistake in it: one unit's output gate in an LSTM is off by a thousandth."""

from __future__ import annotations

from typing import Any

from rnnviz.core import LSTM
from rnnviz.dashboard.main import main
from rnnviz.dashboard.saving import SHARED

# This script runs again and again, the mistake is to be made once.
right = getattr(LSTM.local_derivatives, "right", LSTM.local_derivatives)


def wrong(self: LSTM, *given: Any) -> None:
    right(self, *given)
    given[3][:, 0] *= 1.001


wrong.right = right  # type: ignore[attr-defined]
LSTM.local_derivatives = wrong  # type: ignore[method-assign]
main(SHARED)
