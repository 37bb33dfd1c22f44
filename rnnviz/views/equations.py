"""Equations of the chosen cells, with a run's sizes."""

from __future__ import annotations

from rnnviz.core import Cell
from rnnviz.core.network import Network
from rnnviz.experiment import FIELDS, Model, Plan
from rnnviz.wording.lists import clauses, sentence
from rnnviz.wording.texts import fill, say, texts


def different(plan: Plan) -> dict[str, str]:
    """What to call each different network of a plan -> the label of one that is like it."""
    models = reversed(plan.experiment.models)
    labels = {_shape_of(plan, model): str(model) for model in models}
    return {str(name): label for name, label in sorted(labels.items())}


OWN = ("activation", "hidden_size")
"""What equations depend on, and is said of a model only where it is its own."""


def _shape_of(plan: Plan, model: Model) -> Model:
    """The model with nothing but what its equations depend on."""
    network, own = plan.networks[model], dict(model.overrides)
    cell = network.cells[0]
    shape = {
        "leak": getattr(cell, "leak", FIELDS["leak"].default),
        "layers": len(network.cells),
        "bidirectional": "yes" if network.bidirectional else "no",
        "skip": 0 if cell.skip == 1 else cell.skip,
    }
    changed = {name: value for name, value in shape.items() if value != FIELDS[name].default}
    changed |= {n: own[n] for n in OWN if n in own and own[n] != getattr(plan.experiment, n)}
    variant = own.get("variant", "plain")
    return Model(model.kind, **changed, **({} if variant == "plain" else {"variant": variant}))


def equations(plan: Plan, label: str) -> str:
    """Of one model, in Markdown: the cell, then what stands around it."""
    network, written, kind = plan.networks[label], texts("equations"), Model(label).kind
    cell = network.cells[0]
    parts = [kind if kind in written else "cell"]
    parts += ["skip"] * bool(cell.skip)
    parts += ["layers"] * (len(network.cells) > 1)
    parts += [f"directions_{network.readout}"] * network.bidirectional
    if network.context_size:
        alone = len(network.cells) * network.directions == 1
        parts += ["context"] if alone else ["context", "context_first"]
    sizes = _sizes(plan, network, cell)
    return "\n\n".join(fill(written[part], **sizes) for part in parts)


def _sizes(plan: Plan, network: Network, cell: Cell) -> dict[str, object]:
    H, learned = cell.hidden_size, cell.trainable_gates
    return {
        "T": plan.seq_len,
        "B": plan.experiment.batch_size,
        "D": cell.input_size,
        "H": H,
        "GH": len(learned) * H,
        "gates": clauses(learned),
        "count": len(learned),
        "phi": cell.activation_of(cell.CANDIDATE_GATE).latex,
        "skip": cell.skip,
        "later": cell.skip - 1,
        "first": 0 if network.context_size else 1,  # a first state may be given
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
    if not shown:
        return ""
    said = sentence(f"{clauses(shown)} $\\in \\mathbb{{R}}^{{{cell.hidden_size}}}$")
    return say("lists", "sentences", before="", after=said)
