"""A network that somebody brought, beside a fresh one of the same shape."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from rnnviz.models import load, read_data
from rnnviz.models.brought import FromPassage, FromWeights, beside, estimate, own_run
from rnnviz.models.diagnosis import find
from rnnviz.models.examples import EXAMPLES, LAG
from rnnviz.models.saved_runs import read_passages, watched_in
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
