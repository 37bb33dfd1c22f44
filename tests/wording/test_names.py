"""Names of models on a page."""

from __future__ import annotations

import pytest

from rnnviz.experiment import FIELDS
from rnnviz.wording.names import display_name
from rnnviz.wording.texts import texts


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("rnn", "RNN"),
        ("lstm", "LSTM"),
        ("gru", "GRU"),
        ("lstm:forget_bias=0", "LSTM, forget bias 0"),
        ("gru:update_bias=-1.5,gain=2", "GRU, update bias −1.5, gain 2"),
        ("rnn:activation=relu,init=identity", "RNN, activation ReLU, initializer identity"),
        ("my own weights", "my own weights"),
        ("rnn:", "RNN"),
    ],
)
def test_display_name(label, name):
    assert display_name(label) == name


def test_every_setting_has_a_name_on_its_knob() -> None:
    assert set(texts("fields")) == set(FIELDS)
