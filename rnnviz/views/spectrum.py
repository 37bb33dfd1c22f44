"""What does W_hh promise, and what happens? One block of one model's W_hh, and its steps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnnviz.analysis.gradients import gradient_flow
from rnnviz.analysis.layers import LayerTrace
from rnnviz.analysis.lyapunov import LyapunovSpectrum
from rnnviz.analysis.predictions import WeightLaw
from rnnviz.analysis.remarks import Remark
from rnnviz.analysis.slopes import shows_rounding
from rnnviz.analysis.spectra import (
    POWERS,
    JacobianSpectrum,
    Spectrum,
    jacobian_spectrum,
    weight_spectra,
    whole_step,
)
from rnnviz.analysis.verdicts import spectrum_verdict
from rnnviz.core import Cell
from rnnviz.experiment import Run
from rnnviz.plots import jacobians as jacobian_plots
from rnnviz.plots import lyapunov, theme
from rnnviz.plots import spectra as plots
from rnnviz.views import layer_choice, theory
from rnnviz.views.layer_choice import LayerChoice, parts_of, single
from rnnviz.views.picture import Picture, Words
from rnnviz.views.seeds import true_parts
from rnnviz.wording.lists import sentences
from rnnviz.wording.names import display_name
from rnnviz.wording.numbers import general, scientific, steps
from rnnviz.wording.remarks import remark_words
from rnnviz.wording.texts import fill, texts
from rnnviz.wording.verdicts import say

COARSE_STEPS = 12
FEW_POWERS = (1, 2, 3, 5, 8, 14, 24, 40, 50)
EXACT_HIDDEN_SIZE = 128
JACOBIAN_BUDGET = 250_000_000
"""Multiplications: about half a second of singular values."""


@dataclass(frozen=True)
class Choices:
    """model: a label, gate: of its cell, layer, direction: names of a `LayerChoice`; "" for the
    first RNN, the gate that keeps, the last layer. theory: whether it is laid over. coarse: fewer
    powers and steps, while a knob is dragged."""

    model: str = ""
    gate: str = ""
    layer: str = ""
    direction: str = ""
    theory: bool = False
    coarse: bool = False


@dataclass(frozen=True, eq=False)
class View:
    """What the page says of one model of a run.

    models, gates: what there is to choose from. kind: "rnn", "skip" or "leak" for one whose error
    has other ways than W_hh, "gate" for a gated cell, of which no single block decides. law: what
    theory says of the block; silent: why it says nothing, "" if it does or was not asked. skips:
    whether an older state acts on a step past W_hh, which the step's Jacobian leaves out.
    """

    choices: Choices
    models: tuple[str, ...]
    model: str
    layers: LayerChoice
    gates: tuple[str, ...]
    label: str
    gate: str
    kind: str
    spectrum: Spectrum
    jacobian: JacobianSpectrum
    styles: dict[str, theme.Style]
    verdict: str
    notes: tuple[str, ...]
    law: WeightLaw | None
    silent: str
    skips: bool

    @property
    def beside(self) -> tuple[object, ...]:
        """What stands on the page beside the figures: choices, and what is said without numbers."""
        return self.models, self.layers, self.gates, self.notes


def view(run: Run, choices: Choices = Choices()) -> View:
    """What the page says of `run`."""
    parts, text = layer_choice.parts_of(run), texts("spectrum")
    model = choices.model if choices.model in parts else _first_simple(parts)
    part, layers = layer_choice.single(parts, model, choices.layer, choices.direction)
    # While a knob moves a float64 pass beside each one is made only where it would be seen.
    rounded = not choices.coarse or any(shows_rounding(each.trace) for each in parts[model])
    (exact,) = true_parts([part], parts) if rounded else (part,)
    cell = part.trace.cell
    gate = choices.gate if choices.gate in cell.trainable_gates else _gate_that_keeps(cell)
    spectrum = _spectrum(part, gate, choices.coarse)
    law = theory.of_block(run, part, gate, spectrum.powers_k) if choices.theory else None
    ways = (*["no_single_block"] * (not cell.SIMPLE), *cell.other_ways)
    return View(
        choices=choices,
        models=tuple(parts),
        model=model,
        layers=layers,
        gates=tuple(cell.trainable_gates),
        label=part.label,
        gate=gate,
        kind=_kind(cell),
        spectrum=spectrum,
        jacobian=jacobians(exact, choices.coarse),
        styles=theme.model_styles([*parts, part.label]),
        verdict=_verdict(exact, spectrum),
        notes=tuple(text[way] for way in ways),
        law=None if isinstance(law, Remark) else law,
        silent=remark_words(law) if isinstance(law, Remark) else "",
        skips=cell.skip > 0,
    )


def _kind(cell: Cell) -> str:
    """Of a `View`; of one with a leak and a skip it is the skip."""
    if not cell.SIMPLE:
        return "gate"
    return cell.other_ways[-1] if cell.other_ways else "rnn"


def _first_simple(parts: layer_choice.Parts) -> str:
    simple = [label for label, each in parts.items() if each[0].trace.cell.SIMPLE]
    return (simple or list(parts))[0]


def _gate_that_keeps(cell: Cell) -> str:
    """The memory gate, if the cell has one with weights."""
    return cell.MEMORY_GATE if cell.MEMORY_GATE in cell.trainable_gates else cell.trainable_gates[0]


def _spectrum(part: LayerTrace, gate: str, coarse: bool) -> Spectrum:
    """With ‖W^k‖^(1/k) for every k to 50, or for a few of them."""
    few = coarse or part.trace.cell.hidden_size > EXACT_HIDDEN_SIZE
    powers = FEW_POWERS if few else POWERS
    return weight_spectra(part.trace, part.label, [gate], powers)[gate]


def jacobians(part: LayerTrace, coarse: bool = False) -> JacobianSpectrum:
    """Of every step of the first sequence that the time allows, or of a dozen; at steps of the
    input, also where the layer reads from the end."""
    trace = part.trace
    size = trace.cell.hidden_size * (2 if trace.cell.HAS_CELL_STATE else 1)
    last = trace.steps_of(0)  # the sequence may be shorter than T
    count = max(2, min(last, JACOBIAN_BUDGET // size**3))
    stride = math.ceil(last / (min(count, COARSE_STEPS) if coarse else count))
    found = jacobian_spectrum(trace, part.label, steps=range(last, 0, -stride)[::-1])
    if part.direction == 0:
        return found
    return replace(
        found,
        steps=last + 1 - found.steps[::-1],
        singular_values=found.singular_values[::-1],
        mean_slope=found.mean_slope[::-1],
    )


def _verdict(part: LayerTrace, spectrum: Spectrum) -> str:
    cell = part.trace.cell
    flow = gradient_flow(part.trace, part.label, part.trace.batch_size)
    return say(
        spectrum_verdict(
            spectrum,
            flow.rate,
            cell.activation_of(cell.CANDIDATE_GATE).name,
            reach_status=flow.reach_status,
            refilled=flow.refilled,
            step=whole_step(part.trace) if cell.SIMPLE and cell.other_ways else None,
        )
    )


def pictures(view: View) -> Iterator[Picture | Words]:
    """The verdict; singular values beside eigenvalues, powers, the steps."""
    text = texts("spectrum")
    yield Words("verdict", (view.verdict,))
    if view.silent:
        yield Words("warning", (fill(text["no_law"], reason=view.silent),))
    if view.notes:
        yield Words("note", view.notes)
    yield from _weights(view, text)
    rate = view.jacobian.measured_rate
    on_log_axis = rate is not None and 0 < rate < math.inf
    growth = text["how_to_read_powers"]
    if view.law:
        growth = fill(text["how_to_read_growth"], gain=general(view.law.gain, 2))
    yield Picture(
        "powers",
        plots.powers_figure.plain(
            [view.spectrum], {view.label: rate}, styles=view.styles, law=view.law
        ),
        text["alt_powers"],
        sentences((growth, text["measured_powers"] * plots.is_drawn(rate))),
    )
    how = f"how_to_read_jacobian{'_skip' * view.skips}"
    yield Picture(
        "jacobians",
        jacobian_plots.jacobian_figure.plain([view.jacobian], styles=view.styles),
        text["alt_jacobians"],
        sentences((text[how], text["measured_jacobian"] * on_log_axis)),
        time_axis=True,
    )


def _weights(view: View, text: Mapping[str, str]) -> Iterator[Picture]:
    simple, kind = view.kind == "rnn", "" if view.kind == "rnn" else f"_{view.kind}"
    slope = float(view.jacobian.mean_slope.mean())
    circled = "_plain" if simple and not plots.has_slope_circle(view.spectrum, slope) else ""
    yield Picture(
        "singular-values",
        plots.singular_values_figure.plain(
            [view.spectrum], styles=view.styles, promise=simple, law=view.law
        ),
        text["alt_singular_values"],
        text["how_to_read_law" if view.law else f"how_to_read_singular{kind}"],
    )
    yield Picture(
        "eigenvalues",
        plots.eigenvalue_figure.plain(
            [view.spectrum], slope if simple else None, styles=view.styles, law=view.law
        ),
        text["alt_eigenvalues"],
        text["how_to_read_disc" if view.law else f"how_to_read_eigenvalues{kind}{circled}"],
    )


@dataclass(frozen=True, eq=False)
class Shown:
    """What the panels are of: of every model of a run the layer and the direction that the page
    shows of one."""

    run: Run
    parts: tuple[LayerTrace, ...]
    styles: dict[str, theme.Style]


def shown(run: Run, layers: LayerChoice) -> Shown:
    """Of `run` what is chosen in `layers`, as far as its models have it."""
    parts = parts_of(run)
    chosen = tuple(single(parts, model, layers.layer, layers.direction)[0] for model in parts)
    return Shown(run, chosen, theme.model_styles([*parts, *(part.label for part in chosen)]))


def exponents_picture(
    spectra: Sequence[LyapunovSpectrum],
    long_run: Sequence[LyapunovSpectrum],
    mean_field: Mapping[str, float],
    styles: Mapping[str, theme.Style],
) -> Picture:
    """The exponents of the run's own length, of a long run, and what theory says of the first."""
    text = texts("spectrum")
    few = any(np.isnan(spectrum.largest) for spectrum in spectra)
    keys = ["lyapunov", *["at_least"] * few, *["long_run"] * bool(long_run),
            *["mean_field"] * bool(mean_field)]  # fmt: skip
    return Picture(
        "lyapunov",
        lyapunov.lyapunov_figure.plain(
            spectra, long_run=long_run, mean_field=mean_field, styles=styles
        ),
        text["alt_lyapunov"],
        sentences(text[f"how_to_read_{key}"] for key in keys),
    )


