"""Arrays in each framework's own layout, and what is said of an order that nobody has said.

The numbers were obtained with PyTorch, Keras 3 and ONNX's reference evaluator; TensorFlow 1's by
its formula, with which ONNX's agree.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rnnviz.core.network import backward_network, forward_network
from rnnviz.models import Loaded, load

X = np.array([[0.1, -0.2], [0.4, 0.3], [-0.5, 0.6]])[:, :, None]
D = H = 2


def waves(start: float, shape: tuple[int, ...]) -> np.ndarray:
    return 0.5 * np.sin(start + np.arange(np.prod(shape))).reshape(shape)


def torch_arrays(gates: int) -> dict[str, np.ndarray]:
    n = gates * H
    shapes = {
        "weight_ih_l0": (n, D),
        "weight_hh_l0": (n, H),
        "bias_ih_l0": (n,),
        "bias_hh_l0": (n,),
    }
    return {name: waves(1 + 100 * k, shape) for k, (name, shape) in enumerate(shapes.items())}


def keras_arrays(gates: int, rows: int = 0) -> list[np.ndarray]:
    n = gates * H
    bias = (rows, n) if rows else (n,)
    return [waves(1 + 100 * k, shape) for k, shape in enumerate([(D, n), (H, n), bias])]


def onnx_arrays(gates: int) -> dict[str, np.ndarray]:
    n = gates * H
    shapes = {"W": (1, n, D), "R": (1, n, H), "B": (1, 2 * n)}
    return {name: waves(1 + 100 * k, shape) for k, (name, shape) in enumerate(shapes.items())}


TF1 = {"kernel": waves(1, (D + H, 4 * H)), "bias": waves(201, (4 * H,))}
CASES: dict[str, tuple[Any, dict[str, Any], tuple[float, float], tuple[float, float] | None]] = {
    "torch lstm": (torch_arrays(4), {}, (-0.17657912, -0.33953333), (-0.00533601, -0.02076477)),
    "torch gru": (torch_arrays(3), {}, (-0.26931168, -0.45557646), (-0.01006667, -0.03117831)),
    "keras lstm": (keras_arrays(4), {"layout": "keras"},
                   (-0.06118278, -0.14030485), (-0.03175026, 0.04964791)),
    "keras gru, reset after": (keras_arrays(3, 2), {"layout": "keras"},
                               (-0.37044898, -0.45078195), (-0.00397905, -0.01225922)),
    # In float64; in float32 Keras gives -0.28800036.
    "keras gru, reset before": (keras_arrays(3), {"layout": "keras"},
                                (-0.28800035, -0.34649403), (-0.02237660, -0.03246305)),
    "onnx lstm": (onnx_arrays(4), {}, (0.24853480, 0.21925123), None),
    "onnx gru, reset before": (onnx_arrays(3), {"reset": "before"},
                               (-0.63821016, -0.48970070), None),
    "onnx gru, reset after": (onnx_arrays(3), {"reset": "after"}, (-0.60126792, -0.41764998), None),
    "tensorflow1 lstm": (TF1, {"layout": "tensorflow1", "cell": "lstm"},
                         (0.14178194, 0.04730108), None),
}  # fmt: skip


def run(loaded: Loaded) -> tuple[np.ndarray, np.ndarray]:
    """h_3, and ∂L/∂x_1 of L = Σ h_3."""
    record = forward_network(loaded.network, loaded.params, X)
    d_y = np.zeros_like(record.y)
    d_y[-1] = 1
    trace = backward_network(record, d_y)
    return trace.y[-1, :, 0], trace.trace.d_x[0, :, 0]


@pytest.mark.parametrize("name", CASES)
def test_weights_as_frameworks_store_them(name: str) -> None:
    source, options, h, d_x = CASES[name]
    found_h, found_d_x = run(load(source, **options))
    assert_allclose(found_h, h, atol=1e-8, rtol=0)
    if d_x is not None:
        assert_allclose(found_d_x, d_x, atol=1e-8, rtol=0)


@pytest.mark.parametrize("name", CASES)
def test_a_reference_proves_the_reading(name: str) -> None:
    source, options, h, _ = CASES[name]
    loaded = load(source, **options, reference=(X, np.array(h, np.float32)[:, None]))
    assert loaded.notes[0].startswith("reproduces the reference to ")
    assert " and not with " not in loaded.notes[0]


def test_a_wrong_order_is_noticed_by_a_reference_and_the_right_one_taken() -> None:
    h = np.array(CASES["onnx lstm"][2])[:, None]
    arrays = {"weight_ih": "W", "weight_hh": "R"}
    wrong = {name: onnx_arrays(4)[key][0] for name, key in arrays.items()}
    wrong |= dict(zip(("bias_ih", "bias_hh"), np.split(onnx_arrays(4)["B"][0], 2), strict=True))
    assert_allclose(run(load(wrong))[0], (-0.413, -0.072), atol=5e-4)  # without a word
    loaded = load(wrong, reference=(X, h.astype(np.float32)))
    assert_allclose(run(loaded)[0], h[:, 0], atol=1e-7)
    assert loaded.reading == "gates i, o, f, g"
    assert loaded.notes[0].endswith("with gates i, o, f, g, and not with gates i, f, g, o")


@pytest.mark.parametrize("given", [{"gates": "iofg"}, {"gates": ("i", "o", "f", "g")}])
def test_the_caller_may_say_the_order(given: dict[str, Any]) -> None:
    arrays = [a[0] for a in onnx_arrays(4).values()]
    W, R, B = arrays
    loaded = load([W, R, *np.split(B, 2)], "pytorch", **given)
    assert_allclose(run(loaded)[0], CASES["onnx lstm"][2], atol=1e-8)


@pytest.mark.parametrize("axes", ["tdb", "btd", "tbd"])
@pytest.mark.parametrize("last", [True, False])
def test_a_reference_is_laid_out_as_said(axes: str, last: bool) -> None:
    x = np.concatenate([X, -X], axis=2)
    record = forward_network(*_parts(load(torch_arrays(4))), x)
    turn = {"tdb": (0, 1, 2), "btd": (2, 0, 1), "tbd": (0, 2, 1)}[axes]
    h = record.y.transpose(turn)
    if last:
        h = record.y[-1] if axes == "tdb" else record.y[-1].T
    loaded = load(torch_arrays(4), reference=(x.transpose(turn), h), axes=axes)
    assert loaded.notes[0] == "reproduces the reference to 0.0e+00 with gates i, f, g, o"


def _parts(loaded: Loaded) -> tuple[Any, Any]:
    return loaded.network, loaded.params


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_a_reference_may_be_as_narrow_as_its_framework_computed(dtype: type) -> None:
    h = np.array(CASES["onnx lstm"][2])[:, None].astype(dtype)
    assert load(onnx_arrays(4), reference=(X, h)).notes[0].startswith("reproduces the reference")
    with pytest.raises(ValueError, match="must be reproduced to"):
        load(onnx_arrays(4), reference=(X, h + dtype(0.03)))


def test_large_inputs_may_be_rounded_by_more_than_small_ones() -> None:
    """Sums of thousands in float32, added in another precision than the framework's."""
    rng, D, H = np.random.default_rng(0), 400, 8
    arrays = {"weight_ih": (4 * H, D), "weight_hh": (4 * H, H), "bias_ih": (4 * H,)}
    weights = {n: rng.uniform(-0.35, 0.35, s).astype(np.float32) for n, s in arrays.items()}
    x = (300 * rng.standard_normal((100, D, 4))).astype(np.float32)
    wide = load({name: array.astype(np.float64) for name, array in weights.items()})
    h = forward_network(*_parts(wide), x.astype(np.float64)).y.astype(np.float32)
    off = np.abs(forward_network(*_parts(load(weights)), x).y - h).max()
    assert off > 4e-5
    assert load(weights, reference=(x, h)).reading == "gates i, f, g, o"
    with pytest.raises(ValueError, match="must be reproduced to"):
        load(weights, reference=(x, h + np.float32(0.03)))


