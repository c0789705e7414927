"""Metrics of predictions as scalar tensors, without penalties and on hard targets.

Shapes: targets ``y`` (rows, size) one-hot, 0 or 1 for each label, or numbers; probabilities or numbers likewise.
"""

from __future__ import annotations

import math
from typing import Any, Literal

from regzoo.core.lazy import tf

DIRECTIONS: dict[str, Literal["min", "max"]] = {
    "nll": "min",
    "error": "min",
    "accuracy": "max",
    "balanced_accuracy": "max",
    "brier": "min",
    "ece": "min",
    "auroc": "max",
    "rmse": "min",
    "mae": "min",
    "r2": "max",
    "gaussian_nll": "min",
}
"""The better direction of every metric: ``min`` or ``max``."""

METRICS = {
    "classification": ("nll", "error", "accuracy", "balanced_accuracy", "brier", "ece", "auroc"),
    "multilabel": ("nll", "error", "accuracy", "brier", "ece", "auroc"),
    "regression": ("rmse", "mae", "r2", "gaussian_nll"),
    "reconstruction": ("rmse", "mae"),
}
"""The metrics that can rank a comparison, by kind of task; the first is the default."""

COSTLY = frozenset({"auroc"})
"""Metrics that sort the rows; not computed after every epoch, unless they rank the comparison."""

BINS = 15
"""Bins of confidence in the expected calibration error."""


def accuracy(correct: Any) -> Any:
    """Return the share of correct predictions, of ``correct`` (rows,) or (rows, labels), 1 or 0."""
    return tf.reduce_mean(correct)


def balanced_accuracy(y: Any, correct: Any) -> Any:
    """Return the mean recall over the classes that occur, of y (rows, classes) and ``correct`` (rows,).

    Reference: Brodersen et al. 2010, https://doi.org/10.1109/ICPR.2010.764
    """
    counts = tf.reduce_sum(y, 0)  # (classes,)
    recall = tf.math.divide_no_nan(tf.reduce_sum(y * correct[:, None], 0), counts)
    return tf.reduce_sum(recall) / tf.reduce_sum(tf.cast(counts > 0, recall.dtype))


def brier(y: Any, probabilities: Any) -> Any:
    """Return the mean over rows of the squared difference of probabilities and targets, summed over classes.

    Reference: Brier 1950, https://doi.org/10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2
    """
    return tf.reduce_mean(tf.reduce_sum(tf.square(probabilities - y), -1))


def calibration_error(confidence: Any, correct: Any) -> Any:
    """Return the expected calibration error: mean |accuracy - confidence| of 15 equal bins, weighted by their rows.

    Args:
        confidence: probability of the predicted class, (predictions,).
        correct: 1 where the prediction is correct, else 0, (predictions,).

    Reference: Guo et al. 2017, https://arxiv.org/abs/1706.04599
    """
    bins = tf.minimum(tf.cast(confidence * BINS, tf.int32), BINS - 1)
    surplus = tf.math.unsorted_segment_sum(correct - confidence, bins, BINS)  # (bins,)
    return tf.reduce_sum(tf.abs(surplus)) / tf.cast(tf.size(confidence), tf.float32)


def auroc(y: Any, scores: Any) -> Any:
    """Return the area under the ROC curve, one class against the rest, averaged over classes with rows on both sides.

    It is the share of pairs of a positive and a negative row that the score orders correctly; ties count half. Without
    such a class it is 0.5.

    Reference: Hanley and McNeil 1982, https://doi.org/10.1148/radiology.143.1.7063747
    """
    y, scores = tf.transpose(tf.cast(y, tf.float64)), tf.transpose(scores)  # (classes, rows)
    ordered = tf.sort(scores, axis=-1)
    below = tf.searchsorted(ordered, scores, side="left")
    up_to = tf.searchsorted(ordered, scores, side="right")
    ranks = tf.cast(below + up_to + 1, tf.float64) / 2.0  # from 1; equal scores share their mean rank
    positive, negative = tf.reduce_sum(y, -1), tf.reduce_sum(1.0 - y, -1)  # (classes,)
    in_order = tf.reduce_sum(ranks * y, -1) - positive * (positive + 1.0) / 2.0
    areas = tf.math.divide_no_nan(in_order, positive * negative)
    counted = tf.cast(positive * negative > 0, tf.float64)
    mean = tf.reduce_sum(areas * counted) / tf.maximum(tf.reduce_sum(counted), 1.0)
    return tf.cast(tf.where(tf.reduce_any(counted > 0), mean, 0.5), tf.float32)


def rmse(residual: Any) -> Any:
    """Return the root mean squared error, of prediction minus target."""
    return tf.sqrt(tf.reduce_mean(tf.square(residual)))


def mae(residual: Any) -> Any:
    """Return the mean absolute error, of prediction minus target."""
    return tf.reduce_mean(tf.abs(residual))


def r2(y: Any, residual: Any) -> Any:
    """Return the explained share of the variance of ``y``, averaged over outputs; negative if worse than the mean.

    Where the targets are constant, as in a single row, it is 1 if all predictions are exact and else 0, as in
    scikit-learn.
    """
    total = tf.reduce_sum(tf.square(y - tf.reduce_mean(y, 0)), 0)  # (outputs,)
    missed = tf.reduce_sum(tf.square(residual), 0)
    constant = tf.reduce_max(y, 0) == tf.reduce_min(y, 0)  # by rounding, the total may be above 0 there
    return tf.reduce_mean(1.0 - tf.where(constant, tf.sign(missed), missed / tf.where(constant, 1.0, total)))


def gaussian_nll(residual: Any, variance: Any) -> Any:
    """Return the mean negative log-likelihood in nats of targets under Normal(prediction, ``variance``).

    With the variance of the training residuals it shows how overfitting makes a regression overconfident, as nll does
    for classification.
    """
    return 0.5 * (tf.math.log(2.0 * math.pi * variance) + tf.reduce_mean(tf.square(residual)) / variance)
