"""Read text and tokens: inputs of one kind that become whole numbers, which a model looks up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from regzoo.core.errors import InputError
from regzoo.core.formatting import format_list
from regzoo.data.column_fitting import count_least
from regzoo.data.dataset import Array
from regzoo.data.inputs import NamedInputs
from regzoo.data.sources.named_inputs import read_input
from regzoo.data.table import Table
from regzoo.data.vocabulary import split_words

TEXT, TOKENS = "text", "tokens"
"""Names of inputs that are no columns."""


def is_text(x: Any) -> bool:
    """Return True for one text a row: a list, an array or a column of nothing but text."""
    if isinstance(x, pd.Series | pd.Index):
        cells = x.dropna()
        return len(cells) > 0 and all(isinstance(cell, str) for cell in cells)
    if isinstance(x, np.ndarray):
        return x.ndim == 1 and len(x) > 0 and (x.dtype.kind in "UT" or all(isinstance(each, str) for each in x))
    return isinstance(x, list | tuple) and len(x) > 0 and all(isinstance(each, str) for each in x)


def holds_free_text(table: Any) -> bool:
    """Return True for a table of one column that holds sentences: words in most cells, and hardly a cell twice.

    No rule for columns could use it: it would be left out, as text of which each value is rare.
    """
    if not isinstance(table, Table) or table.kinds != ("categorical",):
        return False
    present = [text for text in table.values[0].tolist() if text]
    frequent = sum(count for count in Counter(present).values() if count >= count_least(len(table)))
    sentences = sum(len(split_words(text)) > 1 for text in present)
    return 2 * frequent < len(present) and 2 * sentences > len(present)


def read_text(x: Any, name: str) -> NamedInputs:
    """Return one text a row (n,), by the name of its column; a missing cell is an empty text.

    Raises:
        InputError: if there are several columns, or something else than text.
    """
    key, what = TEXT, f"{name}: x: text (data.kind) takes one text a row, of shape (n,)"
    if isinstance(x, Mapping):
        raise InputError(f"{what}, received a dict of arrays; give one of them")
    if isinstance(x, pd.DataFrame):
        columns = [str(column) for column in x.columns]
        if len(columns) != 1:
            raise InputError(
                f"{what}, received the columns {format_list([repr(column) for column in columns[:10]])}; leave out "
                "all but one (data.drop)"
            )
        key, x = columns[0], x.iloc[:, 0]
    elif isinstance(x, pd.Series) and x.name is not None:
        key = str(x.name)
    texts = read_input(x, f"{name}: x", "text")
    texts = texts[:, 0] if texts.ndim == 2 and texts.shape[1] == 1 else texts
    if texts.dtype.kind != "O" or texts.ndim != 1:
        received = f"the shape {texts.shape}" if texts.dtype.kind == "O" else f"{texts.dtype} numbers"
        raise InputError(f"{what}, received {received}; take data.kind (kind=) out, or give text")
    return NamedInputs({key: texts})


def as_tokens(numbers: Array, name: str) -> Array:
    """Return whole ``numbers`` (n, steps) as int64.

    Raises:
        InputError: if one has a fraction, with its row.
    """
    wrong = numbers != np.floor(numbers)
    if wrong.any():
        row = int(np.min(np.nonzero(wrong)[0]))
        raise InputError(
            f"{name}: x: tokens (data.kind) are whole numbers, received {numbers[wrong][0]:g} in row {row + 1}; "
            "data.kind: sequences takes numbers of any kind"
        )
    return numbers.astype(np.int64)
