"""Make the ONNX models of tests/models and what ONNX's reference evaluator makes of them:
`python -m tests.reference.make_onnx_golden`.

Needs onnx, torch and onnxscript: the last model is exported by PyTorch. Weights are the numbers of
`waves`, so that each is different from all others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from tests.reference.make_models_golden import filled

FOLDER = Path(__file__).parent
T, B, D, H, OUT = 5, 2, 2, 3, 3
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def waves(start: float, shape: tuple[int, ...]) -> np.ndarray:
    return 0.5 * np.sin(start + np.arange(np.prod(shape))).reshape(shape)


def node(kind: str, number: int, size: int, directions: int, **options: Any) -> Any:
    """A recurrent node that reads "x0", "x1" ... and its weights."""
    rows = GATES[kind] * H
    shapes = {
        "W": (directions, rows, size),
        "R": (directions, rows, H),
        "B": (directions, 2 * rows),
    }
    shapes |= {"P": (directions, 3 * H)} if options.pop("peepholes", False) else {}
    arrays = []
    for k, (name, shape) in enumerate(shapes.items()):
        values = waves(1 + 100 * k + 7 * number, shape)
        arrays.append(numpy_helper.from_array(values, f"{kind}{number}.{name}"))
    names = [array.name for array in arrays]
    inputs = [f"x{number}", *names[:3]] + (["", "", "", names[3]] if len(names) > 3 else [])
    if directions == 2:
        options["direction"] = "bidirectional"
    return helper.make_node(kind, inputs, [f"y{number}"], hidden_size=H, **options), arrays


def model(kind: str, layers: int = 1, directions: int = 1, **options: Any) -> tuple[Any, Any]:
    """Recurrent nodes upon each other and a readout; x (T, B, D)."""
    nodes, weights, size = [], [], D
    for number in range(layers):
        made, arrays = node(kind, number, size, directions, **options)
        size = directions * H
        y, turned, x = f"y{number}", f"t{number}", f"x{number + 1}"
        nodes += [made, helper.make_node("Transpose", [y], [turned], perm=[0, 2, 1, 3])]
        nodes.append(helper.make_node("Reshape", [turned, "flat"], [x]))
        weights += arrays
    weights.append(numpy_helper.from_array(np.array([0, 0, size]), "flat"))
    weights.append(numpy_helper.from_array(waves(5, (size, OUT)), "head.W"))
    weights.append(numpy_helper.from_array(waves(9, (OUT,)), "head.b"))
    nodes += [helper.make_node("MatMul", [f"x{layers}", "head.W"], ["m"]),
              helper.make_node("Add", ["m", "head.b"], ["out"])]  # fmt: skip
    shape = [helper.make_tensor_value_info(n, TensorProto.DOUBLE, s)
             for n, s in (("x0", [None, None, D]), ("out", [None, None, OUT]))]  # fmt: skip
    graph = helper.make_graph(nodes, kind, shape[:1], shape[1:], weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    return made, waves(7, (T, B, D))


CASES: dict[str, Any] = {
    "lstm": lambda: model("LSTM"),
    "peepholes": lambda: model("LSTM", peepholes=True),
    "gru": lambda: model("GRU"),
    "gru_after": lambda: model("GRU", linear_before_reset=1),
    "rnn": lambda: model("RNN"),
    "stack": lambda: model("LSTM", layers=2),
}


class Exported(torch.nn.Module):
    """A classifier in PyTorch, exported: its arrays have names that say nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = torch.nn.GRU(D, H, 2, batch_first=True, bidirectional=True)
        self.fc = torch.nn.Linear(2 * H, OUT)

    def forward(self, x: Any) -> Any:
        return self.fc(self.rnn(x)[0])


def exported() -> tuple[bytes, dict[str, np.ndarray]]:
    module = filled(Exported()).float().eval()
    x = torch.tensor(waves(7, (B, T, D)).astype(np.float32))
    program = torch.onnx.export(module, (x,), dynamo=True, verbose=False)
    arrays = {"x": x.numpy(), "output": module(x).detach().numpy()}
    return program.model_proto.SerializeToString(), arrays


def main() -> None:
    outputs = {}
    for name, make in CASES.items():
        made, x = make()
        (FOLDER / f"models_onnx_{name}.onnx").write_bytes(made.SerializeToString())
        (outputs[name],) = ReferenceEvaluator(made).run(["out"], {"x0": x})
    data, arrays = exported()
    (FOLDER / "models_onnx_exported.onnx").write_bytes(data)
    outputs |= {f"exported.{name}": array for name, array in arrays.items()}
    np.savez_compressed(FOLDER / "models_onnx.npz", x=x, **outputs)
    made = list(FOLDER.glob("models_onnx*"))
    print(f"{len(made)} files, {sum(p.stat().st_size for p in made) / 1e3:.0f} kB, "
          f"onnx {onnx.__version__}")  # fmt: skip


if __name__ == "__main__":
    main()
