"""Answers that wait for the server's interpreter: a worker that is free makes them, and they are
the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import copy_context
from threading import Lock, Thread
from typing import Any

import pytest
import streamlit as st

from rnnviz.dashboard import compute, frames, jobs, lending
from rnnviz.dashboard.asked import Asked
from rnnviz.experiment import Experiment
from rnnviz.jobs.workers import NotKnownHere, Workers
from rnnviz.views import gates, gradient_flow, spectrum

SMALL = Experiment(("rnn", "lstm"), seq_len=12, hidden_size=4, batch_size=4, gain=1.37)
FLOW = gradient_flow.Choices()
CHOICES = {"flow": FLOW, "spectrum": spectrum.Choices(), "gates": gates.Choices()}


@pytest.fixture(scope="module")
def processes() -> Iterator[Workers]:
    workers = Workers(1)
    yield workers
    workers.stop()


@pytest.fixture(autouse=True)
def worker(processes: Workers, monkeypatch: pytest.MonkeyPatch) -> Workers:
    monkeypatch.setattr(jobs, "workers", lambda: processes)
    st.cache_resource.clear()
    return processes


@pytest.fixture
def used() -> Lock:
    """The interpreter, while another answer is made in it."""
    lock = Lock()
    lock.acquire()
    return lock


def asked(page: str = "flow") -> Asked:
    return Asked(SMALL, CHOICES[page], language="zh")


def made(what: Asked) -> object:
    """In its language, which is left as it was."""
    return copy_context().run(frames.frames, what)


def runs_here() -> bool:
    """Whether the run was made in this process."""
    return compute.memory().holds(SMALL)


@pytest.mark.parametrize("page", CHOICES)
def test_what_is_lent_is_what_would_be_made_here(page: str, used: Lock) -> None:
    with lending.answering(used, checked=True):
        lent = made(asked(page)), compute.quick_checks(SMALL)
    assert not runs_here()
    st.cache_resource.clear()
    assert (made(asked(page)), compute.quick_checks(SMALL)) == lent
    assert runs_here()


def test_an_answer_that_comes_alone_is_made_here() -> None:
    interpreter = Lock()
    with lending.answering(interpreter, checked=True):
        assert interpreter.locked()
        made(asked())
    assert runs_here()
    assert not interpreter.locked()


def waits_for(interpreter: Lock, answer: Any) -> None:
    """Asserts that the answer is made when the interpreter is free, and no sooner."""
    made: list[object] = []
    thread = Thread(target=lambda: made.append(answer()))
    thread.start()
    thread.join(0.2)
    assert not made
    interpreter.release()
    thread.join()
    assert made
    assert not interpreter.locked()


def in_turn(interpreter: Lock, what: Asked | None = None) -> object:
    with lending.answering(interpreter, checked=False):
        return made(what or asked())


@pytest.mark.parametrize("why", ["none is free", "it does not know what it is of", "none"])
def test_what_is_not_lent_is_made_here_in_its_turn(
    why: str, used: Lock, worker: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_known(*_: object, **__: object) -> object:
        raise NotKnownHere

    if why == "none":
        monkeypatch.setattr(jobs, "workers", lambda: None)
    elif why == "none is free":
        monkeypatch.setattr(Workers, "idle", 0)
    else:
        monkeypatch.setattr(worker, "do", not_known)
    waits_for(used, lambda: in_turn(used))
    assert runs_here()


def test_what_is_beside_another_run_is_made_here_in_its_turn(used: Lock) -> None:
    both = Asked(SMALL, FLOW, pinned=Experiment(("rnn",), seq_len=6, hidden_size=4))
    waits_for(used, lambda: in_turn(used, both))


def test_a_worker_is_idle_while_it_has_nothing_to_do(worker: Workers) -> None:
    assert worker.idle == 1
    call = worker.begin(sorted, [2, 1])
    assert worker.idle == 0
    assert worker.result(call) == [1, 2]


def test_no_process_begins_for_what_is_not_lent(monkeypatch: pytest.MonkeyPatch) -> None:
    def begun() -> Workers:
        raise AssertionError("a process began")

    monkeypatch.setattr(jobs, "workers", begun)
    made(asked())
    with lending.answering(Lock(), checked=True):
        made(asked("gates"))
    assert runs_here()
