"""Print text, warnings and tables on the terminal; what they hold can write there, and do nothing else."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TextIO

from regzoo.core.errors import MovedAsideWarning
from regzoo.core.escaping import escape_control_characters, escape_json

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH_ELSEWHERE = 160
"""Columns of a table that goes to a file or a pipe."""

NARROWEST = 40
"""Columns of the narrowest table; a terminal that is narrower breaks its lines."""


def print_text(text: str) -> None:
    """Print ``text`` on stdout, its control characters written out."""
    _print(escape_control_characters(text), sys.stdout)


def print_warning(text: str) -> None:
    """Print ``text`` on stderr, its control characters written out."""
    _print(escape_control_characters(text), sys.stderr)


@contextlib.contextmanager
def print_moved_files() -> Iterator[None]:
    """Print each `MovedAsideWarning` of the block as a sentence on stderr."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", MovedAsideWarning)
        default = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if issubclass(category, MovedAsideWarning):
                print_warning(str(message))
            else:
                default(message, category, *place, **more)

        warnings.showwarning = show
        yield


def print_json(text: str) -> None:
    """Print JSON on stdout, control characters in its strings escaped as JSON does it."""
    _print(escape_json(text), sys.stdout)


def _print(text: str, stream: TextIO) -> None:
    """Print a line; unlike click, which takes ASCII for a mistake and writes UTF-8, in the encoding of the stream."""
    print(text, file=stream, flush=True)


def print_table(table: RenderableType) -> None:
    """Print a table, or anything else that rich draws, on stdout."""
    from regzoo.system.console import PlainConsole

    PlainConsole(width=get_width()).print(table)


def get_width() -> int:
    """Return the number of columns that a table may take."""
    from rich.console import Console

    console = Console()
    return max(console.width, NARROWEST) if console.is_terminal else WIDTH_ELSEWHERE
