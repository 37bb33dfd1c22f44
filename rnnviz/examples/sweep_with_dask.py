"""A sweep with Dask: where is the edge between vanishing and exploding?"""

# %% [markdown]
# # A sweep with Dask
# Many settings at once, on the workers of a Dask cluster (`pip install ".[dask]"`). Here the
# cluster is a few threads of this process; with the address of a real one,
# `Client("tcp://scheduler:8786")`, nothing else changes, but its workers need rnnviz, too.

# %%
import pandas as pd
from distributed import Client

from rnnviz import Experiment, sweep

experiment = Experiment(models=("rnn",), init="gaussian", hidden_size=32, seq_len=50)
over = {"gain": [0.5, 0.7, 0.9, 1.1, 1.3, 1.6, 2.0, 3.0], "activation": ["tanh", "identity"]}
with Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=":0") as client:
    results = sweep(experiment, over, seeds=(0, 1, 2), executor=client.get_executor(pure=False))
    table = pd.DataFrame(result.row() for result in results)

# %% [markdown]
# `slope` is in decades per step back: below 0 the error vanishes, above it explodes. The mean
# over the seeds:

# %%
slopes = table.pivot_table(index="gain", columns="activation", values="slope")
slopes

# %% [markdown]
# Without a nonlinearity the edge lies near gain 1. With tanh a larger gain saturates more units,
# and takes back a part of what it gives: the smallest gain of these at which the error grows.

# %%
edge = {name: float(slopes.index[slopes[name] > 0].min()) for name in slopes}
for activation, gain in edge.items():
    print(f"{activation}: the error grows from gain {gain} on")
