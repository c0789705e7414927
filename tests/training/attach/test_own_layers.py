"""What a user's model does against overfitting by itself: counted, named, and on in Monte Carlo passes."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from regzoo.core import InputError
from regzoo.training.attach.attach import AttachedModel, attach
from regzoo.training.attach.own_layers import NOISE, NORMALIZATIONS, WITH_DROPOUT, count_own_layers

L = keras.layers

X = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)


class Block(keras.Layer):
    """A layer of the user's with layers inside."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense, self.norm, self.drop = L.Dense(5), L.BatchNormalization(name="inner_norm"), L.Dropout(0.5)

    def call(self, x: Any, training: bool | None = None) -> Any:
        return self.drop(self.norm(self.dense(x), training=training), training=training)


def make_model(*hidden: Any) -> keras.Model:
    return keras.Sequential([keras.Input((5,)), L.Dense(5, "relu"), *hidden, L.Dense(3, "softmax")])


def nested(layer: Any) -> keras.Model:
    return keras.Sequential([keras.Input((5,)), L.Dense(5, "relu"), layer])


def in_keras() -> dict[str, type]:
    """Return the layer classes of the installed Keras."""
    classes = {name: each for name, each in vars(L).items() if inspect.isclass(each) and issubclass(each, L.Layer)}
    return {name: each for name, each in classes.items() if each.__module__.startswith("keras.src.layers.")}


def test_every_layer_of_keras_that_draws_or_normalizes_is_known() -> None:
    for name, kind in in_keras().items():
        folder = kind.__module__.split(".")[3]
        parameters = inspect.signature(kind).parameters
        if folder == "normalization":
            assert kind in NORMALIZATIONS, name
        elif folder == "regularization" and name != "ActivityRegularization":
            assert kind in NOISE, name
        elif "dropout" in parameters:
            assert set(WITH_DROPOUT[kind]) == {"dropout", "recurrent_dropout"} & set(parameters), name
        elif "seed" in parameters:
            model = keras.Sequential([kind(**NEEDED.get(name, {"factor": 0.5} if "factor" in parameters else {}))])
            assert count_own_layers(model).augmentation == {name: [model.layers[0].name]}, name


NEEDED: dict[str, dict[str, Any]] = {
    "RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1},
    "RandomCrop": {"height": 2, "width": 2},
    "RandomZoom": {"height_factor": 0.1},
    "RandomPosterization": {"factor": 4},
}
"""What augmentation layers need to be made."""


def test_what_there_is_is_said_in_words() -> None:
    inner = keras.Sequential([keras.Input((5,)), L.Dropout(0.5, name="deep"), L.Dropout(0.0, name="none")])
    hidden = [Block(), inner, L.Dropout(0.2, name="own"), L.GaussianNoise(0.1, name="noise")]
    penalized = L.Dense(5, kernel_regularizer="l2", bias_regularizer=keras.regularizers.L2(0.0), name="penalized")
    penalized.bias_constraint = None
    active = L.Dense(5, activity_regularizer="l1", kernel_constraint="max_norm", name="active")
    model = make_model(*hidden, penalized, active)
    block = hidden[0].drop.name
    assert count_own_layers(model).sentence == (
        f"your model already has 3 Dropout layers ({block}, deep, own), 1 GaussianNoise layer (noise), "
        "1 BatchNormalization layer (inner_norm), an L2 penalty on 1 weight, a MaxNorm constraint on 1 weight and a "
        "penalty on the outputs of active"
    )
    assert count_own_layers(make_model()).sentence == ""


def test_dropout_inside_recurrent_and_attention_layers_counts_once() -> None:
    inputs = keras.Input((4, 6))
    h = L.Bidirectional(L.LSTM(4, dropout=0.5, return_sequences=True, name="lstm"))(inputs)
    h = L.MultiHeadAttention(2, 3, dropout=0.1, name="attention")(h, h)
    h = L.RNN(L.GRUCell(4, recurrent_dropout=0.1, name="cell"))(L.GRU(4, return_sequences=True)(h))
    assert count_own_layers(keras.Model(inputs, h)).noise == {
        "LSTM with dropout": ["forward_lstm", "backward_lstm"],
        "MultiHeadAttention with dropout": ["attention"],
        "GRUCell with dropout": ["cell"],
    }


