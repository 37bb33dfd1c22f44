"""Where does learning live? A number over two knobs, a panel a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rnnviz.analysis.phase import Axis, PhaseGrid, phase_grids
from rnnviz.experiment.effects import acted_on
from rnnviz.jobs.phase import Diagram
from rnnviz.plots import phase as plots
from rnnviz.plots import theme
from rnnviz.views.picture import Picture, Words
from rnnviz.wording.lists import names_and
from rnnviz.wording.names import display_name, field_name
from rnnviz.wording.phase import phase_words
from rnnviz.wording.texts import fill, texts

QUANTITIES = ("slope", "horizon", "reach", "lambda_1")
HEIGHT = 400


@dataclass(frozen=True)
class Choices:
    """quantity: one of `QUANTITIES`. here: the two knobs' own values, where a ring is drawn; None
    for no ring."""

    quantity: str = "slope"
    here: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class View:
    """What the page says of a diagram, as far as it is: a grid a model, and the answer in words."""

    quantity: str
    x: Axis
    y: Axis
    grids: tuple[PhaseGrid, ...]
    here: tuple[float, float] | None
    styles: dict[str, theme.Style]
    verdict: tuple[str, ...]
    notes: tuple[str, ...] = ()


def view(diagram: Diagram, choices: Choices = Choices()) -> View:
    """What the page says of `diagram`."""
    models = [str(model) for model in diagram.experiment.models]

    def grids(quantity: str) -> tuple[PhaseGrid, ...]:
        return phase_grids(diagram.results, models, diagram.x, diagram.y, quantity)

    slopes, reaches, here = grids("slope"), grids("reach"), choices.here
    row = here[1] if here else float(diagram.y.values[0])
    return View(
        quantity=choices.quantity,
        x=diagram.x,
        y=diagram.y,
        grids=slopes if choices.quantity == "slope" else grids(choices.quantity),
        here=here,
        styles=theme.model_styles(models),
        verdict=phase_words(slopes, reaches, row) or (texts("phase")["nothing_yet"],),
        notes=_notes(diagram),
    )


def _notes(diagram: Diagram) -> tuple[str, ...]:
    """Which knob of the diagram does not act on which models."""
    axes = {axis.name: axis.values for axis in (diagram.x, diagram.y)}
    said = []
    for axis in (diagram.x, diagram.y):
        acting = acted_on(diagram.experiment, axes, axis.name)
        still = [display_name(str(m)) for m in diagram.experiment.models if m not in acting]
        if still:
            said.append(
                fill(
                    texts("phase")["idle"],
                    setting=field_name(axis.name),
                    models=names_and(still),
                )
            )
    return tuple(said)


def pictures(view: View) -> Iterator[Picture | Words]:
    """The verdict, the diagram."""
    text = texts("phase")
    across, up = field_name(view.x.name), field_name(view.y.name)
    quantity = text[f"number_{view.quantity}"]
    yield Words("verdict", view.verdict)
    if view.notes:
        yield Words("note", view.notes)
    yield Picture(
        "phase",
        plots.phase_figure.plain(view.grids, here=view.here, styles=view.styles, height=HEIGHT),
        fill(text["alt"], quantity=quantity, across=across, up=up),
        text[f"how_to_read_{view.quantity}"],
    )
