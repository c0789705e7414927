"""The trials, confirmations and replicates of one recipe, selected from all records, and their names."""

from __future__ import annotations

from collections.abc import Iterable

from regzoo.training.records import Record, Run


def select_trials(records: Iterable[Record], name: str, *, finished: bool = True) -> list[Record]:
    """Return the trials of the recipe called ``name``, search by search; with ``finished=False`` also lost ones."""
    return _select(records, name, "trial", finished)


def select_confirmations(records: Iterable[Record], name: str, *, finished: bool = True) -> list[Record]:
    """Return the second runs of the best trials of ``name``; with ``finished=False`` also lost ones."""
    return _select(records, name, "confirmation", finished)


def select_replicates(records: Iterable[Record], name: str, *, finished: bool = True) -> list[Record]:
    """Return the replicates of the recipe called ``name``, by number; with ``finished=False`` also lost ones."""
    return _select(records, name, "replicate", finished)


def _select(records: Iterable[Record], name: str, stage: str, finished: bool) -> list[Record]:
    found = [record for record in records if record.run.stage == stage and record.run.name == name]
    kept = (record for record in found if record.status == "ok" or not finished)
    if stage == "replicate":  # one row of numbers over all searches
        return sorted(kept, key=lambda record: record.run.number)
    return sorted(kept, key=lambda record: (record.run.search, record.run.number))


def name_run(run: Run, several: bool) -> str:
    """Return the run's stage and number from 1, with that of its search where there are ``several``.

    >>> run = Run("trial", "l2", "l2(0.1)", 2, seed=0, learning_rate=0.1, epochs=5, setup="", search=1)
    >>> name_run(run, several=True), name_run(run, several=False)
    ('trial 3 of search 2', 'trial 3')
    """
    return f"{run.stage} {run.number + 1}" + (f" of search {run.search + 1}" if several else "")
