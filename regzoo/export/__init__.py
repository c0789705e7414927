"""Export: the model as others serve it, verified before it gets its name."""
