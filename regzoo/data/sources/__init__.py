"""Sources: one file per kind of data; `load` picks the one that a config names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from regzoo.data.catalog import ARRAYS
from regzoo.data.dataset import Dataset, Task
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.sources.bundled import load_bundled
from regzoo.data.sources.npz import load_npz, read_npz
from regzoo.data.sources.parquet import load_parquet
from regzoo.data.sources.table import ENCODING, load_table, read_csv
from regzoo.language.errors import InputError

__all__ = ["from_arrays", "load", "load_bundled", "load_npz", "load_parquet", "load_table", "read_csv", "read_npz"]


class Source(Protocol):
    """The ``data`` section of a config."""

    @property
    def source(self) -> str | None:
        """Name of a bundled data set."""

    @property
    def csv(self) -> Path | None:
        """Path of a CSV file."""

    @property
    def separator(self) -> str | None:
        """What separates the cells of the CSV file; None for what fits."""

    @property
    def encoding(self) -> str | None:
        """The encoding of the CSV file; None for UTF-8."""

    @property
    def parquet(self) -> Path | None:
        """Path of a Parquet file."""

    @property
    def target(self) -> str | None:
        """The column of the CSV or Parquet file to predict."""

    @property
    def npz(self) -> Path | None:
        """Path of a NumPy archive."""

    def roles(self) -> Mapping[str, str]:
        """Names of columns or arrays by role: group, time, part, weight."""

    def parts(self) -> Mapping[str, Path]:
        """Files of the same kind that hold the validation or the test part."""


def load(data: Source, task: Task | None = None) -> Dataset:
    """Return the data that the ``data`` section of a config names; to be reconstructed, it needs no targets.

    Raises:
        InputError: naming the file or the data set, what is wrong and the way out.
    """
    if data.csv is not None:
        encoding = data.encoding or ENCODING
        return load_table(data.csv, data.target, data.separator, encoding, data.roles(), data.parts())
    if data.parquet is not None:
        return load_parquet(data.parquet, data.target, data.roles(), data.parts())
    if data.npz is not None:
        return load_npz(data.npz, data.roles(), data.parts(), targets=task != "reconstruction")
    if data.source == ARRAYS:
        raise InputError("data: these arrays were handed over in Python; hand them to regzoo.compare again")
    return load_bundled(str(data.source))
