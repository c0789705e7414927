"""Diagnostics of a trained model beyond its score: calibration, and the distribution of its weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from regzoo.core.roles import MULTIPLYING
from regzoo.training.metrics import BINS
from regzoo.training.task import Task

DECADES = (-6, 1)
"""The histogram of |w| reaches from 1e-6 to 10; smaller and larger weights count in the first and the last bin."""

BINS_PER_DECADE = 4

SMALL = 1e-3
"""Weights below it count as small. Initial weights are about 0.1, and only a proximal step gives exact zeros."""


def compute_reliability(task: Task, y: Any, logits: Any) -> list[list[float]] | None:
    """Return [mean confidence, accuracy, rows] for each of 15 bins of confidence that is not empty.

    Args:
        task: what is predicted; the result is None unless it is classification.
        y: encoded targets (rows, classes).
        logits: predictions (rows, classes).

    Reference: Guo et al. 2017, https://arxiv.org/abs/1706.04599
    """
    if task.kind != "classification":
        return None
    scores, targets = np.asarray(logits, np.float64), np.asarray(y)
    powers = np.exp(scores - scores.max(1, keepdims=True))
    confidence = powers.max(1) / powers.sum(1)  # (rows,)
    correct = scores.argmax(1) == targets.argmax(1)
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    in_bins = [bins == number for number in range(BINS)]
    return [
        [float(confidence[rows].mean()), float(correct[rows].mean()), int(rows.sum())] for rows in in_bins if rows.any()
    ]


def select_kernels(model: Any, values: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return those of ``values``, of the model's weights in order, whose weights multiply inputs or are looked up."""
    from regzoo.core.weights import describe_weights  # not above: a figure reads a constant of this file, without Keras

    roles = {id(variable): weight.role for variable, weight in describe_weights(model)}
    pairs = zip(model.weights, values, strict=True)
    return [value for variable, value in pairs if roles.get(id(variable)) in MULTIPLYING]


def compute_weight_histogram(kernels: Sequence[np.ndarray]) -> dict[str, Any]:
    """Return the histogram of log10 |w| in quarters of decades, and the shares of small and of exactly zero weights.

    Args:
        kernels: weights that multiply inputs or are looked up; biases and scales are left out.

    >>> found = compute_weight_histogram([np.array([[0.0, 1e-4], [0.5, -0.5]])])
    >>> found["small"], found["zero"]
    (0.5, 0.25)
    """
    sizes = np.abs(np.concatenate([kernel.ravel() for kernel in kernels])) if kernels else np.zeros(0)
    edges = np.linspace(*DECADES, (DECADES[1] - DECADES[0]) * BINS_PER_DECADE + 1)
    logarithms = np.log10(np.clip(sizes, 10.0 ** DECADES[0], 10.0 ** DECADES[1]))
    return {
        "edges": edges.tolist(),
        "counts": np.histogram(logarithms, edges)[0].tolist(),
        "small": float((sizes < SMALL).mean()) if len(sizes) else 0.0,
        "zero": float((sizes == 0).mean()) if len(sizes) else 0.0,
    }
