"""Pages that need no server: one HTML file each, with the pictures, the words and plotly.js in it.

Such a file opens by a double click, without a network, for as long as browsers show HTML. It loads
nothing: its security policy forbids it to.

Examples
--------
>>> import rnnviz
>>> run = rnnviz.run(rnnviz.Experiment(models=("rnn",), hidden_size=8, seq_len=20))
"""

from __future__ import annotations

from rnnviz.experiment.targets import check_target
from rnnviz.report.diagnosis import Section, diagnosis_page
from rnnviz.report.document import document
from rnnviz.report.lecture import lecture_page

__all__ = ["Section", "check_target", "diagnosis_page", "document", "lecture_page"]
