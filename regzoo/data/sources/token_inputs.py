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
from regzoo.data.sources.ragged import JOIN
from regzoo.data.table import Table
from regzoo.data.vocabulary import are_sentences

TEXT, TOKENS = "text", "tokens"
"""Names of inputs that are no columns."""


def is_text(x: Any) -> bool:
    """Return True for one text a row: a list, an array, a tensor or a column of nothing but text and missing cells."""
    cells = _list_cells(x)
    return (
        cells is not None and any(map(_is_word, cells)) and all(_is_word(cell) or _is_missing(cell) for cell in cells)
    )


def _list_cells(x: Any) -> list[Any] | None:
    """Return what may be one text a row; None for anything else."""
    if isinstance(x, pd.Series | pd.Index):
        return list(x.dropna())
    if getattr(getattr(x, "dtype", None), "name", None) == "string" and hasattr(x, "numpy"):
        x = np.asarray(x)  # a tensor of TensorFlow, which is not imported here
    if isinstance(x, np.ndarray):
        return list(x) if x.ndim == 1 and x.dtype.kind in "OSTU" else None
    return list(x) if isinstance(x, list | tuple) else None


def _is_word(cell: Any) -> bool:
    return isinstance(cell, str | bytes)


def _is_missing(cell: Any) -> bool:
    return cell is None or cell is pd.NA or (isinstance(cell, float) and cell != cell)


def holds_free_text(table: Any) -> bool:
    """Return True for a table of one column that holds sentences: words in most cells, and hardly a cell twice.

    No rule for columns could use it: it would be left out, as text of which each value is rare.
    """
    if not isinstance(table, Table) or table.kinds != ("categorical",):
        return False
    present = [text for text in table.values[0].tolist() if text]
    frequent = sum(count for count in Counter(present).values() if count >= count_least(len(table)))
    return 2 * frequent < len(present) and are_sentences(present)


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
            raise InputError(f"{what}, received the columns {_list_columns(columns)}; leave out {_choose(x)}")
        key, x = columns[0], x.iloc[:, 0]
    elif isinstance(x, pd.Series) and x.name is not None:
        key = str(x.name)
    _reject_words(x, what)
    cells = None if isinstance(x, pd.Series | pd.DataFrame) else _list_cells(x)
    if cells is not None and any(map(_is_word, cells)):
        x = [_decode(cell, f"{name}: x: row {row}") for row, cell in enumerate(cells, 1)]
    texts = read_input(x, f"{name}: x", "text")
    texts = texts[:, 0] if texts.ndim == 2 and texts.shape[1] == 1 else texts
    if texts.dtype.kind != "O" or texts.ndim != 1:
        received = f"the shape {texts.shape}" if texts.dtype.kind == "O" else f"{texts.dtype} numbers"
        raise InputError(f"{what}, received {received}; take data.kind (kind=) out, or give text")
    return NamedInputs({key: texts})


def _decode(cell: Any, where: str) -> Any:
    """Return a cell of text, bytes in UTF-8 decoded, and a missing one as an empty text; anything else as it is."""
    if not isinstance(cell, bytes):
        return "" if _is_missing(cell) else cell
    try:
        return cell.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(
            f"{where} holds {cell!r:.40}, which is no text in UTF-8; decode it: text.decode(...)"
        ) from None


def _reject_words(x: Any, what: str) -> None:
    """Raise InputError for texts that are split into words already."""
    rows = x if isinstance(x, list | tuple) else ()
    if rows and all(isinstance(row, list | tuple) and all(map(_is_word, row)) for row in rows) and any(rows):
        raise InputError(f"{what}, received lists of words; {JOIN}")


def _list_columns(columns: list[str]) -> str:
    return format_list([repr(column) for column in columns[:10]])


def _choose(frame: pd.DataFrame) -> str:
    """Return in words which columns to leave out: all others, if a single one holds sentences."""
    texts = {str(name): cells.dropna() for name, cells in frame.items() if are_sentences(cells.dropna().tolist())}
    if len(texts) != 1:
        return "all but one (data.drop)"
    (kept,) = texts
    others = [str(column) for column in frame.columns if str(column) != kept]
    return f"all but {kept!r}: data.drop: [{', '.join(others[:10])}{', ...' if len(others) > 10 else ''}]"


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
