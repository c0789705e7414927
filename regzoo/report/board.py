"""The board: the leaderboard as ``regzoo leaderboard --json`` gives it, read without surprises.

Every number in it may be null, and a recipe without a finished replicate has no rank.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from regzoo.comparison import leaderboard
from regzoo.training.records import Record

Row = dict[str, Any]
"""One recipe of the board."""


def number(value: Any) -> float:
    """Return ``value`` as a float; NaN for null, for what is no number and for infinities.

    >>> number(None), number(3)
    (nan, 3.0)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    return float(value) if math.isfinite(value) else math.nan


def known(value: Any) -> bool:
    """True if ``value`` is a finite number."""
    return not math.isnan(number(value))


def measured(board: dict[str, Any]) -> list[Row]:
    """The recipes with a mean score, best first."""
    rows = [row for row in board["recipes"] if known(row["mean"])]
    return sorted(rows, key=lambda row: number(row["rank"]) if known(row["rank"]) else math.inf)


def unmeasured(board: dict[str, Any]) -> list[Row]:
    """The recipes without a mean score (pending, diverged or failed), in the board's order."""
    return [row for row in board["recipes"] if not known(row["mean"])]


def find(board: dict[str, Any], name: str | None) -> Row | None:
    """The recipe called ``name``, as written in the config or with numbers; None if there is none."""
    for key in ("name", "recipe"):
        for row in board["recipes"]:
            if name is not None and row[key] == name:
                return row
    return None


def is_baseline(board: dict[str, Any], row: Row) -> bool:
    """True for the recipe that the gains are measured against."""
    return row is find(board, board["baseline"])


def is_placebo(row: Row) -> bool:
    """True for a disguised copy of the baseline."""
    return leaderboard.is_placebo(row["name"])


def placebos(board: dict[str, Any]) -> list[Row]:
    """The disguised copies of the baseline, in the board's order."""
    return [row for row in board["recipes"] if is_placebo(row)]


def metric(row: Row, part: str, name: str) -> float:
    """The mean of a metric on ``train``, ``validation`` or ``test``; NaN if unknown."""
    return number(((row["metrics"] or {}).get(part) or {}).get(name))


def better(direction: str) -> str:
    """``lower`` or ``higher``: which scores are better."""
    return "lower" if direction == "min" else "higher"


def replicates(records: Iterable[Record], name: str, *, finished: bool = True) -> list[Record]:
    """A recipe's replicates by number; only the finished ones unless told otherwise."""
    return _stage(records, name, "replicate", finished)


def trials(records: Iterable[Record], name: str, *, finished: bool = True) -> list[Record]:
    """A recipe's trials by number; only the finished ones unless told otherwise."""
    return _stage(records, name, "trial", finished)


def _stage(records: Iterable[Record], name: str, stage: str, finished: bool) -> list[Record]:
    found = [r for r in records if r.run.stage == stage and r.run.name == name]
    return sorted((r for r in found if r.status == "ok" or not finished), key=lambda r: r.run.number)


def count(row: Row, key: str) -> int:
    """A count of the row, 0 for null."""
    return int(number(row[key])) if known(row[key]) else 0


def state(row: Row) -> str:
    """Say in a few words why a recipe has no score, or how many of its replicates are missing; else nothing.

    >>> state({"status": "diverged", "mean": 0.1, "replicates": 5, "diverged": 1, "failed": 0})
    '1 of 5 diverged'
    """
    lost = {key: count(row, key) for key in ("diverged", "failed")}
    if not known(row["mean"]) and not any(lost.values()):
        return "not measured yet" if row["status"] == "pending" else str(row["status"])
    made = count(row, "replicates")
    return ", ".join(f"{runs} of {made} {key}" for key, runs in lost.items() if runs)
