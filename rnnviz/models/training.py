"""A network that was brought, trained on from its weights, beside a fresh one of its shape."""

from __future__ import annotations

from rnnviz.analysis.courses import Course
from rnnviz.core.bptt import Tell
from rnnviz.core.cost import Estimate
from rnnviz.experiment import cost
from rnnviz.models.brought import Brought, FromWeights, fresh_label
from rnnviz.models.replay import label_of, make_batch
from rnnviz.training import History, TrainOptions, TrainState, train

UPDATES = 200
OPTIONS = TrainOptions("adam", learning_rate=1e-3, clip="norm", clip_at=1.0)
"""How it is trained: what anybody would try first."""


def is_trainable(brought: Brought) -> bool:
    """Whether there is anything to learn: targets, and a readout that answers. From first states of
    its own a network is not trained here."""
    if not isinstance(brought, FromWeights) or not brought.has_readout:
        return False
    data, loss = brought.data, brought.loss or brought.losses[0]
    return loss != "projection" and data.h0 is None and data.c0 is None


def estimate(brought: FromWeights) -> Estimate:
    """What training both networks takes."""
    steps, batch_size = brought.size
    once = cost.run_time(list(brought.networks), steps, batch_size)
    return once.times(2 * UPDATES)


def courses(brought: FromWeights, tell: Tell | None = None) -> tuple[Course, ...]:
    """Both networks' training, the brought one's first: all sequences in every update, an embedding
    left as it is, and biases that the arrays do not have. tell: is called after every update; what
    it raises ends the work.

    Examples
    --------
    >>> from rnnviz.models import load, read_data
    >>> rng = np.random.default_rng(0)
    >>> weights = {"rnn.weight_ih_l0": rng.standard_normal((12, 2)),
    ...            "rnn.weight_hh_l0": rng.standard_normal((12, 3)),
    ...            "fc.weight": rng.standard_normal((1, 3)), "fc.bias": np.zeros(1)}
    >>> data = read_data(np.ones((4, 5, 2)), layout="btd", target=np.ones((4, 1)))
    >>> own, fresh = courses(FromWeights(load(weights), data))
    >>> (own.label, fresh.label, own.last_step)
    ('lstm', 'lstm:network=fresh', 199)
    """
    label = label_of(brought.networks[0])
    both = (label, brought), (fresh_label(label), brought.fresh())
    return tuple(_course(name, one, tell) for name, one in both)


def _course(label: str, one: FromWeights, tell: Tell | None) -> Course:
    batch = make_batch(one.model, one.data, one.loss)
    begin = TrainState(0, dict(one.model.params))
    history, record = History(begin), None
    steps = train(one.model.network, begin, lambda _: batch, OPTIONS, fixed=one.model.absent)
    for state, record in steps:
        history.add(state, record)
        if tell:
            tell()
        if record.event or state.step >= UPDATES:
            break
    event = record.sentence if record else ""
    return Course(label, history.curves(), history.clipped_share, event, history.largest_norm)
