"""`watch`: a model's recurrent modules while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rnnviz.core import checks
from rnnviz.torch.cells import attach_cell
from rnnviz.torch.hooks import COMPILED, Hooks
from rnnviz.torch.modules import attach_module
from rnnviz.torch.seen import Seen
from rnnviz.torch.weights import weight_names


@contextmanager
def watch(model: Any, every: int = 1, keep: int = 8) -> Iterator[Seen]:
    """Watch every nn.RNN, nn.LSTM, nn.GRU and *Cell of a model while it trains inside a with block.

    At each call inputs, first states and weights are copied; hooks on the outputs say what each
    backward pass brings. Afterwards everything is as it was, after an exception, too. Runs on CPU;
    GPUs are untried.

    Parameters
    ----------
    model
        An nn.Module, before torch.compile: compiled code does not call hooks set later.
    every
        Copy the calls of every so-manieth backward pass alone.
    keep
        Of how many backward passes, the last ones, to keep what was seen.

    Yields
    ------
    Seen
        Name of a module, as `model.named_modules()` has it ("" for the model itself) -> its `Run`.

    Raises
    ------
    ValueError
        For what is no module, and for every or keep below 1.
    ImportError
        Where PyTorch is not installed.
    """
    from torch import nn

    if not isinstance(model, nn.Module):
        raise ValueError(f"model must be a torch.nn.Module, got {model!r:.80}")
    checks.size("every", every)
    checks.size("keep", keep)
    modules = {name: m for name, m in model.named_modules()
               if isinstance(m, nn.RNNBase | nn.RNNCellBase)}  # fmt: skip
    hooks, compiled = Hooks(Seen(modules, every, keep)), _compiled(model)
    try:
        hooks.on_steps()
        for name, module in modules.items():
            if module in compiled:
                hooks.seen.refused[name] = COMPILED
            else:
                _attach(hooks, name, module)
        yield hooks.seen
    finally:
        hooks.remove()


def _compiled(model: Any) -> set[Any]:
    """The modules that run as compiled code."""
    compiled = [m for m in model.modules()
                if hasattr(m, "_orig_mod") or getattr(m, "_compiled_call_impl", None)]  # fmt: skip
    return {part for module in compiled for part in module.modules()}


def _attach(hooks: Hooks, name: str, module: Any) -> None:
    """Set the hooks of one module."""
    from torch import nn

    hooks.seen.weights[name] = {}
    if projection := getattr(module, "proj_size", 0):
        hooks.seen.refused[name] = f"proj_size must be 0 to be run again, got {projection}"
        return
    for weight in weight_names(module):
        parameter = module._parameters.get(weight)  # what is parametrized is none
        if parameter is not None and parameter.requires_grad:
            hooks.on_parameter(name, weight, parameter)
    if isinstance(module, nn.RNNCellBase):
        attach_cell(hooks, name, module)
    else:
        attach_module(hooks, name, module)
