"""Popular sentences about recurrent networks, judged by random draws: one sentence a file.

Each has `draw` (or what it draws: `reduction`, `sensitivity`, ...), the numbers measured of it,
and a verdict, a pure function of the draws. `growth`: σ_max decides; `reduction`: closed gates make
an LSTM an RNN; `highway`: the cell state is one; `clipping`: cures vanishing; `truncation` (and
`influence`): is a good approximation; `stability`: makes learning easy; `counterexamples`: four
networks by hand.
"""
