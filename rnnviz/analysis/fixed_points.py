"""Where would a network come to rest? Fixed points of a step whose input is held constant.

Newton's method on F(s) = s from states that the run visits, from where the held network takes them,
and from random ones. Cf. Sussillo, Barak 2013, Neural Computation 25(3), 626-649, who minimise
‖F(s) − s‖² and find slow points, too.
A fixed point is stable if every eigenvalue of ∂F/∂s there lies inside the unit circle. On a kink of
a nonlinearity there is no ∂F/∂s: what it would be on one side says nothing of the other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rnnviz.analysis import limits
from rnnviz.analysis.held_network import HeldNetwork
from rnnviz.analysis.jacobian.structured import state_size
from rnnviz.core import Cell, Record, checks
from rnnviz.core.numerics import Array

HALVINGS = 8
STEP = 1e-8
"""How small Newton's last step is at a fixed point, relative to 1 + ‖s‖."""
SAME = 1e-6
"""Two ends that are no further apart than this, relative to 1 + ‖s‖, are one fixed point."""
EDGE = 1e-9
"""|λ| that is no further from 1 is on the unit circle."""
HUGE = 1e30
"""Larger states are not searched from, nor drawn."""


@dataclass(frozen=True, eq=False)
class FixedPoints:
    """States that a step with a constant input leads to themselves, those first in which the fewest
    directions grow, of these the ones with the least |λ|max; last those without a derivative.

    value: the number that every input of the layer is held at. starts: how many searches were
    begun; ended: how many of them came to a fixed point; slow: how many ended where a step moves
    nothing that float64 holds, although the state does not rest: its gates let next to nothing
    through. points (n, H), or (n, 2H): h, then c; residuals (n,): ‖F(s) − s‖; eigenvalues (n, S):
    of ∂F/∂s, largest first, with the older states of a skip; NaN where there is no ∂F/∂s, as on a
    kink.
    """

    label: str
    value: float
    starts: int
    ended: int
    points: Array
    residuals: Array
    eigenvalues: Array
    slow: int = 0

    @property
    def radii(self) -> Array:
        """|λ|max at each point, (n,); NaN on a kink."""
        return np.abs(self.eigenvalues).max(axis=1, initial=0.0)

    @property
    def growing(self) -> Array:
        """How many eigenvalues lie outside of the unit circle at each point, (n,)."""
        return (np.abs(self.eigenvalues) > 1 + EDGE).sum(axis=1)

    @property
    def kinds(self) -> list[str]:
        """Of each point: "stable" if all directions shrink, "saddle" if some grow, "unstable" if
        all do, "marginal" if none grows and some neither grow nor shrink, "kink" without λ."""
        found, size = [], self.eigenvalues.shape[1]
        for radius, growing in zip(self.radii, self.growing, strict=True):
            held = "stable" if radius < 1 - EDGE else "marginal" if radius == radius else "kink"
            found.append(held if not growing else "unstable" if growing == size else "saddle")
        return found


def fixed_points(
    record: Record, label: str, value: float = 0.0, starts: int | None = None, seed: int = 0
) -> FixedPoints:
    """The fixed points that Newton's method finds from `starts` states (as many as take little
    time unless given): a third of them visited by the run, a third where the network takes these
    in 200 steps with its input held, the others random from `seed`.

    What is not found may be there all the same. Where fixed points are not isolated (a line of
    them), each start ends at another one. Raises ValueError for a value that is not finite, for
    fewer than 3 starts and above the limits of `limits`.

    Examples
    --------
    >>> found = analysis.fixed_points(rnn, "RNN")
    >>> found.points.shape, found.kinds  # a small tanh network without input or bias rests at 0
    ((1, 8), ['stable'])
    """
    cell = record.cell
    value = checks.number("value", value)
    count = starts_for(cell) if starts is None else checks.size("starts", starts, 3)
    cost = limits.fixed_points_cost(cell, count, record.seq_len, record.batch_size)
    limits.check("The fixed points", cost, "fewer units")
    network = HeldNetwork(cell, record, value)
    with np.errstate(all="ignore"):
        ends, slow = _search(network, _starts(network, record, count, seed))
        points = _distinct(ends)
        residuals = network.residual(points)
        jacobians = np.where(network.on_kink(points)[:, None, None], np.nan,
                             network.jacobians(points))  # fmt: skip
        eigenvalues = np.array([_eigenvalues(J) for J in jacobians])
    eigenvalues = eigenvalues.reshape(len(points), state_size(cell))
    found = FixedPoints(label, value, count, len(ends), points, residuals, eigenvalues, slow)
    order = np.lexsort((found.radii, found.growing, np.isnan(found.radii)))
    return replace(found, points=points[order], residuals=residuals[order],
                   eigenvalues=eigenvalues[order])  # fmt: skip


def starts_for(cell: Cell) -> int:
    """128 where that takes a moment, fewer where the state is large."""
    return int(np.clip(36 * (128 / state_size(cell)) ** 2, 6, 128))


