"""Ledger: the append-only store of records of one comparison. The only file that opens the store.

One SQLite file; one commit per run, so whatever happens costs at most the runs under way.
"""

from __future__ import annotations

import contextlib
import io
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from regzoo.core import EnvironmentFailure, InputError, Objective
from regzoo.core.json_values import replace_nonfinite
from regzoo.storage import info
from regzoo.storage.info import BudgetInfo, ComparisonInfo, DataInfo, FoldInfo, fold_key
from regzoo.training.records import Record

FILE = "ledger.sqlite"
VERSION = 2
_FIRST = """
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
_STEPS = {
    1: _FIRST,
    2: "create table trained (training text primary key, key text not null, body blob not null);",
}
"""What each format adds to the one before; an older store is brought forward step by step."""


class Ledger:
    """The records of one comparison, in the order in which they were made.

    Beside them it keeps, for each recipe, the weights of the replicate that validated best; while a comparison is
    under way, the weights of trainings that an ensemble is put together from; and notes: small JSON values about the
    comparison as a whole.

    Args:
        folder: the comparison's folder.
        create: make the store if there is none.

    Raises:
        InputError: if there is no store, it is something else, or a newer version of regzoo wrote it.
        EnvironmentFailure: if the store cannot be opened; from whatever writes, if the disk does not take it.
    """

    def __init__(self, folder: Path, create: bool = False) -> None:
        path = folder / FILE
        if not create and not path.is_file():
            raise InputError(f"{folder} holds no comparison ({FILE} is missing); regzoo compare makes one")
        self._path = path
        self._store, version = _open_store(path)
        if version == 0 and not create:
            self._store.close()
            said = "holds a comparison that has only just begun: there is nothing to read yet; look again in a moment"
            raise InputError(f"{folder} {said}")
        if version > VERSION:
            self._store.close()
            raise InputError(f"{path} has format {version}, this regzoo reads {VERSION}: use the regzoo that wrote it")
        if version < VERSION:
            steps = "".join(_STEPS[step] for step in range(version + 1, VERSION + 1))
            with self._commit():
                self._store.executescript(f"begin; {steps} pragma user_version = {VERSION}; commit;")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()

    @contextlib.contextmanager
    def _commit(self) -> Iterator[None]:
        """All that the block writes, or nothing."""
        try:
            with self._store:
                yield
        except sqlite3.OperationalError as error:
            raise EnvironmentFailure(
                f"{self._path} cannot be written ({error}): is the disk full? Nothing that was finished before is "
                "lost: make room, run the same command again and it goes on"
            ) from None

    def add(
        self,
        record: Record,
        objective: Objective,
        weights: Sequence[Sequence[Any]] | None = None,
        shared: bool = False,
    ) -> None:
        """Append ``record``; keep ``weights`` if no replicate of the recipe has validated better. One commit.

        Args:
            record: of a run that is not there yet.
            objective: which direction is better.
            weights: what the run left, member by member.
            shared: keep the weights for `training` as well.
        """
        run = record.run
        with self._commit():
            self._store.execute(
                "insert into records (key, stage, name, status, body) values (?, ?, ?, ?, ?)",
                (run.key, run.stage, run.name, record.status, record.to_json()),
            )
            if weights is not None and shared:
                self._store.execute(
                    "insert or ignore into trained values (?, ?, ?)",
                    (run.training_key, run.key, _pack_weights(weights)),
                )
            score = record.score(objective.metric)
            if weights is not None and run.stage == "replicate" and self._best(run.name, score, run.number, objective):
                self._store.execute(
                    "insert or replace into weights values (?, ?, ?, ?, ?)",
                    (run.name, run.key, score, run.number, _pack_weights(weights)),
                )

    def _best(self, name: str, score: float, number: int, objective: Objective) -> bool:
        row = self._store.execute("select score, replicate from weights where name = ?", (name,)).fetchone()
        if row is None:
            return score == score  # NaN is no result to keep
        return objective.better(score, row[0]) or (score == row[0] and number < row[1])

    def records(self) -> list[Record]:
        """All records, in the order in which they were made."""
        rows = self._store.execute("select body from records order by number")
        return [Record.from_json(body) for (body,) in rows]

    def weights(self, name: str) -> tuple[Record, list[list[np.ndarray]]]:
        """The best replicate of the recipe written ``name``, and its weights, member by member.

        Raises:
            InputError: if it has no finished replicate.
        """
        row = self._store.execute(
            "select records.body, weights.body from weights join records using (key) where weights.name = ?", (name,)
        ).fetchone()
        if row is None:
            raise InputError(f"{name!r} has no finished replicate here, so there is no model of it")
        return Record.from_json(row[0]), _unpack_weights(row[1])

    def trainings(self) -> set[str]:
        """The trainings whose weights are kept."""
        return {training for (training,) in self._store.execute("select training from trained")}

    def training(self, training: str) -> tuple[Record, list[list[np.ndarray]]]:
        """A kept training: its record and what it left."""
        record, body = self._store.execute(
            "select records.body, trained.body from trained join records using (key) where training = ?", (training,)
        ).fetchone()
        return Record.from_json(record), _unpack_weights(body)

    def forget_trainings(self) -> None:
        """Drop the weights that were kept for ensembles, and give their room back."""
        if self.trainings():
            with self._commit():
                self._store.execute("delete from trained")
            with self._commit():
                self._store.execute("vacuum")

    def comparison_info(self) -> ComparisonInfo | None:
        """Return what is known of the comparison; None if it has only just begun."""
        values = self.get_info(info.COMPARISON)
        return None if values is None else ComparisonInfo.from_json(values)

    def set_comparison_info(self, comparison: ComparisonInfo) -> None:
        """Keep ``comparison``, replacing an older one."""
        self.set_info(info.COMPARISON, comparison.to_json())

    def setup_json(self) -> dict[str, Any] | None:
        """Return what `TrainingSetup.from_json` reads: the setup that all runs share; None if it is not kept yet."""
        values: dict[str, Any] | None = self.get_info(info.SETUP)
        return values

    def set_setup_json(self, setup: Mapping[str, Any]) -> None:
        """Keep what `TrainingSetup.to_json` returned, replacing an older one."""
        self.set_info(info.SETUP, setup)

    def trained_config(self) -> str | None:
        """Return the config that the records were made with, as YAML; None if it is not kept yet.

        ``jit_compile: auto``, which older versions took, becomes the value that it stood for.
        """
        comparison, setup = self.comparison_info(), self.setup_json()
        if comparison is None or setup is None:
            return None
        chosen = "true" if setup["jit_compile"] else "false"
        return comparison.config.replace("\n  jit_compile: auto\n", f"\n  jit_compile: {chosen}\n")

    def recipe_names(self) -> tuple[str, ...]:
        """Return the recipes' names as the config writes them, placebos last; empty if they are not kept yet."""
        return tuple(self.get_info(info.NAMES) or ())

    def set_recipe_names(self, names: Sequence[str]) -> None:
        """Keep the recipes' ``names``, replacing older ones."""
        self.set_info(info.NAMES, names)

    def budget_info(self) -> BudgetInfo | None:
        """Return how far the comparison went when its time was up; None if it never was."""
        values = self.get_info(info.BUDGET)
        return None if values is None else BudgetInfo.from_json(values)

    def set_budget_info(self, budget: BudgetInfo) -> None:
        """Keep ``budget``, replacing an older one."""
        self.set_info(info.BUDGET, budget.to_json())

    def fold_info(self, fold: int = 0) -> FoldInfo:
        """Return what the export of a model needs about fold number ``fold``.

        Raises:
            InputError: if the comparison has only just begun.
        """
        preprocessor, held_out = (self.get_info(fold_key(key, fold)) for key in (info.PREPROCESSOR, info.HELD_OUT))
        data, comparison = self.get_info(fold_key(info.DATA, fold)) if fold else None, self.comparison_info()
        if comparison is None or preprocessor is None:
            raise InputError(f"{self._path.parent} holds nothing about fold {fold} yet; look again in a moment")
        return FoldInfo(preprocessor, held_out, comparison.data if data is None else DataInfo.from_json(data))

    def set_fold_info(self, fold: int, content: FoldInfo) -> None:
        """Keep ``content`` of fold number ``fold``; the data of fold 0 is a part of `ComparisonInfo`."""
        self.set_info(fold_key(info.PREPROCESSOR, fold), content.preprocessor)
        self.set_info(fold_key(info.HELD_OUT, fold), content.held_out)
        if fold:
            self.set_info(fold_key(info.DATA, fold), content.data.to_json())

    def set_info(self, name: str, value: Any) -> None:
        """Keep ``value`` (JSON) under ``name``, in place of what was there."""
        body = json.dumps(replace_nonfinite(value), allow_nan=False)
        with self._commit():
            self._store.execute("insert or replace into notes values (?, ?)", (name, body))

    def get_info(self, name: str) -> Any:
        """The value kept under ``name``, or None."""
        row = self._store.execute("select body from notes where name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])


def _open_store(path: Path) -> tuple[sqlite3.Connection, int]:
    """The store and its format."""
    with contextlib.ExitStack() as opened:
        try:
            store = sqlite3.connect(path, timeout=30.0)
            opened.callback(store.close)
            version: int = store.execute("pragma user_version").fetchone()[0]
        except sqlite3.OperationalError as error:
            raise EnvironmentFailure(f"{path} cannot be opened ({error})") from None
        except sqlite3.DatabaseError as error:
            raise InputError(f"{path} is no ledger of regzoo ({error}): choose another folder") from None
        opened.pop_all()
    return store, version


def _pack_weights(weights: Sequence[Sequence[Any]]) -> bytes:
    file = io.BytesIO()
    np.savez(file, **{f"{m:04d}-{i:06d}": array for m, arrays in enumerate(weights) for i, array in enumerate(arrays)})
    return file.getvalue()


def _unpack_weights(body: bytes) -> list[list[np.ndarray]]:
    members: list[list[np.ndarray]] = []
    with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
        for name in sorted(arrays.files):
            if name.endswith("-000000"):
                members.append([])
            members[-1].append(arrays[name])
    return members
