"""The layout of all tables: no frame, bold headers, title and caption on the left."""

from __future__ import annotations

from rich.table import Table


def make_table(*headers: str, title: str | None = None) -> Table:
    """Return a table without rows; further columns may be added."""
    table = Table(title=title, box=None, pad_edge=False, title_justify="left", caption_justify="left")
    for header in headers:
        table.add_column(header)
    return table
