"""Benchmark of regzoo, KerasTuner and Keras's ``fit`` on this machine: the same work in every way.

Importing it does not import TensorFlow.
"""
