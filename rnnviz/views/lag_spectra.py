"""What is left of each direction of the state after k steps: chosen singular values of the product
of the last k Jacobians."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rnnviz.analysis.lag_spectra import LagSpectrum, lag_spectrum
from rnnviz.experiment import Run
from rnnviz.plots import theme
from rnnviz.plots.lag_spectra import lag_spectra_figure
from rnnviz.views.layer_choice import choose, parts_of
from rnnviz.views.picture import Picture, Words
from rnnviz.views.seeds import true_parts
from rnnviz.views.spectrum import shown
from rnnviz.wording.lists import names, sentences, typed
from rnnviz.wording.names import display_name
from rnnviz.wording.remarks import refusal_words
from rnnviz.wording.texts import fill, in_all, texts

DEFAULT = "1, 2, median, last"
OFFERED = (DEFAULT, "1, last", "1, 2, 3, 4, 5", "1, 2, 4, 8, 16, 32, last")
LONGEST = 200
"""Characters of a choice that are read."""
MOST = 12
"""Singular values of a model that are drawn."""


@dataclass(frozen=True)
class Choices:
    """layer, direction: names of a `LayerChoice`; ranks: of which singular values (`ranks_of`)."""

    layer: str = ""
    direction: str = ""
    ranks: str = DEFAULT


@dataclass(frozen=True, eq=False)
class View:
    """The singular values of every model that can be measured, and why others are not."""

    spectra: tuple[LagSpectrum, ...]
    ranks: str
    styles: dict[str, theme.Style]
    refusals: tuple[str, ...] = ()


def view(run: Run, choices: Choices = Choices()) -> View:
    """Of each model of `run` the chosen layer and direction, with its true derivatives."""
    parts = parts_of(run)
    layers = choose(parts, parts, choices.layer, choices.direction, every=False)
    of, found, refusals = shown(run, layers), [], []
    for part in true_parts(of.parts, parts):
        try:
            found.append(lag_spectrum(part.trace, part.label))
        except ValueError as refusal:
            refusals.append(refusal_words(part.label, refusal))
    return View(tuple(found), choices.ranks, of.styles, tuple(refusals))


def ranks_of(text: str, size: int) -> tuple[list[int], list[str]]:
    """Numbers from 1 to `size` ("1, 2, median, last": the median is the lower of two), each once
    and ascending, and what in the text is none. Words of any language: a link is opened in another
    one than it was made in."""
    places = {"median": (size + 1) // 2, "last": size}
    known = places | {word: places[name] for name in places for word in in_all("lag_spectra", name)}
    ranks, others = set[int](), list[str]()
    for word in typed(text[:LONGEST]):
        number = int(word) if word.isascii() and word.isdigit() else known.get(word.lower(), 0)
        if 1 <= number <= size:
            ranks.add(number)
        else:
            others.append(word)
    return sorted(ranks), others


def in_words(ranks: str) -> str:
    """A choice as it is said on a page."""
    text = texts("lag_spectra")
    return re.sub("median|last", lambda name: text[name[0]], ranks)


def pictures(view: View) -> Iterator[Picture | Words]:
    """The lines of all models, and what of the choice is not drawn."""
    text = texts("lag_spectra")
    if view.spectra:
        chosen = {s.label: ranks_of(view.ranks, s.size)[0][:MOST] for s in view.spectra}
        yield Picture(
            "lag-spectra",
            lag_spectra_figure.plain(view.spectra, chosen, styles=view.styles),
            text["alt"],
            sentences([text["how_to_read"], text["thick"] * any(1 in c for c in chosen.values()),
                       text["others"]]),
        )  # fmt: skip
    said = [*_not_drawn(view.spectra, view.ranks), *view.refusals]
    if said:
        yield Words("warning", tuple(said))


def _not_drawn(spectra: Sequence[LagSpectrum], ranks: str) -> Iterator[str]:
    """What no model has, which models have nothing of it, and that only so many are drawn."""
    text, most = texts("lag_spectra"), max((s.size for s in spectra), default=0)
    chosen, others = ranks_of(ranks, most)
    if others and most:
        yield fill(text["no_such"], words=names(others), size=most)
    if len(chosen) > MOST:
        yield fill(text["most"], count=MOST)
    for s in spectra:
        if chosen and not ranks_of(ranks, s.size)[0]:
            yield fill(text["none_here"], model=display_name(s.label), size=s.size)
