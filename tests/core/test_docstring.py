"""Parsed docstrings: labels, entries, notes and the output of the example."""

from __future__ import annotations

from regzoo.core.docstring import Docstring, read_docstring


class Whole:
    """Do one thing
    in a sentence.

    Formula: a + b,
    over two lines. Cost: this is not at the start of a line.

    Note: an unknown label is a note.

    Cost: dear.

    Args:
        first: the one, which
            goes on.
        second: the other: with a colon.

    Raises:
        InputError: if it must.

    Reference: Somebody 2001, https://example.org
    Departure: ours is better.

    >>> from somewhere import Whole
    >>> print(Whole(
    ...     1))
    whole(1)
    """


def test_every_part_is_found() -> None:
    assert read_docstring(Whole) == Docstring(
        summary="Do one thing in a sentence.",
        sections={
            "Formula": "a + b, over two lines. Cost: this is not at the start of a line.",
            "Cost": "dear.",
            "Reference": "Somebody 2001, https://example.org",
            "Departure": "ours is better.",
        },
        args={"first": "the one, which goes on.", "second": "the other: with a colon."},
        raises={"InputError": "if it must."},
        notes=("Note: an unknown label is a note.",),
        example="whole(1)",
    )


def test_nothing_is_nothing() -> None:
    class Silent:
        pass

    assert read_docstring(Silent) == Docstring("")
