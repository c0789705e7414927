"""Pad sequences of tokens that have different lengths: lists of lists, columns of lists, ragged tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from regzoo.core.errors import InputError
from regzoo.data.dataset import Array
from regzoo.data.input_form import InputForms
from regzoo.data.vocabulary import PADDING

WAY_OUT = (
    "whole numbers that are tokens may have different lengths (data.kind: tokens, in Python kind='tokens'); pad other "
    "sequences: x = keras.utils.pad_sequences(x, dtype='float32', padding='post')"
)
"""Ends the message about rows of different lengths."""

JOIN = "join them: x = [' '.join(words) for words in x]"
"""Ends the message about texts that are split into words already."""


def pad_rows(x: Any, kind: InputForms | None, name: str, own: bool) -> tuple[Any, tuple[str, ...]]:
    """Return sequences of tokens as one padded array, with a sentence that says so; other inputs as they are.

    Args:
        x: inputs of any form.
        kind: what they are, as the user says it; None to see it from the data.
        name: name of the data in messages.
        own: whether they are for a model of the user's own, which may take a list of arrays.

    Raises:
        InputError: if rows of different lengths are no tokens, or cannot be padded.
    """
    rows = None if kind == "text" or (own and kind != "tokens") else list_sequences(x)
    if rows is None:
        return x, ()
    if any(isinstance(cell, str) for row in rows if _is_sequence(row) for cell in row):
        raise InputError(f"{name}: x: text takes one text a row, received lists of words; {JOIN}")
    if kind != "tokens":
        raise InputError(f"{name}: the rows of x have different lengths, or are lists; {WAY_OUT}")
    tokens = pad_tokens(rows, f"{name}: x")
    lengths = [len(row) for row in rows]
    if min(lengths) == max(lengths):
        return tokens, ()
    return tokens, (f"sequences of {min(lengths)} to {max(lengths)} tokens were padded with 0 at their ends",)


def list_sequences(x: Any) -> list[Any] | None:
    """Return one list or array a row; None if ``x`` is no list, array, column or ragged tensor of such sequences.

    Args:
        x: inputs of any form; lists of equal lengths are an array, and none of these.
    """
    if isinstance(x, pd.DataFrame) and x.shape[1] == 1:
        x = x.iloc[:, 0]
    if hasattr(x, "row_lengths") and hasattr(x, "to_list"):  # of TensorFlow, which is not imported here
        return list(x.to_list())
    if isinstance(x, pd.Series):
        x = x.tolist()
    elif isinstance(x, np.ndarray):
        if x.dtype.kind != "O" or x.ndim != 1:
            return None
        x = x.tolist()
    elif not isinstance(x, list | tuple) or len({len(row) if _is_sequence(row) else -1 for row in x}) < 2:
        return None
    return list(x) if any(_is_sequence(row) for row in x) else None


def pad_tokens(rows: list[Any], where: str, length: int | None = None) -> Array:
    """Return the tokens of ``rows`` as an array (n, longest), with 0 behind those of shorter ones.

    Args:
        rows: a list or an array of whole numbers for each row; an empty one is a sequence without tokens.
        where: the inputs in messages.
        length: the number of steps, from that of the longest row; None for just this.

    Raises:
        InputError: with the first row that holds something else, more than ``length`` tokens, or the token 0, which
            would be padding.
    """
    sequences = [_read_sequence(row, f"{where}: row {number}") for number, row in enumerate(rows, 1)]
    longest = max(len(sequence) for sequence in sequences)
    if longest == 0:
        raise InputError(f"{where}: no row has a token; there is nothing to learn")
    ragged = any(len(sequence) < (length or longest) for sequence in sequences)
    tokens = np.full((len(sequences), length or longest), PADDING, np.int64)
    for number, (row, sequence) in enumerate(zip(tokens, sequences, strict=True), 1):
        if len(sequence) > len(row):
            raise InputError(f"{where}: row {number} has {len(sequence)} tokens, and at most {len(row)} are taken")
        if ragged and (sequence == PADDING).any():
            raise InputError(
                f"{where}: shorter rows are padded with 0, and row {number} holds the token 0; number the tokens "
                "from 1 on (add 1 to each), or give rows of one length"
            )
        row[: len(sequence)] = sequence
    return tokens


def _is_sequence(row: Any) -> bool:
    return isinstance(row, list | tuple) or (isinstance(row, np.ndarray) and row.ndim == 1)


def _read_sequence(row: Any, where: str) -> Array:
    """Return the tokens of one row (steps,)."""
    if not _is_sequence(row):
        raise InputError(
            f"{where} holds {row!r:.40} ({type(row).__name__}), and others a list of tokens; give each row a list, an "
            "empty one where there is none"
        )
    numbers = np.asarray(
        row if len({np.ndim(cell) for cell in row}) < 2 else [""], dtype=None if len(row) else np.int64
    )
    whole = numbers.ndim == 1 and (numbers.dtype.kind in "iu" or (numbers.dtype.kind == "f" and _are_whole(numbers)))
    if not whole:
        raise InputError(f"{where} holds {row!r:.60}, and tokens (data.kind) are whole numbers")
    return numbers.astype(np.int64)


def _are_whole(numbers: Array) -> bool:
    return bool(np.isfinite(numbers).all() and (numbers == np.floor(numbers)).all())
