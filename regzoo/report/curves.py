"""Learning curves averaged over runs that may differ in length."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

Curve = tuple[float, ...]
"""A number for each epoch, NaN where there is none."""


def average_curves(curves: Sequence[Curve]) -> Curve:
    """Return the mean over the runs that reached each epoch, up to the last epoch that half of them reached.

    >>> average_curves([(1.0, 2.0, 3.0), (3.0, 4.0)]), average_curves([(1.0,), (3.0,), (2.0, 9.0)])
    ((2.0, 3.0, 3.0), (2.0,))
    """
    lengths = sorted((len(curve) for curve in curves), reverse=True)
    if not lengths:
        return ()
    columns = ([c[epoch] for c in curves if epoch < len(c)] for epoch in range(lengths[(len(lengths) - 1) // 2]))
    return tuple(fmean(found) if (found := [*filter(math.isfinite, column)]) else math.nan for column in columns)
