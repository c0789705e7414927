"""`Ledger`: the append-only store of a comparison's records, in one SQLite file.

Every run is one commit, so a crash loses at most the runs in progress. What is read is checked, see
`regzoo.storage.sqlite.store`; reading writes nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, cast

import numpy as np

from regzoo.core import InputError, Objective
from regzoo.core.json_values import replace_nonfinite
from regzoo.storage import info
from regzoo.storage.content import read_note, read_record
from regzoo.storage.info import BudgetInfo, ComparisonInfo, DataInfo, FoldInfo, fold_key
from regzoo.storage.sqlite.formats import NOTES, RECORDS, TRAINED, WEIGHTS
from regzoo.storage.sqlite.header import DamagedLedgerError, is_ledger
from regzoo.storage.sqlite.rows import CheckedRows
from regzoo.storage.sqlite.store import Store
from regzoo.storage.weights_blob import pack_weights, unpack_weights
from regzoo.training.records import Record, Run

__all__ = ["FILE", "Ledger", "is_ledger"]

FILE = "ledger.sqlite"


class Ledger:
    """The records of one comparison, in the order in which they were made.

    The ledger also keeps, for each recipe, the weights of the replicate with the best validation score; during a
    comparison, the weights of models that ensembles combine; and notes about the comparison as a whole, see
    `regzoo.storage.info`.

    Args:
        folder: the comparison's folder.
        create: open the ledger for writing; create it if there is none. Without it, the first method that writes
            opens it for writing.

    Raises:
        DamagedLedgerError: if it cannot be read in full; also from every method that reads.
        InputError: if there is no ledger, the file is something else, or a newer version of regzoo wrote it.
        EnvironmentFailure: if it cannot be opened; from every method that writes, if the disk is full.
    """

    def __init__(self, folder: Path, create: bool = False) -> None:
        self._path = folder / FILE
        if not create and not self._path.exists() and not self._path.is_symlink():
            raise InputError(f"{folder} holds no comparison ({FILE} is missing); regzoo compare creates one")
        self.folder = folder
        self._store = Store(self._path, create)

    def open_again(self) -> Ledger:
        """Return the same file, opened on its own, such as for another thread.

        Raises:
            InputError: if the file has been removed.
            EnvironmentFailure: if another file has its name by now.
        """
        again = Ledger(self.folder)
        again._store.require_identity(self._store.identity)
        return again

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()

    def add(
        self,
        record: Record,
        objective: Objective,
        weights: Sequence[Sequence[Any]] | None = None,
        shared: bool = False,
        seconds: float | None = None,
        places: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """Append ``record``; keep ``weights`` if no replicate of the recipe has a better score. One commit.

        Args:
            record: record of a run that has none yet, or that failed: the failed record is superseded, and ``record``
                comes last.
            objective: the metric, and whether small or large values are good.
            weights: the weights of the run, member by member.
            shared: also keep the weights for `load_training`.
            seconds: time spent on the comparison so far, see `set_seconds`; None leaves it.
            places: place of the search of each replicate, by key of the run: weights of a better search, with a smaller
                place, are kept whatever the score.
        """
        run, packed = record.run, None if weights is None else pack_weights(weights)
        with self._store.commit() as rows:
            if seconds is not None:
                _put_note(rows, info.SECONDS, seconds)
            rows.remove_failed(run.key)
            number = rows.get_next_number(RECORDS)
            rows.put(RECORDS, (number, run.key, run.stage, run.name, record.status, record.to_json()))
            if packed is None:
                return
            if shared:
                _put_training(rows, run, packed)
            score = record.score(objective.metric)
            best = rows.get_head(WEIGHTS, run.name)
            if run.stage == "replicate" and _is_best(run, score, objective, best, places):
                rows.put(WEIGHTS, (run.name, run.key, score, run.number, packed))

    def drop_failed(self, run: Run) -> None:
        """Drop the record of ``run`` if it failed: another run has taken its place."""
        with self._store.commit() as rows:
            rows.remove_failed(run.key)

    def records(self) -> list[Record]:
        """Return all records, in the order in which they were made."""
        return [self._read_record(row) for row in self._store.read_all(RECORDS)]

    def load_best_replicate(self, name: str) -> tuple[Record, list[list[np.ndarray]]]:
        """Return the best replicate of the recipe called ``name``, and its weights, member by member.

        Raises:
            InputError: if the recipe has no finished replicate.
        """
        row = self._store.find(WEIGHTS, "name", name)
        if row is None:
            raise InputError(f"{name!r} has no finished replicate here, so there is no model of it")
        return self._load_weights(row[1], row[-1])

    def list_training_keys(self) -> set[str]:
        """Return the `Run.training_key` of each run whose weights are kept for ensembles."""
        return set(self._store.list_values(TRAINED, "training"))

    def load_training(self, key: str) -> tuple[Record, list[list[np.ndarray]]]:
        """Return record and weights of the run whose `Run.training_key` is ``key``."""
        row = self._store.find(TRAINED, "training", key)
        if row is None:
            raise KeyError(key)
        return self._load_weights(row[1], row[-1])

    def _load_weights(self, key: str, body: bytes) -> tuple[Record, list[list[np.ndarray]]]:
        """Return the record of the run with this key, and its weights."""
        record = self._store.find(RECORDS, "key", key)
        if record is None:
            raise DamagedLedgerError(self._path, "the record of a model is missing")
        try:
            return self._read_record(record), unpack_weights(body)
        except InputError as error:
            raise DamagedLedgerError(self._path, str(error)) from None

    def _read_record(self, row: tuple[Any, ...]) -> Record:
        try:
            return read_record(row)
        except InputError as error:
            raise DamagedLedgerError(self._path, str(error)) from None

    def drop_trainings(self) -> None:
        """Drop the weights that were kept for ensembles, and shrink the file."""
        if self.list_training_keys():
            with self._store.commit() as rows:
                rows.clear(TRAINED)
            self._store.shrink()

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
        with self._store.commit() as rows:
            _put_training(rows, run, pack_weights(weights))

    def get_setup_json(self) -> dict[str, Any] | None:
        """Return the setup that all runs share, as `TrainingSetup.from_json` reads it; None if it is not kept yet."""
        return cast("dict[str, Any] | None", self._get_note(info.SETUP))

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
        resolved = "true" if setup.get("jit_compile") else "false"
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

    def get_output_digests(self) -> dict[str, list[str]]:
        """Return what `set_output_digests` kept; empty if it is a comparison of an older regzoo."""
        return dict(self._get_note(info.OUTPUTS) or {})

    def set_output_digests(self, digests: Mapping[str, list[str]]) -> None:
        """Keep the digests of the files that regzoo wrote next to the ledger, see `regzoo.storage.outputs`."""
        self._set_note(info.OUTPUTS, dict(digests))

    def get_fold_info(self, fold: int = 0) -> FoldInfo:
        """Return what the export of a model needs about fold number ``fold``.

        Raises:
            InputError: if the comparison has only just begun.
        """
        preprocessor, held_out = (self._get_note(fold_key(key, fold)) for key in (info.PREPROCESSOR, info.HELD_OUT))
        data, comparison = self._get_note(fold_key(info.DATA, fold)) if fold else None, self.get_comparison_info()
        if comparison is None or preprocessor is None:
            raise InputError(f"{self._path.parent} holds nothing about fold {fold} yet; look again in a moment")
        held_out = held_out or self._get_note(info.HELD_OUT)  # see `set_fold_info`
        return FoldInfo(preprocessor, held_out, comparison.data if data is None else DataInfo.from_json(data))

    def set_fold_info(self, fold: int, content: FoldInfo) -> None:
        """Keep ``content`` of fold number ``fold``; the data of fold 0 belongs to `ComparisonInfo`.

        Without held-out rows, those of fold 0 are meant: twenty splits of images would repeat 100 MB of text.
        """
        self._set_note(fold_key(info.PREPROCESSOR, fold), content.preprocessor)
        self._set_note(fold_key(info.HELD_OUT, fold), content.held_out)
        if fold:
            self._set_note(fold_key(info.DATA, fold), content.data.to_json())

    def _set_note(self, key: str, value: Any) -> None:
        """Keep ``value`` (JSON) under ``key``, replacing an older one."""
        with self._store.commit() as rows:
            _put_note(rows, key, value)

    def _get_note(self, key: str) -> Any:
        """Return the JSON value kept under ``key``, or None; its types are checked."""
        row = self._store.find(NOTES, "name", key)
        if row is None:
            return None
        try:
            return read_note(key, row[-1])
        except InputError as error:
            raise DamagedLedgerError(self._path, str(error)) from None


def _put_note(rows: CheckedRows, key: str, value: Any) -> None:
    rows.put(NOTES, (key, json.dumps(replace_nonfinite(value), allow_nan=False)))


def _put_training(rows: CheckedRows, run: Run, packed: bytes) -> None:
    if rows.get_head(TRAINED, run.training_key) is None:
        rows.put(TRAINED, (run.training_key, run.key, packed))


def _is_best(
    run: Run, score: float, objective: Objective, best: tuple[Any, ...] | None, places: Mapping[str, int]
) -> bool:
    """Return True if ``run`` is better than the replicate whose weights are kept: the head of their row."""
    if best is None or math.isnan(score):
        return not math.isnan(score)
    place, kept = places.get(run.key, 0), places.get(best[1], 0)
    if place != kept:
        return place < kept
    return objective.is_better(score, best[2]) or (score == best[2] and run.number < best[3])
