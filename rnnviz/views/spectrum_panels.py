"""Below the fold of Spectrum: Lyapunov exponents, and all singular values of every step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.layers import LayerTrace
from rnnviz.analysis.lyapunov import LyapunovSpectrum
from rnnviz.analysis.spectra import JacobianSpectrum
from rnnviz.experiment import Run
from rnnviz.plots import bands, lyapunov, theme
from rnnviz.views.layer_choice import LayerChoice, parts_of, single
from rnnviz.views.picture import Picture
from rnnviz.wording.names import display_name
from rnnviz.wording.numbers import scientific, steps
from rnnviz.wording.texts import texts


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
    keys = ["lyapunov", *["long_run"] * bool(long_run), *["mean_field"] * bool(mean_field)]
    return Picture(
        "lyapunov",
        lyapunov.lyapunov_figure.plain(
            spectra, long_run=long_run, mean_field=mean_field, styles=styles
        ),
        text["alt_lyapunov"],
        " ".join(text[f"how_to_read_{key}"] for key in keys),
    )


def exponents_row(spectrum: LyapunovSpectrum) -> dict[str, object]:
    """A spectrum as a row of the table below the figure."""
    largest = spectrum.largest
    return {
        "model": display_name(spectrum.label),
        "steps": f"{spectrum.steps:,}",
        "λ₁, nats a step": _number(largest),
        "what λ₁ means": _meaning(largest),
        "Σ λ": _number(float(spectrum.exponents.sum())),
        "mean ln |det J|": _number(spectrum.determinant),
        "they differ by": _small(spectrum.residual),
    }


def _number(value: float) -> float | str:
    return str(value).replace("inf", "∞").replace("-", "−") if np.isinf(value) else value


def _meaning(largest: float) -> str:
    """How many steps it takes to change e-fold."""
    if not np.isfinite(largest) or largest == 0:
        return "–"
    return f"{'grows' if largest > 0 else 'falls'} e-fold in {steps(1 / abs(largest))}"


def _small(value: float) -> str:
    return "–" if np.isnan(value) else scientific(value)


def bands_pictures(
    spectra: Sequence[JacobianSpectrum], styles: Mapping[str, theme.Style]
) -> Iterator[Picture]:
    """All singular values of every step's Jacobian."""
    text = texts("spectrum")
    yield Picture(
        "bands",
        bands.jacobian_bands.plain(spectra, styles=styles),
        text["alt_bands"],
        text["how_to_read_bands"],
        time_axis=True,
    )
