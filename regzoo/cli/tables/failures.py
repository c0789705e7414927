"""The table of runs without a score."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from regzoo.cli.tables.layout import make_table
from regzoo.core.formatting import format_fixed
from regzoo.training.records import Record


def make_failures_table(records: Sequence[Record]) -> Table:
    """Return one row per run, with the reason."""
    table = make_table("recipe", "stage", "number", "status", "epochs", "seconds", "reason")
    for record in records:
        run = record.run
        cells = [
            run.recipe_text,
            run.stage,
            str(run.number),
            record.status,
            str(record.epochs),
            format_fixed(record.fit_seconds, 1),
        ]
        table.add_row(*(Text(cell) for cell in cells), Text(record.error or ""))
    return table
