"""The graph that autograd makes of a call, as far as a watch reads it: by which edges a call sends
gradients to the states that it was handed, and whether they come from another call."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

SEARCHED = 1000
"""Nodes of a graph that are looked at: between two calls of a loop there are a few, tens where
attention is, hundreds where an equation is integrated."""

Edge = tuple[Any, int, int]
"""Node, the place of its edge, and to which tensor that leads."""


def edges_to(ends: Sequence[Any], outputs: Sequence[Any], beyond: Sequence[Any]) -> list[Edge]:
    """The edges by which a call that gave back the outputs reaches tensors. beyond: what else it
    was handed, through which nothing is followed."""
    of_ends = {(end.grad_fn, end.output_nr): k for k, end in enumerate(ends)}
    outside = {each.grad_fn for each in beyond} - {None}
    found = _edges([each.grad_fn for each in outputs], outside, of_ends)
    return [(node, at, of_ends[edge]) for node, at, edge in found if edge in of_ends]


def comes_from(states: Sequence[Any], made: Callable[[Any], bool]) -> bool:
    """Whether states are a function of what a call gave back, by a short way. made: says so of a
    node."""
    left = deque(dict.fromkeys(s.grad_fn for s in states if s.grad_fn is not None))
    known = set(left)
    while left:
        node = left.popleft()
        if made(node):
            return True
        if len(known) > SEARCHED:
            return False
        new = {after for after, _ in node.next_functions} - known - {None}
        known |= new
        left.extend(new)
    return False


def _edges(
    nodes: Sequence[Any], outside: set[Any], ends: dict[tuple[Any, int], int]
) -> Iterator[tuple[Any, int, tuple[Any, int]]]:
    """Every edge between these nodes and the ends, with its node and place."""
    left, known = [node for node in nodes if node is not None], set(nodes)
    while left:
        node = left.pop()
        for at, edge in enumerate(node.next_functions):
            yield node, at, edge
            after = edge[0]
            if after is not None and edge not in ends and after not in outside | known:
                known.add(after)
                left.append(after)
