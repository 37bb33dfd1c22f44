"""What is reproduced, what was published, and the band within which ours must lie.

The bands were set before the runs. Sources: github.com/npow/schmidhuber-problems (adding,
temporal order, ablations); Hochreiter and Schmidhuber 1997, doi 10.1162/neco.1997.9.8.1735;
Greff et al. 2015, arXiv:1503.04069; Le, Jaitly, Hinton 2015, arXiv:1504.00941; Pascanu, Mikolov,
Bengio 2013, arXiv:1211.5063.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tests.reproduce.jobs import Job, job
from tests.reproduce.statistics import exact_p_value

Scores = Mapping[str, Sequence[float]]
Judge = Callable[[Scores], bool]


@dataclass(frozen=True)
class Case:
    """jobs: what is compared -> one job a seed. judge: whether the scores lie within the band."""

    title: str
    score: str
    theirs: str
    band: str
    jobs: Mapping[str, tuple[Job, ...]]
    judge: Judge
    against: str = ""


def _jobs(
    function: str, names: Sequence[str], seeds: int, **more: int
) -> dict[str, tuple[Job, ...]]:
    key = "clip" if function == "clipping" else "kind"
    return {
        name: tuple(job(function, **{key: name}, seed=seed, **more) for seed in range(seeds))
        for name in names
    }


def _source(kind: str, task: str, score: str) -> dict[str, tuple[Job, ...]]:
    jobs = (job("source", kind=kind, task=task, score=score, seed=seed) for seed in range(3))
    return {kind: tuple(jobs)}


def _median(scores: Scores, name: str) -> float:
    return float(np.median(scores[name]))


ADDING_100 = {"seq_len": 100, "hidden_size": 8, "halve": 1500}
ADDING_50 = {"seq_len": 50, "hidden_size": 12, "steps": 1500, "halve": 1500}

CASES = {
    "counting": Case(
        "counting sequence 0…8, T = 12",
        "accuracy",
        "100 %",
        "every seed 100 %",
        _jobs("counting", ("rnn", "lstm", "gru"), 3),
        lambda scores: all(min(values) == 1 for values in scores.values()),
    ),
    "adding": Case(
        "adding, T = 100, H = 8, numbers from U(−1, 1)",
        "mean squared error",
        "LSTM 0.0007, tanh RNN 0.0706",
        "median LSTM ≤ 0.002, RNN ≥ 0.03",
        {
            **_jobs("adding", ("lstm",), 5, steps=8000, **ADDING_100),
            **_jobs("adding", ("rnn",), 5, steps=5000, **ADDING_100),
        },
        lambda scores: _median(scores, "lstm") <= 0.002 and _median(scores, "rnn") >= 0.03,
    ),
    "temporal_order": Case(
        "temporal order, T = 50, H = 16",
        "accuracy",
        "LSTM 100 %, tanh RNN 23–29 %",
        "median LSTM ≥ 99 %, RNN ≤ 35 %",
        _jobs("temporal_order", ("lstm", "rnn"), 5),
        lambda scores: _median(scores, "lstm") >= 0.99 and _median(scores, "rnn") <= 0.35,
    ),
    "ablations": Case(
        "adding, T = 50, H = 12: no input gate (NIG), no output gate (NOG)",
        "mean squared error",
        "plain 0.0033, NIG 0.0115, NOG 0.0069",
        "NIG and NOG worse in the median",
        _jobs("adding", ("lstm", "nig", "nog"), 10, **ADDING_50),
        lambda scores: min(_median(scores, n) for n in ("nig", "nog")) > _median(scores, "lstm"),
        against="lstm",
    ),
    "digit_pixels": Case(
        "8 × 8 digits pixel by pixel, T = 64, H = 32",
        "accuracy",
        "gated cells beat the tanh RNN (28 × 28: Le et al.)",
        "median LSTM and GRU above the RNN's",
        _jobs("digit_pixels", ("rnn", "lstm", "gru"), 3),
        lambda scores: min(_median(scores, n) for n in ("lstm", "gru")) > _median(scores, "rnn"),
        against="rnn",
    ),
    "clipping": Case(
        "tanh RNN, orthogonal, gain 1.5, SGD 0.5, delayed recall T = 20",
        "accuracy",
        "fails without clipping, learns with it",
        "median ≤ 40 % without, ≥ 95 % clipped at norm 1",
        _jobs("clipping", ("none", "norm"), 5),
        lambda scores: _median(scores, "none") <= 0.4 and _median(scores, "norm") >= 0.95,
        against="none",
    ),
    "words": Case(
        "the package's own sentences, held out, GRU, H = 24",
        "nats a word",
        "hidden Markov model of 4 states 2.791, guess 4.127",
        "every seed below the hidden Markov model",
        _source("gru", "words", "loss_per_answer"),
        lambda scores: max(scores["gru"]) < 2.791,
    ),
    "stocks": Case(
        "weekly returns, weeks held out, GRU, H = 32, learned by heart",
        "loss over that of no change",
        "1: weekly returns cannot be predicted",
        "median above 1",
        _jobs("stocks", ("gru",), 3),
        lambda scores: _median(scores, "gru") > 1,
    ),
    "digit_rows": Case(
        "8 × 8 digits row by row, both directions, LSTM, H = 32",
        "accuracy",
        "a guess 10 %",
        "every seed above 85 %",
        _source("lstm", "digit_rows", "accuracy"),
        lambda scores: min(scores["lstm"]) > 0.85,
    ),
    "captioning": Case(
        "names of held-out digits, letter by letter, GRU, H = 48",
        "accuracy",
        "a tenth of names guessed right",
        "every seed above 85 %",
        _source("gru", "captioning", "accuracy"),
        lambda scores: min(scores["gru"]) > 0.85,
    ),
    "sentiment": Case(
        "sentiment of held-out phrases, GRU, H = 24",
        "accuracy",
        "guess 50 %",
        "median above 90 %",
        _source("gru", "sentiment", "accuracy"),
        lambda scores: _median(scores, "gru") > 0.9,
    ),
}


def ours(case: Case, scores: Scores) -> str:
    """Median and range of every group; p against the group that the others are compared with."""
    parts = []
    for name, values in scores.items():
        shown = [_show(case, value) for value in (np.median(values), min(values), max(values))]
        p = ""
        if case.against and name != case.against:
            p = f", p = {exact_p_value(values, scores[case.against]):.2g}"
        parts.append(f"{name} {shown[0]} ({shown[1]}–{shown[2]}{p})")
    return "; ".join(parts)


def _show(case: Case, value: float) -> str:
    return f"{100 * value:.1f} %" if case.score == "accuracy" else f"{value:.4f}"
