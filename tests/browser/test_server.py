"""What the server answers beside the page."""

from __future__ import annotations

import urllib.request

import plotly.offline
import pytest

pytestmark = pytest.mark.browser


def head(address: str) -> dict[str, str]:
    request = urllib.request.Request(address, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request) as answer:
        return {name.lower(): value for name, value in answer.headers.items()}


def test_page_allows_scripts_from_here_alone(components: str) -> None:
    headers = head(components)
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "unsafe-eval" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_plotly_is_compressed_and_kept_by_the_browser(components: str) -> None:
    version = plotly.offline.get_plotlyjs_version()
    headers = head(f"{components}/plotly/plotly.min.js?v={version}")
    assert headers["content-encoding"] == "gzip"
    assert "immutable" in headers["cache-control"]


def test_own_scripts_are_asked_for_each_time(components: str) -> None:
    assert head(f"{components}/rnnviz/chart.js")["cache-control"] == "no-cache"
