"""Typed notes of a ledger: everything it keeps of a comparison besides records and weights. JSON at the edge only.

| key in the ledger | type here | accessors of `Ledger` |
|---|---|---|
| ``study`` | `ComparisonInfo` | `get_comparison_info`, `set_comparison_info` |
| ``seconds`` | float | `set_seconds`; `get_comparison_info` returns it as `ComparisonInfo.seconds` |
| ``shared`` | JSON of a `TrainingSetup` | `get_setup_json`, `set_setup_json` |
| ``names`` | tuple of str | `get_recipe_names`, `set_recipe_names` |
| ``budget`` | `BudgetInfo` | `get_budget_info`, `set_budget_info` |
| ``outputs`` | digests of files | `get_output_digests`, `set_output_digests` |
| ``preparation``, ``held_out``, ``data`` | `FoldInfo` | `get_fold_info`, `set_fold_info` |

The keys of a fold start with its number (``2/held_out``), except in fold 0. Readers ignore keys that they do not know,
so a ledger that a newer version extended can still be read; keys that were added later have a default.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self

from pydantic import Field

Count = Annotated[int, Field(ge=0, lt=2**53)]
Seconds = Annotated[float, Field(ge=0, lt=1e12)]
Share = Annotated[float, Field(ge=0, le=1)]
"""Types with the ranges that `regzoo.storage.content` checks."""

VERSION = 2
"""Format of `ComparisonInfo` as JSON. Format 1 had no version and called the interim analyses ``looks``."""

COMPARISON = "study"
"""Key of `ComparisonInfo`."""

SECONDS = "seconds"
"""Key of the time spent so far. It is kept as it passes, so it has a key of its own."""

SETUP = "shared"
"""Key of the `TrainingSetup` that all runs share."""

NAMES = "names"
"""Key of the recipes' names, placebos last."""

BUDGET = "budget"
"""Key of `BudgetInfo`."""

OUTPUTS = "outputs"
"""Key of the digests of the files that regzoo wrote next to the ledger."""

PREPROCESSOR = "preparation"
"""Key of the preprocessor of a fold, see `FoldInfo`."""

HELD_OUT = "held_out"
"""Key of the held-out rows of a fold, see `FoldInfo`."""

DATA = "data"
"""Key of the `DataInfo` of a fold after the first; that of the first belongs to `ComparisonInfo`."""


@dataclass(frozen=True)
class _Info:
    """Base of the notes: reads the keys it knows and ignores the others."""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_json` returned, of this version or an older one."""
        names = {field.name for field in dataclasses.fields(cls)}
        return cls(**{name: _to_tuples(value) for name, value in values.items() if name in names})

    def to_json(self) -> dict[str, Any]:
        """Return JSON values that `from_json` reads."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class SplitInfo(_Info):
    """How the rows were split.

    Attributes:
        kind: ``stratified``, ``random``, ``grouped`` or ``time-ordered``.
        folds: number of folds; 1 for a single validation part.
        fold: number of the fold that validates, from 0.
        repetition: number of the repetition of the folds, or of the draw of a split that varies, from 0.
        marked: the parts that the data itself marks.
        hashes: digest of the row numbers, by part.
        duplicates: number of rows that equal a row of another part.
        groups: number of groups, by part; None without groups.
        absent: the classes that a part lacks, by part; None if no part lacks any.
    """

    kind: str
    folds: Annotated[int, Field(ge=1, lt=10**6)] = 1
    fold: Count = 0
    repetition: Count = 0
    marked: tuple[str, ...] = ()
    hashes: Mapping[str, str] = field(default_factory=dict)
    duplicates: Count = 0
    groups: Mapping[str, Count] | None = None
    absent: Mapping[str, tuple[Any, ...]] | None = None

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_json` returned, of this version or an older one."""
        absent = values.get("absent")
        classes = None if absent is None else {part: tuple(labels) for part, labels in absent.items()}
        return super().from_json({**values, "absent": classes})


@dataclass(frozen=True)
class DataInfo(_Info):
    """The data of a comparison, as one fold splits it.

    Attributes:
        source: where it came from, printable.
        digest: digest of the content.
        rows: number of rows in all.
        train, validation, test: number of rows, by part.
        inputs: the inputs in words, such as ``13 columns``.
        task: ``classification``, ``multilabel``, ``regression`` or ``reconstruction``.
        split: how the rows were split.
        target: the target's name, None if it has none.
        labels: the classes in order.
        repairs: what was repaired, a sentence each.
        warnings: what looks wrong, a sentence each.
        label_noise: share of the training labels that were made wrong.
        rare: what was done with rare classes, see `regzoo.data.facts.RareFacts`; None if nothing was.
    """

    source: str
    digest: str
    rows: Count
    train: Count
    validation: Count
    test: Count
    inputs: str
    task: str
    split: SplitInfo
    target: str | None = None
    labels: tuple[Any, ...] = ()
    repairs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    label_noise: Share = 0.0
    rare: Mapping[str, Any] | None = None

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_json` returned, of this version or an older one."""
        return super().from_json({**values, "split": SplitInfo.from_json(values["split"])})


