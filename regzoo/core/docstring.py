"""Parser for the docstrings of regularizers and backbones: summary, labeled sections, arguments, example."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field

LABELS = ("Formula", "Cost", "Slots", "Reference", "Departure")
"""Labels of sections: a paragraph, or a line in one, begins with a label and a colon."""

_LABEL = re.compile(rf"^({'|'.join(LABELS)}): ", re.MULTILINE)
_ENTRY = re.compile(r"^ {4}(\w+): ", re.MULTILINE)


@dataclass(frozen=True)
class Docstring:
    """The contents of a docstring, each text on one line.

    Attributes:
        summary: the first line.
        sections: the text after each label of `LABELS` that occurs.
        args: the description of each field.
        raises: the description of each error.
        notes: the other paragraphs.
        example: the output of its example.
    """

    summary: str
    sections: dict[str, str] = field(default_factory=dict)
    args: dict[str, str] = field(default_factory=dict)
    raises: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    example: str = ""


def read_docstring(kind: type) -> Docstring:
    """Parse the docstring of a class.

    >>> from regzoo.regularizers import L2
    >>> read_docstring(L2).summary
    'Keep weights small by adding the sum of their squares to the training loss.'
    >>> list(read_docstring(L2).sections), list(read_docstring(L2).args)
    (['Formula', 'Reference'], ['strength'])
    """
    summary, *paragraphs = inspect.cleandoc(kind.__doc__ or "").split("\n\n")
    sections: dict[str, str] = {}
    entries: dict[str, dict[str, str]] = {"Args:\n": {}, "Raises:\n": {}}
    notes, example = [], ""
    for paragraph in paragraphs:
        heading = next((heading for heading in entries if paragraph.startswith(heading)), None)
        if heading is not None:
            entries[heading] = _split_at(_ENTRY, paragraph)
        elif paragraph.startswith(">>> "):
            example = _join_lines(
                "\n".join(line for line in paragraph.splitlines() if not line.startswith((">>> ", "... ")))
            )
        elif _LABEL.match(paragraph):
            sections |= _split_at(_LABEL, paragraph)
        else:
            notes.append(_join_lines(paragraph))
    return Docstring(_join_lines(summary), sections, entries["Args:\n"], entries["Raises:\n"], tuple(notes), example)


def _split_at(headings: re.Pattern[str], paragraph: str) -> dict[str, str]:
    """Return the text after each heading, by the heading's word."""
    _, *pieces = headings.split(paragraph)
    return {word: _join_lines(text) for word, text in zip(pieces[::2], pieces[1::2], strict=True)}


def _join_lines(text: str) -> str:
    return " ".join(text.split())
