"""Read several labels a row, each true or false, such as the tags of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from regzoo.core.errors import ErrorCollector, InputError
from regzoo.data.dataset import Array
from regzoo.data.sources.plain_types import plain_series
from regzoo.data.sources.python_objects import BOOLEAN, NUMBER, WHOLE, find_missing, list_kinds

_BOOLEANS = {"0": False, "1": True, "false": False, "true": True, "False": False, "True": True}
_NUMBERS = (bool, np.bool_, int, float, np.integer, np.floating)


def read_labels(columns: pd.DataFrame, names: tuple[str, ...], name: str) -> Array:
    """Return ``columns`` of 0 and 1, or of false and true, as booleans (n, labels).

    Args:
        columns: one column for each label.
        names: names of the labels.
        name: name of the data in messages.

    Raises:
        InputError: with every column that holds other values, and the row of the first of them.
    """
    cells = [_as_numbers(columns.iloc[:, position], name) for position in range(len(names))]
    _reject_quantities(cells, names, name)
    errors, values = ErrorCollector(), []
    for each, label in zip(cells, names, strict=True):
        with errors.collect():
            values.append(_read_label(each, f"{name}: y: column {label!r} ({len(columns)} rows)"))
    errors.raise_if_any()
    return np.stack(values, axis=1)


def read_binary_cells(cells: pd.Series) -> pd.Series:
    """Return text cells as booleans if they are 0, 1, true or false, and as None if they are empty.

    >>> read_binary_cells(pd.Series(["1", "false", "", "2"])).tolist()
    [True, False, None, '2']
    """
    return pd.Series([_BOOLEANS.get(cell, cell or None) for cell in cells], name=cells.name, dtype=object)


def _as_numbers(cells: pd.Series, name: str) -> pd.Series:
    """Return a column of numbers or booleans of any type as `plain_series` does, any other unchanged."""
    plain = cells.astype(object) if isinstance(cells.dtype, pd.CategoricalDtype | pd.ArrowDtype) else cells
    if plain.dtype == object and not list_kinds(plain[~find_missing(plain.to_numpy())]) <= {WHOLE, NUMBER, BOOLEAN}:
        return cells
    return cells if plain.dtype.kind not in "biufO" else plain_series(plain, name)


def _reject_quantities(columns: Sequence[pd.Series], names: tuple[str, ...], name: str) -> None:
    """Reject columns that all hold more than two different numbers: they are no labels, but several targets."""
    if all(map(_is_quantity, columns)):
        first = _describe_cell(columns[0].iloc[0])
        raise InputError(
            f"{name}: y has {len(names)} columns of numbers, such as {first} in {names[0]!r}; a regression takes one "
            "column: give one of them, and compare for each by itself. Several columns are labels of 0 and 1 (task: "
            "multilabel)"
        )


def _is_quantity(cells: pd.Series) -> bool:
    """Return True if there are numbers alone, and more than two different ones."""
    if cells.dtype.kind not in "buifO":
        return False
    values = pd.to_numeric(cells.astype(str), errors="coerce")
    return bool(values.notna().all()) and values.nunique() > 2


def _read_label(cells: pd.Series, where: str) -> Array:
    if pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_complex_dtype(cells.dtype):
        values = cells.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        values = np.array([float(cell) if isinstance(cell, _NUMBERS) else np.nan for cell in cells])
    wrong = (values != 0.0) & (values != 1.0)
    if wrong.any():
        first = int(np.argmax(wrong))
        more = f", and {wrong.sum() - 1} more rows" if wrong.sum() > 1 else ""
        raise InputError(
            f"{where} takes 0 and 1, or false and true, received {_describe_cell(cells.iloc[first])} in row {first + 1}"
            f"{more}; y with several columns holds a label in each, and a regression takes one column"
        )
    return values > 0.0


def _describe_cell(cell: Any) -> str:
    plain = cell.item() if isinstance(cell, np.generic) else cell
    return "nothing" if plain is None or plain is pd.NA or plain != plain else repr(plain)[:40]  # NaN is not itself
