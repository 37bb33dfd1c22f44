"""The chain above the curves of Gradient flow says what the analysis has found, and no more."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from rnnviz import Experiment, run
from rnnviz.analysis import limits
from rnnviz.analysis.step_factors import step_factors
from rnnviz.core.network import run_network
from rnnviz.core.numerics import Array
from rnnviz.core.truncation import truncated_backward
from rnnviz.experiment import Run, plan
from rnnviz.views import flow_chain, gradient_flow
from rnnviz.views.flow_chain import HIGH, LATER, NODES, UNASKED, Chain
from rnnviz.views.gradient_flow import Choices, View, chain_data
from rnnviz.views.picture import Picture
from rnnviz.wording.texts import say

SMALL = Experiment(("rnn", "lstm", "gru"), seq_len=12, hidden_size=4, batch_size=3)
HALF = 0.5 * 10.0**-flow_chain.DIGITS + 1e-12
"""What rounding leaves."""


def viewed(experiment: Experiment, model: str, **more: Any) -> View:
    return gradient_flow.view(run(experiment), Choices(chain=model, **more))


def chain_of(experiment: Experiment, model: str, **more: Any) -> Chain:
    found = viewed(experiment, model, **more).chain
    assert found is not None
    return found


def array(values: Any) -> Array:
    return np.array([np.nan if value is None else value for value in values])


def alike(values: Any, wanted: Array) -> None:
    np.testing.assert_allclose(array(values), wanted, rtol=0, atol=HALF)


@pytest.mark.parametrize("model", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("loss_at", ["last", "every"])
def test_every_number_is_that_of_the_analysis(model: str, loss_at: str) -> None:
    experiment = replace(SMALL, loss_at=loss_at)
    chain, trace = chain_of(experiment, model), run(experiment)[model].layers[0][0]
    split = step_factors(trace, model)
    flow = viewed(experiment, model).flows[experiment.models.index(model)]
    assert chain.steps == tuple(range(1, 13))
    assert (chain.start, chain.each, chain.missing) == (11, 1, "")
    alike(chain.decades, flow.state.log10[1:] - flow.state.log10[12])
    alike(chain.change, split.change[1:])
    assert chain.kind == ("shares" if split.shares else "factors")
    wanted = split.shares or split.factors
    assert chain.parts is not None
    assert set(chain.parts) == {n for n, v in wanted.items() if np.nan_to_num(v[1:]).any()}
    for name, values in chain.parts.items():
        alike(values, wanted[name][1:])
    total = sum(array(values) for values in chain.parts.values())
    goal = np.ones(11) if split.shares else array(chain.change)
    np.testing.assert_allclose(total, goal, atol=len(chain.parts) * 2 * HALF)


@pytest.mark.parametrize(("shown", "pinned"), [(20, 50), (50, 20)])
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_its_axis_of_time_is_the_curves_beside_a_pinned_run_of_another_length(
    shown: int, pinned: int, direction: str
) -> None:
    runs = [run(replace(SMALL, seq_len=T, bidirectional="yes")) for T in (shown, pinned)]
    view = gradient_flow.view(runs[0], Choices(chain="rnn", direction=direction), runs[1])
    picture = gradient_flow.quantity_picture(view, "state", "how")
    x_range = picture.drawing["layout"]["xaxis"]["range"]
    assert tuple(chain_data(view)["x"]) == tuple(x_range)
    assert 50 <= max(x_range) < 51


DEAD = Experiment(models=("rnn",), seq_len=8, hidden_size=1, batch_size=1, activation="relu",
                  loss_at="every")  # fmt: skip
"""Its only unit is off at some steps, where a loss sends new error in."""


@pytest.mark.parametrize("experiment", [DEAD, replace(DEAD, activation="tanh", gain=0.0)])
def test_where_nothing_passes_no_factors_are_said_to_make_the_change(
    experiment: Experiment,
) -> None:
    """Of a factor of exactly 0 and of what enters there is no product."""
    chain, trace = chain_of(experiment, "rnn"), run(experiment)["rnn"].trace
    sent = trace.params["W_hh"].T @ trace.d_gates["a"]
    none = ~sent[1:].any(axis=(1, 2))
    assert none.any()
    assert chain.refilled == tuple(none.astype(int).tolist())
    assert None not in chain.change
    for values in (chain.parts or {}).values():
        assert [value is None for value in values] == none.tolist()
    total = sum((array(values) for values in (chain.parts or {}).values()), np.zeros(7))
    alike(array(chain.change)[~none], total[~none])
    assert chain.data((-3, 3))["refilled"] == chain.refilled


def test_a_mean_over_steps_of_which_one_passes_nothing_has_no_factors() -> None:
    experiment = replace(DEAD, seq_len=300)
    chain = chain_of(experiment, "rnn")
    split = step_factors(run(experiment)["rnn"].trace, "rnn")
    counts = [int(part.sum()) for part in np.split(split.refilled[1:], range(3, 299, 3))]
    assert chain.refilled == tuple(counts)
    assert 0 < np.count_nonzero(counts) < len(counts)
    for values in (chain.parts or {}).values():
        assert all(v is None for v, count in zip(values, counts, strict=True) if count)
    for model in ("lstm", "gru"):
        shares = chain_of(replace(SMALL, models=(model,), loss_at="every"), model)
        assert set(shares.refilled) == {0}


@pytest.mark.parametrize(("seq_len", "name"), [(8, "said_refilled"), (300, "said_mean_refilled")])
def test_the_browser_has_the_sentence_of_such_a_step(seq_len: int, name: str) -> None:
    assert chain_of(replace(DEAD, seq_len=seq_len), "rnn").refilled
    assert "Nothing passes" in flow_chain.words()[name]
    assert "just entered" in flow_chain.words()[name]


def test_why_draws_no_bars_where_nothing_passes_and_says_so() -> None:
    for experiment, wanted in ((DEAD, True), (replace(SMALL, models=("rnn",)), False)):
        view = viewed(experiment, "rnn", why=True)
        (split,) = view.splits
        items = {item.key: item for item in gradient_flow.pictures(view)}
        picture = items["step-factors"]
        assert isinstance(picture, Picture)
        assert ("nothing passes there" in picture.how) is wanted
        data = picture.drawing["data"]
        stacked = np.array([[np.nan if v is None else v for v in p["y"]] for p in data])
        np.testing.assert_allclose(stacked[-1], split.change[1:], atol=1e-3)
        total = np.where(split.refilled[1:], np.nan, split.change[1:])
        np.testing.assert_allclose(stacked[:-1].sum(axis=0), total, atol=5e-3)
        assert np.isnan(stacked[:-1][:, split.refilled[1:]]).all()


def test_of_a_long_run_a_node_is_some_steps_and_says_their_mean() -> None:
    experiment = replace(SMALL, models=("rnn",), seq_len=300)
    chain = chain_of(experiment, "rnn")
    assert chain.each == -(-300 // NODES) == 3
    assert chain.steps == (*range(1, 300, 3), 300)
    split = step_factors(run(experiment)["rnn"].layers[0][0], "rnn")
    change = split.change[1:]
    alike(chain.change, np.array([part.mean() for part in np.split(change, range(3, 299, 3))]))
    assert "One node = 3 steps." in flow_chain.hint(chain.each)
    assert "One node" not in flow_chain.hint(1)


@pytest.mark.parametrize("seq_len", [2, 3, NODES, NODES + 1, 1999, 5000])
def test_any_length_has_a_chain_that_json_can_hold(seq_len: int) -> None:
    experiment = Experiment(("rnn",), seq_len=seq_len, hidden_size=2, batch_size=1)
    view = viewed(experiment, "rnn")
    data = json.loads(json.dumps(chain_data(view), allow_nan=False, default=dict))
    assert data["steps"][0] == 1
    assert data["steps"][-1] == seq_len
    assert len(data["steps"]) <= NODES + 1
    assert len(data["decades"]) == len(data["marks"]) == len(data["steps"])
    assert len(data["change"]) == len(data["steps"]) - 1
    assert data["decades"][-1] == 0


def test_what_is_no_number_is_called_what_it_is() -> None:
    dies = chain_of(replace(SMALL, models=("rnn",), init="delay_line", seq_len=30), "rnn")
    assert (dies.marks[0], dies.decades[0], dies.change[0]) == ("zero", None, None)
    assert dies.marks[-1] == ""
    wild = replace(SMALL, models=("rnn",), activation="identity", gain=16.0, seq_len=600)
    assert set(chain_of(wild, "rnn").marks) == {"nan"}
    small = replace(SMALL, models=("rnn",), gain=0.01, seq_len=500)
    below = chain_of(small, "rnn")
    assert below.marks[0] == "below"
    assert below.decades[0] is not None
    large = replace(wild, init="orthogonal", input_scale=0.0, distractor=0.0)
    above = chain_of(large, "rnn")
    assert above.marks[0] == "above"
    assert (above.decades[0] or 0) > 300
    for name in {*flow_chain.MARKS.values(), flow_chain.INFINITE, LATER, UNASKED}:
        assert flow_chain.words()[name]


def test_the_layer_that_reads_from_the_end_is_the_mirror_image() -> None:
    experiment = replace(SMALL, bidirectional="yes", layers=2)
    chain = chain_of(experiment, "lstm", direction="backward", layer="1")
    assert chain.label.endswith("layer 1 ←")
    assert chain.steps == tuple(range(12, 0, -1))
    alike(chain.decades[-1:], np.zeros(1))
    trace = run(experiment)["lstm"].layers[0][1]
    alike(chain.change, step_factors(trace, "").change[1:])


def test_while_a_knob_moves_costly_shares_wait_and_cheap_factors_do_not() -> None:
    gated = chain_of(SMALL, "lstm", moving=True)
    assert (gated.missing, gated.parts) == (LATER, {})
    alike(gated.change, array(chain_of(SMALL, "lstm").change))
    assert chain_of(SMALL, "rnn", moving=True).parts == chain_of(SMALL, "rnn").parts


def test_shares_that_take_long_are_those_of_the_panels_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    long = Experiment(("lstm",), seq_len=2000, hidden_size=64, batch_size=16)
    cell = plan(long).networks["lstm"].cells[0]
    assert limits.paths_cost(cell, 2000, 16).seconds > flow_chain.SECONDS
    assert limits.paths_cost(cell, 100, 16).seconds < flow_chain.SECONDS / 2
    monkeypatch.setattr(flow_chain, "SECONDS", 0.0)
    assert (chain_of(SMALL, "gru").missing, chain_of(SMALL, "gru").parts) == (UNASKED, {})
    assert chain_of(SMALL, "rnn").missing == ""
    asked = chain_of(SMALL, "gru", why=True)
    assert asked.missing == ""
    assert asked.parts


def test_a_truncated_pass_is_refused_as_the_panels_refuse_it() -> None:
    made = plan(replace(SMALL, models=("rnn",)))
    cut = partial(truncated_backward, window=4)
    trace = run_network(made.networks["rnn"], made.init_params("rnn"), made.batch, cut)
    short = Run({"rnn": trace}, made.batch)
    view = gradient_flow.view(short, Choices(chain="rnn", why=True))
    assert view.chain is not None
    assert view.chain.refusal == say("gradient_flow", "why_truncated", name="RNN", window="4 steps")
    assert view.chain.refusal in view.warnings
    assert (view.chain.steps, view.chain.parts) == ((), None)
    json.dumps(chain_data(view), allow_nan=False, default=dict)


def test_a_model_that_is_gone_gives_way_to_the_first_and_none_is_none() -> None:
    assert flow_chain.chosen(("rnn", "lstm"), "lstm") == "lstm"
    assert flow_chain.chosen(("rnn", "lstm"), "gru") == "rnn"
    assert flow_chain.chosen(("rnn", "lstm"), "") == "rnn"
    assert flow_chain.chosen(("rnn", "lstm"), flow_chain.NONE) == ""
    assert viewed(SMALL, "").chain is None
    assert chain_of(SMALL, "lstm:forget_bias=9").label == "rnn"


def test_the_curves_make_room_for_it() -> None:
    def height(model: str) -> int:
        items = gradient_flow.pictures(viewed(SMALL, model))
        return next(item.height for item in items if item.key == "flow-state")

    assert height("") - height("rnn") == HIGH <= 70
