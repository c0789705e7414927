"""Weights that belong to two layers: the twin trains, and is saved, with one weight."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
import pytest

from regzoo.training.attach.attach import attach
from tests.training.attach.twins import ROUNDING, SPARSE, Make, assert_same_outcome, read_state

L = keras.layers
Y = np.arange(20) % 3


@keras.saving.register_keras_serializable("test_ties")
class Transposed(keras.Layer):
    """Multiplies by the transposed kernel of another layer, as a decoder with tied weights does."""

    def __init__(self, other: keras.Layer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.other = other

    def call(self, x: Any) -> Any:
        """Return (batch, inputs of the other layer)."""
        return x @ keras.ops.transpose(self.other.kernel)

    def get_config(self) -> dict[str, Any]:
        """Return the other layer, too."""
        return {**super().get_config(), "other": keras.saving.serialize_keras_object(self.other)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Make both layers."""
        return cls(**{**config, "other": keras.saving.deserialize_keras_object(config["other"])})


def transposed() -> keras.Model:
    inputs, layer = keras.Input((5,)), L.Dense(4, "tanh", name="first")
    return keras.Model(inputs, L.Dense(3, "softmax")(Transposed(layer)(layer(inputs))))


def wrapped() -> keras.Model:
    """A layer that is called alone, and inside of TimeDistributed."""
    inputs, layer = keras.Input((6, 3)), L.Dense(4, "tanh", name="first")
    steps = L.Flatten()(L.TimeDistributed(layer)(inputs))
    whole = layer(L.GlobalAveragePooling1D()(inputs))
    return keras.Model(inputs, L.Dense(3, "softmax")(L.Concatenate()([steps, whole])))


def x_for(model: keras.Model) -> Any:
    return np.random.default_rng(0).normal(size=(20, *model.input_shape[1:])).astype(np.float32)


def train(model: keras.Model) -> Mapping[str, Any]:
    model.compile(keras.optimizers.SGD(0.3), SPARSE)
    history = model.fit(x_for(model), Y, epochs=2, shuffle=False, verbose=0).history
    return {**history, **read_state(model, x_for(model))}


@pytest.mark.parametrize(
    ("make", "recipe"),
    [(transposed, "none"), *(pytest.param(m, "l2(0.0)", marks=pytest.mark.slow) for m in (transposed, wrapped))],
)
def test_tied_weights_train_as_in_the_model(make: Make, recipe: str) -> None:
    assert_same_outcome(make, train, recipe)


@pytest.mark.slow
@pytest.mark.parametrize("make", [transposed, wrapped])
def test_tied_weights_stay_tied_in_a_file(make: Make, tmp_path: Path) -> None:
    twin = attach("l2(0.01)", make())
    assert twin.hits == {"l2": 2}
    train(twin)
    twin.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert len(loaded.trainable_variables) == len(twin.trainable_variables) == len(make().trainable_variables)
    for (name, value), other in zip(train(twin).items(), train(loaded).values(), strict=True):
        np.testing.assert_allclose(other, value, ROUNDING, ROUNDING, err_msg=name)
