"""Train and look: what does learning do to the way of the error?"""

# %% [markdown]
# # Train and look
# The same two models before and after some hundred steps of Adam on delayed recall over 20
# steps. Every network sees the same batches.

# %%
from dataclasses import replace

from rnnviz import Experiment, run
from rnnviz.analysis import gradient_flow
from rnnviz.plots import flow_figure
from rnnviz.training import metric

untrained = Experiment(
    models=("rnn", "lstm"), seq_len=20, hidden_size=16, learning_rate=0.01, clip="norm"
)
trained = replace(untrained, train_steps=300)

before, after = run(untrained), run(trained)

# %% [markdown]
# Another seed draws other sequences: the trained parameters are handed to a run that they have
# not seen.

# %%
parameters = {label: network.params for label, network in after.items()}
unseen = run(replace(trained, seed=1), parameters)

# %% [markdown]
# The way of the error, as lines after training and as ghosts before:

# %%
ghosts = [gradient_flow(network.trace, label) for label, network in before.items()]
flows = [gradient_flow(network.trace, label) for label, network in unseen.items()]
flow_figure(flows, ghosts=ghosts)

# %% [markdown]
# The answers to these sequences:

# %%
accuracy = {label: metric(unseen.batch, network.y) for label, network in unseen.items()}
for label, share in accuracy.items():
    print(f"{label}: {100 * share:.0f} % of the answers are right, a guess gives 25 %")
