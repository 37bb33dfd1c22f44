"""What is said of each claim follows the data: with other data the verdict turns round."""

from __future__ import annotations

import re

import numpy as np
import pytest

from rnnviz.claims.growth import draws
from rnnviz.jobs.claims import CLAIMS
from rnnviz.wording.claims import (
    TONES,
    Said,
    carry_words,
    clipping_words,
    growth_words,
    measuring,
    reduction_words,
    small,
    stability_words,
    truncation_words,
)
from rnnviz.wording.texts import texts
from tests.claims.support import agreeing, carried, clipped, drawn, moved, reduced

SENTENCES = [texts("claims")[f"claim_{name}"] for name in CLAIMS]
WORDS = (growth_words, reduction_words, carry_words, clipping_words, truncation_words,
         stability_words)  # fmt: skip


def text(said: Said) -> str:
    return " ".join(said.lines).replace("**", "")


@pytest.mark.parametrize("words", WORDS)
def test_nothing_is_said_before_anything_is_measured(words) -> None:
    assert words([]) == measuring()
    assert measuring().tone in TONES


def test_the_rule_is_wrong_as_often_as_it_was() -> None:
    found = [drawn(0.2, 0.1)] * 3 + [drawn(0.2, -0.1)] * 2 + [drawn(-0.2, -0.3)] * 5
    said = growth_words(found)
    assert (said.short, said.tone) == ("false in 2 of 10 draws", "false")
    assert "wrong in 2 of 10 draws." in text(said)
    assert "Below 1/γ (first panel) the error vanished in 5 of 5: that half is a law." in text(said)
    assert "Above 1/γ it exploded in 3 of 5, not in the other 2: that allows explosion" in text(
        said
    )


def test_the_rule_is_right_if_the_draws_say_so() -> None:
    said = growth_words([drawn(0.2, 0.1), drawn(-0.2, -np.inf)])
    assert (said.short, said.tone) == ("right in all 2 draws", "true")
    assert "allows explosion" not in text(said)
    rarely = growth_words([drawn(0.2, 0.1)] * 19 + [drawn(0.2, -0.1)])
    assert (rarely.short, rarely.tone) == ("false in 1 of 20 draws", "half")


def test_the_lower_half_is_no_law_if_a_draw_breaks_it() -> None:
    said = growth_words([drawn(-0.2, 0.1), drawn(-0.2, -0.1)])
    assert "vanished in 1 of 2" in text(said)
    assert "law" not in text(said)


def test_word_for_word_the_rule_knows_no_gamma() -> None:
    """A logistic unit with σ_max = 2 must vanish; "σ_max > 1 explodes" is wrong there."""
    said = growth_words([drawn(np.log10(0.5), -0.4, gamma=0.25)])
    assert said.short == "false in 1 of 1 draws"
    assert "Below 1/γ (first panel) the error vanished in 1 of 1" in text(said)


def test_draws_without_a_number_do_not_count() -> None:
    assert growth_words([drawn(0.1, np.nan)]) == measuring()
    assert growth_words([drawn(0.1, np.nan), drawn(0.1, 0.1)]).short == "right in all 1 draws"
    wrong = growth_words([drawn(0.1, np.nan), drawn(0.1, -0.1)])
    assert "wrong in 1 of 1 draws (1 more have no number)." in text(wrong)


def test_real_draws_refute_the_rule_and_keep_its_half() -> None:
    said = growth_words(list(draws(0, 8, 60)))
    assert said.tone == "false"
    assert "that half is a law" in text(said)
    assert "allows explosion, nothing more" in text(said)


def test_an_open_lstm_is_an_rnn_only_if_the_states_agree() -> None:
    said = reduction_words([reduced(0.2), reduced(0.5, 1e-16)])
    assert (said.short, said.tone) == ("false in 2 of 2 draws", "false")
    assert "differ from the tanh RNN's by 0.2 to 0.5" in text(said)
    assert "From that network it differs by 10^−16 (rounding)." in text(said)
    assert reduction_words([reduced(0.0), reduced(1e-15)]).tone == "true"
    assert reduction_words([reduced(0.0)] * 19 + [reduced(0.3)]).tone == "half"


