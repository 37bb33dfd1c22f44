"""What a reader should know of the sequences that were run."""

from __future__ import annotations

from rnnviz.tasks import Batch
from rnnviz.wording.texts import fill, texts


def batch_note(batch: Batch) -> str:
    """What the task cut or replaced, and what is padding; "" if there is nothing to say."""
    said = [batch.note] if batch.note else []
    least, most = int(batch.lengths.min()), int(batch.lengths.max())
    if least < batch.seq_len:
        lengths = f"{least}" if least == most else f"{least} to {most}"
        said.append(fill(texts("layout")["padding"], lengths=lengths))
    return " ".join(said)
