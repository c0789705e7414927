"""Splits of a data set into training, validation and test rows, in one fold or several."""
