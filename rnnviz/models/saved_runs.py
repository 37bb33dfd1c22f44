"""Runs of modules that were watched, as a file: what went in and what gradients entered, from which
the core makes the rest again. A .npz file with a version, read without unpickling anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rnnviz.core import checks
from rnnviz.core.numerics import Array
from rnnviz.experiment.npz import ZIP, Limits, read_npz, shown, write_npz
from rnnviz.experiment.runs import Run
from rnnviz.models.files import Source, bytes_of, from_bytes
from rnnviz.models.layouts import KINDS
from rnnviz.models.watched import NARROW, Part, Passage

ABOUT, FORMAT, VERSION = "about", "rnnviz watched runs", 1
ACTIVATIONS = ("", "tanh", "relu")
LAYOUTS = {"True": True, "False": False, "None": None}
ARRAYS = ("x", "output", "lengths", "h0", "c0", "d_output", "d_h", "d_c")
NO_LIMITS = Limits()


def save_passages(passages: Mapping[str, Passage], path: Path) -> None:
    """Write one pass through each of several modules, by name."""
    arrays: dict[str, Any] = {}
    modules: list[dict[str, Any]] = []
    for k, (name, one) in enumerate(passages.items()):
        modules.append({"name": name, "kind": one.kind, "activation": one.activation,
                        "dtype": one.dtype, "parts": len(one.parts),
                        "batch_first": one.batch_first, "dropout": one.dropout,
                        "calls": one.calls})  # fmt: skip
        for p, part in enumerate(one.parts):
            arrays |= {f"{k}/{p}/{array}": value for array, value in part.arrays.items()}
            arrays |= {f"{k}/{p}/weights/{n}": value for n, value in part.weights.items()}
    about = {"format": FORMAT, "version": VERSION, "modules": modules}
    arrays[ABOUT] = np.array(json.dumps(about))
    write_npz(path, arrays)


def read_runs(source: Any, limits: Limits = NO_LIMITS) -> dict[str, Run]:
    """Name of a module -> its run, of a file that `rnnviz.torch.watch` saved, by its path, its
    bytes or opened.

    Raises ValueError for a file that is none or of no module, that a newer version wrote, that is
    damaged or too large or whose arrays do not fit each other; OSError for a path without a file.

    Examples
    --------
    >>> read_runs(b"no such file")
    Traceback (most recent call last):
    ValueError: the file must be a whole .npz file, it is damaged (File is not a zip file)
    """
    return {name: one.run for name, one in read_passages(source, limits).items()}


def read_passages(source: Any, limits: Limits = NO_LIMITS) -> dict[str, Passage]:
    """Name of a module -> what was seen of it, of such a file; see `read_runs`."""
    arrays = read_npz(bytes_of(source, limits), limits)
    found = {}
    for k, module in enumerate(_modules(arrays)):
        name = module.get("name")
        if not isinstance(name, str) or name in found:
            raise ValueError(f"each module must have a name of its own, got {shown(name)}")
        found[name] = _passage(arrays, k, module)
    return found


def read_watched(path: Path, limits: Limits = NO_LIMITS) -> dict[str, Passage] | None:
    """`read_passages` of a file that says it is of watched runs; None of any other."""
    return watched_in(bytes_of(path, limits), path.name, limits)


def watched_in(data: bytes, name: str, limits: Limits = NO_LIMITS) -> dict[str, Passage] | None:
    """The same of a file's bytes; it has this name."""
    if not data.startswith(ZIP) or not name.lower().endswith(".npz"):
        return None
    return read_passages(data, limits) if FORMAT in str(read_npz(data, limits).get(ABOUT)) else None


def network_in(data: bytes, name: str, limits: Limits = NO_LIMITS) -> Source | dict[str, Passage]:
    """What a file of this name holds: weights, or modules that were watched. Raises ValueError for
    what is neither."""
    return watched_in(data, name, limits) or from_bytes(data, limits, Path(name).suffix.lower())


def _modules(arrays: Mapping[str, Array]) -> list[dict[str, Any]]:
    try:
        about = json.loads(str(arrays[ABOUT]))
        kind, version, modules = about["format"], about["version"], about["modules"]
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        raise ValueError(
            f"the file must hold {FORMAT}, got arrays without their {ABOUT!r}"
        ) from error
    if kind != FORMAT or version != VERSION:
        raise ValueError(f"the file must hold {FORMAT} of version {VERSION}, got {shown(kind)} of "
                         f"version {shown(version)}")  # fmt: skip
    if not isinstance(modules, list) or not all(isinstance(each, dict) for each in modules):
        raise ValueError(f"modules must be a list of descriptions, got {shown(modules)}")
    if not modules:
        raise ValueError("the file must hold a module that a backward pass went through, it holds "
                         "none: nothing was seen")  # fmt: skip
    return modules


def _passage(arrays: Mapping[str, Array], k: int, module: dict[str, Any]) -> Passage:
    """One module's pass. Raises ValueError for what is missing or of a kind that nothing writes."""
    count = module.get("parts")
    if type(count) is not int or not 1 <= count <= len(arrays):
        raise ValueError(f"parts must be an integer of at least 1, got {shown(count)}")
    parts = tuple(_part(arrays, f"{k}/{p}/") for p in range(count))
    return Passage(
        checks.choice("kind", module.get("kind"), KINDS.values()),
        checks.choice("activation", module.get("activation"), ACTIVATIONS),
        checks.choice("dtype", module.get("dtype"), NARROW),
        parts,
        *_options(module),
    )


def _options(module: dict[str, Any]) -> tuple[bool | None, float | None, int]:
    """Of the module itself, batch_first and dropout, and of how many calls it is one, which runs
    that are older do not say."""
    said, dropout = str(module.get("batch_first")), module.get("dropout")
    batch_first = LAYOUTS[checks.choice("batch_first", said, LAYOUTS)]
    dropout = None if dropout is None else checks.number("dropout", dropout, 0, 1)
    return batch_first, dropout, checks.size("calls", module.get("calls", 1))


def _part(arrays: Mapping[str, Array], prefix: str) -> Part:
    mine = {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}
    if missing := [name for name in ("x", "output") if name not in mine]:
        raise ValueError(f"the file must hold {prefix}{missing[0]}, it does not")
    weights = {n.removeprefix("weights/"): mine.pop(n) for n in list(mine) if "weights/" in n}
    if unknown := [name for name in mine if name not in ARRAYS]:
        raise ValueError(f"arrays must be among {', '.join(ARRAYS)}, got {shown(unknown[0])}")
    return Part(weights, **mine)
