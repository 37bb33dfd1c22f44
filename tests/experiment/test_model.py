"""A model is its label."""

from __future__ import annotations

import pickle

import pytest

from rnnviz import Model


@pytest.mark.parametrize(
    ("given", "label"),
    [
        (Model("lstm"), "lstm"),
        (Model("lstm", forget_bias=0), "lstm:forget_bias=0"),
        (Model("lstm:forget_bias=0.0"), "lstm:forget_bias=0"),
        (Model("lstm:forget_bias=-0.0"), "lstm:forget_bias=0"),
        (Model("gru:gain=2,update_bias=1.5"), "gru:update_bias=1.5,gain=2"),
        (Model("gru", gain=2.0, update_bias=1.5), "gru:update_bias=1.5,gain=2"),
        (Model("rnn:init=orthogonal", activation="relu"), "rnn:activation=relu,init=orthogonal"),
        (Model("rnn", hidden_size=32), "rnn:hidden_size=32"),
        (Model("rnn", gain=0.1), "rnn:gain=0.1"),
        (Model("lstm", variant="cifg", layers=2), "lstm:variant=cifg,layers=2"),
        (Model("gru:skip=9,variant=reset_before"), "gru:variant=reset_before,skip=9"),
        (Model("rnn:bidirectional=yes,leak=0.50"), "rnn:leak=0.5,bidirectional=yes"),
    ],
)
def test_a_model_is_its_normalized_label(given: Model, label: str) -> None:
    assert given == label == given.label
    assert Model(label) == given
    assert pickle.loads(pickle.dumps(given)).overrides == given.overrides


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("rnn:forget_bias=0", "overrides of rnn must be among .* got forget_bias"),
        ("gru:activation=relu", "overrides of gru must be among"),
        ("lstm:gain", "must look like"),
        ("lstm:gain=1,gain=2", "must look like"),
        ("lstm:gain=high", "gain of lstm must be a number, got 'high'"),
        ("lstm:init=best", "init of lstm must be one of"),
        ("lstm:hidden_size=2.5", "hidden_size of lstm must be a number, got '2.5'"),
        ("", "model must be one of"),
        ("rnn:variant=cifg", "overrides of rnn must be among .* got variant"),
        ("gru:variant=cifg", "variant of gru must be one of plain, reset_before, got 'cifg'"),
        ("lstm:leak=0.5", "overrides of lstm must be among"),
        ("gru:layers=5", "layers of gru must be .* from 1 to 4, got 5"),
        ("gru:bidirectional=True", "bidirectional of gru must be one of no, yes, got 'True'"),
    ],
)
def test_a_bad_label_is_refused(label: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Model(label)
