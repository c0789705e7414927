"""Scores of each recipe, read from a tidy table of runs, and the paired gains between two recipes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from regzoo.core.errors import InputError, did_you_mean

Direction = Literal["min", "max"]
Array = npt.NDArray[np.float64]
Scores = dict[tuple[str, ...], float]
"""Scores of one recipe by pairing key: search, seed, fold and dataset, in this order, as far as the table has them."""


def read_scores(frame: pd.DataFrame) -> dict[str, Scores]:
    """Return the scores by recipe, in order of appearance; NaN for diverged runs.

    A column ``search`` that holds a single search is left out of the pairing key.

    Raises:
        InputError: if a column or a value is missing or wrong, or a run is listed twice.
    """
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"frame: must be a pandas DataFrame, received a {type(frame).__name__}.")
    for column in ("recipe", "seed", "score"):
        if column not in frame.columns:
            near = did_you_mean(column, map(str, frame.columns)) if len(frame.columns) else ""
            raise InputError(f"frame: the column {column!r} is missing.{near}")
    for column in ("recipe", "search", "seed", "fold", "dataset", "score"):
        if list(frame.columns).count(column) > 1:
            raise InputError(f"frame: the column {column!r} comes twice. Keep one of them.")
    if frame.empty:
        raise InputError("frame: has no rows, so there is nothing to rank. Give it one row per run.")
    keys = [key for key in ("seed", "fold", "dataset") if key in frame.columns]
    keys = ["search", *keys] if varies_search(frame) else keys
    scores: dict[str, Scores] = {}
    columns = (frame[name] for name in ("recipe", "score", *keys))
    for row, recipe, score, *pair in zip(frame.index, *columns, strict=True):
        for name, cell in zip(("recipe", *keys), (recipe, *pair), strict=True):
            if pd.isna(cell):
                raise InputError(f"frame, row {row}: {name!r} is empty. Fill it in, or drop the row.")
        key = tuple(map(str, pair))
        if key in scores.setdefault(str(recipe), {}):
            pairing = ", ".join(f"{name} {value}" for name, value in zip(keys, key, strict=True))
            raise InputError(
                f"frame, row {row}: the recipe {str(recipe)!r} has a second row for {pairing}. Keep one of "
                "them; runs on several folds or data sets need a column 'fold' or 'dataset'."
            )
        scores[str(recipe)][key] = _read_score(score, row)
    return scores


def varies_search(frame: pd.DataFrame) -> bool:
    """Return True if the runs of ``frame`` come from two or more searches."""
    return "search" in frame.columns and len(set(map(str, frame["search"]))) > 1


def _read_score(value: Any, row: Any) -> float:
    if value is None or value is pd.NA:
        return math.nan
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise InputError(f"frame, row {row}: 'score' must be a number (NaN for a diverged run), received {value!r}.")
    return float(value) if math.isfinite(value) else math.nan


def compute_paired_gains(
    scores: Scores, others: Scores, sign: float = 1.0, search_items: tuple[int, ...] = ()
) -> Array:
    """Return the improvements of ``scores`` over ``others``, one for each pair in which both runs finished.

    Differences below float64 rounding error count as zero, and gains that differ by less as equal: 0.3 - 0.2 equals
    0.2 - 0.1.

    Args:
        scores: scores of one recipe.
        others: scores of the other.
        sign: 1 if large scores are good, -1 if small ones are.
        search_items: positions of the items of a pairing key that name the search, if it varies.

    Returns:
        (pairs,); with ``search_items`` (searches, pairs), NaN where there is none.
    """
    pairs = [pair for pair in sorted(scores) if math.isfinite(scores[pair] - others.get(pair, math.nan))]
    ours, theirs = (np.array([side[pair] for pair in pairs]) for side in (scores, others))
    gains = sign * (ours - theirs)
    if len(pairs):
        gains = _remove_rounding(gains, max(abs(ours).max(), abs(theirs).max()))
    return arrange_by_search(gains, pairs, search_items) if search_items else gains


def arrange_by_search(values: Array, pairs: Sequence[tuple[str, ...]], search_items: tuple[int, ...]) -> Array:
    """Return ``values``, one for each of ``pairs``, with a row for each search: (searches, runs), padded with NaN.

    >>> arrange_by_search(np.array([0.1, 0.2, 0.3]), [("0", "a"), ("1", "b"), ("0", "c")], (0,)).tolist()
    [[0.1, 0.3], [0.2, nan]]
    """
    rows: dict[tuple[str, ...], list[float]] = {}
    for pair, value in zip(pairs, values, strict=True):
        rows.setdefault(tuple(pair[item] for item in search_items), []).append(float(value))
    matrix = np.full((len(rows), max(map(len, rows.values()), default=0)), math.nan)
    for row, found in zip(matrix, rows.values(), strict=True):
        row[: len(found)] = found
    return matrix


def _remove_rounding(gains: Array, largest: float) -> Array:
    """Return ``gains`` without what subtracting scores of up to ``largest`` has rounded."""
    rounding = 4 * np.finfo(float).eps * largest
    if np.ptp(gains) <= rounding:
        gains = np.full_like(gains, np.median(gains))
    return np.where(abs(gains) <= rounding, 0.0, gains)
