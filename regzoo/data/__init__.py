"""Data: sources, data sets, splits and preprocessing."""
