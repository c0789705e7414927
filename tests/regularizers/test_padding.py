"""Padding of sequences changes nothing: what it holds is neither normalized with nor penalized nor predicted from."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import InputError, OnActivations, Slot, parse, regularizers
from regzoo.core.layers import Penalized
from regzoo.testing.harness import ROUNDING, fix_strengths

TINY = "transformer(width=6, depth=1, heads=2, hidden=8)"
LENGTHS = (4, 2, 1, 3)


def pad(steps: int) -> tuple[Any, Any]:
    """Return activations (4, steps, 6) with the same numbers at ``LENGTHS`` steps, garbage behind them, and a mask."""
    draw = np.random.default_rng(0).normal(size=(4, 4, 6))
    h = np.full((4, steps, 6), 50.0)
    mask = np.arange(steps) < np.array(LENGTHS)[:, None]
    for row, length in enumerate(LENGTHS):
        h[row, :length] = draw[row, :length]
    return tf.constant(h, tf.float32), tf.constant(mask)


def run(layer: Any, h: Any, mask: Any) -> tuple[Any, Any]:
    """Return what ``layer`` makes of the unpadded steps in training, joined, and the penalty that it adds."""
    out = (
        layer(h, training=True, mask=mask)
        if isinstance(layer, Penalized | keras.layers.BatchNormalization)
        else layer(h, mask=mask)
    )
    return tf.boolean_mask(out, mask).numpy(), sum(float(loss) for loss in layer.losses)


def make_layer(name: str) -> Any:
    kind = "preactivation" if name.endswith("norm") else "activation"
    (regularizer,) = parse(name)
    assert isinstance(regularizer, OnActivations)
    return fix_strengths(regularizer).layer(Slot(kind, 0, 1, 3, 0, None))  # type: ignore[arg-type,attr-defined]


@pytest.mark.parametrize(
    "name", ["batch_norm", "group_norm", "layer_norm", "activity_l1", "activity_l2", "decov", "kl_sparsity"]
)
def test_layers_leave_padding_out(name: str) -> None:
    """With garbage behind the steps, or twice as much of it, and as of a mask that is true everywhere without any."""
    (one, penalty), (other, same) = (run(make_layer(name), *pad(steps)) for steps in (5, 9))
    assert one == pytest.approx(other, abs=ROUNDING)
    assert penalty == pytest.approx(same, rel=ROUNDING)
    h = tf.constant(np.random.default_rng(1).normal(size=(4, 3, 6)), tf.float32)
    plain = make_layer(name)
    out = plain(h, training=True) if isinstance(plain, Penalized | keras.layers.BatchNormalization) else plain(h)
    masked, penalty = run(make_layer(name), h, tf.ones((4, 3), tf.bool))
    assert masked == pytest.approx(
        out.numpy().reshape(-1, 6), abs=10 * ROUNDING
    )  # Keras adds 1e-7 to a number of steps
    assert penalty == pytest.approx(sum(float(loss) for loss in plain.losses), rel=ROUNDING)


def build(recipe: str, steps: int) -> Any:
    keras.backend.clear_session()  # equal names of layers
    model = regzoo.build(TINY, recipe, input_shape=(steps,), classes=2, vocabulary_size=8)
    model.compile(optimizer=keras.optimizers.SGD(0.1))
    return model


def step(model: Any, tokens: np.ndarray, noise: int) -> tuple[float, np.ndarray]:
    """Return the loss of a training step, whose streams start at ``noise``, and all trained weights behind it."""
    model.reset(0, noise)
    loss = model.train_on_batch(tokens, np.array([0, 1, 0, 1]), return_dict=True)["loss"]
    weights = [w.numpy()[:4] if "positions" in w.path else w.numpy() for w in model.trainable_weights]
    return float(loss), np.concatenate([weight.ravel() for weight in weights])


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(regularizers()))
def test_padding_changes_nothing(name: str) -> None:
    """Each regularizer either is refused by name, or predicts the same with more padding, and trains the same.

    But for those whose noise is drawn for each step: they draw other numbers if there are more of them.
    """
    regularizer = fix_strengths(regularizers()[name]())
    recipe = " + ".join([*([regularizer.requires_recipe] if regularizer.requires_recipe else []), str(regularizer)])
    tokens = np.array([[3, 4, 5, 6], [3, 4, 0, 0], [7, 0, 0, 0], [0, 0, 0, 0]])
    long = np.pad(tokens, ((0, 0), (0, 5)))
    try:
        model = build(recipe, 4)
    except InputError as error:
        refused = str(error)
    else:
        refused = ""
    if refused:
        assert name in refused
        return
    loss, weights = step(model, tokens, 1)
    draws = loss != step(model, tokens, 2)[0]
    longer = build(recipe, 9)
    longer_loss, longer_weights = step(longer, long, 1)
    if not draws:
        assert (longer_loss, longer_weights) == (pytest.approx(loss, rel=ROUNDING), pytest.approx(weights, abs=1e-5))
    model.reset(0)
    short = {w.path: w.numpy() for w in model.weights}
    for weight in longer.weights:
        value = short[weight.path]
        weight.assign(np.pad(value, ((0, 5), (0, 0))) if "positions" in weight.path else value)
    assert longer.predict(long, verbose=0) == pytest.approx(model.predict(tokens, verbose=0), abs=ROUNDING)
