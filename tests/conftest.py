"""Settings for all tests: properties are drawn from fixed seeds and have no deadline; a test that
trains says so."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import settings

from rnnviz.training import trainer

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")
MAIN = sys.modules["__main__"]


class Watched(dict[str, Any]):
    """The optimizers, and whether one was asked for."""

    used = False

    def __getitem__(self, name: str) -> Any:
        self.used = True
        return super().__getitem__(name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow ones first: at the end no core waits for the last of another."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """Modules and thousands of tests stay to the end: the garbage collector need not look through
    them again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _main_module() -> Iterator[None]:
    """A page that is run in this process, by a test or for several of them, leaves its script as
    `__main__`, and whatever starts processes of its own later would run it in each of them."""
    sys.modules["__main__"] = MAIN
    yield
    sys.modules["__main__"] = MAIN


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """A test that trains without the mark would be left out of tests/kernels.sh."""
    watched = Watched(trainer.OPTIMIZERS)
    with patch.object(trainer, "OPTIMIZERS", watched):
        yield
    if watched.used and item.get_closest_marker("trained") is None:
        pytest.fail("this test trains a network: mark it with @pytest.mark.trained", pytrace=False)
