"""What the networks do with their task: a text that they write, pictures that they read; now, or at
the training step that is scrubbed to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TypeVar

import numpy as np

from rnnviz.core.network import Network, predict
from rnnviz.dashboard import layout
from rnnviz.dashboard.components import live_chart
from rnnviz.dashboard.trainees import Trainee, Training
from rnnviz.experiment import Experiment, make_task
from rnnviz.plots import digits, next_symbol, theme, written
from rnnviz.plots.digits import Answers
from rnnviz.plots.next_symbol import Next
from rnnviz.plots.written import Written
from rnnviz.tasks import Batch
from rnnviz.tasks.batch import END, HELD_OUT, START
from rnnviz.training import TrainState, sampling
from rnnviz.wording.texts import fill, texts

CHARACTERS, WORDS = 80, 24
"""Symbols of a sample, by what a symbol is."""
GIVEN = 3
"""Symbols that a network is given to begin with, at most."""
TEMPERATURE = 0.7
LIKELY = 5
"""Symbols whose probability is shown."""
PICTURES = 10
Styles = dict[str, theme.Style]
T = TypeVar("T")


def samples(run: Training, batch: Batch, styles: Styles, most: int) -> None:
    """Drawn where the task has symbols to write or digits to read, at `most` checkpoints."""
    if run.experiment.task in ("digit_rows", "digit_pixels"):
        _digits(run, styles, most)
    elif batch.x.ndim == 2 and batch.labels:
        _texts(run, batch, styles, most)


def _texts(run: Training, batch: Batch, styles: Styles, most: int) -> None:
    found = _of_those_that_can(
        run, lambda label, each: _written(label, each, batch, run.experiment.seed, most)
    )
    if not found:
        return
    live_chart(
        written.written_figure.plain(found, styles=styles),
        key="written",
        revision=run.zoom,
        height=written.height_of(found),
        tracks=written.written_tracks(found) if most > 1 else (),
        filename="rnnviz-written",
        alt="; ".join(f"{styles[w.label].title} writes: {w.texts[-1]}" for w in found),
    )
    read = "how_to_read_sample" if _end(batch) is None else "how_to_read_sentence"
    layout.how_to_read(fill(texts("train")[read], given=_spelled(batch, prompt(batch))))
    _next(run, batch, styles, most)


def _next(run: Training, batch: Batch, styles: Styles, most: int) -> None:
    found = _of_those_that_can(run, lambda label, each: _expected(label, each, batch, most))
    live_chart(
        next_symbol.next_figure.plain(found, styles=styles),
        key="next-symbol",
        revision=run.zoom,
        height=next_symbol.height_of(found),
        tracks=next_symbol.next_tracks(found) if most > 1 else (),
        filename="rnnviz-next-symbol",
        alt="P(next symbol) after the given ones: the likeliest symbols of each model",
    )
    layout.how_to_read(
        fill(texts("train")["how_to_read_next"], given=_spelled(batch, prompt(batch)))
    )


def _of_those_that_can(run: Training, read: Callable[[str, Trainee], T]) -> list[T]:
    """What is read off each network that can write: not of one that reads backwards, has answers
    that are no inputs, or has blown up."""
    found = []
    for label, trainee in run.trainees.items():
        with suppress(ValueError):
            found.append(read(label, trainee))
    return found


def _written(label: str, trainee: Trainee, batch: Batch, seed: int, most: int) -> Written:
    states = trainee.checkpoints(most)
    said = [sample_text(trainee.network, state, batch, seed) for state in states]
    return Written(label, np.array([s.step for s in states]), said)


def _expected(label: str, trainee: Trainee, batch: Batch, most: int) -> Next:
    """The likeliest symbols after the given ones."""
    states = trainee.checkpoints(most)
    rows = [
        sampling.top(sampling.probabilities(_read(trainee.network, s, batch)), batch.labels, LIKELY)
        for s in states
    ]
    steps = np.array([state.step for state in states])
    symbols = [[symbol for symbol, _ in row] for row in rows]
    return Next(label, steps, symbols, np.array([[p for _, p in row] for row in rows]))


def sample_text(network: Network, state: TrainState, batch: Batch, seed: int) -> str:
    """What the network writes after the prompt, up to the end of its sentence if it has one.
    Raises ValueError if it cannot write."""
    position = _read(network, state, batch)
    rng = np.random.default_rng([seed, state.step])
    count = CHARACTERS if _of_characters(batch) else WORDS
    drawn = sampling.sample(
        network, state.params, position, rng, count, TEMPERATURE, stop=_end(batch)
    )
    return _spelled(batch, [*prompt(batch), *drawn.ids])


def prompt(batch: Batch) -> list[int]:
    """What a network is given to begin with: the first symbols of the batch's first sequence, of
    one that a picture is to tell the start alone."""
    count = min(GIVEN, int(batch.lengths[0])) if batch.context is None else 1
    return [int(i) for i in batch.x[:count, 0]]


def _end(batch: Batch) -> int | None:
    """The symbol that ends a sentence, if the task has one."""
    return batch.labels.index(END) if END in batch.labels else None


def _read(network: Network, state: TrainState, batch: Batch) -> sampling.Position:
    """Where the network is after the prompt."""
    context = None if batch.context is None else batch.context[:, 0]
    position = sampling.begin(network, state.params, context)
    return sampling.read(network, state.params, position, prompt(batch))


def _of_characters(batch: Batch) -> bool:
    return all(len(label) == 1 for label in batch.labels if label not in (START, END))


def _spelled(batch: Batch, ids: Iterable[int]) -> str:
    symbols = (batch.labels[i] for i in ids)
    space = "" if _of_characters(batch) else " "
    return space.join("⏎" if symbol == "\n" else symbol for symbol in symbols)


def _digits(run: Training, styles: Styles, most: int) -> None:
    batch = held_out_pictures(run.experiment)
    found = [_answers(label, each, batch, most) for label, each in run.trainees.items()]
    pictures = batch.x.reshape(-1, PICTURES).T.reshape(PICTURES, 8, 8)
    live_chart(
        digits.digits_figure.plain(pictures, found, styles=styles),
        key="digits",
        revision=run.zoom,
        height=digits.HEIGHT,
        tracks=digits.digits_tracks(found) if most > 1 else (),
        filename="rnnviz-digits",
        alt="Pictures of digits that were never trained on, and each model's answers",
    )
    layout.how_to_read(texts("train")["how_to_read_digits"])


def _answers(label: str, trainee: Trainee, batch: Batch, most: int) -> Answers:
    states = trainee.checkpoints(most)
    y = [predict(trainee.network, state.params, batch)[-1] for state in states]
    steps = np.array([state.step for state in states])
    return Answers(label, steps, np.argmax(y, axis=1), batch.target[-1])


def held_out_pictures(experiment: Experiment) -> Batch:
    """Pictures that training never sees."""
    e = experiment
    return make_task(e).batch(e.seed, e.seq_len, PICTURES, e.loss_at, first=HELD_OUT)
