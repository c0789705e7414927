"""Options of a ranking, checked, as settings of its tests."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from regzoo.core.errors import InputError
from regzoo.stats.paired import PairSettings
from regzoo.stats.scores import varies_search


def read_settings(
    frame: pd.DataFrame, direction: str, seed: int, ratio: float | None, rope: float | None, looks: int
) -> PairSettings:
    """Return the settings of the tests, from the options of `regzoo.stats.rank.rank` and the columns of its table.

    Raises:
        InputError: if an option is wrong.
    """
    if direction not in ("min", "max"):
        raise InputError(f"direction: must be 'min' or 'max', received {direction!r}.")
    _check_positive("test_train_ratio", ratio, "1 / 9 for 10 folds")
    _check_positive("rope", rope, "0.005")
    if ratio is not None and "dataset" in frame.columns and frame["dataset"].nunique() > 1:
        raise InputError(
            "test_train_ratio: corrects the repeated splits of one data set, but the column 'dataset' has "
            f"{frame['dataset'].nunique()}. Rank each data set by itself, or leave test_train_ratio out."
        )
    if not isinstance(looks, int) or looks < 1:
        raise InputError(f"looks: must be a whole number from 1, received {looks!r}.")
    items = (0, *((-1,) if "dataset" in frame.columns else ())) if varies_search(frame) else ()
    shared = bool(items) and "fold" in frame.columns and bool(frame.groupby("search")["fold"].nunique().eq(1).all())
    return PairSettings(seed, ratio, rope, looks, items, shared)


def _check_positive(name: str, value: Any, example: str) -> None:
    positive = isinstance(value, int | float | np.number) and not isinstance(value, bool) and 0 < value < math.inf
    if value is not None and not positive:
        raise InputError(f"{name}: must be a number above 0 such as {example}, or None; received {value!r}.")
