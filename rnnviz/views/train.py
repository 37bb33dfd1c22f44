"""What happens while it learns? Loss, gradients and weights over training, one line a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from rnnviz.analysis.courses import Course
from rnnviz.analysis.truncated import longest_reach
from rnnviz.core.network import Network, predict
from rnnviz.core.numerics import Array
from rnnviz.experiment import Plan
from rnnviz.experiment.judging import judged_every
from rnnviz.jobs.training import Training
from rnnviz.plots import theme
from rnnviz.plots import training as plots
from rnnviz.plots import training_gradients as gradients
from rnnviz.plots import training_profile as profile
from rnnviz.plots import training_weights as weights
from rnnviz.tasks.batch import first_sequence
from rnnviz.views.baselines import Levels, levels
from rnnviz.views.picture import Picture, Words
from rnnviz.wording.example import answer_words, example_words
from rnnviz.wording.lists import sentences
from rnnviz.wording.numbers import counted
from rnnviz.wording.texts import fill, texts
from rnnviz.wording.training import Unseen, clip_words, course_words

COARSE = 60
"""Columns of a heatmap while it plays."""
LOSS_HEIGHT, MAP_HEIGHT, LOW_HEIGHT = 196, 180, 230


@dataclass(frozen=True)
class Choices:
    """playing: it goes on, so that coarser pictures will do. log: the loss on a log axis."""

    playing: bool = False
    log: bool = False


@dataclass(frozen=True, eq=False)
class View:
    """What the page says of a training, as far as it is.

    courses: of its models; ghosts: of other runs, drawn in grey. least: training steps that the
    loss has room for. limit: where the gradient is clipped, None if it is not. truncation: how
    far losses are sent back, if not all the way. entry: where new error enters (`entry_of`).
    unseen: how the networks that are shown do on what is held out, if that is known; judged_every:
    training steps after which that is asked while they are trained, 0 for never. example: the task
    by one of its sequences; while nothing is trained what the networks that are shown answer, too.
    """

    choices: Choices
    courses: tuple[Course, ...]
    ghosts: tuple[Course, ...]
    styles: dict[str, theme.Style]
    levels: Levels
    verdict: tuple[str, ...]
    least: int
    limit: float | None
    truncation: tuple[str, ...] = ()
    entry: str = ""
    unseen: tuple[Unseen, ...] = ()
    judged_every: int = 0
    example: str = ""


def view(
    run: Training,
    choices: Choices = Choices(),
    known: Levels | None = None,
    ghosts: Sequence[Course] = (),
    ahead: Training | None = None,
) -> View:
    """What the page says of `run`. known: its `levels`, where they are made already; ahead: a run
    that is trained before this one goes on."""
    courses, e = run.courses(), run.experiment
    given = levels(run.plan) if known is None else known
    unseen = () if choices.playing or ahead is not None else held_out_of(run, given.metric)
    if ahead is None:
        verdict = course_words(
            courses, given.baseline, given.words, given.metric, unseen, given.held_out
        )
    else:
        verdict = (_ahead(ahead),)
    return View(
        choices=choices,
        courses=courses,
        ghosts=tuple(ghosts),
        styles=theme.model_styles([course.label for course in courses]),
        levels=given,
        verdict=verdict,
        least=run.goal or 0,
        limit=None if e.clip == "none" else e.clip_at,
        truncation=_truncation(run.plan),
        entry=entry_of(run.plan.networks.values(), run.plan.batch.mask),
        unseen=unseen or (),
        judged_every=judged_every(run.plan),
        example=_example(run, asked=not choices.playing and ahead is None),
    )


def _example(run: Training, asked: bool) -> str:
    """asked: whether the networks are, once they have been trained."""
    batch = first_sequence(run.plan.batch)
    said = example_words(run.experiment.task, batch)
    if not asked or not run.furthest:
        return said
    networks = run.plan.networks
    answers = {
        label: predict(networks[label], trainee.shown.params, batch)
        for label, trainee in run.trainees.items()
    }
    return sentences([said, answer_words(batch, answers)])


def held_out_of(run: Training, metric: str) -> tuple[Unseen, ...] | None:
    """How the networks that are shown do on what the task holds out: nothing of a task that draws
    all its sequences anew, or before training; None where the task holds nothing out."""
    kind = run.plan.task.unseen
    if kind != "held_out" or not run.furthest:
        return None if not kind else ()
    return tuple(
        Unseen(label, scores["loss_per_answer"], scores[metric])
        for label, scores in run.held_out.items()
    )


def entry_of(networks: Iterable[Network], mask: Array) -> str:
    """Where new error enters the layer that is recorded, the first one: "layers" where a layer
    above sends it at every time step, "refilled" where several steps are asked, of one sequence or
    of sequences that end at different ones; "" where it enters at one step alone. Only then does a
    level gradient say that error has travelled."""
    if any(len(network.cells) > 1 for network in networks):
        return "layers"
    return "refilled" if np.count_nonzero(np.any(mask, axis=1)) > 1 else ""


def _suffix(entry: str) -> str:
    """What the key of a text ends with that is said of where new error enters."""
    return f"_{entry}" if entry else ""


def _truncation(plan: Plan) -> tuple[str, ...]:
    """How backpropagation is truncated, and what that means in stacks and directions; nothing where
    it goes all the way."""
    window, T = plan.experiment.window, plan.seq_len
    if not 0 < window < T:
        return ()
    text, networks = texts("train"), plan.networks.values()
    stride = min(plan.experiment.stride or window, window)
    layers = max(len(network.cells) for network in networks)
    both = any(network.directions == 2 for network in networks)
    spans = {"window": counted(window, "steps"), "stride": counted(stride, "time_steps")}
    said = [fill(text["truncated"], **spans)]
    if layers > 1 and (stride < window or T % window):
        reach = max(_reach(plan, n, stride) for n in networks if len(n.cells) == layers)
        said.append(fill(text["truncated_layers_further"], layers=layers, reach=f"{reach:,}"))
    elif layers > 1:
        said.append(text["truncated_layers"])
    return (*said, text["truncated_directions"]) if both else tuple(said)


def _reach(plan: Plan, network: Network, stride: int) -> int:
    """How many steps back a loss is felt in the first layer of a network."""
    batch, final = plan.batch, network.readout == "final"
    layers, window = len(network.cells), plan.experiment.window
    return longest_reach(batch.mask, batch.lengths, layers, window, stride, final)


def _ahead(run: Training) -> str:
    """How far the run is that a lesson compares with."""
    done, goal = run.updates, run.goal or run.updates
    return fill(texts("train")["ahead"], done=f"{done:,}", goal=f"{goal:,}")


def pictures(view: View) -> Iterator[Picture | Words]:
    """The verdict, loss and metric, the gradient over training; then what is below the fold."""
    yield Words("verdict", view.verdict)
    yield from chain(first_screen(view), below_the_fold(view))


def first_screen(view: View) -> Iterator[Picture]:
    """Loss and metric, gradient over training."""
    text, playing = texts("train"), view.choices.playing
    every = fill(text["how_to_read_held_out"], every=f"{view.judged_every:,}")
    dotted = text["how_to_read_baseline"] * bool(view.levels.baseline)
    how = text["how_to_read_loss"], dotted, view.levels.of, every * bool(view.judged_every)
    yield Picture(
        "loss",
        plots.loss_figure.plain(
            view.courses,
            view.levels.baseline,
            also=view.levels.also,
            ghosts=view.ghosts,
            held_out_now={one.label: (one.loss, one.metric) for one in view.unseen},
            playing=playing,
            least=view.least,
            metric_name=view.levels.metric,
            log=view.choices.log,
            styles=view.styles,
            height=LOSS_HEIGHT,
        ),
        text["alt_loss"],
        sentences(how),
        step_axis=True,
    )
    yield maps_picture(view.courses, view.styles, view.truncation, playing, view.entry)


def maps_picture(
    courses: Sequence[Course],
    styles: Mapping[str, theme.Style],
    truncation: Sequence[str] = (),
    coarse: bool = False,
    entry: str = "",
) -> Picture:
    """The gradient over training, one panel a model. truncation: what is said of it besides;
    entry: where new error enters (`entry_of`)."""
    text = texts("train")
    return Picture(
        "state-maps",
        gradients.state_heatmaps.plain(
            courses,
            styles=styles,
            height=MAP_HEIGHT,
            most_columns=COARSE if coarse else gradients.COLUMNS,
        ),
        text["alt_state_maps"],
        sentences((text[f"how_to_read_maps{_suffix(entry)}"], *truncation)),
        step_axis=True,
    )


def below_the_fold(view: View) -> Iterator[Picture]:
    """Gradient through time, its norm, the weights."""
    text, playing = texts("train"), view.choices.playing
    yield Picture(
        "profile",
        profile.profile_figure.plain(view.courses, styles=view.styles, height=LOW_HEIGHT),
        text["alt_profile"],
        text[f"how_to_read_profile{_suffix(view.entry)}"],
        time_axis=True,
        tracks=() if playing else profile.profile_tracks(view.courses, LOW_HEIGHT),
    )
    free = "_free" * (view.limit is None)
    yield Picture(
        "norms",
        gradients.norm_figure.plain(
            view.courses, view.limit, styles=view.styles, height=LOW_HEIGHT
        ),
        text[f"alt_norms{free}"],
        sentences([text[f"how_to_read_norms{free}"], clip_words(view.courses, view.limit)]),
        step_axis=True,
    )
    yield Picture(
        "spectra-course",
        weights.spectrum_figure.plain(view.courses, styles=view.styles, height=LOW_HEIGHT),
        text["alt_spectra"],
        text["how_to_read_spectra"],
        step_axis=True,
    )
