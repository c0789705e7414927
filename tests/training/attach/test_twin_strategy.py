"""The twin law under MirroredStrategy, over two logical CPU devices in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow

SCRIPT = """
import json
import keras, numpy as np, tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
from regzoo.training.attach.attach import attach

L = keras.layers
random = np.random.default_rng(0)
x, y, weight = random.normal(size=(64, 5)).astype("float32"), random.integers(0, 3, 64), random.random(64)

def make():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5,))
    h = L.ActivityRegularization(l2=0.01)(L.Dense(8, "relu", kernel_regularizer="l2")(inputs))
    return keras.Model(inputs, L.Dense(3, "softmax")(h))

def train(recipe, mirrored, loss="sparse_categorical_crossentropy", sample_weight=weight):
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]) if mirrored else tf.distribute.get_strategy()
    with strategy.scope():
        model = make() if recipe is None else attach(recipe, make())
        model.compile(keras.optimizers.SGD(0.1), loss, weighted_metrics=["accuracy"])
    history = model.fit(x, y, sample_weight=sample_weight, batch_size=64, epochs=2, shuffle=False, verbose=0).history
    weights = np.concatenate([values.ravel() for values in model.get_weights()])
    return {**history, "weights": weights.tolist(), "p": model.predict(x, verbose=0).tolist()}

neutral = "l2(0.0) + gradient_clip(1000000.0)"
print(json.dumps({
    "keras": train(None, True),
    "none": train("none", True),
    "neutral": train(neutral, True),
    "on examples": train("flooding(0.0)", True),
    "keras, no weights": train(None, True, sample_weight=None),
    "penalty, one device": train("l2(0.1) + max_norm(0.8)", False, sample_weight=None),
    "penalty, mirrored": train("l2(0.1) + max_norm(0.8)", True, sample_weight=None),
    "own loss, one device": train("l2(0.1) + flooding(0.01)", False, None, None),
    "own loss, mirrored": train("l2(0.1) + flooding(0.01)", True, None, None),
    "strange": train("dropout(0.2) + mixup(0.2) + ema(0.9)", True, None, None),
}))
"""


@pytest.fixture(scope="module")
def trained() -> dict[str, Any]:
    """The trainings of SCRIPT, by name."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr[-3000:]
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("none", "keras"),
        ("neutral", "keras"),
        ("on examples", "keras"),
        ("penalty, mirrored", "penalty, one device"),
        ("own loss, mirrored", "own loss, one device"),
    ],
)
def test_two_replicas_train_the_same(trained: dict[str, Any], name: str, expected: str) -> None:
    assert list(trained[name]) == list(trained[expected])
    for key, value in trained[expected].items():
        np.testing.assert_allclose(trained[name][key], value, 2e-5, 2e-5, err_msg=key)


def test_other_recipes_train_on_two_replicas(trained: dict[str, Any]) -> None:
    assert np.isfinite(trained["strange"]["loss"]).all()
    assert np.isfinite(trained["strange"]["weights"]).all()
