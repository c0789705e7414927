"""Executors: execute the runs of a comparison in this process or in a pool of worker processes."""
