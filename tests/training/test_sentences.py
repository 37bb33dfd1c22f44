"""What a network writes: from the prompt to the end of the sentence."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.core import RNN
from rnnviz.core.network import Network
from rnnviz.experiment import Experiment, make_task
from rnnviz.tasks import END, START, Batch
from rnnviz.training.sampling import Params, prompt, sample_text


def batch_of(task: str, text: str = "") -> Batch:
    experiment = Experiment(task=task, text=text, loss_at="every")
    return make_task(experiment).batch(0, 20, 1, "every")


def likes_to_end(batch: Batch) -> tuple[Network, Params]:
    """A network that draws the end with probability ½ whatever it reads."""
    context_size = 0 if batch.context is None else len(batch.context)
    network = Network((RNN(batch.input_size, 4),), batch.output_size, context_size=context_size)
    params = network.init_params(np.random.default_rng(0))
    params["W_hy"] = np.zeros_like(params["W_hy"])
    params["b_y"] = np.zeros(batch.output_size)
    params["b_y"][batch.labels.index(END)] = 0.7 * np.log(batch.output_size - 1)
    return network, params


@pytest.mark.parametrize("task", ["words", "captioning"])
def test_a_sentence_ends_where_it_ends(task: str) -> None:
    batch = batch_of(task)
    network, params = likes_to_end(batch)
    said = [
        sample_text(network, params, batch, np.random.default_rng([seed, 0])) for seed in range(40)
    ]
    ended = [text for text in said if END in text]
    assert len(ended) > 30
    assert all(text.endswith(END) and text.count(END) == 1 for text in ended)
    assert all(text.startswith(START) for text in said)


def test_a_caption_s_prompt_gives_nothing_away() -> None:
    batch = batch_of("captioning")
    assert [batch.labels[i] for i in prompt(batch)] == [START]


def test_a_short_sentence_s_padding_is_no_prompt() -> None:
    text = "Hi\nso it goes on"
    prompts = {tuple(batch.labels[i] for i in prompt(batch)) for batch in batches_of(text)}
    assert prompts == {(START, "Hi"), (START, "so", "it")}


def batches_of(text: str) -> list[Batch]:
    task = make_task(Experiment(task="words", text=text))
    return [task.batch(seed, 20, 1, "every") for seed in range(20)]
