"""Predict: an exported model answers a CSV or NPZ file, chunk by chunk, from its own folder alone."""

from __future__ import annotations

import csv
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from regzoo.core.errors import InputError, printable
from regzoo.data.dataset import Array
from regzoo.data.sources.csv_file import ENCODING
from regzoo.export.input_rows import Named, check_file_type, is_archive, read_chunks, read_exported_model

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Text that begins so may be run by a spreadsheet: in a CSV file an apostrophe is put before it."""


def predict_file(
    folder: Path, source: Path, out: Path | IO[str], encoding: str = ENCODING, note: Callable[[str], None] = print
) -> int:
    """Answer every row of ``source`` with the model in ``folder``, in the order of the rows.

    Args:
        folder: what `regzoo export` wrote.
        source: a CSV file with the columns of the training data, in any order; or an archive with one array for each
            column, or with the array x.
        out: a file that does not exist yet, CSV or .npz; or a stream for CSV. In CSV, text that a spreadsheet would
            run as a formula has an apostrophe before it.
        encoding: of a CSV file.
        note: is told what was ignored.

    Returns:
        The number of rows.

    Raises:
        InputError: if a column is missing or a cell is not what its column takes, with its row; nothing is written.
    """
    exported = read_exported_model(folder)
    if isinstance(out, Path):
        _refuse(out)
    chunks = read_chunks(exported, source, encoding, note)
    first = next(chunks)  # a bad header is said before TensorFlow is loaded
    answers = _answers(folder, itertools.chain([first], chunks))
    if not isinstance(out, Path):
        return _write_csv(out, answers, exported.labels)
    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        rows = _write(temporary, is_archive(out), answers, exported.labels)
        temporary.rename(out)
    finally:
        temporary.unlink(missing_ok=True)
    return rows


def _refuse(out: Path) -> None:
    check_file_type(out)
    if out.exists():
        raise InputError(f"{out} exists: nothing was overwritten; choose another file")
    if not out.parent.is_dir():
        raise InputError(f"{out}: there is no folder {out.parent}; make it first")


def _answers(folder: Path, chunks: Iterator[Named]) -> Iterator[Named]:
    from regzoo.execution.tf_runtime import import_tensorflow

    import_tensorflow()
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder))
    serve = loaded.signatures["serving_default"]
    for chunk in chunks:
        answers = serve(**{name: tf.constant(values) for name, values in chunk.items()})
        yield {name: _plain(value.numpy()) for name, value in answers.items()}


def _plain(values: Array) -> Array:
    return np.array([text.decode() for text in values], dtype=object) if values.dtype == object else values


def _write(path: Path, archive: bool, answers: Iterator[Named], labels: Sequence[Any]) -> int:
    if not archive:
        with path.open("w", encoding="utf-8", newline="") as file:
            return _write_csv(file, answers, labels)
    chunks = list(answers)
    whole = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}
    plain = {name: values.astype(str) if values.dtype == object else values for name, values in whole.items()}
    with path.open("wb") as file:
        np.savez(file, **plain)  # type: ignore[arg-type]
    return len(next(iter(plain.values())))


def _write_csv(file: IO[str], answers: Iterator[Named], labels: Sequence[Any]) -> int:
    """Write a column for each number and for each label, and return how many rows they were."""
    writer, rows = csv.writer(file, lineterminator="\n"), 0
    for chunk in answers:
        columns = [column for name in sorted(chunk, key=_place) for column in _columns(name, chunk[name], labels)]
        if not rows:
            writer.writerow([_safe(header) for header, _ in columns])
        writer.writerows(zip(*(map(_safe, values.tolist()) for _, values in columns), strict=True))
        rows += len(columns[0][1])
    return rows


def _place(name: str) -> tuple[bool, bool, str]:
    """Labels first, then what was predicted, then the rest by name."""
    return name != "label", name not in ("probabilities", "prediction", "reconstruction"), name


def _columns(name: str, values: Array, labels: Sequence[Any]) -> list[tuple[str, Array]]:
    if values.ndim == 1 or values.shape[1:] == (1,):
        return [(name, values.reshape(-1))]
    if values.ndim > 2:
        raise InputError(f"{name} is {values.shape[1:]} a row, which no CSV file holds; take --out answers.npz")
    word = "probability" if name == "probabilities" else name
    named = [f"{word}_{label}" for label in labels or range(1, values.shape[1] + 1)]
    return list(zip(named, values.T, strict=True))


def _safe(value: Any) -> Any:
    """Return text that neither a spreadsheet runs nor a terminal obeys.

    >>> _safe("=1+1"), _safe("-1"), _safe(-1.5)
    ("'=1+1", "'-1", -1.5)
    """
    if not isinstance(value, str):
        return value
    return printable(f"'{value}" if value.startswith(FORMULA) else value)
