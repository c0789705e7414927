"""Facts about the data that reports show and the ledger keeps: plain values, as JSON holds them."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class FoldFacts(TypedDict):
    """Which fold it is.

    Attributes:
        folds: number of folds; 1 for a single validation part.
        fold, repetition: which fold of which repetition validates, from 0; without folds, the repetition is the number
            of the draw.
    """

    folds: int
    fold: int
    repetition: int


class SplitFacts(FoldFacts):
    """Facts about a split.

    Attributes:
        kind: ``stratified``, ``random``, ``grouped`` or ``time-ordered``.
        marked: the parts that the data itself marks.
        hashes: digest of the row numbers, by part.
        duplicates: number of rows that equal a row of another part.
        groups: number of groups, by part; only if there are groups.
        absent: the classes that a part lacks, by part; only if there are some.
    """

    kind: str
    marked: list[str]
    hashes: dict[str, str]
    duplicates: int
    groups: NotRequired[dict[str, int]]
    absent: NotRequired[dict[str, list[Any]]]


class RareFacts(TypedDict):
    """The treatment of classes that have few rows, see `regzoo.data.rare_classes.RareClasses`.

    Attributes:
        do: ``drop`` or ``merge``.
        below: a class with fewer rows is rare.
        classes: the rare ones, each with its number of rows.
        merged: the label of the class that they were merged into; None if they were dropped.
    """

    do: str
    below: int
    classes: list[tuple[Any, int]]
    merged: Any


class DataFacts(TypedDict):
    """Facts about a data set and its split; `regzoo.storage.info.DataInfo` has the same keys.

    Attributes:
        source: where the data comes from, printable.
        digest: digest of the content.
        rows, train, validation, test: number of rows, in all and by part.
        inputs: what one input is, in words.
        task: ``classification``, ``multilabel``, ``regression`` or ``reconstruction``.
        target: name of the target; None if it has none.
        labels: the classes in order, or the names of several labels.
        split: how the rows were split.
        repairs, warnings: what was repaired, and what looks wrong, a sentence each.
        label_noise: share of the training labels that were made wrong.
        rare: what was done with rare classes; only if something was.
    """

    source: str
    digest: str
    rows: int
    train: int
    validation: int
    test: int
    inputs: str
    task: str
    target: str | None
    labels: list[Any]
    split: SplitFacts
    repairs: list[str]
    warnings: list[str]
    label_noise: float
    rare: NotRequired[RareFacts]
