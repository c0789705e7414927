"""The user's own Keras model as the backbone of a comparison."""
