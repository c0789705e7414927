"""`regzoo.build`: an ordinary Keras model, and what is refused."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import InputError


def test_build_gives_an_ordinary_keras_model(rows: Any, capfd: pytest.CaptureFixture[str]) -> None:
    model = regzoo.build("mlp(widths=[8])", "dropout(0.5) + l2(1e-4)", input_shape=(5,), classes=3, seed=0)
    assert isinstance(model, keras.Model)
    assert model.hits == {"dropout": 1, "l2": 2}
    capfd.readouterr()
    model.fit(*rows, epochs=1, validation_data=rows)
    assert "Epoch 1/1" not in capfd.readouterr().err
    assert model.predict(rows[0], verbose=0).shape == (60, 3)


def test_build_leaves_keras_own_progress_on() -> None:
    keras.config.enable_interactive_logging()
    regzoo.build("mlp([4])", input_shape=(5,), outputs=1)
    assert keras.config.is_interactive_logging_enabled()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": "dropout"}, "is left to the search"),
        ({"recipe": "ensemble(3)"}, r"ensemble acts on trained models.*use regzoo\.compare"),
        ({"classes": None}, "give classes= for classification, outputs= for regression, labels="),
        ({"outputs": 1}, "give classes= for classification, outputs= for regression, labels="),
        ({"backbone": "cnn"}, "cnn needs images"),
        ({"backbone": "mpl"}, "Did you mean 'mlp'"),
        ({"classes": "3"}, "classification needs classes from 2, received '3'"),
        ({"classes": None, "outputs": 2.7}, "regression needs outputs from 1, received 2.7"),
        ({"input_shape": ()}, r"such as \(18,\) for rows or \(28, 28, 1\) for images, received \(\)"),
        ({"input_shape": 5}, "input_shape is the shape of one example.*received 5"),
        ({"input_shape": (0,)}, "input_shape is the shape of one example"),
        ({"input_shape": (None, None, 3)}, "input_shape is the shape of one example"),
        ({"input_shape": (None, 4)}, r"one known size, received shape \(None, 4\); use transformer"),
        ({"input_shape": (None, 4), "backbone": "linear"}, "one known size"),
        ({"input_shape": (None, 4), "classes": None, "task": "reconstruction"}, "reconstruction needs inputs of one"),
    ],
)
def test_build_refuses(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        regzoo.build(**{"backbone": "mlp", "recipe": "none", "input_shape": (5,), "classes": 3, **changes})


def test_numbers_of_numpy_and_sequences_of_any_length_are_taken() -> None:
    sizes: dict[str, Any] = {"input_shape": [None, np.int64(4)], "classes": np.int64(3)}
    model = regzoo.build("transformer(8, heads=2, depth=1)", **sizes)
    assert (model.input_shape, model.output_shape) == ((None, None, 4), (None, 3))
    assert type(model.task.size) is int
    assert str(regzoo.regularizers.Dropout(np.float32(0.5))) == "dropout(0.5)"


def test_build_reconstructs() -> None:
    model = regzoo.build("autoencoder([8], code=4)", "dropout(0.1)", input_shape=(4, 4, 1), task="reconstruction")
    x = np.random.default_rng(0).normal(size=(32, 4, 4, 1)).astype(np.float32)
    history = model.fit(x, x, epochs=2, verbose=0).history
    assert model.predict(x, verbose=0).shape == (32, 16)
    assert np.isfinite(history["loss"]).all()
