"""Predictions of an exported model for a file or a DataFrame, in chunks, from the model's folder alone."""

from __future__ import annotations

import contextlib
import csv
import itertools
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from regzoo.core.errors import InputError
from regzoo.core.escaping import escape_formula
from regzoo.data.dataset import Array
from regzoo.data.sources.csv_file import ENCODING
from regzoo.export.exported_model import ExportedModel, NamedArrays, read_exported_model
from regzoo.export.input_rows import check_file_type, is_archive, read_chunks, read_frame_chunks
from regzoo.export.serve import predict_chunks
from regzoo.export.token_limits import check_tokens
from regzoo.export.unknown_words import notify_unknown_spellings
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
        source: a CSV or Parquet file with the columns of the training data, in any order; or an archive with one array
            for each column, or with the array x.
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
        copy = stack.enter_context(_copy_model(model, trust, notify))
        outputs = _predict(copy, _check(model, read_chunks(model, source, encoding, notify), str(source), notify))
        if not isinstance(out, Path):
            return _write_csv(out, outputs, model.labels)
        temporary = stack.enter_context(temporary_sibling(out))
        rows = _write_file(temporary, is_archive(out), outputs, model.labels)
        _rename_to_new(temporary, out)
        return rows


def predict(folder: str | Path, frame: pd.DataFrame, *, trust: bool = False) -> pd.DataFrame:
    """Predict every row of ``frame`` with the exported model in ``folder``.

    A model is a program that runs with your rights: use only models from sources you trust. Its files are compared
    with their digests, and then loaded from a private copy.

    Args:
        folder: the exported model's folder, such as ``reports/digits/model``.
        frame: rows with the columns of the training data, in any order; others are ignored. Text is read as it was in
            training, and numbers, dates, booleans and categories may also be of their own types.
        trust: run the model also if its files are not those that were exported.

    Returns:
        One row for each of ``frame``, with its index: the label and the probability of each label; or the prediction;
        or the reconstruction and its distance; and perhaps the uncertainty.

    Raises:
        InputError: if the model's files are not those that were exported, a column is missing or a cell is not of its
            column's kind, with its row.

    Example:
        answers = regzoo.predict("reports/visits/model", pd.read_csv("new.csv"))
        print(answers["label"])
    """
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"predict takes a DataFrame, received {type(frame).__name__}; give pd.DataFrame(...) of it")
    model = read_exported_model(Path(folder))
    with _copy_model(model, trust, warnings.warn) as copy:
        chunks = read_frame_chunks(model, frame, "frame", lambda _: None)
        outputs = list(_predict(copy, _check(model, chunks, "frame", warnings.warn)))
    columns: dict[str, list[Any]] = {}
    for chunk in outputs:
        for header, values in _list_columns(chunk, model.labels):
            columns.setdefault(header, []).append(values)
    return pd.DataFrame({header: np.concatenate(parts) for header, parts in columns.items()}, index=frame.index)


def _check(
    model: ExportedModel, chunks: Iterator[NamedArrays], source: str, notify: Callable[[str], None]
) -> Iterator[NamedArrays]:
    """Yield ``chunks``; notify of words and tokens that the model does not know, see `check_tokens`."""
    checked = check_tokens(model.tokens, chunks, source, notify) if model.tokens else chunks
    return notify_unknown_spellings(model, checked, source, notify)


@contextlib.contextmanager
def _copy_model(model: ExportedModel, trust: bool, notify: Callable[[str], None]) -> Iterator[Path]:
    """Yield a private folder with the proven files of ``model``; its own folder if they are changed and ``trust``.

    Temporary files, TensorFlow's too, are deleted at the end.
    """
    with private_tempdir(), tempfile.TemporaryDirectory() as copy:
        try:
            model.copy_proven_files(Path(copy))
        except InputError as error:
            if not trust:
                raise
            notify(f"run although {error}")
            yield model.folder
        else:
            yield Path(copy)


def _predict(folder: Path, chunks: Iterator[NamedArrays]) -> Iterator[NamedArrays]:
    """Return an iterator of the outputs; the first chunk is read at once, before TensorFlow is loaded."""
    return predict_chunks(folder, itertools.chain([next(chunks)], chunks))


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
        columns = _list_columns(chunk, labels)
        if not rows:
            writer.writerow([escape_formula(header) for header, _ in columns])
        writer.writerows(zip(*(map(escape_formula, values.tolist()) for _, values in columns), strict=True))
        rows += len(columns[0][1])
    return rows


def _list_columns(chunk: NamedArrays, labels: Sequence[Any]) -> list[tuple[str, Array]]:
    """Return the columns of a table of all outputs, each with its header."""
    return [column for name in sorted(chunk, key=_rank_output) for column in _make_columns(name, chunk[name], labels)]


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
