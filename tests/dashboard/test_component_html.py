"""What components show before their scripts have come."""

from __future__ import annotations

import re
from pathlib import Path

from rnnviz.dashboard import components

CONTROL = re.compile(r"<(?:input|button|select|textarea)\b[^>]*>")


def test_no_control_can_be_touched_before_its_script_listens() -> None:
    """What is done to it until then would be lost."""
    pages = [*Path(components.__file__).parent.glob("*.html")]
    controls = [each for page in pages for each in CONTROL.findall(page.read_text("utf-8"))]
    assert len(controls) > 2
    assert [each for each in controls if " disabled" not in each] == []
