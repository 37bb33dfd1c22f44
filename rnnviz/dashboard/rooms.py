"""Rooms in which a hall votes on a lecture's questions.

A room lives in the server's process, under a short code that is in its link. Whoever opened it
holds its secret; whoever votes is a random cookie and nothing else. It ends by itself.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from rnnviz.lecture.scenes import Guess
from rnnviz.wording.texts import ENGLISH

MOST_ROOMS = 100
MOST_VOTERS = 2_000
"""Of one room; whoever comes later is told that it is full."""
MOST_CHANGES = 30
"""Votes of one cookie on one question: a finger needs fewer."""
SILENT, LONGEST = 30 * 60.0, 6 * 3600.0
"""Seconds after which a room ends: that its lecturer's screen has not asked, and in all."""
LETTERS, LENGTH = "bcdfghjkmnpqrstvwxz", 5
"""Of a code: without vowels there are no words, and without l none that look alike."""

COUNTED, CLOSED, FULL, OFTEN = "counted", "closed", "full", "often"
"""What becomes of a vote."""


class NoRoom(Exception):
    """There are as many rooms as there may be."""


@dataclass(frozen=True)
class Asked:
    """What the phones show. question: its name, "" for none. heading, choices: HTML. right: the
    number of the choice, or the place of the guess, that is revealed, 0 while votes are taken.
    guess: the scale on which a number is guessed where there are no choices. version: another for
    each."""

    question: str = ""
    heading: str = ""
    choices: tuple[str, ...] = ()
    right: int = 0
    guess: Guess | None = None
    version: int = 0

    @property
    def answers(self) -> int:
        """How many there are to vote for, numbered from 1."""
        return self.guess.places if self.guess else len(self.choices)


@dataclass(eq=False)
class Room:
    """One hall. heard: when its lecturer's screen asked last."""

    code: str
    secret: str
    opened: float
    heard: float
    language: str = ENGLISH
    asked: Asked = Asked()
    _votes: dict[str, dict[str, int]] = field(default_factory=dict)
    _changes: dict[str, dict[str, int]] = field(default_factory=dict)
    _voters: set[str] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    def ask(
        self,
        question: str,
        heading: str,
        choices: tuple[str, ...],
        right: int = 0,
        guess: Guess | None = None,
    ) -> None:
        """Let the phones show this; nothing changes if they do already."""
        with self._lock:
            version = self.asked.version
            if Asked(question, heading, choices, right, guess, version) != self.asked:
                self.asked = Asked(question, heading, choices, right, guess, version + 1)

    def vote(self, voter: str, question: str, choice: int) -> str:
        """Count a vote in place of the voter's last one on this question, or say why not."""
        with self._lock:
            now = self.asked
            if question != now.question or now.right or not 1 <= choice <= now.answers:
                return CLOSED
            if voter not in self._voters and len(self._voters) >= MOST_VOTERS:
                return FULL
            changes = self._changes.setdefault(question, {})
            if changes.get(voter, 0) >= MOST_CHANGES:
                return OFTEN
            changes[voter] = changes.get(voter, 0) + 1
            self._voters.add(voter)
            self._votes.setdefault(question, {})[voter] = choice
            return COUNTED

    def counts(self, question: str, answers: int) -> list[int]:
        """How many votes each choice, or each place of a scale, has."""
        with self._lock:
            taken = Counter(self._votes.get(question, {}).values())
        return [taken[number] for number in range(1, answers + 1)]

    def choice_of(self, voter: str, question: str) -> int:
        """What a voter took, from 1; 0 for nothing."""
        return self._votes.get(question, {}).get(voter, 0)

    def is_led_by(self, secret: str) -> bool:
        """Whether this is the lecturer's secret."""
        return hmac.compare_digest(self.secret.encode(), secret.encode())


class Rooms:
    """All rooms of a server. clock: seconds."""

    def __init__(self, most: int = MOST_ROOMS, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._rooms: dict[str, Room] = {}
        self._lock = Lock()

    def open(self, language: str = ENGLISH) -> Room:
        """A new room. Raises NoRoom where there are too many."""
        with self._lock:
            self._drop_ended()
            if len(self._rooms) >= self._most:
                raise NoRoom
            code = self._free_code()
            now = self._clock()
            room = Room(code, secrets.token_urlsafe(16), now, now, language)
            self._rooms[code] = room
            return room

    def _free_code(self) -> str:
        while (code := "".join(secrets.choice(LETTERS) for _ in range(LENGTH))) in self._rooms:
            pass
        return code

    def get(self, code: str) -> Room | None:
        """The room of this code, unless it has ended."""
        with self._lock:
            self._drop_ended()
            return self._rooms.get(code)

    def led(self, code: str, secret: str) -> Room | None:
        """The same for its lecturer, whose screen is heard by that."""
        room = self.get(code)
        if room is None or not room.is_led_by(secret):
            return None
        room.heard = self._clock()
        return room

    def close(self, code: str, secret: str) -> None:
        """End a room, if this is its secret."""
        if self.led(code, secret) is not None:
            with self._lock:
                self._rooms.pop(code, None)

    def __len__(self) -> int:
        with self._lock:
            self._drop_ended()
            return len(self._rooms)

    def _drop_ended(self) -> None:
        now = self._clock()
        ended = [
            code
            for code, room in self._rooms.items()
            if now - room.heard > SILENT or now - room.opened > LONGEST
        ]
        for code in ended:
            del self._rooms[code]
