"""Records turned into numbers with names. Imports NumPy and `rnnviz.core` alone.

Results are frozen dataclasses that hold all a figure needs; `verdicts` says in numbers what they
amount to, `words` in words.
"""

from rnnviz.analysis.gates import (
    CarryProduct,
    GateStats,
    Memory,
    carry_product,
    gate_stats,
    memory,
)
from rnnviz.analysis.gradients import GradientFlow, gradient_flow
from rnnviz.analysis.jacobians import state_jacobians
from rnnviz.analysis.labels import display_name
from rnnviz.analysis.layers import LayerTrace, in_real_time, layer_traces
from rnnviz.analysis.rates import Curve, Rate, Slope, fit_slope, mean_rate
from rnnviz.analysis.spectra import (
    JacobianSpectrum,
    Spectrum,
    jacobian_spectrum,
    weight_spectra,
)
from rnnviz.analysis.verdicts import Verdict

__all__ = [
    "CarryProduct",
    "Curve",
    "GateStats",
    "GradientFlow",
    "JacobianSpectrum",
    "LayerTrace",
    "Memory",
    "Rate",
    "Slope",
    "Spectrum",
    "Verdict",
    "carry_product",
    "display_name",
    "fit_slope",
    "gate_stats",
    "gradient_flow",
    "in_real_time",
    "jacobian_spectrum",
    "layer_traces",
    "mean_rate",
    "memory",
    "state_jacobians",
    "weight_spectra",
]
