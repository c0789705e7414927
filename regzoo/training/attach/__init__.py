"""Attach a recipe to a user's own Keras model."""
