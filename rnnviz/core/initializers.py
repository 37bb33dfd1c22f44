"""Initial values of W_hh, and of the biases that set how long a gate keeps.

Every initializer draws one H × H block; `init_W_hh` stacks one block per gate and scales it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnnviz.core import checks
from rnnviz.core.numerics import Array

Generator = np.random.Generator


def uniform(rng: Generator, shape: tuple[int, ...], bound: float) -> Array:
    """U(−bound, bound)."""
    return rng.uniform(-1.0, 1.0, shape) * bound


def orthogonal(rng: Generator, n: int) -> Array:
    """A Haar-distributed orthogonal matrix: every singular value is 1 (Mezzadri 2007, arXiv
    math-ph/0609050: QR of a Gaussian matrix, signs of R's diagonal absorbed)."""
    q, r = np.linalg.qr(rng.standard_normal((n, n)))
    return q * np.sign(np.diagonal(r))


def gaussian(rng: Generator, n: int) -> Array:
    """N(0, 1/n): eigenvalues fill the unit disc as n grows (circular law, Girko 1985),
    the largest singular value tends to 2."""
    return rng.standard_normal((n, n)) / np.sqrt(n)


def identity(rng: Generator, n: int) -> Array:
    """The identity matrix (IRNN with ReLU: Le, Jaitly, Hinton 2015, arXiv:1504.00941)."""
    return np.eye(n)


def pytorch_uniform(rng: Generator, n: int) -> Array:
    """U(−1/√n, 1/√n), the default of torch.nn.RNN, LSTM and GRU."""
    return uniform(rng, (n, n), 1 / np.sqrt(n))


def glorot(rng: Generator, n: int) -> Array:
    """U(±√(6/(n + n))) (Glorot and Bengio 2010, eq. 16)."""
    return uniform(rng, (n, n), np.sqrt(3 / n))


def delay_line(rng: Generator, n: int) -> Array:
    """Ones below the diagonal: unit j hands its value to unit j+1. Spectral radius 0, n − 1
    singular values 1: a memory of exactly n − 1 steps."""
    return np.eye(n, k=-1)


def spectral_radius(rng: Generator, n: int) -> Array:
    """A Gaussian matrix scaled so that its largest |eigenvalue| is exactly 1; `gain` is then
    the spectral radius itself."""
    block = gaussian(rng, n)
    return block / np.abs(np.linalg.eigvals(block)).max()


INITIALIZERS: dict[str, Callable[[Generator, int], Array]] = {
    "uniform": pytorch_uniform,
    "orthogonal": orthogonal,
    "gaussian": gaussian,
    "identity": identity,
    "glorot": glorot,
    "delay_line": delay_line,
    "spectral_radius": spectral_radius,
}


def init_W_hh(name: str, rng: Generator, hidden_size: int, gates: int, gain: float) -> Array:
    """W_hh (G·H, H): one block of the named initializer per gate, times `gain`.

    Each gate has a stream of its own, so a cell's first gate gets the weights that a simple RNN
    of the same seed gets. Raises ValueError for an unknown name or a gain that is not finite.
    """
    draw = INITIALIZERS[checks.choice("init", name, INITIALIZERS)]
    scale = checks.number("gain", gain)
    return scale * np.concatenate([draw(stream, hidden_size) for stream in rng.spawn(gates)])


def chrono_bias(rng: Generator, n: int, t_max: int) -> Array:
    """log(u), u ~ U(1, t_max − 1): the gate's memory 1/(1 − σ(b)) is then uniform on
    [2, t_max] steps (Tallec and Ollivier 2018, arXiv:1804.11188, eq. 16).

    Raises ValueError if t_max < 3.
    """
    checks.size("chrono", t_max, minimum=3)
    return np.log(rng.uniform(1, t_max - 1, n))
