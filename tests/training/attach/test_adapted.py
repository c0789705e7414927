"""State that neither config nor weights hold is in the copies and the files, too; layers of augmentation are copied."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from regzoo.training.attach.attach import attach

L = keras.layers

ROWS = np.random.default_rng(0).normal(5.0, 3.0, (12, 4)).astype(np.float32)
WORDS = tf.constant([["a b"], ["b c"], ["c a"]] * 4)
TOKENS = np.random.default_rng(0).integers(0, 9, (12, 4))
IMAGES = np.random.default_rng(0).uniform(0.0, 255.0, (12, 8, 8, 3)).astype(np.float32)
Y = np.arange(12) % 3

ADAPTED: dict[str, tuple[Any, Any, str]] = {
    "Normalization": (L.Normalization, ROWS, "float32"),
    "Discretization": (lambda: L.Discretization(num_bins=3, output_mode="multi_hot"), ROWS, "float32"),
    "StringLookup": (lambda: L.StringLookup(output_mode="one_hot"), WORDS, "string"),
    "IntegerLookup": (lambda: L.IntegerLookup(output_mode="multi_hot"), TOKENS, "int64"),
    "TextVectorization": (lambda: L.TextVectorization(output_sequence_length=3), WORDS, "string"),
}
"""Every layer of Keras with a method ``adapt``, with data for it."""


def make_adapted(name: str) -> tuple[keras.Model, Any]:
    make, x, dtype = ADAPTED[name]
    layer = make()
    layer.adapt(x)
    inputs = keras.Input(x.shape[1:], dtype=dtype)
    return keras.Model(inputs, L.Dense(3, "softmax")(L.Rescaling(1.0)(layer(inputs)))), x


def test_every_layer_of_keras_that_adapts_is_in_the_table() -> None:
    kinds = {name for name, kind in vars(L).items() if inspect.isclass(kind) and hasattr(kind, "adapt")}
    assert kinds == set(ADAPTED)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if n else ()) for n, name in enumerate(ADAPTED)]
)
def test_a_finished_ensemble_and_a_file_are_adapted(name: str, tmp_path: Path) -> None:
    own, x = make_adapted(name)
    model = attach("snapshot_ensemble(2)", own)
    model.fit(x, Y, epochs=2, verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(loaded.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6)
    members = []
    for weights in model._snapshots():
        model.set_weights(weights)
        members.append(model.predict(x, verbose=0))
    model.set_weights(weights)
    expected = np.mean(members, axis=0)
    np.testing.assert_allclose(model.finished().predict(x, verbose=0), expected, atol=1e-6)


AUGMENTATION = {
    name: kind
    for name, kind in vars(L).items()
    if inspect.isclass(kind)
    and "image_preprocessing" in kind.__module__
    and "seed" in inspect.signature(kind).parameters
}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "RandomCrop": {"height": 8, "width": 8},
    "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.2},
    "RandomZoom": {"height_factor": 0.2},
    "RandomSharpness": {"factor": 0.5},
    "RandomHue": {"factor": 0.5},
    "RandomSaturation": {"factor": 0.5},
    "RandomContrast": {"factor": 0.5},
    "RandomBrightness": {"factor": 0.5},
    "RandomRotation": {"factor": 0.2},
    "RandomPosterization": {"factor": 4},
    "RandomColorDegeneration": {"factor": 0.5},
}


NOT_REPEATABLE = {
    "AugMix": "it draws by Python's random",
    "RandAugment": "it draws by Python's random",
    "RandomShear": "Keras cannot make it from its own get_config()",
}


def test_layers_of_augmentation_are_copied_with_their_streams() -> None:
    """They act by default in training, so that a call without ``training`` would augment."""
    kinds = {name: kind for name, kind in AUGMENTATION.items() if name not in NOT_REPEATABLE}
    assert len(kinds) > 15
    for name, kind in kinds.items():
        layer = kind(**ARGUMENTS.get(name, {}))
        own = keras.Sequential([keras.Input((8, 8, 3)), layer, L.GlobalAveragePooling2D(), L.Dense(3)])
        model = attach("none", own)
        for training in (False, True):
            expected, received = own(IMAGES, training=training), model(IMAGES, training=training)
            np.testing.assert_allclose(received, expected, rtol=1e-5, atol=1e-4, err_msg=name)


def test_lora_keeps_its_alpha() -> None:
    own = keras.Sequential([keras.Input((4,)), L.Dense(5, name="first"), L.Dense(3)])
    own.get_layer("first").enable_lora(2, lora_alpha=8.0)
    own.get_layer("first").lora_kernel_b.assign(np.ones((2, 5)))
    np.testing.assert_allclose(attach("none", own)(ROWS), own(ROWS), rtol=1e-5, atol=1e-5)
