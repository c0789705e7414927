"""Statistics of paired comparisons: ranking, intervals, tests and power. Needs no TensorFlow."""
