"""A network that was brought and trained on: its loss, and what becomes of its gradient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rnnviz.analysis.courses import Course
from rnnviz.core.bptt import Tell
from rnnviz.models.brought import FromWeights
from rnnviz.models.replay import make_batch
from rnnviz.models.training import OPTIONS, courses
from rnnviz.plots import theme
from rnnviz.plots import training as plots
from rnnviz.training import METRICS
from rnnviz.views.layer_choice import LayerChoice
from rnnviz.views.picture import Picture, Words
from rnnviz.views.train import entry_of, maps_picture
from rnnviz.wording.lists import names, sentences
from rnnviz.wording.names import display_name
from rnnviz.wording.numbers import general
from rnnviz.wording.texts import say, texts
from rnnviz.wording.training import event_words

LOSS_HEIGHT = 236
ONE = LayerChoice(("1",), ("forward",), "1", "forward")


@dataclass(frozen=True, eq=False)
class View:
    """What is said of the training. courses: the brought network's first. entry: where new error
    enters (`train.entry_of`)."""

    courses: tuple[Course, ...]
    metric: str
    entry: str

    @property
    def styles(self) -> dict[str, theme.Style]:
        return theme.model_styles([course.label for course in self.courses])

    @property
    def layers(self) -> LayerChoice:
        return ONE


def view(brought: FromWeights, tell: Tell | None = None) -> View:
    """Train both networks, and say what came out."""
    mask = make_batch(brought.model, brought.data, brought.loss).mask
    metric = METRICS[brought.loss or brought.losses[0]]
    return View(courses(brought, tell), metric, entry_of([brought.model.network], mask))


def pictures(view: View) -> Iterator[Picture | Words]:
    """From which loss to which, the loss, and the gradient over training."""
    text = texts("your_network")
    yield Words("verdict", (_words(view),))
    yield Picture(
        "loss",
        plots.loss_figure.plain(
            view.courses, metric_name=view.metric, styles=view.styles, height=LOSS_HEIGHT
        ),
        text["alt_trained"],
        text["how_to_read_trained"],
        step_axis=True,
    )
    yield maps_picture(view.courses, view.styles, entry=view.entry)


def _words(view: View) -> str:
    from_to = names(map(_of_course, view.courses))
    trained = say("your_network", "trained", rate=general(OPTIONS.learning_rate, 1),
                  clip=general(OPTIONS.clip_at, 1), courses=from_to)  # fmt: skip
    return sentences([trained, *(_ended(c) for c in view.courses if c.event)])


def _ended(course: Course) -> str:
    """What ended a network's training."""
    model, event = display_name(course.label), event_words(course)
    return say("your_network", "trained_ended", model=model, event=event)


def _of_course(course: Course) -> str:
    losses = course.curves.loss_per_answer
    return say("your_network", "trained_one", model=display_name(course.label),
               first=general(float(losses[0]), 3), last=general(float(losses[-1]), 3),
               updates=course.last_step)  # fmt: skip
