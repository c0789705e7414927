"""Values that strict JSON can hold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def replace_nonfinite(value: Any) -> Any:
    """Return ``value`` with None in place of every NaN and infinity, at any depth; NumPy numbers become plain.

    >>> replace_nonfinite({"gain": float("nan"), "interval": (np.float64(0.5), float("inf"))})
    {'gain': None, 'interval': [0.5, None]}
    """
    if isinstance(value, dict):
        return {key: replace_nonfinite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [replace_nonfinite(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
