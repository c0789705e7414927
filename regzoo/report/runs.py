"""The trials and the replicates of one recipe, selected from the records of a comparison."""

from __future__ import annotations

from collections.abc import Iterable

from regzoo.training.records import Record


def select_trials(records: Iterable[Record], name: str, *, finished: bool = True) -> list[Record]:
    """Return the trials of the recipe called ``name``, by number; with ``finished=False`` also those that were lost."""
    return _select(records, name, "trial", finished)


def select_replicates(records: Iterable[Record], name: str, *, finished: bool = True) -> list[Record]:
    """Return the replicates of the recipe called ``name``, by number; with ``finished=False`` also lost ones."""
    return _select(records, name, "replicate", finished)


def _select(records: Iterable[Record], name: str, stage: str, finished: bool) -> list[Record]:
    found = [record for record in records if record.run.stage == stage and record.run.name == name]
    return sorted((r for r in found if r.status == "ok" or not finished), key=lambda record: record.run.number)
