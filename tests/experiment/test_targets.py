"""Where something is to be written is looked at before it is made; then it is written whole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from rnnviz.experiment.targets import check_folder, check_target, check_targets, replacing


@pytest.mark.parametrize("target", ["nowhere/report.html", "."])
def test_a_place_where_no_file_can_be_is_named(tmp_path: Path, target: str) -> None:
    with pytest.raises(OSError, match="nowhere" if "/" in target else "is a folder"):
        check_target(tmp_path / target)


def test_a_file_that_may_only_be_read_is_named_and_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the system says it; whoever runs the tests may be allowed to write everything."""
    there, opened = tmp_path / "r.json", Path.open
    there.write_text("there")

    def refuse(path: Path, mode: str = "r", *rest: Any, **named: Any) -> Any:
        if set(mode) & set("wax+"):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, mode, *rest, **named)

    check_target(there)
    check_folder(tmp_path, [there, tmp_path / "new.json"])
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PermissionError, match=r"r\.json"):
        check_target(there)
    with pytest.raises(PermissionError, match=r"r\.json"):
        check_folder(tmp_path, [tmp_path / "new.json", there])
    assert there.read_text() == "there"


def test_what_is_read_is_not_written_to_by_whatever_path(tmp_path: Path) -> None:
    weights, link = tmp_path / "w.npz", tmp_path / "link.npz"
    weights.write_bytes(b"weights")
    link.symlink_to(weights)
    for target in (
        weights,
        link,
        tmp_path / "." / "w.npz",
        tmp_path.parent / tmp_path.name / "w.npz",
    ):
        with pytest.raises(ValueError, match="must be another file: it is read from"):
            check_targets((None, target), (weights, None))
    check_targets((tmp_path / "r.json", tmp_path / "r.html"), (weights, None))
    assert weights.read_bytes() == b"weights"


def test_no_two_reports_are_one_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must be another file: it is written to already"):
        check_targets((tmp_path / "r", tmp_path / "r"), ())
    with pytest.raises(OSError, match="there is no folder"):
        check_targets((tmp_path / "no" / "r.json", None), ())


def test_a_folder_that_takes_no_file_is_said_before_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the name that was asked for; where a link leads, too. A file that is there needs none."""
    elsewhere, there = tmp_path / "elsewhere", tmp_path / "there.html"
    elsewhere.mkdir()
    (tmp_path / "link.html").symlink_to(elsewhere / "r.html")
    there.write_text("there")

    def refuse(dir: Path) -> Any:
        raise PermissionError(13, "Permission denied", str(dir / "tmpx1"))

    check_target(tmp_path / "r.html")
    check_target(tmp_path / "link.html")
    assert list(elsewhere.iterdir()) == []
    monkeypatch.setattr("rnnviz.experiment.targets.TemporaryFile", refuse)
    for name in ("r.html", "link.html"):
        with pytest.raises(PermissionError, match=rf"Permission denied: '.*/{name}'"):
            check_target(tmp_path / name)
    check_target(there)


def write(path: Path, text: str) -> None:
    with replacing(path) as file:
        file.write(text.encode())


@pytest.mark.parametrize("before", [None, "before"])
def test_a_file_is_written_whole_or_stays_as_it_was(tmp_path: Path, before: str | None) -> None:
    path = tmp_path / "r.json"
    if before is not None:
        path.write_text(before)

    def fail() -> None:
        with replacing(path) as file:
            file.write(b"half of it")
            file.flush()
            raise OSError(28, "the disk is full")

    with pytest.raises(OSError, match="full"):
        fail()
    assert [each.read_text() for each in tmp_path.iterdir()] == [before] * (before is not None)
    write(path, "after")
    assert [each.name for each in tmp_path.iterdir()] == ["r.json"]
    assert path.read_text() == "after"


def test_a_file_has_the_permissions_that_it_had_or_that_any_new_one_has(tmp_path: Path) -> None:
    path, new, usual = tmp_path / "r.json", tmp_path / "new.json", tmp_path / "usual"
    usual.touch()
    path.touch()
    path.chmod(0o640)
    write(path, "after")
    write(new, "new")
    assert path.stat().st_mode & 0o777 == 0o640
    assert new.stat().st_mode == usual.stat().st_mode


def test_a_link_leads_to_what_is_written(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("there.json", "new.json"):
        target, link = tmp_path / "folder" / name, tmp_path / name
        if name == "there.json":
            target.write_text("before")
        link.symlink_to(Path("folder") / name)
        write(link, "after")
        assert link.is_symlink()
        assert target.read_text() == "after"
    assert len(list((tmp_path / "folder").iterdir())) == 2


def test_what_is_no_regular_file_is_written_itself(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write(pipe, "through it")
    assert os.read(reading, 100) == b"through it"
    os.close(reading)
    assert pipe.is_fifo()


@pytest.mark.parametrize("links", ["/dev/fd", "/proc/self/fd"])
def test_a_file_that_a_process_has_open_stays_that_file(tmp_path: Path, links: str) -> None:
    path = tmp_path / "out.txt"
    with path.open("w+b") as opened:
        write(Path(links) / str(opened.fileno()), "to it")
        assert opened.read() == b"to it"
    assert path.read_text() == "to it"


def test_where_nothing_can_be_put_beside_a_file_or_in_its_place_it_is_written_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder that takes no file, and where the file is mounted."""

    def refuse(path: Path, _: Path) -> Path:
        raise OSError(16, "Device or resource busy", str(path))

    path = tmp_path / "r.json"
    path.write_text("before")
    inode = path.stat().st_ino
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda *_: False)
        write(path, "in a folder")
    assert path.read_text() == "in a folder"
    monkeypatch.setattr(Path, "replace", refuse)
    write(path, "mounted")
    assert path.read_text() == "mounted"
    assert path.stat().st_ino == inode
    assert [each.name for each in tmp_path.iterdir()] == ["r.json"]


def test_a_file_that_may_only_be_read_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, opened = tmp_path / "r.json", Path.open
    path.write_text("there")

    def refuse(path: Path, mode: str = "r", *rest: Any, **named: Any) -> Any:
        if path.name == "r.json":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, mode, *rest, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        with pytest.raises(PermissionError, match=r"r\.json"):
            write(path, "after")
    assert path.read_text() == "there"
