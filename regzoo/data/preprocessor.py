"""Standardize inputs and encode targets: a `Preprocessor` with statistics of the training part only."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from regzoo.core.cells import Cells
from regzoo.core.errors import ErrorCollector, InputError
from regzoo.data.cells import find_cells, reject_categories
from regzoo.data.column_fitting import fit_columns
from regzoo.data.columns import Boolean, ColumnRule, Numeric, compute_features, rule_from_json, rule_to_json
from regzoo.data.dataset import Array, Dataset, TaskName
from regzoo.data.input_rules import InputRule, describe_unscaled, transform_inputs
from regzoo.data.inputs import InputSpec, ModelInputs, NamedInputs, format_shape
from regzoo.data.matching import fits_shape, require_complete
from regzoo.data.table import Table

Label = str | int | float | bool

Scale = Literal["none", "standardize"]
"""Whether inputs and numeric targets are standardized, or handed over as they are."""


@dataclass(frozen=True)
class Preprocessor:
    """Turn raw inputs and targets into what a model takes; fitted on the training part.

    Attributes:
        kind: ``rows``, ``images``, ``sequences``, or ``inputs`` by name: those of a user's own model.
        input_shape: shape of one example: (features,), (height, width, channels) or (steps, channels); () for
            ``inputs``.
        columns: names of the table's columns that a model takes; None for other inputs.
        mean: subtracted from each feature, or from each channel of images and sequences.
        scale: divisor of each feature or channel: the population standard deviation, 1 where training values are all
            equal.
        task: ``classification``, ``multilabel``, ``regression`` or ``reconstruction`` of the inputs.
        labels: the user's own label values in the order of the class numbers; for multilabel, the names of the labels;
            else empty.
        target_mean: for regression, subtracted from the targets; else 0.
        target_scale: for regression, the population standard deviation of the targets; else 1.
        rules: for a `Table`, one rule per column that computes its features, before mean and scale; else empty.
        inputs: for ``inputs``, one rule for each; then mean and scale are empty. Else empty.
        cells: which features hold one value of the data; None if each is a number of its own.
    """

    kind: Literal["rows", "images", "sequences", "inputs"]
    input_shape: tuple[int, ...]
    columns: tuple[str, ...] | None
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    task: TaskName
    labels: tuple[Label, ...]
    target_mean: float
    target_scale: float
    rules: tuple[ColumnRule, ...] = ()
    inputs: tuple[InputRule, ...] = ()
    cells: Cells | None = None

    @property
    def specs(self) -> tuple[InputSpec, ...]:
        """Specs of the ``inputs``; empty for rows and images."""
        return tuple(rule.spec for rule in self.inputs)

    @property
    def values(self) -> int:
        """Numbers or texts in one example; a length that is open counts as 1."""
        shapes = [spec.shape for spec in self.specs] or [self.input_shape]
        return sum(math.prod(size or 1 for size in shape) for shape in shapes)

    @property
    def classes(self) -> int:
        """Number of classes; 0 unless the task is classification."""
        return len(self.labels) if self.task == "classification" else 0

    @property
    def outputs(self) -> int:
        """Numbers that a model returns for one example.

        One for each class or label, one for regression, as many as the input has for reconstruction.
        """
        return self.values if self.task == "reconstruction" else len(self.labels) or 1

    def select_columns(self, x: Array | Table | NamedInputs) -> Array | Table | NamedInputs:
        """Return the columns of a raw table that the model takes; an array is returned as it is."""
        return x.select(self.columns or ()) if isinstance(x, Table) else x

    def transform(self, x: Array | Table | NamedInputs) -> ModelInputs:
        """Return raw inputs ``x``, (n, *input_shape), a table or named inputs, as a model takes them.

        Floats are standardized, in float32 arithmetic.
        """
        if isinstance(x, NamedInputs):
            return transform_inputs(x, self.inputs)
        if isinstance(x, Table):
            x = compute_features(x, self.rules)
        if x.shape[1:] != self.input_shape:
            raise InputError(f"inputs take the shape (n, {str(self.input_shape)[1:]}, received {x.shape}")
        mean, scale = np.array(self.mean, dtype=np.float32), np.array(self.scale, dtype=np.float32)
        return np.asarray((x.astype(np.float32) - mean) / scale, dtype=np.float32)

    def inputs_from_json(self, rows: list[Any]) -> Array | Table | NamedInputs:
        """Return raw inputs that were written to JSON with ``tolist``."""
        if self.inputs:
            columns = zip(self.inputs, zip(*rows, strict=True), strict=True)
            return NamedInputs({rule.spec.name: rule.read_json(values) for rule, values in columns})
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
        values = {
            **asdict(self),
            "cells": self.cells and self.cells.to_json(),
            "rules": [rule_to_json(rule) for rule in self.rules],
        }
        values["inputs"] = [rule.to_json() for rule in self.inputs]
        if not self.inputs:
            del values["inputs"]  # as older versions wrote it
        if self.cells is None:
            del values["cells"]
        return json.dumps(values, allow_nan=False)

    @staticmethod
    def from_json(text: str) -> Preprocessor:
        """Read what `to_json` returned."""
        fields: dict[str, Any] = json.loads(text)
        fields["rules"] = [rule_from_json(rule) for rule in fields.get("rules", [])]
        fields["inputs"] = [InputRule.from_json(rule) for rule in fields.get("inputs", [])]
        cells = fields.pop("cells", None)
        tuples = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
        return Preprocessor(**{**fields, **tuples}, cells=None if cells is None else Cells.from_json(cells))


def fit_preprocessor(
    dataset: Dataset,
    rows: Array,
    task: TaskName,
    inputs: tuple[InputSpec, ...] | None = None,
    scale: Scale = "standardize",
) -> tuple[Preprocessor, tuple[str, ...]]:
    """Fit a preprocessor on ``rows`` of ``dataset``, in float64.

    Args:
        dataset: raw data, matched with ``inputs``: see `match_inputs`.
        rows: numbers of the training rows.
        task: the task to learn.
        inputs: the inputs of a user's own model; None for a backbone of regzoo.
        scale: ``standardize``; or ``none`` to hand over inputs and numeric targets as they are.

    Returns:
        The preprocessor, and a sentence for each column that is repaired or left out.

    Raises:
        InputError: if no column of a table is left to learn from; with ``none``, if a column of a table is not
            complete or no number; if the model takes another number of features.
    """
    y = np.zeros(len(rows)) if dataset.y is None or task == "reconstruction" else dataset.y[rows]
    target_mean, target_scale = np.zeros(()), np.ones(())
    if task == "regression" and scale == "standardize":
        target_mean, target_scale = _compute_mean_and_scale(y.astype(np.float64), (0,))
    shared: dict[str, Any] = {
        "kind": dataset.kind,
        "task": task,
        "labels": _list_labels(dataset, y, task),
        "target_mean": float(target_mean),
        "target_scale": float(target_scale),
    }
    reject_categories(dataset)
    if isinstance(dataset.x, NamedInputs):
        rules = tuple(_fit_input(spec, dataset.x.arrays[spec.name][rows], scale) for spec in inputs or ())
        repairs = describe_unscaled(rules) if scale == "standardize" else ()
        return Preprocessor(input_shape=(), columns=None, mean=(), scale=(), inputs=rules, **shared), repairs
    return _fit_array(dataset, dataset.x, rows, scale, inputs or (), shared)


def _fit_array(
    dataset: Dataset,
    given: Array | Table,
    rows: Array,
    scale: Scale,
    inputs: tuple[InputSpec, ...],
    shared: dict[str, Any],
) -> tuple[Preprocessor, tuple[str, ...]]:
    """Fit a preprocessor of rows or images, or of the columns of a table."""
    rules: tuple[ColumnRule, ...] = ()
    repairs: tuple[str, ...] = ()
    if isinstance(given, Table):
        rules, repairs = fit_columns(given, rows) if scale == "standardize" else _keep_columns(dataset, given, rows)
        if not rules:
            raise InputError(f"{dataset.name}: no column is left to learn from:\n" + "\n".join(repairs))
    x = compute_features(given[rows], rules) if isinstance(given, Table) else given[rows]
    _require_features(dataset, x.shape[1:], rules, inputs)
    cells = find_cells(dataset, rules, x)
    mean, deviation = _compute_mean_and_scale(x.astype(np.float64), tuple(range(x.ndim - 1)))
    if scale == "none":
        mean, deviation = np.zeros_like(mean), np.ones_like(deviation)
    elif cells is not None:
        unscaled = np.array(cells.flags)
        mean, deviation = np.where(unscaled, 0.0, mean), np.where(unscaled, 1.0, deviation)
    preprocessor = Preprocessor(
        input_shape=x.shape[1:],
        columns=tuple(rule.name for rule in rules) or dataset.columns,
        mean=tuple(mean.tolist()),
        scale=tuple(deviation.tolist()),
        rules=rules,
        cells=cells,
        **shared,
    )
    return preprocessor, repairs


def _fit_input(spec: InputSpec, values: Array, scale: Scale) -> InputRule:
    """Return the rule of one input, fitted on training ``values`` (n, ...)."""
    if spec.kind != "float" or scale == "none":
        return InputRule(spec)
    by_feature = bool(spec.shape) and spec.shape[-1] is not None
    flat = values.reshape(-1, values.shape[-1] if by_feature else 1).astype(np.float64)
    mean, deviation = _compute_mean_and_scale(flat, (0,))
    return InputRule(spec, tuple(mean.tolist()), tuple(deviation.tolist()))


def _keep_columns(dataset: Dataset, table: Table, rows: Array) -> tuple[tuple[ColumnRule, ...], tuple[str, ...]]:
    """Return rules that leave numbers as they are, and make 0 and 1 of booleans.

    Raises:
        InputError: with every column of words or dates, and every one with a missing cell.
    """
    errors = ErrorCollector()
    with errors.collect():
        require_complete(table, dataset.name)
    for name, kind in zip(table.columns, table.kinds, strict=True):
        if kind in ("categorical", "date"):
            errors.messages.append(
                f"{dataset.name}: column {name!r} holds {'dates' if kind == 'date' else 'words'}, and the model takes "
                "numbers as they are; leave it out (data.drop), take a model with an input of text of this name, or "
                "let regzoo encode it (data.scale: standardize)"
            )
    errors.raise_if_any()
    kept: list[ColumnRule] = []
    for name, kind in zip(table.columns, table.kinds, strict=True):
        if kind == "numeric":
            kept.append(Numeric(name, float(np.median(table.column(name)[rows].astype(np.float64))), missing=False))
        else:
            kept.append(Boolean(name, float(np.mean(table.column(name)[rows] == "true") >= 0.5), missing=False))
    return tuple(kept), ()


def _require_features(
    dataset: Dataset, shape: tuple[int, ...], rules: tuple[ColumnRule, ...], inputs: tuple[InputSpec, ...]
) -> None:
    """Raise InputError if the model takes examples of another shape."""
    if not inputs or fits_shape(shape, inputs[0]):
        return
    columns = f" (from {len(rules)} columns; words and dates become several)" if rules else ""
    raise InputError(
        f"{dataset.name}: the model's input {inputs[0]} takes other rows than the data has: "
        f"{format_shape(shape)}{columns}; give rows of that shape, or a model that takes these"
    )


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
