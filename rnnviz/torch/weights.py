"""The weights that a module or a cell has at a call: its parameters, or what is computed from them
at each call, where they are parametrized."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from rnnviz.models.watched import NARROW

CHANGE = ("its weights are computed anew at each call, and change on the way, as with "
          "spectral_norm in training: its calls are seen apart")  # fmt: skip
RANDOM = ("its weights are drawn anew at each call, by a parametrization that is random, and which "
          "they were is not known")  # fmt: skip


def copied(tensor: Any) -> Any:
    """A tensor's numbers as they are now, on its device."""
    return tensor.detach().clone()


def weight_names(module: Any) -> list[str]:
    """The names of a module's or a cell's weights."""
    names = getattr(module, "_flat_weights_names", None)
    if names is not None:
        return list(names)
    return ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if module.bias else [])]


def weights_of(module: Any) -> dict[str, Any]:
    """Copies of the weights that a module or a cell has just computed with, by name."""
    flat = getattr(module, "_flat_weights", None)
    if flat is not None:
        return {n: copied(w) for n, w in zip(weight_names(module), flat, strict=True)}
    with _at_rest(getattr(module, "parametrizations", None)):
        return {name: copied(getattr(module, name)) for name in weight_names(module)}


@contextmanager
def _at_rest(parametrizations: Any) -> Iterator[None]:
    """Reading a weight that is parametrized computes it: inside, as in eval mode, where power
    iterations stand still, and without random numbers being taken from others."""
    if parametrizations is None:
        yield
        return
    from torch.random import fork_rng

    training = {part: part.training for part in parametrizations.modules()}
    try:
        for part in training:
            part.training = False
        with fork_rng(devices=[]):
            yield
    finally:
        for part, was in training.items():
            part.training = was


def sources_of(module: Any) -> list[Any]:
    """The tensors that a cell's weights are, or are computed from where they are parametrized."""
    made = getattr(module, "parametrizations", {})
    whole = [getattr(module, name) for name in weight_names(module) if name not in made]
    return whole + [each for name in made for each in made[name].parameters()]


def are_still(module: Any, weights: Mapping[str, Any], dtype: str) -> bool:
    """Whether a cell's weights are still those that it had, but for rounding in a number format,
    where they are computed anew at each call."""
    if all(name in module._parameters for name in weights):
        return True
    now = weights_of(module)
    off = {name: float((now[name] - weight).norm()) for name, weight in weights.items()}
    return not any(off[name] > NARROW[dtype] * float(w.norm()) for name, w in weights.items())


def are_random(module: Any) -> bool:
    """Whether a cell's weights are drawn anew at each call: of two copies of what computes them
    each comes to others. Both are asked for what they do now, and leave the random numbers alone
    that others are waiting for."""
    from torch import equal, no_grad
    from torch.random import fork_rng

    made = getattr(module, "parametrizations", None)
    if made is None:
        return False
    tensors = [*made.parameters(), *made.buffers()]
    devices = {each.device for each in tensors if each.is_cuda}
    with fork_rng(devices=list(devices)), no_grad():
        one, other = (deepcopy(made, {id(t): copied(t) for t in tensors}) for _ in range(2))
        return not all(equal(one[name](), other[name]()) for name in one)