def test_the_highway_is_the_truth_only_if_they_agree() -> None:
    apart = [carried(-14.0, -10.0, 0.0), carried(-0.1, 2.0, 5.0)]
    said = carry_words(apart)
    assert (said.short, said.tone) == ("not the only road in 2 of 2", "false")
    assert "b_f = 0 Π f promises 1 part in 10^14, 1 part in 10^10 arrives" in text(said)
    assert "In 1 of 2 draws the error grew" in text(said)
    same = carry_words([carried(-1.0, -0.9)])
    assert (same.short, same.tone) == ("true in 1 of 1 draws", "true")
    assert "grew" not in text(same)
    assert carry_words([carried(-1.0, -0.9), carried(-3.0, -0.9)]).tone == "half"


def test_clipping_cures_nothing_unless_a_gradient_gets_longer() -> None:
    runs = [clipped([3.0, 0.5], [1.0, 0.5]),
            clipped([0.5, 0.6], [0.5, 0.6], case="vanishing")]  # fmt: skip
    said = clipping_words(runs)
    assert (said.short, said.tone) == ("false: 0 of 4 gradients got longer", "false")
    assert "Of 4 gradients clipping shortened 1, lengthened 0 and turned 0" in text(said)
    assert "touched 0 of 2" in text(said)
    assert "their gradient still falls by 0.33 decades a step back" in text(said)
    assert "the loss ended lower in 1 of 1 runs that are set up to explode" in text(said)
    longer = clipping_words([clipped([1.0], [2.0], cosine=np.array([0.5]))])
    assert (longer.short, longer.tone) == ("1 of 1 gradients got longer", "half")
    assert "lengthened 1 and turned 1" in text(longer)


def test_truncation_is_judged_by_its_direction() -> None:
    found = [agreeing(0.99)] * 3 + [agreeing(0.2, growth=0.0)] * 3
    said = truncation_words(found, 40)
    assert (said.short, said.tone) == ("false in 3 of 6 draws", "half")
    assert "gave the full gradient's direction in 3 of 3 draws; where it lasts, in 0 of 3" in text(
        said
    )
    assert "nothing to learn from the past" in text(said)
    assert "wrong sign for every window up to K = 40" in text(said)
    assert truncation_words([agreeing(0.2, growth=0.0)]).tone == "false"
    good = truncation_words([agreeing(0.99), agreeing(0.95, growth=0.0)])
    assert (good.short, good.tone) == ("held in 2 of 2 draws", "true")
    assert "nothing to learn" not in text(good)
    assert truncation_words([agreeing(0.99)], 40).tone == "half"


@pytest.mark.parametrize(
    ("good", "of", "conclusion"),
    [(4, 40, "good where there is nothing to learn from the past."),
     (21, 40, "less often good where there is something to learn from the past.")],
)  # fmt: skip
def test_what_truncation_is_good_for_follows_from_the_draws(
    good: int, of: int, conclusion: str
) -> None:
    lasting = [agreeing(0.99, growth=0.0)] * good + [agreeing(0.2, growth=0.0)] * (of - good)
    said = text(truncation_words([agreeing(0.99)] * 3 + lasting))
    assert said.endswith(f"in {good} of {of}: it is {conclusion}")


def test_the_visitor_s_own_models_are_named() -> None:
    own = [agreeing(-0.25, label="lstm:forget_bias=0", kind="lstm"), agreeing(np.nan, label="rnn")]
    said = truncation_words([agreeing(0.99), *own])
    assert said.short == "held in 1 of 1 draws"
    assert "LSTM, forget bias 0: −0.25; RNN: not measured." in text(said)


def test_stable_gradients_are_easy_only_if_the_weight_s_reach_is_stable_too() -> None:
    said = stability_words([moved(0.5, 3.0), moved(0.99, 3e5, 30.0)])
    assert (said.short, said.tone) == ("false: ×100,000 from λ = 0.5 to 0.99", "false")
    assert "No gradient ∂h_T/∂h_t is ever above 1" in text(said)
    assert "×3,300 relative to h itself" in text(said)
    easy = stability_words([moved(0.5, 3.0), moved(0.9, 6.0)])
    assert (easy.short, easy.tone) == ("true here: only ×2", "true")
    assert stability_words([moved(0.5, 3.0)]) == measuring()
    assert [small(d) for d in (0.0, 1e-16, 0.25)] == ["0", "10^−16 (rounding)", "0.25"]


def test_every_sentence_is_short_and_plain() -> None:
    assert all(len(sentence) <= 42 for sentence in SENTENCES)
    assert not any(re.search(r"[<>]{2}|_", sentence) for sentence in SENTENCES)
