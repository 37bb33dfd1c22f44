"""What the server asks of its process, in a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

from rnnviz.dashboard.server import FILES, end_on_signals

resource = pytest.importorskip("resource")


def limited(*limits: tuple[int, int]) -> list[tuple[int, str]]:
    """The limit on open files after asking, and what was said, where so many were allowed: at once,
    and if one asks for more."""
    code = f"""
import contextlib, io, json, resource
from rnnviz.dashboard.server import allow_many_files
for limits in {limits}:
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    with contextlib.redirect_stderr(io.StringIO()) as said:
        allow_many_files()
    print(json.dumps((resource.getrlimit(resource.RLIMIT_NOFILE)[0], said.getvalue().strip())))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not done.stderr
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


def test_where_enough_are_allowed_nothing_is_said_else_how_many_the_system_allows() -> None:
    few = (
        600,
        "This process may have 600 files open, enough for about 150 visitors at once; "
        "a higher limit (ulimit -n) allows more.",
    )
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < FILES:
        assert limited((300, 600)) == [few]
        pytest.skip(f"this system allows {hard} open files")
    found = limited((300, hard), (FILES, hard), (300, 600))
    assert found == [(FILES, ""), (FILES, ""), few]


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
