"""AttachedModel: saved and loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from regzoo.core import InputError
from regzoo.training.attach.attach import AttachedModel, attach

L = keras.layers
Rows = tuple[np.ndarray, np.ndarray]
QUIET: Any = {"verbose": 0, "shuffle": False, "batch_size": 16}


def sequential(**last: Any) -> keras.Sequential:
    """Return a model with 5 inputs, two hidden layers and 3 classes."""
    hidden = [L.Dense(8, activation="relu"), L.Dense(7), L.BatchNormalization(), L.ReLU(), L.Dropout(0.3)]
    return keras.Sequential([keras.Input((5,)), *hidden, L.Dense(3, **(last or {"activation": "softmax"}))])


def plain() -> keras.Model:
    """Return a model with 5 inputs, a hidden layer and 3 classes."""
    return keras.Sequential([keras.Input((5,)), L.Dense(8, activation="relu"), L.Dense(3, activation="softmax")])


def functional(make: Callable[[Any], Any], shape: tuple[int | None, ...] = (6,), dtype: str = "float32") -> keras.Model:
    """Return the model with ``outputs = make(inputs)``."""
    inputs = keras.Input(shape, dtype=dtype)
    return keras.Model(inputs, make(inputs))


def two_inputs(kind: type = dict) -> keras.Model:
    """Return a model of numbers and an integer, in a dict or a list."""
    numbers, word = keras.Input((5,), name="numbers"), keras.Input((), name="word", dtype="int32")
    h = L.Concatenate()([L.Dense(4, activation="relu")(numbers), L.Embedding(7, 3)(word)])
    inputs: Any = {"numbers": numbers, "word": word} if kind is dict else [numbers, word]
    return keras.Model(inputs, L.Dense(3, activation="softmax")(L.Dense(6, activation="tanh")(h)))


def equal(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


class Scaled(keras.Layer):
    """Multiplies by a number that its config does not hold."""

    by = 1.0

    def call(self, x: Any) -> Any:
        return self.by * x


@pytest.mark.parametrize(
    "recipe",
    ["dropout(0.5) + l2_sp(0.01)", *(pytest.param(r, marks=pytest.mark.slow) for r in ("none", "batch_norm(0.9)"))],
)
def test_a_loaded_model_predicts_and_resets_the_same(rows: Rows, recipe: str, tmp_path: Path) -> None:
    model = sequential()
    attached = attach(recipe, model, seed=5)
    start = attached.get_weights()
    attached.fit(*rows, epochs=2, **QUIET)
    attached.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(loaded, AttachedModel)
    assert (loaded.recipe, loaded.hits, loaded.dials) == (attached.recipe, attached.hits, attached.dials)
    np.testing.assert_array_equal(loaded.predict(rows[0], verbose=0), attached.predict(rows[0], verbose=0))
    # l2_sp measures the distance to the weights at the start, not to those of a fresh model.
    ends = []
    for made in (attached, loaded):
        made.reset(5)
        assert equal(made.get_weights(), start)
        made.fit(*rows, epochs=1, **QUIET)
        ends.append(made.get_weights())
    assert equal(*ends)


def test_companions_of_weights_are_saved(rows: Rows, tmp_path: Path) -> None:
    attached = attach("lookahead(k=5, alpha=0.5)", plain(), optimizer=keras.optimizers.SGD(0.1))
    attached.fit(*rows, epochs=1, **QUIET)
    attached.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    averages = [[np.asarray(companion) for _, companion in made.companions("lookahead")] for made in (attached, loaded)]
    assert len(averages[0]) == 4
    assert equal(*averages)


def test_several_inputs_and_custom_layers_are_saved(tmp_path: Path) -> None:
    attached = attach("dropout(0.5)", two_inputs())
    attached.save(tmp_path / "model.keras")
    x = {"numbers": np.ones((2, 5), np.float32), "word": np.zeros(2, np.int32)}
    np.testing.assert_array_equal(
        keras.models.load_model(tmp_path / "model.keras").predict(x, verbose=0), attached.predict(x, verbose=0)
    )
    own = attach("l2(0.1)", functional(lambda x: L.Dense(2)(Scaled()(x))))
    own.save(tmp_path / "own.keras")
    loaded = keras.models.load_model(tmp_path / "own.keras", custom_objects={"Scaled": Scaled})
    assert equal(loaded.get_weights(), own.get_weights())


@keras.saving.register_keras_serializable("tests")
class Unnamed(keras.Layer):
    """A layer without a get_config of its own: the config that Keras makes for it has no name."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.inner = keras.layers.Dense(5, name="inner")

    def call(self, x: Any) -> Any:
        """Return what the layer inside returns."""
        return self.inner(x)


@keras.saving.register_keras_serializable("tests")
class UnnamedLate(keras.Layer):
    """A layer whose get_config forgets the name, and that makes the layer inside when it is built."""

    def build(self, shape: Any) -> None:
        """Make the layer inside."""
        self.inner = keras.layers.Dense(5, name="inner")
        self.inner.build(shape)

    def call(self, x: Any) -> Any:
        """Return what the layer inside returns."""
        return self.inner(x)

    def get_config(self) -> dict[str, Any]:
        """Return nothing."""
        return {}


@pytest.mark.filterwarnings("ignore:`build")  # Keras's, about layers that it builds by calling them
@pytest.mark.parametrize("kind", [Unnamed, UnnamedLate])
def test_names_that_a_config_loses_are_kept(kind: Any, tmp_path: Path) -> None:
    layers = [kind(name="encoder"), keras.layers.ReLU(), keras.layers.Dense(3)]
    own = keras.Sequential([keras.Input((5,)), keras.Sequential([keras.Input((5,)), *layers], name="base")])
    model = attach("l2(0.1, on='encoder') + dropout(0.1, on='base/encoder')", own, expand_nested=True)
    assert model.hits_by_layer == {"l2": {"base/encoder/inner": 1}, "dropout": {"base/encoder": 1}}
    model.save(tmp_path / "m.keras")
    assert keras.models.load_model(tmp_path / "m.keras").hits_by_layer == model.hits_by_layer


def test_a_lambda_is_refused_when_saved(tmp_path: Path) -> None:
    model = functional(lambda x: L.Dense(2)(L.Lambda(lambda h: np.float32(2) * h)(x)))
    attached = attach("l2(0.1)", model)
    x = np.ones((2, 6), np.float32)
    np.testing.assert_array_equal(attached.predict(x, verbose=0), model.predict(x, verbose=0))
    with pytest.raises(InputError, match="cannot be saved: it holds a Lambda layer"):
        attached.save(tmp_path / "model.keras")
