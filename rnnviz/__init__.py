"""rnnviz: an instrument for the gradient dynamics of recurrent networks.

    Experiment ──run──▶ Run of NetworkTraces ──analysis──▶ result ──plots──▶ Figure

Imports run one way: core ◀ tasks ◀ training ◀ experiment ◀ models, claims, sweep; core ◀ analysis ◀
models, plots; plots, wording ◀ views ◀ lecture ◀ report, dashboard ◀ app.py; models, report ◀
diagnosis ◀ torch.
Everything up to `analysis` needs NumPy and the standard library alone; only `frames` and what
lies above it import pandas, only `plots` and `dashboard` plotly, only `dashboard` and app.py
streamlit. tests/test_architecture.py reads the imports and fails on any other arrow.

Examples
--------
Those of what the package has go on from here.

>>> import rnnviz
>>> experiment = rnnviz.Experiment(models=("rnn", "lstm"), hidden_size=8, seq_len=20)
>>> list(rnnviz.run(experiment))
['rnn', 'lstm']
"""

from typing import Any

from rnnviz.experiment import FIELDS, Experiment, Model, Run, check_size, estimate, run
from rnnviz.experiment.links import from_query, to_query
from rnnviz.experiment.presets import PRESETS
from rnnviz.sweep import sweep

__version__ = "0.1.0"


def show(view: Any) -> Any:
    """The pictures and the words of a page, as a notebook shows them where a cell ends in it;
    printed, the words alone. It needs plotly, as nothing else here does.

    Parameters
    ----------
    view
        What a page says of a run: what `view(run)` returned of `rnnviz.views.gradient_flow`,
        `spectrum`, `gates` or another page.

    Raises
    ------
    TypeError
        For anything else, such as a run.

    Examples
    --------
    >>> import rnnviz
    >>> from rnnviz.views import gates
    >>> run = rnnviz.run(rnnviz.Experiment(models=("lstm",), hidden_size=8, seq_len=20))
    >>> shown = rnnviz.show(gates.view(run))
    >>> [item.key for item in shown.items]
    ['verdict', 'memory-gate', 'half-life', 'gate-strips', 'carry']
    """
    from rnnviz import notebook

    return notebook.shown(view)


__all__ = [
    "FIELDS",
    "PRESETS",
    "Experiment",
    "Model",
    "Run",
    "__version__",
    "check_size",
    "estimate",
    "from_query",
    "run",
    "show",
    "sweep",
    "to_query",
]