def spread(model: Any, x: Any) -> float:
    """Return the largest disagreement between Monte Carlo passes."""
    return float(np.max(model.finished().uncertainty(x)["mutual_information"]))


@pytest.mark.parametrize(
    "hidden",
    [
        lambda: [Block()],
        pytest.param(lambda: [L.AlphaDropout(0.5)], marks=pytest.mark.slow),
        pytest.param(lambda: [L.GaussianNoise(1.0)], marks=pytest.mark.slow),
        pytest.param(lambda: [nested(L.GaussianDropout(0.5))], marks=pytest.mark.slow),
        pytest.param(lambda: [L.Reshape((5, 1)), L.LSTM(4, dropout=0.5)], marks=pytest.mark.slow),
        pytest.param(
            lambda: [L.Reshape((5, 1)), L.Bidirectional(L.GRU(4, recurrent_dropout=0.5))], marks=pytest.mark.slow
        ),
    ],
)
def test_own_noise_is_on_in_monte_carlo_passes_only(hidden: Any) -> None:
    model = make_model(*hidden())
    attached = attach("mc_dropout(8)", model)
    assert spread(attached, X) > 1e-4
    np.testing.assert_array_equal(attached(X), model(X))  # off again afterwards
    before = attached.get_weights()
    attached.finished().predict(X, verbose=0)
    for one, other in zip(before, attached.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)  # batch norm's statistics among them


def test_monte_carlo_passes_drop_as_in_training() -> None:
    """With a rate near 1 nothing is left of the hidden layer, so every pass gives what the last bias gives."""
    model = make_model(L.Dropout(0.999999))
    model.layers[-1].bias.assign([1.0, 2.0, 3.0])
    attached = attach("mc_dropout(4)", model)
    expected = np.tile(keras.ops.softmax(np.array([1.0, 2.0, 3.0], np.float32)), (6, 1))
    np.testing.assert_allclose(attached.finished().predict(X, verbose=0), expected, rtol=1e-5)


def test_dropout_in_a_base_in_inference_mode_stays_off() -> None:
    base = keras.Sequential([keras.Input((5,)), L.Dense(5, "relu"), L.Dropout(0.5)], name="base")
    inputs = keras.Input((5,))

    def make(*top: Any) -> keras.Model:
        h = base(inputs, training=False)
        for layer in top:
            h = layer(h)
        return keras.Model(inputs, L.Dense(3, "softmax")(h))

    with pytest.raises(
        InputError, match=r"averages passes with dropout on.*Dropout layers of your model's own would do"
    ):
        attach("mc_dropout(8)", make())
    attached = attach("mc_dropout(8)", make(L.Dropout(0.2, name="top")))
    assert isinstance(attached, AttachedModel)
    assert [layer.name for layer in attached.list_own_noise()] == ["top"]


@pytest.mark.slow
def test_own_noise_is_on_in_a_loaded_model(tmp_path: Path) -> None:
    attached = attach("mc_dropout(8)", make_model(L.Dropout(0.5)))
    finished = attached.finished()
    finished.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    for name, value in finished.uncertainty(X).items():
        np.testing.assert_allclose(loaded.uncertainty(X)[name], value, rtol=1e-5, atol=1e-6)


def test_r_drop_compares_passes_of_own_noise() -> None:
    y = np.arange(6) % 3
    losses = {}
    for alpha in (0.0, 5.0):
        attached = attach(f"r_drop({alpha})", make_model(L.Dropout(0.5)))
        attached.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
        losses[alpha] = attached.train_on_batch(X, y)
        with pytest.raises(InputError, match="r_drop compares two passes that differ by the noise"):
            attach(f"r_drop({alpha})", make_model())
    assert losses[0.0] != losses[5.0]
