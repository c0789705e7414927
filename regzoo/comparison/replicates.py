"""Replicates among the records of a comparison: groups by recipe, a table of scores, means of metrics."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

import pandas as pd

from regzoo.core.errors import InputError, did_you_mean
from regzoo.training.records import PartMetrics, Record

PART_NAMES = ("validation", "train", "test")


def group_replicates(records: Iterable[Record], recipes: Sequence[str]) -> dict[str, list[Record]]:
    """Return the replicates of each recipe that has any, by number; recipes in the order of the config."""
    runs = {record.run.key: record for record in records if record.run.stage == "replicate"}
    ordered = sorted(runs.values(), key=lambda record: record.run.number)
    groups = {name: [record for record in ordered if record.run.name == name] for name in recipes}
    return {name: group for name, group in groups.items() if group}


def check_metric(rank_by: str, replicates: Mapping[str, Sequence[Record]]) -> None:
    """Raise InputError if replicates have finished and none of them has the metric ``rank_by``."""
    finished = [record for group in replicates.values() for record in group if record.status == "ok"]
    metrics = dict.fromkeys(name for record in finished for name in record.metrics.get("validation", {}))
    if finished and rank_by not in metrics:
        raise InputError(f"rank_by: the replicates have no metric {rank_by!r}.{did_you_mean(rank_by, metrics)}")


def make_score_frame(replicates: Mapping[str, Sequence[Record]], rank_by: str) -> pd.DataFrame:
    """Return one row per replicate, by name, because searches of two names may have found the same numbers.

    Runs are paired by their number, not by their seed: a placebo has its own seeds. Columns ``search`` and ``fold`` are
    left out if there is only one.
    """
    runs = [
        (name, r.run.search, r.run.number, r.run.fold, r.score(rank_by))
        for name, group in replicates.items()
        for r in group
    ]
    frame = pd.DataFrame(runs, columns=["recipe", "search", "seed", "fold", "score"])
    return frame.drop(columns=[column for column in ("search", "fold") if not frame[column].any()])


def mean_or_none(values: Iterable[float | None]) -> float | None:
    """Return the mean; None without values or if one is missing, because a mean of the rest would be biased."""
    numbers = list(values)
    known = [number for number in numbers if number is not None and math.isfinite(number)]
    return fmean(known) if known and len(known) == len(numbers) else None


def mean_metrics(finished: Sequence[Record]) -> PartMetrics:
    """Return the mean of every metric of every part; None where one of the records lacks it."""
    means: PartMetrics = {}
    for part in PART_NAMES:
        metrics = [record.metrics.get(part, {}) for record in finished]
        names = dict.fromkeys(name for each in metrics for name in each)
        means[part] = {name: mean_or_none(each.get(name) for each in metrics) for name in names}
    return means
