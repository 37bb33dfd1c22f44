"""A network whose first state is made of a context, such as the package trains to name pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz import Experiment, run
from rnnviz.core import GRU
from rnnviz.core.network import Network, run_network
from rnnviz.diagnosis import diagnose
from rnnviz.models import Loaded, load, make_batch, read_data, replay, run_of
from rnnviz.tasks import Captioning
from rnnviz.wording.library import translated
from rnnviz.wording.texts import speak_in

SEEN = Captioning().batch(0, 12, 5, "every")
V, B = SEEN.context.shape


@pytest.fixture(scope="module")
def model() -> Loaded:
    network = Network((GRU(SEEN.input_size, 6),), SEEN.output_size, context_size=V)
    params = network.init_params(np.random.default_rng(0))
    return Loaded(network, params, "rnnviz", "made here")


def given(layout: str = "btd") -> dict[str, Any]:
    """The batch as somebody has it, laid out so."""
    flat = {"btd": np.transpose, "tbd": np.asarray, "tdb": np.asarray}[layout]
    own = SEEN.context if layout == "tdb" else SEEN.context.T
    return {"x": flat(SEEN.x), "target": flat(SEEN.target), "mask": flat(SEEN.mask),
            "lengths": SEEN.lengths, "context": own, "layout": layout}  # fmt: skip


@pytest.mark.parametrize("layout", ["btd", "tbd", "tdb"])
def test_a_context_is_given_with_the_data(model: Loaded, layout: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "batch.npz", **given(layout))
    expected = run_network(model.network, model.params, SEEN)
    for data in (read_data(tmp_path / "batch.npz"), read_data(given(layout))):
        trace = replay(model, data)
        np.testing.assert_array_equal(trace.y, expected.y)
        np.testing.assert_allclose(trace.grads["W_vh"], expected.grads["W_vh"], rtol=1e-12)
        np.testing.assert_array_equal(make_batch(model, data).context, SEEN.context)
        assert diagnose(run_of(model, data), lag=3).labels == ("gru",)


def test_gradients_of_ones_own_are_sent_back_to_the_context(model: Loaded) -> None:
    d_output = np.random.default_rng(1).standard_normal((len(SEEN.x), SEEN.output_size, B))
    data = read_data(x=SEEN.x, context=SEEN.context, d_output=d_output, layout="tdb")
    own = run_of(model, data)
    np.testing.assert_array_equal(own.batch.context, SEEN.context)
    assert own["gru"].grads["W_vh"].any()
    assert own.batch.note == ""
    noise = run_of(model, read_data(d_output=d_output, layout="tdb"))
    assert noise.batch.note == "x is white noise; the context is white noise"


def test_without_data_it_is_noise_and_said(model: Loaded) -> None:
    batch = make_batch(model)
    assert batch.context.shape == (V, batch.batch_size)
    assert batch.note.startswith("x is white noise; ")
    assert "the context is white noise" in batch.note
    np.testing.assert_array_equal(replay(model).context, batch.context)
    assert "上下文向量是白噪声" in speak_in("zh", lambda: translated(batch.note))
    one = read_data(context=SEEN.context[:, 0])
    assert make_batch(model, one).batch_size == 1


def test_weights_of_the_package_itself_run(tmp_path: Path) -> None:
    trained = run(Experiment(task="captioning", models=("gru",), hidden_size=6, batch_size=2))
    network = trained["gru"].network
    assert network.context_size == V
    model = Loaded(network, dict(trained["gru"].params), "rnnviz", "made here")
    assert np.isfinite(replay(model).loss)


def test_a_context_that_does_not_fit_is_named(model: Loaded) -> None:
    for changed, message in (
        ({"context": None}, "context must be given for a network whose first state is made of 64"),
        ({"context": np.ones((B, 3))}, r"context must have shape \(5, 64\), got \(5, 3\)"),
        ({"context": np.ones((2, V))}, r"context must have shape \(5, 64\), got \(2, 64\)"),
        ({"h0": np.ones((1, B, 6))}, "must be None where a context makes the first state"),
    ):
        with pytest.raises(ValueError, match=message):
            replay(model, read_data({n: a for n, a in {**given(), **changed}.items()
                                     if a is not None}))  # fmt: skip
    with pytest.raises(ValueError, match=r"context must have an axis for each of b, d, got \(1, 5"):
        read_data({**given(), "context": SEEN.context.T[None]})
    other = load([np.ones((12, 2)), np.ones((12, 3))], "pytorch")
    data = read_data(np.ones((B, 4, 2)), layout="btd", context=np.ones((B, V)))
    with pytest.raises(ValueError, match=r"made of none, got shape \(5, 64\)"):
        replay(other, data)
    with pytest.raises(ValueError, match="made of none"):
        replay(other, replace(data, d_h=np.ones((1, 3, B))))
