"""Words that differ from a category of the training data in case or blanks alone are named; nothing is guessed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from regzoo.export.unknown_words import MIN_ROWS, MOST_NOTES, notify_unknown_spellings


class Model:
    """What is read of an exported model."""

    categories = {"size": ("S", "M", "extra large")}  # noqa: RUF012
    inputs = {"size": "the size", "price": "price"}  # noqa: RUF012


def note(*chunks: Sequence[str]) -> list[str]:
    given: list[Any] = [{"size": np.array(words, dtype=object), "price": np.zeros(len(words))} for words in chunks]
    notes: list[str] = []
    taken = list(notify_unknown_spellings(Model, given, "in.csv", notes.append))  # type: ignore[arg-type]
    assert all(one is other for one, other in zip(taken, given, strict=True))
    return notes


def test_each_spelling_is_named_once() -> None:
    assert note(["S", "m", "", "L"], ["m", "Extra  Large"]) == [
        "in.csv: column 'the size' has 'm', which is no category that the model knows; 'M' is: write it so",
        "in.csv: column 'the size' has 'Extra  Large', which is no category that the model knows; 'extra large' is: "
        "write it so",
    ]
    assert note(["S", "M", "XL", "large"]) == []


def test_notes_end() -> None:
    assert len(note(["S", *("S" + " " * n + "\u200b" for n in range(50))])) == MOST_NOTES


def test_a_column_without_any_known_category_is_named_once() -> None:
    assert note(["b'S'", ""] * MIN_ROWS, ["XL"] * MIN_ROWS) == [
        "in.csv: column 'the size' has no category that the model knows in 10 rows; \"b'S'\" is none, 'S' is one"
    ]
    assert note(["XL"] * (MIN_ROWS - 1)) == note(["XL"] * 20 + ["M"]) == []
