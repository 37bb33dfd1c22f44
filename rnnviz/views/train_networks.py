"""What the networks do at the checkpoints of their training: their gates, a text that they write,
pictures that they read; now, or at the training step that is chosen in the browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from rnnviz.core.network import Network, forward_network, predict
from rnnviz.experiment import Plan
from rnnviz.jobs.training import Training
from rnnviz.plots import samples, theme
from rnnviz.plots import training_weights as weights
from rnnviz.plots.samples import Answers, Next, Written
from rnnviz.plots.training_weights import GateCourse
from rnnviz.tasks import Batch
from rnnviz.tasks.batch import HELD_OUT
from rnnviz.training import TrainState, sampling
from rnnviz.views.picture import Picture
from rnnviz.wording.lists import apart, names_and
from rnnviz.wording.texts import caption, fill, texts

Array = np.ndarray
T = TypeVar("T")
States = dict[str, list[TrainState]]
"""Of each model, at the checkpoints that are shown."""

CHECKPOINTS = 16
"""Networks that the scrubber goes through, for what is not recorded at every training step."""
UNITS, STEPS = 32, 120
"""What a panel of gates shows of its units and time steps, at most."""
HEIGHT = 230
LIKELY = 5
"""Symbols whose probability is shown."""
PICTURES = 10
CAPTIONING = "captioning"


@dataclass(frozen=True, eq=False)
class View:
    """What the networks of a training do. gates: of each model; written, likely: of those that can
    write; answers: of those that read the `digits` (n, 8, 8), their `captions` if that is what
    they give. prompt: what a text begins with;
    sentences: whether one has an end. tracks: whether there is more than the last checkpoint."""

    styles: dict[str, theme.Style]
    gates: tuple[GateCourse, ...]
    written: tuple[Written, ...] = ()
    likely: tuple[Next, ...] = ()
    prompt: str = ""
    sentences: bool = False
    answers: tuple[Answers, ...] = ()
    digits: Array | None = None
    captions: bool = False
    tracks: bool = True


def view(run: Training, batch: Batch, most: int = CHECKPOINTS) -> View:
    """What the networks of `run` do with the sequences of its first `batch`, at `most` checkpoints,
    the last one among them."""
    styles, networks = theme.model_styles(list(run.trainees)), run.plan.networks
    states = {label: trainee.checkpoints(most) for label, trainee in run.trainees.items()}
    gates = tuple(_gates(label, networks[label], states[label], batch) for label in states)
    found = View(styles, gates, tracks=most > 1)
    if run.experiment.task in ("digit_rows", "digit_pixels"):
        return _with_digits(found, run.plan, states)
    return _with_texts(found, run, batch, states) if batch.x.ndim == 2 and batch.labels else found


def _with_digits(view: View, plan: Plan, states: States) -> View:
    """What the networks take the digits for."""
    unseen = held_out_pictures(plan)
    answers = tuple(_answers(label, plan.networks[label], each, unseen)
                    for label, each in states.items())  # fmt: skip
    read = unseen.x.reshape(-1, PICTURES).T.reshape(PICTURES, 8, 8)
    return replace(view, answers=answers, digits=read)


def _with_texts(view: View, run: Training, batch: Batch, states: States) -> View:
    """What they write, and of captioning what they call the pictures."""
    plan, networks, seed = run.plan, run.plan.networks, run.experiment.seed
    view = replace(
        view,
        written=_of_those_that_can(
            states, lambda label, each: _written(label, networks[label], each, batch, seed)
        ),
        likely=_of_those_that_can(
            states, lambda label, each: _likely(label, networks[label], each, batch)
        ),
        prompt=sampling.spelled(batch, sampling.prompt(batch)),
        sentences=sampling.end_of(batch) is not None,
    )
    if plan.task.name != CAPTIONING:
        return view
    shown = held_out_pictures(plan)
    answers = _of_those_that_can(
        states, lambda label, each: _captions(label, networks[label], each, shown)
    )
    digits = _contexts(shown).T.reshape(PICTURES, 8, 8)
    return replace(view, answers=answers, digits=digits, captions=True)


def _of_those_that_can(states: States, read: Callable[[str, list[TrainState]], T]) -> tuple[T, ...]:
    """What is read off each network that can write: not of one that reads backwards, has answers
    that are no inputs, or has blown up."""
    found = []
    for label, each in states.items():
        with suppress(ValueError):
            found.append(read(label, each))
    return tuple(found)


def _gates(label: str, network: Network, states: Sequence[TrainState], batch: Batch) -> GateCourse:
    """The memory gate, or the state of a cell without gates, of the first layer for the first
    sequence."""
    cell = network.cells[0]
    gate = cell.MEMORY_GATE or "h"
    values = np.stack([_values(network, state, gate, batch) for state in states])
    down, across = (
        -(-size // most) for size, most in zip(values.shape[1:], (UNITS, STEPS), strict=True)
    )
    return GateCourse(label, gate, _steps(states), values[:, ::down, ::across], down, across)


def _values(network: Network, state: TrainState, gate: str, batch: Batch) -> Array:
    """(H, T) of the gate in the network's own run, first state and all."""
    context = None if batch.context is None else batch.context[:, :1]
    record = forward_network(
        network, state.params, batch.x[..., :1], lengths=batch.lengths[:1], context=context
    )
    layer = record.layers[0][0]
    shown = layer.gates[gate] if network.cells[0].MEMORY_GATE else layer.h[1:]
    return shown[: int(batch.lengths[0]), :, 0].T  # padding is not drawn


