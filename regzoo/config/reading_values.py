"""Validator for words in a config that are cells of the data, as the user wrote them."""

from __future__ import annotations

from typing import Any

from regzoo.config.values import accept_text
from regzoo.config.yaml_source import Scalar


def accept_words(value: Any) -> tuple[str, ...]:
    """Accept a word, or a list of words, and return their texts, without blanks at their ends; nothing is no words.

    A number, and a word that YAML takes for something else, such as ``no``, is the text that it was written as.
    """
    if value is None or (isinstance(value, Scalar) and value.kind == "nothing" and not value.quoted):
        return ()
    items = value if isinstance(value, list | tuple) else [value]
    return tuple(dict.fromkeys(_accept_word_as_written(item).strip() for item in items))


def _accept_word_as_written(value: Any) -> str:
    if isinstance(value, Scalar) and value.text.strip():
        return value.text
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else accept_text(value)
