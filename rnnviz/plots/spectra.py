"""What does W_hh promise, and what happens? Singular values, eigenvalues, powers, Jacobians."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeGuard

import numpy as np

from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.jacobians import jacobian_figure
from rnnviz.plots.marks import EndLabel, end_labels, rule
from rnnviz.plots.panels import UNSEEN, axis, counted, curve, headline, nothing
from rnnviz.plots.spectrum_marks import (
    LARGEST,
    circles_and_key,
    disc,
    drawable,
    edge_rule,
    growth,
    has_slope_circle,
    largest_shown,
    promises,
    quarter_circle,
)
from rnnviz.plots.theme import Styles
from rnnviz.wording.lists import said_of
from rnnviz.wording.numbers import step_factor
from rnnviz.wording.texts import caption

if TYPE_CHECKING:
    from rnnviz.analysis.predictions import WeightLaw
    from rnnviz.analysis.spectra import Spectrum

__all__ = [
    "eigenvalue_figure",
    "has_slope_circle",
    "jacobian_figure",
    "powers_figure",
    "singular_values_figure",
]


SPECTRUM_HEIGHT = 262
POWERS_HEIGHT = 190
MARGIN = {"l": 58, "r": 14, "t": 30, "b": 48}
POWERS_MARGIN = {"l": 60, "r": 184, "t": 12, "b": 48}


@FigureFunction
def singular_values_figure(
    spectra: Sequence[Spectrum],
    *,
    styles: Styles | None = None,
    promise: bool = True,
    law: WeightLaw | None = None,
) -> Drawing:
    """Singular values of one H × H block of each model, largest first: bars for one model,
    lines for several. The dotted rule stands at 1/γ, γ the largest slope of the nonlinearity. Of
    an RNN whose largest value lies below it the gradient must vanish; above it, it may explode.
    For a gate of an LSTM or GRU the rule is drawn without that promise: no single block decides;
    nor for an RNN with `promise` False, whose error takes another way as well (a skip, a leak).
    law : the quarter-circle law of the first model's block, drawn over it.

    Examples
    --------
    >>> spectrum = analysis.weight_spectra(traces["rnn"], "rnn")["a"]
    >>> figure = plots.singular_values_figure([spectrum])
    """
    known = theme.styles_for([s.label for s in spectra], styles)
    drawn = [s for s in spectra if drawable(s.singular_values)]
    layout: Piece = {"height": SPECTRUM_HEIGHT, "margin": MARGIN}
    if not drawn:
        return drawing([UNSEEN], {**layout, **nothing(_why_empty(spectra))}, "singular-values")
    only = len(drawn) == 1
    data = [_singular_values(s, known[s.label], bars=only) for s in drawn]
    data += [] if law is None else [quarter_circle(law, known[drawn[0].label])]
    edges = sorted({1 / s.lipschitz for s in drawn})
    theory = [] if law is None else [float(law.singular_values[0])]
    top = 1.1 * max([*(s.sigma_max for s in drawn), *edges, *theory])
    sizes = [(known[s.label], _name(s, known, f"{s.sigma_max:.2f}", only)) for s in drawn]
    count = max(len(s.singular_values) for s in drawn)
    layout |= {
        "margin": {**MARGIN, "r": 156},
        "xaxis": axis(caption("singular_values"), showgrid=False, **counted(count, 6)),
        "yaxis": axis("σ", range=[0, top]),
        "bargap": 0.15,
        "shapes": [edge_rule(edge) for edge in edges],
        "annotations": [
            headline("σ<sub>max</sub> =", sizes, 390),
            *promises(drawn, edges, promise),
        ],
    }
    return drawing(data, layout, "singular-values")


def _name(spectrum: Spectrum, styles: Styles, value: str, only: bool) -> str:
    style = styles[spectrum.label]
    if only and spectrum.simple:
        return value
    gate = "" if spectrum.simple else f" {spectrum.gate}"
    return f"{style.name}{gate} {value}"


def _why_empty(spectra: Sequence[Spectrum]) -> str:
    if not spectra:
        return caption("no_model")
    if any(np.isfinite(s.sigma_max) for s in spectra):
        return caption("stretches", most=f"{LARGEST:.0e}")
    return caption("not_finite")


def _singular_values(spectrum: Spectrum, style: theme.Style, *, bars: bool) -> Piece:
    values = spectrum.singular_values
    rank = np.arange(1, len(values) + 1)
    drawn = curve(rank, values, style, caption("singular_value_hover"))
    if not bars:
        return drawn
    kept = {key: drawn[key] for key in ("x", "y", "name", "hovertemplate")}
    return {**kept, "type": "bar", "marker": {"color": style.colour}}


@FigureFunction
def eigenvalue_figure(
    spectra: Sequence[Spectrum],
    mean_slope: float | None = None,
    *,
    styles: Styles | None = None,
    law: WeightLaw | None = None,
) -> Drawing:
    """Eigenvalues of one H × H block of each model in the complex plane, with the unit circle.

    mean_slope : mean φ′ of the run. The dashed circle has radius 1/mean φ′: an eigenvalue times
    mean φ′ is inside the unit circle exactly if the eigenvalue is inside the dashed one.
    law : of the block; the circular law's disc is shaded.

    Examples
    --------
    >>> spectrum = analysis.weight_spectra(traces["rnn"], "rnn")["a"]
    >>> figure = plots.eigenvalue_figure([spectrum])
    """
    known = theme.styles_for([s.label for s in spectra], styles)
    drawn = [s for s in spectra if drawable(np.abs(s.eigenvalues))]
    layout: Piece = {"height": SPECTRUM_HEIGHT, "margin": MARGIN}
    if not drawn:
        return drawing([UNSEEN], {**layout, **nothing(_why_empty(spectra))}, "eigenvalues")
    reach = largest_shown(drawn)
    circles, key = circles_and_key(mean_slope, reach)
    if law is not None:
        circles.append(disc(law))
        key["text"] += "<br>" + caption("circular_law", radius=f"{law.radius:.2f}")
    reach = max([reach, *(1.08 * circle["x1"] for circle in circles)])
    only = len(drawn) == 1
    sizes = [(known[s.label], _name(s, known, f"{s.spectral_radius:.2f}", only)) for s in drawn]
    square = {"range": [-reach, reach], "constrain": "domain", "nticks": 6}
    layout |= {
        "xaxis": axis(caption("real_part"), **square, constraintoward="left"),
        "yaxis": axis(caption("imaginary_part"), **square, scaleanchor="x", scaleratio=1),
        "shapes": circles,
        "annotations": [headline("ρ =", sizes, 390), key],
    }
    return drawing([_eigenvalues(s, known[s.label]) for s in drawn], layout, "eigenvalues")


def _eigenvalues(spectrum: Spectrum, style: theme.Style) -> Piece:
    values = spectrum.eigenvalues
    return {
        "type": "scatter",
        "mode": "markers",
        "x": values.real.astype(np.float32),
        "y": values.imag.astype(np.float32),
        "customdata": np.abs(values).astype(np.float32),
        "name": style.title,
        "marker": {"color": style.colour, "size": 7},
        "hovertemplate": said_of(style.title, "|λ| = %{customdata:.3f}<br>")
        + "λ = %{x:.3f} + %{y:.3f}i<extra></extra>",
    }


@FigureFunction
def powers_figure(
    spectra: Sequence[Spectrum],
    measured: Mapping[str, float | None] | None = None,
    *,
    styles: Styles | None = None,
    height: int = POWERS_HEIGHT,
    law: WeightLaw | None = None,
) -> Drawing:
    """‖Wᵏ‖^(1/k), the mean factor per step that W could reach in k steps: it starts at σ_max and
    ends at ρ. `measured` (label -> factor per step) is drawn dotted: what the error did. law: of
    the first model's block, at its powers.

    Examples
    --------
    >>> spectrum = analysis.weight_spectra(traces["rnn"], "rnn")["a"]
    >>> figure = plots.powers_figure([spectrum])
    """
    known = theme.styles_for([s.label for s in spectra], styles)
    drawn = [s for s in spectra if drawable(s.singular_values)]
    layout: Piece = {"height": height, "margin": POWERS_MARGIN}
    if not drawn:
        return drawing([UNSEEN], {**layout, **nothing(_why_empty(spectra))}, "powers")
    rates = {label: rate for label, rate in (measured or {}).items() if is_drawn(rate)}
    data = [piece for s in drawn for piece in _powers(s, known[s.label], rates.get(s.label))]
    highest = max([*(s.sigma_max for s in drawn), *rates.values()])
    y_range = (0.0, 1.1 * highest if highest > 0 else 1.0)
    pixels = height - POWERS_MARGIN["t"] - POWERS_MARGIN["b"]
    labels = [t for s in drawn for t in _power_labels(s, known[s.label], rates, len(drawn) == 1)]
    if law is not None:
        line, label = growth(law, drawn[0].powers_k, known[drawn[0].label])
        data, labels = [line, *data], [*labels, label]
        y_range = (0.0, max(y_range[1], 1.1 * float(line["y"].max())))
    last = max(int(s.powers_k[-1]) for s in drawn)
    levels = [drawn[0].sigma_max, drawn[0].spectral_radius] if len(drawn) == 1 else []
    layout |= {
        "shapes": [rule((0, 1), (y, y), xref="x domain") for y in levels],
        "xaxis": axis(caption("k_steps"), range=[1, last], showgrid=False),
        "yaxis": axis("‖W<sup>k</sup>‖<sup>1/k</sup>", range=list(y_range), nticks=5),
        "annotations": end_labels(labels, y_range, pixels, last, "right"),
    }
    return drawing(data, layout, "powers")


def is_drawn(rate: float | None) -> TypeGuard[float]:
    """Whether a measured rate has a line beside the powers."""
    return rate is not None and 0 <= rate < LARGEST


def _powers(spectrum: Spectrum, style: theme.Style, rate: float | None) -> list[Piece]:
    k = spectrum.powers_k
    with np.errstate(under="ignore"):
        norms = 10.0**spectrum.powers_log10
    pieces = [curve(k, norms, style, caption("power_hover"))]
    if rate is not None:
        ends = np.array([k[0], k[-1]])
        flat = np.array([rate, rate])
        name = {"name": caption("measured_of", model=style.title)}
        pieces.append(curve(ends, flat, style, caption("measured_hover"), dash="dot") | name)
    return pieces


def _power_labels(
    spectrum: Spectrum, style: theme.Style, rates: Mapping[str, float], alone: bool
) -> list[EndLabel]:
    """What the heights are: σ_max, ρ and the measured rate of one model; of several the last."""
    labels = []
    if alone:
        top, bottom = spectrum.sigma_max, spectrum.spectral_radius
        labels.append(_label(f"ρ = {bottom:.2f}", bottom, style))
        labels.append(_label(f"σ<sub>max</sub> = {top:.2f}", top, style))
    if spectrum.label in rates:
        rate = rates[spectrum.label]
        text = caption("measured") if alone else caption("measured_of", model=style.name)
        labels.append(_label(f"<b>{text} {step_factor(rate)}</b>", rate, style))
    return labels


def _label(text: str, y: float, style: theme.Style) -> EndLabel:
    return EndLabel(
        f"<span style='font-size:{theme.TICK_SIZE}px'>{text}</span>", y, 19, style.colour
    )
