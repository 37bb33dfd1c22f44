"""A notebook draws what a page says of a run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import RichOutput, capture_output
from plotly.io import renderers

import rnnviz
from rnnviz.views import gradient_flow, spectrum
from rnnviz.views.picture import Picture, Words

RUN = rnnviz.run(rnnviz.Experiment(models=("rnn",), hidden_size=8, seq_len=20))
EXAMPLES = Path(rnnviz.__file__).parent / "examples"
PLOTLY = "application/vnd.plotly.v1+json"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """As Jupyter has one, without a terminal; its outputs are rich."""
    monkeypatch.setattr(renderers, "default", "plotly_mimetype")
    shell = InteractiveShell.instance()
    shell.display_formatter.active_types = shell.display_formatter.format_types
    yield shell
    InteractiveShell.clear_instance()


def outputs_of(shell: InteractiveShell, cell: str) -> list[RichOutput]:
    """What stands below a cell that has been run."""
    with capture_output() as captured:
        shell.run_cell(cell).raise_error()
    return list(captured.outputs)


@pytest.mark.parametrize("page", [gradient_flow, spectrum], ids=["gradient_flow", "spectrum"])
def test_a_cell_that_ends_in_it_draws_the_pictures_of_the_page(
    shell: InteractiveShell, page: object
) -> None:
    view = page.view(RUN)  # type: ignore[attr-defined]
    shell.push({"shown": rnnviz.show(view)})
    seen = outputs_of(shell, "shown")
    items = list(page.pictures(view))  # type: ignore[attr-defined]
    drawn = [output.data[PLOTLY]["data"] for output in seen if PLOTLY in output.data]
    figures = [item.figure() for item in items if isinstance(item, Picture)]
    assert [len(each) for each in drawn] == [len(figure.data) for figure in figures]
    said = [output.data["text/markdown"] for output in seen if "text/markdown" in output.data]
    words = [item.lines if isinstance(item, Words) else (item.how,) for item in items]
    assert said == ["\n\n".join(lines) for lines in words]


def test_printed_it_is_its_words() -> None:
    view = gradient_flow.view(RUN)
    assert view.verdict[0] in repr(rnnviz.show(view))


def test_what_is_no_view_is_refused() -> None:
    with pytest.raises(TypeError, match=r"takes a view, such as .*, got Run"):
        rnnviz.show(RUN)


@pytest.mark.trained
@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_the_first_cell_of_an_example_runs_in_a_notebook(
    shell: InteractiveShell, path: Path
) -> None:
    if path.stem == "sweep_with_dask":
        pytest.importorskip("distributed")
    cells = re.split(r"^# %%", path.read_text("utf-8"), flags=re.MULTILINE)[1:]
    first = next(cell for cell in cells if ast.parse(f"#{cell}").body)
    outputs_of(shell, f"#{first}")
