"""The formulas of a cell with its options, in LaTeX: what the pages print is what it computes."""

from __future__ import annotations

from rnnviz.core import GRU, LSTM, RNN, Cell
from rnnviz.experiment.fields import show

GIVEN_H = r"\frac{\partial L}{\partial h_t}"
BEFORE_H = r"\frac{\partial L}{\partial h_{t-1}}"
GIVEN_C = r"\frac{\partial L}{\partial c_t}"
SLOPES = {
    "tanh": r"\tanh",
    "relu": r"\mathrm{ReLU}",
    "logistic": r"\sigma",
    "identity": r"\mathrm{id}",
}


def forward(cell: Cell) -> str:
    """One step forward, a block of display mathematics."""
    if isinstance(cell, RNN):
        return _rnn(cell)
    if isinstance(cell, LSTM):
        return _lstm(cell)
    assert isinstance(cell, GRU)
    return _gru(cell)


def backward(cell: Cell) -> str:
    """One step back."""
    if isinstance(cell, RNN):
        return _rnn_back(cell)
    if isinstance(cell, LSTM):
        return _lstm_back(cell)
    assert isinstance(cell, GRU)
    return _gru_back(cell)


def _shown(*lines: str) -> str:
    """Lines under each other, aligned where they have an &."""
    return r"$$\begin{aligned} " + r" \\ ".join(lines) + r" \end{aligned}$$"


def _sum(cell: Cell, gate: str, more: str = "") -> str:
    """The pre-activation of a gate; of an RNN's only one with `gate` empty."""
    x, h = (f"W_{{x{gate}}}", f"W_{{h{gate}}}") if gate else ("W_{xh}", "W_{hh}")
    return f"{x}\\,x_t + {h}\\,h_{{t-1}}{_skip(cell, gate)}{more} + b_{gate or 'h'}"


def _skip(cell: Cell, gate: str) -> str:
    place = f"{{\\mathrm{{skip}}{',' + gate if gate else ''}}}"
    return f" + W_{place}\\,h_{{t-{cell.skip}}}" if cell.skip else ""


def _rnn(cell: RNN) -> str:
    phi, leak = SLOPES[cell.activation], cell.leak
    new = f"{phi}(a_t)"
    if leak != 1:
        new = f"{show(round(1 - leak, 4))}\\,h_{{t-1}} + {show(leak)}\\,{new}"
    return _shown(f"a_t &= {_sum(cell, '')}", f"h_t &= {new}")


def _rnn_back(cell: RNN) -> str:
    leak = show(cell.leak) + "\\," if cell.leak != 1 else ""
    kept = f"{show(round(1 - cell.leak, 4))}\\,{GIVEN_H} + " if leak else ""
    way = f"W_{{hh}}^{{\\top}}\\left({leak}\\varphi'(a_t) \\circ {GIVEN_H}\\right)"
    if cell.skip:
        later = f"t+{cell.skip - 1}"
        way += (
            f" + W_{{\\mathrm{{skip}}}}^{{\\top}}\\left({leak}\\varphi'(a_{{{later}}}) \\circ "
            f"\\frac{{\\partial L}}{{\\partial h_{{{later}}}}}\\right)"
        )
    return _shown(f"{BEFORE_H} &= e_{{t-1}} + {kept}{way}")


def _lstm(cell: LSTM) -> str:
    candidate = _sum(cell, "g")
    g = candidate if cell.candidate == "identity" else f"\\tanh({candidate})"
    c_out = "c_t" if cell.output == "identity" else r"\tanh(c_t)"
    return _shown(
        *(f"{gate}_t &= {_lstm_gate(cell, gate)}" for gate in ("i", "f")),
        f"g_t &= {g}",
        r"c_t &= f_t \circ c_{t-1} + i_t \circ g_t",
        f"o_t &= {_lstm_gate(cell, 'o')}",
        f"h_t &= o_t \\circ {c_out}",
    )


def _lstm_gate(cell: LSTM, gate: str) -> str:
    fixed = dict(cell.fixed)
    if gate in fixed:
        return show(fixed[gate])
    if gate == "i" and cell.coupled:
        return "1 - f_t"
    seen = "c_t" if gate == "o" else "c_{t-1}"
    look = f" + p_{gate} \\circ {seen}" if cell.peepholes else ""
    return f"\\sigma({_sum(cell, gate, look)})"


def _lstm_back(cell: LSTM) -> str:
    peeps = [gate for gate in ("i", "f", "o") if cell.peepholes and gate in cell.trainable_gates]
    looks = {
        gate: f" + p_{gate} \\circ \\frac{{\\partial L}}{{\\partial a_{{{gate},t}}}}"
        for gate in peeps
    }
    slope = "" if cell.output == "identity" else r"(1 - \tanh^2 c_t) \circ "
    before = looks.get("i", "") + looks.get("f", "")
    return _shown(
        r"\left.\frac{\partial L}{\partial c_{t-1}}\right|_{h_{t-1}} &= f_t \circ "
        f"{GIVEN_C}{before}",
        f"{GIVEN_C} &= \\left.{GIVEN_C}\\right|_{{h_t}} + o_t \\circ {slope}{GIVEN_H}"
        f"{looks.get('o', '')}",
        r"\left\lVert\frac{\partial L}{\partial s_t}\right\rVert^2 &= "
        f"\\left\\lVert{GIVEN_H}\\right\\rVert^2 + "
        f"\\left\\lVert\\left.{GIVEN_C}\\right|_{{h_t}}\\right\\rVert^2",
    )


def _gru(cell: GRU) -> str:
    new = f"W_{{xn}}\\,x_t{_skip(cell, 'n')} + b_n + "
    new += (
        r"W_{hn}\,(r_t \circ h_{t-1})"
        if cell.reset == "before"
        else r"r_t \circ (W_{hn}\,h_{t-1} + b_{hn})"
    )
    return _shown(
        *(f"{gate}_t &= \\sigma({_sum(cell, gate)})" for gate in ("r", "z")),
        f"n_t &= \\tanh({new})",
        r"h_t &= (1 - z_t) \circ n_t + z_t \circ h_{t-1}",
    )


def _gru_back(cell: GRU) -> str:
    inner = r"W_{hn}^{\top}\left(r_t \circ d_{n,t}\right)"
    if cell.reset == "before":
        inner = r"r_t \circ \left(W_{hn}^{\top}\,d_{n,t}\right)"
    later = f"t+{cell.skip - 1}"
    skip = f" + W_{{\\mathrm{{skip}}}}^{{\\top}}\\,\\frac{{\\partial L}}{{\\partial a_{{{later}}}}}"
    return _shown(
        f"d_{{n,t}} &= (1 - z_t) \\circ (1 - n_t^2) \\circ {GIVEN_H}",
        f"{BEFORE_H} &= e_{{t-1}} + z_t \\circ {GIVEN_H} + {inner}"
        r" + W_{hr}^{\top}\,\frac{\partial L}{\partial a_{r,t}}"
        r" + W_{hz}^{\top}\,\frac{\partial L}{\partial a_{z,t}}" + skip * (cell.skip > 0),
    )
