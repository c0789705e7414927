"""Fit a `Preprocessor` on the training part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from regzoo.core.errors import InputError
from regzoo.data.cells import find_cells, reject_categories
from regzoo.data.centering import NEUTRAL, fit_centering
from regzoo.data.column_fitting import fit_columns, keep_columns
from regzoo.data.columns import ColumnRule, compute_features, describe_readings
from regzoo.data.dataset import Array, Dataset, TaskName
from regzoo.data.different import sort_different
from regzoo.data.input_rules import InputRule, describe_unscaled
from regzoo.data.inputs import InputSpec, NamedInputs, format_shape
from regzoo.data.matching import fits_shape
from regzoo.data.preprocessor import Label, Preprocessor, Scale
from regzoo.data.scaling import TargetScaling, fit_scaling, fit_target_scaling
from regzoo.data.table import Table
from regzoo.data.token_fitting import fit_tokens

_NO_FEATURES: tuple[int, ...] = ()


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
    target = TargetScaling()
    if task == "regression" and scale == "standardize":
        target = fit_target_scaling(y)
    shared: dict[str, Any] = {
        "kind": dataset.kind,
        "task": task,
        "labels": _list_labels(dataset, y, task),
        "target_mean": target.mean,
        "target_scale": target.scale,
        "target_center": target.center,
    }
    reject_categories(dataset)
    if isinstance(dataset.x, NamedInputs) and dataset.form is not None:
        rule, sentences = fit_tokens(dataset.name, dataset.x, dataset.form, rows, inputs or ())
        shape = tuple(size or 0 for size in rule.spec.shape) if inputs is None else ()
        return Preprocessor(input_shape=shape, columns=None, mean=(), scale=(), inputs=(rule,), **shared), sentences
    if isinstance(dataset.x, NamedInputs):
        fitted = [_fit_input(spec, dataset.x.arrays[spec.name][rows], scale) for spec in inputs or ()]
        rules, repairs = tuple(rule for rule, _ in fitted), tuple(note for _, notes in fitted for note in notes)
        repairs += describe_unscaled(rules) if scale == "standardize" else ()
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
        rules, repairs = fit_columns(given, rows) if scale == "standardize" else keep_columns(given, rows, dataset.name)
        rules = tuple(replace(rule, reading=dataset.readings.get(rule.name)) for rule in rules)
        repairs = (*describe_readings(rules), *repairs)
        if not rules:
            raise InputError(f"{dataset.name}: no column is left to learn from:\n" + "\n".join(repairs))
    centering, noise = NEUTRAL, _NO_FEATURES
    if isinstance(given, Table):
        x = compute_features(given[rows], rules)
    else:
        raw = given[rows]
        if scale == "standardize":
            centering, noise = fit_centering(raw)
        x = centering.transform(raw)
    _require_features(dataset, x.shape[1:], rules, inputs)
    cells = find_cells(dataset, rules, x)
    fitted = fit_scaling(x, noise)
    mean, deviation = fitted.mean, fitted.scale
    unscaled = np.full(len(mean), scale == "none") | (False if cells is None else np.array(cells.flags))
    mean, deviation = np.where(unscaled, 0.0, mean), np.where(unscaled, 1.0, deviation)
    preprocessor = Preprocessor(
        input_shape=x.shape[1:],
        columns=tuple(rule.name for rule in rules) or dataset.columns,
        mean=tuple(mean.tolist()),
        scale=tuple(deviation.tolist()),
        rules=rules,
        cells=cells,
        centering=centering,
        **shared,
    )
    damped = {feature: why for feature, why in fitted.damped.items() if not unscaled[feature]}
    return preprocessor, (*repairs, *_describe_damped(damped, preprocessor))


def _describe_damped(damped: Mapping[int, str], preprocessor: Preprocessor) -> tuple[str, ...]:
    """Return a sentence for each feature that is not scaled by its standard deviation."""
    features = [feature for rule in preprocessor.rules for feature in rule.features] or preprocessor.columns
    names = [f"column {name!r}" for name in features or ()]
    what = "channel" if preprocessor.kind == "images" else "column"
    names = names or [f"{what} {number}" for number in range(1, len(preprocessor.mean) + 1)]
    return tuple(f"{names[feature]}: {why}" for feature, why in damped.items())


def _fit_input(spec: InputSpec, values: Array, scale: Scale) -> tuple[InputRule, tuple[str, ...]]:
    """Return the rule of one input, fitted on training ``values`` (n, ...), and what is nearly constant about it."""
    if spec.kind != "float" or scale == "none":
        return InputRule(spec), ()
    by_feature = bool(spec.shape) and spec.shape[-1] is not None
    flat = values.reshape(-1, values.shape[-1] if by_feature else 1)
    centering, noise = fit_centering(flat)
    fitted = fit_scaling(centering.transform(flat), noise)
    where = f"x[{spec.name!r}]"
    notes = tuple(
        f"{where}{f' (feature {feature + 1})' if len(fitted.mean) > 1 else ''}: {why}"
        for feature, why in fitted.damped.items()
    )
    return InputRule(spec, tuple(fitted.mean.tolist()), tuple(fitted.scale.tolist()), centering), notes


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
        return tuple(sort_different(y)[0].tolist())
    return dataset.labels if task == "multilabel" else ()
