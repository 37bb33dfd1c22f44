"""Which inputs an answer listens to, as Gradient flow shows it."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.analysis import saliency as derivative
from rnnviz.experiment import Experiment, run
from rnnviz.views import saliency


def of(**fields: object) -> saliency.View:
    wanted = {"models": ("rnn", "lstm"), "hidden_size": 5, "seq_len": 12, "batch_size": 3}
    return saliency.view(run(Experiment(**{**wanted, **fields})))  # type: ignore[arg-type]


def test_the_right_answer_at_the_last_step_is_asked_about_first() -> None:
    result = run(Experiment(models=("rnn",), hidden_size=5, seq_len=12, batch_size=3))
    view = saliency.view(result)
    assert (view.step, view.output) == (12, result.batch.target[11, 0])
    assert view.outputs[view.output] == result.batch.labels[view.output]
    expected = derivative(result["rnn"], "rnn", 12, view.output)
    np.testing.assert_array_equal(view.found[0].signed, expected.signed)
    assert saliency.view(result, 99, "none").step == 12
    assert saliency.view(result, 5, "A").found[0].step == 5
    assert saliency.view(result, 5, view.outputs[2]).output == 2


def test_a_text_stands_on_the_cells_itself() -> None:
    view = of(task="text", text="to be or not to be", loss_at="every")
    size, signed = saliency.pictures(view)
    (cells,) = signed.drawing["data"]
    assert cells["text"][0] == list(view.symbols)
    assert "\u2423" in "".join(view.symbols)
    assert np.abs(cells["z"]).max(axis=1) == pytest.approx(1)
    assert f"output \u201c{view.outputs[view.output]}\u201d at step 12" in size.how


@pytest.mark.parametrize("task", ["adding", "sentiment", "captioning", "stocks", "digit_rows"])
def test_every_shape_of_task_has_its_outputs_named(task: str) -> None:
    view = of(task=task, loss_at="every" if task == "captioning" else "last")
    assert len(set(view.outputs)) == len(view.outputs) == max(len(view.outputs), 1)
    assert all(each.step == view.step <= view.steps for each in view.found)
    assert [picture.key for picture in saliency.pictures(view)] == ["saliency", "saliency-signed"]
