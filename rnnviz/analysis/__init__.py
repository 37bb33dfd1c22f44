"""Records turned into numbers with names. Imports NumPy and `rnnviz.core` alone.

Results are frozen dataclasses that hold all a figure needs; `verdicts` says in numbers what they
amount to. `jacobian` has the steps of a run as linear maps, `selfcheck` a run's checks of itself.

Examples
--------
Those of what the package has go on from here.

>>> import numpy as np
>>> import rnnviz
>>> from rnnviz import analysis
>>> run = rnnviz.run(rnnviz.Experiment(hidden_size=8, seq_len=20, batch_size=4))
>>> rnn, lstm = run["rnn"].trace, run["lstm"].trace
"""

from rnnviz.analysis.batch_carry import BatchCarry, batch_carry
from rnnviz.analysis.carry import CarryPaths, carry_paths
from rnnviz.analysis.comparison import Comparison, Difference, compare
from rnnviz.analysis.contributions import Contributions, weight_contributions
from rnnviz.analysis.fixed_points import (
    FixedPoints,
    Plane,
    fixed_points,
    principal_plane,
    visited_states,
)
from rnnviz.analysis.gates import GateStats, Memory, gate_stats, memory
from rnnviz.analysis.gradients import GradientFlow, gradient_flow
from rnnviz.analysis.jacobian.norms import Determinants, log_determinants
from rnnviz.analysis.jacobian.qr import ProductSpectrum, product_spectrum
from rnnviz.analysis.jacobian.sequence import linearize, state_jacobians
from rnnviz.analysis.lag_spectra import LagSpectrum, lag_spectrum
from rnnviz.analysis.lags import LagProfile, lag_profile
from rnnviz.analysis.layers import LayerTrace, in_real_time, layer_traces
from rnnviz.analysis.lyapunov import LyapunovSpectrum, long_run, lyapunov_spectrum
from rnnviz.analysis.own_losses import OwnLoss, own_losses
from rnnviz.analysis.pairs import PairMatrix, pair_matrix
from rnnviz.analysis.predictions import (
    Prediction,
    Predictions,
    WeightLaw,
    gradient_predictions,
    norm_predictions,
    weight_law,
)
from rnnviz.analysis.rates import Curve, Rate, Slope, fit_slope, mean_rate
from rnnviz.analysis.saliency import Saliency, saliency
from rnnviz.analysis.seed_bands import SeedBand, seed_bands
from rnnviz.analysis.spectra import (
    JacobianSpectrum,
    Spectrum,
    jacobian_spectrum,
    weight_spectra,
)
from rnnviz.analysis.states import State, layer_states
from rnnviz.analysis.step_factors import StepFactors, step_factors
from rnnviz.analysis.verdicts import Verdict
from rnnviz.analysis.weights import WeightMap, WeightMaps, histogram, weight_maps

__all__ = [
    "BatchCarry",
    "CarryPaths",
    "Comparison",
    "Contributions",
    "Curve",
    "Determinants",
    "Difference",
    "FixedPoints",
    "GateStats",
    "GradientFlow",
    "JacobianSpectrum",
    "LagProfile",
    "LagSpectrum",
    "LayerTrace",
    "LyapunovSpectrum",
    "Memory",
    "OwnLoss",
    "PairMatrix",
    "Plane",
    "Prediction",
    "Predictions",
    "ProductSpectrum",
    "Rate",
    "Saliency",
    "SeedBand",
    "Slope",
    "Spectrum",
    "State",
    "StepFactors",
    "Verdict",
    "WeightLaw",
    "WeightMap",
    "WeightMaps",
    "batch_carry",
    "carry_paths",
    "compare",
    "fit_slope",
    "fixed_points",
    "gate_stats",
    "gradient_flow",
    "gradient_predictions",
    "histogram",
    "in_real_time",
    "jacobian_spectrum",
    "lag_profile",
    "lag_spectrum",
    "layer_states",
    "layer_traces",
    "linearize",
    "log_determinants",
    "long_run",
    "lyapunov_spectrum",
    "mean_rate",
    "memory",
    "norm_predictions",
    "own_losses",
    "pair_matrix",
    "principal_plane",
    "product_spectrum",
    "saliency",
    "seed_bands",
    "state_jacobians",
    "step_factors",
    "visited_states",
    "weight_contributions",
    "weight_law",
    "weight_maps",
    "weight_spectra",
]
