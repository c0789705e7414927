"""What a ledger keeps of its comparison besides the records: frozen, typed, versioned; JSON at the edge only."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

VERSION = 2
"""Format of `ComparisonInfo` as JSON. Format 1 had no version and called the interim analyses ``looks``."""


@dataclass(frozen=True)
class _Info:
    """Base: reads the keys it knows and leaves the others alone, so that newer files can be read."""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_json` returned, of this version or an older one."""
        names = {field.name for field in dataclasses.fields(cls)}
        return cls(**{name: _frozen(value) for name, value in values.items() if name in names})

    def to_json(self) -> dict[str, Any]:
        """Return JSON values that `from_json` reads."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class SplitInfo(_Info):
    """How the rows were split.

    Attributes:
        kind: ``stratified``, ``random``, ``grouped`` or ``time-ordered``.
        folds: number of folds; 1 for a single validation part.
        fold, repetition: which fold of which repetition, from 0.
        marked: the parts that the data itself marks.
        hashes: digest of the row numbers, by part.
        duplicates: rows that are equal to a row of another part.
        groups: number of groups, by part; None without groups.
        absent: the classes that a part lacks, by part; None if there are none.
    """

    kind: str
    folds: int = 1
    fold: int = 0
    repetition: int = 0
    marked: tuple[str, ...] = ()
    hashes: Mapping[str, str] = field(default_factory=dict)
    duplicates: int = 0
    groups: Mapping[str, int] | None = None
    absent: Mapping[str, tuple[Any, ...]] | None = None


@dataclass(frozen=True)
class DataInfo(_Info):
    """The data that was compared on.

    Attributes:
        source: where it came from, printable.
        digest: digest of the content.
        rows, train, validation, test: number of rows, in all and by part.
        inputs: what an input is, in words.
        task: ``classification``, ``multilabel``, ``regression`` or ``reconstruction``.
        target: the target's name, None if it has none.
        labels: the classes in order.
        split: how the rows were split.
        repairs, warnings: what was repaired, and what looks wrong, a sentence each.
        label_noise: share of the training labels that were made wrong.
    """

    source: str
    digest: str
    rows: int
    train: int
    validation: int
    test: int
    inputs: str
    task: str
    split: SplitInfo
    target: str | None = None
    labels: tuple[Any, ...] = ()
    repairs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    label_noise: float = 0.0

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_json` returned, of this version or an older one."""
        return super().from_json({**values, "split": SplitInfo.from_json(values["split"])})


@dataclass(frozen=True)
class ModelInfo(_Info):
    """What is trained, and how.

    Attributes:
        backbone: with every field, also those at their defaults.
        epochs, batch_size, optimizer, learning_rate, train_size, label_noise, seed: as the config says.
    """

    backbone: str
    epochs: int
    batch_size: int
    optimizer: str
    learning_rate: str
    train_size: int | None = None
    label_noise: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class ComparisonInfo(_Info):
    """A comparison, apart from its records.

    Attributes:
        name: the comparison's name.
        rank_by: the metric on validation that ranks.
        direction: ``min`` if small is good, else ``max``.
        data: the data, as the first fold has it.
        config: the resolved config, as YAML.
        model: what is trained; None in ledgers that did not keep it yet.
        versions: of the packages that trained, by name.
        seconds: wall time so far, all sessions together; None before the first one ended.
        command: what the comparison was made with.
        trials, tuner, pruner: the search of every recipe.
        replicates: how many every recipe gets.
        interim_analyses: after how many replicates the results are looked at; one number unless ``replicates: auto``.
        rope: the region of practical equivalence, None for none.
        budget: seconds, None for no limit.
        class_weight: ``none`` or ``balanced``.
        folds: number of folds.
        test_train_ratio: validation over training rows where replicates are repeated splits, else None.
        notes: warnings about recipes, a sentence each.
        sweep: what `regzoo.comparison.sweep.Sweep.from_dict` reads, None if nothing is swept.
        version: format of these values.
    """

    name: str
    rank_by: str
    direction: Literal["min", "max"]
    data: DataInfo
    config: str
    versions: Mapping[str, str]
    command: str
    trials: int
    tuner: str
    replicates: int
    model: ModelInfo | None = None
    seconds: float | None = None
    pruner: str = "none"
    interim_analyses: tuple[int, ...] = (1,)
    rope: float | None = None
    budget: float | None = None
    class_weight: str = "none"
    folds: int = 1
    test_train_ratio: float | None = None
    notes: tuple[str, ...] = ()
    sweep: Mapping[str, Any] | None = None
    version: int = VERSION

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_json` returned, of this version or an older one."""
        given = {**values, "version": VERSION, "data": DataInfo.from_json(values["data"])}
        if "looks" in given:
            given["interim_analyses"] = given.pop("looks")
        if given.get("model") is not None:
            given["model"] = ModelInfo.from_json(given["model"])
        return super().from_json(given)


def _frozen(value: Any) -> Any:
    """Return ``value`` with lists as tuples; mappings stay as they are."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
