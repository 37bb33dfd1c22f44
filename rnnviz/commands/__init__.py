"""Commands without a browser: `python -m rnnviz sweep`, a sweep into a CSV file; `diagnose`, what
is wrong with the gradients of a network that came from elsewhere; `lecture`, which writes the
lecture as one file, or compares its numbers with their runs."""
