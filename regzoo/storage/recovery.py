"""Recover what is intact of a damaged ledger."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from regzoo.config import read_config
from regzoo.config.experiment import KEPT_MODEL, KEPT_SOURCE
from regzoo.core import EnvironmentFailure, InputError, Objective
from regzoo.storage import info
from regzoo.storage.content import read_note, read_record
from regzoo.storage.folder import CONFIG, make_folders, remove_if_empty, require_unlocked
from regzoo.storage.ledger import FILE
from regzoo.storage.placement import require_placeable
from regzoo.storage.sqlite.checksums import digest_row
from regzoo.storage.sqlite.copy import copy_store
from regzoo.storage.sqlite.formats import NOTES, RECORDS, WEIGHTS, TableSchema
from regzoo.storage.sqlite.header import read_header, require_regular_file
from regzoo.storage.sqlite.pages import FoundRow, scan_rows
from regzoo.storage.sqlite.store import Store, undo_unfinished
from regzoo.storage.weights_blob import unpack_weights
from regzoo.system.atomic import describe_failed_write
from regzoo.system.lock import lock_path
from regzoo.system.temporary_folder import TemporaryFolder, temporary_sibling
from regzoo.training.choice import get_setting, list_measured_choices, sort_measured_choices
from regzoo.training.records import Record

TABLES = (RECORDS, WEIGHTS, NOTES)
"""What is recovered: weights that are kept for ensembles only while a comparison runs are trained again."""

Columns = tuple[Any, ...]


@dataclass(frozen=True)
class Recovery:
    """The intact part of a ledger.

    Attributes:
        rows: `TableSchema.columns` of the intact rows of each table, by its name and the row's key; of records, the
            key is the run's.
        expected: number of rows that each table had, by its name; a table is missing where that is not known.
        again: number of intact records that are left out, since the weights that belong to them are lost.
    """

    rows: dict[str, dict[str, Columns]] = field(default_factory=lambda: {table.name: {} for table in TABLES})
    expected: dict[str, int] = field(default_factory=dict)
    again: int = 0

    @property
    def count(self) -> int:
        """The number of intact rows."""
        return sum(map(len, self.rows.values()))

    def describe(self) -> str:
        """Return what was recovered, and how much of what is lost."""
        words = {RECORDS.name: "runs", WEIGHTS.name: "models", NOTES.name: "notes"}
        parts = [self._describe_table(table.name, words[table.name]) for table in TABLES]
        again = f"; of these, {self.again} runs are made again, because their models are lost" if self.again else ""
        return f"{', '.join(parts)}{again}"

    def _describe_table(self, table: str, word: str) -> str:
        count = len(self.rows[table]) + (self.again if table == RECORDS.name else 0)
        expected = self.expected.get(table)
        return f"{count} {word} (of how many is unknown)" if expected is None else f"{count} of {expected} {word}"


def recover_comparison(folder: Path, target: Path) -> Recovery:
    """Write what is intact of the comparison in ``folder`` to the new folder ``target``; change nothing in ``folder``.

    Raises:
        InputError: if ``folder`` holds no ledger, nothing of it is intact, or ``target`` is no new folder.
        BusyError: if another process writes to ``folder`` or ``target``.
        EnvironmentFailure: if ``target`` cannot be written.
    """
    if not (folder / FILE).exists() and not (folder / FILE).is_symlink():
        raise InputError(f"{folder} holds no comparison ({FILE} is missing): there is nothing to recover")
    _check_target(folder, target)
    require_unlocked(folder)
    recovery = recover_rows(folder / FILE)
    with contextlib.ExitStack() as stack:
        for made in make_folders(target.resolve().parent):
            stack.callback(remove_if_empty, made)
        stack.enter_context(lock_path(target))
        _check_target(folder, target)  # another process may just have written it
        try:
            write_recovered(recovery, folder, target)
        except OSError as error:
            raise EnvironmentFailure(describe_failed_write(target, error)) from None
    return recovery


def _check_target(folder: Path, target: Path) -> None:
    """Raise unless a comparison's folder can be made at ``target``."""
    if os.path.lexists(target):
        raise InputError(f"{target} exists: choose a new folder with --to")
    try:
        require_placeable(target, fresh=False)
    except (InputError, EnvironmentFailure) as error:
        raise type(error)(str(error).replace("--out", "--to")) from None
    if target.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{target} is inside of {folder}, which is not changed: choose another folder with --to")


