"""The largest singular value of W_hh, against what the error really does."""

# %% [markdown]
# # σ_max against what happens
# The rule of thumb for a tanh RNN: with a largest singular value σ_max(W_hh) below 1 the error
# vanishes; above 1 it explodes. The first half is a theorem (Pascanu, Mikolov and Bengio 2013,
# arXiv:1211.5063). The second half is not: σ_max > 1 is necessary for explosion, not sufficient.
# Sixteen gains, Gaussian weights: what does the error do?

# %%
import numpy as np

from rnnviz import Experiment, run
from rnnviz.analysis import gradient_flow, weight_spectra
from rnnviz.plots import powers_figure

gains = np.geomspace(0.3, 3.0, 16)
rows = []
for gain in gains:
    trace = run(Experiment(models=("rnn",), init="gaussian", gain=gain, seq_len=100))["rnn"].trace
    spectrum = weight_spectra(trace, "rnn")["a"]
    rows.append((gain, spectrum.sigma_max, gradient_flow(trace, "rnn").rate.factor_per_step))

# %% [markdown]
# One row a gain: σ_max, and what one step back multiplies the error with on average.

# %%
for gain, sigma_max, factor in rows:
    print(f"gain {gain:4.2f}   sigma_max {sigma_max:4.2f}   measured factor {factor:4.2f}")

# %% [markdown]
# Two reasons for the gap. Over k steps W_hh can stretch by no more than its power does, and
# ‖Wᵏ‖^(1/k) falls from σ_max to the spectral radius. And tanh′ < 1 takes its part where units are
# saturated. The figure shows the last network: the dotted line is what was measured.

# %%
powers_figure([spectrum], {"rnn": factor})

# %% [markdown]
# Of the networks for which the rule says "explodes", how many vanish?

# %%
vanishing = [factor < 1 for _, sigma_max, factor in rows if sigma_max > 1]
share_vanishing = sum(vanishing) / len(vanishing)
print(f"{sum(vanishing)} of {len(vanishing)} networks with sigma_max > 1 vanish")
