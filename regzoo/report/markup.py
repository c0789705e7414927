"""Text with `code` in backquotes as HTML and as Markdown, with everything else escaped."""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup, escape

from regzoo.core.escaping import escape_control_characters, escape_markdown

_CODE = re.compile(r"`([^`]+)`")
_SHARE = re.compile(r"(?<=\d) (?=%)")


def to_html(text: str) -> Markup:
    """Return ``text`` as HTML; a number and its % stay on one line.

    >>> print(to_html("use `l2(0.1)` < `<b>`"))
    use <code>l2(0.1)</code> &lt; <code>&lt;b&gt;</code>
    """
    pieces = _CODE.split(_SHARE.sub("\N{NO-BREAK SPACE}", text))  # prose, code, prose, code, ...
    return Markup("").join(Markup("<code>{}</code>").format(p) if i % 2 else escape(p) for i, p in enumerate(pieces))


def heading_to_html(text: str) -> Markup:
    """Return a column title as HTML that may break after an underscore.

    >>> print(heading_to_html("test balanced_accuracy"))
    test balanced_<wbr>accuracy
    """
    return Markup("_<wbr>").join(escape(part) for part in text.split("_"))


def cell_to_html(text: str) -> Markup:
    """Return the text of a cell as HTML; an interval may break only before its ``to``."""
    return escape(text.replace(" to ", " to\N{NO-BREAK SPACE}"))


def to_markdown(text: str) -> str:
    r"""Return ``text`` as Markdown that shows exactly these characters.

    >>> print(to_markdown("a_b <script> `x_y`"))
    a\_b \<script\> `x_y`
    """
    pieces = _CODE.split(" ".join(text.split()))
    return "".join(f"`{piece}`" if i % 2 else _escape_prose(piece) for i, piece in enumerate(pieces))


def _escape_prose(piece: str) -> str:
    """Escape what lies between two pieces of code, with the spaces at its ends."""
    if not piece.strip():
        return piece
    before, after = " " * piece.startswith(" "), " " * piece.endswith(" ")
    return before + escape_markdown(piece) + after


def choose_fence(text: str) -> str:
    """Return a fence longer than any in ``text``, for a block of code."""
    return "`" * max(3, *(len(found) + 1 for found in re.findall("`+", text)), 3)


def finalize(value: Any) -> Any:
    """Return what a template shows of ``value``: text without control characters; HTML stays HTML."""
    if isinstance(value, Markup):
        return Markup(escape_control_characters(value))
    return escape_control_characters(value) if isinstance(value, str) else value
