"""Predictions of an exported model for a CSV or NPZ file, in chunks, from the model's folder alone."""

from __future__ import annotations

import contextlib
import csv
import itertools
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from regzoo.core.errors import InputError
from regzoo.core.escaping import escape_formula
from regzoo.data.dataset import Array
from regzoo.data.sources.csv_file import ENCODING
from regzoo.export.exported_model import NamedArrays, read_exported_model
from regzoo.export.input_rows import check_file_type, is_archive, read_chunks
from regzoo.export.serve import predict_chunks
from regzoo.system.lock import lock_path
from regzoo.system.temporary_folder import private_tempdir, temporary_sibling


def predict_file(
    folder: Path,
    source: Path,
    out: Path | IO[str],
    encoding: str = ENCODING,
    notify: Callable[[str], None] = print,
    *,
    trust: bool = False,
) -> int:
    """Predict every row of ``source`` with the model in ``folder``, in the order of the rows.

    A model is a program that runs with your rights: use only models from sources you trust. Its files are compared
    with their digests, and then loaded from a private copy.

    Args:
        folder: the exported model's folder.
        source: a CSV file with the columns of the training data, in any order; or an archive with one array for each
            column, or with the array x.
        out: a file that does not exist yet, CSV or .npz; or a stream for CSV. In CSV, text that a spreadsheet would
            run as a formula has an apostrophe in front.
        encoding: encoding of a CSV file.
        notify: is called with a sentence about columns that are ignored, and about changed files with ``trust``.
        trust: run the model also if its files are not those that were exported.

    Returns:
        The number of rows.

    Raises:
        InputError: if the model's files are not those that were exported, a column is missing or a cell is not of its
            column's kind, with its row; nothing is written.
        BusyError: if another process is writing to ``out``.
    """
    model = read_exported_model(folder)
    with contextlib.ExitStack() as stack:
        if isinstance(out, Path):
            _check_output(out)
            stack.enter_context(lock_path(out))
            _check_output(out)  # another process may just have written it
        stack.enter_context(private_tempdir())  # TensorFlow's files
        copy = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            model.copy_proven_files(copy)
        except InputError as error:
            if not trust:
                raise
            notify(f"run although {error}")
            copy = folder
        chunks = read_chunks(model, source, encoding, notify)
        first = next(chunks)  # check the header before TensorFlow is loaded
        outputs = predict_chunks(copy, itertools.chain([first], chunks))
        if not isinstance(out, Path):
            return _write_csv(out, outputs, model.labels)
        temporary = stack.enter_context(temporary_sibling(out))
        rows = _write_file(temporary, is_archive(out), outputs, model.labels)
        _rename_to_new(temporary, out)
        return rows


def _check_output(out: Path) -> None:
    """Raise InputError if ``out`` cannot be written as a new file."""
    check_file_type(out)
    with contextlib.suppress(FileNotFoundError):
        try:
            out.lstat()
        except FileNotFoundError:
            raise
        except (OSError, ValueError) as error:  # a name that is too long, a file in place of a folder, a NUL
            raise InputError(f"{str(out)!r} cannot be written: {error}; choose another file") from None
        raise InputError(f"{out} exists: nothing was overwritten; choose another file")
    if not out.parent.is_dir():
        raise InputError(f"{out}: there is no folder {out.parent}; make it first")


def _rename_to_new(temporary: Path, out: Path) -> None:
    """Rename ``temporary`` to ``out``, unless someone made such a file in the meantime."""
    try:
        out.hardlink_to(temporary)
    except FileExistsError:
        raise InputError(f"{out} exists: nothing was overwritten; choose another file") from None
    except OSError:  # a file system without hard links
        temporary.rename(out)


def _write_file(path: Path, archive: bool, outputs: Iterator[NamedArrays], labels: Sequence[Any]) -> int:
    """Write a CSV file or an archive, and return the number of rows."""
    if not archive:
        with path.open("w", encoding="utf-8", newline="") as file:
            return _write_csv(file, outputs, labels)
    chunks = list(outputs)
    whole = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}
    arrays = {name: values.astype(str) if values.dtype == object else values for name, values in whole.items()}
    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # the stub takes any keyword for allow_pickle
    return len(next(iter(arrays.values())))


def _write_csv(file: IO[str], outputs: Iterator[NamedArrays], labels: Sequence[Any]) -> int:
    """Write a column for each number and for each label, and return the number of rows."""
    writer, rows = csv.writer(file, lineterminator="\n"), 0
    for chunk in outputs:
        columns = [
            column for name in sorted(chunk, key=_rank_output) for column in _make_columns(name, chunk[name], labels)
        ]
        if not rows:
            writer.writerow([escape_formula(header) for header, _ in columns])
        writer.writerows(zip(*(map(escape_formula, values.tolist()) for _, values in columns), strict=True))
        rows += len(columns[0][1])
    return rows


def _rank_output(name: str) -> tuple[bool, bool, str]:
    """Return a sorting key: labels first, then the predictions, then the others by name."""
    return name != "label", name not in ("probabilities", "prediction", "reconstruction"), name


def _make_columns(name: str, values: Array, labels: Sequence[Any]) -> list[tuple[str, Array]]:
    """Return the CSV columns of one output, each with its header."""
    if values.ndim == 1 or values.shape[1:] == (1,):
        return [(name, values.reshape(-1))]
    if values.ndim > 2:
        raise InputError(
            f"{name} has shape {values.shape[1:]} in each row, which no CSV file holds; use --out answers.npz"
        )
    if labels and len(labels) != values.shape[1]:
        raise InputError(f"{name} has {values.shape[1]} numbers in each row, but the model has {len(labels)} labels")
    word = "probability" if name == "probabilities" else name
    headers = [f"{word}_{label}" for label in labels or range(1, values.shape[1] + 1)]
    return list(zip(headers, values.T, strict=True))
