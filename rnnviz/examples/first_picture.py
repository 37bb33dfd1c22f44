"""The first picture: the error of an RNN dies on its way into the past, an LSTM's arrives."""

# %% [markdown]
# # The first picture
# Delayed recall: a symbol is shown at step 1 and asked for at step 100. Between the two there is
# nothing to learn, so whether the network can learn at all depends on one thing: does the error
# of step 100 reach step 1?

# %%
from rnnviz import Experiment, run
from rnnviz.analysis import gradient_flow
from rnnviz.plots import flow_figure

experiment = Experiment(models=("rnn", "lstm", "gru"), task="delayed_recall", seq_len=100)
result = run(experiment)

# %% [markdown]
# `result` holds everything that happened at every step. The state gradient $\|\partial L/\partial
# s_t\|$ is what the figure shows, from the loss at the right to the first step at the left.

# %%
flows = {label: gradient_flow(network.trace, label) for label, network in result.items()}
flow_figure(list(flows.values()))

# %% [markdown]
# How much of the error of step 100 is left at step 1, in powers of ten?

# %%
decades_left = {label: flow.reach_log10 for label, flow in flows.items()}
for label, decades in decades_left.items():
    print(f"{label}: 10^{decades:.1f} of the error is left at step 1")
