"""Label smoothing: by hand, stock Keras on whole-number labels, and hard labels everywhere but in training."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import InputError
from regzoo.regularizers import LabelSmoothing


def smoothed(eps: float, y: np.ndarray) -> np.ndarray:
    """Return the targets of a batch after it; check that the inputs stay."""
    x, y = LabelSmoothing(eps).batch("inputs", y, keras.random.SeedGenerator(0))
    assert x == "inputs"
    return np.array(y)


def test_by_hand() -> None:
    np.testing.assert_allclose(smoothed(0.2, np.eye(4, dtype=np.float32))[1], [0.05, 0.85, 0.05, 0.05], rtol=1e-6)
    soft = np.array([[0.7, 0.3, 0.0, 0.0]], np.float32)
    np.testing.assert_allclose(smoothed(0.1, soft), [[0.655, 0.295, 0.025, 0.025]], rtol=1e-6)


def test_the_ends_of_its_domain() -> None:
    y = np.random.default_rng(0).dirichlet([0.3] * 5, 40).astype(np.float32)
    assert np.array_equal(smoothed(0.0, y), y)
    np.testing.assert_allclose(smoothed(1.0, y), 0.2, rtol=1e-6)


def test_on_whole_number_labels_it_equals_stock_keras(rows: Any) -> None:
    x, y = rows
    model = regzoo.build("mlp([4])", "label_smoothing(0.2)", input_shape=(5,), classes=3)
    stock = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2)
    expected = float(stock(np.eye(3)[y], model.logits(x)))
    assert float(model.update(x, y)[0]) == pytest.approx(expected, rel=1e-6)


def test_validation_labels_stay_hard(rows: Any) -> None:
    plain, soft = (regzoo.build("mlp([4])", r, input_shape=(5,), classes=3) for r in ("none", "label_smoothing(1.0)"))
    assert soft.evaluate(*rows, verbose=0) == plain.evaluate(*rows, verbose=0)


def test_the_best_prediction_is_the_smoothed_label() -> None:
    """Cross-entropy with soft labels is smallest where p is the label: eps 1 leads to uniform predictions."""
    x, y = np.zeros((6, 2), np.float32), np.zeros(6, np.int64)
    model = regzoo.build("mlp([2])", "label_smoothing(0.3)", (2,), classes=3, optimizer=keras.optimizers.SGD(1.0))
    for _ in range(100):
        model.update(x, y)
    # Only the head's bias learns, from a loss of curvature about p (1 - p), at least 0.09: 0.91^100 = 1e-4 remains.
    np.testing.assert_allclose(model.predict(x, verbose=0)[0], [0.8, 0.1, 0.1], atol=1e-3)


def test_regression_is_refused() -> None:
    with pytest.raises(InputError, match="label_smoothing needs classes"):
        regzoo.build("mlp([4])", "label_smoothing(0.1)", input_shape=(5,), outputs=1)
