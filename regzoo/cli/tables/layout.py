"""The layout that the tables share: no frame, a bold title on the left."""

from __future__ import annotations

from rich.table import Table


def make_table(*headers: str, title: str | None = None) -> Table:
    """Return an empty table with these column headers."""
    table = Table(title=title, box=None, pad_edge=False, title_justify="left")
    for header in headers:
        table.add_column(header)
    return table
