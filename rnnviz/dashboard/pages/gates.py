"""Being built."""

from __future__ import annotations

from rnnviz.dashboard import layout
from rnnviz.dashboard.state import Setting
from rnnviz.dashboard.texts import texts


def page(setting: Setting) -> None:
    layout.question(texts("gates")["question"], setting.experiment)