def test_a_reference_that_nothing_reproduces_is_refused_with_the_differences() -> None:
    with pytest.raises(ValueError, match=r"to 1\.0e-09, the largest differences are gates i, f, g, "
                       r"o: 0\.\d+; .*gates i, o, f, g, 1 added to b_f: \d"):  # fmt: skip
        load(torch_arrays(4), reference=(X, np.array([[0.5], [0.5]])))


def test_a_reference_that_does_not_tell_readings_apart_says_so_or_is_refused() -> None:
    """Only the input gate's bias differs from the others."""
    arrays = {"weight_ih": np.zeros((4, 1)), "weight_hh": np.zeros((4, 1))}
    arrays["bias_ih"] = np.array([1.0, 2, 2, 2])
    h = forward_network(*_parts(load(arrays, gates="iofg")), X[:, :1]).y
    note = load(arrays, gates="iofg", reference=(X[:, :1], h)).notes[0]
    assert note.endswith("; it does not tell this from gates i, f, g, o, gates i, g, f, o")
    with pytest.raises(
        ValueError, match="must tell the readings apart, it fits gates i, f, g, o: "
    ):
        load(arrays, gates="gifo", reference=(X[:, :1], h))


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        (keras_arrays(4), {}, "layout must be said of arrays without names, one of pytorch, keras"),
        (keras_arrays(4), {"layout": "torch"}, "layout must be one of pytorch, keras, .*'torch'"),
        (
            {"U": np.ones((8, 2)), "V": np.ones((8, 2))},
            {},
            r"names must say whose layout it is \(pytorch: weight_ih, .*got 'U', 'V'",
        ),
        (
            {"kernel": np.ones((2, 8)), "recurrent_kernel": np.ones((2, 8))},
            {"layout": "pytorch"},
            "'pytorch' must have arrays named weight_hh and weight_ih, .*these are keras's",
        ),
        (onnx_arrays(3), {}, "reset must be said of ONNX's GRU .* one of after, before"),
        (torch_arrays(4), {"gates": "iofc"}, "gates must be f, g, i, o in the order"),
        (torch_arrays(4), {"gates": "ifg"}, "gates must be f, g, i, o in the order"),
        (torch_arrays(4), {"reset": "after"}, "reset must be None for LSTM weights, got 'after'"),
        (torch_arrays(3), {"activation": "relu"}, "activation must be None for GRU weights"),
        (torch_arrays(1), {"activation": "gelu"}, "activation must be one of tanh, relu"),
        (torch_arrays(4), {"forget_bias": np.nan}, "forget_bias must be a finite number"),
        (
            torch_arrays(4),
            {"cell": "gru"},
            "cell must be lstm for 8 rows of gates and hidden_size 2",
        ),
        (TF1, {"layout": "tensorflow1"}, "cell must be said of a kernel without a name"),
        (torch_arrays(4), {"reference": X}, r"reference must be \(x, h\)"),
        (torch_arrays(4), {"axes": "bdt"}, "axes must be one of tdb, btd, tbd"),
        (
            {
                "weight_ih_l0": np.ones((4, 1)),
                "weight_hh_l0": np.ones((4, 1)),
                "weight_ih_l9999": np.ones((4, 1)),
                "weight_hh_l9999": np.ones((4, 1)),
            },
            {},
            "in layer 1, direction 0, got nothing",
        ),
        (torch_arrays(4), {"bidirectional": True}, "bidirectional must be False for arrays with"),
        (keras_arrays(4), {"layout": "keras", "prefix": "a"}, "prefix must be None for arrays wi"),
        (torch_arrays(4), {"reads": "final"}, "reads must be None for one direction, got 'final'"),
        (torch_arrays(4), {"prefix": 5}, "prefix must be a name or a list of names, got 5"),
        (
            torch_arrays(4),
            {"readout": True},
            r"readout must be \(W, b\), a name or False, got True",
        ),
        (torch_arrays(4), {"reference": (X, [["a"]])}, "'h' must be float16, bfloat16, float32"),
        (5, {}, "source must be a path, a file's bytes, a mapping"),
    ],
)
def test_what_cannot_be_told_is_asked(source: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load(source, **options)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"weight_hh_l0": np.ones((8, 3))},
            r"weight_hh must have 1·H or 3·H or 4·H rows .*\(8, 3\)",
        ),
        (
            {"weight_hh_l0": np.ones((6, 2))},
            r"weight_ih \(8, 2\) and weight_hh \(6, 2\) must be matrices with the same number",
        ),
        ({"weight_ih_l0": np.ones(8)}, r"weight_ih \(8,\) and weight_hh \(8, 2\)"),
        ({"bias_hh_l0": np.ones(6)}, r"bias_hh must have 8 numbers, .*got \(6,\)"),
        ({"weight_hr_l0": np.ones((1, 2))}, r"proj_size must be 0"),
        ({"weight_hh_l1": np.ones((8, 2))}, "in layer 1, direction 0, got weight_hh"),
        (
            {"weight_ih_l2": np.ones((8, 2)), "weight_hh_l2": np.ones((8, 2))},
            "in layer 1, direction 0",
        ),
        (
            {"weight_ih_l1": np.ones((8, 3)), "weight_hh_l1": np.ones((8, 2))},
            r"cells\[1\].input_size must be 2",
        ),
        (
            {"weight_ih_l0": np.ones((8, 2), np.int64)},
            "'weight_ih_l0' must be float16, .* got int64",
        ),
        (
            {"weight_ih_l0": np.ones((8, 2), complex)},
            "'weight_ih_l0' must be float16, .*complex128",
        ),
        (
            {"weight_ih_l0": np.ones((8, 0))},
            r"'weight_ih_l0' must hold numbers, got shape \(8, 0\)",
        ),
        ({"weight_ih_l0": [[1], [1, 2]]}, "'weight_ih_l0' must be an array of numbers"),
    ],
)
def test_arrays_that_do_not_fit_are_named(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load({**torch_arrays(4), **changed})


def test_what_is_missing_or_odd_is_said() -> None:
    arrays = torch_arrays(1)
    arrays = {n: a for n, a in arrays.items() if "bias" not in n}
    arrays["weight_hh_l0"][0, 1] = np.nan
    arrays["weight_ih_l0"][:, 0] = np.inf, -np.inf
    loaded = load(arrays)
    assert loaded.notes == (
        "no bias in the file: zeros are taken",
        "the nonlinearity is taken to be tanh: weights do not say it",
        "without a readout: y is the output of the last layer, 2 numbers",
        "2 infinite in 'weight_ih_l0', the first at [0, 0]",
        "1 NaN in 'weight_hh_l0', the first at [0, 1]",
    )


@pytest.mark.parametrize("name", ["bias_ih_l0", "bias_hh_l0"])
def test_a_bias_that_is_missing_beside_another_is_named(name: str) -> None:
    arrays = torch_arrays(3)
    without = {f"rnn.{n}": a for n, a in arrays.items() if n != name}
    loaded = load(without)
    assert f"no 'rnn.{name}' in the file: zeros are taken" in loaded.notes
    zeros = load({**arrays, name: np.zeros(6)})
    for parameter, value in zeros.params.items():
        np.testing.assert_array_equal(loaded.params[parameter], value)
    assert not any("zeros" in note for note in zeros.notes)
    assert not loaded.unbiased


def test_of_two_directions_the_biases_of_the_one_that_has_none_are_named() -> None:
    arrays = torch_arrays(4)
    other = {f"{n}_reverse": a for n, a in arrays.items() if "weight" in n}
    notes = load({**arrays, **other}).notes
    missing = "'bias_ih_l0_reverse', 'bias_hh_l0_reverse'"
    assert f"no {missing} in the file: zeros are taken" in notes
    both = {n: a for n, a in {**arrays, **other}.items() if "weight" in n}
    assert "no bias in the file: zeros are taken" in load(both).notes
    kernels = [keras_arrays(4)[:2], keras_arrays(4)]
    assert "no 'bias of layer 0' in the file: zeros are taken" in load(kernels, "keras").notes


@pytest.mark.parametrize(("kept", "missing"), [("gates", "candidate"), ("candidate", "gates")])
def test_of_two_biases_of_a_tensorflow_gru_the_one_that_is_there_counts(
    kept: str, missing: str
) -> None:
    shapes = {"gates": 4, "candidate": 2}
    arrays = {f"rnn/gru_cell/{n}/kernel:0": waves(k, (4, m)) for k, (n, m) in
              enumerate(shapes.items())}  # fmt: skip
    biases = {f"rnn/gru_cell/{n}/bias:0": np.arange(1.0, m + 1) for n, m in shapes.items()}
    loaded = load({**arrays, f"rnn/gru_cell/{kept}/bias:0": biases[f"rnn/gru_cell/{kept}/bias:0"]})
    assert f"no 'rnn/gru_cell/{missing}/bias:0' in the file: zeros are taken" in loaded.notes
    zeros = {n: a * (kept in n) for n, a in biases.items()}
    expected = load({**arrays, **zeros}).params["0.forward.b_h"]
    np.testing.assert_array_equal(loaded.params["0.forward.b_h"], expected)
    assert expected.any()


def test_another_byte_order_and_float16_are_turned_and_said() -> None:
    arrays = torch_arrays(4)
    given = {n: a.astype(">f8" if "weight" in n else np.float16) for n, a in arrays.items()}
    loaded = load(given)
    np.testing.assert_array_equal(loaded.params["0.forward.W_xh"], arrays["weight_ih_l0"])
    assert loaded.notes[1].startswith(">f8 is in another byte order, turned: 2 arrays")
    assert loaded.notes[2].startswith("float16 is widened to float32: 2 arrays ('bias_ih_l0'")


@pytest.mark.parametrize("nothing", [[], (), [[]]])
def test_a_list_without_arrays_is_refused(nothing: Any) -> None:
    with pytest.raises(ValueError, match=r"must (hold|be).* weight_ih, weight_hh, .* got"):
        load(nothing, "pytorch")


def test_of_several_networks_one_is_named_or_a_stack() -> None:
    both = {f"{where}.{name}": a for where in ("encoder.rnn", "decoder.rnn")
            for name, a in torch_arrays(4).items()}  # fmt: skip
    with pytest.raises(ValueError, match=r"prefix must be one of 'encoder.rnn', 'decoder.rnn' "):
        load(both)
    assert load(both, prefix="decoder").where == "decoder.rnn"
    within = {f"{where}.{name}": a for where in ("encoder", "encoder.inner")
              for name, a in torch_arrays(4).items()}  # fmt: skip
    for where in ("encoder", "encoder.inner"):
        assert load(within, prefix=where).where == where
    with pytest.raises(ValueError, match=r"prefix must be one of 'encoder', 'encoder.inner' "):
        load(within)
    stack = load(both, prefix=("encoder.rnn", "decoder.rnn"))
    assert len(stack.network.cells) == 2
    with pytest.raises(ValueError, match=r"prefix must be one of .*, got 'rnn'"):
        load(both, prefix="rnn")


def test_layers_and_directions_that_differ_are_refused() -> None:
    lstm, gru = ({f"{where}.{n}": a for n, a in torch_arrays(gates).items()}
                 for where, gates in (("a", 4), ("b", 3)))  # fmt: skip
    with pytest.raises(ValueError, match="all layers must be of one kind, got gru, lstm"):
        load({**lstm, **gru}, prefix=("a", "b"))
    both = {f"{n}_reverse": a for n, a in lstm.items()}
    above = {n.replace("a.", "b."): a for n, a in lstm.items()}
    with pytest.raises(ValueError, match="all layers must have the same directions, got 2, 1"):
        load({**lstm, **both, **above}, prefix=("a", "b"))
    other = {**both, "a.weight_ih_l0_reverse": np.ones((8, 5))}
    with pytest.raises(ValueError, match="both directions of layer 0 must have the same sizes"):
        load({**lstm, **other})


@pytest.mark.parametrize("kernel", [(5, 2, 3), (5, 2, 3, 3)])
def test_a_convolution_that_reads_as_many_channels_is_no_readout(kernel: tuple[int, ...]) -> None:
    arrays = torch_arrays(4)
    conv = {"conv.weight": np.ones(kernel), "conv.bias": np.ones(5)}
    alone = load({**arrays, **conv})
    assert alone.network.output_size == 2
    assert "not read: 2 more arrays ('conv.weight', 'conv.bias')" in alone.notes
    fc = {"fc.weight": np.ones((3, 2)), "fc.bias": np.ones(3)}
    assert load({**arrays, **conv, **fc}).network.output_size == 3
    with pytest.raises(ValueError, match="readout must be one of 'fc', got 'conv'"):
        load({**arrays, **conv, **fc}, readout="conv")
    turned = {f"conv1d/{name}:0": value for name, value in
              (("kernel", np.ones(kernel[::-1])), ("bias", np.ones(5)))}  # fmt: skip
    assert load({**arrays, **turned}).network.output_size == 2


def test_a_readout_is_chosen_given_or_left_out() -> None:
    heads = {f"{head}.{name}": a for head in ("mean", "spread")
             for name, a in (("weight", np.ones((3, 2))), ("bias", np.ones(3)))}  # fmt: skip
    arrays = {**torch_arrays(4), **heads}
    loaded = load(arrays)
    assert loaded.network.output_size == H
    assert "('mean', 'spread' would fit)" in loaded.notes[0]
    assert load(arrays, readout="mean").network.output_size == 3
    assert load(arrays, readout=(np.ones((5, 2)), np.ones(5))).network.output_size == 5
    one = {name: a for name, a in arrays.items() if "mean" not in name}
    assert load(one).network.output_size == 3
    np.testing.assert_array_equal(load(one, readout=False).params["W_hy"], np.eye(2))
    for given, message in (
        ("fc", "readout must be one of 'mean', 'spread', got 'fc'"),
        ((np.ones((5, 3)), np.ones(5)), r"readout must be W \(O, 2\) and b"),
    ):
        with pytest.raises(ValueError, match=message):
            load(arrays, readout=given)


def test_an_embedding_is_chosen_given_or_left_out() -> None:
    arrays = {**torch_arrays(4), "emb.weight": np.ones((9, 2)), "table.weight": np.ones((7, 2))}
    for given, tokens in ((None, 9), ("table", 7), ("table.weight", 7), (np.ones((5, 2)), 5)):
        assert load(arrays, embedding=given).embedding.shape == (tokens, D)
    assert load(arrays, embedding=False).embedding is None
    for given, message in (
        ("x", "embedding must be one of 'emb.weight', 'table.weight', got 'x'"),
        (np.ones((5, 3)), r"embedding must have shape \(V, 2\), got \(5, 3\)"),
    ):
        with pytest.raises(ValueError, match=message):
            load(arrays, embedding=given)


def test_lists_of_layers_and_of_directions() -> None:
    layer = keras_arrays(4)
    assert len(load([layer, layer], "keras").network.cells) == 2
    both = load([*layer, *layer], "keras", bidirectional=True)
    assert both.network.bidirectional
    for given, message in (
        (layer[:1], "must be kernel, recurrent_kernel, bias in each direction, got 1 arrays"),
        ([*layer, layer[0]], "got 4 arrays in 1"),
    ):
        with pytest.raises(ValueError, match=message):
            load(given, "keras")


def test_names_of_keras_and_tensorflow() -> None:
    kernel, recurrent, bias = keras_arrays(4)
    for where in ("lstm/lstm_cell/", "lstm/", "sequential/lstm_1/lstm_cell/", ""):
        named = {f"{where}kernel:0": kernel, f"{where}recurrent_kernel:0": recurrent,
                 f"{where}bias:0": bias}  # fmt: skip
        loaded = load({**named, "dense/kernel:0": np.ones((5, 5))})
        assert_allclose(run(loaded)[0], CASES["keras lstm"][2], atol=1e-8)
    ways = {f"bi/{way}_lstm/lstm_cell/{name}": a for way in ("forward", "backward") for name, a in
            zip(("kernel", "recurrent_kernel", "bias"), keras_arrays(4), strict=True)}  # fmt: skip
    assert load(ways).network.bidirectional
    cell = "lstm/lstm_cell"
    counted = {n.replace(cell, f"{cell}_{'back' in n:d}"): a for n, a in ways.items()}
    for name, value in load(counted).params.items():
        np.testing.assert_array_equal(value, load(ways).params[name])
    assert load(counted, prefix="bi").where == "bi"
    cells = {f"rnn/multi_rnn_cell/cell_{k}/basic_lstm_cell/{name}": a
             for k in range(2) for name, a in TF1.items()}  # fmt: skip
    assert len(load(cells).network.cells) == 2
    two = {f"rnn/lstm_cell{number}/{name}": a for number in ("", "_1") for name, a in
           zip(("kernel", "recurrent_kernel", "bias"), keras_arrays(4), strict=True)}  # fmt: skip
    with pytest.raises(
        ValueError, match="prefix must be one of 'rnn/lstm_cell', 'rnn/lstm_cell_1'"
    ):
        load(two)
    assert len(load(two, prefix=("rnn/lstm_cell", "rnn/lstm_cell_1")).network.cells) == 2
    one = load({f"rnn/basic_lstm_cell/{name}": a for name, a in TF1.items()})
    assert_allclose(run(one)[0], CASES["tensorflow1 lstm"][2], atol=1e-8)
    assert "1 is added to b_f, as this kernel does at run time" in one.notes
    gru = {"gates/kernel": (D + H, 2 * H), "gates/bias": (2 * H,),
           "candidate/kernel": (D + H, H), "candidate/bias": (H,)}  # fmt: skip
    loaded = load({f"rnn/gru_cell/{name}": np.ones(shape) for name, shape in gru.items()})
    assert loaded.reading == "gates r, z, n, reset before the product"


def of_tensorflow1(where: str, cell: str, **shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Arrays by their names in a TensorFlow 1 checkpoint; "__" of a keyword stands for "/"."""
    named = {name.replace("__", "/"): shape for name, shape in shapes.items()}
    return {f"{where}/{cell}/{name}": waves(k, shape) for k, (name, shape) in
            enumerate(named.items())}  # fmt: skip


LSTM1 = of_tensorflow1("enc/rnn", "basic_lstm_cell", kernel=(D + H, 4 * H), bias=(4 * H,))
GRU1 = of_tensorflow1("dec/rnn", "gru_cell", gates__kernel=(D + H, 2 * H), gates__bias=(2 * H,),
                      candidate__kernel=(D + H, H), candidate__bias=(H,))  # fmt: skip
RNN1 = of_tensorflow1("top/rnn", "basic_rnn_cell", kernel=(D + 4 * H, 4 * H), bias=(4 * H,))


@pytest.mark.parametrize("beside", [GRU1, RNN1, LSTM1, {"candidate_sampler/weights": np.eye(3)}])
@pytest.mark.parametrize("own", [LSTM1, GRU1, RNN1])
def test_a_cell_of_tensorflow_1_is_of_its_own_kind_whatever_is_beside_it(
    own: dict[str, np.ndarray], beside: dict[str, np.ndarray]
) -> None:
    alone = load(own)
    loaded = load({**own, **beside}, prefix=alone.where)
    assert (loaded.network, loaded.reading) == (alone.network, alone.reading)
    for name, value in alone.params.items():
        np.testing.assert_array_equal(loaded.params[name], value)


def test_a_name_before_a_cell_of_tensorflow_1_does_not_say_its_kind() -> None:
    renamed = {n.replace("enc", "candidate"): a for n, a in LSTM1.items()}
    assert load(renamed).network == load(LSTM1).network


def test_of_two_cells_of_tensorflow_1_in_one_place_each_is_of_its_own_kind() -> None:
    both = {n.split("/", 1)[1]: a for n, a in {**LSTM1, **GRU1}.items()}
    for cell, own in (("basic_lstm_cell", LSTM1), ("gru_cell", GRU1)):
        assert load(both, prefix=f"rnn/{cell}").network == load(own).network


def test_cells_of_tensorflow_1_of_two_kinds_do_not_stand_upon_each_other() -> None:
    for other, kinds in ((RNN1, "lstm, rnn"), (GRU1, "gru, lstm")):
        first = next(iter(other)).split("/")[0]
        with pytest.raises(ValueError, match=f"all layers must be of one kind, got {kinds}"):
            load({**LSTM1, **other}, prefix=("enc/rnn", f"{first}/rnn"))
