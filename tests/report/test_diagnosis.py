"""A diagnosis as a page: what was found first, then the run's own pictures, and nothing else."""

from __future__ import annotations

import html
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from rnnviz import Experiment, run
from rnnviz.__main__ import main
from rnnviz.core.numerics import Array
from rnnviz.diagnosis import WHOLE, Report, diagnose, diagnose_passages
from rnnviz.experiment import Run
from rnnviz.models import load, read_data, run_of
from rnnviz.models.examples import EXAMPLES
from rnnviz.models.saved_runs import read_passages
from rnnviz.report.diagnosis import MOST_RUNS, shown
from rnnviz.views import gates, gradient_flow, spectrum
from rnnviz.views.picture import Picture
from tests.models.golden import FOLDER
from tests.models.test_layouts import CASES, X
from tests.report.opened import array, data_of, same, whole

MOST = 6_000_000


def written(report: Report, folder: Path, **more: bool) -> str:
    path = folder / "report.html"
    report.html(path, **more)
    assert path.stat().st_size < MOST
    return path.read_text("utf-8")


@pytest.fixture(scope="module")
def small() -> Run:
    return run(Experiment(models=("rnn", "lstm"), hidden_size=6, seq_len=30, batch_size=3))


@pytest.fixture(scope="module")
def page(small: Run, tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(diagnose(small, lag=20), tmp_path_factory.mktemp("report"))


def test_what_was_found_stands_before_the_figures(small: Run, page: str) -> None:
    report = diagnose(small, lag=20)
    body, said = page[page.index("<main") :], re.sub(r"<[^>]+>", "", page)
    assert body.count("<article") == len(report.findings) == 2
    assert body.rindex("<article") < body.index("data-figure")
    for finding in report.findings:
        for line in finding.change.splitlines():
            assert html.escape(line) in said


def test_its_figures_are_the_views_pictures(small: Run, page: str) -> None:
    views = [gradient_flow.pictures(gradient_flow.view(small))]
    for label in ("rnn", "lstm"):
        views.append(spectrum.pictures(spectrum.view(small, spectrum.Choices(model=label))))
    views.append(gates.pictures(gates.view(small, gates.Choices(model="lstm"))))
    drawn = [item for items in views for item in items if isinstance(item, Picture)]
    data = data_of(page)
    assert [each["key"] for each in data["figures"]] == [picture.key for picture in drawn]
    for found, picture in zip(data["figures"], drawn, strict=True):
        assert same(whole(found["figure"], data["arrays"]), picture.drawing), picture.key
        assert page.count(html.escape(picture.alt)) >= 1
    assert page.count("data-figure=") == len(drawn)


def test_equal_arrays_are_in_it_once(page: str) -> None:
    arrays = [str(each) for each in data_of(page)["arrays"]]
    assert len(arrays) == len(set(arrays)) > 10


def holds(page: str, values: Array) -> bool:
    """Whether a row or a column of a matrix stands in one of the page's arrays, to four digits."""
    lines = [*values.reshape(-1, values.shape[-1]), *values.reshape(len(values), -1).T]
    arrays = [np.atleast_2d(array(each)) for each in data_of(page)["arrays"]]
    rows = [row for each in arrays for row in (*each, *each.T)]
    sizes = {line.size for line in lines if line.size > 2}
    windows = {size: np.concatenate([sliding_window_view(row, size) for row in rows
                                     if row.size >= size]) for size in sizes}  # fmt: skip
    return any(
        (np.abs(windows[line.size] - line) < 1e-4).all(axis=1).any()
        for line in lines
        if line.size > 2 and np.ptp(line) > 1e-2
    )


def test_no_weights_and_no_inputs_are_in_it_unless_asked(
    small: Run, page: str, tmp_path: Path
) -> None:
    weights = [trace.params[name] for trace in small.values() for name in trace.params
               if name.endswith(("W_hh", "W_xh", "W_hy"))]  # fmt: skip
    assert len(weights) == 6
    assert not any(holds(page, np.asarray(each)) for each in weights)
    assert not holds(page, np.asarray(small.batch.x))
    asked = written(diagnose(small, lag=20), tmp_path, with_weights=True)
    assert holds(asked, np.asarray(small["rnn"].params["0.forward.W_hh"]))
    assert "No weights, no inputs" in page
    assert "No weights, no inputs" not in asked
    assert not holds(asked, np.asarray(small.batch.x))


@pytest.mark.parametrize("layers", [1, 2])
def test_of_one_unit_no_spectrum_is_in_it_unless_asked(layers: int, tmp_path: Path) -> None:
    """Its singular value and eigenvalue are the weight itself."""
    one = run(Experiment(models=("rnn", "gru"), hidden_size=1, seq_len=9, layers=layers))
    weights = [one[label].params[f"{layers - 1}.forward.W_hh"] for label in one]
    page = written(diagnose(one, lag=5), tmp_path)
    assert page.count("Left out: the last layer has one unit") == 2
    numbers = np.concatenate([np.ravel(array(each)) for each in data_of(page)["arrays"]])
    for weight in np.abs(np.concatenate(weights)).ravel():
        assert not np.isclose(np.abs(numbers), weight, rtol=1e-6).any()
    assert "no weights but those of a layer with a single unit" in page
    assert "No weights" not in page
    asked = written(diagnose(one, lag=5), tmp_path, with_weights=True)
    assert "Left out" not in asked
    assert asked.count('data-key="singular-values"') == 2


def test_watched_modules_have_their_own_figures(tmp_path: Path) -> None:
    passages = read_passages(FOLDER / "watched_cells.npz")
    page = written(diagnose_passages(passages, lag=5), tmp_path)
    for name, passage in passages.items():
        name = name or WHOLE
        assert f"<h2>{html.escape(name)}</h2>" in page
        items = [item for _, make in shown(passage.run) for item in make()]
        own = [item.key for item in items if isinstance(item, Picture)]
        part = page[page.index(f"<h2>{html.escape(name)}</h2>") :].partition("</section>")[0]
        assert re.findall('data-key="([^"]+)"', part) == own


def test_of_very_many_networks_the_first_are_drawn_and_the_others_named(tmp_path: Path) -> None:
    one = run(Experiment(models=("rnn",), hidden_size=2, seq_len=4, batch_size=1))
    runs = {f"part{k}": one for k in range(MOST_RUNS + 2)}
    page = written(Report(("rnn",), None, (), (), runs), tmp_path)
    assert page.count('data-key="flow-state"') == MOST_RUNS
    assert f"not of part{MOST_RUNS}, part{MOST_RUNS + 1}." in page


def test_where_figures_cannot_be_made_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise ValueError("steps must be <many>, got 1")

    monkeypatch.setattr(gradient_flow, "view", refuse)
    report = diagnose(run_of(load(EXAMPLES["vanishes"].weights()), read_data()), lag=50)
    page = written(report, tmp_path)
    assert page.count("No figures: steps must be &lt;many&gt;, got 1") == 1
    assert 'data-key="eigenvalues"' in page


def test_weights_that_are_no_numbers_are_found_and_drawn(tmp_path: Path) -> None:
    broken = EXAMPLES["vanishes"].weights()
    broken["weight_hh_l0"][0, 0] = np.nan
    report = diagnose(run_of(load(broken), read_data()), lag=50)
    page = written(report, tmp_path)
    assert report.findings[0].kind == "not_finite"
    assert page.count("<article") == 1
    assert "No figures" not in page


def test_names_are_text(tmp_path: Path) -> None:
    bad = "<img src=x onerror=alert(1)>"
    one = run(Experiment(models=("rnn",), hidden_size=2, seq_len=4, batch_size=1))
    page = written(Report((bad,), None, (), (bad,), {bad: one}), tmp_path)
    assert "<img" not in page
    assert page.count("&lt;img") >= 3


def test_the_command_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights, data, out = (tmp_path / name for name in ("w.npz", "x.npz", "report.html"))
    np.savez(weights, **CASES["torch lstm"][0])
    np.savez(data, x=X)
    command = ["diagnose", str(weights), "--data", str(data), "--layout", "tdb", "--lag", "3"]
    assert main([*command, "--html", str(out)]) in (0, 1)
    assert 'data-key="flow-state"' in out.read_text("utf-8")
    with pytest.raises(SystemExit) as ended:
        main([*command, "--html", str(tmp_path / "no" / "report.html")])
    assert ended.value.code == 2
    assert "there is no folder" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*command, "--html-weights"])
