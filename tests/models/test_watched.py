"""What was seen of a module and saved comes to the run that autograd computed, without PyTorch."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from rnnviz.analysis.remarks import Remark
from rnnviz.analysis.selfcheck.checks import GRADIENT, trust
from rnnviz.models import read_runs
from rnnviz.models.saved_runs import read_passages
from rnnviz.models.watched import Passage, torch_grads, unpacked
from rnnviz.views import gates, gradient_flow, spectrum
from tests.models.golden import FOLDER, beginning

EXACT = {"rtol": 1e-10, "atol": 1e-13}
CASES = ("packed", "dropout", "cells")


@pytest.fixture(scope="module")
def expected() -> dict[str, np.ndarray]:
    with np.load(FOLDER / "watched_expected.npz") as file:
        return dict(file)


def saved(case: str) -> Passage:
    (one,) = read_passages(FOLDER / f"watched_{case}.npz").values()
    return one


@pytest.mark.parametrize("case", CASES)
def test_gradients_of_all_weights_are_autograds(case: str, expected: dict[str, np.ndarray]) -> None:
    """Also where a mask stands between layers, and where a loss reads c at every step."""
    one = saved(case)
    assert one.deviation < 1e-13
    theirs, ours = beginning(expected, f"{case}.grad."), torch_grads(one.trace)
    assert set(theirs) == set(ours)
    for name, value in theirs.items():
        assert_allclose(ours[name], value, **EXACT, err_msg=name)
    shapes = one.trace.network.param_shapes()
    assert {name: value.shape for name, value in one.trace.params.items()} == shapes


def test_gradients_enter_at_each_sequences_own_last_step(expected: dict[str, np.ndarray]) -> None:
    """Of the reverse direction at its first: every state's gradient at every step is autograd's."""
    trace = saved("packed").trace
    for name, theirs in beginning(expected, "packed.state.").items():
        layer, d, b = map(int, name.split("."))
        one = trace.layers[layer][d]
        steps = slice(1, len(theirs) + 1)
        assert_allclose(one.d_h[steps, :, b], theirs[:, 0], **EXACT, err_msg=name)
        assert one.d_c is not None
        assert_allclose(one.d_c[steps, :, b], theirs[:, 1], **EXACT, err_msg=name)


def test_packed_sequences_in_the_order_before_they_were_sorted(
    expected: dict[str, np.ndarray],
) -> None:
    e = beginning(expected, "packed.")
    x, lengths = unpacked(e["data"], e["sizes"], e["unsorted"])
    assert_array_equal(x, e["padded"].transpose(0, 2, 1))
    assert lengths.tolist() == [2, 5, 1, 3]
    x, lengths = unpacked(e["data"], e["sizes"], None)
    assert lengths.tolist() == [5, 3, 2, 1]
    assert_array_equal(x[..., e["unsorted"]], e["padded"].transpose(0, 2, 1))


@pytest.mark.parametrize("case", CASES)
def test_it_is_a_run_like_any_other(case: str) -> None:
    """Every page says something of it, and the checks of a run hold."""
    (run,) = read_runs(FOLDER / f"watched_{case}.npz").values()
    (label,) = run
    assert label == ("gru" if case == "dropout" else "lstm")
    checked = trust(run[label], run.batch, label)
    assert (checked.passed, checked.failed) == (True, False)
    said = checked.check(GRADIENT)
    assert said is not None
    assert said.reason == Remark("loss_of_ones_own")
    for page in (gradient_flow, spectrum, gates):
        assert list(page.pictures(page.view(run)))  # type: ignore[attr-defined]


def test_its_batch_says_at_which_steps_of_the_input_an_error_enters() -> None:
    """Also for the direction that reads from the end, whose steps are in its own order."""
    one = saved("packed")
    last = one.parts[0]
    assert last.d_output is not None
    d_output = np.zeros_like(last.d_output)
    d_output[0] = 1
    part = replace(last, d_output=d_output, d_h=None, d_c=None)
    mask = replace(one, parts=(part,)).run.batch.mask
    assert mask[0].all()
    assert not mask[1:].any()


def test_another_forward_is_refused() -> None:
    """The first steps tell: a module that computes something else is not drawn as if it did not."""
    one = saved("cells")
    other = replace(one, parts=(replace(one.parts[0], output=one.parts[0].output * 1.01),))
    with pytest.raises(ValueError, match=r"output at step 1 differs by .* forward of its"):
        other.trace  # noqa: B018
    later = one.parts[0].output.copy()
    later[3:] += 0.1
    assert replace(one, parts=(replace(one.parts[0], output=later),)).deviation == pytest.approx(
        0.1
    )


def test_a_first_step_of_the_reverse_direction_tells_too() -> None:
    one = saved("packed")
    output = one.parts[0].output.copy()
    output[1, 4:, 0] += 0.1  # the last step of the first sequence, h of the reverse direction
    with pytest.raises(ValueError, match=r"step 1 differs by 0\.1"):
        replace(one, parts=(replace(one.parts[0], output=output),)).trace  # noqa: B018


def changed(**arrays: Any) -> bytes:
    """The saved cells with some arrays changed, None for left out."""
    with np.load(FOLDER / "watched_cells.npz") as file:
        mixed = {**file, **{name.replace("__", "/"): value for name, value in arrays.items()}}
    stream = io.BytesIO()
    np.savez(stream, **{name: value for name, value in mixed.items() if value is not None})
    return stream.getvalue()


def about(change: Callable[[dict[str, Any]], Any]) -> np.ndarray:
    """The saved description, changed."""
    with np.load(FOLDER / "watched_cells.npz") as file:
        said = json.loads(str(file["about"]))
    change(said)
    return np.array(json.dumps(said))


HOSTILE: dict[str, tuple[dict[str, Any], str]] = {
    "no description": ({"about": None}, "must hold rnnviz watched runs, got arrays without"),
    "no JSON": ({"about": np.array("{")}, "must hold rnnviz watched runs"),
    "newer": ({"about": about(lambda a: a.update(version=2))}, r"of version 1, got .* version 2"),
    "other": ({"about": about(lambda a: a.update(format="x"))}, "got 'x' of version 1"),
    "no list": ({"about": about(lambda a: a.update(modules=3))}, "modules must be a list"),
    "none": (
        {"about": about(lambda a: a.update(modules=[]))},
        "a module that a backward pass went through, it holds none: nothing was seen",
    ),
    "no name": (
        {"about": about(lambda a: a["modules"][0].pop("name"))},
        "name of its own, got None",
    ),
    "no cell": (
        {"about": about(lambda a: a["modules"][0].update(kind="x"))},
        "kind must be one of",
    ),
    "many parts": ({"about": about(lambda a: a["modules"][0].update(parts=9**9))}, "parts must be"),
    "no layout": (
        {"about": about(lambda a: a["modules"][0].update(batch_first=3))},
        "batch_first must be one of True, False, None, got '3'",
    ),
    "no share": (
        {"about": about(lambda a: a["modules"][0].update(dropout=2))},
        "dropout must be a finite number from 0 to 1, got 2",
    ),
    "no calls": (
        {"about": about(lambda a: a["modules"][0].update(calls=0))},
        "calls must be an integer of at least 1, got 0",
    ),
    "no dtype": ({"about": about(lambda a: a["modules"][0].update(dtype=[]))}, "dtype must be one"),
    "no x": ({"0__0__x": None}, "the file must hold 0/0/x, it does not"),
    "more": ({"0__0__y": np.ones(2)}, "arrays must be among x, output, .* got 'y'"),
    "no steps": ({"0__0__x": np.ones((5, 3))}, "x must have shape"),
    "other units": ({"0__0__weights__weight_hh": np.ones((4, 1))}, "weight_"),
    "not finite": ({"0__0__x": np.full((6, 3, 3), np.nan)}, "x must be finite"),
    "other output": ({"0__0__output": np.ones((6, 2, 3))}, "output must have shape"),
    "other gradients": ({"0__0__d_output": np.ones((6, 2, 3))}, "must have shape"),
    "other ends": ({"0__0__d_c": np.ones((1, 6, 4))}, "must have shape"),
    "other lengths": ({"0__0__lengths": np.array([9, 9, 9])}, "lengths must be"),
}


@pytest.mark.parametrize(("arrays", "message"), HOSTILE.values(), ids=HOSTILE)
def test_what_does_not_fit_is_named(arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_runs(changed(**arrays))
