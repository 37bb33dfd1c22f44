"""Fifteen links that nobody would make; `python -m tests.fuzz_links` opens a thousand."""

from __future__ import annotations

import subprocess
import sys

import pytest

LINKS = 15


@pytest.mark.slow
def test_no_link_hurts() -> None:
    command = [sys.executable, "-m", "tests.fuzz_links", "--count", str(LINKS)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout
