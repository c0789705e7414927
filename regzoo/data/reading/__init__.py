"""How a cell of text is read: one rule for training, the exported graph, `predict` and the model card's snippet."""
