"""Planted mistakes in stacks, directions, padding, skips and contexts: the complex-step check of
whole networks must catch every one of them."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

from rnnviz.core import layers, network, parameters
from rnnviz.core.skips import Arrivals
from tests.core.mutants import CAUGHT, TOLERANCE
from tests.core.networks import SETTINGS, direction_error

loops = import_module("rnnviz.core.bptt")  # `rnnviz.core.bptt` is also a function

DEEP, PADDED = "deep and bidirectional", "deep, bidirectional, padded"
FINAL, SKIPS = "final readout", "skips, context, padded"


@pytest.mark.parametrize("name", [DEEP, PADDED, FINAL, SKIPS])
def test_the_check_passes_without_a_mistake(name):
    assert direction_error(SETTINGS[name]()) <= TOLERANCE


def backward_layers_with(change, patch):
    """`change` sees the arguments (layers, direct, aligned, backward) and returns them."""
    right = network.backward_layers
    patch.setattr(network, "backward_layers", lambda *given: right(*change(*given[:4]), *given[4:]))


def padding_reversed_too(patch):
    """Only on the way back: the gradient of a padded sequence is reversed as a whole."""
    right = layers.backward_layers

    def wrong(*given):
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(layers, "reverse", lambda values, lengths: values[::-1])
            return right(*given)

    patch.setattr(network, "backward_layers", wrong)


def nothing_reversed(patch):
    right = layers.backward_layers

    def wrong(*given):
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(layers, "reverse", lambda values, lengths: values)
            return right(*given)

    patch.setattr(network, "backward_layers", wrong)


def final_taken_for_aligned(patch):
    backward_layers_with(lambda r, direct, aligned, b: (r, direct, True, b), patch)


def aligned_taken_for_final(patch):
    backward_layers_with(lambda r, direct, aligned, b: (r, direct, False, b), patch)


def halves_exchanged(patch):
    def change(records, direct, aligned, backward):
        return records, np.roll(direct, direct.shape[1] // 2, axis=1), aligned, backward

    backward_layers_with(change, patch)


def lower_layer_hears_one_direction(patch):
    right = layers._below
    patch.setattr(layers, "_below", lambda layer: right(layer[:1]))


def lower_layer_hears_the_backward_direction_unturned(patch):
    def wrong(layer):
        return layer[0].d_x + layer[1].d_x, layer[0].d_log2[1:]

    patch.setattr(layers, "_below", wrong)


def one_step_late_into_the_lower_layer(patch):
    right = layers._below
    patch.setattr(layers, "_below", lambda layer: (np.roll(right(layer)[0], 1, 0), right(layer)[1]))


def padded_direct_gradients_let_through(patch):
    """The loss asks in the padding, the backward pass is told of no lengths."""
    patch.setattr(network, "_asked", lambda mask, lengths: mask)

    def change(records, direct, aligned, backward):
        bare = tuple(tuple(replace(r, lengths=None) for r in layer) for layer in records)
        return bare, direct, aligned, backward

    backward_layers_with(change, patch)


def skip_dropped(patch):
    patch.setattr(Arrivals, "after", lambda self, start, d_a: None)


def skip_of_a_whole_block_too_late(patch):
    """Blocks longer than the skip: what arrives inside a block is missed."""
    right = loops._backward

    def wrong(*given):
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(loops, "_blocks", lambda seq_len, elements, skip: [(0, seq_len)])
            return right(*given)

    patch.setattr(loops, "_backward", wrong)


def skip_weights_see_the_step_before(patch):
    right = parameters.summed_products

    def wrong(a, v):
        return right(a, np.roll(v, -1, axis=0))

    patch.setattr(parameters, "summed_products", wrong)


def context_of_the_state_after_it(patch):
    right = network.NetworkTrace.grads.func

    def wrong(self):
        d_h0 = self.trace.d_h[1]
        return {**right(self), "W_vh": d_h0 @ self.context.T}

    patch.setattr(network.NetworkTrace, "grads", property(wrong))


def context_of_both_directions(patch):
    right = network.NetworkTrace.grads.func

    def wrong(self):
        d_h0 = sum(trace.d_h[0] for trace in self.layers[0])
        return {**right(self), "W_vh": d_h0 @ self.context.T}

    patch.setattr(network.NetworkTrace, "grads", property(wrong))


def readout_reads_the_other_alignment(patch):
    right = network._readout_grads

    def wrong(h, d_y):
        H = h.shape[1] // 2
        return right(np.concatenate([h[:, :H], h[::-1, H:]], axis=1), d_y)

    patch.setattr(network, "_readout_grads", wrong)


MISTAKES = [
    (padding_reversed_too, PADDED),
    (nothing_reversed, DEEP),
    (final_taken_for_aligned, FINAL),
    (aligned_taken_for_final, DEEP),
    (halves_exchanged, DEEP),
    (lower_layer_hears_one_direction, DEEP),
    (lower_layer_hears_the_backward_direction_unturned, DEEP),
    (one_step_late_into_the_lower_layer, "three layers"),
    (padded_direct_gradients_let_through, PADDED),
    (skip_dropped, SKIPS),
    (skip_of_a_whole_block_too_late, SKIPS),
    (skip_weights_see_the_step_before, SKIPS),
    (context_of_the_state_after_it, "context"),
    (context_of_both_directions, "context of a bidirectional lstm"),
    (readout_reads_the_other_alignment, DEEP),
]


@pytest.mark.parametrize(("mistake", "name"), MISTAKES)
def test_a_mistake_is_caught(mistake, name, monkeypatch):
    mistake(monkeypatch)
    assert direction_error(SETTINGS[name]()) > CAUGHT
