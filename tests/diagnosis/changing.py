"""What a finding proposes, done: its code is run, with a few names of PyTorch in NumPy."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from rnnviz.core import GRU, LSTM
from rnnviz.core.initializers import orthogonal
from rnnviz.core.network import Network

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Setup:
    """What a training script has: a network, its first parameters, and how it goes about it.

    clip: the norm that gradients are clipped at, None for no clipping. window: of truncated
    backpropagation, 0 for none. cut: of how many last steps the network is shown, 0 for all.
    packed: whether lengths are declared. of_x: code that is run on every batch.
    """

    network: Network
    params: dict[str, Array]
    clip: float | None = None
    window: int = 0
    cut: int = 0
    packed: bool = False
    of_x: str = ""


class Tensor(np.ndarray):
    """An array with what the changes use of a tensor."""

    @property
    def data(self) -> Any:
        return self

    def chunk(self, count: int) -> list[Array]:
        return np.split(self, count)

    def clamp(self, min: float) -> Array:
        return np.maximum(self, min)


class Module:
    """torch.nn.RNN, LSTM or GRU of one layer: PyTorch's names for the arrays of our cell."""

    def __init__(self, cell: Any, params: dict[str, Array]) -> None:
        self.cell, self.hidden_size = cell, cell.hidden_size
        own = {n.rpartition(".")[2]: a for n, a in params.items() if n.startswith("0.forward.")}
        arrays = {"weight_ih_l0": own["W_xh"], "weight_hh_l0": own["W_hh"],
                  "bias_ih_l0": own["b_h"], "bias_hh_l0": np.zeros_like(own["b_h"])}  # fmt: skip
        if "b_hn" in own:
            arrays["bias_hh_l0"][2 * cell.hidden_size :] = own["b_hn"]
        for name, value in arrays.items():
            setattr(self, name, value.copy().view(Tensor))

    def params(self) -> dict[str, Array]:
        """The arrays by our names."""
        arrays = vars(self)
        ih, hh = (np.array(arrays[f"bias_{part}_l0"]) for part in ("ih", "hh"))
        own = {"W_xh": np.array(arrays["weight_ih_l0"]), "W_hh": np.array(arrays["weight_hh_l0"])}
        if isinstance(self.cell, GRU):
            own["b_hn"] = hh[2 * self.hidden_size :].copy()
            hh[2 * self.hidden_size :] = 0
        return {f"0.forward.{name}": a for name, a in {**own, "b_h": ih + hh}.items()}


def changed(setup: Setup, code: str, x: Array, seed: int = 0) -> Setup:
    """The setup after the code of a change has run. x (T, D, B): a batch, of which the code may
    make another one."""
    cell, rng = setup.network.cells[0], np.random.default_rng([seed, 7])
    noted: dict[str, Any] = {}
    names = {"torch": _torch(noted, rng, setup), "rnn": Module(cell, setup.params),
             "model": SimpleNamespace(parameters=list), "lengths": None,
             "x": x.transpose(2, 0, 1).copy().view(Tensor)}  # fmt: skip
    exec(code, names)
    module = names["rnn"]
    network = replace(setup.network, cells=(module.cell,))
    params = {**_readout(setup.params), **module.params()}
    window = names.get("window", 0)
    return replace(
        setup,
        network=network,
        params={name: a.astype(setup.params["W_hy"].dtype) for name, a in params.items()},
        clip=noted.get("clip", setup.clip),
        window=window if setup.window and window else setup.window,
        cut=window if setup.cut and window else setup.cut,
        packed=setup.packed or "packed" in names,
        of_x=lines_of_x(code) or setup.of_x,
    )


def lines_of_x(code: str) -> str:
    """What is done to every batch; all else is done once."""
    return "\n".join(line for line in code.splitlines() if line.startswith(("x = ", "x[")))


def inputs(setup: Setup, x: Array) -> Array:
    """x (T, D, B) after what the script does to every batch."""
    if not setup.of_x:
        return x
    given = x.transpose(2, 0, 1).copy().view(Tensor)
    names: dict[str, Any] = {"torch": SimpleNamespace(isfinite=np.isfinite), "x": given}
    exec(setup.of_x, names)
    return np.asarray(names["x"]).transpose(1, 2, 0)


def _torch(noted: dict[str, Any], rng: np.random.Generator, setup: Setup) -> SimpleNamespace:
    """The names of PyTorch that changes use."""

    def orthogonal_(block: Array) -> None:
        block[...] = orthogonal(rng, len(block))

    def xavier_uniform_(block: Array) -> None:
        block[...] = rng.uniform(-1, 1, block.shape) * np.sqrt(6 / sum(block.shape))

    def eye_(block: Array) -> None:
        block[...] = np.eye(len(block))

    def clip_grad_norm_(_: Any, limit: float) -> None:
        noted["clip"] = limit

    def lstm(D: int, H: int) -> Module:
        network = replace(setup.network, cells=(LSTM(D, H),))
        return Module(network.cells[0], network.init_params(rng, memory_bias=0.0))

    recurrent = SimpleNamespace(pack_padded_sequence=lambda *_, **__: True)
    return SimpleNamespace(
        no_grad=nullcontext,
        isfinite=np.isfinite,
        nn=SimpleNamespace(
            LSTM=lstm,
            init=SimpleNamespace(
                orthogonal_=orthogonal_, eye_=eye_, xavier_uniform_=xavier_uniform_
            ),
            utils=SimpleNamespace(clip_grad_norm_=clip_grad_norm_, rnn=recurrent),
        ),
    )


def _readout(params: dict[str, Array]) -> dict[str, Array]:
    return {name: a for name, a in params.items() if name in ("W_hy", "b_y")}
