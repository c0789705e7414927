"""Fit how texts or tokens become the whole numbers that a model looks up; report what is cut or unknown."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from regzoo.core.errors import InputError
from regzoo.core.formatting import format_integer, format_percent
from regzoo.data.dataset import Array
from regzoo.data.input_form import InputForm
from regzoo.data.input_rules import InputRule
from regzoo.data.inputs import InputSpec, NamedInputs, format_shape
from regzoo.data.vocabulary import MAX_TOKENS, MAX_WORDS, TokenRange, Vocabulary, choose_words, count_words, split_words

LARGEST_TOKEN = 10**6
"""Each token has a row in a table of vectors, up to this one."""

DTYPE = "int32"


def fit_tokens(
    source: str, inputs: NamedInputs, form: InputForm, rows: Array, specs: tuple[InputSpec, ...]
) -> tuple[InputRule, tuple[str, ...]]:
    """Fit the rule that turns texts or raw tokens into tokens, on training ``rows``.

    Args:
        source: name of the data in messages.
        inputs: its one input: texts (n,) or whole numbers (n, steps).
        form: which of both, and the limits of text.
        rows: numbers of the training rows.
        specs: the input of a user's own model; empty for a backbone of regzoo, or if it is not known yet.

    Returns:
        The rule, and sentences for the report.

    Raises:
        InputError: if there is no word in the training texts, or a token is negative or too large.
    """
    ((name, values),) = inputs.arrays.items()
    if form.kind == "text":
        return _fit_vocabulary(source, name, values, rows, form, specs)
    return _fit_range(source, name, values, rows)


def _fit_vocabulary(
    source: str, name: str, texts: Array, rows: Array, form: InputForm, specs: tuple[InputSpec, ...]
) -> tuple[InputRule, tuple[str, ...]]:
    counts = count_words(texts[rows])
    if not counts:
        raise InputError(
            f"{source}: {name!r} has no word in any of {len(rows)} training texts; there is nothing to learn"
        )
    limit = form.max_tokens or MAX_TOKENS
    words = choose_words(counts, limit)
    lengths = np.array([len(split_words(text)) for text in texts])
    fixed = specs[0].shape[0] if specs else None
    if fixed and form.sequence_length not in (None, fixed):
        raise InputError(
            f"{source}: data.sequence_length is {form.sequence_length}, and the model's input {specs[0]} takes "
            f"{format_shape(specs[0].shape)}; give both the same length, or leave sequence_length out"
        )
    length = fixed or form.sequence_length or int(min(MAX_WORDS, lengths[rows].max()))
    encoder = Vocabulary(words, length)
    rule = InputRule(InputSpec(name, (length,), specs[0].dtype if specs else DTYPE), encoder=encoder)
    return rule, tuple(f"{name!r}: {each}" for each in _describe(encoder, counts, texts, rows, lengths))


def _describe(encoder: Vocabulary, counts: Mapping[str, int], texts: Array, rows: Array, lengths: Array) -> list[str]:
    """Return sentences on what the vocabulary makes of all texts."""
    sentences = [
        f"texts became up to {encoder.length} tokens each, of a vocabulary of {format_integer(len(encoder.words))} "
        "words of the training part"
    ]
    dropped = len(counts) - len(encoder.words)
    if dropped:
        sentences.append(
            f"{format_integer(dropped)} rarer words of the training part share the unknown one (max_tokens)"
        )
    cut = int((lengths > encoder.length).sum())
    if cut:
        sentences.append(
            f"{cut} of {len(lengths)} texts have more words, the longest {lengths.max()}, and are cut (sequence_length)"
        )
    empty = int((lengths == 0).sum())
    if empty:
        sentences.append(f"{empty} of {len(lengths)} texts have no word")
    known = set(encoder.words)
    elsewhere = [word for text in np.delete(texts, rows) for word in split_words(text)]
    unknown = sum(word not in known for word in elsewhere)
    if unknown:
        share = format_percent(unknown / len(elsewhere), unit="%")
        sentences.append(f"{share} of the words outside the training part are not in it, and count as one unknown word")
    return sentences


def _fit_range(source: str, name: str, tokens: Array, rows: Array) -> tuple[InputRule, tuple[str, ...]]:
    where = f"{source}: {name!r}"
    for wrong, problem in ((tokens < 0, "count tokens from 0"), (tokens > LARGEST_TOKEN, "number them from 1 on")):
        if wrong.any():
            row = int(np.min(np.nonzero(wrong)[0]))
            raise InputError(
                f"{where} holds the token {tokens[wrong][0]} in row {row + 1}, and each has a vector: {problem}"
            )
    between = _find_zero_between(tokens)
    padded = between is None
    encoder = TokenRange(int(tokens[rows].max()), padded)
    sentences = []
    if between is not None:
        sentences.append(
            f"0 stands between other tokens, first in row {between + 1}, so it is one of them; nothing is padding"
        )
    elif (tokens == 0).any():
        ends = int((tokens == 0).any(axis=1).sum())
        sentences.append(f"0 at the ends of {ends} of {len(tokens)} sequences is padding, which is masked")
    unknown = int((np.delete(tokens, rows, axis=0) > encoder.largest).sum())
    if unknown:
        sentences.append(
            f"{unknown} tokens outside the training part are above its largest, {encoder.largest}: they are masked"
        )
    rule = InputRule(InputSpec(name, tokens.shape[1:], DTYPE), encoder=encoder)
    return rule, tuple(f"{name!r}: {each}" for each in sentences)


def _find_zero_between(tokens: Array) -> int | None:
    """Return the first row of ``tokens`` (n, steps) in which a 0 stands between others; None if none does."""
    zero = tokens == 0
    begun = np.logical_or.accumulate(~zero, axis=1)
    goes_on = np.logical_or.accumulate(~zero[:, ::-1], axis=1)[:, ::-1]
    between = (zero & begun & goes_on).any(axis=1)
    return int(np.argmax(between)) if between.any() else None
