"""Prepare: a data set becomes three parts of standardized arrays, and the rule that made them so."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from regzoo.core.errors import ErrorCollector, InputError, printable
from regzoo.data.catalog import fold_key
from regzoo.data.columns import ColumnRule, compute_features, fit_columns, rule_from_json, rule_to_json
from regzoo.data.dataset import Array, Dataset, TaskName
from regzoo.data.splitting.split import Split, SplitSettings, flip_labels, fold_seed, split_dataset
from regzoo.data.table import Table
from regzoo.data.validate import validate_dataset, warn_constant_labels, warn_shared_rows, warn_small_parts

HELD_OUT = 64
"""At most this many raw test rows are kept to check an exported model with."""

FEWEST_HELD_OUT = 8
HELD_OUT_VALUES = 1_000_000
"""Numbers that these rows may hold: the ledger keeps them as text."""

Label = str | int | float | bool
Part = tuple[Array, Array]


@dataclass(frozen=True)
class Preprocessor:
    """The rule that turns the user's data into what a model takes; fitted on the training part only.

    Attributes:
        kind: ``rows`` or ``images``.
        input_shape: shape of one example: (features,) or (height, width, channels).
        columns: names of the columns of a table that a model takes, else None.
        mean: subtracted from each feature, or from each channel of images.
        scale: then divided by: the population standard deviation, 1 where training values are all equal.
        task: ``classification``, ``multilabel``, ``regression`` or ``reconstruction`` of the inputs.
        labels: the user's own label values in the order of the class numbers; for multilabel, the labels' names; else
            empty.
        target_mean: for regression, subtracted from the targets; else 0.
        target_scale: for regression, the targets' population standard deviation; else 1.
        rules: for a `Table`, what makes features of its columns, before mean and scale; else empty.
    """

    kind: Literal["rows", "images"]
    input_shape: tuple[int, ...]
    columns: tuple[str, ...] | None
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    task: TaskName
    labels: tuple[Label, ...]
    target_mean: float
    target_scale: float
    rules: tuple[ColumnRule, ...] = ()

    @property
    def classes(self) -> int:
        """Number of classes; 0 but for classification."""
        return len(self.labels) if self.task == "classification" else 0

    @property
    def outputs(self) -> int:
        """Numbers that a model gives for an example: one for each class or label, one, or as many as it takes."""
        return math.prod(self.input_shape) if self.task == "reconstruction" else len(self.labels) or 1

    def taken(self, x: Array | Table) -> Array | Table:
        """Return what a model takes of raw inputs ``x``: of a table the columns that it learned from."""
        return x.only(self.columns or ()) if isinstance(x, Table) else x

    def apply(self, x: Array | Table) -> Array:
        """Return raw inputs ``x``, (n, *input_shape) or a table, standardized, in float32 arithmetic."""
        if isinstance(x, Table):
            x = compute_features(x, self.rules)
        if x.shape[1:] != self.input_shape:
            raise InputError(f"inputs take the shape (n, {str(self.input_shape)[1:]}, received {x.shape}")
        mean, scale = np.array(self.mean, dtype=np.float32), np.array(self.scale, dtype=np.float32)
        return np.asarray((x.astype(np.float32) - mean) / scale, dtype=np.float32)

    def raw(self, rows: list[Any]) -> Array | Table:
        """Return inputs that were written as JSON with ``tolist``."""
        if not self.rules:
            return np.array(rows, dtype=np.float32)
        return Table.from_rows([rule.name for rule in self.rules], [rule.kind for rule in self.rules], rows)

    def encode(self, y: Array) -> Array:
        """Return class numbers (n,), int64, labels (n, labels), 0 or 1, or standardized targets (n, 1), float32.

        Raises:
            InputError: if ``y`` holds a label that the training part did not.
        """
        if self.task == "regression":
            return ((y - self.target_mean) / self.target_scale).astype(np.float32)[:, np.newaxis]
        if self.task == "multilabel":
            return y.astype(np.float32)
        numbers = {label: number for number, label in enumerate(self.labels)}
        different, where = np.unique(y, return_inverse=True)
        unknown = [label for label in different.tolist() if label not in numbers]
        if unknown:
            raise InputError(f"the label {unknown[0]!r} is unknown; the training part has {list(self.labels)}")
        return np.array([numbers[label] for label in different.tolist()], dtype=np.int64)[where]

    def to_json(self) -> str:
        """Strict JSON; `from_json` gives an equal preparation back, to the last bit."""
        return json.dumps({**asdict(self), "rules": [rule_to_json(rule) for rule in self.rules]}, allow_nan=False)

    @staticmethod
    def from_json(text: str) -> Preprocessor:
        """Read what `to_json` wrote."""
        fields: dict[str, Any] = json.loads(text)
        fields["rules"] = [rule_from_json(rule) for rule in fields.get("rules", [])]
        listed = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
        return Preprocessor(**{**fields, **listed})


@dataclass(frozen=True, eq=False)
class PreparedData:
    """What a comparison trains on.

    Attributes:
        train: standardized inputs, float32, and targets as `Preparation.encode` gives them, noise included.
        validation: the same without noise.
        test: the same without noise.
        preprocessor: the rule, for the exported model.
        digest: digest of the data set.
        held_out: raw inputs and raw targets of up to 64 rows of the test part.
        split: the row numbers of the parts.
        weights: the weights of their rows by part, (n,) float32, or None if the data has none.
        facts: what reports say about the data; plain and JSON.
        folds: with folds, the same rows cut otherwise, each cut with a rule of its own, see `prepare_folds`; this is
            cut 0, the first of them is cut 1.
    """

    train: Part
    validation: Part
    test: Part
    preprocessor: Preprocessor
    digest: str
    held_out: tuple[Array | Table, Array]
    split: Split
    weights: dict[str, Array] | None
    facts: dict[str, Any]
    folds: tuple[PreparedData, ...] = ()

    @property
    def test_train_ratio(self) -> float | None:
        """With folds, validation rows for each training row, the mean over the cuts; see `Split.test_train_ratio`."""
        ratios = [cut.split.test_train_ratio for cut in (self, *self.folds)]
        return math.fsum(ratios) / len(ratios) if self.folds else None

    def parts(self, class_weight: str = "none") -> dict[str, tuple[Array, ...]]:
        """What training takes, by part; the training part has a third array where its rows count differently.

        The parts of cut 1 are called ``1/train`` and so on, see `fold_key`.

        Args:
            class_weight: ``balanced`` multiplies a row's weight by n / (classes x rows of its class): each class
                counts alike, and the mean weight stays 1.

        Raises:
            InputError: if classes are to be balanced and there are none.
        """
        weight = None if self.weights is None else self.weights["train"]
        if class_weight == "balanced":
            if not self.preprocessor.classes:
                task = self.preprocessor.task
                raise InputError(f"training.class_weight: balanced needs classes, this is {task}; take it out")
            counts = np.bincount(self.train[1], minlength=self.preprocessor.classes)
            balance = (len(self.train[1]) / (np.count_nonzero(counts) * np.maximum(counts, 1)))[self.train[1]]
            weight = (balance if weight is None else weight * balance).astype(np.float32)
        train = self.train if weight is None else (*self.train, weight)
        others = {
            fold_key(part, number): arrays
            for number, cut in enumerate(self.folds, start=1)
            for part, arrays in cut.parts(class_weight).items()
        }
        return {"train": train, "validation": self.validation, "test": self.test, **others}


def prepare_fold(
    dataset: Dataset,
    settings: SplitSettings,
    seed: int,
    task: TaskName | None = None,
    fold: int = 0,
    repetition: int = 0,
) -> PreparedData:
    """Split ``dataset``, fit a `Preprocessor` on the training part and apply it to all three.

    Args:
        dataset: what was read.
        settings: shares of the parts, and folds.
        seed: the experiment's.
        task: what to learn; by default what the targets say.
        fold: which fold validates, from 0, where ``settings.folds`` is above 1.
        repetition: which cut into folds, from 0.

    Raises:
        InputError: with everything that cannot be repaired, as `validate_dataset` and `split_dataset` say; if the targets are not made
            for the task; if the training part has no column to learn from.
    """
    task = dataset.task_as(task)
    given = np.zeros(len(dataset.x)) if dataset.y is None else dataset.y
    found = validate_dataset(dataset, task)
    errors = ErrorCollector(found.refused)
    with errors.collect():
        rows = split_dataset(dataset, settings, seed, task, fold, repetition)
    errors.raise_if_any()
    preprocessor, repairs = fit_preprocessor(dataset, rows.train, task)
    parts = {"train": rows.train, "validation": rows.validation, "test": rows.test}
    warned = [*found.warned, *warn_shared_rows(dataset, parts), *warn_small_parts(dataset, parts)]
    warned += warn_constant_labels(dataset, parts) if task == "multilabel" else ()
    kept = rows.test[: count_held_out(preprocessor.input_shape)]
    x = preprocessor.apply(dataset.x)
    y = x if task == "reconstruction" else preprocessor.encode(given)
    own = fold_seed(settings, seed, fold, repetition)
    targets, stress = _stressed(y[rows.train], settings, preprocessor.classes, own)
    warned += [f"{dataset.name}: {said}" for said in stress]
    return PreparedData(
        train=(x[rows.train], targets),
        validation=(x[rows.validation], y[rows.validation]),
        test=(x[rows.test], y[rows.test]),
        preprocessor=preprocessor,
        digest=dataset.digest,
        held_out=(preprocessor.taken(dataset.x)[kept], given[kept]),
        split=rows,
        weights=None if dataset.weight is None else {part: dataset.weight[numbers] for part, numbers in parts.items()},
        facts=_facts(dataset, preprocessor, rows, [*dataset.notes, *repairs], warned)
        | {"label_noise": settings.label_noise},
    )


def _stressed(targets: Array, settings: SplitSettings, classes: int, seed: int) -> tuple[Array, list[str]]:
    """Return training ``targets`` (n,), wrong where noise is asked for, and what makes this part worse than it was."""
    said = [] if settings.train_size is None else [f"only {len(targets)} rows train, as split.train_size says"]
    if not classes or not settings.label_noise:
        return targets, said
    noisy = flip_labels(targets, settings.label_noise, classes, seed)
    wrong = f"{np.count_nonzero(noisy != targets)} of {len(targets)} training labels were made wrong"
    return noisy, [*said, f"{wrong}, as split.label_noise says"]


def _facts(
    dataset: Dataset, preprocessor: Preprocessor, rows: Split, repairs: list[str], warned: list[str]
) -> dict[str, Any]:
    """What reports say about the data."""
    return {
        "source": printable(dataset.name),
        "digest": dataset.digest,
        "rows": len(dataset.x),
        "train": len(rows.train),
        "validation": len(rows.validation),
        "test": len(rows.test),
        "inputs": _inputs(dataset, preprocessor),
        "task": preprocessor.task,
        "target": dataset.target,
        "labels": list(preprocessor.labels),
        "split": rows.facts,
        "repairs": repairs,
        "warnings": warned,
    }


def count_held_out(input_shape: tuple[int, ...]) -> int:
    """How many raw rows are kept to check an exported model with: 64, fewer where one of them is large.

    >>> held_out_rows((8, 8, 1)), held_out_rows((224, 224, 3))
    (64, 8)
    """
    return min(HELD_OUT, max(FEWEST_HELD_OUT, HELD_OUT_VALUES // math.prod(input_shape)))


def prepare_folds(
    dataset: Dataset, settings: SplitSettings, seed: int, task: TaskName | None = None, count: int = 1
) -> PreparedData:
    """As `prepare_fold`, with as many different cuts as ``count`` replicates take turns with; one without folds.

    Cut i is fold i mod k of repetition i // k. The test rows are the same in all of them, standardized by the rule of
    each. All cuts are in memory at once: each takes as much as the data.

    Raises:
        InputError: as `prepare_fold` says; if there are fewer folds than replicates in the order of time, which has one
            cut into folds only.
    """
    first = prepare_fold(dataset, settings, seed, task)
    if settings.folds == 1:
        return first
    if first.split.facts["kind"] == "time-ordered" and count > settings.folds:
        raise InputError(
            f"replicates: {count} are more than the {settings.folds} of split.folds; in the order of time every "
            f"repetition cuts alike, so set replicates to {settings.folds} at most, or raise split.folds"
        )
    places = (divmod(number, settings.folds) for number in range(1, count))
    folds = [prepare_fold(dataset, settings, seed, task, fold, repetition) for repetition, fold in places]
    return replace(first, folds=tuple(folds))


def fit_preprocessor(dataset: Dataset, rows: Array, task: TaskName) -> tuple[Preprocessor, tuple[str, ...]]:
    """Fit the rule on ``rows`` of ``dataset``, in float64; return it, and sentences on what it mends or leaves out."""
    rules, repairs = fit_columns(dataset.x, rows) if isinstance(dataset.x, Table) else ((), ())
    if isinstance(dataset.x, Table) and not rules:
        raise InputError(f"{dataset.name}: no column is left to learn from:\n" + "\n".join(repairs))
    x = (compute_features(dataset.x[rows], rules) if isinstance(dataset.x, Table) else dataset.x[rows]).astype(
        np.float64
    )
    mean, scale = _moments(x, tuple(range(x.ndim - 1)))
    if rules:
        as_they_are = np.concatenate([np.arange(len(rule.features)) >= rule.scaled for rule in rules])
        mean, scale = np.where(as_they_are, 0.0, mean), np.where(as_they_are, 1.0, scale)
    y = np.zeros(len(x)) if dataset.y is None or task == "reconstruction" else dataset.y[rows]
    target_mean, target_scale = np.zeros(()), np.ones(())
    if task == "regression":
        target_mean, target_scale = _moments(y.astype(np.float64), (0,))
    preprocessor = Preprocessor(
        kind=dataset.kind,
        input_shape=x.shape[1:],
        columns=tuple(rule.name for rule in rules) or dataset.columns,
        mean=tuple(mean.tolist()),
        scale=tuple(scale.tolist()),
        task=task,
        labels=_labels(dataset, y, task),
        target_mean=float(target_mean),
        target_scale=float(target_scale),
        rules=rules,
    )
    return preprocessor, repairs


def _labels(dataset: Dataset, y: Array, task: TaskName) -> tuple[Label, ...]:
    """The labels of training targets ``y``, or the names of several."""
    if task == "classification":
        return tuple(np.unique(y).tolist())
    return dataset.labels if task == "multilabel" else ()


def _moments(values: Array, axes: tuple[int, ...]) -> tuple[Array, Array]:
    """Mean and population standard deviation over ``axes``; the deviation is 1 where there is no spread."""
    mean, deviation = values.mean(axis=axes), values.std(axis=axes)
    flat = (values.max(axis=axes) == values.min(axis=axes)) | (deviation < np.finfo(np.float32).tiny)
    return mean, np.where(flat, 1.0, deviation)


def _inputs(dataset: Dataset, preprocessor: Preprocessor) -> str:
    if preprocessor.rules:
        return f"{dataset.x.shape[1]} columns ({preprocessor.input_shape[0]} features)"
    size = " x ".join(str(length) for length in dataset.x.shape[1:])
    return f"{size} columns" if dataset.kind == "rows" else f"{size} images"
