"""Words that differ in case or blanks alone: most likely one label or category, written in several ways."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np

from regzoo.core.formatting import format_list, format_short_list
from regzoo.data.dataset import Array, Dataset
from regzoo.data.different import factorize
from regzoo.data.table import Table

MOST_CATEGORIES = 1000
"""Columns with more different words are no categories, but free text or identifiers."""

_MAX_SHOWN = 10
_LONGEST = 40


def normalize_spelling(text: str) -> str:
    r"""Return a text without case, blanks and characters that are not seen.

    Letters that Unicode can write in several ways are written in one.

    >>> normalize_spelling(" New\u00a0York"), normalize_spelling("new york\u200b")
    ('newyork', 'newyork')
    """
    seen = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in seen if not char.isspace() and unicodedata.category(char) != "Cf")


def group_spellings(texts: Sequence[str]) -> list[list[str]]:
    """Return the different ``texts`` that are equal but for their spelling, each group in the order of its texts.

    >>> group_spellings(["yes", "no", "Yes", "maybe"])
    [['yes', 'Yes']]
    """
    groups: dict[str, list[str]] = {}
    for text in dict.fromkeys(texts):
        groups.setdefault(normalize_spelling(text), []).append(text)
    return [group for group in groups.values() if len(group) > 1]


def describe_other_spellings(label: str, labels: Sequence[object]) -> str:
    """Return in words which of ``labels`` differ from ``label`` in their spelling alone; empty if none does."""
    texts = [text for text in labels if isinstance(text, str)] if isinstance(label, str) else []
    others = [text for group in group_spellings(texts) if label in group for text in group if text != label]
    if not others:
        return ""
    return f", which differs from {_list_words(others)} in case or blanks alone"


def warn_spellings(dataset: Dataset) -> list[str]:
    """Warn of labels, categories and groups that differ in case or blanks alone."""
    return [f"{dataset.name}: {sentence}" for sentence in _find_spellings(dataset)]


def _find_spellings(dataset: Dataset) -> Iterator[str]:
    if dataset.y is not None and dataset.y.dtype.kind == "U":
        name = "y" if dataset.target is None else f"column {dataset.target!r}"
        yield from _describe_spellings(dataset.y, f"{name} has labels", "each is a class of its own")
    if isinstance(dataset.x, Table):
        for column, kind, values in zip(dataset.x.columns, dataset.x.kinds, dataset.x.values, strict=True):
            if kind == "categorical" and len(factorize(values)[1]) <= MOST_CATEGORIES:
                what = f"column {column!r} has categories"
                yield from _describe_spellings(values, what, "each is a category of its own")
    if dataset.group is not None and dataset.group.dtype.kind == "U":
        yield from _describe_spellings(dataset.group, "data.group has groups", "each may be in another part")


def _describe_spellings(values: Array, what: str, effect: str) -> Iterator[str]:
    """Yield a sentence if some of ``values`` (n,) differ in their spelling alone."""
    codes, different = factorize(values)
    counts = dict(zip(different.tolist(), np.bincount(codes).tolist(), strict=True))
    groups = group_spellings([text for text in counts if text])
    if groups:
        listed = [
            format_list([f"{_shorten(text)} ({counts[text]})" for text in group]) for group in groups[:_MAX_SHOWN]
        ]
        more = f"; and {len(groups) - _MAX_SHOWN} more" if len(groups) > _MAX_SHOWN else ""
        yield f"{what} that differ in case or blanks alone: {'; '.join(listed)}{more}; {effect}; write each in one way"


def _list_words(words: Sequence[str]) -> str:
    return format_short_list([_shorten(word) for word in words])


def _shorten(text: str) -> str:
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...")
