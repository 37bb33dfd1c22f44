"""What a view is drawn as: figures as plain data, and words with their numbers filled in."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from rnnviz.experiment import Experiment
from rnnviz.experiment.effects import TRAINING, idle, value_words
from rnnviz.plots.drawing import Drawing, Track
from rnnviz.plots.drawing import Words as WordTrack
from rnnviz.tasks import Batch
from rnnviz.wording.library import translated
from rnnviz.wording.lists import sentences
from rnnviz.wording.names import field_name, setting_name
from rnnviz.wording.texts import fill, say, texts


@dataclass(frozen=True, eq=False)
class Picture:
    """One figure of a page.

    key names it on its page; alt says what it shows to those who cannot see it; how is one
    sentence, how to read it. time_axis: x is the input's time step. step_axis: x is the training
    step. tracks: what it shows at the training step that is chosen in the browser.
    """

    key: str
    drawing: Drawing
    alt: str
    how: str = ""
    time_axis: bool = False
    step_axis: bool = False
    tracks: tuple[Track | WordTrack, ...] = ()

    @property
    def height(self) -> int:
        """In pixels; the width is the place's."""
        return int(self.drawing["layout"]["height"])

    def figure(self) -> go.Figure:
        """For a notebook."""
        return go.Figure(dict(self.drawing), _validate=False)


@dataclass(frozen=True)
class Words:
    """Sentences of a page. key: "verdict" for its answer, "sentence" for that of another page,
    "info" for what stands in its place, "note" for what a reader should know beside it, "warning"
    for what the figures do not say by themselves. lines: Markdown."""

    key: str
    lines: tuple[str, ...]


def batch_note(batch: Batch) -> str:
    """What the task cut or replaced, and what is padding; "" if there is nothing to say."""
    return sentences([translated(batch.note), padding_note(batch)])


def padding_note(batch: Batch) -> str:
    """How long the sequences are, where there is padding; else ""."""
    least, most = int(batch.lengths.min()), int(batch.lengths.max())
    if least >= batch.seq_len:
        return ""
    lengths = f"{least}" if least == most else say("layout", "from_to", least=least, most=most)
    return fill(texts("layout")["padding"], lengths=lengths)


def idle_note(experiment: Experiment) -> str:
    """Which settings act on none of the models; "" if all act. How networks are trained is said
    where they are trained, how many steps a task has by the note of its batch."""
    names = [name for name in idle(experiment) if name not in (*TRAINING, "seq_len")]
    text = texts("layout")["idle"]
    said = (
        fill(
            text,
            setting=field_name(name),
            value=translated(setting_name(value_words(experiment, name))),
        )
        for name in names
    )
    return sentences(said)
