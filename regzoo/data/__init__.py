"""Data: where it comes from, how it is split and prepared."""
