"""Words of a page as HTML: new words with their definitions, model names in their colours. A script
puts them into the page, and the browser puts them there where a knob moves."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence

from rnnviz.dashboard import definitions
from rnnviz.experiment import Experiment
from rnnviz.experiment.presets import PRESETS
from rnnviz.plots import theme
from rnnviz.wording import markup
from rnnviz.wording.lists import sentences, text_width
from rnnviz.wording.names import display_name
from rnnviz.wording.texts import fill, texts

TWO_LARGE_LINES, MIDDLE_LINE = 178, 108
"""Characters of a verdict that two lines at its largest size hold, and one at the middle size."""


def marked(text: str) -> str:
    """A text as HTML; the words that are new to the page with their definitions."""
    return definitions.as_html(markup.as_html(definitions.mark(text)))


def how_to_read(text: str, written: str = "") -> str:
    """One sentence under a figure. written: the words in the figure; those that need a definition
    and do not stand in the sentence come after it."""
    said = fill(texts("layout")["how_to_read"], said=text)
    return marked(definitions.with_words(said, written))


def verdict(lines: Sequence[str], styles: Mapping[str, theme.Style]) -> str:
    """A paragraph for each line."""
    return "".join(
        f'<p class="{_size(line, first=index == 0)}">{_coloured(line, styles)}</p>'
        for index, line in enumerate(lines)
    )


def _size(line: str, first: bool) -> str:
    """How large a line of the verdict may be, so that figures stay on the first screen."""
    length = text_width(line.replace("**", ""))
    if first:
        return "large" if length <= TWO_LARGE_LINES else "middle"
    return "middle" if length <= MIDDLE_LINE else "small"


def warning(text: str) -> str:
    """A warning; nothing where there is nothing to warn of."""
    return f"⚠ {markup.as_html(text)}" if text else ""


def preset(experiment: Experiment, name: str) -> str:
    """What the preset is there to show; name: of the preset, "" for none."""
    return marked(_preset_words(experiment, name))


def _preset_words(experiment: Experiment, name: str) -> str:
    if name not in PRESETS:
        return ""
    text = texts("presets")
    as_set = PRESETS[name].experiment(seed=experiment.seed) == experiment
    title = text[f"title_{name}"]
    if not as_set:
        return fill(texts("layout")["started_from"], title=title)
    if experiment.seed == Experiment().seed:
        return text[name]
    return sentences([text[name], fill(texts("layout")["of_seed_0"], seed=experiment.seed)])


def _coloured(line: str, styles: Mapping[str, theme.Style]) -> str:
    """Marked text with each model's name in its colour."""
    return definitions.as_html(in_colours(markup.as_html(definitions.mark(line)), styles))


def in_colours(text: str, styles: Mapping[str, theme.Style]) -> str:
    """HTML with each model's name in its colour."""
    colours = {html.escape(name): colour for name, colour in _names(styles).items()}
    longest_first = sorted(colours, key=len, reverse=True)
    names = "|".join(map(re.escape, longest_first))
    return re.sub(
        rf"(?<!\w)({names})(?!\w)",
        lambda found: f'<span style="{_ink(colours[found[1]])}">{found[1]}</span>',
        text,
    )


def _ink(colour: str) -> str:
    """A model's colour for text, as the page's theme has it; an old browser takes the first."""
    return f"color:{colour};color:light-dark({colour},{theme.DARK.get(colour, colour)})"


def _names(styles: Mapping[str, theme.Style]) -> dict[str, str]:
    return {display_name(label): style.colour for label, style in styles.items()}
