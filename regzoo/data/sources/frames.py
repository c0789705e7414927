"""Recognize tables that are no DataFrames: of Arrow, or rows of values of several types."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pandas as pd

from regzoo.data.dataset import Array
from regzoo.data.sources.python_objects import BOOLEAN, NUMBER, TEXT, WHOLE, find_missing, list_kinds


def as_frame(x: Any) -> Any:
    """Return a table as a DataFrame, anything else as it is.

    A table is what Arrow's stream protocol gives (pyarrow, polars and others), or rows (n, columns) that hold something
    else than numbers, such as dates, or numbers next to words; their columns are called x0, x1 and so on, as in
    scikit-learn. Text alone is no table.

    Args:
        x: inputs of any form.

    >>> as_frame([[1.5, "red"], [2.5, "blue"]]).columns.tolist(), as_frame([[1, 2]])
    (['x0', 'x1'], [[1, 2]])
    """
    if isinstance(x, pd.DataFrame):
        return x
    if hasattr(x, "__arrow_c_stream__") and hasattr(x, "columns") and importlib.util.find_spec("pyarrow"):
        import pyarrow as pa

        return pa.table(x).to_pandas(types_mapper=pd.ArrowDtype)
    array = _as_array(x)
    if array is None:
        return x
    if array.ndim != 2 or array.size == 0 or not _is_table(array):
        return x
    return pd.DataFrame({f"x{position}": pd.Series(column.copy()) for position, column in enumerate(array.T)})


def _as_array(x: Any) -> Array | None:
    """Return lists or an array of something else than numbers as an array; None for anything else."""
    if not isinstance(x, list | tuple | np.ndarray):
        return None
    try:
        array = np.asarray(x)
        if array.dtype.kind == "U" and not isinstance(x, np.ndarray):  # NumPy makes text of a number next to text
            array = np.array(x, dtype=object)
    except ValueError:  # rows of different lengths
        return None
    return array if array.dtype.kind in "OMm" and not np.ma.is_masked(x) else None


def _is_table(array: Array) -> bool:
    if array.dtype.kind in "mM":
        return True
    cells = array.ravel()
    kinds = list_kinds(cells[~find_missing(cells)])
    return not (kinds <= {WHOLE, NUMBER} or kinds in ({BOOLEAN}, {TEXT}))
