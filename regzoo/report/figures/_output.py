"""Figures as SVG text and as files."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from matplotlib.figure import Figure
from matplotlib.text import Text

from regzoo.core import InputError
from regzoo.core.escaping import escape_control_characters
from regzoo.report.figures._style import use_style
from regzoo.report.seal import add_seal, has_seal
from regzoo.system.replace import OutputKind, replace_output, require_replaceable

DPI = 200
"""Dots per inch of pictures that are made of pixels."""


def render_svg(figure: Figure, name: str, title: str, alternative: str) -> str:
    """Return the figure as one ``<svg>`` element with a title and a description; equal figures give equal text.

    Every id starts with ``name``, so several figures can share a page.
    """
    buffer = io.StringIO()
    nothing: dict[str, Any] = {"Date": None, "Creator": None, "Format": None, "Type": None}
    _save(figure, buffer, format="svg", metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    head = f'<title id="{name}-title">{escape(title)}</title>\n<desc id="{name}-desc">{escape(alternative)}</desc>\n'
    text = text.replace("<svg ", f'<svg role="img" aria-labelledby="{name}-title {name}-desc" ', 1)
    end = text.index(">") + 1
    return escape_control_characters(text[:end] + "\n" + head + text[end:].lstrip())


def format_svg_file(svg: str) -> str:
    """Return the content of a file that holds what `render_svg` returned."""
    return f'<?xml version="1.0" encoding="utf-8"?>\n{svg}'


def save_figure(figure: Figure, path: Path, name: str, title: str, alternative: str) -> None:
    """Write the figure in the format that the suffix of ``path`` names, such as ``.svg`` or ``.png``.

    Only an older figure is replaced.

    Raises:
        InputError: if there is no such format, or anything else at ``path``.
        EnvironmentFailure: if the file cannot be written.
    """
    known = sorted(figure.canvas.get_supported_filetypes())
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in known:
        raise InputError(f"{path}: a picture ends in .svg, .png or .pdf, received {path.suffix or 'no suffix'!r}")
    require_replaceable(path, FIGURE)
    replace_output(path, _render_bytes(figure, suffix, name, title, alternative), FIGURE)


def is_figure(content: bytes) -> bool:
    """Return whether `save_figure` wrote a file; in a format that keeps no text, there is no telling."""
    if content.startswith(b"<?xml"):
        return has_seal(content, "figure")
    return content.startswith((b"\x89PNG", b"%PDF")) and any(mark in content for mark in _MARKS)


FIGURE = OutputKind("figure", is_figure)

_MARKS = (b"tEXtSoftware\0regzoo", b"/Creator (regzoo)")  # in PNG and PDF


def _render_bytes(figure: Figure, suffix: str, name: str, title: str, alternative: str) -> bytes:
    if suffix == "svg":
        return add_seal(format_svg_file(render_svg(figure, name, title, alternative)), "figure").encode("utf-8")
    metadata: dict[str, Any] = {"png": {"Software": "regzoo"}, "pdf": {"Creator": "regzoo", "CreationDate": None}}
    given = {"metadata": metadata[suffix]} if suffix in metadata else {}
    buffer = io.BytesIO()
    _save(figure, buffer, format=suffix, dpi=DPI, **given)
    return buffer.getvalue()


def _save(figure: Figure, target: io.BytesIO | io.StringIO, **options: Any) -> None:
    """Draw the figure into a file, its texts without control characters."""
    for text in figure.findobj(Text):
        text.set_text(escape_control_characters(text.get_text()))
    with use_style():
        figure.savefig(target, **options)
