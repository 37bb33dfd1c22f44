"""What is said of a network that was brought and trained on."""

from __future__ import annotations

import re

import numpy as np
import pytest

from rnnviz.models import load, read_data
from rnnviz.models.brought import FromWeights
from rnnviz.views.picture import Words
from rnnviz.views.trained_on import pictures, view
from rnnviz.wording.texts import speak_in

pytestmark = pytest.mark.trained


def said(target: float) -> str:
    rng = np.random.default_rng(0)
    weights = {"rnn.weight_ih_l0": rng.standard_normal((3, 2)),
               "rnn.weight_hh_l0": rng.standard_normal((3, 3)),
               "fc.weight": rng.standard_normal((1, 3)), "fc.bias": np.zeros(1)}  # fmt: skip
    data = read_data(np.ones((4, 9, 2)), layout="btd", target=np.full((4, 1), target))
    (words,) = (one for one in pictures(view(FromWeights(load(weights), data)))
                if isinstance(one, Words))  # fmt: skip
    return words.lines[0]


def test_what_ends_a_training_is_said_of_each_network_by_its_name() -> None:
    why = "the loss is ∞ (the target reaches 10^200.0 at time step 9"
    for model in ("RNN", "RNN, fresh"):
        assert f"The training of the {model} ends early: {why}" in said(1e200)
    assert "ends early" not in said(1.0)


def test_what_ends_a_training_is_said_in_the_language() -> None:
    words = speak_in("zh", lambda: said(1e200))
    assert "RNN 的训练提前结束：在训练步 0，损失为 ∞（目标在时间步 9 达到 10^200.0" in words
    assert set(re.findall("[A-Za-z]{2,}", words)) == {"Adam", "RNN"}
