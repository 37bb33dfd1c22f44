"""`python -m tests.benchmarks.analysis`: lag profile, Lyapunov spectrum and pair matrix against
PyTorch on the same recorded run.

T = 100, H = 64, D = 8, float64, RNN, LSTM (forget bias 3) and GRU; the forward pass is nobody's
work; one thread a side unless --threads says otherwise, everybody warmed up, rounds interleaved,
medians. The sides must agree to 1e-6.

The opponent is what one would write. "jacrev" makes each step's Jacobian by torch.func.jacrev of
the step's equations (the whole state; the functional step, without nn.Module's overhead), one step
after the other, and takes from it what ours gives:
- the lag profile: the product of Jacobians, brought near 1 at every lag, and its largest singular
  value by torch.linalg.matrix_norm(·, 2), which is a full SVD; of the block of h too where the
  state is more than h. Ours bounds and finds the largest alone.
- the spectrum: Q R = Jᵀ Q by torch.linalg.qr at every step, as the algorithm is published. Ours
  makes the frame orthonormal as often as its stretching demands; "QR every n" does so on
  PyTorch's side too, n steps apart as ours on average, and has no target.
- "jacrev, batched": the Jacobians of all steps at once by vmap; it has no target.
- the pair matrix: T separate backward passes, torch.autograd.grad of each step's loss with respect
  to all states before it, through a graph that is built once, outside of the clock. With B = 1
  a pass is all overhead; with B = 16 sixteen sequences share it, and what is left to compare are
  matrix products.
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

from collections.abc import Callable  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from functools import partial  # noqa: E402
from typing import Any  # noqa: E402
from unittest.mock import patch  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import Tensor  # noqa: E402
from torch.func import jacrev, vmap  # noqa: E402

from rnnviz.analysis.jacobian import qr  # noqa: E402
from rnnviz.analysis.lags import lag_profile  # noqa: E402
from rnnviz.analysis.lyapunov import lyapunov_spectrum  # noqa: E402
from rnnviz.analysis.pairs import pair_matrix  # noqa: E402
from rnnviz.core import CELLS, Trace, bptt  # noqa: E402
from tests.benchmarks.cases import CELL_NAMES, INPUT_SIZE  # noqa: E402
from tests.benchmarks.worker import interleaved  # noqa: E402

T, H = 100, 64
FEW = 10
Array = np.ndarray
Sides = dict[str, Callable[[], Array]]


def record(name: str, batch_size: int) -> Trace:
    rng = np.random.default_rng(0)
    cell = CELLS[name](INPUT_SIZE, H)
    params = cell.init_params(rng, memory_bias=3.0 if name == "lstm" else 0.0)
    x = rng.standard_normal((T, INPUT_SIZE, batch_size))
    return bptt(cell, params, x, rng.standard_normal((T, H, batch_size)))


def tensors(trace: Trace) -> dict[str, Tensor]:
    return {name: torch.tensor(value) for name, value in trace.params.items()}


def step(name: str, p: dict[str, Tensor], s: Tensor, x: Tensor) -> Tensor:
    """s_t from s_{t−1} (…, S) and x_t (…, D)."""
    h = s[..., :H]
    a, u = x @ p["W_xh"].T + p["b_h"], h @ p["W_hh"].T
    if name == "rnn":
        return torch.tanh(a + u)
    if name == "gru":
        r, z = torch.sigmoid(a[..., : 2 * H] + u[..., : 2 * H]).chunk(2, -1)
        n = torch.tanh(a[..., 2 * H :] + r * (u[..., 2 * H :] + p["b_hn"]))
        return n + z * (h - n)
    i, f, g, o = (a + u).chunk(4, -1)
    c = torch.sigmoid(f) * s[..., H:] + torch.sigmoid(i) * torch.tanh(g)
    return torch.cat([torch.sigmoid(o) * torch.tanh(c), c], -1)


@dataclass
class Jacobians:
    """PyTorch's: what it starts from, and two ways to its Jacobians."""

    name: str
    trace: Trace

    def __post_init__(self) -> None:
        trace, states = self.trace, [s for s in (self.trace.h, self.trace.c) if s is not None]
        self.p = tensors(trace)
        self.s = torch.tensor(np.concatenate([s[:-1, :, 0] for s in states], axis=1))
        self.x = torch.tensor(np.ascontiguousarray(trace.x[:, :, 0]))
        self.of = jacrev(partial(step, self.name, self.p))

    def one_by_one(self) -> list[Tensor]:
        return [self.of(s, x) for s, x in zip(self.s, self.x, strict=True)]

    def at_once(self) -> list[Tensor]:
        return list(vmap(self.of)(self.s, self.x))


def lags_of(jacobians: Callable[[], list[Tensor]]) -> Array:
    """log10 norms (2, T+1) of state and h."""
    Js, log10 = jacobians(), 0.0
    M, found = torch.eye(len(Js[0]), dtype=torch.float64), [[0.0, 0.0]]
    for J in reversed(Js):
        M = M @ J
        size = M.abs().max()
        M, log10 = M / size, log10 + float(torch.log10(size))
        blocks = (M, M[:H, :H]) if len(M) > H else (M,)
        norms = [log10 + float(torch.log10(torch.linalg.matrix_norm(b, 2))) for b in blocks]
        found.append([norms[0], norms[-1]])
    return np.array(found).T


