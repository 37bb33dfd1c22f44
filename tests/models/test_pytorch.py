"""A `state_dict` runs as PyTorch runs it: outputs, last states and every gradient.

The arrays come from tests/reference/make_models_golden.py; PyTorch is needed only to make them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rnnviz.core.network import run_network
from rnnviz.models import load
from tests.models.golden import (
    FOLDER,
    beginning,
    expected_gradients,
    golden,
    replayed,
    rows,
)

EXACT = {"rtol": 1e-11, "atol": 1e-13}


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn_tanh", "rnn_relu", "no_bias"])
def test_forward_and_every_gradient_are_pytorchs(name: str) -> None:
    arrays = golden(f"torch_{name}")
    activation = "relu" if name == "rnn_relu" else None
    loaded = load(beginning(arrays, "state."), activation=activation)
    assert loaded.layout == "pytorch"
    trace = replayed(loaded, arrays)
    assert_allclose(rows(trace.y), arrays["output"], **EXACT)
    assert_allclose(rows(trace.layers[0][0].d_x if len(trace.layers[0]) == 1 else
                         _d_x(trace.layers[0])), arrays["d_x"], **EXACT)  # fmt: skip
    every = [trace for layer in trace.layers for trace in layer]
    assert_allclose([t.h[-1].T for t in every], arrays["h_n"], **EXACT)
    assert_allclose([t.d_h[0].T for t in every], arrays["d_h0"], **EXACT)
    if "c_n" in arrays:
        assert_allclose([t.c[-1].T for t in every], arrays["c_n"], **EXACT)
        assert_allclose([t.d_c[0].T for t in every], arrays["d_c0"], **EXACT)
    expected = expected_gradients(beginning(arrays, "grad."), activation=activation)
    compared = {
        n
        for n in expected
        if n not in ("W_hy", "b_y") and not (name == "no_bias" and n.endswith("b_h"))
    }
    for parameter in compared:
        assert_allclose(trace.grads[parameter], expected[parameter], **EXACT, err_msg=parameter)


def _d_x(layer: Any) -> np.ndarray:
    return layer[0].d_x + layer[1].d_x[::-1]


@pytest.mark.parametrize("name", ["lstm_cell", "gru_cell", "rnn_cell"])
def test_a_cell_module_in_a_loop(name: str) -> None:
    arrays = golden(f"torch_{name}")
    loaded = load(beginning(arrays, "state."))
    x = arrays["x"].transpose(0, 2, 1)
    target = np.zeros((len(x), loaded.network.output_size, x.shape[2]))
    batch = SimpleNamespace(
        x=x, target=target, mask=np.ones((len(x), x.shape[2])), loss="squared_error"
    )
    y = run_network(loaded.network, loaded.params, batch).y
    assert_allclose(y[-1].T, arrays["h"], **EXACT)


def test_a_classifier_with_embedding_both_directions_and_readout() -> None:
    arrays = golden("torch_classifier")
    loaded = load(beginning(arrays, "state."))
    assert loaded.where == "rnn"
    assert loaded.embedding is not None
    x = loaded.embedding[arrays["tokens"].T].transpose(0, 2, 1)
    mask = np.zeros(arrays["tokens"].T.shape)
    mask[-1] = 1
    target = np.tile(arrays["target"], (len(mask), 1))
    batch = SimpleNamespace(x=x, target=target, mask=mask, loss="softmax_cross_entropy")
    trace = run_network(loaded.network, loaded.params, batch)
    assert_allclose(rows(trace.y), arrays["logits"], **EXACT)
    assert trace.loss == pytest.approx(float(arrays["loss"]), rel=1e-12)
    expected = expected_gradients(beginning(arrays, "grad."))
    assert set(expected) == set(trace.grads)
    for parameter, value in expected.items():
        assert_allclose(trace.grads[parameter], value, **EXACT, err_msg=parameter)
    said = " | ".join(loaded.notes)
    assert "'fc' is read as the readout" in said
    assert "'embedding.weight' is read as the embedding" in said
    assert "not read: 5 more arrays ('norm.weight', 'norm.bias', 'norm.running_mean'" in said


def test_bfloat16_is_widened_and_said() -> None:
    loaded = load(FOLDER / "models_torch_bfloat16.safetensors")
    exact = golden("torch_no_bias")["state.weight_ih_l0"]
    found = loaded.params["0.forward.W_xh"]
    assert found.dtype == np.float32
    assert_allclose(found, exact, rtol=2**-8)
    assert not (found.view(np.uint32) & 0xFFFF).any()
    assert loaded.notes[-2].startswith("bfloat16 is widened to float32: 4 arrays (")
    assert loaded.notes[-1] == "not read: 1 more arrays ('steps')"


@dataclass(frozen=True)
class Tensor:
    """What of a PyTorch tensor stands in NumPy's way."""

    values: np.ndarray
    dtype: str = "torch.float32"
    bare: bool = False

    def detach(self) -> Tensor:
        return replace(self, bare=True)

    def cpu(self) -> Tensor:
        return self

    def float(self) -> Tensor:
        return replace(self, dtype="torch.float32")

    def numpy(self) -> np.ndarray:
        if not self.bare:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        if self.dtype not in ("torch.float32", "torch.float64"):
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self.values

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        return self.numpy()

    @property
    def ndim(self) -> int:
        return self.values.ndim

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape


@pytest.mark.parametrize("dtype", ["torch.float32", "torch.bfloat16", "torch.float16"])
def test_tensors_of_any_type_that_require_a_gradient(dtype: str) -> None:
    rng = np.random.default_rng(0)
    shapes = {
        "weight_ih_l0": (12, 2),
        "weight_hh_l0": (12, 3),
        "bias_ih_l0": (12,),
        "fc.weight": (2, 3),
        "fc.bias": (2,),
    }
    values = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    loaded = load({name: Tensor(value, dtype) for name, value in values.items()})
    np.testing.assert_array_equal(loaded.params["0.forward.W_hh"], values["weight_hh_l0"])
    assert loaded.network.output_size == 2
    halves = [note for note in loaded.notes if "widened" in note]
    assert len(halves) == (dtype != "torch.float32")


def test_a_tensor_of_another_type_is_named() -> None:
    state = {
        "weight_ih_l0": Tensor(np.ones((4, 1)), "torch.quint8"),
        "weight_hh_l0": np.ones((4, 1)),
    }
    with pytest.raises(ValueError, match="'weight_ih_l0' must be an array of numbers, got quint8"):
        load(state)


def test_a_module_is_asked_for_its_state() -> None:
    state = beginning(golden("torch_lstm_cell"), "state.")
    module = SimpleNamespace(state_dict=lambda: state)
    for name, value in load(module).params.items():
        np.testing.assert_array_equal(value, load(state).params[name])
