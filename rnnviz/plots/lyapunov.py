"""What becomes of every direction of the state in the long run? Lyapunov exponents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from rnnviz.core.numerics import Array, Status
from rnnviz.plots import curves, log_curves, theme
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.marks import EndLabel, end_labels, gutter, model_label, note, rule, small_label
from rnnviz.plots.panels import UNSEEN, axis, counted, curve, nothing
from rnnviz.plots.theme import Styles
from rnnviz.wording.numbers import signed
from rnnviz.wording.texts import caption

if TYPE_CHECKING:
    from rnnviz.analysis.lyapunov import LyapunovSpectrum

HEIGHT = 330
MARGIN = {"t": 12, "b": 46, "r": 84}
WIDER = 12
"""Pixels more beside the plot: λ₁ has three decimals, and as many again for a ≥."""
LEAST = -12.0
"""Nats a step that the axis goes down to; lower exponents leave it."""


@FigureFunction
def lyapunov_figure(
    spectra: Sequence[LyapunovSpectrum],
    *,
    long_run: Sequence[LyapunovSpectrum] = (),
    mean_field: Mapping[str, float] | None = None,
    styles: Styles | None = None,
    height: int = HEIGHT,
) -> Drawing:
    """Exponents in nats a step, largest first; above 0 a direction grows. The label is λ₁; of a
    spectrum of the largest exponents alone, which does not know it, "≥" and the first of them.

    long_run: of the same models over many more steps, thin and dashed. mean_field: λ₁ = ½ ln χ by
    label, a dash-dotted line. Exponents of −∞ are counted in words.

    Examples
    --------
    >>> spectrum = analysis.lyapunov_spectrum(traces["rnn"], "rnn")
    >>> figure = plots.lyapunov_figure([spectrum])
    """
    known = theme.styles_for([s.label for s in spectra], styles)
    wider = WIDER * (2 if any(np.isnan(s.largest) for s in spectra) else 1)
    layout: Piece = {"height": height, "margin": {"l": gutter(known) + wider, **MARGIN}}
    finite = [s.exponents[np.isfinite(s.exponents)] for s in (*spectra, *long_run)]
    if not any(len(values) for values in finite):
        text = caption("no_exponent") if spectra else caption("no_model")
        return drawing([UNSEEN], {**layout, **nothing(text)}, "lyapunov")
    last = max(len(s.exponents) for s in spectra)
    theory = [(known[label], rate) for label, rate in (mean_field or {}).items()
              if np.isfinite(rate)]  # fmt: skip
    y_range = _range(np.concatenate([*finite, [rate for _, rate in theory]]))
    data = [_flat(style, rate, last) for style, rate in theory]
    data += [_line(s, known[s.label], long=True) for s in long_run]
    data += [_line(s, known[s.label]) for s in spectra]
    labels = [_end(s, known[s.label], y_range[0]) for s in spectra]
    name = caption("mean_field")
    labels += [small_label(f"{name} {signed(r, 3)}", r, style.colour) for style, r in theory]
    layout |= {
        "xaxis": axis(
            caption("exponents"), range=[0.5, last + 0.5], showgrid=False, **counted(last, 8)
        ),
        "yaxis": axis(caption("nats_a_step"), range=list(y_range), side="right", nticks=7),
        "shapes": [rule((0, 1), (0, 0), xref="x domain", line={"dash": "solid"})],
        "annotations": [
            *end_labels(labels, y_range, height - MARGIN["t"] - MARGIN["b"], 1),
            *_missing(spectra, known),
        ],
    }
    return drawing(data, layout, "lyapunov")


def _range(values: Array) -> tuple[float, float]:
    low, high = max(LEAST, min(values.min(), -0.5)), max(values.max(), 0.25)
    pad = 0.06 * (high - low)
    return float(low - pad), float(high + pad)


def _line(spectrum: LyapunovSpectrum, style: theme.Style, long: bool = False) -> Piece:
    index = np.arange(1.0, len(spectrum.exponents) + 1)
    if not long:
        return curve(index, spectrum.exponents, style, "λ<sub>%{x}</sub> = %{y:.3f}")
    hover = caption("exponent_long_hover", steps=f"{spectrum.steps:,}")
    piece = curve(index, spectrum.exponents, style, hover, dash="dash", width=theme.THIN)
    return {**piece, "name": caption("name_long_run", model=style.title)}


def _flat(style: theme.Style, rate: float, last: int) -> Piece:
    ends, heights = np.array([1.0, last]), np.array([rate, rate])
    piece = curve(ends, heights, style, caption("mean_field_hover"), **log_curves.PREDICTED)
    return {**piece, "name": f"{style.title} {caption('theory_mean_field')}"}


def _end(spectrum: LyapunovSpectrum, style: theme.Style, floor: float) -> EndLabel:
    status = Status(int(spectrum.status[0]))
    if status == Status.FINITE and np.isnan(spectrum.largest):
        least = float(spectrum.exponents[0])
        return model_label(style, f"≥{signed(least, 3)}", least)
    if status == Status.FINITE:
        return model_label(style, signed(spectrum.largest, 3), spectrum.largest)
    lost = status in (Status.ZERO, Status.ROUNDED)
    return model_label(style, "−∞" if lost else curves.SIGNS[status], floor)


def _missing(spectra: Sequence[LyapunovSpectrum], styles: Styles) -> list[Piece]:
    """In words: how many exponents are no number, and why."""
    texts = []
    for s in spectra:
        for status, words in ((Status.ZERO, "exponents_zero"),
                              (Status.ROUNDED, "exponents_rounded"),
                              (Status.NAN, "exponents_nan")):  # fmt: skip
            if count := int(np.sum(s.status == status)):
                of = {"model": styles[s.label].title, "count": count, "total": len(s.status)}
                texts.append(caption(words, **of))
    place = {"xref": "x domain", "yref": "y domain", "xanchor": "left", "yanchor": "bottom"}
    size = {"font": {"size": theme.SMALL_SIZE}}
    return [note("<br>".join(texts), 0.01, 0, align="left", **place, **size)] if texts else []
