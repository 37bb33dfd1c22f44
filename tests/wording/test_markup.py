"""The little Markdown of texts, as a page shows it."""

from __future__ import annotations

import pytest

from rnnviz.wording.markup import as_html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**0.5** a step", "<b>0.5</b> a step"),
        ("1 part in 10^4.5", "1 part in 10<sup>4.5</sup>"),
        ("W_hh, W_skip, x_t", "W<sub>hh</sub>, W<sub>skip</sub>, x<sub>t</sub>"),
        ("ln σ_max of it", "ln σ<sub>max</sub> of it"),
        ("learning_rate < 1", "learning_rate &lt; 1"),
    ],
)
def test_letters_have_their_indices_and_names_stay_as_they_are(text: str, html: str) -> None:
    assert as_html(text) == html
