"""A network that somebody brought, beside a fresh one of the same shape."""

from __future__ import annotations

import tracemalloc
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz.experiment import Experiment, plan
from rnnviz.experiment.weights import Weights, save
from rnnviz.models import load, read_data
from rnnviz.models.brought import FromPassage, FromWeights, beside, estimate, own_run
from rnnviz.models.diagnosis import find
from rnnviz.models.examples import EXAMPLES, LAG
from rnnviz.models.saved_runs import read_passages, watched_in
from rnnviz.models.training import is_trainable
from rnnviz.training import TrainState
from tests.models.golden import FOLDER
from tests.models.hostile import GOOD, npz

WATCHED = ("cells", "dropout", "packed")
KINDS = {"vanishes": "vanishing", "explodes": "exploding", "closed": "closed_memory"}


def of_example(name: str) -> FromWeights:
    return FromWeights(load(EXAMPLES[name].weights()), read_data())


def watched(case: str) -> FromPassage:
    ((name, passage),) = read_passages(FOLDER / f"watched_{case}.npz").items()
    return FromPassage(name, passage)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_has_what_it_is_named_for(name: str) -> None:
    brought = of_example(name)
    found = brought.findings(own_run(brought), LAG)
    assert KINDS[name] in {one.kind for one in found if one.serious}


def test_an_example_is_the_same_every_time() -> None:
    one, same = (EXAMPLES["closed"].weights() for _ in range(2))
    assert all(np.array_equal(one[name], same[name]) for name in one)
    assert not np.array_equal(one["weight_hh_l0"], EXAMPLES["closed"].weights(1)["weight_hh_l0"])


@pytest.mark.parametrize("brought", [of_example("closed"), *map(watched, WATCHED)],
                         ids=["weights", *WATCHED])  # fmt: skip
def test_both_run_on_the_same_data_with_the_same_shape(brought: FromWeights | FromPassage) -> None:
    own = own_run(brought)
    run = beside(own, brought)
    (label, yours), (other, fresh) = run.items()
    assert other == f"{label}:network=fresh"
    assert np.array_equal(yours.trace.x, fresh.trace.x)
    shapes = [{n: a.shape for n, a in one.params.items()} for one in (yours, fresh)]
    assert shapes[0] == shapes[1]
    recurrent = [name for name in yours.params if name.endswith("W_hh")]
    assert recurrent
    for name in recurrent:
        drawn = fresh.params[name]
        assert not np.array_equal(yours.params[name], drawn)
        assert np.abs(drawn).max() <= drawn.shape[-1] ** -0.5
    assert own[label] is yours


def test_readout_and_embedding_stay() -> None:
    rng = np.random.default_rng(0)
    arrays = {f"rnn.{name}": array for name, array in EXAMPLES["closed"].weights().items()}
    arrays |= {"fc.weight": rng.standard_normal((3, 64)), "fc.bias": np.ones(3)}
    arrays |= {"embedding.weight": rng.standard_normal((9, 4))}
    brought = FromWeights(load(arrays), read_data())
    fresh = brought.fresh()
    assert np.array_equal(fresh.model.params["W_hy"], arrays["fc.weight"])
    assert np.array_equal(fresh.model.embedding, arrays["embedding.weight"])
    bare = of_example("closed")
    assert brought.params - bare.params == 3 * 64 + 3


def arrays_of(kind: str, names: Sequence[str] = ("bias_ih", "bias_hh")) -> dict[str, np.ndarray]:
    """PyTorch's, of two layers: 3 inputs, 4 units."""
    rng, rows = np.random.default_rng(2), 4 * {"rnn": 1, "gru": 3, "lstm": 4}[kind]
    shapes = {"weight_ih": (rows, 3), "weight_hh": (rows, 4)}
    shapes |= dict.fromkeys(names, (rows,))
    found = {f"{name}_l0": rng.standard_normal(shape) for name, shape in shapes.items()}
    shapes["weight_ih"] = (rows, 4)
    return found | {f"{name}_l1": rng.standard_normal(shape) for name, shape in shapes.items()}


def size(arrays: Mapping[str, Any] | Sequence[Any]) -> int:
    values = arrays.values() if isinstance(arrays, Mapping) else arrays
    return sum(int(np.size(value)) for value in values)


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("names", [(), ("bias_ih",), ("bias_ih", "bias_hh")], ids=len)
def test_as_many_parameters_are_said_as_the_arrays_hold(kind: str, names: tuple[str, ...]) -> None:
    arrays = arrays_of(kind, names)
    assert FromWeights(load(arrays), read_data()).params == size(arrays)
    readout = {"fc.weight": np.ones((2, 4)), "fc.bias": np.ones(2)}
    more = {**{f"rnn.{name}": array for name, array in arrays.items()}, **readout}
    brought = FromWeights(load({**more, "other": np.ones(7)}), read_data())
    assert brought.params == brought.fresh().params == size(more)
    W, b = np.ones((5, 4)), np.ones(5)
    assert FromWeights(load(arrays, readout=(W, b)), read_data()).params == size(arrays) + 25


@pytest.mark.parametrize(
    "arrays", [[(3, 12), (4, 12), (2, 12)], [(3, 12), (4, 12), (12,)], [(3, 12), (4, 12)],
               [(3, 16), (4, 16), (16,)], [(3, 16), (4, 16)]], ids=str
)  # fmt: skip
def test_as_many_parameters_are_said_as_a_list_of_keras_holds(arrays: list[Any]) -> None:
    given = [np.ones(shape) for shape in arrays]
    reset = "after" if arrays == [(3, 12), (4, 12)] else None
    assert FromWeights(load(given, "keras", reset=reset), read_data()).params == size(given)


