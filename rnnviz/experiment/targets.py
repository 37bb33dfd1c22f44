"""Where a command is to write, looked at before its work begins."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryFile


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


def check_folder(path: Path, files: Iterable[Path] = ()) -> None:
    """Make a folder, and see that a file can be written there, and each of `files`, before anything
    is worked out for it. Raises OSError if not."""
    path.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=path):
        pass
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
