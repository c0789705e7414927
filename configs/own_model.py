"""A small hand-written model for own_model.yaml."""

import keras


def build(input_shape, outputs):
    """Return a Keras model that predicts ``outputs`` classes for examples of ``input_shape``: the data decides both."""
    inputs = keras.Input(input_shape)
    x = keras.layers.Conv2D(16, 3, padding="same", activation="relu", name="edges")(inputs)
    x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.Conv2D(32, 3, padding="same", activation="relu", name="shapes")(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(64, activation="relu", name="combined")(x)
    return keras.Model(inputs, keras.layers.Dense(outputs, activation="softmax", name="digit")(x), name="small_cnn")
