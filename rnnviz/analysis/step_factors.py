"""Why the error shrinks or grows: each step of the state gradient, split exactly.

Between two points of the curve ‖∂L/∂s_t‖ stand the slopes, the weights, the direction in which the
error meets them, and the error that enters on the way; in a cell with more ways than one through a
step, the ways, each with its share of the error that arrives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.analysis import limits
from rnnviz.analysis.gradients import state_curve
from rnnviz.analysis.jacobian.sequence import Progress
from rnnviz.analysis.rates import gradient_ratio
from rnnviz.analysis.truncated import check_whole
from rnnviz.core import Trace
from rnnviz.core.cell import Weights
from rnnviz.core.numerics import LOWEST, Array, entry_exponents, log10_hypot, log10_norm, log10_rms
from rnnviz.core.scaled_steps import linear_steps, steps_in_float64
from rnnviz.core.scaling import Scaled, by_bands, total
from rnnviz.core.trace import cell_carry, rms_over_batch, sequences_at, state_log10

Each = tuple[Array, Array]
"""`Scaled` with exponents for each step."""
Parts = tuple[Each, ...]
"""Of one path what arrives at h, and at c where there is one, each (n, H, B)."""


@dataclass(frozen=True, eq=False)
class StepFactors:
    """What each step back does to the state gradient S_t = RMS over the batch of ‖∂L/∂s_t‖. All
    arrays are (T,), T the steps of the longest sequence: index t − 1 belongs to the step from t to
    t − 1.

    change: log10 S_{t−1} − log10 S_t. factors: name -> decades; they add up to `change`. With v the
    error at step t and Φ′ the slopes, of a cell in which all error goes through W_hh behind one
    nonlinearity: slope, RMS‖Φ′v‖ / RMS‖v‖; weight, ‖W_hh‖_F / √H; direction, RMS‖WᵀΦ′v‖ over
    RMS‖Φ′v‖ · weight; of any other, passed: all three together, over all paths. entering: what
    error that enters at step t − 1 makes of what arrives there, 0 where none does (and where a
    shorter sequence ends, that the mean is over one more).
    shares: path -> Σ_b ⟨p, s⟩ / Σ_b ‖s‖², signed, with p what the path adds to s = ∂L/∂s_{t−1};
    with "entering" they add up to 1. The paths are the gates by name, each through its own weights;
    "carry" or "leak", what no weight touches; "output", from h_t into c_{t−1}; "skip", from a later
    step. Empty where there is one path alone.
    slope_of: the nonlinearity behind W_hh, "tanh" for example; "" where there are more.
    start: the step at which the last error enters; before it (t > start) all is NaN, as it is where
    a step has no error left.
    """

    label: str
    change: Array
    factors: dict[str, Array]
    shares: dict[str, Array]
    start: int
    slope_of: str = ""

    @property
    def refilled(self) -> Array:
        """(T,): whether a step passes nothing on, so that all error behind it has entered there. No
        factors multiply to such a change: one of them is 0."""
        return np.isfinite(self.change) & np.isposinf(self.factors["entering"])

    def mean(self, name: str) -> float:
        """A factor's mean in decades a step over the steps from `start` to 1; NaN without one."""
        some = self.factors[name][1 : self.start]
        return float(some.mean()) if len(some) else np.nan


def step_factors(trace: Trace, label: str, progress: Progress | None = None) -> StepFactors:
    """Every step of a full backward pass, split. Where all error goes through W_hh it takes no
    longer than a norm.

    Source: derived for this project; ‖W‖_F / √H is the RMS of ‖Wᵀu‖ over directions u.
    Raises ValueError above the limits of `limits`, and `Truncated` of a truncated pass, at whose
    windows' ends not all error goes on.

    Examples
    --------
    >>> found = analysis.step_factors(rnn, "RNN")
    >>> list(found.factors)
    ['slope', 'weight', 'direction', 'entering']
    >>> bool(np.allclose(sum(found.factors.values())[1:], found.change[1:]))
    True
    """
    check_whole("step_factors", trace)
    cell, each = trace.cell, state_log10(trace)
    state = rms_over_batch(trace, each)
    start = gradient_ratio(state_curve(trace, each))[2]
    shares: dict[str, Array] = {}
    with np.errstate(all="ignore"):
        change = state[:-1] - state[1:]
        one_way = cell.SIMPLE and not cell.other_ways
        if one_way:
            factors = _simple(trace, state)
        else:
            factors, shares = _paths(trace, state, progress)
    gone = ~np.isfinite(state[1:]) | (np.arange(len(change)) >= start)
    for values in (change, *factors.values(), *shares.values()):
        values[gone] = np.nan
    slope_of, T = cell.activation_of(cell.CANDIDATE_GATE).name if one_way else "", trace.longest
    factors, shares = ({name: v[:T] for name, v in found.items()} for found in (factors, shares))
    return StepFactors(label, change[:T], factors, shares, start, slope_of)


