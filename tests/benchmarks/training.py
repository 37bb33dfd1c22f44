"""`python -m tests.benchmarks.training`: a training step, what recording adds, and PyTorch's.

The default experiment's LSTM (T = 100, B = 16, H = 64, float64, delayed recall, Adam), batches
ready on every side, one BLAS thread each unless --threads says otherwise, everybody warmed up,
rounds interleaved, medians. Three ways to train: "ours" with a record and a history at every step;
"bare" without. PyTorch with torch.optim.Adam records the same: states, gates and their gradients
at every time step, loss, accuracy, ‖∂L/∂s_t‖, norms, update ratio, and the spectrum of the forget
gate's block as often as ours. "PyTorch" is the plain loop of `tests.benchmarks.opponents`, with
what it recorded stacked into arrays as ours is; "PyTorch tuned" the one tuned by hand, which
stacks no more than it measures.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys

THREADS = int(sys.argv[sys.argv.index("--threads") + 1]) if "--threads" in sys.argv else 1
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = str(THREADS)

from tests.benchmarks.allocator import keep_freed_memory  # noqa: E402

ALLOCATOR = keep_freed_memory()  # before NumPy and PyTorch take memory

from collections.abc import Callable, Iterator  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from rnnviz.experiment import Experiment  # noqa: E402
from rnnviz.experiment.runs import batches_of, start  # noqa: E402
from rnnviz.tasks import Batch  # noqa: E402
from rnnviz.training import History, TrainOptions, train  # noqa: E402
from rnnviz.training.trainer import SPECTRA_EVERY, take_step  # noqa: E402
from tests.benchmarks.opponents import Record, _arrays, _kept, _lstm  # noqa: E402
from tests.benchmarks.worker import interleaved  # noqa: E402

EXPERIMENT = Experiment(models=("lstm",))
OPTIONS = TrainOptions("adam", 1e-3)
BATCHES = 8
BLOCK = SPECTRA_EVERY
"""Steps of one measurement: each block has one recorded spectrum."""


def batches() -> Callable[[int], Batch]:
    """BATCHES batches in turn, made once: drawing them is nobody's step."""
    make = batches_of(EXPERIMENT)
    ready = [make(n) for n in range(BATCHES)]
    return lambda step: ready[step % BATCHES]


def ours(make_batch: Callable[[int], Batch]) -> Iterator[float]:
    network, state = start(EXPERIMENT)["lstm"]
    history = History(state)
    for after, record in train(network, state, make_batch, OPTIONS):
        history.add(after, record)
        yield record.loss


def bare(make_batch: Callable[[int], Batch]) -> Iterator[float]:
    network, state = start(EXPERIMENT)["lstm"]
    while True:
        step = take_step(network, state, make_batch(state.step), OPTIONS)
        state = step.after
        yield step.trace.loss


def pytorch(make_batch: Callable[[int], Batch], tuned: bool) -> Iterator[float]:
    """The same weights, batches and records in PyTorch's native (T, B, ·)."""
    _, state = start(EXPERIMENT)["lstm"]
    names = {name.removeprefix("0.forward."): name for name in state.params}
    p = {name: torch.tensor(state.params[key]).requires_grad_() for name, key in names.items()}
    optimizer = torch.optim.Adam(p.values(), lr=OPTIONS.learning_rate)
    ready = [_tensors(make_batch(n)) for n in range(BATCHES)]
    history: list[dict[str, Any]] = []
    step = 0
    while True:
        x, target = ready[step % BATCHES]
        optimizer.zero_grad()
        records, y = _forward(p, x, tuned)
        loss = nn.functional.cross_entropy(y, target)
        loss.backward()
        before = {name: value.detach().clone() for name, value in p.items()}
        optimizer.step()
        history.append(_measured(records, y, target, p, before, step, tuned))
        step += 1
        yield loss.item()


def _tensors(batch: Batch) -> tuple[Tensor, Tensor]:
    x = torch.tensor(np.ascontiguousarray(batch.x.transpose(0, 2, 1)))
    return x, torch.tensor(batch.target[-1])


