"""Traces of truncated backpropagation: what is asked of the full product cannot be told by them."""

from __future__ import annotations

from rnnviz.core import Trace


class Truncated(ValueError):
    """An analysis needs the gradients of a full backward pass. window: the steps of this one's."""

    def __init__(self, what: str, window: int) -> None:
        super().__init__(f"{what}: needs the gradients of a full backward pass; the trace's are "
                         f"truncated after {window:,} steps")  # fmt: skip
        self.window = window


def check_whole(what: str, trace: Trace) -> None:
    """Raises `Truncated` for a trace of a truncated pass."""
    if trace.window:
        raise Truncated(what, trace.window)