def recover_rows(path: Path) -> Recovery:
    """Return what is intact of the ledger ``path``; nothing is written next to it.

    Raises:
        InputError: if nothing is.
    """
    header = read_header(path)
    folder = TemporaryFolder()
    try:
        copied = copy_store(path, folder.path, with_wal=header is not None and header.uses_wal)
        as_it_is = _find_rows(copied)
        undo_unfinished(copied)
        undone = _find_rows(copied)
    finally:
        folder.remove()
    found = undone if undone.count >= as_it_is.count else as_it_is
    if not found.count:
        raise InputError(f"{path} holds nothing that regzoo wrote, or nothing that is intact: no folder was written")
    return _leave_out_unmodeled(found)


def write_recovered(recovery: Recovery, folder: Path, target: Path) -> None:
    """Write a comparison's folder ``target`` with the intact rows and the config of ``folder``."""
    with temporary_sibling(target) as temporary:
        temporary.mkdir()
        try:
            _write_rows(recovery, temporary / FILE)
        except EnvironmentFailure as error:
            raise EnvironmentFailure(str(error).replace(str(temporary), str(target))) from None
        config = _find_config(recovery, folder)
        if config is not None:
            (temporary / CONFIG).write_text(config, encoding="utf-8")
        for name in (KEPT_MODEL, KEPT_SOURCE):
            with contextlib.suppress(OSError, InputError):  # whether it is intact, the ledger says when it is read
                require_regular_file(folder / name, "cannot be read")
                shutil.copyfile(folder / name, temporary / name)
        temporary.rename(target)


def _write_rows(recovery: Recovery, path: Path) -> None:
    with contextlib.closing(Store(path, create=True)) as store, store.commit() as rows:
        for table in TABLES:
            for columns in sorted(recovery.rows[table.name].values(), key=lambda each: each[0]):
                rows.put(table, columns)


def _find_config(recovery: Recovery, folder: Path) -> str | None:
    """Return the config in ``folder``, or the one that the ledger keeps; None if both are lost."""
    with contextlib.suppress(OSError, UnicodeDecodeError, InputError):
        require_regular_file(folder / CONFIG, "cannot be read")
        text = (folder / CONFIG).read_text(encoding="utf-8")
        read_config(text, str(folder / CONFIG))
        return text
    note = recovery.rows[NOTES.name].get(info.COMPARISON)
    return None if note is None else info.ComparisonInfo.from_json(read_note(info.COMPARISON, note[-1])).config


def _find_rows(path: Path) -> Recovery:
    """Return the intact rows in the pages of a file: those with a digest, or of a format without digests."""
    found, old = Recovery(), Recovery()
    newest: dict[tuple[int, str, str], int] = {}
    for row in scan_rows(path):
        _note_checksum(row, found)
        for table in TABLES:
            for recovery, columns in ((found, _match(row, table)), (old, _match_old(row, table))):
                if columns is None or not _is_readable(table, columns):
                    continue
                key = columns[1] if table is RECORDS else columns[0]
                place = (id(recovery), table.name, key)
                if row.number >= newest.get(place, 0):  # an older state of the row may be left in the file
                    newest[place] = row.number
                    recovery.rows[table.name][key] = columns
    if found.count:
        return found
    numbers = [columns[0] for columns in old.rows[RECORDS.name].values()]
    return replace(old, expected={RECORDS.name: max(numbers)} if numbers else {})


def _match(row: FoundRow, table: TableSchema) -> Columns | None:
    """Return `TableSchema.columns` if ``row`` is an intact row of ``table``."""
    if len(row.values) != len(table.stored) or not isinstance(row.values[-2], bytes):
        return None
    columns = _convert(table, row, (*row.values[:-2], row.values[-1]))
    return columns if None not in columns and digest_row(table.name, columns) == row.values[-2] else None


