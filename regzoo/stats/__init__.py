"""Statistics of paired comparisons: ranking, intervals, tests and power. No TensorFlow, no other room of regzoo."""
