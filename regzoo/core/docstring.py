"""Docstring: the parts that a docstring of the zoo consists of, by their labels."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field

LABELS = ("Formula", "Cost", "Slots", "Reference", "Departure")
"""Paragraphs, or lines in one, that begin with a label and a colon."""

_LABEL = re.compile(rf"^({'|'.join(LABELS)}): ", re.MULTILINE)
_ENTRY = re.compile(r"^ {4}(\w+): ", re.MULTILINE)


@dataclass(frozen=True)
class Docstring:
    """A docstring in parts, each on one line.

    Attributes:
        does: the first line.
        labelled: what stands behind each label of `LABELS` that is there.
        args: what is said of each field.
        raises: what is said of each error.
        notes: the other paragraphs.
        example: what its example prints.
    """

    does: str
    labelled: dict[str, str] = field(default_factory=dict)
    args: dict[str, str] = field(default_factory=dict)
    raises: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    example: str = ""


def read_docstring(kind: type) -> Docstring:
    """Take the docstring of a class apart.

    >>> from regzoo.regularizers import L2
    >>> read_docstring(L2).does
    'Add the sum of squared weights to the training loss, which keeps them small.'
    >>> list(read_docstring(L2).labelled), list(read_docstring(L2).args)
    (['Formula', 'Reference'], ['strength'])
    """
    does, *paragraphs = inspect.cleandoc(kind.__doc__ or "").split("\n\n")
    labelled: dict[str, str] = {}
    entries: dict[str, dict[str, str]] = {"Args:\n": {}, "Raises:\n": {}}
    notes, example = [], ""
    for paragraph in paragraphs:
        head = next((head for head in entries if paragraph.startswith(head)), None)
        if head is not None:
            entries[head] = _split(_ENTRY, paragraph)
        elif paragraph.startswith(">>> "):
            example = _line("\n".join(line for line in paragraph.splitlines() if not line.startswith((">>> ", "... "))))
        elif _LABEL.match(paragraph):
            labelled |= _split(_LABEL, paragraph)
        else:
            notes.append(_line(paragraph))
    return Docstring(_line(does), labelled, entries["Args:\n"], entries["Raises:\n"], tuple(notes), example)


def _split(heads: re.Pattern[str], paragraph: str) -> dict[str, str]:
    """The text behind each head, by the head's word."""
    _, *pieces = heads.split(paragraph)
    return {word: _line(text) for word, text in zip(pieces[::2], pieces[1::2], strict=True)}


def _line(text: str) -> str:
    return " ".join(text.split())
