"""Below the fold of Gates: h and c of one model, unit × time and as lines, beside ∂L/∂h, ∂L/∂c."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rnnviz.analysis.states import State, lasting_units, layer_states
from rnnviz.experiment import Run
from rnnviz.experiment.links import inert
from rnnviz.plots import states as plots
from rnnviz.plots import theme
from rnnviz.plots.cells import CELLS, column_words
from rnnviz.plots.states import MOST_LINES, Shown
from rnnviz.views import layer_choice
from rnnviz.views.layer_choice import LayerChoice
from rnnviz.views.picture import Picture, Words
from rnnviz.views.seeds import true_parts
from rnnviz.wording.lists import sentences, typed
from rnnviz.wording.numbers import counted
from rnnviz.wording.texts import fill, texts

DEFAULT_LINES = 4


@dataclass(frozen=True)
class Choices:
    """model: a label, layer, direction: names of a `LayerChoice`; "" for the first one, its last
    layer. units: numbers as a visitor writes them, "" for those that keep the longest."""

    model: str = ""
    layer: str = ""
    direction: str = ""
    units: str = ""


@dataclass(frozen=True, eq=False)
class View:
    """What the panel says of one model of a run.

    models: what there is to choose from. states: h and, if there is one, c, of the first sequence.
    chosen: numbers of the units that are drawn as lines; by: who chose them: "gate", "gradient" or
    "visitor". problem: what is wrong with what the visitor wrote; "" if nothing is. refilled:
    whether error enters the first sequence at more than one step; backward: whether it travels from
    step 1 to step T. window: after how many steps the gradients are truncated, 0 if they are not.
    sequences: of a loss that is known by its gradients alone, of how many; 0 of others.
    """

    models: tuple[str, ...]
    model: str
    label: str
    layers: LayerChoice
    states: tuple[Shown, ...]
    chosen: tuple[int, ...]
    by: str
    problem: str
    styles: dict[str, theme.Style]
    steps: int
    refilled: bool
    backward: bool
    window: int
    sequences: int


def view(run: Run, choices: Choices = Choices()) -> View:
    """What the panel says of `run`."""
    parts = layer_choice.parts_of(run)
    part, layers = layer_choice.single(parts, choices.model, choices.layer, choices.direction)
    (true,) = true_parts([part], parts)
    units, problem = read_units(choices.units, part.trace.cell.hidden_size)
    by = "visitor"
    if not units:
        units = tuple(int(unit) for unit in lasting_units(true)[:DEFAULT_LINES])
        by = "gate" if part.trace.cell.MEMORY_GATE else "gradient"
    return View(
        models=tuple(parts),
        model=part.model,
        label=part.label,
        layers=layers,
        states=tuple(plots.shown(s, units, CELLS) for s in layer_states(true)),
        chosen=tuple(unit + 1 for unit in units),
        by=by,
        problem=problem,
        styles=theme.model_styles([*parts, part.label]),
        steps=part.trace.steps_of(0),
        refilled=int(part.trace.enters[:, 0].sum()) > 1,
        backward=bool(part.direction),
        window=part.trace.window,
        sequences=part.trace.batch_size if run[part.model].own_loss else 0,
    )


def recorded(run: Run, choices: Choices) -> tuple[State, ...]:
    """h and c of every unit of the chosen layer, with its true derivatives."""
    parts = layer_choice.parts_of(run)
    part, _ = layer_choice.single(parts, choices.model, choices.layer, choices.direction)
    (true,) = true_parts([part], parts)
    return layer_states(true)


def read_units(text: str, size: int) -> tuple[tuple[int, ...], str]:
    """Indices of the units that a text such as "1, 6, 18" names, and what is wrong with it; no
    units, and nothing wrong, for an empty one."""
    words = typed(text)
    if not words:
        return (), ""
    wrong = [word for word in words if not _is_unit(word, size)]
    units = () if wrong else tuple(dict.fromkeys(int(word) - 1 for word in words))
    said, allowed = texts("gates"), {"size": size, "most": MOST_LINES}
    if wrong:
        return (), fill(said["units_wrong"], wrong=inert(wrong[0]), **allowed)
    if len(units) > MOST_LINES:
        return (), fill(said["units_many"], count=len(units), **allowed)
    return units, ""


def _is_unit(word: str, size: int) -> bool:
    return bool(re.fullmatch(r"[0-9]{1,9}", word)) and 1 <= int(word) <= size


def pictures(view: View) -> Iterator[Picture | Words]:
    """Of each state the map beside that of its gradient, the lines beside those of its gradient."""
    text, limits = texts("gates"), plots.gradient_range(view.states)
    if view.problem:
        yield Words("warning", (view.problem,))
    how = fill(text["how_to_read_state_map"], column=column_words(view.steps, "furthest"))
    for each in view.states:
        yield Picture(
            f"state-{each.name}",
            plots.state_map.plain(each, styles=view.styles),
            fill(text["alt_state_map"], state=each.name),
            how,
            time_axis=True,
        )
        yield Picture(
            f"gradient-{each.name}",
            plots.gradient_map.plain(each, limits, styles=view.styles),
            fill(text["alt_gradient_map"], state=each.name),
            _how_to_read_gradient(view),
            time_axis=True,
        )
        yield from _lines(view, each)


def _how_to_read_gradient(view: View) -> str:
    """What a colour is, of which loss, and what is left out of it."""
    text = texts("gates")
    how = [fill(text["how_to_read_gradient_map"], column=column_words(view.steps))]
    if view.sequences:
        how.append(fill(text["gradient_map_own"], sequences=f"{view.sequences:,}"))
    if view.window:
        how.append(fill(text["gradient_map_truncated"], window=counted(view.window, "steps")))
    return sentences(how)


def _lines(view: View, of: Shown) -> Iterator[Picture]:
    text = texts("gates")
    yield Picture(
        f"state-lines-{of.name}",
        plots.state_lines.plain(of, styles=view.styles),
        fill(text["alt_state_lines"], state=of.name),
        text[f"how_to_read_state_lines_{view.by}"],
        time_axis=True,
    )
    yield Picture(
        f"gradient-lines-{of.name}",
        plots.gradient_lines.plain(of, styles=view.styles),
        fill(text["alt_gradient_lines"], state=of.name),
        text[_how_to_read_lines(view)],
        time_axis=True,
    )


def _how_to_read_lines(view: View) -> str:
    if view.refilled:
        return "how_to_read_gradient_lines_refilled"
    way = "_forward" * view.backward
    return f"how_to_read_gradient_lines{way}"
