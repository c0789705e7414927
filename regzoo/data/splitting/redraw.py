"""Redrawn splits: new training and validation rows for each replicate, the test part fixed; when that is impossible."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from regzoo.core.errors import InputError
from regzoo.data.dataset import Dataset
from regzoo.data.facts import SplitFacts

LEAVE_OUT = "leave split out of vary"


def require_redrawable(dataset: Dataset) -> None:
    """Raise InputError if the data itself says which rows validate: by the order of time, or by marks.

    Marked rows belong to their part, so with marked validation rows all others train, and nothing is left to draw.
    """
    if dataset.time is not None:
        raise InputError(
            "vary: split draws new training and validation rows for each replicate, and data.time says which come "
            "first; set split.folds to the number of replicates, whose folds are windows that grow, or "
            f"{LEAVE_OUT}"
        )
    marked = 0 if dataset.part is None else int(np.count_nonzero(dataset.part == "validation"))
    if marked:
        raise InputError(
            f"vary: split draws new validation rows for each replicate, but the data marks {marked} rows for "
            f"validation; mark them for training, or {LEAVE_OUT}"
        )


def require_different_splits(splits: Sequence[SplitFacts]) -> list[str]:
    """Return a warning if some of the draws of the validation part, of which ``splits`` tells, are equal.

    Raises:
        InputError: if all are equal: a split that is not varied must not look as if it were.
    """
    different = len({split["hashes"]["validation"] for split in splits})
    if different == len(splits):
        return []
    if different == 1:
        raise InputError(
            f"vary: all {len(splits)} splits have the same validation rows, because too few rows or groups can change "
            f"places; collect more, or {LEAVE_OUT}"
        )
    return [
        f"{len(splits)} replicates have {different} different splits, because few rows or groups can change places; "
        "intervals cover no others"
    ]
