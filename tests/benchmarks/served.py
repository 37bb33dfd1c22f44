"""A server of its own for benchmarks, and what it and the processes it started have taken."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.browser.support import ROOT, free_port, wait_healthy


class Served(NamedTuple):
    """address: with its base path."""

    address: str
    pid: int

    def cpu(self) -> float:
        """Seconds of all its processes that live."""
        return sum(map(_cpu, self.pids()))

    def memory(self) -> float:
        """MB of 2^20 bytes, what processes share counted once (PSS)."""
        return sum(_pss(pid) for pid in self.pids()) / 1024

    def files(self) -> int:
        return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in self.pids())

    def pids(self) -> list[int]:
        parents = {int(p.name): _parent(p) for p in Path("/proc").iterdir() if p.name.isdigit()}
        found = [self.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found


@contextmanager
def served(base: str = "", log: Path | None = None, **more: str) -> Iterator[Served]:
    """Run app.py. base: the path that it is mounted under; log: where its output goes; more:
    environment variables."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true",
               f"--server.port={port}", "--server.address=127.0.0.1",
               f"--server.baseUrlPath={base}"]  # fmt: skip
    output = os.open(log or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=output, stderr=output, env={**os.environ, **more}
    )
    os.close(output)
    try:
        yield Served(wait_healthy(f"http://127.0.0.1:{port}{base}", process), process.pid)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _cpu(pid: int) -> float:
    """Seconds of all threads of a process, those that have ended too: its own clock."""
    try:
        return time.clock_gettime(~pid << 3 | 2)
    except OSError:  # it has ended
        return 0.0


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0
