"""Print text, warnings and tables on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH_ELSEWHERE = 160
"""Columns of a table that goes to a file or a pipe."""


def print_text(text: str) -> None:
    """Print ``text`` on stdout, its control characters written out."""
    from regzoo.core.errors import escape_control_characters

    typer.echo(escape_control_characters(text))


def print_warning(text: str) -> None:
    """Print ``text`` on stderr, its control characters written out."""
    from regzoo.core.errors import escape_control_characters

    typer.echo(escape_control_characters(text), err=True)


def print_table(table: RenderableType) -> None:
    """Print a table, or anything else that rich draws, on stdout."""
    from rich.console import Console

    Console(width=get_width()).print(table)


def get_width() -> int:
    """Return the number of columns that a table may take."""
    from rich.console import Console

    console = Console()
    return console.width if console.is_terminal else WIDTH_ELSEWHERE
