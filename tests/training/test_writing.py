"""Networks that have been trained write what they were trained on."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest

from rnnviz.core import GRU, RNN
from rnnviz.core.network import Network, predict
from rnnviz.tasks import END, START, Batch, Counting, Words
from rnnviz.training import TrainOptions, TrainState, train
from rnnviz.training.sampling import begin, encode, probabilities, read, sample, top

pytestmark = pytest.mark.trained


def trained(network: Network, task: Any, seq_len: int, steps: int) -> dict[str, np.ndarray]:
    start = TrainState(0, network.init_params(np.random.default_rng(0)), {})
    options = TrainOptions(learning_rate=0.02)

    def make_batch(step: int) -> Batch:
        return task.batch(0, seq_len, 16, "every", first=16 * step)

    *_, (state, _) = islice(train(network, start, make_batch, options), steps)
    return state.params


def test_a_trained_network_samples_the_counting_cycle() -> None:
    """Row 21 of the sources: 100 % right, and the cycle 0 to 8 again and again."""
    network = Network((RNN(9, 16),), 9)
    params = trained(network, Counting(), 12, 100)
    batch = Counting().batch(1, 12, 50, "every")
    assert (predict(network, params, batch).argmax(axis=1) == batch.target).all()
    start = read(network, params, begin(network, params), [4])
    result = sample(network, params, start, np.random.default_rng(0), 40, temperature=0)
    assert result.ids == tuple((5 + t) % 9 for t in range(40))
    ((label, p), *_) = top(probabilities(start), batch.labels)
    assert label == "5"
    assert p > 0.9


def test_a_trained_word_model_writes_its_sentences() -> None:
    """Row 20: P(next word) from start to end."""
    task = Words("we sing a song\nthey run")
    symbols = task.batch(0, 5, 1, "every").labels
    network = Network((GRU(len(symbols), 16),), len(symbols))
    params = trained(network, task, 5, 100)
    start = read(network, params, begin(network, params), encode([START], symbols))
    stop = symbols.index(END)
    rng = np.random.default_rng(0)
    sentences = {
        " ".join(symbols[i] for i in sample(network, params, start, rng, 9, stop=stop).ids)
        for _ in range(20)
    }
    assert sentences == {f"we sing a song {END}", f"they run {END}"}
    assert {word for word, _ in top(probabilities(start), symbols, 2)} == {"we", "they"}