def _match_old(row: FoundRow, table: TableSchema) -> Columns | None:
    """Return `TableSchema.columns` if ``row`` may be one of ``table`` in a format without digests."""
    if len(row.values) != len(table.columns):
        return None
    columns = _convert(table, row, row.values)
    kinds = {"number": int, "replicate": int, "score": float}
    fits = (isinstance(value, kinds.get(name, str)) for name, value in zip(table.head, columns, strict=False))
    body = bytes if table is WEIGHTS else str
    return columns if all(fits) and isinstance(columns[-1], body) else None


def _convert(table: TableSchema, row: FoundRow, values: Columns) -> Columns:
    """Return ``values`` as SQLite does: a row's number is not stored twice, and a whole number not as a float."""
    if table is RECORDS:
        return (row.number, *values[1:])
    if table is WEIGHTS and isinstance(values[2], int):
        return (*values[:2], float(values[2]), *values[3:])
    return values


def _is_readable(table: TableSchema, columns: Columns) -> bool:
    try:
        if table is RECORDS:
            return read_record(columns).run.key == columns[1]
        if table is NOTES:
            read_note(columns[0], columns[-1])
        else:
            unpack_weights(columns[-1])
    except InputError:
        return False
    return True


def _note_checksum(row: FoundRow, found: Recovery) -> None:
    """Keep how many rows a table had, if ``row`` says so."""
    match row.values:
        case (str(name), int(count), bytes()) if name in found.rows:
            found.expected[name] = count


def _leave_out_unmodeled(found: Recovery) -> Recovery:
    """Return ``found`` without the replicates that must be made again, so that every recipe has its weights.

    The weights of a recipe are those of its best replicate: where they are lost, so is its record. Which one was best
    is unknown where the comparison's facts are lost: all replicates of the recipe are then left out.
    """
    records = {key: read_record(columns) for key, columns in found.rows[RECORDS.name].items()}
    weights = dict(found.rows[WEIGHTS.name])
    objective = _find_objective(found)
    left_out: set[str] = set()
    for name in {record.run.name for record in records.values()}:
        own = [each for each in records.values() if each.run.name == name]
        best = None if objective is None else _find_best(own, objective)
        kept = weights[name][1] if name in weights else None
        if objective is not None and best is not None and kept != best.run.key:
            score = best.score(objective.metric)
            if kept is None or kept in records or objective.is_better(score, weights[name][2]):
                left_out.add(best.run.key)
            weights.pop(name, None)
        elif objective is None and kept not in records:
            left_out |= {each.run.key for each in own if each.run.stage == "replicate" and each.status == "ok"}
    weights = {name: columns for name, columns in weights.items() if columns[1] in records.keys() - left_out}
    kept_records = {key: columns for key, columns in found.rows[RECORDS.name].items() if key not in left_out}
    rows = {**found.rows, RECORDS.name: kept_records, WEIGHTS.name: weights}
    return replace(found, rows=rows, again=len(left_out))


def _find_objective(found: Recovery) -> Objective | None:
    note = found.rows[NOTES.name].get(info.COMPARISON)
    if note is None:
        return None
    facts = info.ComparisonInfo.from_json(read_note(info.COMPARISON, note[-1]))
    return Objective(facts.rank_by, facts.direction)


def _find_best(records: Sequence[Record], objective: Objective) -> Record | None:
    """Return the replicate whose weights a ledger keeps, of all ``records`` of a recipe: one of the best search."""
    choices = sort_measured_choices(list_measured_choices(records, objective.metric), objective)
    replicates = [each for each in records if each.run.stage == "replicate"]
    best: Record | None = None
    for record in sorted(replicates, key=lambda each: each.run.number):
        score = record.score(objective.metric)
        if get_setting(record.run) == choices[0].setting and score == score:
            best = record if best is None or objective.is_better(score, best.score(objective.metric)) else best
    return best
