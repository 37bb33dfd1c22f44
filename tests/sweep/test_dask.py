"""A sweep on a real Dask cluster on this machine."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from rnnviz.experiment import Experiment
from rnnviz.sweep import sweep
from rnnviz.sweep.pool import Jobs, ThisProcess
from tests.sweep.test_grid import numbers
from tests.sweep.work import lost, ones, square_or_die

OPTIONAL = "Dask is optional: pip install distributed"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("distributed") is None, reason=OPTIONAL),
]

RNN = Experiment(("rnn",), seq_len=40, hidden_size=16)  # type: ignore[arg-type]
OVER = {"gain": [0.5, 1.0, 1.5, 2.0], "seq_len": list(range(300, 320))}


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Two worker processes; a job that killed its worker is not sent to another by Dask."""
    import distributed
    from dask import config

    quiet = {
        "distributed.scheduler.allowed-failures": 0,
        "distributed.logging.distributed": "CRITICAL",
    }
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True}
    with (
        config.set(quiet),
        distributed.LocalCluster(**options, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as found,
    ):
        yield found


def test_it_finds_what_this_process_finds(client: Any) -> None:
    over = {"gain": [0.5, 2.0], "seq_len": [5, 9]}
    executor = client.get_executor(pure=False)
    assert numbers(sweep(RNN, over, executor=executor)) == numbers(
        sweep(RNN, over, executor=ThisProcess())
    )


def test_a_killed_worker_loses_nothing(client: Any) -> None:
    results = sweep(RNN, OVER, executor=client.get_executor(pure=False))
    found = [next(results)]
    os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
    found += results
    assert len({r.key for r in found}) == len(found) == 80
    assert [r.message for r in found if r.message] == []


def test_a_job_that_kills_its_worker_is_told_and_takes_no_other_with_it(client: Any) -> None:
    jobs = Jobs(square_or_die, lost, client.get_executor(pure=False))
    found = list(jobs.results(ones(range(6))))
    assert sorted(r for r in found if isinstance(r, int)) == [0, 1, 4, 16, 25]
    ((item, why),) = [r for r in found if isinstance(r, tuple)]
    assert item == 3
    assert "KilledWorker" in why
