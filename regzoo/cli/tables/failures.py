"""The table of runs without a score, and how to make the failed ones again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from regzoo.cli.tables.layout import make_table
from regzoo.core.formatting import format_fixed
from regzoo.training.records import Record


def make_failures_table(records: Sequence[Record]) -> Table:
    """Return one row per run, with the reason."""
    several = any(record.run.search for record in records)
    searched = ["search"] if several else []
    table = make_table("recipe", "stage", *searched, "number", "status", "epochs", "seconds", "reason")
    for record in records:
        run = record.run
        cells = [
            run.recipe_text,
            run.stage,
            *([str(run.search)] if several else []),
            str(run.number),
            record.status,
            str(record.epochs),
            format_fixed(record.fit_seconds, 1),
        ]
        table.add_row(*(Text(cell) for cell in cells), Text(record.error or ""))
    return table


def describe_retry(records: Sequence[Record], folder: Path, command: str) -> Iterator[str]:
    """Yield sentences: how the failed runs are made again, and how many runs have been.

    Args:
        records: the records of the comparison.
        folder: its folder.
        command: the command that made it.
    """
    if any(record.status == "failed" for record in records):
        place = "" if command.startswith("regzoo check-claims ") else f" --out {folder}"
        how = f"{command}{place} --retry-failed"
        if not command.startswith("regzoo "):
            how = "the same call with retry_failed=True"
        yield f"to make the failed runs again: {how}"
    again = sum(bool(record.attempts) for record in records)
    if again:
        yield f"{again} {'run was' if again == 1 else 'runs were'} made again after a failure"