def _written(
    label: str, network: Network, states: Sequence[TrainState], batch: Batch, seed: int
) -> Written:
    said = [
        sampling.sample_text(network, s.params, batch, np.random.default_rng([seed, s.step]))
        for s in states
    ]
    return Written(label, _steps(states), said)


def _likely(label: str, network: Network, states: Sequence[TrainState], batch: Batch) -> Next:
    """The likeliest symbols after the given ones."""
    positions = (sampling.after_prompt(network, s.params, batch) for s in states)
    rows = [sampling.top(sampling.probabilities(p), batch.labels, LIKELY) for p in positions]
    symbols = [[symbol for symbol, _ in row] for row in rows]
    chances = np.array([[chance for _, chance in row] for row in rows])
    return Next(label, _steps(states), symbols, chances)


def _answers(label: str, network: Network, states: Sequence[TrainState], batch: Batch) -> Answers:
    y = [predict(network, state.params, batch)[-1] for state in states]
    return Answers(label, _steps(states), np.argmax(y, axis=1), batch.target[-1])


def _captions(label: str, network: Network, states: Sequence[TrainState], batch: Batch) -> Answers:
    """Names of the pictures, each letter the likeliest one."""
    names = [sampling.captions(network, s.params, _contexts(batch), batch.labels) for s in states]
    truth = [sampling.spelled_out(column, batch.labels) for column in batch.target.T]
    return Answers(label, _steps(states), np.array(names), np.array(truth))


def _contexts(batch: Batch) -> Array:
    assert batch.context is not None
    return batch.context


def _steps(states: Sequence[TrainState]) -> Array:
    return np.array([state.step for state in states])


def held_out_pictures(plan: Plan) -> Batch:
    """Pictures that training never sees."""
    e = plan.experiment
    return plan.task.batch(e.seed, e.seq_len, PICTURES, e.loss_at, first=HELD_OUT)


def pictures(view: View) -> Iterator[Picture]:
    """The gates; what is written and what is likely next, or the digits, where the task has any."""
    text = texts("train")
    yield Picture(
        "gate-course",
        weights.gate_course_figure.plain(view.gates, styles=view.styles, height=HEIGHT),
        text["alt_gates"],
        _gates_words(view),
        time_axis=True,
        tracks=weights.gate_tracks(view.gates) if view.tracks else (),
    )
    if view.digits is not None:
        yield Picture(
            "digits",
            samples.digits_figure.plain(view.digits, view.answers, styles=view.styles),
            text["alt_digits"],
            text["how_to_read_captions" if view.captions else "how_to_read_digits"],
            tracks=samples.digits_tracks(view.answers) if view.tracks else (),
        )
    if view.written:
        yield from _texts(view)


def _gates_words(view: View) -> str:
    """How the gates are read: of how many units and steps a row and a column are one."""
    rows = [_one_in("row", "row_in", each.units_each) for each in view.gates]
    columns = [_one_in("column", "column_in", each.steps_each) for each in view.gates]
    names = [view.styles[each.label].title for each in view.gates]
    row, column = (_of_each(names, words) for words in (rows, columns))
    return fill(texts("train")["how_to_read_gates"], row=row, column=column)


def _one_in(one: str, one_in: str, each: int) -> str:
    return caption(one) if each == 1 else caption(one_in, count=each)


def _of_each(names: Sequence[str], words: Sequence[str]) -> str:
    """What is so of all, once; else of each by its name."""
    if len(set(words)) <= 1:
        return "".join(words[:1])
    pairs = zip(names, words, strict=True)
    return names_and(caption("row_of", model=name, row=word) for name, word in pairs)


def _texts(view: View) -> Iterator[Picture]:
    text, styles = texts("train"), view.styles
    read = "how_to_read_sentence" if view.sentences else "how_to_read_sample"

    def writes(one: Written) -> str:
        return fill(text["alt_writes"], model=styles[one.label].title, written=one.texts[-1])

    yield Picture(
        "written",
        samples.written_figure.plain(view.written, styles=styles),
        apart(writes(w) for w in view.written),
        fill(text[read], given=view.prompt),
        tracks=samples.written_tracks(view.written) if view.tracks else (),
    )
    yield Picture(
        "next-symbol",
        samples.next_figure.plain(view.likely, styles=styles),
        text["alt_next"],
        fill(text["how_to_read_next"], given=view.prompt),
        tracks=samples.next_tracks(view.likely) if view.tracks else (),
    )
