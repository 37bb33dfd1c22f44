"""Figures of claims about training: clipping, truncated backpropagation, influence balancing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnviz.claims.clipping import ClippedRun
from rnnviz.claims.influence import InfluenceCurve, InfluenceRuns
from rnnviz.claims.truncation import FADES, GOOD, WINDOW, WINDOWS, Agreement
from rnnviz.core.numerics import Array
from rnnviz.plots import theme
from rnnviz.plots.claims_panels import (
    HEIGHT,
    RIGHT,
    WRONG,
    Panel,
    box,
    dots,
    inside,
    line,
    names,
    room_for,
    segment,
    side_by_side,
    waiting,
)
from rnnviz.plots.drawing import Drawing, FigureFunction, Piece, drawing
from rnnviz.plots.marks import EndLabel, end_labels, gapped, note, rule, tabled
from rnnviz.plots.panels import axis
from rnnviz.wording.lists import listed, said_of
from rnnviz.wording.numbers import minus, signed
from rnnviz.wording.texts import caption

CASES = {"exploding": theme.NO_MODEL[2], "vanishing": theme.NO_MODEL[0]}
CELLS = {kind: theme.model_colour(kind) for kind in ("rnn", "lstm", "gru")}
GROWTH, COSINE = (-0.62, 0.17), (-1.05, 1.08)
EDGE = 0.02
INFLUENCE_HEIGHT = 260
INFLUENCE_MARGIN = {"l": 64, "r": 110, "t": 20, "b": 46}


@FigureFunction
def clipping_figure(runs: Sequence[ClippedRun], *, height: int = HEIGHT) -> Drawing:
    """Left: log10 ‖g‖ before (x) and after (y) clipping, one dot an update; in the red half a
    gradient would have got longer. Right: what each time step adds to the gradient, before (thin)
    and after (thick), at the update that was clipped most.
    """
    if not runs:
        return waiting("claims-clipping", height, caption("training"))
    panels = [_lengths(runs), _profiles(runs, height)]
    return side_by_side(panels, "claims-clipping", height, shares=(1.0, 1.15))


def _lengths(runs: Sequence[ClippedRun]) -> Panel:
    data = [_updates([r for r in runs if r.case == case], case) for case in CASES]
    every = np.concatenate([np.log10(r.before) for r in runs] + [np.log10(r.after) for r in runs])
    low, high = room_for(every, (-0.5, 0.5))
    limit = float(np.log10(runs[0].limit))
    half = {"type": "path", "path": f"M {low} {low} L {low} {high} L {high} {high} Z"}
    return Panel(
        title=caption("every_gradient", count=len(runs), limit=f"{runs[0].limit:g}") + "<br>"
              + "&nbsp; ".join(f"<span style='color:{c}'>● {_case(n)}</span>"
                               for n, c in CASES.items()),
        x={"title": caption("length_before"), "range": [low, high], "nticks": 6},
        y={"title": caption("length_after"), "range": [low, high], "nticks": 6},
        data=data,
        notes=[inside(caption("got_longer"), 0.03, 0.97, xanchor="left", yanchor="top"),
               inside(caption("got_shorter"), 0.97, 0.04, xanchor="right", yanchor="bottom")],
        shapes=[{**half, "fillcolor": WRONG, "line": {"width": 0}, "layer": "below"},
                segment((low, high), (low, high)), segment((limit, high), (limit, limit), "solid")],
    )  # fmt: skip


def _updates(runs: Sequence[ClippedRun], case: str) -> Piece:
    x, y = (np.log10(np.concatenate([np.empty(0), *(getattr(r, name) for r in runs)]))
            for name in ("before", "after"))  # fmt: skip
    hover = caption("becomes_hover", case=_case(case))
    return dots(x, y, _case(case), CASES[case], hover, size=5)


def _case(name: str) -> str:
    return caption(f"case_{name}")


def _profiles(runs: Sequence[ClippedRun], height: int) -> Panel:
    shown = list({r.case: r for r in reversed(runs)}.values())
    profiles = np.concatenate([p for r in shown for p in (r.profile_before, r.profile_after)])
    y_range, last = room_for(profiles, (-2.0, 0.0)), len(shown[0].profile_before)
    ends = [(f"<b>{_case(r.case)}</b><br>" + caption("slopes", slopes=" → ".join(
             signed(s, 2) for s in r.slopes)),
             float(r.profile_after[-1]), CASES[r.case]) for r in shown]  # fmt: skip
    return Panel(
        title=caption("what_steps_add"),
        x={"title": caption("time"), "range": [0, 1.55 * last], "showgrid": False,
           "tickvals": list(range(0, last + 1, 10))},
        y={"title": "log10", "range": y_range, "nticks": 6},
        data=[piece for run in shown for piece in _profile(run)],
        notes=names(ends, y_range, last, height),
    )  # fmt: skip


def _profile(run: ClippedRun) -> list[Piece]:
    steps, colour = np.arange(1, len(run.profile_before) + 1), CASES[run.case]
    hover = said_of(listed([_case(run.case), caption("step_hover")]), "10<sup>%{y:.2f}</sup>")
    return [
        line(steps, run.profile_after, _case(run.case), colour, hover + " " + caption("after")),
        line(
            steps,
            run.profile_before,
            _case(run.case),
            colour,
            hover + " " + caption("before"),
            width=theme.THIN,
        ),
    ]


@FigureFunction
def truncation_figure(
    found: Sequence[Agreement], influence: InfluenceCurve, exact: float, *, height: int = HEIGHT
) -> Drawing:
    """Left: cosine between truncated and full gradient at K = 20 against how fast the error
    fades, one dot a random network. Middle: the cosine against K, the median of the draws and the
    visitor's own models. Right: influence balancing, the gradient that a window sees.
    """
    drawn, own = [a for a in found if not a.label], [a for a in found if a.label]
    if not drawn:
        return waiting("claims-truncation", height)
    panels = [_scatter(drawn), _by_window(drawn, own), _influence(influence, exact)]
    shares = (1.05, 1.0, 0.8)
    return side_by_side(panels, "claims-truncation", height, shares=shares, gap=0.075)


def _scatter(drawn: Sequence[Agreement]) -> Panel:
    key = "&nbsp; ".join(f"<span style='color:{c}'>● {k.upper()}</span>" for k, c in CELLS.items())
    return Panel(
        title=caption("random_networks", count=len(drawn), window=WINDOW, key=key),
        x={"title": caption("growth_of_error"), "range": list(GROWTH),
           "tickvals": [-0.6, -0.4, -0.2, 0.0]},
        y={"title": caption("cosine"), "range": list(COSINE), "nticks": 5},
        data=[_kind([a for a in drawn if a.kind == kind], kind) for kind in CELLS],
        notes=[inside(caption("fades_fast"), 0.02, 0.03, xanchor="left", yanchor="bottom"),
               inside(caption("same_direction"), 0.02, 0.88, xanchor="left", yanchor="top")],
        shapes=[box(GROWTH, (GOOD, COSINE[1]), RIGHT), segment((FADES, FADES), COSINE)],
    )  # fmt: skip


def _kind(group: Sequence[Agreement], kind: str) -> Piece:
    measured = np.array([a.growth for a in group])
    growth = np.clip(measured, GROWTH[0] + EDGE, GROWTH[1] - EDGE)
    texts = [caption(f"agreement_{a.loss_at}", number=signed(a.growth, 2)) for a in group]
    hover = caption("cosine_hover", model=kind.upper())
    cosines = np.array([a.at(WINDOW) for a in group])
    drawn = dots(growth, cosines, kind.upper(), CELLS[kind], hover, texts=texts)
    return {**drawn, "meta": {"of": tabled(measured)}}


def _by_window(drawn: Sequence[Agreement], own: Sequence[Agreement]) -> Panel:
    known = [a.cosine for a in drawn if np.isfinite(a.cosine).all()]
    data = []
    if known:
        middle = np.median(known, axis=0)
        name, hover = caption("name_median_of_random"), caption("median_cosine")
        data.append(line(_places(WINDOWS), middle, name, theme.GREY, hover))
    styles = theme.model_styles([a.label for a in own])
    data += [_own(a, styles[a.label]) for a in own]
    return Panel(
        title=caption("your_models"),
        x={"title": caption("window"), "range": [0.2, 1.8], "tickvals": _places(WINDOWS).tolist(),
           "ticktext": [str(k) for k in WINDOWS]},
        y={"title": "", "range": list(COSINE), "nticks": 5},
        data=data,
    )  # fmt: skip


def _places(windows: Sequence[int]) -> Array:
    return np.log10(np.asarray(windows, float))


def _own(a: Agreement, style: theme.Style) -> Piece:
    hover = caption("own_cosine_hover", model=style.title)
    piece = line(_places(a.windows.tolist()), a.cosine, style.title, style.colour, hover,
                 dash=style.dash)  # fmt: skip
    return piece | {"mode": "lines+markers", "customdata": a.windows.tolist()}


def _influence(curve: InfluenceCurve, exact: float) -> Panel:
    windows, slope = np.asarray(curve.windows), np.asarray(curve.slope)
    wrong = np.sign(slope) != np.sign(exact)
    parts = [
        (wrong, caption("wrong_sign"), theme.WRONG),
        (~wrong, caption("right_sign"), theme.RIGHT),
    ]
    true, seen = signed(exact, 0), {"meta": {"note": caption("as_seen")}}
    return Panel(
        title=caption("influence", true=true),
        x={"title": caption("window"), "nticks": 5, "range": [0, float(windows[-1]) + 2]},
        y={"title": "", "nticks": 6},
        data=[{**dots(windows[mask], slope[mask], name, colour, f"K = %{{x}}: %{{y:.2f}}, {name}",
                      size=5), **seen} for mask, name, colour in parts],
        notes=[inside(f"<span style='color:{parts[0][2]}'>{parts[0][1]}</span>", 0.38, 0.9,
                      xanchor="left")],
        shapes=[segment((0, float(windows[-1])), (y, y)) for y in (0.0, exact)],
    )  # fmt: skip


@FigureFunction
def slope_figure(curve: InfluenceCurve, exact: float, *, height: int = INFLUENCE_HEIGHT) -> Drawing:
    """The apparent ∂s/∂θ against the window K: where its sign is wrong in red, where it is
    right in grey; the true value is a dotted line."""
    windows, slope = np.asarray(curve.windows), np.asarray(curve.slope)
    wrong = np.sign(slope) != np.sign(exact)
    shown = [
        (wrong, caption("wrong_sign"), theme.WRONG),
        (~wrong, caption("right_sign"), theme.RIGHT),
    ]
    data = [_dots(windows[mask], slope[mask], name, colour) for mask, name, colour in shown]
    end = float(windows[-1]) + 0.5
    last = int(windows[wrong].max(initial=0))
    layout: Piece = {
        "height": height,
        "margin": INFLUENCE_MARGIN,
        "xaxis": axis(caption("window_steps"), showgrid=False, range=[0, end]),
        "yaxis": axis(caption("as_seen"), nticks=6),
        "shapes": [_level(exact), _level(0.0), rule((last + 0.5,) * 2, (0, 1), yref="y domain")],
    }
    told = note(caption("up_to", last=last), last, 1, yref="paper", xanchor="right",
                yanchor="top", font={"size": theme.NOTE_SIZE, "color": theme.WRONG})  # fmt: skip
    true = EndLabel(caption("true_value", value=minus(f"{exact:g}")), exact, 22.0, theme.RIGHT)
    low, high = float(slope.min()) - 2, float(slope.max()) + 8
    layout["yaxis"]["range"] = [low, high]
    layout["annotations"] = [told, *end_labels([true], (low, high), height - 66, 100.0, "right")]
    return drawing(data, layout, "influence")


@FigureFunction
def runs_figure(runs: InfluenceRuns, optimum: float, *, height: int = INFLUENCE_HEIGHT) -> Drawing:
    """θ over training with each window, on a scale from −1.5 to 1.5; dotted: the optimum."""
    low, high = -1.5, 1.5
    end = len(runs.theta) - 1
    data, ends = [], []
    for index, window in enumerate(runs.windows):
        name = f"K = {window}" if window else caption("whole_past")
        colour, dash = theme.NO_MODEL[index % 5], theme.model_dash(index // 5)
        theta = np.asarray(runs.theta)[:, index]
        inside = np.flatnonzero(~(np.abs(theta) < high))
        stop = int(inside[0]) + 1 if len(inside) else len(theta)
        rows = np.unique(np.linspace(0, stop - 1, 300).astype(int))
        drawn = _line(rows, np.clip(theta[rows], low, high), name, colour, dash)
        data.append({**drawn, "meta": {"values": tabled(theta[rows])}})
        ends.append(EndLabel(f"<span style='font-size:14px'>{name}</span>",
                             float(np.clip(theta[rows[-1]], low, high)), 20.0, colour))  # fmt: skip
    layout: Piece = {
        "height": height,
        "margin": INFLUENCE_MARGIN,
        "xaxis": axis(caption("training_step"), showgrid=False, range=[0, end]),
        "yaxis": axis("θ", range=[low, high], nticks=5),
        "shapes": [_level(optimum)],
        "annotations": end_labels(ends, (low, high), height - 66, float(end), "right"),
    }
    return drawing(data, layout, "influence-runs")


def _dots(x: Array, y: Array, name: str, colour: str) -> Piece:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": x.astype(np.int32),
        "y": gapped(y),
        "name": name,
        "marker": {"color": colour, "size": 7},
        "hovertemplate": f"K = %{{x}}: %{{y:.2f}}, {name}<extra></extra>",
    }


def _line(x: Array, y: Array, name: str, colour: str, dash: str) -> Piece:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x.astype(np.int32),
        "y": gapped(y),
        "name": name,
        "line": {"color": colour, "width": theme.LINE, "dash": dash},
        "hovertemplate": said_of(
            listed([name, caption("step_hover")]), "θ = %{y:.3f}<extra></extra>"
        ),
    }


def _level(value: float) -> Piece:
    return rule((0, 1), (value, value), xref="x domain")
