"""Below the fold of Gradient flow: which inputs an answer listens to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.saliency import Saliency, saliency
from rnnviz.experiment import Run
from rnnviz.plots import saliency as plots
from rnnviz.plots import theme
from rnnviz.tasks import Batch
from rnnviz.views.picture import Picture
from rnnviz.wording.example import visible
from rnnviz.wording.texts import fill, texts


@dataclass(frozen=True, eq=False)
class View:
    """Of the first sequence: the derivatives of output `output` at step `step`. outputs: what they
    are called; steps: of the sequence; symbols: of its inputs, () where they are numbers."""

    styles: dict[str, theme.Style]
    found: tuple[Saliency, ...]
    outputs: tuple[str, ...]
    output: int
    step: int
    steps: int
    symbols: tuple[str, ...]


def view(run: Run, step: int | None = None, output: str = "") -> View:
    """step: the last one that is asked unless given, brought into range; output: its name; the
    right answer's, or the first of numbers, where there is no such."""
    batch, asked = run.batch, np.flatnonzero(run.batch.mask[:, 0])
    steps, outputs = int(batch.lengths[0]), _names(run.batch)
    last = int(asked[-1]) + 1 if len(asked) else steps
    s = min(max(step or last, 1), steps)
    chosen = outputs.index(output) if output in outputs else _right(batch, s)
    return View(
        styles=theme.model_styles(list(run)),
        found=tuple(saliency(run[label], label, s, chosen) for label in run),
        outputs=outputs,
        output=chosen,
        step=s,
        steps=steps,
        symbols=_symbols(batch),
    )


def _right(batch: Batch, step: int) -> int:
    if batch.loss == "squared_error":
        return 0
    return int(batch.target[step - 1, 0])


def _names(batch: Batch) -> tuple[str, ...]:
    named = batch.answers or batch.labels
    if len(named) != batch.output_size:
        named = tuple(str(k + 1) for k in range(batch.output_size))
    return tuple(visible(name) for name in named)


def _symbols(batch: Batch) -> tuple[str, ...]:
    if batch.x.ndim != 2 or not batch.labels:
        return ()
    return tuple(visible(batch.labels[i]) for i in batch.x[: int(batch.lengths[0]), 0])


def pictures(view: View) -> Iterator[Picture]:
    """Sizes over t, then shares with their signs, on the text itself where it is one."""
    text = texts("gradient_flow")
    said = {"output": view.outputs[view.output], "step": view.step}
    yield Picture(
        "saliency",
        plots.saliency_figure.plain(view.found, styles=view.styles),
        fill(text["alt_saliency"], **said),
        fill(text["how_to_read_saliency"], **said),
        time_axis=True,
    )
    yield Picture(
        "saliency-signed",
        plots.signed_figure.plain(view.found, view.symbols, styles=view.styles),
        fill(text["alt_saliency_signed"], **said),
        fill(text["how_to_read_saliency_signed"], **said),
        time_axis=True,
    )
