"""The little Markdown of texts, as a page shows it."""

from __future__ import annotations

import html

import pytest

from rnnviz.wording.markup import as_html, literal


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**0.5** a step", "<b>0.5</b> a step"),
        ("1 part in 10^4.5", "1 part in 10<sup>4.5</sup>"),
        ("W_hh, W_skip, x_t", "W<sub>hh</sub>, W<sub>skip</sub>, x<sub>t</sub>"),
        ("ln σ_max of it", "ln σ<sub>max</sub> of it"),
        ("learning_rate < 1", "learning_rate &lt; 1"),
    ],
)
def test_letters_have_their_indices_and_names_stay_as_they_are(text: str, shown: str) -> None:
    assert as_html(text) == shown


@pytest.mark.parametrize("name", ["d_t2.npz", "a**b_c**.npz", "10^5 & x_t", "<b>", "\x0e"])
def test_a_name_that_somebody_gave_stands_as_it_is(name: str) -> None:
    text = as_html(f"**{literal(name)}**: W_hh, {literal('x_1')}.")
    assert text == f"<b>{html.escape(name)}</b>: W<sub>hh</sub>, x_1."


def test_what_only_looks_like_such_a_name_breaks_nothing() -> None:
    for name in ("\x0f\x0e", "\x0e\x0e", "\x0f"):
        assert as_html(f"{literal(name)}: x_1").endswith(": x<sub>1</sub>")