def _forward(p: dict[str, Tensor], x: Tensor, tuned: bool) -> tuple[list[Record], Tensor]:
    zeros = x.new_zeros(x.shape[1], EXPERIMENT.hidden_size)
    state: Any = (zeros, zeros)
    records: list[Record] = []
    inputs = nn.functional.linear(x, p["W_xh"], p["b_h"]) if tuned else x
    for x_t in inputs.unbind():
        a = x_t if tuned else nn.functional.linear(x_t, p["W_xh"], p["b_h"])
        state, before, gates = _lstm(a, state, p, slab=tuned)
        _kept(*state, *before)
        records.append((state, before, gates))
    return records, nn.functional.linear(state[0], p["W_hy"], p["b_y"])


@torch.no_grad()
def _measured(
    records: list[Record],
    y: Tensor,
    target: Tensor,
    p: dict[str, Tensor],
    before: dict[str, Tensor],
    step: int,
    tuned: bool,
) -> dict[str, Any]:
    """What a `StepRecord` holds."""
    if tuned:
        d_h, d_c = (torch.stack([s[k].grad for s, _, _ in records]) for k in (0, 1))
        f = torch.stack([gates[1] for _, _, gates in records])
    else:
        arrays = _arrays(records)  # h, c, i, f, g, o; d_h, d_c and the gates' gradients
        f, d_h, d_c = arrays[3], arrays[6], arrays[7]
    squares = (d_h**2).sum(2)
    squares[:-1] += ((f * d_c)[1:] ** 2).sum(2)
    norm = torch.sqrt(sum((value.grad**2).sum() for value in p.values()))
    moved = torch.sqrt(sum(((value - before[name]) ** 2).sum() for name, value in p.items()))
    size = torch.sqrt(sum((value**2).sum() for value in before.values()))
    H = EXPERIMENT.hidden_size
    block = before["W_hh"][H : 2 * H]
    spectrum = step % SPECTRA_EVERY == 0
    return {
        "accuracy": (y.argmax(1) == target).double().mean().item(),
        "log10_state": 0.5 * torch.log10(squares.mean(1) * EXPERIMENT.batch_size**2),
        "norm": norm.item(),
        "update_ratio": (moved / size).item(),
        "singular_values": torch.linalg.svdvals(block) if spectrum else None,
        "spectral_radius": torch.linalg.eigvals(block).abs().max().item() if spectrum else None,
    }


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.training",
                                     description=__doc__)  # fmt: skip
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=31, help="rounds of 8 steps at most")
    parser.add_argument("--budget", type=float, default=60.0, help="seconds, three rounds at least")
    return parser.parse_args()


def main() -> None:
    options = parse()
    torch.set_num_threads(THREADS)
    make_batch = batches()
    sides = {
        "ours": ours(make_batch),
        "bare": bare(make_batch),
        "PyTorch": pytorch(make_batch, tuned=False),
        "PyTorch tuned": pytorch(make_batch, tuned=True),
    }
    losses = {name: [next(side) for _ in range(BLOCK)] for name, side in sides.items()}
    worst = max(abs(a / b - 1) for other in losses.values()
                for a, b in zip(losses["ours"], other, strict=True))  # fmt: skip

    def block(side: Iterator[float]) -> Callable[[], list[float]]:
        return lambda: [next(side) for _ in range(BLOCK)]

    runs = {name: block(side) for name, side in sides.items()}
    times = interleaved(runs, options.repeats, options.budget)
    ms = {name: 1e3 * statistics.median(values) / BLOCK for name, values in times.items()}
    print(f"LSTM, T = 100, B = 16, H = 64, Adam, float64, {THREADS} thread(s) a side, "
          f"{len(times['ours'])} rounds of {BLOCK} steps, load {os.getloadavg()[0]:.1f}; "
          f"NumPy {np.__version__}, PyTorch {torch.__version__}; {ALLOCATOR}")  # fmt: skip
    print(f"first {BLOCK} losses agree to {worst:.0e}")
    print("a training step, ms:", ", ".join(f"{name} {value:.2f}" for name, value in ms.items()))
    print(f"recording costs {ms['ours'] / ms['bare']:.3f} of a step without it (limit 1.3)")
    for name in ("PyTorch", "PyTorch tuned"):
        print(f"{name} takes {ms[name] / ms['ours']:.2f} times as long as ours")


if __name__ == "__main__":
    main()
