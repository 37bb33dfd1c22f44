"""Records turned into numbers with names. Imports NumPy and `rnnviz.core` alone.

Results are frozen dataclasses that hold all a figure needs.
"""
