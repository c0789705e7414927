"""Task: metrics compared with scikit-learn and with numbers worked out by hand, losses, targets and heads."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import norm
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    brier_score_loss,
    hamming_loss,
    log_loss,
    mean_absolute_error,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)

from regzoo.core import InputError, Objective
from regzoo.training.metrics import DIRECTIONS, METRICS, auroc, calibration_error
from regzoo.training.task import Task, select_task

THREE = Task("classification", 3)


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def measure(task: Task, y: np.ndarray, logits: np.ndarray) -> dict[str, float]:
    values = task.measure(task.encode(tf.constant(y)), tf.constant(logits, tf.float32))
    return {name: float(value) for name, value in values.items()}


def test_classification_metrics_equal_those_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    y, logits = random.integers(0, 3, 200), 3 * random.normal(size=(200, 3))
    probabilities = softmax(logits)
    found = measure(THREE, y, logits)
    wrong = 1 - accuracy_score(y, probabilities.argmax(1))
    expected = {
        "nll": log_loss(y, probabilities),
        "error": wrong,
        "accuracy": 1 - wrong,
        "brier": brier_score_loss(y, probabilities),
        "balanced_accuracy": balanced_accuracy_score(y, probabilities.argmax(1)),
        "auroc": roc_auc_score(y, probabilities, multi_class="ovr", average="macro"),
    }
    assert list(found) == list(THREE.metrics)
    # float32 holds seven digits, and 200 terms of size below 10 are averaged
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-5)


def test_brier_of_two_classes_counts_both() -> None:
    found = measure(Task("classification", 2), np.array([1]), np.log([[0.3, 0.7]]))
    assert found["brier"] == pytest.approx(0.3**2 + 0.3**2, abs=1e-6)


def test_calibration_error_by_hand() -> None:
    confidence = [0.95, 0.94, 0.95, 0.5, 0.5]  # two of fifteen bins: [14/15, 1] and [7/15, 8/15)
    correct = [1.0, 1.0, 0.0, 1.0, 1.0]
    by_hand = abs((1 - 0.95) + (1 - 0.94) + (0 - 0.95)) / 5 + abs((1 - 0.5) + (1 - 0.5)) / 5
    assert float(calibration_error(tf.constant(confidence), tf.constant(correct))) == pytest.approx(by_hand, abs=1e-6)


@pytest.mark.parametrize(("correct", "error"), [(1.0, 0.0), (0.0, 1.0)])
def test_full_confidence_belongs_to_the_last_bin(correct: float, error: float) -> None:
    assert float(calibration_error(tf.constant([1.0]), tf.constant([correct]))) == error


def test_a_calibrated_model_has_a_small_calibration_error() -> None:
    random = np.random.default_rng(1)
    logits = 2 * random.normal(size=(20_000, 3))
    y = (random.random((20_000, 1)) > softmax(logits).cumsum(1)).sum(1)
    # each of 15 bins of n_b rows contributes about n_b/n sqrt(p (1-p) / n_b): at most 15 * 0.5 / sqrt(15 n) = 0.014
    assert measure(THREE, y, logits)["ece"] < 0.014
    assert measure(THREE, y, 5 * logits)["ece"] > 0.1


def test_regression_metrics_are_in_the_units_of_the_user() -> None:
    random = np.random.default_rng(2)
    mean, scale = 40.0, 7.0
    y, predicted = random.normal(mean, scale, 50), random.normal(mean, scale, 50)
    found = measure(Task("regression", 1, scale), (y - mean) / scale, ((predicted - mean) / scale)[:, None])
    error = root_mean_squared_error(y, predicted)
    expected = {
        "rmse": error,
        "mae": mean_absolute_error(y, predicted),
        "r2": r2_score(y, predicted),
        "gaussian_nll": -norm.logpdf(y, predicted, error).mean(),
    }
    assert found == pytest.approx(expected, rel=1e-4)  # float32 of numbers near 1, and r2 a difference of them


@pytest.mark.parametrize(
    ("y", "predicted", "share"),
    [([0.1] * 7, [0.1] * 7, 1.0), ([0.1] * 7, [0.1] * 6 + [0.2], 0.0), ([3.0], [3.0], 1.0), ([3.0], [4.0], 0.0)],
)
def test_constant_targets_leave_every_metric_finite(y: list[float], predicted: list[float], share: float) -> None:
    found = measure(Task("regression", 1), np.array(y, np.float32), np.array(predicted, np.float32)[:, None])
    assert found["r2"] == share  # as scikit-learn's r2_score gives for the first two; it warns of the others
    assert np.isfinite(list(found.values())).all()


def test_losses_per_example() -> None:
    logits = tf.constant(np.log([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]]), tf.float32)
    targets = THREE.encode(tf.constant([0, 2]))
    np.testing.assert_allclose(THREE.loss(targets, logits), -np.log([0.5, 0.7]), atol=1e-6)
    two = Task("regression", 2)
    loss = two.loss(tf.constant([[1.0, 2.0]]), tf.constant([[2.0, 5.0]]))
    np.testing.assert_allclose(loss, [(1 + 9) / 2])


@pytest.mark.parametrize("y", [[0, 2], [[0], [2]], [0.0, 2.0], [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]])
def test_classes_are_encoded_from_numbers_or_probabilities(y: list[object]) -> None:
    np.testing.assert_array_equal(THREE.encode(np.array(y)), [[1, 0, 0], [0, 0, 1]])


def test_numbers_become_columns() -> None:
    np.testing.assert_array_equal(Task("regression", 1).encode(np.array([1, 2])), [[1.0], [2.0]])
    np.testing.assert_array_equal(Task("regression", 2).encode(np.array([[1, 2]])), [[1.0, 2.0]])


def test_the_head_returns_probabilities_or_numbers() -> None:
    features = keras.Input((4,))
    for task in (THREE, Task("regression", 2)):
        logits, outputs = keras.Model(features, task.head(features))(np.ones((5, 4), np.float32))
        expected = softmax(logits.numpy()) if task is THREE else logits
        np.testing.assert_allclose(outputs, expected, atol=1e-6)


def test_logits_of_averaged_probabilities_give_the_same_probabilities() -> None:
    probabilities = np.array([[0.2, 0.3, 0.5], [0.0, 0.0, 1.0]])
    found = softmax(THREE.to_logits(tf.constant(probabilities, tf.float32)).numpy())
    np.testing.assert_allclose(found, probabilities, atol=3e-7)  # zero becomes Keras's epsilon, 1e-7
    numbers = tf.constant([[1.0], [2.0]])
    assert Task("regression", 1).to_logits(numbers) is numbers


def test_every_metric_has_a_direction_and_the_first_is_the_default() -> None:
    assert set(DIRECTIONS) == {name for names in METRICS.values() for name in names}
    assert THREE.objective() == Objective("nll", "min")
    assert THREE.objective("accuracy") == Objective("accuracy", "max")
    assert Task("regression", 1).objective() == Objective("rmse", "min")


def test_metrics_of_another_task_are_refused() -> None:
    with pytest.raises(InputError, match=r"regression cannot be ranked by 'nll'\. Available: gaussian_nll"):
        Task("regression", 1).objective("nll")
    with pytest.raises(InputError, match="Did you mean 'accuracy'"):
        THREE.objective("acuracy")


@pytest.mark.parametrize("size", [1, 0, -2])
def test_one_class_is_too_few(size: int) -> None:
    with pytest.raises(InputError, match=f"needs classes from 2, received {size}"):
        Task("classification", size)


def test_select_task_takes_classes_or_outputs() -> None:
    assert select_task(classes=4) == Task("classification", 4)
    assert select_task(outputs=2) == Task("regression", 2)
    for classes, outputs in ((None, None), (2, 1)):
        with pytest.raises(InputError, match="give classes= for classification, outputs= for regression, labels="):
            select_task(classes, outputs)
    with pytest.raises(InputError, match="outputs from 1, received 0"):
        select_task(outputs=0)


def test_select_task_takes_reconstruction_of_an_input() -> None:
    assert select_task(task="reconstruction", input_shape=(8, 8, 3)) == Task("reconstruction", 192)
    with pytest.raises(InputError, match="received classes=None, outputs=None, labels=None, task='regression'"):
        select_task(task="regression")
    with pytest.raises(InputError, match="received classes=3, outputs=None, labels=None, task='reconstruction'"):
        select_task(classes=3, task="reconstruction", input_shape=(4,))


def test_multilabel_metrics_equal_those_of_scikit_learn() -> None:
    random = np.random.default_rng(3)
    y, logits = random.integers(0, 2, (80, 4)), 2 * random.normal(size=(80, 4))
    task = Task("multilabel", 4)
    found = measure(task, y, logits)
    p = 1 / (1 + np.exp(-logits))
    expected = {
        "nll": np.mean([log_loss(y[:, label], p[:, label]) for label in range(4)]),
        "error": hamming_loss(y, p > 0.5),
        "accuracy": 1 - hamming_loss(y, p > 0.5),
        "brier": np.mean((p - y) ** 2),
        "auroc": roc_auc_score(y, p, average="macro"),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-5)
    assert found["ece"] == pytest.approx(
        float(calibration_error(tf.constant(np.maximum(p, 1 - p).ravel(), tf.float32), ((p > 0.5) == y).ravel() * 1.0))
    )
    np.testing.assert_allclose(tf.sigmoid(task.to_logits(tf.constant(p, tf.float32))), p, atol=1e-6)


def test_auroc_by_hand() -> None:
    y, scores = tf.constant([[1.0], [0.0], [1.0], [0.0]]), tf.constant([[0.9], [0.8], [0.5], [0.5]])
    assert float(auroc(y, scores)) == (1 + 1 + 0 + 0.5) / 4  # pairs: 0.9 > 0.8, 0.9 > 0.5, 0.5 < 0.8, 0.5 = 0.5
    assert float(auroc(tf.ones([3, 1]), tf.constant([[0.1], [0.2], [0.3]]))) == 0.5  # no pair
    both = tf.concat([tf.concat([y, tf.ones([4, 1])], 1)], 0)
    assert float(auroc(both, tf.concat([scores, scores], 1))) == 2.5 / 4  # a label without pairs does not count


def test_gaussian_nll_uses_the_variance_of_the_training_residuals() -> None:
    task = Task("regression", 1, 10.0)
    y, logits = tf.constant([[0.0], [0.0]]), tf.constant([[0.1], [-0.1]])  # off by 1 in the user's units
    variance = task.residual_variance(y, logits)
    assert float(variance) == pytest.approx(1.0)
    off = task.measure(y, tf.constant([[0.3], [0.3]]), ["gaussian_nll"], variance)
    assert {name: float(value) for name, value in off.items()} == {
        "gaussian_nll": pytest.approx(-norm.logpdf(3.0, 0.0, 1.0), rel=1e-6)
    }


def test_a_metric_that_sorts_the_rows_is_tracked_only_if_it_ranks() -> None:
    assert "auroc" not in THREE.tracked_metrics("nll")
    assert "auroc" in THREE.tracked_metrics("auroc")
    assert set(THREE.metrics) - set(THREE.tracked_metrics()) == {"auroc"}
