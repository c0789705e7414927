"""Bench: regzoo's engine beside stock Keras on this machine, the same work in every way. No TensorFlow at import."""
