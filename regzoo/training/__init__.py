"""Training: task, setup, run and record of a comparison; the model, its training step and its trainer."""
