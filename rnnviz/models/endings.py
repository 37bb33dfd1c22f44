"""What becomes of what a layer puts out: whether it is what the whole model does, and by which
function."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from rnnviz.experiment.npz import shown

OF_SCORES = ("softmax", "logsoftmax", "log_softmax", "sigmoid")
"""The functions that make probabilities of scores: a loss on the scores has them in itself."""


@dataclass(frozen=True)
class Ending:
    """function: the one that is applied to what a layer puts out, as the file calls it, "" for
    none; of several the first that is none of `OF_SCORES`. reader: the layer that reads what it
    puts out, "" where that is what the model does.

    Examples
    --------
    >>> Ending("softmax").why
    ''
    >>> Ending("relu").why
    'in the file its activation is relu'
    """

    function: str = ""
    reader: str = ""

    @property
    def why(self) -> str:
        """Why the layer is not the readout, "" where it may be."""
        if self.reader:
            return f"in the file {shown(self.reader)} reads what it gives"
        return f"in the file its activation is {self.function}" if self.is_changed else ""

    @property
    def is_changed(self) -> bool:
        """Whether other numbers are made of it than probabilities."""
        return bool(self.function) and self.function.lower() not in OF_SCORES

    def note(self, layer: str) -> list[str]:
        """What to say of y where the layer is the readout."""
        return [f"y is what {shown(layer)} gives before {self.function}"] if self.function else []

    def after(self, function: str) -> Ending:
        """That of a layer whose function comes before this."""
        first = replace(self, function=function)
        return first if first.is_changed or (function and not self.is_changed) else self


NOTHING_KNOWN = Ending()


def endings(
    readers: Mapping[str, Sequence[str]],
    outputs: Collection[str],
    functions: Mapping[str, str],
    through: Collection[str],
) -> dict[str, Ending]:
    """What becomes of what each layer puts out, by the shortest way to an output, if there is any.

    readers: name of every layer -> those that read it. outputs: the layers that put out what the
    model does. functions: name -> the function that a layer applies to what it gives, "" for none.
    through: the layers that do no more than that.
    """
    below: dict[str, list[str]] = {name: [] for name in readers}
    for name, above in readers.items():
        for reader in above:
            below[reader].append(name)
    put_out = {name: Ending(functions[name]) for name in outputs}
    read = {name: Ending(functions[name], reader) for name, above in readers.items()
            for reader in reversed(above) if reader not in through}  # fmt: skip
    for known in (put_out, read):
        queue = [name for name in known if name in through]
        for at in queue:
            fresh = [name for name in below[at] if name not in known]
            known |= {name: known[at].after(functions[name]) for name in fresh}
            queue += [name for name in fresh if name in through]
    return {**read, **put_out}
