"""Split a data set into training, validation and test rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from regzoo.core.errors import InputError
from regzoo.core.seeds import derive, generator
from regzoo.data.catalog import PARTS
from regzoo.data.dataset import Array, Dataset, TaskName
from regzoo.data.different import sort_different
from regzoo.data.facts import FoldFacts, SplitFacts
from regzoo.data.splitting.leakage import (
    count_shared_rows,
    digest_rows,
    group_inseparable_rows,
    require_time_order,
    require_whole_groups,
)
from regzoo.data.splitting.redraw import require_redrawable
from regzoo.data.splitting.splitters import (
    GroupSplitter,
    MultilabelSplitter,
    Splitter,
    StratifiedSplitter,
    TimeSplitter,
)

_NO_PART = -1
_MarkedRows = dict[str, Array]
"""Row numbers by part, as the data marks them, and under ``""`` those of unmarked rows."""


class SplitSettings(Protocol):
    """The ``split`` section of a config."""

    @property
    def train(self) -> float:
        """Share of the training part."""

    @property
    def validation(self) -> float:
        """Share of the validation part."""

    @property
    def test(self) -> float:
        """Share of the test part."""

    @property
    def folds(self) -> int:
        """Number of folds; 1 for a single validation part."""

    @property
    def train_size(self) -> int | None:
        """Number of training rows to keep; None for all."""

    @property
    def label_noise(self) -> float:
        """Share of training labels to make wrong."""

    @property
    def duplicates(self) -> str:
        """``together`` if equal rows are never in two parts, else ``anywhere``."""


@dataclass(frozen=True, eq=False)
class Split:
    """Row numbers of the three parts, sorted; no row is in two parts.

    Attributes:
        train, validation, test: row numbers, (n,) int64.
        facts: facts about the split, for reports and the ledger.
    """

    train: Array
    validation: Array
    test: Array
    facts: SplitFacts

    @property
    def test_train_ratio(self) -> float:
        """Validation rows for each training row: n_test / n_train in the corrected variance of repeated splits.

        Reference: Nadeau and Bengio 2003, "Inference for the Generalization Error",
        https://doi.org/10.1023/A:1024068626366.
        """
        return len(self.validation) / len(self.train)


def split_dataset(
    dataset: Dataset,
    settings: SplitSettings,
    seed: int,
    task: TaskName | None = None,
    fold: int = 0,
    repetition: int = 0,
) -> Split:
    """Split ``dataset`` into three parts: stratified by class, by whole groups, or in the order of time.

    With several labels a row, each label is about equally frequent in all parts, and has both values in the training
    part. Groups and times take precedence over labels.
    Rows that the data marks for a part belong to that part; only unmarked rows are drawn. If all rows are marked and
    none for ``validation``, that part is drawn from the rows marked ``train``. Every class has a row in every part that
    is drawn by class or by group, and always in the training part.

    The test part depends on ``seed`` and its share only; the validation part on these, its share, ``fold`` and
    ``repetition``. Changing ``train_size`` or ``label_noise`` changes neither. Without folds, each further repetition
    draws a new validation part of the same size (with groups, as near as whole groups allow); not in the order of
    time, nor where the data marks validation rows: see `regzoo.data.splitting.redraw`. With k ``folds``, all rows
    outside the test part are divided into k pieces, whatever the other shares; each row validates once in every
    repetition, and every repetition draws new pieces. In the order of time, folds are an expanding window, the same in
    every repetition: see `TimeSplitter.draw_fold`.

    Args:
        dataset: the data, with group, time and part where rows have them.
        settings: shares that sum to 1, ``folds`` and ``train_size``.
        seed: the experiment's seed, of the streams ``split``, ``folds`` and ``train_size``.
        task: the task to learn, by default inferred from the targets.
        fold: which of the ``folds`` validates, from 0.
        repetition: which division into folds, from 0; without folds, which draw of the validation part.

    Raises:
        InputError: if a class, a label, a group or the data is too small, marks contradict group or time,
            ``train_size`` is too large, label noise is requested without classes, or nothing can be drawn again.
    """
    task = dataset.resolve_task(task)
    if not 0 <= fold < settings.folds or repetition < 0:
        raise InputError(f"split.folds: {settings.folds} folds have no fold {fold} of repetition {repetition}")
    if settings.folds == 1 and repetition:
        require_redrawable(dataset)
    if settings.label_noise and task != "classification":
        raise InputError(f"split.label_noise: needs classes, this is {task}; set it to 0")
    splitter, marked = _make_splitter(dataset, settings, task), _find_marked_rows(dataset)
    parts = _assign_parts(splitter, marked, settings, seed, fold, repetition)
    _check_parts(dataset, splitter, parts)
    rows = {part: np.flatnonzero(parts == number) for number, part in enumerate(PARTS)}
    subset_seed = fold_seed(settings, seed, fold, repetition)
    rows["train"] = _draw_subset(rows["train"], splitter, settings.train_size, subset_seed)
    if task == "multilabel" and dataset.y is not None:
        _reject_constant_labels(dataset, dataset.y, rows["train"])
    which: FoldFacts = {"folds": settings.folds, "fold": fold, "repetition": repetition}
    return Split(**rows, facts=_collect_facts(dataset, splitter, marked, rows, which))


def fold_seed(settings: SplitSettings, seed: int, fold: int, repetition: int) -> int:
    """Return the seed for the training subset and the wrong labels of one split; of a single one it is ``seed``."""
    return seed if settings.folds == 1 and not repetition else derive(seed, "folds", repetition, fold)


def _make_splitter(dataset: Dataset, settings: SplitSettings, task: TaskName) -> Splitter:
    codes, labels = np.zeros(len(dataset.x), dtype=np.int64), ()
    if task == "classification" and dataset.y is not None:
        different, codes = sort_different(dataset.y)
        labels = tuple(different.tolist())
    groups = group_inseparable_rows(dataset, duplicates=settings.duplicates == "together")
    if dataset.time is not None and groups is not None:
        key = "data: group and time" if dataset.group is not None else "split.duplicates: together and data.time"
        raise InputError(f"{key} cannot both rule a split, since a group may lie on both sides of a date; drop one")
    if dataset.time is not None:
        return TimeSplitter(codes, labels, dataset.time)
    if groups is not None:
        return GroupSplitter(codes, labels, groups)
    if task == "multilabel" and dataset.y is not None:
        return MultilabelSplitter(codes, labels, dataset.y)
    return StratifiedSplitter(codes, labels)


def _find_marked_rows(dataset: Dataset) -> _MarkedRows:
    marks = np.full(len(dataset.x), "") if dataset.part is None else dataset.part
    return {part: np.flatnonzero(marks == part) for part in ("", *PARTS)}


def _assign_parts(
    splitter: Splitter, marked: _MarkedRows, settings: SplitSettings, seed: int, fold: int, repetition: int
) -> Array:
    """Return the part of each row as its position in `PARTS`; -1 where it has none, such as the future of a fold."""
    parts, random = np.full(len(splitter.codes), _NO_PART), generator(seed, "split")
    unmarked, test = marked[""], marked["test"]
    if not len(test):
        test = _draw_test(splitter, marked, settings, random)
    pool = np.setdiff1d(unmarked, test) if len(unmarked) else marked["train"]
    if not len(pool):
        raise InputError("data.part: every row is marked 'validation' or 'test'; mark some for training")
    if settings.folds > 1:
        if len(marked["validation"]):
            raise InputError(
                f"split.folds: {settings.folds} folds validate in turn, but the data marks {len(marked['validation'])} "
                "rows for validation; mark them for training, or set folds to 1"
            )
        pool, validation = splitter.draw_fold(pool, settings.folds, fold, derive(seed, "folds", repetition))
    elif len(marked["validation"]):
        validation = marked["validation"]
    else:
        total = (len(parts) - len(test)) / (1 - settings.test) if len(marked["test"]) else len(parts)
        size = max(1, round(settings.validation * total))
        drawn = generator(seed, "folds", repetition) if repetition else random
        validation = splitter.draw_part(pool, size, 1, "split.validation", drawn)
    for number, rows in ((0, pool), (0, marked["train"] if len(unmarked) else pool), (1, validation), (2, test)):
        parts[rows] = number
    return parts


def _draw_test(splitter: Splitter, marked: _MarkedRows, settings: SplitSettings, random: np.random.Generator) -> Array:
    if not len(marked[""]):
        raise InputError("data.part: no row is marked 'test' and none is left open; mark some, or leave some empty")
    spare = settings.folds if settings.folds > 1 else 1 if len(marked["validation"]) else 2
    size = max(1, round(settings.test * len(splitter.codes)))
    return splitter.draw_part(marked[""], size, spare, "split.test", random)


def _check_parts(dataset: Dataset, splitter: Splitter, parts: Array) -> None:
    """Raise InputError if training is too small or lacks a class, or if marks divide a group or the time order."""
    train = np.flatnonzero(parts == 0)
    if len(train) < 2:
        raise InputError(f"data: {len(parts)} rows are too few to split into three parts; at least 2 must train")
    if isinstance(splitter, GroupSplitter):
        require_whole_groups(splitter.groups, parts)
    if isinstance(splitter, TimeSplitter):
        require_time_order(splitter.times, parts)
    lacking = sorted(set(splitter.codes.tolist()) - set(splitter.codes[train].tolist()))
    if lacking:
        rows = np.flatnonzero(splitter.codes == lacking[0])
        why = "is marked for other parts" if dataset.part is not None else "first occurs after the training part ends"
        raise InputError(
            f"data: the class {splitter.labels[lacking[0]]!s} ({len(rows)} rows) {why}; a model cannot learn it, so "
            f"let some of its rows train, or drop it (data.rare: {{below: {len(rows) + 1}, do: drop}})"
        )


def _draw_subset(rows: Array, splitter: Splitter, size: int | None, seed: int) -> Array:
    """Return ``size`` of the training ``rows``, stratified by class."""
    if size is None:
        return rows
    if size > len(rows):
        raise InputError(f"split.train_size: the training part has {len(rows)} rows, received {size}; lower it")
    by_class = (
        splitter if isinstance(splitter, StratifiedSplitter) else StratifiedSplitter(splitter.codes, splitter.labels)
    )
    return by_class.draw_part(rows, size, 0, "split.train_size", generator(seed, "train_size"))


def _reject_constant_labels(dataset: Dataset, y: Array, train: Array) -> None:
    """Raise InputError if one of several labels ``y`` (n, labels) is the same in all training rows."""
    for label, values in zip(dataset.labels, y.T, strict=True):
        if len(np.unique(values[train])) < 2:
            only, other = ("true", "false") if values[train[0]] else ("false", "true")
            count = int((values != values[train[0]]).sum())
            raise InputError(
                f"data: the label {label!r} is {only} in all {len(train)} training rows, and {other} in {count} of all "
                f"{len(y)} rows; a model cannot learn it, so collect more or leave it out"
            )


def _collect_facts(
    dataset: Dataset, splitter: Splitter, marked: _MarkedRows, rows: dict[str, Array], which: FoldFacts
) -> SplitFacts:
    stratified = bool(splitter.labels) or isinstance(splitter, MultilabelSplitter)
    kinds: dict[type[Splitter], str] = {GroupSplitter: "grouped", TimeSplitter: "time-ordered"}
    facts: SplitFacts = {
        "folds": which["folds"],
        "fold": which["fold"],
        "repetition": which["repetition"],
        "kind": kinds.get(type(splitter), "stratified" if stratified else "random"),
        "marked": [part for part in PARTS if len(marked[part])],
        "hashes": {part: digest_rows(numbers) for part, numbers in rows.items()},
        "duplicates": count_shared_rows(dataset.content_codes, rows),
    }
    if isinstance(splitter, GroupSplitter):
        facts["groups"] = {part: len(np.unique(splitter.groups[numbers])) for part, numbers in rows.items()}
    for part, numbers in rows.items():
        absent = set(range(len(splitter.labels))) - set(splitter.codes[numbers].tolist())
        if absent:
            facts.setdefault("absent", {})[part] = [splitter.labels[code] for code in sorted(absent)]
    return facts
