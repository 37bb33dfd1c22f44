"""Checks of a run against itself: every number found in two ways that share little code."""
