"""`Ledger`: the append-only store of a comparison's records, in one SQLite file. Only this file opens the store.

Every run is one commit, so a crash loses at most the runs in progress.
"""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from regzoo.core import EnvironmentFailure, InputError, Objective
from regzoo.core.json_values import replace_nonfinite
from regzoo.storage import info
from regzoo.storage.info import BudgetInfo, ComparisonInfo, DataInfo, FoldInfo, fold_key
from regzoo.storage.weights_blob import pack_weights, unpack_weights
from regzoo.training.records import Record, Run

FILE = "ledger.sqlite"
VERSION = 2
_FORMAT_1 = """
create table records (
    number integer primary key,
    key text not null unique,
    stage text not null,
    name text not null,
    status text not null,
    body text not null
);
create table weights (
    name text primary key,
    key text not null,
    score real not null,
    replicate integer not null,
    body blob not null
);
create table notes (name text primary key, body text not null);
"""
_MIGRATIONS = {
    1: _FORMAT_1,
    2: "create table trained (training text primary key, key text not null, body blob not null);",
}
"""SQL that upgrades a store to each format from the one before."""


class Ledger:
    """The records of one comparison, in the order in which they were made.

    The ledger also keeps, for each recipe, the weights of the replicate with the best validation score; during a
    comparison, the weights of models that ensembles combine; and notes about the comparison as a whole, see
    `regzoo.storage.info`.

    Args:
        folder: the comparison's folder.
        create: create the store if there is none.

    Raises:
        InputError: if there is no store, the file is something else, or a newer version of regzoo wrote it.
        EnvironmentFailure: if the store cannot be opened; from every method that writes, if the disk is full.
    """

    def __init__(self, folder: Path, create: bool = False) -> None:
        path = folder / FILE
        if not create and not path.is_file():
            raise InputError(f"{folder} holds no comparison ({FILE} is missing); regzoo compare creates one")
        self._path = path
        self._store, version = _open_store(path)
        if version == 0 and not create:
            self._store.close()
            raise InputError(
                f"{folder} holds a comparison that has only just begun: there is nothing to read yet; look again in a "
                "moment"
            )
        if version > VERSION:
            self._store.close()
            raise InputError(f"{path} has format {version}, this regzoo reads {VERSION}: use the regzoo that wrote it")
        if version < VERSION:
            steps = "".join(_MIGRATIONS[step] for step in range(version + 1, VERSION + 1))
            with self._commit():
                self._store.executescript(f"begin; {steps} pragma user_version = {VERSION}; commit;")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()

    @contextlib.contextmanager
    def _commit(self) -> Iterator[None]:
        """Write all that the block writes, or nothing if it fails."""
        try:
            with self._store:
                yield
        except sqlite3.OperationalError as error:
            raise EnvironmentFailure(
                f"{self._path} cannot be written ({error}): is the disk full? Nothing that was finished before is "
                "lost: make room and run the same command again"
            ) from None

    def add(
        self,
        record: Record,
        objective: Objective,
        weights: Sequence[Sequence[Any]] | None = None,
        shared: bool = False,
        seconds: float | None = None,
    ) -> None:
        """Append ``record``; keep ``weights`` if no replicate of the recipe has a better score. One commit.

        Args:
            record: record of a run that has none yet, or that failed: the failed record is superseded, and ``record``
                comes last.
            objective: the metric, and whether small or large values are good.
            weights: the weights of the run, member by member.
            shared: also keep the weights for `load_training`.
            seconds: time spent on the comparison so far, see `set_seconds`; None leaves it.
        """
        run = record.run
        with self._commit():
            if seconds is not None:
                self._write_note(info.SECONDS, seconds)
            self._store.execute("delete from records where key = ? and status = 'failed'", (run.key,))
            self._store.execute(
                "insert into records (key, stage, name, status, body) values (?, ?, ?, ?, ?)",
                (run.key, run.stage, run.name, record.status, record.to_json()),
            )
            if weights is not None and shared:
                self._keep_training(run, weights)
            score = record.score(objective.metric)
            if weights is not None and run.stage == "replicate" and self._is_best(run, score, objective):
                self._store.execute(
                    "insert or replace into weights values (?, ?, ?, ?, ?)",
                    (run.name, run.key, score, run.number, pack_weights(weights)),
                )

    def _is_best(self, run: Run, score: float, objective: Objective) -> bool:
        row = self._store.execute("select score, replicate from weights where name = ?", (run.name,)).fetchone()
        if row is None:
            return not math.isnan(score)
        return objective.is_better(score, row[0]) or (score == row[0] and run.number < row[1])

    def records(self) -> list[Record]:
        """Return all records, in the order in which they were made."""
        rows = self._store.execute("select body from records order by number")
        return [Record.from_json(body) for (body,) in rows]

    def load_best_replicate(self, name: str) -> tuple[Record, list[list[np.ndarray]]]:
        """Return the best replicate of the recipe called ``name``, and its weights, member by member.

        Raises:
            InputError: if the recipe has no finished replicate.
        """
        row = self._store.execute(
            "select records.body, weights.body from weights join records using (key) where weights.name = ?", (name,)
        ).fetchone()
        if row is None:
            raise InputError(f"{name!r} has no finished replicate here, so there is no model of it")
        return Record.from_json(row[0]), unpack_weights(row[1])

    def list_training_keys(self) -> set[str]:
        """Return the `Run.training_key` of each run whose weights are kept for ensembles."""
        return {key for (key,) in self._store.execute("select training from trained")}

    def load_training(self, key: str) -> tuple[Record, list[list[np.ndarray]]]:
        """Return record and weights of the run whose `Run.training_key` is ``key``."""
        record, body = self._store.execute(
            "select records.body, trained.body from trained join records using (key) where training = ?", (key,)
        ).fetchone()
        return Record.from_json(record), unpack_weights(body)

    def drop_trainings(self) -> None:
        """Drop the weights that were kept for ensembles, and shrink the file."""
        if self.list_training_keys():
            with self._commit():
                self._store.execute("delete from trained")
            with self._commit():
                self._store.execute("vacuum")

    def get_comparison_info(self) -> ComparisonInfo | None:
        """Return what is known of the comparison; None if it has only just begun."""
        values, seconds = self._get_note(info.COMPARISON), self._get_note(info.SECONDS)
        if values is None:
            return None
        return ComparisonInfo.from_json(values if seconds is None else {**values, "seconds": seconds})

    def set_comparison_info(self, comparison: ComparisonInfo) -> None:
        """Keep ``comparison``, replacing an older one."""
        self._set_note(info.COMPARISON, comparison.to_json())

    def set_seconds(self, seconds: float) -> None:
        """Keep the time spent on the comparison so far, as `ComparisonInfo.seconds`."""
        self._set_note(info.SECONDS, seconds)

    def keep_training(self, run: Run, weights: Sequence[Sequence[Any]]) -> None:
        """Keep the ``weights`` of ``run``, whose record is there, for `load_training`."""
        with self._commit():
            self._keep_training(run, weights)

    def _keep_training(self, run: Run, weights: Sequence[Sequence[Any]]) -> None:
        row = (run.training_key, run.key, pack_weights(weights))
        self._store.execute("insert or ignore into trained values (?, ?, ?)", row)

    def get_setup_json(self) -> dict[str, Any] | None:
        """Return the setup that all runs share, as `TrainingSetup.from_json` reads it; None if it is not kept yet."""
        values: dict[str, Any] | None = self._get_note(info.SETUP)
        return values

    def set_setup_json(self, setup: Mapping[str, Any]) -> None:
        """Keep what `TrainingSetup.to_json` returned, replacing an older one."""
        self._set_note(info.SETUP, dict(setup))

    def get_trained_config(self) -> str | None:
        """Return the config that the records were made with, as YAML; None if it is not kept yet.

        ``jit_compile: auto``, which older versions accepted, becomes the value that it resolved to.
        """
        comparison, setup = self.get_comparison_info(), self.get_setup_json()
        if comparison is None or setup is None:
            return None
        resolved = "true" if setup["jit_compile"] else "false"
        return comparison.config.replace("\n  jit_compile: auto\n", f"\n  jit_compile: {resolved}\n")

    def get_recipe_names(self) -> tuple[str, ...]:
        """Return the recipes' names as the config writes them, placebos last; empty if they are not kept yet."""
        return tuple(self._get_note(info.NAMES) or ())

    def set_recipe_names(self, names: Sequence[str]) -> None:
        """Keep the recipes' ``names``, replacing older ones."""
        self._set_note(info.NAMES, list(names))

    def get_budget_info(self) -> BudgetInfo | None:
        """Return how far the comparison got when its time was up; None if it never was."""
        values = self._get_note(info.BUDGET)
        return None if values is None else BudgetInfo.from_json(values)

    def set_budget_info(self, budget: BudgetInfo) -> None:
        """Keep ``budget``, replacing an older one."""
        self._set_note(info.BUDGET, budget.to_json())

    def get_fold_info(self, fold: int = 0) -> FoldInfo:
        """Return what the export of a model needs about fold number ``fold``.

        Raises:
            InputError: if the comparison has only just begun.
        """
        preprocessor, held_out = (self._get_note(fold_key(key, fold)) for key in (info.PREPROCESSOR, info.HELD_OUT))
        data, comparison = self._get_note(fold_key(info.DATA, fold)) if fold else None, self.get_comparison_info()
        if comparison is None or preprocessor is None:
            raise InputError(f"{self._path.parent} holds nothing about fold {fold} yet; look again in a moment")
        return FoldInfo(preprocessor, held_out, comparison.data if data is None else DataInfo.from_json(data))

    def set_fold_info(self, fold: int, content: FoldInfo) -> None:
        """Keep ``content`` of fold number ``fold``; the data of fold 0 belongs to `ComparisonInfo`."""
        self._set_note(fold_key(info.PREPROCESSOR, fold), content.preprocessor)
        self._set_note(fold_key(info.HELD_OUT, fold), content.held_out)
        if fold:
            self._set_note(fold_key(info.DATA, fold), content.data.to_json())

    def _set_note(self, key: str, value: Any) -> None:
        """Keep ``value`` (JSON) under ``key``, replacing an older one."""
        with self._commit():
            self._write_note(key, value)

    def _write_note(self, key: str, value: Any) -> None:
        body = json.dumps(replace_nonfinite(value), allow_nan=False)
        self._store.execute("insert or replace into notes values (?, ?)", (key, body))

    def _get_note(self, key: str) -> Any:
        """Return the value kept under ``key``, or None."""
        row = self._store.execute("select body from notes where name = ?", (key,)).fetchone()
        return None if row is None else json.loads(row[0])


def _open_store(path: Path) -> tuple[sqlite3.Connection, int]:
    """Open the store and return it with the number of its format, 0 if it is empty."""
    with contextlib.ExitStack() as opened:
        try:
            store = sqlite3.connect(path, timeout=30.0)
            opened.callback(store.close)
            version: int = store.execute("pragma user_version").fetchone()[0]
        except sqlite3.OperationalError as error:
            raise EnvironmentFailure(f"{path} cannot be opened ({error})") from None
        except sqlite3.DatabaseError as error:
            raise InputError(f"{path} is not a regzoo ledger ({error}): choose another folder") from None
        opened.pop_all()
    return store, version
