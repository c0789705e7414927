"""The twin law for sequences and other outputs of several positions: masks, temporal weights, state, dropout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import pytest

from regzoo.core import InputError, OnBatch, OnForward, OnLoss, regularizers
from regzoo.testing.harness import fix_strengths
from regzoo.training.attach.attach import attach
from tests.training.attach.twins import SPARSE, assert_same_outcome, read_state

L = keras.layers

STEPS, CLASSES = 6, 3
RANDOM = np.random.default_rng(0)
TOKENS = RANDOM.integers(0, 7, (20, STEPS)).astype(np.int32)  # 0 is masked
NUMBERS = np.where(TOKENS[..., None] == 0, 0.0, RANDOM.normal(size=(20, STEPS, 4))).astype(np.float32)
IMAGES = RANDOM.normal(size=(20, 8, 8, 1)).astype(np.float32)
TAGS = RANDOM.integers(0, CLASSES, (20, STEPS))
PIXELS = RANDOM.integers(0, CLASSES, (20, 8, 8))
TEMPORAL = RANDOM.random((20, STEPS)).astype(np.float32)
ROWS = RANDOM.random(20).astype(np.float32)


def tagger(activation: str | None = "softmax") -> keras.Model:
    """A label for each token of a sequence, of which some are masked."""
    inputs = keras.Input((STEPS,), dtype="int32")
    h = L.Embedding(7, 4, mask_zero=True, name="first")(inputs)
    return keras.Model(inputs, L.Dense(CLASSES, activation)(L.LSTM(4, return_sequences=True)(h)))


def masked() -> keras.Model:
    inputs = keras.Input((STEPS, 4))
    h = L.Bidirectional(L.GRU(3, return_sequences=True, dropout=0.3, seed=1))(L.Masking()(inputs))
    return keras.Model(inputs, L.TimeDistributed(L.Dense(CLASSES, "softmax"))(h))


def segmenter() -> keras.Model:
    """A class for each pixel."""
    inputs = keras.Input((8, 8, 1))
    h = L.Conv2D(4, 3, padding="same", activation="relu", name="first")(inputs)
    return keras.Model(inputs, L.Conv2D(CLASSES, 1, activation="softmax")(h))


def forecaster() -> keras.Model:
    """A number for each step."""
    inputs = keras.Input((STEPS, 4))
    return keras.Model(inputs, L.Dense(1)(L.SimpleRNN(4, return_sequences=True)(inputs)))


def detector() -> keras.Model:
    """A probability for each step."""
    inputs = keras.Input((STEPS, 4))
    return keras.Model(inputs, L.Dense(1, "sigmoid")(L.LSTM(4, return_sequences=True)(L.Masking()(inputs))))


def classifier() -> keras.Model:
    """One label for a sequence, by recurrent layers that draw masks in training."""
    inputs = keras.Input((STEPS, 4))
    h = L.GRU(4, dropout=0.2, recurrent_dropout=0.2, seed=2)(L.Masking()(inputs))
    return keras.Model(inputs, L.Dense(CLASSES, "softmax")(h))


CASES: dict[str, tuple[Callable[[], keras.Model], Any, Any, Any, Any]] = {
    "tags": (tagger, TOKENS, TAGS, SPARSE, None),
    "tags, weights of steps": (tagger, TOKENS, TAGS, SPARSE, TEMPORAL),
    "tags, weights of rows": (tagger, TOKENS, TAGS, SPARSE, ROWS),
    "one-hot tags": (tagger, TOKENS, np.eye(CLASSES)[TAGS], "categorical_crossentropy", TEMPORAL),
    "tags as columns": (tagger, TOKENS, TAGS[..., None], SPARSE, TEMPORAL),
    "masks and a wrapper": (masked, NUMBERS, TAGS, SPARSE, TEMPORAL),
    "pixels": (segmenter, IMAGES, PIXELS, SPARSE, RANDOM.random((20, 8, 8))),
    "a number each": (forecaster, NUMBERS, TEMPORAL[..., None], "mse", TEMPORAL),
    "a probability each": (detector, NUMBERS, (TAGS > 0)[..., None], "binary_crossentropy", TEMPORAL),
    "one label": (classifier, NUMBERS, TAGS[:, 0], SPARSE, ROWS),
    "weights of another shape": (tagger, TOKENS, TAGS, SPARSE, TEMPORAL[:, :-1]),
    "tags out of range": (tagger, TOKENS, TAGS + 1, SPARSE, None),
    "too few tags": (tagger, TOKENS, TAGS[:, :-1], SPARSE, None),
}
WRONG = ("tags, weights of rows", "weights of another shape", "tags out of range", "too few tags")
NEUTRAL = "l2(0.0) + gradient_clip(1000000.0)"


def make_run(x: Any, y: Any, loss: Any, weight: Any) -> Callable[[keras.Model], Mapping[str, Any]]:
    def run(model: keras.Model) -> Mapping[str, Any]:
        names = ["accuracy", "mse"] if loss == "mse" else ["accuracy"]
        model.compile(keras.optimizers.SGD(0.5), loss, metrics=names, weighted_metrics=names)
        given: dict[str, Any] = {"sample_weight": weight, "batch_size": 8, "verbose": 0}
        history = model.fit(x, y, epochs=2, shuffle=False, validation_data=(x, y, weight), **given).history
        tested = model.evaluate(x, y, return_dict=True, **given)
        return {**history, **{f"final {key}": value for key, value in tested.items()}, **read_state(model, x)}

    return run


@pytest.mark.parametrize(
    ("name", "recipe"),
    [
        pytest.param(name, recipe, id=f"{name}-{number}", marks=pytest.mark.slow)
        for name in CASES
        for number, recipe in enumerate(("none", NEUTRAL))
    ],
)
def test_sequences_train_the_same(name: str, recipe: str) -> None:
    make, *given = CASES[name]
    assert_same_outcome(make, make_run(*given), recipe, raises=name in WRONG)


@pytest.mark.slow
@pytest.mark.parametrize("layer", [L.LSTM, L.GRU, L.SimpleRNN])
def test_state_is_kept_between_batches_and_reset_the_same(layer: Any) -> None:
    def make() -> keras.Model:
        inputs = keras.Input(batch_shape=(5, STEPS, 4))
        h = layer(4, stateful=True, name="first")(inputs)
        return keras.Model(inputs, L.Dense(CLASSES, "softmax")(h))

    def run(model: keras.Model) -> Mapping[str, Any]:
        model.compile(keras.optimizers.SGD(0.5), SPARSE)
        given: dict[str, Any] = {"batch_size": 5, "verbose": 0}
        found = {"loss": model.fit(NUMBERS, TAGS[:, 0], epochs=2, shuffle=False, **given).history["loss"]}
        found |= {f"p {n}": model.predict(NUMBERS, **given) for n in range(2)}
        assert not np.allclose(found["p 0"], found["p 1"])  # the state has an effect
        model.get_layer("first").reset_states()
        found["after reset"] = model.predict(NUMBERS, **given)
        return {**found, **{f"weight {n}": weight for n, weight in enumerate(model.get_weights())}}

    assert_same_outcome(make, run)


def test_without_a_loss_positions_have_that_of_their_task() -> None:
    losses = {tagger: SPARSE, forecaster: "mean_squared_error", detector: "binary_crossentropy"}
    for make, loss in losses.items():
        assert attach("none", make()).loss == loss
    assert attach("none", tagger(None), classes=CLASSES).task.kind == "classification"
    assert attach("none", tagger(None)).task.kind == "regression"


SEGMENTER = segmenter()
ON_EXAMPLES = {n: kind for n, kind in regularizers().items() if issubclass(kind, OnBatch | OnForward | OnLoss)}


@pytest.mark.parametrize("name", ON_EXAMPLES)
def test_what_acts_on_examples_is_refused_for_positions(name: str) -> None:
    recipe = str(fix_strengths(ON_EXAMPLES[name]()))
    recipe = f"dropout(0.1) + {recipe}" if name == "r_drop" else recipe
    with pytest.raises(InputError, match=rf"^{name} acts on one prediction for each example.*\(None, 8, 8, 3\)"):
        attach(recipe, SEGMENTER)


@pytest.mark.slow
@pytest.mark.parametrize(
    "recipe",
    [
        *("dropout(0.3)", "spatial_dropout(0.3)", "batch_norm(0.9)", "l2(0.01)", "weight_noise(0.1)", "ema(0.9)"),
        *("swa(0.5)", "sam(0.05)", "early_stopping(2)", "snapshot_ensemble(2)", "dropout(0.3) + mc_dropout(3)"),
    ],
)
def test_other_recipes_train_and_are_saved(recipe: str, tmp_path: Any) -> None:
    model = attach(recipe, segmenter())
    history = model.fit(IMAGES, PIXELS, epochs=3, validation_data=(IMAGES, PIXELS), verbose=0).history
    assert np.isfinite(history["loss"]).all()
    final = model.finished()
    p = final.predict(IMAGES, verbose=0)
    np.testing.assert_allclose(p.sum(-1), 1.0, atol=1e-5)
    final.save(tmp_path / "m.keras")
    np.testing.assert_allclose(keras.models.load_model(tmp_path / "m.keras").predict(IMAGES, verbose=0), p, atol=1e-6)
    if "mc_dropout" in recipe:
        assert final.uncertainty(IMAGES)["mutual_information"].shape == PIXELS.shape


@pytest.mark.parametrize("size", [None, 0])
def test_outputs_without_a_size_are_refused(size: None) -> None:
    inputs = keras.Input((None, 4) if size is None else (4,))
    outputs = L.Permute((2, 1))(inputs) if size is None else L.Flatten()(L.Dense(1)(inputs))[:, 0]
    with pytest.raises(InputError, match=r"outputs \(batch, \.\.\., size\), received outputs of shape \(None,"):
        attach("none", keras.Model(inputs, outputs))
