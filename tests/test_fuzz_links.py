"""A hundred links that nobody would make; `python -m tests.fuzz_links` opens a thousand."""

from __future__ import annotations

import subprocess
import sys

import pytest

PARTS, LINKS = 2, 50


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_no_link_hurts(part: int) -> None:
    command = [sys.executable, "-m", "tests.fuzz_links", "--count", str(LINKS),
               "--first", str(part * LINKS)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout
