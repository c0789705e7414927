"""A console of rich that shows text from outside as text, and that no stream can break."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable
from typing import IO, Any, cast

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from regzoo.core.escaping import escape_control_characters


class PlainConsole(Console):
    """A console that sends no control characters but its own, and none to a terminal that does not say its type."""

    @property
    def is_dumb_terminal(self) -> bool:
        """Whether the terminal takes plain text only: its type is ``dumb``, or not known."""
        return super().is_dumb_terminal or (self.is_terminal and not os.environ.get("TERM"))

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments of ``renderable``, all text in it escaped."""
        if isinstance(renderable, Text) and not renderable.plain.isprintable():
            renderable = renderable.copy()  # escaped before its lines are broken, so that columns stay aligned
            renderable.plain = escape_control_characters(renderable.plain)
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else escape_control_characters(text), style, control)


def make_stderr_console() -> PlainConsole:
    """Return a console on stderr that drops what stderr cannot take: progress may not end what it shows."""
    return (
        PlainConsole(file=cast("IO[str]", _Lossy(sys.stderr))) if sys.stderr is not None else PlainConsole(stderr=True)
    )


class _Lossy:
    """A text stream that drops what cannot be written, and writes characters out that its encoding lacks."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write ``text`` if the stream takes it; return its length."""
        with contextlib.suppress(OSError, ValueError):  # ValueError: the stream is closed
            try:
                self._stream.write(text)
            except UnicodeEncodeError as error:
                self._stream.write(text.encode(error.encoding, "backslashreplace").decode(error.encoding))
        return len(text)

    def flush(self) -> None:
        """Flush the stream if it can be."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()
