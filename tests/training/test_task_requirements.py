"""Regularizers that see targets or logits, on every task but classification: they train, or they are refused."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import InputError, OnBatch, OnForward, OnLoss, parse, regularizers
from regzoo.testing.harness import fix_strengths

X = np.random.default_rng(1).normal(size=(24, 5)).astype(np.float32)
IMAGES = np.random.default_rng(2).normal(size=(8, 6, 6, 1)).astype(np.float32)
TASKS: dict[str, tuple[dict[str, Any], np.ndarray]] = {
    "multilabel": ({"labels": 3}, (X[:, :3] > 0).astype(np.float32)),
    "regression": ({"outputs": 2}, X[:, :2] - X[:, 2:4]),
    "reconstruction": ({"task": "reconstruction"}, X),
}
SOFTMAX = {"confidence_penalty", "focal", "label_noise", "label_smoothing", "r_drop"}
"""Regularizers that read or soften class probabilities."""
MOVING = {"random_flip", "random_rotation", "random_shift", "random_zoom", "trivial_augment"}
"""Regularizers that move the content of an image."""
SEEING = [name for name, kind in regularizers().items() if issubclass(kind, OnBatch | OnForward | OnLoss)]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", sorted(set(SEEING) - MOVING - {"random_erasing"}))
def test_it_trains_or_is_refused(name: str, task: str) -> None:
    asked, y = TASKS[task]
    regularizer = fix_strengths(regularizers()[name]())
    recipe = parse(regularizer.requires_recipe or "none") + regularizer
    if name in SOFTMAX or (task == "reconstruction" and name in ("cutmix", "mixup_or_cutmix")):
        with pytest.raises(
            InputError, match=f"{name} needs (classes|targets), received inputs .* for {task}; leave it"
        ):
            regzoo.build("linear", recipe, input_shape=(5,), **asked)
        return
    model = regzoo.build("linear", recipe, input_shape=(5,), **asked, optimizer=keras.optimizers.SGD(0.1))
    targets = model.task.encode(y)

    def loss() -> float:
        return float(tf.reduce_mean(model.task.loss(targets, model.logits(X))))

    before = loss()
    for _ in range(10):
        model.update(tf.constant(X), targets)
    assert loss() < before


def test_erased_images_are_reconstructed_whole() -> None:
    model = regzoo.build("autoencoder", "random_erasing(1.0)", input_shape=(6, 6, 1), task="reconstruction")
    loss, _ = model.update(tf.constant(IMAGES), model.task.encode(IMAGES))
    assert np.isfinite(float(loss))


@pytest.mark.parametrize("name", sorted(MOVING))
def test_moving_images_needs_targets_that_do_not_move(name: str) -> None:
    """An autoencoder would have to undo a shift that it cannot see."""
    recipe = fix_strengths(regularizers()[name]())
    with pytest.raises(InputError, match=f"{name} needs targets"):
        regzoo.build("autoencoder", recipe, input_shape=(6, 6, 1), task="reconstruction")
    model = regzoo.build("linear", recipe, input_shape=(6, 6, 1), labels=2)
    loss, _ = model.update(tf.constant(IMAGES), tf.ones([8, 2]))
    assert np.isfinite(float(loss))


def test_mixup_mixes_labels_like_their_inputs() -> None:
    """Targets are linear in the inputs here, and stay so after mixing: y = (x0 > 0) for x in {-1, 1}."""
    signs = np.sign(X)
    model = regzoo.build("linear", "mixup(1.0)", input_shape=(5,), labels=3)
    x, y = model.get_regularizers(OnBatch)[0].batch(
        tf.constant(signs), tf.constant((signs[:, :3] + 1) / 2), model.get_stream(model.get_regularizers(OnBatch)[0])
    )
    np.testing.assert_allclose(y, (x[:, :3] + 1) / 2, atol=1e-6)
    assert len(np.unique(np.round(y, 3))) > 2
