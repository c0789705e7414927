"""Standardize inputs and encode targets: a `Preprocessor` with statistics of the training part only."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from regzoo.core.cells import Cells
from regzoo.core.errors import InputError
from regzoo.data.centering import NEUTRAL, Centering
from regzoo.data.columns import ColumnRule, Numeric, compute_features, rule_from_json, rule_to_json
from regzoo.data.dataset import Array, TaskName
from regzoo.data.different import sort_different
from regzoo.data.input_rules import InputRule, transform_inputs
from regzoo.data.inputs import InputSpec, ModelInputs, NamedInputs
from regzoo.data.scaling import standardize
from regzoo.data.table import Table

Label = str | int | float | bool

Scale = Literal["none", "standardize"]
"""Whether inputs and numeric targets are standardized, or handed over as they are."""


@dataclass(frozen=True)
class Preprocessor:
    """Turn raw inputs and targets into what a model takes; fitted on the training part.

    Attributes:
        kind: ``rows``, ``images``, ``sequences``, or ``inputs`` by name: those of a user's own model.
        input_shape: shape of one example: (features,), (height, width, channels) or (steps, channels); (steps,) of
            tokens for a named backbone; () for the inputs of a user's own model.
        columns: names of the table's columns that a model takes; None for other inputs.
        mean: subtracted from each feature, or from each channel of images and sequences.
        scale: divisor of each feature or channel: the population standard deviation, 1 where training values are all
            equal.
        task: ``classification``, ``multilabel``, ``regression`` or ``reconstruction`` of the inputs.
        labels: the user's own label values in the order of the class numbers; for multilabel, the names of the labels;
            else empty.
        target_mean: for regression, subtracted from the targets less their center; else 0.
        target_scale: for regression, the population standard deviation of the targets; else 1.
        rules: for a `Table`, one rule per column that computes its features, before mean and scale; else empty.
        inputs: for ``inputs``, one rule for each; then mean and scale are empty. Else empty.
        cells: which features hold one value of the data; None if each is a number of its own.
        centering: for an array, how its numbers become float32, before mean and scale.
        target_center: for targets that are large for their deviations, subtracted in their own dtype; else 0.
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
    centering: Centering = NEUTRAL
    target_center: float = 0.0

    @property
    def specs(self) -> tuple[InputSpec, ...]:
        """Specs of the ``inputs``; empty for rows and images."""
        return tuple(rule.spec for rule in self.inputs)

    @property
    def raw_specs(self) -> tuple[InputSpec, ...]:
        """Specs of the ``inputs`` as the data holds them: text, where the model takes tokens."""
        return tuple(rule.raw for rule in self.inputs)

    @property
    def values(self) -> int:
        """Numbers or texts in one example; a length that is open counts as 1."""
        shapes = [spec.shape for spec in self.specs] or [self.input_shape]
        return sum(math.prod(size or 1 for size in shape) for shape in shapes)

    @property
    def vocabulary_size(self) -> int:
        """Number of different tokens that a named backbone takes; 0 if it takes numbers."""
        encoder = self.inputs[0].encoder if self.inputs and self.input_shape else None
        return 0 if encoder is None else encoder.size

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

    @property
    def raw_statistics(self) -> tuple[Array, Array]:
        """Mean and scale of each feature in the units of the data; of the first of several inputs."""
        if self.inputs:
            given = self.inputs[0]
            return given.centering.restore(np.array(given.mean or 0.0), np.array(given.scale or 1.0))
        mean, scale = np.array(self.mean), np.array(self.scale)
        first = 0
        for rule in self.rules:
            if isinstance(rule, Numeric):
                one = slice(first, first + 1)
                mean[one], scale[one] = rule.centering.restore(mean[one], scale[one])
            first += len(rule.features)
        return self.centering.restore(mean, scale)

    def select_columns(self, x: Array | Table | NamedInputs) -> Array | Table | NamedInputs:
        """Return the columns of a raw table that the model takes; an array is returned as it is."""
        return x.select(self.columns or ()) if isinstance(x, Table) else x

    def transform(self, x: Array | Table | NamedInputs) -> ModelInputs:
        """Return raw inputs ``x``, (n, *input_shape), a table or named inputs, as a model takes them.

        Numbers are standardized in float32 arithmetic, after a centering in their own dtype where float32 needs it.
        """
        if isinstance(x, NamedInputs):
            return transform_inputs(x, self.inputs)
        features = compute_features(x, self.rules) if isinstance(x, Table) else self._center(x)
        return standardize(features, self.mean, self.scale, out=features)

    def _center(self, x: Array) -> Array:
        if x.shape[1:] != self.input_shape:
            raise InputError(f"inputs take the shape (n, {str(self.input_shape)[1:]}, received {x.shape}")
        return self.centering.transform(x)

    def inputs_from_json(self, rows: list[Any]) -> Array | Table | NamedInputs:
        """Return raw inputs that were written to JSON with ``tolist``."""
        if self.inputs:
            columns = zip(self.inputs, zip(*rows, strict=True), strict=True)
            return NamedInputs({rule.spec.name: rule.read_json(values) for rule, values in columns})
        if not self.rules:
            return np.array(rows, dtype=self.centering.dtype)
        return Table.from_rows([rule.name for rule in self.rules], [rule.kind for rule in self.rules], rows)

    def encode_targets(self, y: Array) -> Array:
        """Return class numbers (n,), int64, labels (n, labels), 0 or 1, or standardized targets (n, 1), float32.

        Raises:
            InputError: if ``y`` holds a label that does not occur in the training part.
        """
        if self.task == "regression":
            y = y - self.target_center if self.target_center else y
            return ((y - self.target_mean) / self.target_scale).astype(np.float32)[:, np.newaxis]
        if self.task == "multilabel":
            return y.astype(np.float32)
        numbers = {label: number for number, label in enumerate(self.labels)}
        different, positions = sort_different(y)
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
        values["centering"] = self.centering.to_json()
        if self.centering.is_neutral:
            del values["centering"]
        if not self.target_center:
            del values["target_center"]
        return json.dumps(values, allow_nan=False)

    @staticmethod
    def from_json(text: str) -> Preprocessor:
        """Read what `to_json` returned."""
        fields: dict[str, Any] = json.loads(text)
        fields["rules"] = [rule_from_json(rule) for rule in fields.get("rules", [])]
        fields["inputs"] = [InputRule.from_json(rule) for rule in fields.get("inputs", [])]
        cells = fields.pop("cells", None)
        centering = Centering.from_json(fields.pop("centering")) if "centering" in fields else NEUTRAL
        tuples = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
        cells = None if cells is None else Cells.from_json(cells)
        return Preprocessor(**{**fields, **tuples}, cells=cells, centering=centering)
