"""What several train alike is kept once, and is what each of them has trained."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import pytest

from rnnviz.jobs.alike import Alike
from tests.dashboard.training_support import SMALL
from tests.jobs.support import same_training, trained

pytestmark = pytest.mark.trained


def test_two_who_train_the_same_have_it_once() -> None:
    alike = Alike()
    first, _kept = alike.shared(trained(SMALL, 30))
    own = trained(SMALL, 5, trained(SMALL, 3))
    own = trained(SMALL, 20, own)
    second, _ = alike.shared(own)
    assert same_training(second, own)
    common = first.parts.keys() & second.parts.keys()
    assert sum(second.parts[part] for part in common) > 0.9 * sum(second.parts.values())
    assert not own.parts.keys() & first.parts.keys()
    assert same_training(trained(SMALL, 30, second), first)


def test_what_is_shared_already_stays_the_same_run() -> None:
    alike = Alike()
    run, _kept = alike.shared(trained(SMALL, 12))
    assert alike.shared(run)[0] is run


def test_other_experiments_share_nothing() -> None:
    alike = Alike()
    one, _kept = alike.shared(trained(SMALL, 12))
    other, _ = alike.shared(trained(replace(SMALL, seed=7), 12))
    assert not one.parts.keys() & other.parts.keys()


def test_what_nobody_has_any_more_is_gone() -> None:
    alike = Alike()
    run, kept = alike.shared(trained(SMALL, 12))
    record = weakref.ref(next(iter(run.trainees.values())).history.last)
    del run
    gc.collect()
    assert record() is None
    shelves = weakref.ref(kept)
    del kept
    gc.collect()
    assert shelves() is None