@dataclass(frozen=True)
class ModelInfo(_Info):
    """The model that is trained, and how.

    Attributes:
        backbone: the backbone with every field, defaults included.
        epochs: largest number of epochs.
        batch_size: rows per step.
        optimizer: text of the optimizer.
        learning_rate: a number or a range, as the config writes it.
        train_size: number of training rows that are used, None for all.
        label_noise: share of the training labels that were made wrong.
        seed: the experiment's.
        loss: text of the loss; None for the task's own.
    """

    backbone: str
    epochs: Count
    batch_size: Count
    optimizer: str
    learning_rate: str
    train_size: Count | None = None
    label_noise: Share = 0.0
    seed: int = 0
    loss: str | None = None


@dataclass(frozen=True)
class ComparisonInfo(_Info):
    """A comparison, apart from its records.

    Attributes:
        name: the comparison's name.
        rank_by: the metric on validation that ranks.
        direction: ``min`` if small scores are good, else ``max``.
        data: the data, as the first fold has it.
        config: the resolved config as YAML.
        versions: versions of the packages that trained, by name.
        command: the command that made the comparison.
        trials: number of trials of every search.
        tuner: the search algorithm.
        replicates: number of replicates of every recipe.
        model: what is trained; None in ledgers that did not keep it yet.
        seconds: time spent so far, over all sessions, without time in which the process was suspended; None in ledgers
            of older versions whose first session was interrupted.
        pruner: rule that stops trials early, ``none`` or ``median``.
        interim_analyses: replicates after which the results are analyzed; one number unless ``replicates: auto``.
        rope: the region of practical equivalence, None for none.
        budget: seconds, None for no limit.
        class_weight: ``none`` or ``balanced``.
        folds: number of folds.
        test_train_ratio: validation rows per training row where replicates are repeated splits (several folds, or
            ``split`` in ``vary``), else None.
        notes: warnings about recipes, a sentence each.
        vary: what is drawn again for each replicate, of ``seed``, ``split`` and ``search``.
        searches: number of searches of every recipe.
        confirm: number of trials of a search that are run again before one is chosen; 0 for none.
        search_seed: seed of the searches.
        steps: training steps of a full run, in whose terms some ranges are; None for ranges of earlier versions.
        sweep: JSON of a `regzoo.comparison.sweep.Sweep`, None if nothing is swept.
        version: format of these values.
    """

    name: str
    rank_by: str
    direction: Literal["min", "max"]
    data: DataInfo
    config: str
    versions: Mapping[str, str]
    command: str
    trials: Count
    tuner: str
    replicates: Count
    model: ModelInfo | None = None
    seconds: Seconds | None = None
    pruner: str = "none"
    interim_analyses: Annotated[tuple[Count, ...], Field(min_length=1, max_length=1000)] = (1,)
    rope: Annotated[float, Field(ge=0, lt=1e100)] | None = None
    budget: Seconds | None = None
    class_weight: str = "none"
    folds: Annotated[int, Field(ge=1, lt=10**6)] = 1
    test_train_ratio: Annotated[float, Field(gt=0, lt=1e9)] | None = None
    notes: tuple[str, ...] = ()
    vary: tuple[Literal["seed", "split", "search"], ...] = ("seed",)
    searches: Annotated[int, Field(ge=1, lt=10**6)] = 1
    confirm: Count = 0
    search_seed: int = 0
    steps: Count | None = None
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


@dataclass(frozen=True)
class BudgetInfo(_Info):
    """How far a comparison got within its time limit; resumed with the same limit, it goes no further.

    Attributes:
        seconds: the limit at that time, None for no limit.
        closed: number of levels completed in each stage whose time was up, by stage.
        admitted: number of levels begun in each stage, by stage; what was begun is finished, so that every recipe goes
            equally far.
        longest: seconds of the longest level so far, for one run of every recipe.
    """

    seconds: Seconds | None
    closed: Mapping[str, Count] = field(default_factory=dict)
    admitted: Mapping[str, Count] = field(default_factory=dict)
    longest: Seconds = 0.0


@dataclass(frozen=True)
class FoldInfo:
    """Everything that the export of a model needs about the fold that the model was trained in.

    Attributes:
        preprocessor: JSON text of the `Preprocessor` that was fitted on the fold's training rows.
        held_out: raw inputs of some test rows, as nested lists; an exported model is verified on them. Written empty
            where they are those of fold 0.
        data: the data as this fold splits it.
    """

    preprocessor: str
    held_out: list[Any]
    data: DataInfo


def fold_key(key: str, fold: int) -> str:
    """Return ``key`` for fold number ``fold``; the keys of fold 0 have no prefix.

    >>> fold_key(HELD_OUT, 0), fold_key(HELD_OUT, 2)
    ('held_out', '2/held_out')
    """
    return f"{fold}/{key}" if fold else key


def _to_tuples(value: Any) -> Any:
    """Return ``value`` with lists as tuples; mappings are left as they are."""
    return tuple(map(_to_tuples, value)) if isinstance(value, list) else value
