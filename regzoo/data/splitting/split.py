"""Split: which rows train, which validate, which test; and how many training labels are made wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from regzoo.core.errors import InputError
from regzoo.core.seeds import derive, generator
from regzoo.data.catalog import PARTS
from regzoo.data.dataset import Array, Dataset, TaskName
from regzoo.data.splitting.leakage import (
    count_shared_rows,
    digest_rows,
    group_inseparable_rows,
    require_time_order,
    require_whole_groups,
)
from regzoo.data.splitting.splitters import (
    GroupSplitter,
    MultilabelSplitter,
    Splitter,
    StratifiedSplitter,
    TimeSplitter,
)

_NOWHERE = -1
Marked = dict[str, Array]
"""Row numbers by part, as the data marks them, and under ``""`` those that it leaves open."""


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
        """1 for one validation part, else the number of folds that take turns."""

    @property
    def train_size(self) -> int | None:
        """How many training rows to keep, None for all."""

    @property
    def label_noise(self) -> float:
        """Share of training labels to make wrong."""

    @property
    def duplicates(self) -> str:
        """``together`` if equal rows are never in two parts, else ``anywhere``."""


@dataclass(frozen=True, eq=False)
class Split:
    """Row numbers of the three parts, sorted, without overlap: each row was given one place.

    Attributes:
        train, validation, test: row numbers, (n,) int64.
        facts: what reports say about the split; plain and JSON. ``kind`` (``stratified``, ``random``, ``grouped``
            or ``time-ordered``), ``marked`` (the parts that came with the data), ``folds``, ``fold``,
            ``repetition``, ``hashes`` of the row numbers by part, ``duplicates`` (rows with an equal row in another
            part) and, where there are some, ``groups`` by part and classes that are ``absent`` from a part.
    """

    train: Array
    validation: Array
    test: Array
    facts: dict[str, Any]

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
    """Draw the parts of ``dataset``: stratified by class, or by whole groups, or in the order of time.

    With several labels a row, each label is spread over the parts, and has both values in the training part. Groups
    and times that there are go before labels.

    Rows that the data marks for a part are that part; only what it leaves open is drawn. Where nothing is left open
    and no row is marked ``validation``, that part is drawn from the rows marked ``train``. Every class has a row in
    every part that is drawn by class or by group, and in the training part always.

    Test depends on ``seed`` and its share only, validation on these, its share, ``fold`` and ``repetition``: another
    ``train_size`` or ``label_noise`` leaves both as they are. With k ``folds``, all that does not test is cut into k
    pieces, whatever the other shares; each row validates once in every repetition, and every repetition cuts anew.
    In the order of time, folds are an expanding window, the same in every repetition: see `Ordered.fold`.

    Args:
        dataset: targets, and group, time and part where rows have them.
        settings: shares that sum to 1, ``folds`` and ``train_size``.
        seed: the experiment's; the streams are called ``split``, ``folds`` and ``train_size``.
        task: what is learned, by default what the targets say; classes and several labels are stratified.
        fold: which of the ``folds`` validates, from 0.
        repetition: which cut into folds, from 0.

    Raises:
        InputError: if a class, a label, a group or the data is too small, marks contradict group or time,
            ``train_size`` is too large, or label noise is asked for where there are no classes.
    """
    task = dataset.task_as(task)
    if not 0 <= fold < settings.folds or repetition < 0 or (settings.folds == 1 and repetition):
        raise InputError(f"split.folds: {settings.folds} folds have no fold {fold} of repetition {repetition}")
    if settings.label_noise and task != "classification":
        raise InputError(f"split.label_noise: needs classes, this is {task}; set it to 0")
    draw, marked = _draw(dataset, settings, task), _marked(dataset)
    place = _places(draw, marked, settings, seed, fold, repetition)
    _check(dataset, draw, place)
    rows = {part: np.flatnonzero(place == number) for number, part in enumerate(PARTS)}
    rows["train"] = _subset(rows["train"], draw, settings.train_size, fold_seed(settings, seed, fold, repetition))
    if task == "multilabel" and dataset.y is not None:
        _refuse_constant(dataset, dataset.y, rows["train"])
    cut = {"folds": settings.folds, "fold": fold, "repetition": repetition}
    return Split(**rows, facts=cut | _facts(dataset, draw, marked, rows))


def fold_seed(settings: SplitSettings, seed: int, fold: int, repetition: int) -> int:
    """Return ``seed``, or with several folds one of its own for each; a subset and wrong labels are drawn with it."""
    return seed if settings.folds == 1 else derive(seed, "folds", repetition, fold)


def flip_labels(codes: Array, share: float, classes: int, seed: int) -> Array:
    """Return ``codes`` (n,) with ``round(share * n)`` of them replaced by another class, each as likely.

    The stream is called ``label_noise``.
    """
    random = generator(seed, "label_noise")
    order = random.permutation(len(codes))
    shifts = random.integers(1, classes, size=len(codes))  # never a multiple of classes, so never the same class
    chosen = order[: round(share * len(codes))]
    noisy = codes.copy()
    noisy[chosen] = (codes[chosen] + shifts[chosen]) % classes
    return noisy


def _draw(dataset: Dataset, settings: SplitSettings, task: TaskName) -> Splitter:
    """Return the way that the data asks for."""
    codes, labels = np.zeros(len(dataset.x), dtype=np.int64), ()
    if task == "classification" and dataset.y is not None:
        different, codes = np.unique(dataset.y, return_inverse=True)
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


def _marked(dataset: Dataset) -> Marked:
    marks = np.full(len(dataset.x), "") if dataset.part is None else dataset.part
    return {part: np.flatnonzero(marks == part) for part in ("", *PARTS)}


def _places(draw: Splitter, marked: Marked, settings: SplitSettings, seed: int, fold: int, repetition: int) -> Array:
    """Return the part of each row as its position in `PARTS`; -1 is nowhere, as the future of a time-ordered fold."""
    place, random = np.full(len(draw.codes), _NOWHERE), generator(seed, "split")
    opened, test = marked[""], marked["test"]
    if not len(test):
        test = _test(draw, marked, settings, random)
    pool = np.setdiff1d(opened, test) if len(opened) else marked["train"]
    if not len(pool):
        raise InputError("data.part: every row is marked 'validation' or 'test'; mark some for training")
    if settings.folds > 1:
        if len(marked["validation"]):
            raise InputError(
                f"split.folds: {settings.folds} folds validate in turn, but the data marks {len(marked['validation'])} "
                "rows for validation; mark them for training, or set folds to 1"
            )
        pool, validation = draw.fold(pool, settings.folds, fold, derive(seed, "folds", repetition))
    elif len(marked["validation"]):
        validation = marked["validation"]
    else:
        whole = (len(place) - len(test)) / (1 - settings.test) if len(marked["test"]) else len(place)
        size = max(1, round(settings.validation * whole))
        validation = draw.take(pool, size, 1, "split.validation", random)
    for number, rows in ((0, pool), (0, marked["train"] if len(opened) else pool), (1, validation), (2, test)):
        place[rows] = number
    return place


def _test(draw: Splitter, marked: Marked, settings: SplitSettings, random: np.random.Generator) -> Array:
    if not len(marked[""]):
        raise InputError("data.part: no row is marked 'test' and none is left open; mark some, or leave some empty")
    spare = settings.folds if settings.folds > 1 else 1 if len(marked["validation"]) else 2
    size = max(1, round(settings.test * len(draw.codes)))
    return draw.take(marked[""], size, spare, "split.test", random)


def _check(dataset: Dataset, draw: Splitter, place: Array) -> None:
    """Raise InputError if the training part is too small or lacks a class, or marks part what belongs together."""
    train = np.flatnonzero(place == 0)
    if len(train) < 2:
        raise InputError(f"data: {len(place)} rows are too few to split into three parts; at least 2 must train")
    if isinstance(draw, GroupSplitter):
        require_whole_groups(draw.groups, place)
    if isinstance(draw, TimeSplitter):
        require_time_order(draw.times, place)
    lacking = sorted(set(draw.codes.tolist()) - set(draw.codes[train].tolist()))
    if lacking:
        rows = np.flatnonzero(draw.codes == lacking[0])
        why = "is marked for other parts" if dataset.part is not None else "first occurs after the training part ends"
        raise InputError(
            f"data: the class {draw.labels[lacking[0]]!s} ({len(rows)} rows) {why}; a model cannot learn it, so let "
            "some of its rows train, or drop it"
        )


def _subset(rows: Array, draw: Splitter, size: int | None, seed: int) -> Array:
    if size is None:
        return rows
    if size > len(rows):
        raise InputError(f"split.train_size: the training part has {len(rows)} rows, received {size}; lower it")
    by_class = draw if isinstance(draw, StratifiedSplitter) else StratifiedSplitter(draw.codes, draw.labels)
    return by_class.take(rows, size, 0, "split.train_size", generator(seed, "train_size"))


def _refuse_constant(dataset: Dataset, y: Array, train: Array) -> None:
    """Raise InputError if one of several labels ``y`` (n, labels) is the same in all rows that train."""
    for label, values in zip(dataset.labels, y.T, strict=True):
        if len(np.unique(values[train])) < 2:
            only, other = ("true", "false") if values[train[0]] else ("false", "true")
            count = int((values != values[train[0]]).sum())
            raise InputError(
                f"data: the label {label!r} is {only} in all {len(train)} training rows, and {other} in {count} of all "
                f"{len(y)} rows; a model cannot learn it, so collect more or leave it out"
            )


def _facts(dataset: Dataset, draw: Splitter, marked: Marked, rows: dict[str, Array]) -> dict[str, Any]:
    drawn = "stratified" if draw.labels or isinstance(draw, MultilabelSplitter) else "random"
    facts: dict[str, Any] = {
        "kind": {GroupSplitter: "grouped", TimeSplitter: "time-ordered"}.get(type(draw), drawn),
        "marked": [part for part in PARTS if len(marked[part])],
        "hashes": {part: digest_rows(numbers) for part, numbers in rows.items()},
        "duplicates": count_shared_rows(dataset.duplicates, rows),
    }
    if isinstance(draw, GroupSplitter):
        facts["groups"] = {part: len(np.unique(draw.groups[numbers])) for part, numbers in rows.items()}
    for part, numbers in rows.items():
        absent = set(range(len(draw.labels))) - set(draw.codes[numbers].tolist())
        if absent:
            facts.setdefault("absent", {})[part] = [draw.labels[code] for code in sorted(absent)]
    return facts
