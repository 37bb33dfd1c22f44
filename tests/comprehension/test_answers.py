"""The right answers are those of the runs that the pictures show."""

from __future__ import annotations

import re
from functools import cache
from math import log
from pathlib import Path

import numpy as np
import pytest

from rnnviz.analysis import gradient_flow
from rnnviz.analysis.gradients import GradientFlow
from rnnviz.analysis.own_losses import own_losses
from rnnviz.analysis.phase import level_cells, phase_grids
from rnnviz.claims.growth import draws, growth_verdict
from rnnviz.experiment import Experiment, Run, run
from rnnviz.experiment.links import from_query
from rnnviz.experiment.plan import plan
from rnnviz.jobs import phase, training
from rnnviz.views import gates
from rnnviz.views import gradient_flow as flow_page
from rnnviz.wording.example import example_words
from tests.comprehension.pictures import PICTURES

HERE = Path(__file__).parent
COUNT = 14


def sections(name: str) -> dict[str, str]:
    parts = re.split(r"^## (\d+)\n", (HERE / name).read_text("utf-8"), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


QUESTIONS, ANSWERS = sections("questions.md"), sections("answers.md")


@cache
def shown(picture: str) -> Run:
    return run(PICTURES[picture].experiment)


def flows(picture: str) -> dict[str, GradientFlow]:
    traces = shown(picture).items()
    return {label: gradient_flow(each.trace, label) for label, each in traces}


def decades(picture: str, label: str) -> float:
    """From the last step to step 1."""
    log10 = flows(picture)[label].state.log10
    return float(log10[1] - log10[-1])


def says(question: int, *numbers: str) -> None:
    """The answer has these numbers."""
    answer = ANSWERS[str(question)].replace("**", "")
    missing = [n for n in numbers if not re.search(rf"(?<![\d.,]){re.escape(n)}(?![\d])", answer)]
    assert missing == []


def test_thirteen_pictures_and_fourteen_questions_with_an_answer_each() -> None:
    numbers = [str(n) for n in range(1, COUNT + 1)]
    assert len(PICTURES) == 13
    assert [*QUESTIONS] == [*ANSWERS] == numbers
    asked = {n for text in QUESTIONS.values() for n in re.findall(r"\d+", text.split(".")[0])}
    assert asked == set(PICTURES)


@pytest.mark.parametrize("name", PICTURES)
def test_a_link_opens_the_experiment_that_is_asked_about(name: str) -> None:
    query = dict(re.findall(r"(\w+)=([^&]*)", PICTURES[name].link.replace("%2C", ",")))
    known = {k: re.sub("%3A", ":", re.sub("%3D", "=", v)) for k, v in query.items()}
    known = {k: v for k, v in known.items() if not k.startswith("view_")}
    assert from_query(known) == (PICTURES[name].experiment, ())


def test_held_open_or_not() -> None:
    says(1, f"10^{-decades('1', 'rnn'):.1f}", f"{100 * 10 ** decades('1', 'gru'):.2g} %",
         f"×{10 ** decades('1', 'lstm'):.0f}")  # fmt: skip
    says(3, *(f"{decades('2', label):.1f}" for label in ("lstm", "gru")),
         *(f"{decades('1', label):+.1f}" for label in ("lstm", "gru")))  # fmt: skip
    biases = [PICTURES[name].experiment.memory_bias for name in "12"]
    says(3, "from {:.1f} to {:.1f}".format(*biases))


def test_the_rule_of_thumb() -> None:
    W = shown("1")["rnn"].trace.params["W_hh"]
    sigma = float(np.linalg.norm(W, 2))
    says(2, f"{sigma:.2f}")
    assert sigma > 1 > 10 ** decades("1", "rnn")


def test_nine_tenths_a_step() -> None:
    left = decades("3", "rnn")
    says(4, f"10^{-left:.1f}", f"{round(10**-left, -3):,.0f}", f"×{10 ** (left / 99):.2f} a step")
    assert left == pytest.approx(99 * np.log10(0.9))


def test_all_twos_shrink() -> None:
    factor = 10 ** (decades("4", "rnn") / (PICTURES["4"].experiment.seq_len - 1))
    says(5, f"×{factor:.2f} a step", f"×{factor / 2:.2f}")
    assert (np.linalg.svd(shown("4")["rnn"].trace.params["W_hh"])[1] == 2).all()


def test_exactly_zero() -> None:
    zeros = np.flatnonzero(np.isneginf(flows("5")["rnn"].state.log10[1:])) + 1
    assert zeros.tolist() == list(range(1, zeros[-1] + 1))
    says(6, f"step {zeros[-1]} back")


def test_the_loss_of_the_last_step_alone() -> None:
    last = own_losses(shown("6")["rnn"].trace, "rnn")[-1]
    assert last.step == 100
    says(7, f"10^{last.state.log10[1] - last.state.log10[100]:.0f}")
    assert abs(decades("6", "rnn")) < 0.1


def test_the_memory_of_the_lstm() -> None:
    said = " ".join(gates.view(shown("7")).verdict).replace("**", "")
    found = re.search(r"gates ([\d.]+) .*c_0 (\d+) \(best direction; (\d+) to (\d+)\)", said)
    assert found is not None
    says(8, *found.groups())


def test_the_two_halves_of_the_rule() -> None:
    found = growth_verdict(list(draws(seed=0, hidden_size=32, count=300)))
    says(9, f"{found.vanished} of {found.below}", f"{found.exploded} of {found.above}")


def test_the_first_state_that_is_too_large() -> None:
    with np.errstate(all="ignore"):
        sizes = np.abs(shown("9")["rnn"].trace.h[1:]).max(axis=(1, 2))
    says(10, f"step {np.flatnonzero(~np.isfinite(sizes))[0] + 1}")


def test_six_models() -> None:
    found = {label: decades("10", label) for label in shown("10")}
    assert (min(found, key=found.__getitem__), max(found, key=found.__getitem__)) == ("rnn", "lstm")
    assert [label for label, grown in found.items() if grown > 0] == ["lstm"]
    says(11, f"10^{-found['rnn']:.1f}", f"10^{-found['rnn:init=orthogonal']:.1f}",
         f"×{10 ** found['lstm']:.0f}")  # fmt: skip


def test_where_the_gru_stays_level() -> None:
    x, y = (
        phase.make_axis(n, s)
        for n, s in zip(("gain", "seq_len"), phase.SIZES["medium"], strict=True)
    )
    diagram = phase.follow(None, Experiment(models=("gru",)), x, y)
    diagram, _ = phase.advance(diagram, np.inf)
    level, of = level_cells(phase_grids(diagram.results, ["gru"], x, y, "reach")[0])
    says(12, f"{level} of {of}")


@pytest.mark.trained
def test_who_is_below_the_baseline() -> None:
    e = PICTURES["12"].experiment
    run, _ = training.advance(training.begin(plan(e), goal=e.train_steps), np.inf)
    losses = {c.label: c.loss_at(len(c.curves.steps) - 1) for c in run.courses()}
    assert {label for label, loss in losses.items() if loss < 0.95 * log(8)} == {"lstm", "gru"}
    assert losses["rnn"] > log(8)
    steps, right = re.findall(r"Right at step (\d+): (\w)", example_words(e.task, run.plan.batch))[
        0
    ]
    says(13, f"{log(8):.3f}", f"step {steps}", f"here {right}")


def test_what_a_step_back_is_made_of() -> None:
    said = flow_page.view(shown("13")).verdict[1]
    weights, slope, direction = re.findall(r"×(\d+\.\d+)", said)
    says(14, f"×{weights}", f"×{slope}", f"×{direction}")
    assert float(weights) < float(slope) < 1 < float(direction)
