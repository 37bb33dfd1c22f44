"""A diagnosis as a page: what was found, then the figures of the networks that it was found in."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from rnnviz.experiment import Run
from rnnviz.models.watched import Passage
from rnnviz.report.document import document, made_by
from rnnviz.report.figures import Figures, chart_words, place_html
from rnnviz.views import gates, gradient_flow, spectrum, weights
from rnnviz.views.picture import Picture, Words
from rnnviz.views.your_network import MOST_UNITS
from rnnviz.wording.diagnosis import FindingWords
from rnnviz.wording.library import note_words
from rnnviz.wording.lists import names
from rnnviz.wording.markup import as_html
from rnnviz.wording.names import display_name
from rnnviz.wording.texts import say, texts

MOST_RUNS = 16
"""Whose figures are drawn: with plotly.js they come to less than 6 MB."""
BESIDE = {"singular-values", "eigenvalues", "memory-gate", "half-life", "gate-strips", "carry"}
"""Pictures that stand side by side where there is room."""
Items = Iterable[Picture | Words]


@dataclass(frozen=True)
class Section:
    """What is said of one network. heading: its name, and how much was found; findings in words;
    said: sentences without a number, such as that nothing is wrong.

    Examples
    --------
    >>> Section("lstm: 0 serious, 0 more (lag 20)", (), ("Nothing is wrong.",)).findings
    ()
    """

    heading: str
    findings: tuple[FindingWords, ...]
    said: tuple[str, ...] = ()


def diagnosis_page(
    sections: Sequence[Section],
    runs: Mapping[str, Run | Passage],
    notes: Sequence[str] = (),
    with_weights: bool = False,
) -> str:
    """The page as HTML.

    Parameters
    ----------
    sections : what was found, in the page's order.
    runs : name -> what it was found in, whose figures follow; "" where there is but one.
    notes : what else is to be said.
    with_weights : whether maps of the weights and of their gradients are among the figures. Without
        them no weight is in the page, but that of a single unit, which its curves tell; inputs and
        targets never are.

    Examples
    --------
    >>> page = diagnosis_page([Section("rnn: 0 serious, 1 more", ())], {"": run})
    >>> "rnn: 0 serious, 1 more" in page, 'data-key="flow-state"' in page
    (True, True)
    >>> 'data-key="weights"' in page
    False
    """
    text, figures = texts("report"), Figures()
    found = "".join(map(_section, sections))
    drawn = "".join(
        _drawn(name, run, figures, with_weights) for name, run in list(runs.items())[:MOST_RUNS]
    )
    below = "".join(map(_small, (*map(note_words, notes), *_left_out(list(runs)))))
    body = (f'<main class="report"><h1>{as_html(text["diagnosis"])}</h1>{found}{below}{drawn}'
            f"{_footer(runs, with_weights)}</main>")  # fmt: skip
    data = {**figures.data(), "words": chart_words()}
    styles = ["chart.css", "report.css"]
    return document(text["diagnosis_title"], body, data, "diagnosis.js", styles)


def _left_out(labels: Sequence[str]) -> list[str]:
    left = labels[MOST_RUNS:]
    return [say("report", "left_out", names=names(left), most=MOST_RUNS)] if left else []


def _footer(runs: Mapping[str, Run | Passage], with_weights: bool) -> str:
    """What is in the file, and what is not."""
    text, single = texts("report"), any(map(_has_single_unit, runs.values()))
    name = "inside_weights" if with_weights else "inside_single_unit" if single else "inside"
    inside = [text[name]] if runs else []
    said = "".join(map(_small, (*inside, made_by())))
    return f"<footer>{said}</footer>"


def _has_single_unit(run: Run | Passage) -> bool:
    """Whether a layer has one unit: what is left of its error after a step is its weight, times a
    slope."""
    if isinstance(run, Passage):
        named = [item for part in run.parts for item in part.weights.items()]
        return any(name.startswith("weight_hh") and W.shape[1] == 1 for name, W in named)
    return any(cell.hidden_size == 1 for each in run.values() for cell in each.network.cells)


def _small(text: str) -> str:
    return f'<p class="small">{as_html(text)}</p>'


def _section(section: Section) -> str:
    items = "".join(map(_finding, section.findings))
    items += "".join(f"<p>{as_html(each)}</p>" for each in section.said)
    return f'<section class="found"><h2>{as_html(section.heading)}</h2>{items}</section>'


def _finding(words: FindingWords) -> str:
    mark, sentence, facts, definition = map(as_html, words[:4])
    serious = words.mark == texts("diagnosis")["mark_serious"]
    change = f"<pre>{html.escape(words.change)}</pre>" if words.change else ""
    kind = "serious" if serious else "other"
    return (f'<article class="{kind}"><p><b>{mark}</b> {sentence}</p>'
            f'<p class="small">{facts}. {definition}</p>{change}</article>')  # fmt: skip


def _drawn(name: str, run: Run | Passage, figures: Figures, with_weights: bool) -> str:
    """The figures of one run; why there are none, where it cannot be run again."""
    title = f"<h2>{html.escape(name)}</h2>" if name else ""
    try:
        whole = run.run if isinstance(run, Passage) else run
    except ValueError as error:
        return f'<section class="drawn">{title}{_without(error)}</section>'
    parts = "".join(_part(*part, figures) for part in shown(whole, with_weights))
    return f'<section class="drawn">{title}{parts}</section>'


def shown(run: Run, with_weights: bool = False) -> Iterator[tuple[str, Callable[[], Items]]]:
    """Headings, and what makes what stands below each: of all networks together how the gradient
    flows, then of each one its spectrum, unless it is too large, and its gates, if it has some that
    keep. Of one unit the spectrum is its weight: it is shown where weights are."""
    text = texts("report")
    yield text["flow"], lambda: gradient_flow.pictures(gradient_flow.view(run))
    for label, trace in run.items():
        cells, several = trace.network.cells, f" · {display_name(label)}" if len(run) > 1 else ""
        if cells[-1].hidden_size == 1 and not with_weights:
            yield text["spectrum"] + several, lambda: (Words("note", (text["one_unit"],)),)
        elif max(cell.hidden_size for cell in cells) <= MOST_UNITS:
            yield text["spectrum"] + several, partial(_spectrum, run, label)
        if any(cell.MEMORY_GATE for cell in cells):
            yield text["gates"] + several, partial(_gates, run, label)
        if with_weights:
            yield text["weights"] + several, partial(_weights, run, label)


def _spectrum(run: Run, label: str) -> Items:
    return spectrum.pictures(spectrum.view(run, spectrum.Choices(model=label)))


def _gates(run: Run, label: str) -> Items:
    return gates.pictures(gates.view(run, gates.Choices(model=label)))


def _weights(run: Run, label: str) -> Items:
    return weights.pictures(weights.view(run, weights.Choices(model=label)))


def _part(heading: str, make: Callable[[], Items], figures: Figures) -> str:
    """Figures below their heading; why there are none, where weights are no numbers."""
    try:
        drawn = "".join(
            _figure(item, figures) if isinstance(item, Picture) else _words(item) for item in make()
        )
    except ValueError as error:
        drawn = _without(error)
    return f'<h3>{as_html(heading)}</h3><div class="figures">{drawn}</div>'


def _without(error: ValueError) -> str:
    return f"<p>{as_html(say('report', 'no_figures', reason=str(error)))}</p>"


def _words(words: Words) -> str:
    kind = words.key if words.key in ("verdict", "warning") else "small"
    return "".join(f'<p class="{kind}">{as_html(line)}</p>' for line in words.lines)


def _figure(picture: Picture, figures: Figures) -> str:
    how = as_html(say("layout", "how_to_read", said=picture.how)) if picture.how else ""
    beside = ' class="beside"' if picture.key in BESIDE else ""
    place = place_html(picture, figures.add(picture))
    return f"<figure{beside}>{place}<figcaption>{how}</figcaption></figure>"
