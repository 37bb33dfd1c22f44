"""A sentence of one's own: what each network makes of it, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnnviz.core.network import Network, forward_network
from rnnviz.core.numerics import Array
from rnnviz.jobs.training import Training
from rnnviz.plots import sentence as plots
from rnnviz.plots import theme
from rnnviz.tasks.sentiment import ANSWERS, VOCABULARY
from rnnviz.training.sampling import encode
from rnnviz.views.picture import Picture
from rnnviz.wording.lists import apart, listed
from rnnviz.wording.numbers import percent
from rnnviz.wording.texts import fill, texts

TASK = "sentiment"
EXAMPLE = "i do not think the film was good"
MOST_WORDS = 30
BETWEEN = re.compile(r"[\s.,;:!?…，。；：、！？]+")
"""What may stand between two words."""


@dataclass(frozen=True, eq=False)
class View:
    """words: of the sentence; positive: label -> P(positive) after each of them (T,). Of a network
    that reads from both ends, after each beginning of the sentence, read as a whole."""

    styles: dict[str, theme.Style]
    words: tuple[str, ...]
    positive: dict[str, Array]


def view(run: Training, sentence: str) -> View:
    """Of the networks that `run` shows. Raises ValueError for a sentence without words, with more
    than MOST_WORDS or with one that the task does not have."""
    words = tuple(filter(None, BETWEEN.split(sentence.lower())))
    if not 0 < len(words) <= MOST_WORDS:
        raise ValueError(fill(texts("train")["sentence_length"], most=MOST_WORDS, got=len(words)))
    if unknown := [word for word in words if word not in VOCABULARY]:
        raise ValueError(
            fill(texts("train")["sentence_unknown"], word=unknown[0], known=listed(VOCABULARY))
        )
    ids = np.array(encode(words, VOCABULARY))
    positive = {
        label: _positive(run.plan.networks[label], trainee.shown.params, ids)
        for label, trainee in run.trainees.items()
    }
    return View(theme.model_styles(list(run.trainees)), words, positive)


def _positive(network: Network, params: dict[str, Array], ids: Array) -> Array:
    """Each beginning of the sentence is a sequence of its own, padded at its right."""
    count = len(ids)
    lengths = np.arange(1, count + 1)
    x = np.where(np.arange(count)[:, None] < lengths, ids[:, None], 0)
    y = forward_network(network, params, x, lengths=lengths).y
    last = y[lengths - 1, :, np.arange(count)].astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        wanted = ANSWERS.index("positive")
        return 1 / np.exp(last - last[:, wanted : wanted + 1]).sum(axis=1)


def pictures(view: View) -> Iterator[Picture]:
    """P(positive) after each word, one line a model."""
    text = texts("train")
    ends = apart(
        fill(text["alt_sentence_of"], model=view.styles[label].title, share=percent(float(p[-1])))
        for label, p in view.positive.items()
    )
    yield Picture(
        "own-sentence",
        plots.sentence_figure.plain(view.words, view.positive, styles=view.styles),
        fill(text["alt_sentence"], ends=ends),
        text["how_to_read_own_sentence"],
    )
