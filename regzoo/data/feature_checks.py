"""Warn of features whose differences float32 does not keep, and of rows far from all training rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from regzoo.core.formatting import format_significant
from regzoo.data.columns import Numeric
from regzoo.data.dataset import Array, Dataset
from regzoo.data.inputs import ModelInputs, NamedInputs
from regzoo.data.numbers import find_missing
from regzoo.data.preprocessor import Preprocessor
from regzoo.data.table import Table

SAMPLED = 2000
"""Rows, evenly spaced, whose values are counted."""

FAR = 1000
"""Standard deviations from the training mean beyond which a row is named."""


def warn_features(dataset: Dataset, preprocessor: Preprocessor, x: ModelInputs, scaled: bool = True) -> tuple[str, ...]:
    """Warn of columns of numbers that a model cannot learn from as they are.

    Args:
        dataset: raw data.
        preprocessor: fitted on its training rows.
        x: all its rows as a model takes them.
        scaled: whether they are standardized.
    """
    warnings = []
    for name, raw, values in _iterate_features(dataset, preprocessor, x):
        where = f"{dataset.name}: {name} ({len(values)} rows)"
        if lost := _describe_lost(raw, values):
            warnings.append(f"{where} {lost}")
        if scaled and (far := _describe_far(values)):
            warnings.append(f"{where} {far}")
    return tuple(warnings)


def _iterate_features(
    dataset: Dataset, preprocessor: Preprocessor, x: ModelInputs
) -> Iterator[tuple[str, Array, Array]]:
    """Yield each feature that is a number of the data, with its raw and its prepared values, each (n,)."""
    if isinstance(dataset.x, NamedInputs):
        for rule in preprocessor.inputs:
            raw = dataset.x.arrays[rule.spec.name]
            values = x[rule.spec.name] if isinstance(x, dict) else x
            if rule.spec.kind == "float" and values.ndim <= 2:
                columns = zip(raw.reshape(len(raw), -1).T, values.reshape(len(raw), -1).T, strict=True)
                yield from ((f"x[{rule.spec.name!r}]", one, other) for one, other in columns)
    elif isinstance(dataset.x, Table):
        first = 0
        for column in preprocessor.rules:
            if isinstance(column, Numeric):
                yield f"column {column.name!r}", dataset.x.column(column.name), x[:, first]
            first += len(column.features)
    elif dataset.x.ndim == 2:
        names = dataset.columns or range(1, dataset.x.shape[1] + 1)
        yield from zip((f"column {name!r}" for name in names), dataset.x.T, x.T, strict=True)


def _describe_lost(raw: Array, values: Array) -> str:
    """Return how many different numbers are the same in float32, in words; empty if most stay different."""
    rows = slice(None, None, -(-len(raw) // SAMPLED))
    there = ~find_missing(raw[rows])
    given, left = (len(np.unique(numbers[rows][there])) for numbers in (raw, values))
    if 2 * left >= given:
        return ""
    return (
        f"has {given} different values in {int(there.sum())} rows and only {left} in float32, in which a model "
        "computes: they differ by too little for their range; cap the largest, take a logarithm, or leave it out"
    )


def _describe_far(values: Array) -> str:
    """Return which rows are far from the training mean, in words; empty if none is."""
    largest = max(float(values.max()), -float(values.min()))
    if largest <= FAR:
        return ""
    far = np.abs(values) > FAR
    row, count = int(np.argmax(np.abs(values))) + 1, int(far.sum())
    return (
        f"is more than {FAR} times its standard deviation from the training mean in {count} row{'s' * (count > 1)}, "
        f"the farthest, row {row}, {format_significant(largest, 3)} times; correct such values, or let training rows "
        "have some"
    )
