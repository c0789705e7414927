"""Words in the rows to predict that are no category: all of a column, or those that differ in case or blanks alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from regzoo.core.escaping import escape_control_characters
from regzoo.data.columns import WHOLE
from regzoo.data.spelling import normalize_spelling
from regzoo.export.exported_model import ExportedModel, NamedArrays

MIN_ROWS = 10
"""Rows that have no known word at least, for a sentence about the whole column."""

MOST_NOTES = 10
"""Words of each column that are named."""


def notify_unknown_spellings(
    model: ExportedModel, chunks: Iterable[NamedArrays], source: str, notify: Callable[[str], None]
) -> Iterator[NamedArrays]:
    """Yield ``chunks`` unchanged; call ``notify`` once with a sentence for each such word, or for the column.

    The model treats such a word as any word that is no category: it does not guess.
    """
    spellings = {name: _index_spellings(words) for name, words in model.categories.items()}
    seen = {name: {"", *words} for name, words in model.categories.items()}
    named = dict.fromkeys(model.categories, 0)
    strange: set[str] = set()
    for chunk in chunks:
        for name, known in seen.items():
            present = [word for word in chunk[name].tolist() if word]
            if name not in strange and len(present) >= MIN_ROWS and not _has_known(present, model, name):
                strange.add(name)
                shown = f"{str(present[0])[:40]!r} is none, {model.categories[name][0]!r} is one"
                what = f"column {model.inputs[name]!r} has no category that the model knows in {len(present)} rows"
                notify(escape_control_characters(f"{source}: {what}; {shown}"))
            new = [word for word in dict.fromkeys(chunk[name].tolist()) if word not in known]
            known.update(new)
            for word in new:
                category = spellings[name].get(normalize_spelling(str(word)))
                if category is not None and named[name] < MOST_NOTES:
                    named[name] += 1
                    what = f"column {model.inputs[name]!r} has {word!r}, which is no category that the model knows"
                    notify(escape_control_characters(f"{source}: {what}; {category!r} is: write it so"))
        yield chunk


def _has_known(words: Sequence[str], model: ExportedModel, name: str) -> bool:
    """Return True if one of ``words`` is a category, also if it is written as 7.0 for 7."""
    known = set(model.categories[name])
    return any(word in known or re.sub(*WHOLE, str(word)) in known for word in words)


def _index_spellings(words: Iterable[str]) -> dict[str, str]:
    return {normalize_spelling(word): word for word in words}
