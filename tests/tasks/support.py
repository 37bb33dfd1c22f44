"""Reading a batch of symbols back."""

from __future__ import annotations

from rnnviz.tasks import Batch


def between_start_and_end(batch: Batch, sequence: int) -> list[str]:
    """The symbols of one sequence, whose inputs begin with start, whose answers are the next
    inputs, and end."""
    n = batch.lengths[sequence]
    given = [batch.labels[i] for i in batch.x[:n, sequence]]
    asked = [batch.labels[i] for i in batch.target[:n, sequence]]
    assert given[0] == "⟨start⟩"
    assert asked[-1] == "⟨end⟩"
    assert given[1:] == asked[:-1]
    return asked[:-1]
