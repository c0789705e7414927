"""Task: what is predicted, by which head, with which loss, judged by which metrics."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from regzoo.language import InputError, Objective, did_you_mean
from regzoo.language.lazy import keras, tf

DIRECTIONS: dict[str, Literal["min", "max"]] = {
    "nll": "min",
    "error": "min",
    "accuracy": "max",
    "brier": "min",
    "ece": "min",
    "rmse": "min",
    "mae": "min",
}
"""Every metric and what better means: never guessed from its name."""

METRICS = {
    "classification": ("nll", "error", "accuracy", "brier", "ece"),
    "regression": ("rmse", "mae"),
    "reconstruction": ("rmse", "mae"),
}
"""What a comparison can be ranked by, by task; the first is the default."""

BINS = 15


@dataclass(frozen=True)
class Task:
    """Classification into ``classes`` (softmax head, cross-entropy), regression of ``outputs`` or reconstruction of the
    inputs (mean squared error).

    Reconstruction takes the standardized inputs for targets, of any shape: ``fit(x, x)``. What a regularizer does to
    the batch of inputs it does not do to the targets, so noise makes a denoising autoencoder.

    Attributes:
        kind: ``classification``, ``regression`` or ``reconstruction``.
        size: number of classes (from 2), of outputs (from 1) or of values in an input (from 1).
        scale: for regression, the unit of the targets: metrics are multiplied by it, so that they are in the
            user's units when targets were standardized.
    """

    kind: Literal["classification", "regression", "reconstruction"]
    size: int
    scale: float = 1.0

    def __post_init__(self) -> None:
        least = 2 if self.kind == "classification" else 1
        if self.size < least:
            word = {"classification": "classes", "regression": "outputs", "reconstruction": "inputs"}[self.kind]
            raise InputError(f"{self.kind} needs {word} from {least}, received {self.size}")

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of its metrics; the first is the default to rank by."""
        return METRICS[self.kind]

    def objective(self, metric: str | None = None) -> Objective:
        """The metric to judge by, the task's own by default.

        Raises:
            InputError: if the task has no such metric.
        """
        metric = metric or self.metrics[0]
        if metric not in self.metrics:
            raise InputError(f"{self.kind} cannot be ranked by {metric!r}.{did_you_mean(metric, self.metrics)}")
        return Objective(metric, DIRECTIONS[metric])

    def head(self, features: Any) -> tuple[Any, Any]:
        """Return (logits, outputs), each (batch, size), of the features (batch, features).

        Outputs are probabilities in classification, else the logits themselves.
        """
        logits = keras.layers.Dense(self.size, name="head")(features)
        if self.kind == "classification":
            return logits, keras.layers.Softmax(name="probabilities")(logits)
        return logits, logits

    def encode(self, y: Any) -> Any:
        """Return targets as float32 (batch, size): one-hot for whole-number classes, flat for inputs."""
        y = tf.convert_to_tensor(y)
        if self.kind == "classification" and (y.shape.rank == 1 or (y.shape[-1] == 1 and self.size > 1)):
            return tf.one_hot(tf.cast(tf.reshape(y, [-1]), tf.int32), self.size)
        y = tf.cast(y, tf.float32)
        if self.kind == "reconstruction":
            return tf.reshape(y, [-1, self.size])
        return y[:, None] if y.shape.rank == 1 else y

    def loss(self, y: Any, logits: Any) -> Any:
        """Per-example loss (batch,) of encoded targets (batch, size): cross-entropy in nats, or squared error."""
        if self.kind == "classification":
            return tf.nn.softmax_cross_entropy_with_logits(y, logits)
        return tf.reduce_mean(tf.square(y - logits), axis=-1)

    def measure(self, y: Any, logits: Any) -> dict[str, Any]:
        """Every metric as a scalar tensor, of encoded hard targets (rows, size) and logits (rows, size)."""
        if self.kind != "classification":
            distance = self.scale * (logits - y)
            return {
                "rmse": tf.sqrt(tf.reduce_mean(tf.square(distance))),
                "mae": tf.reduce_mean(tf.abs(distance)),
            }
        probabilities = tf.nn.softmax(logits)
        right = tf.cast(tf.argmax(logits, -1) == tf.argmax(y, -1), tf.float32)  # (rows,)
        accuracy = tf.reduce_mean(right)
        return {
            "nll": tf.reduce_mean(self.loss(y, logits)),
            "error": 1.0 - accuracy,
            "accuracy": accuracy,
            "brier": tf.reduce_mean(tf.reduce_sum(tf.square(probabilities - y), -1)),
            "ece": calibration_error(tf.reduce_max(probabilities, -1), right),
        }

    def combined_logits(self, outputs: Any) -> Any:
        """Return logits (rows, size) that stand for averaged outputs (rows, size): log-probabilities."""
        if self.kind != "classification":
            return outputs
        return tf.math.log(tf.maximum(outputs, keras.config.epsilon()))


def task_for(
    classes: int | None = None,
    outputs: int | None = None,
    task: str | None = None,
    input_shape: tuple[int, ...] = (),
) -> Task:
    """Return the task that ``classes=`` (classification), ``outputs=`` (regression) or ``task=`` asks for.

    Raises:
        InputError: unless exactly one of them is given, or if ``task`` is not ``"reconstruction"``.
    """
    if task not in (None, "reconstruction") or sum(value is not None for value in (classes, outputs, task)) != 1:
        raise InputError(
            'give classes= for classification, outputs= for regression or task="reconstruction", '
            f"received classes={classes}, outputs={outputs}, task={task!r}"
        )
    if task is not None:
        return Task("reconstruction", math.prod(input_shape))
    return Task("classification", classes) if classes is not None else Task("regression", int(outputs or 0))


def calibration_error(confidence: Any, right: Any) -> Any:
    """Expected calibration error over 15 equal bins: mean |accuracy - confidence|, weighted by the rows in a bin.

    Args:
        confidence: probability of the predicted class, (rows,).
        right: 1 where the prediction is right, else 0, (rows,).

    Reference: Guo et al. 2017, https://arxiv.org/abs/1706.04599
    """
    bins = tf.minimum(tf.cast(confidence * BINS, tf.int32), BINS - 1)
    surplus = tf.math.unsorted_segment_sum(right - confidence, bins, BINS)  # (bins,)
    return tf.reduce_sum(tf.abs(surplus)) / tf.cast(tf.size(confidence), tf.float32)
