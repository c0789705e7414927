"""Reject numbers that are missing, infinite, or too large for float32."""

from __future__ import annotations

import numpy as np

from regzoo.core.errors import InputError
from regzoo.data.dataset import Array
from regzoo.data.numbers import LARGEST


def require_finite(array: Array, where: str, way_out: str) -> None:
    """Raise InputError, naming the first row, if a number is missing, infinite or too large."""
    if array.dtype.kind != "f":
        return
    bad, what = ~np.isfinite(array), "missing or infinite"
    if not bad.any() and array.dtype != np.float16:  # float16 ends at 65,504
        bad, what = np.abs(array) > LARGEST, f"beyond {LARGEST:g}"
    if bad.any():
        first = int(np.min(np.nonzero(bad)[0])) + 1
        count = f"{bad.sum()} values that are {what}"
        raise InputError(f"{where} has {count}, the first in row {first}; {way_out}")
