"""Where something is to be written: looked at before the work begins, and written whole."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryFile
from typing import IO


def check_target(path: Path) -> None:
    """Raise OSError if no file can be written there: before a minute is spent on what it says.

    Examples
    --------
    >>> from pathlib import Path
    >>> check_target(Path("no/such/folder/report.html"))
    Traceback (most recent call last):
    FileNotFoundError: report.html cannot be written: there is no folder no/such/folder
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"{path.name} cannot be written: there is no folder {path.parent.as_posix()}"
        )
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: name a file in it")
    _check_writable(path)
    if not path.exists():
        _check_takes_files(_pointed_at(path).parent, path)


def check_folder(path: Path, files: Iterable[Path] = ()) -> None:
    """Make a folder, and see that a file can be written there, and each of `files`, before anything
    is worked out for it. Raises OSError if not."""
    path.mkdir(parents=True, exist_ok=True)
    _check_takes_files(path, path)
    for file in files:
        if file.is_dir():
            raise IsADirectoryError(f"{file} is a folder, and a file is to be written there: name "
                                    "another one with --out")  # fmt: skip
        _check_writable(file)


def _check_writable(path: Path) -> None:
    """Raise OSError for a file that is there and may only be read. It stays as it is."""
    if path.is_file():
        with path.open("r+b"):
            pass


def _check_takes_files(folder: Path, named: Path) -> None:
    """Raise OSError, about `named`, for a folder in which no file can be made."""
    try:
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:  # it names a file that nobody has asked for
        raise OSError(error.errno, error.strerror, str(named)) from error


def check_targets(targets: Iterable[Path | None], inputs: Iterable[Path | None]) -> None:
    """`check_target` of every file that is to be written; None of none. Raises ValueError for one
    that is read as well, or is written twice."""
    read, written = [path for path in inputs if path is not None], list[Path]()
    for path in targets:
        if path is None:
            continue
        check_target(path)
        for taken, why in ((read, "is read from"), (written, "is written to already")):
            if any(same_file(path, other) for other in taken):
                raise ValueError(f"{path} must be another file: it {why}")
        written.append(path)


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths are the same file, there already or not."""
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.resolve() == other.resolve()


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to, which takes the place of `path` once it is whole: until then, and
    whatever fails, what was there stays. Raises OSError where it cannot be written.

    What is no regular file is written itself, and so is a file beside which none can be made.
    """
    check_target(path)
    if _written_itself(path):
        with path.open("wb") as file:
            yield file
        return
    target = _pointed_at(path)
    beside = target.with_name(f".{token_hex(8)}.tmp")
    try:
        with beside.open("xb") as file:
            yield file
        _put(beside, target)
    finally:
        beside.unlink(missing_ok=True)


def _written_itself(path: Path) -> bool:
    """Whether no other file can take its place, or it would not be the same: one that a process
    has open is still that one under names such as /dev/stdout and /dev/fd/3."""
    if not path.is_file():
        return path.exists()
    folder = path.parent.resolve()
    of_process = folder == Path("/dev") or Path("/proc") in folder.parents
    beside = os.access(_pointed_at(path).parent, os.W_OK | os.X_OK)
    return not beside or (of_process and path.is_symlink())


def _pointed_at(path: Path) -> Path:
    """The file itself, there already or not, where a path is a link to it."""
    return Path(os.path.realpath(path))


def _put(beside: Path, target: Path) -> None:
    """Let a whole file take another one's place, with that one's owner and permissions."""
    if target.exists():
        there = target.stat()
        for owner in ((-1, there.st_gid), (there.st_uid, -1)):
            with suppress(OSError, AttributeError):  # nobody's to give; Windows has no owners
                os.chown(beside, *owner)
        beside.chmod(stat.S_IMODE(there.st_mode))
    try:
        beside.replace(target)
    except OSError:  # such as a file that is mounted: what is in it can be replaced, it cannot
        shutil.copyfile(beside, target)
