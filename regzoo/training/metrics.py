"""Metrics: how good predictions are, as scalar tensors; penalty-free and on hard targets.

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
"""Every metric and what better means: never guessed from its name."""

METRICS = {
    "classification": ("nll", "error", "accuracy", "balanced_accuracy", "brier", "ece", "auroc"),
    "multilabel": ("nll", "error", "accuracy", "brier", "ece", "auroc"),
    "regression": ("rmse", "mae", "r2", "gaussian_nll"),
    "reconstruction": ("rmse", "mae"),
}
"""What a comparison can be ranked by, by task; the first is the default."""

COSTLY = frozenset({"auroc"})
"""Metrics that sort the rows: not taken after every epoch, unless the comparison is ranked by them."""

BINS = 15


def accuracy(right: Any) -> Any:
    """Share of predictions that are right, of ``right`` (rows,) or (rows, labels), 1 or 0."""
    return tf.reduce_mean(right)


def balanced_accuracy(y: Any, right: Any) -> Any:
    """Mean over the classes that occur of the share of their rows that are right: y (rows, classes), right (rows,).

    Reference: Brodersen et al. 2010, https://doi.org/10.1109/ICPR.2010.764
    """
    counts = tf.reduce_sum(y, 0)  # (classes,)
    recall = tf.math.divide_no_nan(tf.reduce_sum(y * right[:, None], 0), counts)
    return tf.reduce_sum(recall) / tf.reduce_sum(tf.cast(counts > 0, recall.dtype))


def brier(y: Any, probabilities: Any) -> Any:
    """Squared distance between probabilities and targets, summed over classes.

    Reference: Brier 1950, https://doi.org/10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2
    """
    return tf.reduce_mean(tf.reduce_sum(tf.square(probabilities - y), -1))


def calibration_error(confidence: Any, right: Any) -> Any:
    """Expected calibration error over 15 equal bins: mean |accuracy - confidence|, weighted by the rows in a bin.

    Args:
        confidence: probability of what is predicted, (predictions,).
        right: 1 where the prediction is right, else 0, (predictions,).

    Reference: Guo et al. 2017, https://arxiv.org/abs/1706.04599
    """
    bins = tf.minimum(tf.cast(confidence * BINS, tf.int32), BINS - 1)
    surplus = tf.math.unsorted_segment_sum(right - confidence, bins, BINS)  # (bins,)
    return tf.reduce_sum(tf.abs(surplus)) / tf.cast(tf.size(confidence), tf.float32)


def auroc(y: Any, scores: Any) -> Any:
    """Area under the ROC curve, one class against the rest, averaged over classes with rows on both sides.

    It is the share of pairs of a positive and a negative row that the score puts in order; ties count half. With no
    such class it is 1/2.

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


def rmse(distance: Any) -> Any:
    """Root mean squared error of prediction minus target."""
    return tf.sqrt(tf.reduce_mean(tf.square(distance)))


def mae(distance: Any) -> Any:
    """Mean absolute error of prediction minus target."""
    return tf.reduce_mean(tf.abs(distance))


def r2(y: Any, distance: Any) -> Any:
    """Share of the variance of ``y`` that is explained, averaged over outputs; negative if worse than the mean.

    Where the targets do not vary, as in a single row, it is 1 if all are met and else 0, as in scikit-learn.
    """
    total = tf.reduce_sum(tf.square(y - tf.reduce_mean(y, 0)), 0)  # (outputs,)
    missed = tf.reduce_sum(tf.square(distance), 0)
    flat = tf.reduce_max(y, 0) == tf.reduce_min(y, 0)  # the total may be above 0 there, by rounding
    return tf.reduce_mean(1.0 - tf.where(flat, tf.sign(missed), missed / tf.where(flat, 1.0, total)))


def gaussian_nll(distance: Any, variance: Any) -> Any:
    """Negative log-likelihood in nats of targets that scatter normally around the predictions with ``variance``.

    With the variance of the training residuals it says what overfitting does to a regression's confidence, as nll does
    for classes.
    """
    return 0.5 * (tf.math.log(2.0 * math.pi * variance) + tf.reduce_mean(tf.square(distance)) / variance)