def _simple(trace: Trace, state: Array) -> dict[str, Array]:
    """Slope, weight, direction and what enters, in decades."""
    W_hh, H = trace.params["W_hh"].astype(np.float64), trace.cell.hidden_size
    weight = float(log10_norm(W_hh.ravel())) - 0.5 * np.log10(H)
    behind = _rms(trace, log10_norm(trace.d_gate_values, 1, trace.d_gate_log2), slice(None))
    passed, enters = _undisturbed(trace, state), _enters(trace)
    if enters.any():
        d_a = trace.d_gate_values[enters], trace.d_gate_log2[enters]
        (sent,) = by_bands(lambda values: [W_hh.T @ values], d_a)
        passed[enters] = _rms(trace, log10_norm(sent[0], 1, sent[1]), enters)
    return {
        "slope": behind - state[1:],
        "weight": np.full(len(behind), weight),
        "direction": passed - behind - weight,
        "entering": state[:-1] - passed,
    }


def _enters(trace: Trace) -> Array:
    """(T,): whether error of its own reaches the state before a step."""
    return np.append(False, np.any(trace.enters, axis=1)[:-1])


def _undisturbed(trace: Trace, state: Array) -> Array:
    """log10 of what each step passes on, (T,), where nothing else arrives: all that is there."""
    counts = sequences_at(trace)
    return state[:-1] + 0.5 * np.log10(counts[:-1] / counts[1:])


def _rms(trace: Trace, log10: Array, steps: Array | slice) -> Array:
    """log10 values (n, B) as their RMS over the sequences that have the steps' last state."""
    return log10_rms(log10) + 0.5 * np.log10(trace.batch_size / sequences_at(trace)[1:][steps])


def _paths(
    trace: Trace, state: Array, progress: Progress | None
) -> tuple[dict[str, Array], dict[str, Array]]:
    """What all paths pass on and what enters, in decades; the shares."""
    T, cell = trace.seq_len, trace.cell
    limits.check("The paths", limits.paths_cost(cell, T, trace.batch_size))
    passed, enters = _undisturbed(trace, state), _enters(trace)
    blocks: list[dict[str, Array]] = []
    before = _states(trace)
    for start, stop in limits.path_blocks(cell, T, trace.batch_size):
        paths = _of_block(trace, before, start, stop)
        arrived = tuple((v[start:stop], log2[start:stop]) for v, log2 in before)
        own = _entered(trace, start, stop)
        blocks.append(_shares(paths | {"entering": own}, arrived))
        some = enters[start:stop]
        if some.any():
            sent = [total(parts) for parts in zip(*paths.values(), strict=True)]
            steps = np.arange(start, stop)[some]
            passed[steps] = _rms(trace, _log10(sent)[some], steps)
        if progress is not None:
            progress(stop / T)
    shares = {name: np.concatenate([each[name] for each in blocks]) for name in blocks[0]}
    kept = {name: share for name, share in shares.items() if share.any() or name == "entering"}
    return {"passed": passed - state[1:], "entering": state[:-1] - passed}, kept


def _states(trace: Trace) -> Parts:
    """∂L/∂s_t as its parts h and, if there is one, c with h held, (T+1, H, B)."""
    h = trace.d_h, np.broadcast_to(trace.d_log2, (len(trace.d_h), *trace.d_log2.shape[1:]))
    carried = cell_carry(trace)
    if carried is None:
        return (h,)
    last = np.zeros_like(trace.d_h[:1]) if trace.d_c_direct is None else trace.d_c_direct[-1:]
    log2 = np.concatenate([carried[1], np.zeros_like(carried[1][:1])])
    return h, (np.concatenate([carried[0], last]), log2)


def _of_block(trace: Trace, states: Parts, start: int, stop: int) -> dict[str, Parts]:
    """The paths of the steps from h[start] to h[stop]."""
    params = {name: value.astype(np.float64) for name, value in trace.params.items()}
    w = trace.cell.backward_weights(params)
    found = _held(trace, states, params, w, start, stop)
    found |= _through_gates(trace, params, start, stop)
    if trace.cell.skip:
        found["skip"] = _skipped(trace, w, start, stop)
    return found