def exponents_of(jacobians: Callable[[], list[Tensor]], count: int, every: int = 1) -> Array:
    Js = jacobians()
    Q = torch.eye(len(Js[0]), dtype=torch.float64)[:, :count]
    logs = torch.zeros(Q.shape[1], dtype=torch.float64)
    for k, J in enumerate(reversed(Js), 1):
        Q = J.T @ Q
        if k % every == 0 or k == len(Js):
            Q, R = torch.linalg.qr(Q)
            logs += R.diagonal().abs().log()
    return np.sort((logs / len(Js)).numpy())[::-1]


def separate_passes(name: str, trace: Trace) -> Callable[[], Array]:
    """log10 ‖∂L_s/∂h_k‖, (T, T+1), RMS over the batch."""
    p = tensors(trace)
    x = torch.tensor(np.ascontiguousarray(trace.x.transpose(0, 2, 1)))
    e = torch.tensor(np.ascontiguousarray(trace.d_h_direct.transpose(0, 2, 1)))
    parts = [torch.tensor(s[0].T.copy()) for s in (trace.h, trace.c) if s is not None]
    h, c = [parts[0].requires_grad_()], parts[1:]
    for x_t in x:
        s = step(name, p, torch.cat([h[-1], *c], -1), x_t)
        h, c = [*h, s[..., :H]], [s[..., H:]] if c else []
    losses = [(h_t * e_t).sum() for h_t, e_t in zip(h[1:], e, strict=True)]

    def run() -> Array:
        found = np.full((T, T + 1), np.nan)
        for s in range(1, T + 1):
            gradients = torch.autograd.grad(losses[s - 1], h[: s + 1], retain_graph=True)
            norms = torch.stack([g.square().sum() for g in gradients])
            found[s - 1, : s + 1] = 0.5 * torch.log10(norms / x.shape[1]).numpy()
        return found

    return run


def cadence(run: Callable[[], Any]) -> int:
    """How many steps apart ours makes its frame orthonormal, on average."""
    with patch.object(qr, "cholesky_qr", wraps=qr.cholesky_qr) as counted:
        run()
    return max(1, T // counted.call_count)


def cases(name: str) -> dict[str, tuple[Sides, float]]:
    """What is compared -> (the sides, ours first; the target)."""
    one, many = record(name, 1), record(name, 16)
    torch_ = Jacobians(name, one)
    ways = {"jacrev": torch_.one_by_one, "jacrev, batched": torch_.at_once}

    def ours_lags() -> Array:
        found = lag_profile(one, name)
        return np.stack([found.state.log10, found.h.log10])

    def spectrum(count: int) -> Sides:
        ours = partial(lyapunov_spectrum, one, name, count=count)
        every = cadence(ours)
        return {"ours": lambda: ours().exponents,
                **{way: partial(exponents_of, J, count) for way, J in ways.items()},
                f"jacrev, QR every {every}": partial(exponents_of, torch_.one_by_one, count, every),
                }  # fmt: skip

    return {
        "lag profile": ({"ours": ours_lags, **{way: partial(lags_of, J)
                                               for way, J in ways.items()}}, 10),
        "Lyapunov, all": (spectrum(torch_.s.shape[1]), 10),
        f"Lyapunov, {FEW} largest": (spectrum(FEW), 10),
        "pair matrix, B = 1": ({"ours": lambda: pair_matrix(one, name).h,
                                "T passes": separate_passes(name, one)}, 20),
        "pair matrix, B = 16": ({"ours": lambda: pair_matrix(many, name).h,
                                 "T passes": separate_passes(name, many)}, 20),
    }  # fmt: skip


def compare(cell: str, what: str, sides: Sides, target: float, options: argparse.Namespace) -> None:
    values = {name: run() for name, run in sides.items()}
    ours = values.pop("ours")
    worst = max(np.nanmax(np.abs(value - ours)) for value in values.values())
    assert worst < 1e-6, f"{cell} {what}: the sides differ by {worst:.0e}"
    times = interleaved(sides, options.repeats, options.budget)
    ms = {name: 1e3 * statistics.median(value) for name, value in times.items()}
    own, (first, *others) = ms.pop("ours"), ms
    ratio = ms[first] / own
    judged = "met" if ratio >= target else "MISSED"
    rest = "".join(f"; {name} {ms[name]:.1f} ms, {ms[name] / own:.1f} x" for name in others)
    print(f"{cell:5}{what:22} ours {own:7.1f} ms, {first} {ms[first]:8.1f} ms: {ratio:5.1f} x "
          f"(at least {target:g}: {judged}){rest}; {len(times['ours'])} rounds, "
          f"difference {worst:.0e}", flush=True)  # fmt: skip


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.analysis",
                                     description=__doc__)  # fmt: skip
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cell", choices=CELL_NAMES, action="append", help="default: all")
    parser.add_argument("--repeats", type=int, default=31, help="rounds at most (default 31)")
    parser.add_argument("--budget", type=float, default=4.0,
                        help="seconds a row, three rounds at least (default 4)")  # fmt: skip
    return parser.parse_args()


def main() -> None:
    options = parse()
    torch.set_num_threads(THREADS)
    print(f"T = {T}, H = {H}, D = {INPUT_SIZE}, float64, {THREADS} thread(s) a side, load "
          f"{os.getloadavg()[0]:.1f}; NumPy {np.__version__}, PyTorch {torch.__version__}; "
          f"{ALLOCATOR}")  # fmt: skip
    for cell in options.cell or CELL_NAMES:
        for what, (sides, target) in cases(cell).items():
            compare(cell, what, sides, target, options)


if __name__ == "__main__":
    main()
