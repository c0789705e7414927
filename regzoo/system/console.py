"""A console of rich that shows text from outside as text: control characters in it are written out."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from regzoo.core.escaping import escape_control_characters


class PlainConsole(Console):
    """A console that sends no control characters but its own."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments of ``renderable``, all text in it escaped."""
        if isinstance(renderable, Text) and not renderable.plain.isprintable():
            renderable = renderable.copy()  # escaped before its lines are broken, so that columns stay aligned
            renderable.plain = escape_control_characters(renderable.plain)
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else escape_control_characters(text), style, control)
