"""One case, tried: whether it trains, what is found, and whether it trains once that is changed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields, replace
from functools import partial
from typing import Any

import numpy as np

from rnnviz.core.bptt import backward
from rnnviz.core.network import predict, run_network
from rnnviz.core.truncation import truncated_backward
from rnnviz.experiment import Run
from rnnviz.models.diagnosis import Finding, changes, clipped, find, find_in
from rnnviz.models.diagnosis.held import held_by
from rnnviz.models.replay import label_of
from rnnviz.models.watched import Part, Passage
from rnnviz.tasks import Batch
from rnnviz.tasks.batch import HELD_OUT
from rnnviz.training import TrainOptions, TrainState, global_norm, metric
from rnnviz.training.trainer import take_step
from tests.diagnosis.cases import HEALTHY, Case, declared, shortened
from tests.diagnosis.changing import Module, Setup, changed, inputs

SEEDS, ENOUGH = 5, 4
SOLVED, EVERY = 0.9, 25
"""Held-out accuracy from which on a task is solved; steps between two looks."""
SIZE, SEEN, WATCHED = 16, 128, 50
"""Sequences of a training step and held out; backward passes whose norms are watched."""
KINDS = ("vanishing", "exploding", "closed_memory", "biases", "saturated", "dead", "clipped",
         "truncated", "too_short", "padded", "not_finite", "overflow")  # fmt: skip
NOTES = ("saturated", "clipped")
"""Those that are never called serious."""
ADAPTIVE = ("adam", "rmsprop", "adagrad")


@dataclass(frozen=True)
class Trained:
    """Whether a setup reached its task, at which accuracy it ended, its first norms, its last
    parameters, and the step at which something was not finite."""

    solved: bool
    accuracy: float
    norms: tuple[float, ...]
    params: Mapping[str, Any]
    broke: int | None = None


def batch_of(case: Case, setup: Setup, seed: int, size: int, first: int) -> Batch:
    """Sequences as the network sees them."""
    batch = case.batch(seed, size, first)
    if setup.packed and case.pad:
        batch = declared(batch)
    if setup.cut:
        batch = shortened(batch, setup.cut)
    x = inputs(setup, batch.x)
    if case.dtype != "float64":
        x = x.astype(case.dtype)
    return replace(batch, x=x)


def train(case: Case, setup: Setup, seed: int) -> Trained:
    """Adam or SGD on fresh sequences until the task is solved or the steps are over; what is not
    finite ends it."""
    options = TrainOptions(case.optimizer, case.learning_rate, window=setup.window,
                           clip="none" if setup.clip is None else "norm",
                           clip_at=1.0 if setup.clip is None else setup.clip)  # fmt: skip
    held = batch_of(case, setup, seed, SEEN, HELD_OUT)
    state, norms, accuracy = TrainState(0, setup.params), list[float](), 0.0
    broke = None
    held = replace(held, x=np.where(np.isfinite(held.x), held.x, 0))
    for n in range(case.steps):
        batch = batch_of(case, setup, seed, SIZE, n * SIZE)
        if not np.isfinite(batch.x).all():
            broke = n  # PyTorch would go on, with NaN in every weight
            break
        step = take_step(setup.network, state, batch, options)
        if step.event:
            broke = n
            break
        if n < WATCHED:
            norms.append(global_norm(step.trace.grads))
        state = step.after
        if n % EVERY == EVERY - 1:
            accuracy = metric(held, predict(setup.network, state.params, held))
            if accuracy >= SOLVED:
                return Trained(True, accuracy, tuple(norms), state.params)
    return Trained(False, accuracy, tuple(norms), state.params, broke)


def found_in(case: Case, setup: Setup, seed: int, norms: Sequence[float]) -> tuple[Finding, ...]:
    """What is found of a network, given the lag, and of the norms of the first steps where it
    clips."""
    batch = batch_of(case, setup, seed, 2 * SIZE, HELD_OUT + 10**6)
    return _found(case, setup, batch, norms)


def found_by_user(case: Case, setup: Setup, seed: int, one: Trained) -> tuple[Finding, ...]:
    """What is found before the first step, and where training broke: with the parameters and on the
    batch at which something was not finite."""
    found = found_in(case, setup, seed, one.norms)
    if one.broke is None:
        return found
    batch = batch_of(case, setup, seed, SIZE, one.broke * SIZE)
    return (*found, *_found(case, replace(setup, params=dict(one.params)), batch, one.norms))


def _found(case: Case, setup: Setup, batch: Batch, norms: Sequence[float]) -> tuple[Finding, ...]:
    if not np.isfinite(batch.x).all():
        return find_in(_passage(setup, batch), "rnn", case.lag)
    back = partial(truncated_backward, window=setup.window) if setup.window else backward
    with np.errstate(all="ignore"):
        trace = run_network(setup.network, setup.params, batch, back)
    found = find(Run({label_of(setup.network): trace}, batch), case.lag)
    adaptive = case.optimizer in ADAPTIVE
    more = None if setup.clip is None else clipped(norms, setup.clip, "model", adaptive)
    return found if more is None else (*found, more)


def _passage(setup: Setup, batch: Batch) -> Passage:
    """The network as a watched module that has not run yet."""
    cell = setup.network.cells[0]
    weights = {n: np.array(a) for n, a in vars(Module(cell, setup.params)).items() if "_l0" in n}
    output = np.zeros((len(batch.x), cell.hidden_size, batch.batch_size))
    part = Part(weights, batch.x.copy(), output)
    return Passage(type(cell).__name__.lower(), "tanh", "float64", (part,))


def wanted(case: Case, setup: Setup, seed: int) -> str:
    """The change that the wanted finding would propose, where it is missed."""
    given = {"padded": changes.PACK, "exploding": changes.shrink(0, 0),
             "overflow": changes.shrink(0, 0), "not_finite": changes.REPAIR,
             **dict.fromkeys(("truncated", "too_short"),
                             changes.longer_window(case.lag))}  # fmt: skip
    if case.kind in given:
        return given[case.kind]
    if case.kind == "clipped":
        norms = train(replace(case, steps=WATCHED), replace(setup, clip=None), seed).norms
        return changes.looser(float(np.median(norms)))
    batch = batch_of(case, setup, seed, 2 * SIZE, HELD_OUT + 10**6)
    trace = run_network(setup.network, setup.params, batch).trace
    if case.kind in ("vanishing", "closed_memory", "biases"):
        return changes.keep_longer(trace, case.lag, 0, 0)
    gate = next(iter(case.gates), trace.cell.CANDIDATE_GATE or trace.cell.GATES[0])
    every = np.ones(case.hidden_size, bool)
    free = changes.wake if case.kind == "dead" else changes.unstick
    return free(held_by(trace, gate, every), trace, gate, every, 0, 0)


def outcome(results: Sequence[Trained]) -> str:
    """ "succeeds", "fails", or "mixed" of up to five seeds."""
    solved = sum(one.solved for one in results)
    if solved >= ENOUGH:
        return "succeeds"
    return "fails" if len(results) - solved >= ENOUGH else "mixed"


def tried(case: Case, change: str = "") -> tuple[str, list[Trained], list[Setup]]:
    """The case trained with up to five seeds, as few as settle it, each after the change."""
    results, setups = list[Trained](), list[Setup]()
    for seed in range(case.seed, case.seed + SEEDS):
        setup = case.setup(seed)
        if change:
            x = case.batch(seed, SIZE, 0).x
            setup = changed(setup, change, x, seed)
        setups.append(setup)
        results.append(train(case, setup, seed))
        solved = sum(one.solved for one in results)
        failed = len(results) - solved
        if solved >= ENOUGH or failed >= ENOUGH or (solved > 1 and failed > 1) or (
            change and failed > 1
        ):  # fmt: skip
            break
    return outcome(results), results, setups


def trial(case: Case) -> dict[str, Any]:
    """Everything of one case, as a line of the file of results."""
    started = time.process_time()
    state, results, setups = tried(case)
    finds = [found_by_user(case, setup, case.seed + k, one)
             for k, (setup, one) in enumerate(zip(setups, results, strict=True))]  # fmt: skip
    found, counts = most_found(finds)
    codes = {kind: one.change for kind, one in found.items()}
    if case.kind not in (HEALTHY, *codes):
        codes[case.kind] = wanted(case, setups[0], case.seed)
    after = {}
    if state == "fails":
        after = {code: tried(case, code)[0] for code in dict.fromkeys(codes.values()) if code}
    return {
        "case": written(case),
        "before": state,
        "accuracy": [round(one.accuracy, 3) for one in results],
        "found": shown(found, counts),
        "after": {kind: after.get(code, "") for kind, code in codes.items()},
        "later": later(case, setups, results) if state == "succeeds" else {},
        "seconds": round(time.process_time() - started, 1),
    }


def later(case: Case, setups: Sequence[Setup], results: Sequence[Trained]) -> dict[str, Any]:
    """What is found in the networks that have learned their task."""
    finds = [found_in(case, replace(setup, params=dict(one.params)), case.seed + k, one.norms)
             for k, (setup, one) in enumerate(zip(setups, results, strict=True))
             if one.solved]  # fmt: skip
    return shown(*most_found(finds))


def written(case: Case) -> dict[str, Any]:
    """A case as the file has it: what is not as usual."""
    usual = {f.name: f.default for f in fields(Case) if f.default is not MISSING}
    return {name: value for name, value in asdict(case).items()
            if value != {} and value != usual.get(name, MISSING)}  # fmt: skip


def most_found(
    finds: Sequence[tuple[Finding, ...]],
) -> tuple[dict[str, Finding], dict[str, str]]:
    """What is found with most seeds, and with how many. What is not serious counts where a kind is
    never called so."""
    kinds = [{f.kind: f for f in one if f.kind in KINDS and (f.serious or f.kind in NOTES)}
             for one in finds]  # fmt: skip
    counts = Counter(kind for one in kinds for kind in one)
    found = {kind: next(one[kind] for one in kinds if kind in one)
             for kind in KINDS if 2 * counts[kind] > len(finds)}  # fmt: skip
    return found, {kind: f"{counts[kind]}/{len(finds)}" for kind in found}


def shown(found: dict[str, Finding], counts: dict[str, str]) -> dict[str, Any]:
    """What is found, as the file has it."""
    return {kind: {"number": round(one.number, 3) if np.isfinite(one.number) else None,
                   "serious": one.serious, "seeds": counts[kind]}
            for kind, one in found.items()}  # fmt: skip


def diagnosed(case: Case, seeds: int) -> dict[str, Any]:
    """What is found in a case now, without its training but for the first norms."""
    finds = []
    for seed in range(case.seed, case.seed + seeds):
        setup, few = case.setup(seed), replace(case, steps=WATCHED)
        finds.append(found_by_user(case, setup, seed, train(few, setup, seed)))
    return shown(*most_found(finds))
