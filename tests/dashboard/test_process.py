"""What the server asks of its process, in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from rnnviz.dashboard.server import FILES, end_on_signals

resource = pytest.importorskip("resource")


def limited(soft: int, hard: int) -> tuple[int, str]:
    """The limit on open files after asking, and what was said, where this much was allowed."""
    code = f"""
import resource
from rnnviz.dashboard.server import allow_many_files
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
allow_many_files()
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout), done.stderr.strip()


def test_as_many_files_as_the_system_allows() -> None:
    assert limited(300, 600) == (
        600,
        "This process may have 600 files open, enough for about 150 visitors at once; "
        "a higher limit (ulimit -n) allows more.",
    )


def test_where_enough_are_allowed_nothing_is_said() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < FILES:
        pytest.skip(f"this system allows {hard} open files")
    assert limited(300, hard) == (FILES, "")
    assert limited(FILES, hard) == (FILES, "")


class Uvicorn:
    """As much of its server as hears signals."""

    def __init__(self) -> None:
        self.should_exit, self.raised = False, False

    def handle_exit(self, number: int, frame: object) -> None:
        self.raised = True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_ends_and_is_not_raised_again(number: signal.Signals) -> None:
    server = Uvicorn()
    before = signal.signal(number, server.handle_exit)
    try:
        end_on_signals()
        signal.raise_signal(number)
        assert (server.should_exit, server.raised) == (True, False)
        signal.raise_signal(number)
        assert server.raised
    finally:
        signal.signal(number, before)


def test_signals_of_others_stay_as_they_are() -> None:
    before = signal.getsignal(signal.SIGINT)
    end_on_signals()
    assert signal.getsignal(signal.SIGINT) is before
