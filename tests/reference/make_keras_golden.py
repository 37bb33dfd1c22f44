"""Make the golden arrays of Keras and TensorFlow in tests/models:
`KERAS_BACKEND=tensorflow python -m tests.reference.make_keras_golden`.

Needs tensorflow, which brings Keras 3 and h5py. Parameters are the numbers of `waves`; the loss is
Σ direct · output, in float64 but for the operations of TensorFlow 1, which are float32.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

FOLDER = Path(__file__).parent
T, B, D, H, V, OUT = 5, 2, 2, 3, 5, 3


def waves(start: float, shape: tuple[int, ...]) -> np.ndarray:
    """0.5·sin(start), 0.5·sin(start + 1), … in row-major order."""
    return 0.5 * np.sin(start + np.arange(np.prod(shape))).reshape(shape)


def filled(model: Any) -> Any:
    """A layer or model whose weights are waves."""
    model.set_weights([waves(101.0 * k + 1, w.shape) for k, w in enumerate(model.weights)])
    return model


def recurrent(layer: Any) -> dict[str, np.ndarray]:
    """A layer run on waves: output, and the gradients of inputs and weights."""
    x = tf.constant(waves(7, (B, T, D)))
    layer(x)
    filled(layer)
    with tf.GradientTape() as tape:
        tape.watch(x)
        output = layer(x)
        direct = waves(11, tuple(output.shape))
        loss = tf.reduce_sum(output * direct)
    d_x, *grads = tape.gradient(loss, [x, *(w.value for w in layer.trainable_weights)])
    result = {"x": x.numpy(), "output": output.numpy(), "direct": direct, "d_x": d_x.numpy()}
    result |= {f"weight.{k}": w for k, w in enumerate(layer.get_weights())}
    return result | {f"grad.{k}": np.array(g) for k, g in enumerate(grads)}


def block_lstm() -> dict[str, np.ndarray]:
    """TensorFlow 1's LSTM kernel: one matrix on [x, h], gates i, j, f, o, 1 added to f."""
    x, kernel, bias = (tf.constant(waves(s, shape).astype(np.float32)) for s, shape in
                       ((7, (T, B, D)), (1, (D + H, 4 * H)), (201, (4 * H,))))  # fmt: skip
    zeros, none = tf.zeros((B, H)), tf.zeros((H,))
    with tf.GradientTape() as tape:
        tape.watch((x, kernel, bias))
        *_, h = tf.raw_ops.BlockLSTM(
            seq_len_max=tf.constant(T, tf.int64), x=x, cs_prev=zeros, h_prev=zeros, w=kernel,
            wci=none, wcf=none, wco=none, b=bias, forget_bias=1.0, cell_clip=-1.0,
            use_peephole=False)  # fmt: skip
        direct = waves(11, (T, B, H)).astype(np.float32)
        loss = tf.reduce_sum(h * direct)
    d_x, d_kernel, d_bias = tape.gradient(loss, (x, kernel, bias))
    found = {"x": x, "kernel": kernel, "bias": bias, "output": h, "d_x": d_x,
             "d_kernel": d_kernel, "d_bias": d_bias}  # fmt: skip
    return {name: value.numpy() for name, value in found.items()} | {"direct": direct}


def block_gru() -> dict[str, np.ndarray]:
    """TensorFlow 1's GRU kernel, step by step: gates r, u and the candidate, reset before."""
    x = waves(7, (T, B, D)).astype(np.float32)
    shapes = {"gates/kernel": (D + H, 2 * H), "candidate/kernel": (D + H, H),
              "gates/bias": (2 * H,), "candidate/bias": (H,)}  # fmt: skip
    given = {n: waves(1 + 100 * k, s).astype(np.float32) for k, (n, s) in enumerate(shapes.items())}
    h, output = tf.zeros((B, H)), []
    for step in x:
        *_, h = tf.raw_ops.GRUBlockCell(
            x=step, h_prev=h, w_ru=given["gates/kernel"], w_c=given["candidate/kernel"],
            b_ru=given["gates/bias"], b_c=given["candidate/bias"])  # fmt: skip
        output.append(h.numpy())
    return {f"rnn/gru_cell/{n}": a for n, a in given.items()} | {"x": x, "output": np.array(output)}


def model(bidirectional: bool) -> tuple[Any, dict[str, np.ndarray]]:
    """Embedding, two recurrent layers and a readout: a model to be saved whole."""
    L = keras.layers
    layers = [L.LSTM(H, return_sequences=True) for _ in range(2)]
    if bidirectional:
        layers = [L.Bidirectional(L.GRU(H, return_sequences=True))]
    made = keras.Sequential(
        [L.Input((T,), dtype="int64"), L.Embedding(V, D), *layers, L.Dense(OUT)]
    )
    filled(made)
    tokens = np.arange(B * T).reshape(B, T) * 3 % V
    return made, {"tokens": tokens, "output": made(tokens).numpy()}


def main() -> None:
    keras.backend.set_floatx("float64")
    L, options = keras.layers, {"return_sequences": True}
    cases: dict[str, Any] = {
        "lstm": L.LSTM(H, **options),
        "gru": L.GRU(H, **options),
        "gru_before": L.GRU(H, reset_after=False, **options),
        "simple_rnn": L.SimpleRNN(H, **options),
        "bidirectional": L.Bidirectional(L.LSTM(H, **options)),
    }
    for name, layer in cases.items():
        np.savez_compressed(FOLDER / f"models_keras_{name}.npz", **recurrent(layer))
    np.savez_compressed(FOLDER / "models_tensorflow1_lstm.npz", **block_lstm())
    np.savez_compressed(FOLDER / "models_tensorflow1_gru.npz", **block_gru())
    keras.backend.set_floatx("float32")
    for name, bidirectional in (("stack", False), ("both", True)):
        made, arrays = model(bidirectional)
        made.save(FOLDER / f"models_keras_{name}.keras")
        np.savez_compressed(FOLDER / f"models_keras_{name}.npz", **arrays)
    files = [*FOLDER.glob("models_keras_*"), *FOLDER.glob("models_tensorflow1_*")]
    print(f"{len(files)} files, {sum(p.stat().st_size for p in files) / 1e3:.0f} kB, "
          f"Keras {keras.__version__}, TensorFlow {tf.__version__}")  # fmt: skip


if __name__ == "__main__":
    main()