def visited_states(record: Record, sequence: int | None = None) -> Array:
    """The states of the run, or of one sequence from s_0 on, (n, H) or (n, 2H): h, then c. Without
    padding, and without those that are not finite or huge.

    Examples
    --------
    >>> analysis.visited_states(lstm, 0).shape
    (21, 16)
    """
    parts = [record.h] if record.c is None else [record.h, record.c]
    states = np.concatenate(parts, axis=1).astype(np.float64)
    there = np.concatenate([np.ones_like(record.present[:1]), record.present])
    if sequence is not None:
        states, there = states[:, :, [sequence]], there[:, [sequence]]
    found: Array = states.transpose(0, 2, 1)[there]
    return found[(np.abs(found) < HUGE).all(axis=1)]


def _starts(network: HeldNetwork, record: Record, count: int, seed: int) -> Array:
    """Random ones are as large as those of the run, or normal."""
    states, size = visited_states(record), record.cell.hidden_size * (1 + (record.c is not None))
    spread = max(1.0, float(np.abs(states).mean())) if len(states) else 1.0
    some = states[np.linspace(0, len(states) - 1, count // 3 * bool(len(states))).astype(int)]
    settled = network.after(some, limits.SETTLE)
    settled = settled[(np.abs(settled) < HUGE).all(axis=1)]
    rest = count - len(some) - len(settled)
    drawn = np.random.default_rng(seed).standard_normal((rest, size))
    return np.concatenate([some, settled, spread * drawn])


def _search(network: HeldNetwork, starts: Array) -> tuple[Array, int]:
    """Where Newton's method comes to rest, of the starts from which it does; from how many it comes
    to what is slow alone."""
    states, active, rests = starts.copy(), np.arange(len(starts)), np.zeros(len(starts), bool)
    for _ in range(limits.NEWTON_STEPS):
        at = states[active]
        record = network.step(at)
        short = network.moved(record) - at
        step = _solved(np.eye(at.shape[1]) - network.own(network.jacobians_of(record)), short)
        states[active] = _halved(network, at, step, np.linalg.norm(short, axis=1))
        scale = 1 + np.linalg.norm(states[active], axis=1)
        small = np.linalg.norm(step, axis=1) <= STEP * scale
        rests[active[small]] = True
        moves = (states[active] != at).any(axis=1) & np.isfinite(step).all(axis=1) & ~small
        active = active[moves]
        if not active.size:
            break
    still, rested = network.is_still(states), network.is_at_rest(states)
    return states[rests & still & rested], int((rests & still & ~rested).sum())


def _solved(matrices: Array, values: Array) -> Array:
    """x of A x = b for each; of a singular A the shortest x that comes nearest."""
    try:
        return np.linalg.solve(matrices, values[..., None])[..., 0]
    except np.linalg.LinAlgError:
        pairs = zip(matrices, values, strict=True)
        return np.array([_nearest(A, b) for A, b in pairs])


def _nearest(A: Array, b: Array) -> Array:
    if not (np.isfinite(A).all() and np.isfinite(b).all()):
        return np.full(len(b), np.nan)
    return np.linalg.lstsq(A, b, rcond=None)[0]


def _halved(network: HeldNetwork, states: Array, step: Array, size: Array) -> Array:
    """The states after as much of the step as makes the residual fall; those that nothing of it
    brings nearer stay."""
    found, left = states.copy(), np.arange(len(states))
    for k in range(HALVINGS):
        tried = states[left] + 0.5**k * step[left]
        falls = network.residual(tried) < size[left]
        found[left[falls]] = tried[falls]
        left = left[~falls]
        if not left.size:
            break
    return found


def _distinct(ends: Array) -> Array:
    """One of those that are the same."""
    found = np.zeros((0, ends.shape[1]))
    for end in ends:
        if not (np.linalg.norm(found - end, axis=1) <= SAME * (1 + np.linalg.norm(end))).any():
            found = np.concatenate([found, end[None]])
    return found


def _eigenvalues(J: Array) -> Array:
    if not np.isfinite(J).all():
        return np.full(len(J), np.nan + 0j)
    values = np.linalg.eigvals(J).astype(complex)
    return values[np.argsort(-np.abs(values), kind="stable")]


@dataclass(frozen=True, eq=False)
class Plane:
    """The first two principal components of some states.

    centre (S,): their mean; axes (2, S), orthonormal rows; shares (2,): of the variance.
    """

    centre: Array
    axes: Array
    shares: Array

    def project(self, states: Array) -> Array:
        """(n, S) -> coordinates in the plane, (n, 2)."""
        return (states - self.centre) @ self.axes.T


def principal_plane(states: Array) -> Plane:
    """Of states (n, S), n at least 1; a second axis of zeros where S is 1 or they lie on a line.

    Examples
    --------
    >>> plane = analysis.principal_plane(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]))
    >>> plane.shares.round(12)
    array([1., 0.])
    """
    centre = states.mean(axis=0)
    size = float(np.abs(states - centre).max(initial=0.0)) or 1.0
    _, sigma, rows = np.linalg.svd((states - centre) / size, full_matrices=False)
    axes, shares = np.zeros((2, states.shape[1])), np.zeros(2)
    kept = min(2, len(sigma))
    total = float(np.sum(sigma**2)) or 1.0
    axes[:kept], shares[:kept] = rows[:kept], sigma[:kept] ** 2 / total
    signs = np.sign(axes[np.arange(2), np.abs(axes).argmax(axis=1)])
    return Plane(centre, np.where(signs == 0, 1, signs)[:, None] * axes, shares)
