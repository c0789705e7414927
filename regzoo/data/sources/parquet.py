"""A Parquet file: typed columns, one of them to predict; read by pandas with pyarrow, an extra of this package."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Final

import pandas as pd

from regzoo.data.dataset import Dataset
from regzoo.data.sources.files import regular
from regzoo.data.sources.table import dataset_of
from regzoo.language.errors import InputError

ENGINE: Final = "pyarrow"


def load_parquet(path: Path, target: str | None) -> Dataset:
    """Read the Parquet file at ``path``; the column ``target`` is what is predicted, if there is one.

    Columns are what their types say: numbers, booleans, words, dates, any of them with missing cells.

    Raises:
        InputError: naming the file, the columns and the rows, with the way out; also if pyarrow is not installed.
    """
    regular(path)
    if importlib.util.find_spec(ENGINE) is None:
        raise InputError(f"{path}: Parquet files need {ENGINE}: pip install 'regzoo[parquet]', or save it as CSV")
    try:
        frame = pd.read_parquet(path, engine=ENGINE)
    except (OSError, ValueError) as error:  # pyarrow's own errors are kinds of these
        raise InputError(f"{path}: cannot be read as Parquet: {error}") from None
    if frame.empty:
        raise InputError(f"{path}: has no rows")
    return dataset_of(frame, target, path, as_text=False)
