"""What outlives a Streamlit session: values by token, bounded in bytes and in age."""

from __future__ import annotations

import re
import secrets
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Generic, NamedTuple, Protocol, TypeVar

MOST_BYTES = 256 << 20
SHARE = 4
"""No value takes more than this fraction, 1/4, of all bytes: it would push out everyone's."""
MOST_SECONDS = 12 * 3600.0
TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")


class Measured(Protocol):
    """A value that never changes and knows the memory it takes: alone, and of that, by their `id`,
    of those parts that other values may have too."""

    @property
    def nbytes(self) -> int: ...

    @property
    def parts(self) -> Mapping[int, int]: ...


V = TypeVar("V", bound=Measured)


def new_token() -> str:
    """128 random bits: who was not told it does not find it."""
    return secrets.token_urlsafe(16)


def is_token(said: object) -> bool:
    """Whether this has the form of a token."""
    return isinstance(said, str) and TOKEN.fullmatch(said) is not None


class _Size(NamedTuple):
    """Bytes of a value without its parts, and of each part by its id."""

    own: int
    parts: Mapping[int, int]


class Store(Generic[V]):
    """Values by token, for all visitors and threads.

    Beyond `most_bytes` the value that was put or asked for least recently goes first; so does,
    after `most_seconds`, one that nobody has put or asked for. A part of several values counts
    once.
    """

    def __init__(self, most_bytes: int = MOST_BYTES, most_seconds: float = MOST_SECONDS,
                 clock: Callable[[], float] = time.monotonic) -> None:  # fmt: skip
        self._most_bytes, self._most_seconds, self._clock = most_bytes, most_seconds, clock
        self._lock = Lock()
        self._values: OrderedDict[str, tuple[V, _Size, float]] = OrderedDict()
        self._holders = Counter[int]()
        self._nbytes = 0

    @property
    def nbytes(self) -> int:
        """The bytes of all values, at most `most_bytes`."""
        return self._nbytes

    def put(self, token: str, value: V) -> None:
        """Keep a value in place of the token's earlier one; one that is too large is not kept.
        Raises ValueError for what is no token."""
        if not is_token(token):
            raise ValueError(f"token must be 22 letters, digits, - or _, got {token!r}")
        whole, parts = value.nbytes, value.parts
        size = _Size(whole - sum(parts.values()), parts)
        with self._lock:
            self._drop(token)
            if whole <= self._most_bytes // SHARE:
                self._values[token] = value, size, self._clock()
                new = sum(each for part, each in parts.items() if not self._holders[part])
                self._nbytes += size.own + new
                self._holders.update(parts.keys())
            self._make_room()

    def get(self, token: str) -> V | None:
        """The token's value; None if there is none, or none any more."""
        with self._lock:
            self._make_room()
            if token not in self._values:
                return None
            value, size, _ = self._values[token]
            self._values[token] = value, size, self._clock()
            self._values.move_to_end(token)
            return value

    def drop(self, token: str) -> None:
        """Forget the token's value, if there is one."""
        with self._lock:
            self._drop(token)

    def _drop(self, token: str) -> None:
        if token in self._values:
            _, size, _ = self._values.pop(token)
            self._holders.subtract(size.parts.keys())
            gone = [part for part in size.parts if not self._holders[part]]
            self._nbytes -= size.own + sum(size.parts[part] for part in gone)
            for part in gone:
                del self._holders[part]

    def _make_room(self) -> None:
        """The least recently used value comes first, and is the oldest too."""
        oldest = self._clock() - self._most_seconds
        while self._values:
            token, (_, _, used) = next(iter(self._values.items()))
            if self._nbytes <= self._most_bytes and used >= oldest:
                return
            self._drop(token)
