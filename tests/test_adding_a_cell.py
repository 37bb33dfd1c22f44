"""Whoever follows the README's "Add to it: A cell" gets a cell that is right and that every page
opens with, without touching anything else."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

import numpy as np
import pytest

from rnnviz import Experiment, Model, from_query, run
from rnnviz.analysis.selfcheck.checks import DETERMINANT, NAMES, trust
from rnnviz.core import CELLS
from rnnviz.dashboard.main import ALONE, PAGES
from rnnviz.experiment.plan import make_batch
from tests.core.mutants import CAUGHT, TOLERANCE
from tests.core.support import Problem, entry_error, problem_of
from tests.dashboard.support import (
    assert_sound,
    change,
    charts,
    short_slices,
    visit,
    widget_key,
)
from tests.toycell import ALGEBRAIC, Leaky

WITH_RUNS = [path for path in PAGES if path not in ALONE]
KINDS = tuple(CELLS)
SMALL = {"models": "leaky,rnn", "seq_len": "8", "hidden_size": "5", "batch_size": "3"}
FORMS = (Leaky(2, 3), Leaky(2, 3, skip=2))
SLIGHT = {"view_draws": "3", "view_cells": "coarse"}


@pytest.fixture
def leaky(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The one line of the README that is not in the cell's own file, taken back afterwards."""
    with monkeypatch.context() as patch:
        patch.setitem(CELLS, "leaky", Leaky)
        yield
    assert tuple(CELLS) == KINDS


def problem(cell: Leaky) -> Problem:
    return problem_of(cell, T=5, B=2, seed=3)


@pytest.mark.parametrize("cell", FORMS, ids=str)
def test_every_gradient_is_that_of_the_complex_step(cell: Leaky) -> None:
    assert entry_error(problem(cell)) <= TOLERANCE


def test_a_forgotten_factor_is_caught() -> None:
    class Forgetful(Leaky):
        def local_derivatives(self, record, start, stop, d_a, s):  # type: ignore[no-untyped-def]
            super().local_derivatives(record, start, stop, d_a, s)
            s[...] = 1

    assert entry_error(problem(Forgetful(2, 3))) > CAUGHT


@pytest.mark.trained
@pytest.mark.usefixtures("leaky")
@pytest.mark.parametrize(
    ("page", "models"), [*zip(WITH_RUNS, cycle(["leaky", "leaky,rnn"]), strict=False)]
)
def test_every_page_opens_with_everything_on_it(
    page: str, models: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_slices(monkeypatch)
    app = visit(page, {**SMALL, **SLIGHT, "models": models, "view_theory": "True"})
    app = change(app, **{f"open-{part.label}": True for part in app.expander})
    assert not app.exception
    assert charts(app)
    if page in ("gradient-flow", "spectrum", "gates"):
        assert_sound(app)


@pytest.mark.usefixtures("leaky")
@pytest.mark.parametrize("model", ["leaky", "leaky:skip=3", "leaky:layers=2,bidirectional=yes"])
def test_its_run_checks_itself(model: str) -> None:
    experiment = Experiment(models=(model,), seq_len=12, hidden_size=6, batch_size=3)
    found = trust(run(experiment)[model], make_batch(experiment), model)
    made = {check.name for check in found.checks if check.passed}
    assert made == {*NAMES} - {DETERMINANT}
    assert not found.failed


@pytest.mark.usefixtures("leaky")
def test_its_equations_are_shown() -> None:
    app = visit("gradient-flow", SMALL)
    assert "Leaky" in app.pills(key=widget_key(app, "models")).options
    app = change(app, **{"open-Equations of the Leaky and their gradients": True})
    assert not app.exception
    written = next(box.value for box in app.markdown if "φ(a) = a / √(1 + a²)" in box.value)
    assert "[[" not in written


@pytest.mark.usefixtures("leaky")
def test_it_has_the_settings_that_it_declares() -> None:
    biased = Model("leaky:memory_bias=1,gate_init=chrono")
    assert from_query({"models": biased.label})[0].models == (biased,)
    for unknown in ("variant", "leak", "forget_bias"):
        with pytest.raises(ValueError, match=unknown):
            Model(f"leaky:{unknown}=1")
    trace = run(Experiment(models=("leaky:memory_bias=2",), seq_len=5, hidden_size=4))
    np.testing.assert_array_equal(
        trace["leaky:memory_bias=2"].trace.params["b_h"], [2] * 4 + [0] * 4
    )


def test_its_slope_is_its_own() -> None:
    assert Leaky(2, 3).activation_of("g") is ALGEBRAIC


def test_nobody_knows_it_afterwards() -> None:
    with pytest.raises(ValueError, match="must be one of rnn, lstm, gru"):
        Model("leaky")
