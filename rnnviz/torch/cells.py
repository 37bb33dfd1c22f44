"""Calls of nn.RNNCell, nn.LSTMCell and nn.GRUCell in a Python loop: steps of one sequence.

The caller keeps the states that a cell gave back, and nothing is put between them and the next
call: what arrives at one is all of its gradient. What the next step sends there is read off the
edges of that call's graph, and the rest is the direct gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rnnviz.diagnosis import called
from rnnviz.torch.calls import (
    KINDS,
    Chain,
    dtype_of,
    input_of,
    kept_apart,
    states_of,
)
from rnnviz.torch.forms import OTHER, fits_cell, is_a
from rnnviz.torch.graphs import Edge, edges_to
from rnnviz.torch.hooks import Hooks
from rnnviz.torch.weights import (
    CHANGE,
    RANDOM,
    are_random,
    are_still,
    copied,
    sources_of,
    weights_of,
)


@dataclass(frozen=True, eq=False)
class Link:
    """Ties the states that a step of a chain gave back to it. end: how many steps it had then.
    versions: of the states; one changes where its state is changed in place."""

    chain: Chain
    end: int
    versions: tuple[int, ...]


def attach_cell(hooks: Hooks, name: str, cell: Any) -> None:
    """See every call of one cell, and what comes back to the states it gives back."""
    from torch.utils.weak import WeakTensorKeyDictionary

    links: Any = WeakTensorKeyDictionary()  # state -> its link, and which of the states it is

    def after(module: Any, args: Any, kwargs: Any, result: Any) -> Any:
        if not hooks.watches(name, module, cell):
            return None
        if not fits_cell(module, args, kwargs, result):
            hooks.seen.refused[name] = OTHER
            return None
        raw = result if isinstance(result, tuple) else (result,)
        if (step_of := _step_of(hooks, name, links, module, args, kwargs, raw)) is None:
            return None
        chain, ways = step_of
        hooks.on_edges(name, chain, chain.steps - 1, ways)
        chain.x.append(copied(input_of(args, kwargs)))
        chain.outputs.append(copied(raw[0]))
        given, step = kept_apart(raw), chain.steps - 1
        hooks.on_outputs(name, chain, step, given)
        handed = (*_others(module, args, kwargs), *states_of(args, kwargs))
        hooks.on_edges(name, chain, step, edges_to(given, given[:1], handed))
        link = Link(chain, chain.steps, tuple(each._version for each in given))
        links.update((each, (link, k)) for k, each in enumerate(given))
        return given if isinstance(result, tuple) else given[0]

    hooks.around(cell, after)


def _step_of(
    hooks: Hooks, name: str, links: Any, module: Any, args: Any, kwargs: Any, raw: Sequence[Any]
) -> tuple[Chain, list[Edge]] | None:
    """The chain that a call is the next step of, or the first, and the edges as `_continued` has
    them. None of a call that is not watched: why is kept."""
    found = _continued(links, module, args, kwargs, raw)
    if found is not None and not are_still(module, found[0].weights, found[0].dtype):
        found, hooks.seen.said[f"{called(name)}: {CHANGE}"] = None, None
    if found is None and not hooks.recording:
        return None
    if not any(each.requires_grad for each in raw):
        hooks.seen.without_gradient[name] += 1
        return None
    if found is None and (hooks.seen.refused.get(name) == RANDOM or are_random(module)):
        hooks.seen.refused[name] = RANDOM
        return None
    return found or (_chain(hooks, name, module, args, kwargs, raw[0]), [])


def _continued(
    links: Any, module: Any, args: Any, kwargs: Any, outputs: Sequence[Any]
) -> tuple[Chain, list[Edge]] | None:
    """The chain that a call is the next step of, and the edges by which it sends gradients to the
    states of the step before. None of a call that begins a sequence; also of one to which a state
    is handed as its input, too, as then it is not known which edges are whose."""
    states, others = states_of(args, kwargs), _others(module, args, kwargs)
    link, _ = links.get(states[0], (None, 0)) if states else (None, 0)
    if link is None or not _goes_on(links, link, module, states):
        return None
    if {each.grad_fn for each in others} & {each.grad_fn for each in states}:
        return None
    return link.chain, edges_to(states, outputs, others)


def _goes_on(links: Any, link: Link, module: Any, states: Sequence[Any]) -> bool:
    """Whether a call with these states is the step after: all that was given back, as it was."""
    return (
        link.chain.steps == link.end
        and [links.get(state) for state in states] == [(link, k) for k in range(len(link.versions))]
        and tuple(state._version for state in states) == link.versions
        and _versions(module) == link.chain.versions
    )


def _chain(hooks: Hooks, name: str, module: Any, args: Any, kwargs: Any, output: Any) -> Chain:
    mode = {"LSTMCell": "LSTM", "GRUCell": "GRU"}
    named = next((m for k, m in mode.items() if is_a(module, k)), None)
    kind, activation = KINDS[named or f"RNN_{module.nonlinearity.upper()}"]
    weights = weights_of(module)
    dtype = dtype_of(output, next(iter(weights.values())))
    given = states_of(args, kwargs)
    states, continues = [copied(state) for state in given], hooks.continues(name, given)
    unbatched = input_of(args, kwargs).dim() == 1
    return Chain(next(hooks.index), kind, activation, dtype, weights, _versions(module), states,
                 unbatched, continues)  # fmt: skip


def _others(module: Any, args: Any, kwargs: Any) -> tuple[Any, ...]:
    """What a call was handed besides its states."""
    return input_of(args, kwargs), *sources_of(module)


def _versions(module: Any) -> tuple[int, ...]:
    """They change when a weight does."""
    return tuple(weight._version for weight in sources_of(module))
