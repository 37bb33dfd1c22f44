"""What is wrong with a network that somebody brought? Its diagnosis, then the figures of another
page, of its run beside that of a fresh network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rnnviz.core.bptt import Tell
from rnnviz.experiment import Run
from rnnviz.models.brought import Brought, FromPassage, FromWeights
from rnnviz.models.diagnosis import Finding
from rnnviz.models.layouts import LAYOUTS
from rnnviz.models.training import is_trainable
from rnnviz.plots import theme
from rnnviz.views import gates, gradient_flow, spectrum, trained_on
from rnnviz.views.layer_choice import LayerChoice
from rnnviz.views.picture import Picture, Words, padding_note
from rnnviz.wording.diagnosis import FindingWords, finding_words
from rnnviz.wording.library import translated
from rnnviz.wording.lists import names, sentences
from rnnviz.wording.markup import literal
from rnnviz.wording.names import cell_name, display_name
from rnnviz.wording.numbers import counted
from rnnviz.wording.texts import fill, say, texts

FIGURES = ("gradient_flow", "spectrum", "gates", "train")
OF_ONE = ("spectrum", "gates")
"""Those of one network alone."""
MOST_UNITS = 512
"""Of a layer whose singular values are drawn."""
SENTENCES = 2
"""Serious findings that are said in large."""
Figures = gradient_flow.View | spectrum.View | gates.View | trained_on.View
HORIZONS = ("horizon", "horizon_beyond")


@dataclass(frozen=True)
class Choices:
    """figures: one of `FIGURES`. model: a label, where these show one network alone. layer,
    direction: names of a `LayerChoice`. "" for the first."""

    figures: str = FIGURES[0]
    model: str = ""
    layer: str = ""
    direction: str = ""


@dataclass(frozen=True, eq=False)
class View:
    """What the page says. models: labels, the brought network's first; none but the first where
    there is nothing to compare. verdict: the diagnosis in one or two sentences. findings: all of
    it. notes: what was assumed, and what stands in for what nobody gave; padding: a sentence on it.
    figures: None where there is nothing to draw. unbiased: whether neither network has biases."""

    choices: Choices
    models: tuple[str, ...]
    verdict: tuple[str, ...]
    serious: int
    findings: tuple[FindingWords, ...]
    notes: tuple[str, ...]
    padding: str
    figures: Figures
    unbiased: bool

    @property
    def styles(self) -> dict[str, theme.Style]:
        return {**theme.model_styles(self.models), **self.figures.styles}

    @property
    def layers(self) -> LayerChoice:
        return self.figures.layers


def view(
    run: Run,
    brought: Brought,
    findings: Sequence[Finding],
    lag: int | None = None,
    choices: Choices = Choices(),
    tell: Tell | None = None,
) -> View:
    """What the page says of a run whose first network is the brought one. tell: see `courses`."""
    return View(
        choices=choices,
        models=tuple(run),
        verdict=_verdict(findings, lag),
        serious=sum(one.serious for one in findings),
        findings=tuple(map(finding_words, findings)),
        notes=(*brought.notes, *filter(None, (run.batch.note,))),
        padding=padding_note(run.batch),
        figures=_figures(run, brought, choices, tell),
        unbiased=brought.unbiased,
    )


def offered(brought: Brought) -> tuple[str, ...]:
    """Figures that this network has: not every one has gates of memory or something to learn, and
    singular values of large ones take too long."""
    cells = [cell for network in brought.networks for cell in network.cells]
    left_out = {"gates"} if not any(cell.MEMORY_GATE for cell in cells) else set()
    left_out |= {"train"} if not is_trainable(brought) else set()
    left_out |= {"spectrum"} if max(cell.hidden_size for cell in cells) > MOST_UNITS else set()
    return tuple(name for name in FIGURES if name not in left_out)


def _verdict(findings: Sequence[Finding], lag: int | None) -> tuple[str, ...]:
    """What hinders the gradient, the serious first; that nothing is wrong, which is said only of a
    lag; the horizon."""
    hindering = sorted((one for one in findings if one.hinders), key=lambda one: not one.serious)
    if not hindering and lag is not None:
        return (say("diagnosis", "nothing", lag_steps=counted(lag, "steps")),)
    said = hindering or [one for one in findings if one.kind in HORIZONS]
    return tuple(finding_words(one).sentence for one in said[:SENTENCES])


def _figures(run: Run, brought: Brought, choices: Choices, tell: Tell | None) -> Figures:
    where = choices.layer, choices.direction
    if choices.figures == "train":
        assert isinstance(brought, FromWeights)
        return trained_on.view(brought, tell)
    if choices.figures == "gradient_flow":
        return gradient_flow.view(run, gradient_flow.Choices(*where))
    model, (layer, direction) = choices.model or next(iter(run)), where
    if choices.figures == "spectrum":
        return spectrum.view(run, spectrum.Choices(model, layer, direction))
    return gates.view(run, gates.Choices(model, layer, direction))


def pictures(view: View) -> Iterator[Picture | Words]:
    """The diagnosis, then the figures; what their own page says first is said in small."""
    yield Words("verdict", view.verdict)
    modules = {gradient_flow.View: gradient_flow, spectrum.View: spectrum, gates.View: gates,
               trained_on.View: trained_on}  # fmt: skip
    for item in modules[type(view.figures)].pictures(view.figures):
        yield (
            Words("sentence", item.lines)
            if isinstance(item, Words) and item.key == "verdict"
            else item
        )


def understood(brought: Brought, name: str, data_name: str = "") -> str:
    """What was understood of files: whose network, which shape, run on what."""
    text, networks, (steps, batch_size) = texts("your_network"), brought.networks, brought.size
    cells = [cell for network in networks for cell in network.cells]
    both, units = networks[0].directions > 1, (counted(c.hidden_size, "units") for c in cells)
    shape = fill(
        text["shape"],
        cell=cell_name(type(cells[0]).__name__),
        input=counted(cells[0].input_size, "inputs"),
        hidden=names(dict.fromkeys(units)),
        layers=counted(len(cells), "layers"),
        directions=text["both_directions" if both else "one_direction"],
        params=f"{brought.params:,}",
    )
    run_on = text["run_on_file" if data_name else "run_on"]
    ran = fill(
        run_on, steps=counted(steps, "steps"), sequences=f"{batch_size:,}", name=literal(data_name)
    )
    return sentences([_whose(brought, name), shape, ran])


def _whose(brought: Brought, name: str) -> str:
    if isinstance(brought, FromPassage):
        module = say("your_network", "module", module=literal(brought.name)) if brought.name else ""
        return say("your_network", "from_run", name=literal(name), module=module)
    assert isinstance(brought, FromWeights)
    reading = brought.model.reading
    said = say("your_network", "reading", reading=translated(reading)) if reading else ""
    whose = LAYOUTS[brought.model.layout].title
    return say("your_network", "from_weights", name=literal(name), whose=whose, reading=said)


def fresh_words(view: View) -> str:
    """What the other network is."""
    which = "fresh_unbiased" if view.unbiased else "fresh"
    return say("your_network", which, name=display_name(view.models[-1]))
