"""What may be wrong with the gradients of a run, as findings: values, which `wording` says."""

from __future__ import annotations

from rnnviz.models.diagnosis.data_lag import DataLag, data_lag
from rnnviz.models.diagnosis.finding import Finding
from rnnviz.models.diagnosis.findings import find, find_in
from rnnviz.models.diagnosis.steps import clipped

__all__ = ["DataLag", "Finding", "clipped", "data_lag", "find", "find_in"]
