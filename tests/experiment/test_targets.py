"""Where something is to be written is looked at before it is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rnnviz.experiment.targets import check_folder, check_target, check_targets


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
