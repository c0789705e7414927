"""Which failed runs are made again, and what a search knows of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from regzoo.execution.exit_reason import was_killed_from_outside
from regzoo.training.records import Record, Run, Stage

STAGES: tuple[Stage, ...] = ("trial", "confirmation", "replicate")
"""Stages of a recipe's procedure, in order."""


def is_made_again(record: Record, retry_failed: bool) -> bool:
    """Return True if the run of ``record`` is made again when its comparison is resumed.

    A run that was lost to a kill from outside always is, and with it an ensemble that lacks it as a member. Runs that
    diverged or were pruned are results.
    """
    return record.status == "failed" and (retry_failed or was_killed_from_outside(record.error))


def find_replaced(run: Run, failed: Mapping[str, Record]) -> list[tuple[str, Record]]:
    """Return those of the ``failed`` records in whose place ``run`` is made, with their keys.

    If a recipe's trials are made again and nothing had come of them, other strengths may be the best now. What had
    failed at the old ones is then not made again.
    """
    return [
        (key, record) for key, record in failed.items() if _get_place(record.run) == _get_place(run) and key != run.key
    ]


def _get_place(run: Run) -> tuple[str, str, int, int]:
    """Return where ``run`` stands among the runs of a comparison."""
    search = 0 if run.stage == "replicate" else run.search
    return run.stage, run.name, search, run.number


def recall_failures(runs: Sequence[Run], records: Mapping[str, Record]) -> list[Record]:
    """Return the records of ``runs``, a round of a recipe's search, as the search learned from them.

    A trial that failed is made again only when its comparison is resumed. If the search, or the replicates, had gone on
    without it by then, it counts as failed for them, so that they come to the same strengths as before: replicates have
    measured these. The order of the records shows it: the trial then comes after what came of it.

    Args:
        runs: the round.
        records: all records, by key of the run, in the order in which they were made.
    """
    found = [records[run.key] for run in runs]
    stage, name, end = runs[0].stage, runs[0].name, max(run.number for run in runs)
    if stage not in STAGES[:-1] or not any(record.attempts for record in found):
        return found
    order = {key: position for position, key in enumerate(records)}
    after = STAGES[STAGES.index(stage) + 1 :]
    later = [
        order[key]
        for key, record in records.items()
        if record.run.name == name
        and (record.run.stage in after or (record.run.stage == stage and record.run.number > end))
    ]
    first = min(later, default=len(records))
    return [
        replace(record, status="failed", metrics={}, history={}) if order[record.run.key] > first else record
        for record in found
    ]
