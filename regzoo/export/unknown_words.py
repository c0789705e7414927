"""Words in the rows to predict that differ from a category of the training data in case or blanks alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from regzoo.core.escaping import escape_control_characters
from regzoo.data.spelling import normalize_spelling
from regzoo.export.exported_model import ExportedModel, NamedArrays

MOST_NOTES = 10
"""Words of each column that are named."""


def notify_unknown_spellings(
    model: ExportedModel, chunks: Iterable[NamedArrays], source: str, notify: Callable[[str], None]
) -> Iterator[NamedArrays]:
    """Yield ``chunks`` unchanged; call ``notify`` with a sentence for each such word, once.

    The model treats such a word as any word that is no category: it does not guess.
    """
    spellings = {name: _index_spellings(words) for name, words in model.categories.items()}
    seen = {name: {"", *words} for name, words in model.categories.items()}
    named = dict.fromkeys(model.categories, 0)
    for chunk in chunks:
        for name, known in seen.items():
            new = [word for word in dict.fromkeys(chunk[name].tolist()) if word not in known]
            known.update(new)
            for word in new:
                category = spellings[name].get(normalize_spelling(str(word)))
                if category is not None and named[name] < MOST_NOTES:
                    named[name] += 1
                    what = f"column {model.inputs[name]!r} has {word!r}, which is no category that the model knows"
                    notify(escape_control_characters(f"{source}: {what}; {category!r} is: write it so"))
        yield chunk


def _index_spellings(words: Iterable[str]) -> dict[str, str]:
    return {normalize_spelling(word): word for word in words}
