"""Standardize inputs and encode targets: a `Preprocessor` with statistics of the training part only."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from regzoo.core.errors import InputError
from regzoo.data.column_fitting import fit_columns
from regzoo.data.columns import ColumnRule, compute_features, rule_from_json, rule_to_json
from regzoo.data.dataset import Array, Dataset, TaskName
from regzoo.data.table import Table

Label = str | int | float | bool


@dataclass(frozen=True)
class Preprocessor:
    """Turn raw inputs and targets into what a model takes; fitted on the training part.

    Attributes:
        kind: ``rows`` or ``images``.
        input_shape: shape of one example: (features,) or (height, width, channels).
        columns: names of the table's columns that a model takes; None for other inputs.
        mean: subtracted from each feature, or from each channel of images.
        scale: divisor of each feature or channel: the population standard deviation, 1 where training values are all
            equal.
        task: ``classification``, ``multilabel``, ``regression`` or ``reconstruction`` of the inputs.
        labels: the user's own label values in the order of the class numbers; for multilabel, the names of the labels;
            else empty.
        target_mean: for regression, subtracted from the targets; else 0.
        target_scale: for regression, the population standard deviation of the targets; else 1.
        rules: for a `Table`, one rule per column that computes its features, before mean and scale; else empty.
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
        """Number of classes; 0 unless the task is classification."""
        return len(self.labels) if self.task == "classification" else 0

    @property
    def outputs(self) -> int:
        """Numbers that a model returns for one example.

        One for each class or label, one for regression, as many as the input has for reconstruction.
        """
        return math.prod(self.input_shape) if self.task == "reconstruction" else len(self.labels) or 1

    def select_columns(self, x: Array | Table) -> Array | Table:
        """Return the columns of a raw table that the model takes; an array is returned as it is."""
        return x.select(self.columns or ()) if isinstance(x, Table) else x

    def transform(self, x: Array | Table) -> Array:
        """Return raw inputs ``x``, (n, *input_shape) or a table, standardized, in float32 arithmetic."""
        if isinstance(x, Table):
            x = compute_features(x, self.rules)
        if x.shape[1:] != self.input_shape:
            raise InputError(f"inputs take the shape (n, {str(self.input_shape)[1:]}, received {x.shape}")
        mean, scale = np.array(self.mean, dtype=np.float32), np.array(self.scale, dtype=np.float32)
        return np.asarray((x.astype(np.float32) - mean) / scale, dtype=np.float32)

    def inputs_from_json(self, rows: list[Any]) -> Array | Table:
        """Return raw inputs that were written to JSON with ``tolist``."""
        if not self.rules:
            return np.array(rows, dtype=np.float32)
        return Table.from_rows([rule.name for rule in self.rules], [rule.kind for rule in self.rules], rows)

    def encode_targets(self, y: Array) -> Array:
        """Return class numbers (n,), int64, labels (n, labels), 0 or 1, or standardized targets (n, 1), float32.

        Raises:
            InputError: if ``y`` holds a label that does not occur in the training part.
        """
        if self.task == "regression":
            return ((y - self.target_mean) / self.target_scale).astype(np.float32)[:, np.newaxis]
        if self.task == "multilabel":
            return y.astype(np.float32)
        numbers = {label: number for number, label in enumerate(self.labels)}
        different, positions = np.unique(y, return_inverse=True)
        unknown = [label for label in different.tolist() if label not in numbers]
        if unknown:
            raise InputError(f"the label {unknown[0]!r} is unknown; the training part has {list(self.labels)}")
        return np.array([numbers[label] for label in different.tolist()], dtype=np.int64)[positions]

    def to_json(self) -> str:
        """Return strict JSON, from which `from_json` restores an equal preprocessor, to the last bit."""
        return json.dumps({**asdict(self), "rules": [rule_to_json(rule) for rule in self.rules]}, allow_nan=False)

    @staticmethod
    def from_json(text: str) -> Preprocessor:
        """Read what `to_json` returned."""
        fields: dict[str, Any] = json.loads(text)
        fields["rules"] = [rule_from_json(rule) for rule in fields.get("rules", [])]
        tuples = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
        return Preprocessor(**{**fields, **tuples})


def fit_preprocessor(dataset: Dataset, rows: Array, task: TaskName) -> tuple[Preprocessor, tuple[str, ...]]:
    """Fit a preprocessor on ``rows`` of ``dataset``, in float64.

    Returns:
        The preprocessor, and a sentence for each column that is repaired or left out.

    Raises:
        InputError: if no column of a table is left to learn from.
    """
    rules, repairs = fit_columns(dataset.x, rows) if isinstance(dataset.x, Table) else ((), ())
    if isinstance(dataset.x, Table) and not rules:
        raise InputError(f"{dataset.name}: no column is left to learn from:\n" + "\n".join(repairs))
    x = compute_features(dataset.x[rows], rules) if isinstance(dataset.x, Table) else dataset.x[rows]
    mean, scale = _compute_mean_and_scale(x.astype(np.float64), tuple(range(x.ndim - 1)))
    if rules:
        unscaled = np.concatenate([np.arange(len(rule.features)) >= rule.scaled for rule in rules])
        mean, scale = np.where(unscaled, 0.0, mean), np.where(unscaled, 1.0, scale)
    y = np.zeros(len(x)) if dataset.y is None or task == "reconstruction" else dataset.y[rows]
    target_mean, target_scale = np.zeros(()), np.ones(())
    if task == "regression":
        target_mean, target_scale = _compute_mean_and_scale(y.astype(np.float64), (0,))
    preprocessor = Preprocessor(
        kind=dataset.kind,
        input_shape=x.shape[1:],
        columns=tuple(rule.name for rule in rules) or dataset.columns,
        mean=tuple(mean.tolist()),
        scale=tuple(scale.tolist()),
        task=task,
        labels=_list_labels(dataset, y, task),
        target_mean=float(target_mean),
        target_scale=float(target_scale),
        rules=rules,
    )
    return preprocessor, repairs


def _list_labels(dataset: Dataset, y: Array, task: TaskName) -> tuple[Label, ...]:
    """Return the classes of the training targets ``y``; for multilabel, the names of the labels."""
    if task == "classification":
        return tuple(np.unique(y).tolist())
    return dataset.labels if task == "multilabel" else ()


def _compute_mean_and_scale(values: Array, axes: tuple[int, ...]) -> tuple[Array, Array]:
    """Return mean and population standard deviation over ``axes``; the deviation is 1 where all values are equal."""
    mean, deviation = values.mean(axis=axes), values.std(axis=axes)
    flat = (values.max(axis=axes) == values.min(axis=axes)) | (deviation < np.finfo(np.float32).tiny)
    return mean, np.where(flat, 1.0, deviation)