def _held(
    trace: Trace,
    states: Parts,
    params: dict[str, Array],
    w: Weights,
    start: int,
    stop: int,
) -> dict[str, Parts]:
    """What goes through no gate's pre-activation, from h and from c. With these held no unit sees
    another one: a step of ones tells what each unit's error is multiplied with."""
    steps = linear_steps(trace, params, w, start, stop, held=True)
    direct = "leak" if "leak" in trace.cell.other_ways else "carry"
    names = ("output", "carry") if len(states) == 2 else (direct,)
    found: dict[str, Parts] = {}
    for k, name in enumerate(names):
        ones = [np.full(trace.h.shape[1:], float(i == k)) for i in range(len(states))]
        factors = [step(*(each.copy() for each in ones)) for step in steps]
        mantissa, exponent = np.frexp(states[k][0][start + 1 : stop + 1].astype(np.float64))
        log2 = exponent + states[k][1][start + 1 : stop + 1]
        found[name] = tuple(
            (mantissa * np.stack([each[place] for each in factors]), log2)
            for place in (1, 3)[: len(states)]
        )
    return found


def _through_gates(
    trace: Trace, params: dict[str, Array], start: int, stop: int
) -> dict[str, Parts]:
    """What each gate with weights sends back."""
    block, cell = steps_in_float64(trace, params, start, stop), trace.cell
    assert isinstance(block, Trace)
    names = cell.trainable_gates

    def sent(d_a: Array) -> list[Array]:
        paths = cell.gate_paths(block, d_a)
        none = np.zeros_like(paths[names[0]][0])
        parts = [paths[name][: 1 + cell.HAS_CELL_STATE] for name in names]
        return [none if part is None else part for each in parts for part in each]

    steps = slice(start, stop)
    d_a = trace.d_gate_values[steps], trace.d_gate_log2[steps]
    found = [(values, np.asarray(log2)) for values, log2 in by_bands(sent, d_a)]
    each = 1 + cell.HAS_CELL_STATE
    return {name: tuple(found[each * k : each * (k + 1)]) for k, name in enumerate(names)}


def _skipped(trace: Trace, w: Weights, start: int, stop: int) -> Parts:
    """W_skipᵀ of the gates' gradients d − 1 steps later."""
    weights, rows, later = w.skip, trace.cell.x_rows, trace.cell.skip - 1
    assert weights is not None
    none = np.zeros((stop - start, *trace.h.shape[1:]))
    parts: list[Each] = [(none, np.zeros_like(none, int))] * (1 + trace.cell.HAS_CELL_STATE)
    steps = slice(start + later, stop + later)
    d_a = trace.d_gate_values[steps], trace.d_gate_log2[steps]
    if len(d_a[0]):
        ((values, log2),) = by_bands(lambda values: [weights @ values[:, rows]], d_a)
        of_h, exponents = none.copy(), np.zeros_like(none, int)
        of_h[: len(values)], exponents[: len(values)] = values, log2
        parts[0] = of_h, exponents
    return tuple(parts)


def _entered(trace: Trace, start: int, stop: int) -> Parts:
    """The direct gradients of the states before these steps."""
    given: list[tuple[Array | None, Array | None]] = [(trace.d_h_direct, trace.direct_log2)]
    given += [(trace.d_c_direct, None)] * trace.cell.HAS_CELL_STATE
    parts: list[Each] = []
    for direct, log2 in given:
        found = np.zeros((stop - start, *trace.h.shape[1:]))
        exponents = np.zeros(found.shape, int)
        first = max(1 - start, 0)
        steps = slice(start + first - 1, stop - 1)
        if direct is not None:
            found[first:] = direct[steps]
        if log2 is not None:
            exponents[first:] = log2[steps]
        parts.append((found, exponents))
    return tuple(parts)


def _shares(paths: dict[str, Parts], arrived: Parts) -> dict[str, Array]:
    """Σ_b ⟨p, s⟩ / Σ_b ‖s‖² of each path and step, (n,); in units of the largest entry of s."""
    tops = [entry_exponents(*part).max(axis=(1, 2), keepdims=True) for part in arrived]
    top = np.maximum.reduce(tops)
    top[top == LOWEST] = 0
    s = [np.ldexp(v.astype(np.float64), log2 - top) for v, log2 in arrived]
    square = _summed(s, s)
    return {
        name: _summed([np.ldexp(v, log2 - top) for v, log2 in path], s) / square
        for name, path in paths.items()
    }


def _summed(left: Sequence[Array], right: Sequence[Array]) -> Array:
    """Σ_b ⟨·, ·⟩ of each step, (n,), over all parts."""
    products = [np.einsum("nhb,nhb->n", a, b) for a, b in zip(left, right, strict=True)]
    return np.sum(products, axis=0)


def _log10(parts: Sequence[Scaled]) -> Array:
    """log10 ‖·‖ of each step and sequence, (n, B)."""
    norms = [log10_norm(v, 1, log2) for v, log2 in parts]
    return norms[0] if len(norms) == 1 else log10_hypot(*norms)
