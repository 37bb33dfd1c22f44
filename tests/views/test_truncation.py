"""What the Train page says of truncation in stacks and directions, and that it is so."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from rnnviz import Experiment
from rnnviz.core import Trace, backward, bptt
from rnnviz.core.network import run_network
from rnnviz.core.truncation import truncated_backward
from rnnviz.experiment import Run, plan
from rnnviz.jobs.training import begin
from rnnviz.views import gradient_flow
from rnnviz.views.train import first_screen, view

BASE = {"models": ("rnn",), "seq_len": 24, "hidden_size": 4, "batch_size": 2, "window": 4}
FURTHER = "a layer below hands on to windows of its own"
WHOLE = "together they are the truncation of the whole network"
BOTH = "A direction that reads from the end"


def said(**changes: object) -> str:
    run = begin(plan(Experiment(**{**BASE, **changes})))
    (maps,) = (each for each in first_screen(view(run)) if each.key == "state-maps")
    return maps.how


@pytest.mark.trained
def test_truncation_is_told_where_there_is_one() -> None:
    assert said().endswith(
        "every 4 time steps the losses since the last time are sent back, through 4 steps at most."
    )
    assert "every 3 time steps" in said(stride=3)
    assert "every 4 time steps" in said(stride=9)
    for window in (0, 24, 30):
        assert "Truncated" not in said(window=window)


@pytest.mark.trained
@pytest.mark.parametrize(
    ("changes", "sentences"),
    [
        ({"layers": 2}, (WHOLE,)),
        ({"layers": 2, "stride": 2}, (FURTHER,)),
        ({"layers": 2, "window": 5}, (FURTHER,)),
        ({"bidirectional": "yes"}, (BOTH,)),
        ({"layers": 2, "bidirectional": "yes"}, (WHOLE, BOTH)),
        ({"models": ("rnn", "gru:layers=3"), "stride": 1}, (FURTHER, "layer 1 of 3", "up to 10 ")),
    ],
    ids=str,
)
def test_and_what_it_means_in_stacks_and_directions(
    changes: dict[str, object], sentences: tuple[str, ...]
) -> None:
    how = said(**changes)
    assert [text for text in (FURTHER, WHOLE, BOTH) if text in how] == [
        text for text in (FURTHER, WHOLE, BOTH) if text in sentences
    ]
    assert all(text in how for text in sentences)


@pytest.mark.trained
@pytest.mark.parametrize(
    ("T", "window", "stride", "layers", "reach"),
    [(100, 30, 30, 3, 40), (101, 50, 50, 2, 51), (100, 10, 5, 2, 15), (100, 10, 1, 2, 19)],
)
def test_how_far_a_loss_reaches_in_a_stack_is_what_the_windows_let_it(
    T: int, window: int, stride: int, layers: int, reach: int
) -> None:
    sizes = {"seq_len": T, "window": window, "stride": stride, "layers": layers}
    assert f"a loss reaches up to {reach} steps back" in said(**sizes, loss_at="every")


def reaches(layers: int, window: int, stride: int, T: int = 24) -> list[int]:
    """How many steps back a loss at the last step is felt in each layer, the first one first."""
    planned = plan(Experiment(**{**BASE, "layers": layers, "seq_len": T, "loss_at": "last"}))
    network, params = planned.networks["rnn"], planned.init_params("rnn")
    cut = partial(truncated_backward, window=window, stride=stride)
    trace = run_network(network, params, planned.batch, cut)
    felt = [np.flatnonzero(layer[0].d_h.any(axis=(1, 2))) for layer in trace.layers]
    return [T - int(steps[0]) for steps in felt]


def test_a_loss_reaches_further_in_the_layers_below_by_at_most_as_many_windows() -> None:
    assert reaches(2, 4, 4) == [4, 4]
    for layers, window, stride in ((2, 4, 1), (3, 4, 1), (2, 5, 5), (3, 6, 2)):
        found = reaches(layers, window, stride)
        assert found[-1] == window
        assert window < found[0] <= layers * window


def test_windows_that_do_not_overlap_truncate_the_whole_network_in_both_directions() -> None:
    """The definition: whatever enters a window, from its one side or its other, is a constant."""
    experiment = Experiment(**{**BASE, "layers": 2, "bidirectional": "yes", "loss_at": "every",
                               "task": "counting"})  # fmt: skip
    planned, T, K = plan(experiment), 24, 4
    network, params = planned.networks["rnn"], planned.init_params("rnn")
    cut = partial(truncated_backward, window=K)
    low, high = run_network(network, params, planned.batch, cut).layers

    def alone(trace: Trace, direct: np.ndarray, stop: int) -> Trace:
        """The window that ends at a step of the direction's own, from the state that enters it."""
        steps = slice(stop - K, stop)
        return bptt(trace.cell, trace.params, trace.x[steps], direct, trace.h[stop - K])

    for stop in range(K, T + 1, K):
        own_stop = (
            T + K - stop
        )  # the same time steps as the direction counts that reads from the end
        ahead = alone(high[0], high[0].d_h_direct[stop - K : stop], stop)
        back = alone(high[1], high[1].d_h_direct[own_stop - K : own_stop], own_stop)
        d_x = ahead.d_x + back.d_x[::-1]
        H = low[0].cell.hidden_size
        for trace, direct, end in (
            (low[0], d_x[:, :H], stop),
            (low[1], d_x[::-1, H:], own_stop),
        ):
            wanted = alone(trace, direct, end).d_gate_values
            np.testing.assert_allclose(trace.d_gate_values[end - K : end], wanted, atol=1e-13)


def test_gradient_flow_says_of_a_truncated_run_that_it_is_one_and_splits_no_step() -> None:
    planned = plan(Experiment(("rnn", "lstm"), seq_len=24, hidden_size=4, batch_size=2))
    cut, whole = partial(truncated_backward, window=6), backward
    ways = {"rnn": cut, "lstm": whole}
    traces = {
        label: run_network(network, planned.init_params(label), planned.batch, ways[label])
        for label, network in planned.networks.items()
    }
    found = gradient_flow.view(Run(traces, planned.batch), gradient_flow.Choices(why=True))
    assert "rule" not in " ".join(found.verdict)
    assert "in the RNN" not in found.verdict[0]
    assert found.verdict[-1].startswith(
        "The gradients of the RNN are of backpropagation **truncated** after 6 steps"
    )
    assert [split.label for split in found.splits] == ["lstm"]
    (refused,) = (warning for warning in found.warnings if "no steps are split" in warning)
    assert "RNN: " in refused
    assert "not those of the full product: they are truncated after 6 steps" in refused
    assert list(gradient_flow.pictures(found))
    none = Run({"rnn": traces["rnn"]}, planned.batch)
    pictures = gradient_flow.pictures(gradient_flow.view(none, gradient_flow.Choices(why=True)))
    assert "step-factors" not in [picture.key for picture in pictures]
