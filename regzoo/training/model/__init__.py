"""`RegularizedModel`: how it is built from recipe and backbone, its training step and its callbacks."""
