"""Read a Parquet file with pandas and pyarrow, which is an extra of this package."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from regzoo.core.errors import InputError
from regzoo.data.catalog import Target
from regzoo.data.dataset import Dataset
from regzoo.data.input_form import SEEN, InputForm
from regzoo.data.inputs import InputSpec
from regzoo.data.sources.files import require_file
from regzoo.data.sources.parquet_memory import require_parquet_memory
from regzoo.data.sources.roles import EMPTY
from regzoo.data.sources.table_files import from_frames

ENGINE: Final = "pyarrow"


def load_parquet(
    path: Path,
    target: Target,
    roles: Mapping[str, str] = EMPTY,
    parts: Mapping[str, Path] = EMPTY,
    drop: Target = None,
    inputs: Sequence[InputSpec] | None = None,
    form: InputForm = SEEN,
) -> Dataset:
    """Read the Parquet file at ``path``; all columns but ``target``, ``drop`` and ``roles`` are inputs.

    Several target columns are several labels, each 0 or 1, or true or false. The types of the columns decide what they
    are: numbers, booleans, words or dates, any of them with missing cells.

    Args:
        path: path of the file.
        target: the column to predict, or several; None if there is none.
        roles: column names by role (group, time, part, weight); these columns are no inputs.
        parts: files with the same columns whose rows are the ``validation`` or ``test`` part.
        drop: the column to leave out, or several.
        inputs: the inputs of a user's own model, as for `from_arrays`.
        form: what the inputs are.

    Raises:
        InputError: naming the file, the columns and the rows, with the way out; also if pyarrow is not installed.
    """
    frames = [(file, read_parquet(file)) for file in (path, *parts.values())]
    return from_frames(frames, target, roles, tuple(parts), drop, as_text=False, inputs=inputs, form=form)


def read_parquet(path: Path) -> pd.DataFrame:
    """Return the Parquet file at ``path`` as a DataFrame.

    Raises:
        InputError: if it cannot be read or has no rows, or pyarrow is not installed.
    """
    require_file(path)
    if importlib.util.find_spec(ENGINE) is None:
        raise InputError(f"{path}: Parquet files need {ENGINE}: pip install 'regzoo[parquet]', or save it as CSV")
    try:
        require_parquet_memory(path)
        frame = _read_typed(path)
    except InputError:
        raise
    except (
        OSError,
        ValueError,
        TypeError,
        RuntimeError,
        NotImplementedError,
    ) as error:  # pyarrow's own errors are kinds of these
        raise InputError(f"{path}: cannot be read as Parquet: {error}") from None
    if frame.empty:
        raise InputError(f"{path}: has no rows")
    return frame


def _read_typed(path: Path) -> pd.DataFrame:
    """Return the table; whole numbers with gaps stay whole."""
    try:
        return pd.read_parquet(path, engine=ENGINE, dtype_backend="numpy_nullable")
    except TypeError:  # pandas writes names of Arrow's types, such as dictionary, that it cannot read
        from pyarrow import parquet, types

        table = parquet.read_table(path)
        return table.to_pandas(
            types_mapper=lambda kind: pd.ArrowDtype(kind) if types.is_integer(kind) else None, ignore_metadata=True
        )
