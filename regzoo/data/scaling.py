"""Mean and scale of features, and standardization by them; nearly constant features are not blown up."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regzoo.core.formatting import format_significant
from regzoo.data.numbers import BLOCK, iterate_blocks

Array = NDArray[Any]

WIDEST = 100
"""Standard deviations that the range of a feature's training values has at most; a wider one is scaled by more."""

FEWEST = 8
"""Features that are computed with at a time at least."""

_EXACT = 1e-9
"""Error of a mean, in standard deviations, from which on it is computed of deviations."""


@dataclass(frozen=True)
class Scaling:
    """Mean and scale of each feature.

    Attributes:
        mean: the mean.
        scale: the population standard deviation; 1 where all values are equal, more where they nearly are.
        damped: why a feature is not scaled by its standard deviation, in words, by number of the feature.
    """

    mean: Array
    scale: Array
    damped: Mapping[int, str]


def fit_scaling(values: Array, noise: Sequence[int] = (), widest: float = WIDEST) -> Scaling:
    """Fit mean and scale of each feature, the last axis of training ``values``, in float64.

    Args:
        values: features (n, ..., features).
        noise: numbers of the features whose values differ by rounding errors alone.
        widest: standard deviations that a range has at most.
    """
    mean, deviation, low, high = _compute_statistics(values)
    flat = (high == low) | (deviation < np.finfo(np.float32).tiny)
    flat[list(noise)] = True
    least = (high - low) / widest
    damped = dict.fromkeys(noise, "its training values differ by rounding errors alone; it is scaled by 1")
    for feature in np.flatnonzero(~flat & (deviation < least)).tolist():
        small, wide = format_significant(deviation[feature], 3), format_significant(high[feature] - low[feature], 3)
        damped[feature] = (
            f"nearly all training values are the same: the standard deviation {small} is below 1/{widest} of the range "
            f"{wide}; it is scaled by {format_significant(least[feature], 3)}"
        )
    return Scaling(mean, np.where(flat, 1.0, np.maximum(deviation, least)), damped)


def _compute_statistics(values: Array) -> tuple[Array, Array, Array, Array]:
    """Return mean, standard deviation, minimum and maximum of each feature, in float64.

    Many rows are computed with some features at a time, so that no copy in float64 is made of all of them.
    """
    axes, width = tuple(range(values.ndim - 1)), values.shape[-1]
    step = max(FEWEST, BLOCK // max(1, math.prod(values.shape[:-1])))
    edges = [*range(0, max(1, width - FEWEST + 1), step), width]  # one feature alone would be summed in another order
    parts = []
    for first, last in pairwise(edges):
        some = values[..., first:last].astype(np.float64, order="C")
        parts.append((some.mean(axis=axes), some.std(axis=axes), some.min(axis=axes), some.max(axis=axes)))
    mean, deviation, low, high = (np.concatenate(pieces) for pieces in zip(*parts, strict=True))
    return mean, deviation, low, high


@dataclass(frozen=True)
class TargetScaling:
    """Scaling of numeric targets: (y - center - mean) / scale; the center is 0 unless they are large."""

    mean: float = 0.0
    scale: float = 1.0
    center: float = 0.0


def fit_target_scaling(y: Array) -> TargetScaling:
    """Return mean and population standard deviation of numeric targets (n,); 1 if all are equal.

    Targets that are large for their deviations are centered first, at the smallest of them, which is exact.
    """
    values = y.astype(np.float64)
    mean, deviation = float(values.mean()), float(values.std())
    if abs(mean) * np.finfo(np.float64).eps < _EXACT * deviation:
        return TargetScaling(mean, deviation if deviation >= np.finfo(np.float32).tiny else 1.0)
    deviations = (y - y.min()).astype(np.float64)
    return TargetScaling(float(deviations.mean()), float(deviations.std()) or 1.0, y.min().item())


def standardize(
    values: Array, mean: Sequence[float], scale: Sequence[float], out: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Return float32 ``values`` (n, ..., features) minus ``mean``, divided by ``scale``, float32, in ``out``."""
    means, scales = np.array(mean, dtype=np.float32), np.array(scale, dtype=np.float32)
    standardized = np.empty(values.shape, np.float32) if out is None else out
    for rows in iterate_blocks(values):
        standardized[rows] = (values[rows] - means) / scales
    return standardized
