r"""Text from outside as text: nothing in it is obeyed by a terminal, a page, Markdown or a spreadsheet.

Column names, labels, file names, error messages of other libraries and the texts of somebody else's ledger may hold
anything. They are kept as they came and escaped where they leave: `regzoo.cli.terminal` prints, the templates of
report and model card write, `escape_formula` is for cells of CSV files.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

LONGEST_MESSAGE = 2000
"""Characters of a line of an error message that are shown."""

_FORMULA = re.compile(r"[\t\r\n ]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&$@])")
_LEADING = re.compile(r"(\d*)([-+=.)])(?=\s|$)")
_LINK = re.compile(r"(?i)(?<=[a-z])(:)(?=//)|(?<=www)(\.)")


def escape_control_characters(text: str) -> str:
    r"""Return ``text`` with every character escaped that is not seen but obeyed; newline and tab are kept.

    These are the control characters of ASCII and Latin-1, the invisible ones of Unicode (direction, width zero, line
    separators, tags), halves of surrogate pairs, and what is not assigned. Spaces of every width are kept.

    >>> print(escape_control_characters("a\x1b[31mb\u202ec"))
    a\x1b[31mb\u202ec
    """
    if text.isprintable():
        return str(text)
    return "".join(c if _is_harmless(c) else c.encode("unicode_escape").decode() for c in text)


def _is_harmless(character: str) -> bool:
    return character.isprintable() or character in "\n\t" or unicodedata.category(character) == "Zs"


def escape_json(text: str) -> str:
    r"""Return JSON, which may hold any character, with those escaped that `escape_control_characters` escapes.

    >>> print(escape_json('{"a": "\x7f"}'))
    {"a": "\u007f"}
    """
    if text.isprintable():
        return text
    return "".join(c if _is_harmless(c) else f"\\u{ord(c):04x}" if c == "\x7f" else json.dumps(c)[1:-1] for c in text)


def shorten_lines(text: str, most: int = LONGEST_MESSAGE) -> str:
    """Return ``text`` with the middle of each line cut out that is longer than ``most`` characters.

    >>> shorten_lines("x" * 50 + " is no number", 30)
    'xxxxxxx [...] xxxxxx is no number'
    """
    return "\n".join(_shorten(line, most) for line in text.split("\n"))


def _shorten(line: str, most: int) -> str:
    if len(line) <= most:
        return line
    return f"{line[: most // 4]} [...] {line[-(most - most // 4 - 4) :]}"


def escape_markdown(text: str) -> str:
    r"""Return ``text`` as Markdown that shows exactly these characters, on one line; nothing becomes a link.

    >>> print(escape_markdown("a_b <i> https://x.org"))
    a\_b \<i\> https\://x.org
    >>> print(escape_markdown("1. one"))
    1\. one
    """
    words = " ".join(escape_control_characters(text).split())
    escaped = _LINK.sub(r"\\\g<0>", _SPECIAL.sub(r"\\\1", words))
    marker = _LEADING.match(escaped)
    return f"{marker[1]}\\{escaped[marker.end(1) :]}" if marker else escaped


def format_code_span(text: str) -> str:
    """Return ``text`` as Markdown code, fenced by more backquotes than it has in a row.

    >>> print(format_code_span("age"), format_code_span("a`b"))
    `age` `` a`b ``
    """
    words = " ".join(escape_control_characters(text).split())
    fence = "`" * max(1, *(len(found) + 1 for found in re.findall("`+", words)), 1)
    return f"{fence} {words} {fence}" if "`" in words else f"`{words}`"


def escape_formula(cell: Any) -> Any:
    """Return text for a cell of a CSV file, with an apostrophe in front where a spreadsheet would run it.

    Other values are returned unchanged.

    >>> escape_formula("=1+1"), escape_formula("-1"), escape_formula(-1.5)
    ("'=1+1", "'-1", -1.5)
    """
    if not isinstance(cell, str):
        return cell
    return escape_control_characters(f"'{cell}" if _FORMULA.match(cell) else cell)
