"""Sampling: the states carried on are those of one long run, and draws follow P(next)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rnnviz.core import GRU, LSTM, RNN
from rnnviz.core.network import Network, predict
from rnnviz.tasks import END, START, Captioning, Text, Words
from rnnviz.training.sampling import begin, encode, probabilities, read, sample, top

NETWORKS = {
    "rnn": Network((RNN(5, 6),), 5),
    "leaky rnn with a skip": Network((RNN(5, 6, leak=0.5, skip=3),), 5),
    "lstm": Network((LSTM(5, 6),), 5),
    "lstm with a skip": Network((LSTM(5, 6, skip=2),), 5),
    "gru": Network((GRU(5, 6),), 5),
    "three layers": Network((LSTM(5, 6), GRU(6, 4), RNN(4, 3)), 5),
}
IDS = np.random.default_rng(8).integers(5, size=20)


def drawn(network: Network) -> dict[str, np.ndarray]:
    """Weights large enough for the past to matter."""
    params = network.init_params(np.random.default_rng(3), gain=1.5, input_scale=3.0)
    return {name: 2 * value if name == "W_hy" else value for name, value in params.items()}


def fixed(logits: list[float]) -> tuple[Network, dict[str, np.ndarray]]:
    """A network that always answers `logits`."""
    network = Network((RNN(len(logits), 2),), len(logits))
    params = {name: np.zeros(shape) for name, shape in network.param_shapes().items()}
    return network, params | {"b_y": np.array(logits)}


def one_run(network: Network, params: dict[str, Any], context: Any = None) -> np.ndarray:
    """y (T, O) of the whole sequence at once."""
    batch = replace(Text("ab").batch(0, len(IDS), 1, "last"), x=IDS[:, None], context=context)
    return predict(network, params, batch)[:, :, 0]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("pieces", [1, 2, 7, 20])
def test_reading_in_pieces_is_one_run(name: str, pieces: int) -> None:
    network = NETWORKS[name]
    params = drawn(network)
    expected = one_run(network, params)
    position = begin(network, params)
    read_so_far = 0
    for ids in np.array_split(IDS, pieces):
        position = read(network, params, position, ids.tolist())
        read_so_far += len(ids)
        assert position.y == pytest.approx(expected[read_so_far - 1], rel=1e-12, abs=1e-14)


def test_a_position_does_not_grow() -> None:
    network = NETWORKS["leaky rnn with a skip"]
    params = drawn(network)
    near, far = (read(network, params, begin(network, params), IDS[:n]) for n in (1, 20))
    assert near.h[0].shape == far.h[0].shape == (3, 6, 1)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_sample_is_the_networks_answer_to_itself(name: str) -> None:
    """Each probability is softmax(y) of a run over what was drawn before."""
    network = NETWORKS[name]
    params = drawn(network)
    start = read(network, params, begin(network, params), [2])
    result = sample(network, params, start, np.random.default_rng(0), 15)
    batch = Text("ab").batch(0, 15, 1, "last")
    y = predict(network, params, replace(batch, x=np.array([[2, *result.ids[:-1]]]).T))[:, :, 0]
    p = np.exp(y) / np.exp(y).sum(axis=1, keepdims=True)
    assert result.probabilities == pytest.approx(p[np.arange(15), list(result.ids)], rel=1e-10)


@pytest.mark.parametrize("temperature", [0.0, 0.7, 1.0, 3.0])
def test_a_sample_goes_on_as_if_drawn_at_once(temperature: float) -> None:
    network = NETWORKS["three layers"]
    params = drawn(network)
    start = read(network, params, begin(network, params), [0])
    whole = sample(network, params, start, np.random.default_rng(1), 30, temperature)
    rng = np.random.default_rng(1)
    first = sample(network, params, start, rng, 11, temperature)
    second = sample(network, params, first.position, rng, 19, temperature)
    assert first.ids + second.ids == whole.ids
    assert first.probabilities + second.probabilities == whole.probabilities


def test_symbols_come_as_often_as_their_probability_says() -> None:
    p = np.array([0.5, 0.3, 0.2])
    network, params = fixed(np.log(p).tolist())
    start = read(network, params, begin(network, params), [0])
    for temperature in (1.0, 0.5):
        tempered = p ** (1 / temperature) / (p ** (1 / temperature)).sum()
        assert probabilities(start, temperature) == pytest.approx(tempered)
        result = sample(network, params, start, np.random.default_rng(5), 1500, temperature)
        counts = np.bincount(result.ids, minlength=3)
        error = np.sqrt(1500 * tempered * (1 - tempered))
        assert (np.abs(counts - 1500 * tempered) < 3.5 * error).all()


def test_temperature_goes_from_the_likeliest_to_an_even_guess() -> None:
    network, params = fixed([1.0, 3.0, -800.0, 3.0])
    start = read(network, params, begin(network, params), [0])
    assert probabilities(start, 0).tolist() == [0, 1, 0, 0]
    assert probabilities(start, 5e-324) == pytest.approx([0, 0.5, 0, 0.5])
    assert probabilities(start, 1e9) == pytest.approx(np.full(4, 0.25), abs=1e-5)
    assert probabilities(start).sum() == pytest.approx(1)
    result = sample(network, params, start, np.random.default_rng(0), 500)
    assert 2 not in result.ids


class Zeros:
    """A generator whose every uniform number is the smallest."""

    def random(self) -> float:
        return 0.0


def test_what_has_no_probability_is_not_drawn_by_the_smallest_number() -> None:
    network, params = fixed([-800.0, 0.0, 0.0])
    start = read(network, params, begin(network, params), [0])
    result = sample(network, params, start, Zeros(), 3)  # type: ignore[arg-type]
    assert result.ids == (1, 1, 1)
    assert result.probabilities == (0.5, 0.5, 0.5)


def test_a_sample_ends_after_stop_which_is_not_read() -> None:
    network = NETWORKS["gru"]
    params = drawn(network)
    start = read(network, params, begin(network, params), [2])
    whole = sample(network, params, start, np.random.default_rng(0), 40)
    stop = whole.ids[12]
    length = whole.ids.index(stop) + 1
    result = sample(network, params, start, np.random.default_rng(0), 40, stop=stop)
    assert result.ids == whole.ids[:length]
    before = start if length == 1 else read(network, params, start, result.ids[:-1])
    assert result.position.y == pytest.approx(before.y, rel=1e-12)


def test_the_likeliest_symbols_come_first() -> None:
    p = np.array([0.1, 0.4, 0.1, 0.4])
    assert top(p, "abcd", 3) == (("b", 0.4), ("d", 0.4), ("a", 0.1))
    assert len(top(p, "abcd", 9)) == 4


def test_symbols_are_found_in_the_labels() -> None:
    batch = Words("we sing\nthey run").batch(0, 3, 1, "every")
    assert [batch.labels[i] for i in encode([START, "we"], batch.labels)] == [START, "we"]
    assert encode("cab", "abc") == (2, 0, 1)
    with pytest.raises(ValueError, match=r"symbols must be among the 3 .* got 'x'"):
        encode("abx", "abc")


def test_a_context_sets_the_first_state() -> None:
    network = Network((GRU(5, 6),), 5, context_size=3)
    params = drawn(network)
    v = np.array([[1.0], [-2.0], [0.5]])
    position = read(network, params, begin(network, params, v[:, 0]), IDS.tolist())
    assert position.y == pytest.approx(one_run(network, params, v)[-1], rel=1e-12)
    other = read(network, params, begin(network, params, -v[:, 0]), IDS[:1])
    assert other.y != pytest.approx(one_run(network, params, v)[0], rel=1e-3)


def test_captioning_can_be_sampled() -> None:
    batch = Captioning().batch(0, 6, 1, "every")
    network = Network((GRU(17, 8),), 17, context_size=64)
    params = drawn(network)
    assert batch.context is not None
    start = begin(network, params, batch.context[:, 0])
    start = read(network, params, start, encode([START], batch.labels))
    expected = predict(network, params, batch)[0, :, 0]
    assert start.y == pytest.approx(expected, rel=1e-12)
    stop = batch.labels.index(END)
    ids = sample(network, params, start, np.random.default_rng(0), 50, stop=stop).ids
    assert len(ids) == 50 or ids[-1] == stop


def test_float32_weights_are_run_in_float32() -> None:
    network = NETWORKS["lstm"]
    params = {name: value.astype(np.float32) for name, value in drawn(network).items()}
    position = read(network, params, begin(network, params), [1])
    assert position.y is not None
    assert {position.y.dtype, position.h[0].dtype} == {np.dtype(np.float32)}
    assert len(sample(network, params, position, np.random.default_rng(0), 5).ids) == 5


def test_what_cannot_be_sampled_is_named() -> None:
    network, params = fixed([0.0, 1.0])
    rng = np.random.default_rng(0)
    two_ways = Network((RNN(2, 3),), 2, bidirectional=True)
    with pytest.raises(ValueError, match="network must not be bidirectional"):
        begin(two_ways, two_ways.init_params(rng))
    other = Network((RNN(3, 3),), 2)
    with pytest.raises(ValueError, match=r"output_size must be the input size 3, .* got 2"):
        begin(other, other.init_params(rng))
    with pytest.raises(ValueError, match="context must be None"):
        begin(network, params, np.ones(3))
    with pytest.raises(ValueError, match="position must have read a symbol"):
        sample(network, params, begin(network, params), rng, 5)
    with pytest.raises(ValueError, match="x must hold tokens from 0 to 1, got 2"):
        read(network, params, begin(network, params), [2])
    with pytest.raises(ValueError, match="x must have at least one step"):
        read(network, params, begin(network, params), [])
    start = read(network, params, begin(network, params), [0])
    for change in ({"temperature": -1.0}, {"temperature": np.nan}, {"steps": 0}):
        with pytest.raises(ValueError, match=f"{next(iter(change))} must be"):
            sample(network, params, start, rng, **{"steps": 5, **change})


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_network_that_has_blown_up_says_so(value: float) -> None:
    network, params = fixed([value, 0.0])
    start = read(network, params, begin(network, params), [0])
    with pytest.raises(ValueError, match="the network has blown up"):
        sample(network, params, start, np.random.default_rng(0), 5)
