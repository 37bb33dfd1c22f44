"""Equations of the chosen cells, one click away, with this run's sizes."""

from __future__ import annotations

import streamlit as st

from rnnviz.core import Cell
from rnnviz.core.network import Network
from rnnviz.dashboard import compute, layout
from rnnviz.experiment import FIELDS, Experiment, Model
from rnnviz.experiment.model import overrides_of
from rnnviz.experiment.plan import setting
from rnnviz.wording.names import display_name
from rnnviz.wording.texts import fill, texts

SHAPES = ("leak", "layers", "bidirectional", "skip")
"""What changes the equations of a model, beside its variant."""


def equations(experiment: Experiment) -> None:
    """An expander for each different network on the page."""
    shown = {_network_of(experiment, model): model for model in reversed(experiment.models)}
    for name, model in sorted(shown.items()):
        with layout.lazy(f"Equations of the {display_name(name)} and their gradients") as opened:
            if opened:
                st.markdown(_words(experiment, model))


def _network_of(experiment: Experiment, model: Model) -> Model:
    """The model with nothing but what its equations depend on."""
    found = {}
    for name in SHAPES:
        value = setting(experiment, model, name)
        if value != FIELDS[name].default and name in overrides_of(model.kind):
            found[name] = value
    if found.get("skip") == 1:
        del found["skip"]
    variant = dict(model.overrides).get("variant", "plain")
    return Model(model.kind, **found, **({} if variant == "plain" else {"variant": variant}))


def _words(experiment: Experiment, model: Model) -> str:
    """The cell, then what stands around it."""
    trace = compute.traces(experiment)[model]
    network, written = trace.network, texts("equations")
    cell = network.cells[0]
    parts = [model.kind if model.kind in written else "cell"]
    parts += ["skip"] * bool(cell.skip)
    parts += ["layers"] * (len(network.cells) > 1)
    parts += [f"directions_{network.readout}"] * network.bidirectional
    parts += ["context"] * bool(network.context_size)
    sizes = _sizes(experiment, network, cell)
    return "\n\n".join(fill(written[part], **sizes) for part in parts)


def _sizes(experiment: Experiment, network: Network, cell: Cell) -> dict[str, object]:
    batch = compute.plan(experiment).batch
    H, learned = cell.hidden_size, cell.trainable_gates
    return {
        "T": batch.seq_len,
        "B": experiment.batch_size,
        "D": cell.input_size,
        "H": H,
        "GH": len(learned) * H,
        "gates": ", ".join(learned),
        "count": len(learned),
        "phi": cell.activation_of(cell.CANDIDATE_GATE).latex,
        "skip": cell.skip,
        "later": cell.skip - 1,
        "layers": len(network.cells),
        "below": H * network.directions,
        "O": network.output_size,
        "V": network.context_size,
        **cell.equations()._asdict(),
        "own": _own(cell),
    }


def _own(cell: Cell) -> str:
    """Parameters that this form of the cell has besides, each a vector of H numbers."""
    names = [name for name, shape in cell.param_shapes().items() if shape == (cell.hidden_size,)]
    shown = [f"${name[0]}_{{{name[2:]}}}$" for name in names if name not in ("b_h",)]
    return f" {', '.join(shown)} $\\in \\mathbb{{R}}^{{{cell.hidden_size}}}$." if shown else ""
