"""Sources of data, one module for each kind; `load_dataset` reads the one that a config names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from regzoo.core.errors import InputError
from regzoo.data.catalog import ARRAYS, Target
from regzoo.data.dataset import Dataset, TaskName
from regzoo.data.input_form import SEEN, InputForm
from regzoo.data.inputs import InputSpec
from regzoo.data.rows import Rows
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.sources.bundled import load_bundled
from regzoo.data.sources.csv_file import ENCODING, load_csv, read_csv
from regzoo.data.sources.idx import load_idx
from regzoo.data.sources.images import load_images
from regzoo.data.sources.keras_datasets import load_keras
from regzoo.data.sources.npz import load_npz, read_npz
from regzoo.data.sources.parquet import load_parquet
from regzoo.data.sources.tf_dataset import from_tf_dataset, is_tf_dataset

__all__ = [
    "from_arrays",
    "from_python",
    "load_bundled",
    "load_csv",
    "load_dataset",
    "load_idx",
    "load_images",
    "load_keras",
    "load_npz",
    "load_parquet",
    "read_csv",
    "read_npz",
]


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
        """Separator of the cells of the CSV file; None to guess it."""

    @property
    def encoding(self) -> str | None:
        """Encoding of the CSV file; None for UTF-8."""

    @property
    def parquet(self) -> Path | None:
        """Path of a Parquet file."""

    @property
    def target(self) -> Target:
        """The column of the CSV or Parquet file to predict, or several."""

    @property
    def drop(self) -> Target:
        """The column to leave out, or several."""

    @property
    def npz(self) -> Path | None:
        """Path of a NumPy archive."""

    @property
    def images(self) -> Path | None:
        """Path of a folder of images."""

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width that the images are resized to."""

    @property
    def idx(self) -> Path | None:
        """Path of a folder of IDX files."""

    @property
    def keras(self) -> str | None:
        """Name of a data set of Keras."""

    @property
    def download(self) -> bool:
        """Whether the data set may be fetched from the network."""

    @property
    def form(self) -> InputForm:
        """Kind of the inputs and the limits of text, as far as the config says it."""

    def roles(self) -> Mapping[str, str]:
        """Return the names of columns or arrays by role: group, time, part, weight."""

    def part_files(self) -> Mapping[str, Path]:
        """Return the files of the same kind that hold the validation or the test part."""


def load_dataset(data: Source, task: TaskName | None = None, inputs: Sequence[InputSpec] | None = None) -> Dataset:
    """Read the data set that the ``data`` section of a config names; reconstruction needs no targets.

    Args:
        data: the section.
        task: the requested task; None if none was.
        inputs: the inputs of a user's own model, as for `from_arrays`.

    Raises:
        InputError: naming the file or the data set, what is wrong and the way out.
    """
    if data.csv is not None:
        encoding = data.encoding or ENCODING
        roles, parts = data.roles(), data.part_files()
        return load_csv(
            data.csv, data.target, data.separator, encoding, roles, parts, data.drop, inputs, form=data.form
        )
    if data.parquet is not None:
        roles, parts = data.roles(), data.part_files()
        return load_parquet(data.parquet, data.target, roles, parts, data.drop, inputs, form=data.form)
    if data.npz is not None:
        targets = task != "reconstruction"
        return load_npz(data.npz, data.roles(), data.part_files(), targets, inputs, form=data.form)
    if data.images is not None:
        return load_images(data.images, data.size)
    if data.idx is not None:
        return load_idx(data.idx)
    if data.keras is not None:
        return load_keras(data.keras, data.download)
    if data.source == ARRAYS:
        raise InputError("data: these arrays were passed in Python; pass them to regzoo.compare again")
    return load_bundled(str(data.source))


def from_python(
    rows: Rows, task: TaskName | None = None, inputs: Sequence[InputSpec] | None = None, form: InputForm = SEEN
) -> Dataset:
    """Return the data set that was passed in Python.

    Args:
        rows: arrays or DataFrames, or a `tf.data.Dataset` as ``x``.
        task: the requested task; None if none was.
        inputs: the inputs of a user's own model, as for `from_arrays`.
        form: what the inputs are, where their shape does not tell.

    Raises:
        InputError: as `from_arrays` and `from_tf_dataset` do, and if targets are missing.
    """
    if is_tf_dataset(rows.x):
        if rows.y is not None:
            raise InputError("a tf.data.Dataset gives x and y in each element; leave y out")
        return from_tf_dataset(rows.x, rows.roles(), inputs, form)
    if rows.y is None and task != "reconstruction":
        raise InputError('give x and y (x alone for task="reconstruction"), a tf.data.Dataset of both, or data=')
    return from_arrays(rows.x, rows.y, **rows.roles(), inputs=inputs, form=form)
