"""Who keeps the memory open?"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from rnnviz import frames
from rnnviz.analysis.gates import GateStats, Memory
from rnnviz.analysis.labels import display_name
from rnnviz.analysis.layers import LayerTrace, in_real_time
from rnnviz.analysis.verdicts import gates_verdict, memory_verdict
from rnnviz.analysis.words import say
from rnnviz.dashboard import compute, controls, layout, views, weights
from rnnviz.dashboard.components import live_chart
from rnnviz.dashboard.equations import equations
from rnnviz.dashboard.state import Setting
from rnnviz.dashboard.texts import texts
from rnnviz.experiment import Experiment
from rnnviz.plots import carry as carry_plots
from rnnviz.plots import gates as plots
from rnnviz.plots import theme

Styles = dict[str, theme.Style]


def page(setting: Setting) -> None:
    """Verdict; the memory gate and its half-lives; the other gates and Π f against the truth."""
    experiment, text = setting.experiment, texts("gates")
    layout.link_messages(experiment)
    gated = _gated(experiment)
    model = layout.kept("view_model", gated, gated[0]) if gated else str(experiment.models[0])
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        layout.question(text["question"])
        weights.choice(experiment, narrow=views.offers(experiment, model))
        if gated:
            model = layout.choice("Model", gated, "view_model", model, display_name)
        views.choices(experiment, [model], every=False)
        if gated:
            _chrono_button(setting, views.part(experiment, model).label)
    part = views.part(experiment, model)
    styles = theme.model_styles([*experiment.models, part.label])
    if not gated:
        st.info(text["no_memory"])
        _states(setting, part, styles)
        return
    (memory,) = compute.memories(experiment, (part.label,))
    _verdict(setting, memory, styles)
    if memory.gate not in part.trace.cell.trainable_gates:
        st.caption(text["fixed"])
    _memory_gate(setting, part, memory, styles)
    _other_gates(setting, part, memory, styles)


def _gated(experiment: Experiment) -> list[str]:
    """The models that have a memory gate."""
    return [memory.label for memory in compute.memories(experiment)]


def _stats(setting: Setting, part: LayerTrace) -> dict[str, GateStats]:
    """Each gate of the layer, its values in the order of the input."""
    found = compute.gate_stats(setting.experiment, part.label)
    return {
        gate: replace(stats, values=in_real_time(stats.values, part.direction, axis=1))
        for gate, stats in found.items()
    }


def _verdict(setting: Setting, memory: Memory, styles: Styles) -> None:
    carry = compute.carry(setting.experiment, memory.label, setting.dragging)
    if carry is None:
        layout.verdict([say(memory_verdict([memory]))], styles)
        st.caption(texts("gates")["too_large"])
        return
    layout.verdict(
        [say(gates_verdict(memory, carry, compute.batch(setting.experiment).seq_len))], styles
    )


def _memory_gate(setting: Setting, part: LayerTrace, memory: Memory, styles: Styles) -> None:
    text = texts("gates")
    stats = _stats(setting, part)[memory.gate]
    left, right = st.columns([2, 1])
    with left:
        live_chart(
            plots.gate_heatmap(stats, memory.order, styles=styles),
            key="memory-gate",
            height=plots.HEIGHT,
            time_axis=True,
            filename="rnnviz-memory-gate",
            alt="The memory gate of each unit at each step, 0 to 1",
        )
        layout.how_to_read(text["how_to_read_heatmap"])
    with right:
        live_chart(
            plots.half_life_figure(
                [memory], compute.batch(setting.experiment).seq_len, styles=styles
            ),
            key="half-life",
            height=plots.HEIGHT,
            filename="rnnviz-half-life",
            alt="Half-life of each unit's memory in steps",
        )
        layout.how_to_read(text["how_to_read_half_life"])


def _chrono_button(setting: Setting, label: str) -> None:
    """A way out where all units are alike and the picture is one colour."""
    (memory,) = compute.memories(setting.experiment, (label,))
    if compute.gate_stats(setting.experiment, label)[memory.gate].alike:
        st.button("Chrono", on_click=_chrono, help=texts("gates")["alike"])


def _chrono() -> None:
    controls.apply_preset("chrono")
    st.rerun()  # the knobs too, which lie outside of the page


def _other_gates(setting: Setting, part: LayerTrace, memory: Memory, styles: Styles) -> None:
    text = texts("gates")
    stats = _stats(setting, part)
    carry = compute.carry(setting.experiment, memory.label, setting.dragging)
    left, right = st.columns(2)
    with left:
        others = [s for gate, s in stats.items() if gate != memory.gate]
        live_chart(
            plots.gate_strips(others, memory.order, styles=styles),
            key="gate-strips",
            height=plots.STRIPS_HEIGHT,
            time_axis=True,
            filename="rnnviz-gates",
            alt="The other gates of each unit at each step",
        )
        layout.how_to_read(text["how_to_read_strips"])
    with right:
        live_chart(
            carry_plots.carry_figure(
                [carry] if carry else [],
                styles=styles,
                time_title=carry_plots.OWN if part.direction else carry_plots.TIME,
            ),
            key="carry",
            height=carry_plots.HEIGHT,
            time_axis=part.direction == 0,
            filename="rnnviz-carry",
            alt="Product of the memory gates against the true derivative, log10",
        )
        layout.how_to_read(text["how_to_read_carry"])


def _states(setting: Setting, part: LayerTrace, styles: Styles) -> None:
    for stats in _stats(setting, part).values():
        live_chart(
            plots.gate_heatmap(stats, styles=styles),
            key="states",
            height=plots.HEIGHT,
            time_axis=True,
            filename="rnnviz-states",
            alt="The state of each unit at each step",
        )
    layout.how_to_read(texts("gates")["how_to_read_states"])


def _summary(stats: GateStats) -> dict[str, object]:
    return {
        "gate": stats.gate,
        "mean": stats.mean,
        "sd": stats.sd,
        "left-saturated": f"{stats.left.mean():.0%}",
        "right-saturated": f"{stats.right.mean():.0%}",
        "units saturated in over half of all steps": int(
            ((stats.left > 0.5) | (stats.right > 0.5)).sum()
        ),
    }


def details(setting: Setting) -> None:
    """The numbers, the equations."""
    experiment = setting.experiment
    known = _gated(experiment)
    if not known:
        return
    label = views.part(experiment, layout.kept("view_model", known, known[0])).label
    with layout.lazy("Numbers: saturation, data") as opened:
        if opened:
            _numbers(setting, label)
    equations(experiment)


def _numbers(setting: Setting, label: str) -> None:
    experiment = setting.experiment
    stats = compute.gate_stats(experiment, label)
    (memory,) = compute.memories(experiment, (label,))
    layout.table(pd.DataFrame([_summary(s) for s in stats.values()]))
    layout.how_to_read(texts("gates")["how_to_read_saturation"])
    with st.container(horizontal=True):
        layout.data_button("saturation", lambda: frames.saturation_frame(stats.values()))
        layout.data_button("half-lives", lambda: frames.memory_frame([memory]))
        layout.data_button(
            "carry",
            lambda: frames.carry_frame(
                [c for c in [compute.carry(experiment, label, False)] if c is not None]
            ),
        )
