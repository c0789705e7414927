"""Text with `code` in backquotes as HTML and as Markdown, with everything else escaped."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_CODE = re.compile(r"`([^`]+)`")
_SHARE = re.compile(r"(?<=\d) (?=%)")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&])")
_LEADING = re.compile(r"^(\s*)([-+=]|\d+[.)])(?=\s|$)", re.MULTILINE)


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
    return "".join(
        f"`{p}`" if i % 2 else _LEADING.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", p)) for i, p in enumerate(pieces)
    )


def cell_to_markdown(text: str) -> str:
    r"""Return ``text`` for a cell of a Markdown table.

    >>> print(cell_to_markdown("dropout(0.1|0.2)"))
    dropout(0.1\|0.2)
    """
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def choose_fence(text: str) -> str:
    """Return a fence longer than any in ``text``, for a block of code."""
    return "`" * max(3, *(len(found) + 1 for found in re.findall("`+", text)), 3)
