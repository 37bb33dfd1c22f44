"""What neither a file nor the caller has said."""

from __future__ import annotations

from collections.abc import Iterable


class Unsaid(ValueError):
    """Raised where something must be said. field: the parameter that says it; allowed: what it may
    be.

    Examples
    --------
    >>> Unsaid("reset must be said", "reset", ("after", "before")).allowed
    ('after', 'before')
    """

    def __init__(self, message: str, field: str, allowed: Iterable[str]) -> None:
        super().__init__(message)
        self.field, self.allowed = field, tuple(allowed)