def exponents_row(spectrum: LyapunovSpectrum) -> dict[str, object]:
    """A spectrum as a row of the table below the figure."""
    text, largest = texts("spectrum"), spectrum.largest
    return {
        text["column_model"]: display_name(spectrum.label),
        text["column_steps"]: f"{spectrum.steps:,}",
        text["column_lambda_1"]: largest,
        text["column_meaning"]: _meaning(largest),
        text["column_sum"]: float(spectrum.exponents.sum()),
        text["column_determinant"]: spectrum.determinant,
        text["column_residual"]: scientific(spectrum.residual, nothing="–"),
    }


def _meaning(largest: float) -> str:
    """How many steps it takes to change e-fold."""
    if not np.isfinite(largest) or largest == 0:
        return "–"
    name = "grows_e_fold" if largest > 0 else "falls_e_fold"
    return fill(texts("spectrum")[name], steps=steps(1 / abs(largest)))


def bands_pictures(
    spectra: Sequence[JacobianSpectrum], styles: Mapping[str, theme.Style], skips: bool = False
) -> Iterator[Picture]:
    """All singular values of every step's Jacobian. skips: whether any model has a skip."""
    text = texts("spectrum")
    yield Picture(
        "bands",
        jacobian_plots.jacobian_bands.plain(spectra, styles=styles),
        text["alt_bands"],
        sentences((text["how_to_read_bands"], text["bands_skip"] * skips)),
        time_axis=True,
    )
