"""Calls of nn.RNNCell, nn.LSTMCell and nn.GRUCell in a Python loop: steps of one sequence.

The caller gets copies of the states that a cell gave back. Where it hands them to the next call as
they are, that call takes the states themselves: so the copies get only what else is made of them,
the direct gradient, and what the next step sends back does not have to be subtracted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rnnviz.torch.calls import KINDS, Chain, copied, dtype_of, input_of, states_of, weight_names
from rnnviz.torch.hooks import Hooks

LINK = "_rnnviz_link"


class Link:
    """Ties the copies that a caller has to the step that made them. owner: the watch. raw: the
    states themselves. versions: of the copies; one changes where its copy is changed in place."""

    def __init__(
        self, owner: Hooks, chain: Chain, raw: Sequence[Any], copies: Sequence[Any]
    ) -> None:
        self.owner, self.chain, self.raw, self.end = owner, chain, tuple(raw), chain.steps
        self.versions = tuple(each._version for each in copies)

    def goes_on(self, owner: Hooks, module: Any, states: Sequence[Any]) -> bool:
        """Whether a call of a module with these states is the step after, for one watch."""
        return (
            self.owner is owner
            and self.chain.module is module
            and self.chain.steps == self.end
            and len(states) == len(self.raw)
            and all(getattr(state, LINK, None) is self for state in states)
            and tuple(state._version for state in states) == self.versions
            and _versions(module) == self.chain.versions
        )


def attach_cell(hooks: Hooks, name: str, cell: Any) -> None:
    """See every call of one cell, and what comes back to the states it gives back."""
    continued: list[Link] = []

    def before(module: Any, args: Any, kwargs: Any) -> Any:
        continued.clear()
        states = states_of(args, kwargs)
        link = getattr(states[0], LINK, None) if states else None
        if link is None or not link.goes_on(hooks, module, states):
            return None
        continued.append(link)
        hx = link.raw if len(link.raw) > 1 else link.raw[0]
        if len(args) > 1:
            return (args[0], hx, *args[2:]), kwargs
        return args, {**kwargs, "hx": hx}

    def after(module: Any, args: Any, kwargs: Any, result: Any) -> Any:
        link = continued.pop() if continued else None
        if link is None and not hooks.copies(name, module, cell):
            return None
        raw = result if isinstance(result, tuple) else (result,)
        if not any(each.requires_grad for each in raw):
            hooks.seen.without_gradient[name] += 1
            return None
        chain = link.chain if link else _chain(next(hooks.index), module, args, kwargs, raw[0])
        chain.x.append(copied(input_of(args, kwargs)))
        chain.outputs.append(copied(raw[0]))
        copies = tuple(each.clone() for each in raw)
        hooks.on_outputs(name, chain, chain.steps - 1, copies)
        made = Link(hooks, chain, raw, copies)
        for each in copies:
            setattr(each, LINK, made)
        return copies if isinstance(result, tuple) else copies[0]

    hooks.around(cell, before, after)


def _chain(index: int, module: Any, args: Any, kwargs: Any, output: Any) -> Chain:
    mode = {"LSTMCell": "LSTM", "GRUCell": "GRU"}
    named = next((m for k, m in mode.items() if _is(module, k)), None)
    kind, activation = KINDS[named or f"RNN_{module.nonlinearity.upper()}"]
    weights = {n: copied(getattr(module, n)) for n in weight_names(module)}
    dtype = dtype_of(output, next(iter(weights.values())))
    states = [copied(state) for state in states_of(args, kwargs)]
    unbatched = input_of(args, kwargs).dim() == 1
    return Chain(index, kind, activation, dtype, weights, module, _versions(module), states,
                 unbatched)  # fmt: skip


def _is(module: Any, name: str) -> bool:
    """Whether a module is of PyTorch's class of that name, or of one derived from it."""
    from torch import nn

    return isinstance(module, getattr(nn, name))


def _versions(module: Any) -> tuple[int, ...]:
    """They change when a weight does."""
    return tuple(getattr(module, name)._version for name in weight_names(module))
