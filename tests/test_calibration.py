"""The diagnosis against experiments runs for many minutes; that its parts do what they say, and
that its file says what the README has, is checked here."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz.core import LSTM
from rnnviz.models.diagnosis import changes
from rnnviz.models.diagnosis.finding import TRIED, TUNED
from tests.diagnosis import __main__ as command
from tests.diagnosis.cases import Case
from tests.diagnosis.changing import Setup, changed, inputs
from tests.diagnosis.drawing import DRAWN, SETS, cases
from tests.diagnosis.tally import healthy, read, table, tally
from tests.diagnosis.trial import (
    KINDS,
    Trained,
    batch_of,
    found_in,
    outcome,
    trial,
    wanted,
    written,
)

ROOT = Path(__file__).parent
SMALL = Case("small", "healthy", "recall", 6, 5, "rnn", 4, seed=0)


def made(case: Case, change: str) -> Setup:
    return changed(case.setup(0), change, case.batch(0, 8, 0).x)


def test_the_sets_are_drawn_again_alike_and_share_no_case() -> None:
    first, second = cases("first"), cases("second")
    assert second == cases("second")
    assert not {c.seed for c in first} & {c.seed for c in second}
    assert len({case.name for case in (*first, *second)}) == len(first) + len(second)
    counts = {kind: sum(case.kind == kind for case in second) for kind in DRAWN}
    assert set(KINDS) == set(counts) - {"healthy"}
    assert min(counts.values()) >= 8
    assert counts["healthy"] >= 60
    assert set(SETS["second"].lengths).isdisjoint(SETS["first"].lengths)


def test_a_longer_memory_is_made_as_the_finding_says() -> None:
    for cell, gate in (("lstm", "f"), ("gru", "z"), ("rnn", "f")):
        case = replace(SMALL, kind="vanishing", cell=cell, lag=50)
        code = wanted(case, case.setup(0), 0)
        after = made(case, code)
        rows = after.network.cells[0].gate_rows(gate)
        assert set(after.params["0.forward.b_h"][rows]) == {4.3}
        assert isinstance(after.network.cells[0], LSTM) == (cell != "gru")
        before = case.setup(0).params
        np.testing.assert_array_equal(after.params["W_hy"], before["W_hy"])
        if cell != "rnn":
            for name in ("W_xh", "W_hh"):
                np.testing.assert_array_equal(after.params[f"0.forward.{name}"],
                                              before[f"0.forward.{name}"])  # fmt: skip


def test_a_gru_keeps_its_second_candidate_bias() -> None:
    case = replace(SMALL, cell="gru")
    setup = case.setup(0)
    setup.params["0.forward.b_hn"] += np.arange(4)
    after = changed(setup, "pass", case.batch(0, 8, 0).x)
    for name, value in setup.params.items():
        np.testing.assert_array_equal(after.params[name], value)


def test_matrices_are_made_orthogonal_and_steps_bounded() -> None:
    after = made(replace(SMALL, cell="lstm"), changes.shrink(0, 0))
    for block in np.split(after.params["0.forward.W_hh"], 4):
        np.testing.assert_allclose(block @ block.T, np.eye(4), atol=1e-12)
    assert after.clip == 1.0


@pytest.mark.parametrize(("name", "value"), [("window", 3), ("cut", 3)])
def test_windows_and_sequences_are_made_longer(name: str, value: int) -> None:
    case = replace(SMALL, **{name: value})
    after = made(case, changes.longer_window(5))
    assert (after.window, after.cut) == ((6, 0) if name == "window" else (0, 6))
    assert made(SMALL, changes.longer_window(5)).window == 0
    assert len(batch_of(case, case.setup(0), 0, 4, 0).x) == (3 if name == "cut" else 6)


def test_batches_are_centred_repaired_and_declared() -> None:
    off = replace(SMALL, offset=300.0)
    x = inputs(made(off, changes.CENTRE), off.batch(0, 64, 0).x)
    np.testing.assert_allclose(x.mean(axis=(0, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(x.std(axis=(0, 2)), 1)
    constant = off.batch(0, 64, 0).x.copy()
    constant[:, 0] = 0.25
    x = inputs(made(off, changes.CENTRE), constant)
    np.testing.assert_array_equal(x[:, 0], 0)
    holes = replace(SMALL, missing=0.2)
    bad = holes.batch(0, 64, 0).x
    x = inputs(made(holes, changes.REPAIR), bad)
    np.testing.assert_array_equal(x, np.nan_to_num(bad))
    assert np.isnan(bad).any()
    padded = replace(SMALL, seq_len=9, pad=30)
    after = made(padded, changes.PACK)
    batch = batch_of(padded, after, 0, 16, 0)
    assert after.packed
    assert set(batch.lengths) <= set(range(5, 10))
    assert (batch.mask.argmax(axis=0) == batch.lengths - 1).all()
    undeclared = batch_of(padded, padded.setup(0), 0, 16, 0)
    assert (undeclared.mask.argmax(axis=0) == 29).all()


def test_units_are_freed() -> None:
    shut = replace(SMALL, kind="dead", activation="relu", gates={"a": -5.0})
    after = made(shut, wanted(shut, shut.setup(0), 0))
    np.testing.assert_array_equal(after.params["0.forward.W_hh"], np.eye(4))
    assert not after.params["0.forward.b_h"].any()
    assert "dead" in {f.kind for f in found_in(shut, shut.setup(0), 0, ())}
    assert "dead" not in {f.kind for f in found_in(shut, after, 0, ())}


def test_four_of_five_settle_it() -> None:
    good, bad = Trained(True, 1.0, (), {}), Trained(False, 0.1, (), {})
    assert outcome([good] * 4 + [bad]) == "succeeds"
    assert outcome([good] + [bad] * 4) == "fails"
    assert outcome([good, good, bad, bad]) == "mixed"


def row(name: str, kind: str, before: str, found: Any, after: Any) -> dict[str, Any]:
    serious = {k: {"serious": True} for k in found}
    return {"case": {"name": name, "kind": kind}, "before": before, "seconds": 1.0,
            "found": serious, "later": {}, "after": after}  # fmt: skip


ROWS = [
    row("cured", "dead", "fails", ["dead"], {"dead": "succeeds"}),
    row("unseen", "dead", "fails", [], {"dead": "succeeds"}),
    row("well", "healthy", "succeeds", ["dead"], {"dead": ""}),
    row("useless", "vanishing", "fails", ["dead"], {"dead": "mixed"}),
    row("between", "dead", "mixed", ["dead"], {"dead": ""}),
    row("hopeless", "dead", "fails", [], {"dead": "fails"}),
    row("fine", "healthy", "succeeds", [], {}),
]


def test_what_counts_as_right_missed_and_wrong() -> None:
    one = tally(ROWS, "dead")
    assert one.right == ("cured",)
    assert one.missed == ("unseen",)
    assert one.wrong == ("well", "useless")
    assert one.open == ("between", "hopeless")
    assert (one.recall, one.precision) == (1 / 2, 1 / 3)
    assert healthy(ROWS) == {"well": ["well", "fine"], "found": ["well"], "later": []}
    assert "| dead | 1 | 1 | 2 | 0.50 | 0.33 |" in table(ROWS)
    assert "dead, missed: unseen" in table(ROWS)


def test_an_interrupted_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def tried(case: Case) -> dict[str, Any]:
        asked.append(case.name)
        return row(case.name, case.kind, "fails", [], {})

    monkeypatch.setattr(command, "trial", tried)
    names = [case.name for case in cases("first")]
    out = tmp_path / "rows.jsonl"
    done = "".join(json.dumps(row(n, "", "fails", [], {})) + "\n" for n in names[:-2])
    out.write_text(done + '{"case": {"na', "utf-8")
    command._run("first", out)
    assert asked == names[-2:]
    assert [r["case"]["name"] for r in read(out)] == names


@pytest.mark.parametrize("name", SETS)
def test_the_file_has_every_case_of_its_set(name: str) -> None:
    rows = read(ROOT / "diagnosis" / f"{name}.jsonl")
    assert [r["case"] for r in rows] == [written(case) for case in cases(name)]


@pytest.mark.trained
@pytest.mark.parametrize("name", ["second-overflow-0", "second-exploding-0", "second-healthy-0"])
def test_a_cheap_label_comes_out_again(name: str) -> None:
    (kept,) = (r for r in read(ROOT / "diagnosis" / "second.jsonl") if r["case"]["name"] == name)
    (case,) = (case for case in cases("second") if case.name == name)
    again = trial(case)
    assert {n: again[n] for n in ("before", "after")} == {n: kept[n] for n in ("before", "after")}
    assert set(again["found"]) == set(kept["found"])


def test_the_readme_has_the_table_of_the_second_set() -> None:
    said = (ROOT.parent / "README.md").read_text("utf-8")
    rows = read(ROOT / "diagnosis" / "second.jsonl")
    assert table(rows).split("\n\n")[0] in said
    names = healthy(rows)
    counts = len(names["well"]), len(names["found"]), len(names["later"])
    assert counts == (63, 0, 2)
    assert "63 of the 72 healthy\nones do learn" in said
    missed = {name for kind in KINDS for name in tally(rows, kind).missed}
    assert all("-near-" in name for name in missed)


def test_where_thresholds_come_from_names_as_many_cases_as_there_are() -> None:
    first, second = (len(read(ROOT / "diagnosis" / f"{name}.jsonl")) for name in SETS)
    assert f"tuned on {first} trained configurations, tried on {second} others" in TUNED
    assert f"tried on {second} configurations" in TRIED
