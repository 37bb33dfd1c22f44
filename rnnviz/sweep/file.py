"""The results of a sweep in a CSV file that an interrupted sweep goes on with.

The first line, a comment, states the experiment; `pandas.read_csv(path, comment="#")` skips it.
Rows are appended as results come. A row that was cut off is written again. A row without numbers is
tried again; once another row is there in its place, a comment of the same length stands for it.
Sweeps that run at the same time may share a file: whoever writes has it alone, and first reads what
others have added.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

try:
    import fcntl
except ImportError:  # Windows has none; there sweeps at the same time need files of their own
    fcntl = None  # type: ignore[assignment]

from rnnviz.experiment import FIELDS, Experiment
from rnnviz.sweep.grid import Pairs, Point, Result

TITLE = "# rnnviz sweep: "
REPLACED = b"# tried again"
"""What a row begins with that another one has taken the place of."""
KEY = tuple[Pairs, int, str]


class Failed(NamedTuple):
    """A row without numbers: its bytes in the file, and why it has none."""

    start: int
    stop: int
    message: str


class SweepFile:
    """One sweep's file: which results with numbers it has (`done`), and room for more.

    Raises ValueError where the file holds something else, or a sweep of another experiment or over
    other fields; other values and seeds of the same fields are more of the same sweep. Raises
    OSError with the file's name and what to do where it cannot be written.
    """

    def __init__(self, path: Path, experiment: Experiment, names: Iterable[str]) -> None:
        self.path, self._names = path, tuple(names)
        row = Result(tuple((name, None) for name in self._names), 0, "", None, 0.0).row()
        self._columns = list(row)
        self._head = TITLE + json.dumps(_stated(experiment, self._names)) + "\n"
        self._head += _line(self._columns)
        self.done: set[KEY] = set()
        self._failed: dict[KEY, Failed] = {}
        self._replaced: list[Failed] = []
        self._seen = 0
        try:
            with self._alone() as file:
                self._read(file)
                self._strike()
        except OSError as error:
            if not isinstance(error.__cause__, PermissionError) or not path.is_file():
                raise
            self._read(io.BytesIO(path.read_bytes()))  # to be read, as long as nothing is missing

    def missing(self, points: Iterable[Point]) -> Iterator[Point]:
        """The points of which the file lacks a model's numbers."""
        for point in points:
            e = point.experiment
            if any((point.at, e.seed, str(model)) not in self.done for model in e.models):
                yield point

    def add(self, result: Result) -> bool:
        """Append one result, unless it is there already; in the place of one without numbers, if it
        says more than that. Whether it was lacking."""
        if result.key in self.done:
            return False
        if self._known(result):
            return True
        row = result.row()
        with self._alone() as file:
            self._read_rows(file)
            if result.key not in self.done and not self._known(result):
                start = self._seen
                self._write(file, _line([row[name] for name in self._columns]))
                self._have(result.key, Failed(start, self._seen, result.message))
            self._strike()
        return True

    def _known(self, result: Result) -> bool:
        """Whether it is there already that a result has no numbers, and why."""
        failed = self._failed.get(result.key)
        return failed is not None and failed.message == result.message

    def _have(self, key: KEY, row: Failed) -> None:
        """What the last row of a result says; one before it goes."""
        if before := self._failed.pop(key, None):
            self._replaced.append(before)
        if row.message and key not in self.done:
            self._failed[key] = row
        else:
            self.done.add(key)

    def _read(self, file: IO[bytes]) -> None:
        """The head, which an empty file is given, and the rows."""
        text = file.read().decode("utf-8", errors="replace")
        if not text:
            self._write(file, self._head)
            return
        title = text.partition("\n")[0] + "\n"
        if not title.startswith(TITLE):
            raise ValueError(f"{self.path} is not the file of a sweep; name another one with --out")
        if not text.startswith(self._head):
            raise ValueError(f"{self.path} holds another sweep ({_difference(title, self._head)}); "
                             "name another file with --out")  # fmt: skip
        self._seen = len(self._head.encode("utf-8"))
        self._read_rows(file)

    def _read_rows(self, file: IO[bytes]) -> None:
        """Those that are not known yet; one that was cut off goes."""
        file.seek(self._seen)
        new = file.read()
        for line in _whole_rows(new):
            start, self._seen = self._seen, self._seen + len(line)
            if not line.startswith(REPLACED):
                text = io.StringIO(line.decode("utf-8", errors="replace"))
                for row in csv.DictReader(text, self._columns):
                    self._have(self._key(row), Failed(start, self._seen, row["message"]))
        if self._seen < file.tell():
            file.truncate(self._seen)

    def _strike(self) -> None:
        """Make comments of the rows that others have taken the place of, which are in the file by
        now. For whoever has it alone; a file that is appended to cannot be written elsewhere."""
        if self._replaced:
            with self.path.open("r+b") as file:
                for start, stop, _ in self._replaced:
                    file.seek(start)
                    file.write(REPLACED.ljust(stop - start - 1) + b"\n")
            self._replaced.clear()

    def _write(self, file: IO[bytes], text: str) -> None:
        file.seek(self._seen)
        file.write(text.encode("utf-8"))
        file.flush()
        self._seen = file.tell()

    @contextmanager
    def _alone(self) -> Iterator[IO[bytes]]:
        """The file, which no other sweep reads or writes meanwhile."""
        with self._writing(), self.path.open("a+b") as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            yield file

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OSError(
                f"{self.path} cannot be written: {error.strerror}. Every row that is whole stays; "
                "make room, or let it be written, and the same command goes on there. "
                "--out names another file."
            ) from error

    def _key(self, row: dict[str, str]) -> KEY:
        at = tuple((name, _value(name, row[name])) for name in self._names)
        return at, int(row["seed"]), row["model"]


def _stated(experiment: Experiment, names: tuple[str, ...]) -> dict[str, Any]:
    """What all rows have in common."""
    common = {n: getattr(experiment, n) for n in FIELDS if n not in (*names, "seed", "models")}
    return {"over": list(names), "models": [str(m) for m in experiment.models], **common}


def _difference(title: str, head: str) -> str:
    """What another sweep's title says that this one's does not."""
    try:
        there = json.loads(title[len(TITLE) :])
    except ValueError:
        return "its first line is damaged"
    here = json.loads(head.partition("\n")[0][len(TITLE) :])
    names = [name for name in here if there.get(name) != here[name]]
    if not names:
        return "its columns are those of another version"
    return "; ".join(f"{name} is {there.get(name)!r} there and {here[name]!r} here"
                     for name in names[:3])  # fmt: skip


def _whole_rows(text: bytes) -> Iterator[bytes]:
    """The rows that are whole, with their ends; a line break within quotes does not end one."""
    row = b""
    for line in io.BytesIO(text):
        row += line
        if row.endswith(b"\n") and not row.count(b'"') % 2:
            yield row
            row = b""


def _value(name: str, text: str) -> Any:
    known = FIELDS[name]
    return {"int": int, "float": float}.get(known.kind, str)(text)


def _line(values: Iterable[Any]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(values)
    return out.getvalue()
