"""What a visit has brought to Your network: files, what was understood of them, what they came to.

All of it is the visit's own: no other visitor's page reads it, and it goes with the visit.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from rnnviz.dashboard import hosting, jobs
from rnnviz.experiment.npz import UPLOAD, read_bytes
from rnnviz.models.brought import Brought, FromPassage, FromWeights
from rnnviz.models.examples import EXAMPLES
from rnnviz.models.files import Source
from rnnviz.models.load import Loaded, load
from rnnviz.models.saved_runs import network_in
from rnnviz.models.sequences import Sequences, read_data
from rnnviz.models.unsaid import Unsaid
from rnnviz.models.watched import Passage
from rnnviz.views.your_network import View

PLACE = "your_network"
MOST_RESULTS = 8
NAME = 60
"""Characters of a file's name that are said."""


class File(NamedTuple):
    """As a browser sent it."""

    name: str
    data: bytes


@dataclass(eq=False)
class Visit:
    """What one visit has opened.

    source: arrays of weights, or watched modules by name; name: of its file. data: a file of
    sequences. version: counts what was opened, taken: files that came. waiting: one that has not
    been read yet. results: what it came to, by what was asked, a few. problem: why
    the last file was not opened: its name, and the reason.
    """

    source: Source | Mapping[str, Passage] | None = None
    name: str = ""
    data: File | None = None
    version: int = 0
    taken: int = 0
    waiting: File | None = None
    problem: tuple[str, str] | None = None
    results: OrderedDict[Hashable, View] = field(default_factory=OrderedDict)
    _sequences: tuple[int, str | None, Sequences] | None = None

    def take(self, source: Source | Mapping[str, Passage], name: str) -> None:
        """Another network; what the one before came to is forgotten."""
        self.source, self.name = source, name
        self._changed()

    def take_data(self, data: File | None) -> None:
        """Other sequences, or none."""
        self.data, self._sequences = data, None
        self._changed()

    def _changed(self) -> None:
        self.version += 1
        self.problem, self.waiting = None, None
        self.results.clear()

    def open_waiting(self) -> None:
        """Read the file of weights that has arrived; what was open stays where it is none."""
        if (file := self.waiting) is None:
            return
        self.waiting = None
        try:
            with jobs.turns().slice(jobs.give_way):
                source = network_in(file.data, file.name, UPLOAD)
        except ValueError as error:
            self.problem = file.name, str(error)
        else:
            self.take(source, file.name)

    def sequences(self, layout: str | None) -> Sequences:
        """The data, read once. Raises ValueError for what is none, `Unsaid` of "axes"."""
        if self.data is None:
            return Sequences()
        key = self.version, layout
        if self._sequences is None or self._sequences[:2] != key:
            with jobs.turns().slice(jobs.give_way):
                try:
                    read = read_data(self.data.data, layout=layout, limits=UPLOAD)
                except Unsaid as missing:
                    raise Unsaid(str(missing), "axes", missing.allowed) from missing
            self._sequences = *key, read
            if layout is None:  # nothing is left to ask
                self.data = File(self.data.name, b"")
        return self._sequences[2]

    def result(self, asked: Hashable, make: Callable[[], View]) -> View:
        """What it came to, made once."""
        if asked not in self.results:
            self.results[asked] = make()
            while len(self.results) > MOST_RESULTS:
                self.results.popitem(last=False)
        self.results.move_to_end(asked)
        return self.results[asked]


def visit() -> Visit:
    """The visit's own; it begins with the file that the server was started with, if any."""
    if PLACE not in st.session_state:
        st.session_state[PLACE] = _begin(hosting.opened_file())
    found: Visit = st.session_state[PLACE]
    return found


def _begin(path: Path | None) -> Visit:
    if path is None:
        return Visit()
    try:
        return Visit(waiting=file_of(path.name, read_bytes(path, UPLOAD)))
    except (OSError, ValueError) as error:
        return Visit(problem=(path.name, str(error)))


def file_of(name: str, data: bytes) -> File:
    """With a name that is short."""
    return File(name if len(name) <= NAME else f"…{name[-NAME:]}", data)


def example(name: str, title: str) -> None:
    """Open one of the networks that do not learn."""
    visit().take(Source(EXAMPLES[name].weights()), title)
    visit().take_data(None)


def network(opened: Visit, said: Mapping[str, str]) -> Brought:
    """The network to run, as far as that is said. said: what neither file nor names say: an
    argument of `load`, the "module" of a saved run, the "axes" of the data.

    Raises `Unsaid` for what must be said, ValueError for what does not fit.
    """
    source = opened.source
    assert source is not None
    if not isinstance(source, Source):
        name = said.get("module", next(iter(source)))
        return FromPassage(name, source[name])
    return FromWeights(_loaded(source, said), opened.sequences(said.get("axes")))


def _loaded(source: Source, said: Mapping[str, str]) -> Loaded:
    """Arrays whose names do not say the layout are taken in their order."""
    if "layout" in said and isinstance(source.arrays, Mapping):
        source = replace(source, arrays=list(source.arrays.values()))
    options = {name: said.get(name) for name in ("layout", "prefix", "reset", "cell")}
    with jobs.turns().slice(jobs.give_way):
        return load(source, **options, limits=UPLOAD)  # type: ignore[arg-type]


class Share:
    """Long work in slices that others' may come between, and how far it is.

    expected: seconds that it will take; told: is given the share of them that is over, now and
    then. pace: seconds of a slice.
    """

    def __init__(
        self,
        expected: float,
        told: Callable[[float], None],
        pace: float = 0.2,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._expected, self._told, self._pace, self._clock = expected, told, pace, clock
        self._worked, self._since = 0.0, 0.0
        self._turn = ExitStack()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """While it is worked on."""
        self._begin()
        try:
            yield
        finally:
            self._turn.close()

    def tell(self) -> None:
        """Of the work, again and again: let others have their turn if this one is over. Raises what
        ends a script that nobody waits for."""
        if (lasted := self._clock() - self._since) > self._pace:
            self._turn.close()
            self._worked += lasted
            self._told(min(self._worked / self._expected, 1.0))
            self._begin()

    def _begin(self) -> None:
        self._turn.enter_context(jobs.turns().slice(jobs.give_way))
        self._since = self._clock()
