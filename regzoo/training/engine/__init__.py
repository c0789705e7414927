"""Execute runs: traced programs, batches, the trainer, pruning and diagnostics of the trained model."""
