"""Hooks that copy what goes through recurrent modules while a model runs, and are gone afterwards.

A module's own backward hook is not enough: it is not called where c_n alone is used, nor for packed
sequences. So a hook stands on each output tensor, of which autograd says what reached it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import count
from typing import Any
from weakref import WeakSet

from rnnviz.torch.graphs import Edge, comes_from
from rnnviz.torch.seen import AnyCall, Seen

COMPILED = "it was compiled: watch a model before torch.compile"


NOT_INSIDE = -1
"""The number of the backward pass where none runs."""


class Hooks:
    """All hooks of one watch. index: numbers its calls.

    Where a module is called while a backward pass runs, as reentrant checkpointing does, what goes
    back through that call is a part of this pass, though autograd counts it as one more.
    """

    def __init__(self, seen: Seen) -> None:
        self.seen, self.index = seen, count()
        self._handles: list[Any] = []
        self._of_outputs: WeakSet[Any] = WeakSet()
        self._replaced: list[Any] = []
        self._outer = NOT_INSIDE

    def around(self, module: Any, after: Callable[..., Any]) -> None:
        """Call a function after a module's forward."""
        hook = ForwardHook(after)
        self._handles.append(module.register_forward_hook(hook, with_kwargs=True))

    def replace_forward(self, module: Any, forward: Callable[..., Any]) -> None:
        """Let a module compute by another function for now."""
        module.forward = forward
        self._replaced.append(module)

    def on_parameter(self, name: str, weight: str, parameter: Any) -> None:
        """Keep what each backward pass brings to a parameter; what modules share is one."""
        known = {key for weights in self.seen.weights.values() for key in weights.values()}
        self.seen.weights[name][weight] = key = id(parameter)
        if key in known:
            return

        def arrived(gradient: Any) -> None:
            task = self._task()
            self.seen.begins(task)
            if (one := self.seen.backward(task)) is not None:
                before = one.d_params.get(key, 0)  # of another part of the pass
                one.d_params[key] = gradient.detach() + before
            elif self.seen.was_recording:
                self.seen.elsewhere.add(task)

        self._handles.append(parameter.register_hook(arrived))
        self._on_gradient(parameter)

    def _on_gradient(self, parameter: Any) -> None:
        """Keep what stands in a parameter's .grad after each backward pass."""
        before: list[bool] = []

        def arrives(_: Any) -> None:
            before[:] = [parameter.grad is not None and bool(parameter.grad.any())]

        def stands(parameter: Any) -> None:
            task = self._task()
            keep = self.seen.backward(task) is not None
            self.seen.gathering.add(task, parameter, before == [True], keep)

        self._handles.append(parameter.register_hook(arrives))
        self._handles.append(parameter.register_post_accumulate_grad_hook(stands))

    def on_steps(self) -> None:
        """Look at the gradients before each step that an optimizer takes."""
        from torch.optim.optimizer import register_optimizer_step_pre_hook

        self._handles.append(register_optimizer_step_pre_hook(self.seen.gathering.before_step))

    def on_outputs(self, name: str, call: AnyCall, step: int, outputs: Sequence[Any]) -> None:
        """Keep what each backward pass brings to the outputs of a call."""
        for k, output in enumerate(outputs):
            if output.requires_grad:
                self._on_output(name, call, step, k, output)
            if output.grad_fn is not None:
                output.grad_fn.metadata.setdefault(self, set()).add(name)

    def _on_output(self, name: str, call: AnyCall, step: int, k: int, output: Any) -> None:
        # One hook a tensor: one for all of them would hold their graph, which holds it.
        def arrived(gradient: Any) -> None:
            if gradient is not None:
                copy = gradient.detach().clone()
                self.seen.arrive(name, self._task(), (call, step, k), copy)

        arrived.handle = handle = output.register_hook(arrived)  # type: ignore[attr-defined]
        self._of_outputs.add(handle)  # it lives as long as the output's graph does

    def continues(self, name: str, states: Sequence[Any]) -> bool:
        """Whether the states that a module is handed come from a call of it before. Where a part of
        the graph is made anew in a backward pass, it begins at those that have a gradient."""
        begins_here = self._outer != NOT_INSIDE and any(each.requires_grad for each in states)
        return begins_here or comes_from(states, lambda node: name in node.metadata.get(self, ()))

    def on_edges(self, name: str, call: AnyCall, step: int, edges: Sequence[Edge]) -> None:
        """Keep what each backward pass sends along edges to the outputs of a step of a call."""
        for node, at, k in edges:
            self._on_edge(name, node, at, (call, step, k))

    def _on_edge(self, name: str, node: Any, at: int, to: tuple[AnyCall, int, int]) -> None:
        def sent(gradients: Sequence[Any], _: Any) -> None:
            if gradients[at] is not None:
                self.seen.send(name, self._task(), to, gradients[at].detach().clone())

        sent.handle = handle = node.register_hook(sent)  # type: ignore[attr-defined]
        self._of_outputs.add(handle)

    def copies(self, name: str, called: Any, watched: Any) -> bool:
        """Whether a call is to be copied now."""
        return self.watches(name, called, watched) and self.recording

    @property
    def recording(self) -> bool:
        """Whether calls are copied now. One that is made in a backward pass belongs to that."""
        inside = self._outer != NOT_INSIDE
        return self.seen.was_recording if inside else self.seen.recording

    def watches(self, name: str, called: Any, watched: Any) -> bool:
        """Whether a call is the watched module's: not that of a copy that somebody has made of the
        model, which has copies of its hooks, too."""
        import torch

        if torch.compiler.is_compiling():
            self.seen.refused[name] = COMPILED
            return False
        if called is watched:
            self._look_around()
        return called is watched

    def _look_around(self) -> None:
        """Keep in which backward pass a call is made, until that ends."""
        from torch.autograd import Variable

        if (task := _running()) == NOT_INSIDE:
            self._ended()  # one that failed did not say so
        elif self._outer == NOT_INSIDE:
            self._outer = task
            self.seen.begins(task)
            Variable._execution_engine.queue_callback(self._ended)

    def _ended(self) -> None:
        self._outer = NOT_INSIDE

    def _task(self) -> int:
        """The number of the backward pass that runs now, of which others may be parts."""
        return _running() if self._outer == NOT_INSIDE else self._outer

    def remove(self) -> None:
        """Take every hook away."""
        for handle in (*self._handles, *self._of_outputs):
            handle.remove()
        for module in self._replaced:
            del module.forward
        self._handles.clear()
        self._replaced.clear()


@dataclass(frozen=True, eq=False)
class ForwardHook:
    """A forward hook of a watch. A module may be copied or pickled while it has one: the copy's
    does nothing, and a file needs no rnnviz to be read."""

    after: Callable[..., Any]

    def __call__(self, *given: Any) -> Any:
        return self.after(*given)

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (nullcontext(), "__exit__")


def _running() -> int:
    """The number that autograd gives to what runs now."""
    import torch

    return int(torch._C._current_graph_task_id())
