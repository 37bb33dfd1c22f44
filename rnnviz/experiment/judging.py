"""How good networks in training are on what training never sees, at training steps that are the
same wherever an experiment is trained."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

from rnnviz.core.network import Network
from rnnviz.experiment.plan import JUDGED_ON, Plan
from rnnviz.experiment.runs import scores_on
from rnnviz.training import METRICS, StepRecord, TrainState

SHARE = 1 / 20
"""Of training's time that judging may take, at most."""
FORWARD = 1 / 3
"""Of a training step's time that the way forward takes, roughly."""


def judged_every(plan: Plan) -> int:
    """Training steps from one judgement to the next: 10, 20, 50, 100 and so on. 0 for never: where
    the task holds nothing out, or draws every sequence anew, which is then new in training, too."""
    if plan.task.unseen != "held_out":
        return 0
    least = FORWARD * JUDGED_ON / plan.experiment.batch_size / SHARE
    rounds = (size * 10**power for power in count(1) for size in (1, 2, 5))
    return next(steps for steps in rounds if steps >= least)


def judged(plan: Plan, network: Network, state: TrainState, record: StepRecord) -> StepRecord:
    """The record of a training step that begins at `state`, with the state's loss per answer and
    metric on what is held out where these are due."""
    every = judged_every(plan)
    if not every or not record.step or record.step % every or record.event:
        return record
    batch = plan.held_out_batch
    assert batch is not None
    scores = scores_on(plan.experiment, network, state.params, batch)
    return replace(record, held_out_loss=scores["loss_per_answer"],
                   held_out_metric=scores[METRICS[batch.loss]])  # fmt: skip
