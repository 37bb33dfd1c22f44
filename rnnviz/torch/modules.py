"""Calls of nn.RNN, nn.LSTM and nn.GRU, seen as they happen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rnnviz.diagnosis import called
from rnnviz.torch.calls import (
    KINDS,
    Call,
    dtype_of,
    input_of,
    kept_apart,
    states_of,
)
from rnnviz.torch.forms import OTHER, fits
from rnnviz.torch.hooks import Hooks
from rnnviz.torch.layers import Layer, LayeredCall, run_in_layers
from rnnviz.torch.weights import copied, weights_of

WATCHED = "_rnnviz_watched"
"""Of the forward of a stack in single layers, the module that it is for."""


def attach_module(hooks: Hooks, name: str, module: Any) -> None:
    """See every call of one module, and what comes back to its outputs."""
    seen, in_layers = hooks.seen, set[str]()

    def after(ran: Any, args: Any, kwargs: Any, result: Any) -> Any:
        if in_layers or not hooks.copies(name, ran, module):
            in_layers.clear()
            return None
        if not fits(module, args, kwargs, result):
            seen.refused[name] = OTHER
            return None
        output, last = result
        packed = hasattr(output, "batch_sizes")
        outputs = (output.data if packed else output, *_ends(last))
        if not any(each.requires_grad for each in outputs):
            seen.without_gradient[name] += 1
            return None
        outputs = kept_apart(outputs)
        call = _call(hooks, name, module, args, kwargs, outputs[0])
        hooks.on_outputs(name, call, 0, outputs)
        output = output._replace(data=outputs[0]) if packed else outputs[0]
        return output, (outputs[1:] if isinstance(last, tuple) else outputs[1])

    if module.dropout and module.num_layers > 1:
        if why := _not_in_layers(module):
            seen.refused[name] = why
            return
        _run_in_layers(hooks, name, module, in_layers)
    hooks.around(module, after)


def _not_in_layers(module: Any) -> str:
    """Why a stack with dropout cannot run as single layers; "" if it can. A copy that was made of
    one that did so has its forward, which computes as the copy's own."""
    own, set_here = type(module).forward, vars(module).get("forward")
    function = getattr(set_here, "__func__", set_here)
    if (watched := getattr(function, WATCHED, None)) is module:
        return "it has dropout between its layers and is watched already"
    strange = set_here is not None and watched is None and function is not own
    if strange or own.__module__ != "torch.nn.modules.rnn":
        return "it has dropout between its layers and a forward of its own"
    if hasattr(module, "parametrizations"):
        return "it has dropout between its layers and parametrized weights"
    return ""


def _run_in_layers(hooks: Hooks, name: str, module: Any, in_layers: set[str]) -> None:
    """While it is watched, run a stack with dropout as single layers. in_layers: has its name
    after a call that did so."""
    from types import MethodType

    import torch

    own, seen, whose = type(module).forward, hooks.seen, called(name)

    def forward(ran: Any, input: Any, hx: Any = None) -> Any:
        if ran is not module:
            return own(ran, input, hx)
        if not module.training or not torch.is_grad_enabled():
            return own(module, input, hx)
        given = states_of((input, hx), {})
        result, layers, packed = run_in_layers(module, input, given)
        in_layers.add(name)
        if hooks.copies(name, ran, module):
            _on_layers(hooks, name, module, layers, packed, hooks.continues(name, given))
        seen.said[f"{whose}: its layers ran one by one, so that the masks of its dropout are "
                  "known"] = None  # fmt: skip
        return result

    setattr(forward, WATCHED, module)
    hooks.replace_forward(module, MethodType(forward, module))


def _on_layers(
    hooks: Hooks, name: str, module: Any, layers: Sequence[Layer], packed: Any, continues: bool
) -> None:
    """Copy what single layers did, and keep what comes back to their outputs."""
    if not any(layer.output.requires_grad for layer in layers):
        hooks.seen.without_gradient[name] += 1
        return
    kind, activation = KINDS[module.mode]
    calls = []
    for layer in layers:
        weights = {n: copied(w) for n, w in layer.weights.items()}
        x, output, *states = map(copied, (layer.x, layer.output, *layer.states))
        dtype = dtype_of(output, next(iter(weights.values())))
        calls.append(Call(0, kind, activation, dtype, weights, x, states, output, packed))
    whole = LayeredCall(next(hooks.index), tuple(calls), module.batch_first, module.dropout,
                        continues)  # fmt: skip
    for k, layer in enumerate(layers):
        if layer.output.requires_grad:
            hooks.on_outputs(name, whole, k, (layer.output, *layer.ends))


def _call(hooks: Hooks, name: str, module: Any, args: Any, kwargs: Any, output: Any) -> Call:
    x = input_of(args, kwargs)
    packed = (x.batch_sizes, x.unsorted_indices) if hasattr(x, "batch_sizes") else None
    data = x.data if packed else x
    weights = weights_of(module)
    kind, activation = KINDS[module.mode]
    dtype = dtype_of(output, next(iter(weights.values())))
    given = states_of(args, kwargs)
    states, continues = [copied(state) for state in given], hooks.continues(name, given)
    return Call(next(hooks.index), kind, activation, dtype, weights, copied(data), states,
                copied(output), packed, module.batch_first, packed is None and data.dim() == 2,
                module.dropout, continues)  # fmt: skip


def _ends(last: Any) -> tuple[Any, ...]:
    return last if isinstance(last, tuple) else (last,)
