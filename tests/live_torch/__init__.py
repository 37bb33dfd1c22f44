"""Tests with PyTorch itself, in an environment of their own: tests/run.sh makes it."""
