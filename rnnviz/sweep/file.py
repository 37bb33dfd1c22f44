"""The results of a sweep in a CSV file that an interrupted sweep goes on with.

The first line, a comment, states the experiment; `pandas.read_csv(path, comment="#")` skips it.
Rows are appended as results come. A row that was cut off is written again. Sweeps that run at the
same time may share a file: whoever writes has it alone, and first reads what others have added.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

try:
    import fcntl
except ImportError:  # Windows has none; there sweeps at the same time need files of their own
    fcntl = None  # type: ignore[assignment]

from rnnviz.experiment import FIELDS, Experiment
from rnnviz.sweep.grid import Pairs, Point, Result

TITLE = "# rnnviz sweep: "
KEY = tuple[Pairs, int, str]


class SweepFile:
    """One sweep's file: which results it has, and room for more.

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
        self._seen = 0
        try:
            with self._alone() as file:
                self._read(file)
        except OSError as error:
            if not isinstance(error.__cause__, PermissionError) or not path.is_file():
                raise
            self._read(io.BytesIO(path.read_bytes()))  # to be read, as long as nothing is missing

    def missing(self, points: Iterable[Point]) -> Iterator[Point]:
        """The points of which the file lacks a model."""
        for point in points:
            e = point.experiment
            if any((point.at, e.seed, str(model)) not in self.done for model in e.models):
                yield point

    def add(self, result: Result) -> None:
        """Append one result, unless it is there already."""
        if result.key in self.done:
            return
        row = result.row()
        with self._alone() as file:
            self._read_rows(file)
            if result.key not in self.done:
                self._write(file, _line([row[name] for name in self._columns]))
        self.done.add(result.key)

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
        rows = _whole_rows(new.decode("utf-8", errors="replace"))
        for row in csv.DictReader(io.StringIO(rows), self._columns):
            self.done.add(self._key(row))
        self._seen += len(rows.encode("utf-8"))
        if self._seen < file.tell():
            file.truncate(self._seen)

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


def _whole_rows(text: str) -> str:
    """The text up to its last whole row; a line break within quotes does not end one."""
    end = text.rfind("\n") + 1
    while end and text.count('"', 0, end) % 2:
        end = text.rfind("\n", 0, end - 1) + 1
    return text[:end]


def _value(name: str, text: str) -> Any:
    known = FIELDS[name]
    return {"int": int, "float": float}.get(known.kind, str)(text)


def _line(values: Iterable[Any]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(values)
    return out.getvalue()