def test_as_many_parameters_are_said_as_other_arrays_hold() -> None:
    onnx = {"n.W": np.ones((2, 12, 3)), "n.R": np.ones((2, 12, 4)), "n.B": np.ones((2, 24))}
    assert FromWeights(load(onnx, reset="after"), read_data()).params == size(onnx)
    gru = {f"gru_cell/{name}": np.ones(shape) for name, shape in
           {"gates/kernel": (7, 8), "gates/bias": 8, "candidate/kernel": (7, 4),
            "candidate/bias": 4}.items()}  # fmt: skip
    assert FromWeights(load(gru), read_data()).params == size(gru)
    peepholes = {f"lstm_cell/{name}": np.ones(shape) for name, shape in
                 {"kernel": (7, 16), "bias": 16, "w_i_diag": 4, "w_f_diag": 4,
                  "w_o_diag": 4}.items()}  # fmt: skip
    assert FromWeights(load(peepholes), read_data()).params == size(peepholes)


def test_as_many_parameters_are_said_of_a_watched_module_as_of_its_weights() -> None:
    for case in WATCHED:
        brought = watched(case)
        parts = brought.passage.parts
        each = [FromWeights(load(part.weights, "pytorch"), read_data()) for part in parts]
        assert brought.params == sum(one.params for one in each)


def test_as_many_parameters_are_said_as_a_file_of_rnnvizs_own_holds(tmp_path: Path) -> None:
    e = Experiment(models=("gru",), hidden_size=4)
    params = plan(e).init_params("gru")
    save(Weights("gru", e, TrainState(0, params)), path := tmp_path / "gru.npz")
    assert FromWeights(load(path), read_data()).params == size(params)


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
def test_the_fresh_network_of_one_without_biases_has_none(kind: str) -> None:
    brought = FromWeights(load(arrays_of(kind, ())), read_data())
    fresh = brought.fresh().model.params
    biases = [name for name in fresh if ".b_" in name]
    assert biases
    for name in biases:
        assert not fresh[name].any()
    assert all(fresh[name].any() for name in fresh if ".W_" in name)


def test_a_layer_without_biases_upon_one_that_has_some_gets_none() -> None:
    arrays = {n: a for n, a in arrays_of("gru").items() if not n.startswith("bias") or "l0" in n}
    fresh = FromWeights(load(arrays), read_data()).fresh().model.params
    assert fresh["0.forward.b_h"].all()
    assert not fresh["1.forward.b_h"].any()
    assert not fresh["1.forward.b_hn"].any()


def test_what_a_kernel_adds_to_a_bias_that_is_not_there_stays() -> None:
    kernel = {"basic_lstm_cell/kernel": np.ones((7, 16))}
    brought = FromWeights(load(kernel), read_data())
    own, fresh = brought.model.params, brought.fresh().model.params
    assert own["0.forward.b_h"].sum() == 4
    np.testing.assert_array_equal(fresh["0.forward.b_h"], own["0.forward.b_h"])


def test_a_finding_of_a_module_is_named_as_it_is() -> None:
    brought = watched("cells")
    run = own_run(brought)
    found = brought.findings(run, None)
    assert {one.label for one in found} == {brought.name}
    assert [one.kind for one in found] == [one.kind for one in find(run)]


@pytest.mark.parametrize("brought", [of_example("closed"), watched("packed")], ids=["w", "p"])
def test_it_takes_no_more_than_the_estimate(brought: FromWeights | FromPassage) -> None:
    tracemalloc.start()
    own = own_run(brought)
    brought.findings(own, LAG)
    alone = tracemalloc.get_traced_memory()[1]
    beside(own, brought)
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert alone <= estimate(brought, fresh=False).bytes < estimate(brought).bytes
    assert taken <= estimate(brought).bytes


def test_the_estimate_allocates_nothing() -> None:
    brought = replace(of_example("closed"), data=read_data(lengths=[10**12]))
    assert estimate(brought).bytes > 1 << 50


@pytest.mark.parametrize("brought", [of_example("closed"), watched("dropout")], ids=["w", "p"])
def test_it_tells_all_the_way_and_can_be_ended(brought: FromWeights | FromPassage) -> None:
    calls = []
    own = own_run(brought, lambda: calls.append(1))
    layers = [one for layer in next(iter(own.values())).layers for one in layer]
    assert len(calls) >= 2 * len(layers), "at least once forward and once back in each"
    before = len(calls)
    beside(own, brought, lambda: calls.append(1))
    assert len(calls) == 2 * before

    def enough() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        own_run(brought, enough)


def test_a_saved_run_is_known_by_what_it_says() -> None:
    data = (FOLDER / "watched_cells.npz").read_bytes()
    assert watched_in(data, "RUN.NPZ") is not None
    assert watched_in(npz(GOOD), "model.npz") is None
    assert watched_in(b"no zip", "model.npz") is None


@pytest.mark.parametrize(("W", "b"), [(1.0, 5.0), (2.0, 0.0)])
def test_a_readout_that_adds_a_bias_alone_is_one(W: float, b: float) -> None:
    arrays = {f"rnn.{name}": array for name, array in arrays_of("lstm").items()}
    readout = {"fc.weight": W * np.eye(4), "fc.bias": np.full(4, b)}
    data = read_data(np.ones((2, 5, 3)), layout="btd", target=np.ones((2, 4)))
    brought = FromWeights(load({**arrays, **readout}), data)
    assert brought.has_readout
    assert is_trainable(brought)
    assert not FromWeights(load(arrays), data).has_readout
