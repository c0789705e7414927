"""Padding of sequences changes nothing: what it holds is neither normalized with nor penalized nor predicted from."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import InputError, OnActivations, OnBatch, Slot, parse, regularizers
from regzoo.core.layers import Penalized
from regzoo.regularizers._padding import average_present, count_present
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


def call(layer: Any, h: Any, **mask: Any) -> Any:
    """Return what ``layer`` makes of activations in training; a layer that does not depend on it has no argument."""
    training = {"training": True} if isinstance(layer, Penalized | keras.layers.BatchNormalization) else {}
    return layer(h, **training, **mask)


def run(layer: Any, h: Any, mask: Any) -> tuple[Any, Any]:
    """Return what ``layer`` makes of the steps without padding, joined, and the penalty that it adds."""
    out = call(layer, h, mask=mask)
    return tf.boolean_mask(out, mask).numpy(), sum(float(loss) for loss in layer.losses)


def make_layer(name: str) -> Any:
    kind = "preactivation" if name.endswith("norm") else "activation"
    (regularizer,) = parse(name)
    assert isinstance(regularizer, OnActivations)
    return fix_strengths(regularizer).layer(Slot(kind, 0, 1, 3, 0, None))  # type: ignore[arg-type,attr-defined]


@pytest.mark.parametrize("name", ["batch_norm", "group_norm", "activity_l1", "activity_l2", "decov", "kl_sparsity"])
def test_layers_leave_padding_out(name: str) -> None:
    """With garbage behind the steps, or twice as much of it, and as of a mask that is true everywhere without any."""
    (one, penalty), (other, same) = (run(make_layer(name), *pad(steps)) for steps in (5, 9))
    assert one == pytest.approx(other, abs=ROUNDING)
    assert penalty == pytest.approx(same, rel=ROUNDING)
    h = tf.constant(np.random.default_rng(1).normal(size=(4, 3, 6)), tf.float32)
    plain = make_layer(name)
    out = call(plain, h)
    masked, penalty = run(make_layer(name), h, tf.ones((4, 3), tf.bool))
    assert masked == pytest.approx(
        out.numpy().reshape(-1, 6), abs=10 * ROUNDING
    )  # Keras adds 1e-7 to a number of steps
    assert penalty == pytest.approx(sum(float(loss) for loss in plain.losses), rel=ROUNDING)


def build(recipe: str, steps: int) -> Any:
    keras.backend.clear_session()  # equal names of layers
    return regzoo.build(TINY, recipe, input_shape=(steps,), classes=2, vocabulary_size=8)


def run_in_training(model: Any, tokens: np.ndarray, noise: int) -> np.ndarray:
    """Return the logits of a forward pass in training, and the penalties; the streams start at ``noise``."""
    model.reset(0, noise)
    logits = model.logits(tokens, training=True)
    return np.append(logits, sum(float(loss) for loss in model.losses))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", sorted(n for n, each in regularizers().items() if issubclass(each, OnActivations | OnBatch))
)
def test_padding_changes_nothing(name: str) -> None:
    """Each is refused by name, or predicts the same with more padding, and has the same logits, penalties in training.

    But for those whose noise is drawn for each step: they draw other numbers if there are more of them.
    """
    recipe = str(fix_strengths(regularizers()[name]()))
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
    longer, outcome = build(recipe, 9), run_in_training(model, tokens, 1)
    for each in (model, longer):
        each.reset(0)
    names = {w.path: w.numpy() for w in model.weights}
    positions = np.pad(names["positions/position"], ((0, 5), (0, 0)))
    if np.array_equal(outcome, run_in_training(model, tokens, 2)):
        longer.get_layer("positions").set_weights([positions])
        assert np.append(longer.logits(long, training=True), sum(map(float, longer.losses))) == pytest.approx(
            outcome, abs=1e-5
        )
    longer.set_weights([positions if "positions" in w.path else names[w.path] for w in longer.weights])
    model.set_weights(list(names.values()))
    assert longer.predict_on_batch(long) == pytest.approx(model.predict_on_batch(tokens), abs=ROUNDING)


def test_positions_are_counted_and_at_least_one_is() -> None:
    values = tf.zeros((2, 3, 4))
    for mask, count in (([[1, 1, 0], [1, 0, 0]], 3), ([[1, 0, 0], [0, 0, 0]], 1), ([[0, 0, 0], [0, 0, 0]], 1)):
        assert float(count_present(values, tf.constant(np.array(mask, bool)))) == count
    assert float(count_present(values, None)) == 6
    assert average_present(tf.ones((2, 3, 4)), tf.zeros((2, 3), tf.bool)).numpy().tolist() == [0.0] * 4


def test_without_a_mask_the_mean_is_over_every_position() -> None:
    values = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    np.testing.assert_allclose(average_present(tf.constant(values), None), values.mean((0, 1)), atol=1e-6)
