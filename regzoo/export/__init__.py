"""Export of trained models: written, verified against the live model, described by a model card, and served."""
