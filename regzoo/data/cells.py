"""Cells of prepared rows: which features come from one column of a table, or are one category of an array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from regzoo.core.categorical_features import Groups, make_cells
from regzoo.core.cells import Cells
from regzoo.core.errors import InputError
from regzoo.core.formatting import format_count, format_short_list
from regzoo.data.columns import ColumnRule
from regzoo.data.dataset import Array, Dataset
from regzoo.data.inputs import NamedInputs

KEY = "categorical_features"


def find_cells(dataset: Dataset, rules: Sequence[ColumnRule], x: Array) -> Cells | None:
    """Return the cells of features; None if each is a number of its own.

    Args:
        dataset: raw data, with its ``categories``.
        rules: those of a table's columns; empty for an array.
        x: the training features, not standardized, (n, features) or (n, height, width, channels).

    Raises:
        InputError: if ``categories`` are not columns of 0 and at most one 1.
    """
    groups, where = dataset.categories, f"{dataset.name}: {KEY}"
    if groups and x.ndim != 2:
        raise InputError(f"{where}: goes with rows of columns, and x holds images; leave it out")
    if not rules:
        _require_one_hot(groups, x, where)
        return make_cells(groups, x.shape[1], where)
    cells = Cells.from_sizes((rule.scaled, len(rule.features) - rule.scaled) for rule in rules)
    if groups:
        cells = _join_columns(cells, dataset, rules, x)
    return None if cells.are_numbers else cells


def reject_categories(dataset: Dataset) -> None:
    """Reject ``categories`` of inputs by name.

    Raises:
        InputError: if there are any.
    """
    if dataset.categories and isinstance(dataset.x, NamedInputs):
        raise InputError(f"{dataset.name}: {KEY}: goes with one array of rows, and x has inputs by name; leave it out")


def describe_cells(cells: Cells | None, names: Sequence[str]) -> str:
    """Say in a sentence which columns are one cell for regularizers of the batch.

    Args:
        cells: of the features; None if each is a number of its own.
        names: for each feature, the name or number of the column that it comes from.

    >>> cells = Cells.from_sizes([(1, 0), (0, 3), (0, 1), (1, 1)])
    >>> describe_cells(cells, ["age", "city", "city", "city", "member", "pay", "pay"])
    'city (3 features) and member are categories and booleans; pay has a mark where it is missing; 1 other is a number'
    """
    if cells is None:
        return f"{format_count(len(names), 'column')}, each a number of its own, none a category"
    found: dict[str, list[str]] = {"category": [], "marked": [], "several": [], "number": []}
    for cell in range(cells.count):
        features = [feature for feature, owner in enumerate(cells.owners) if owner == cell]
        flags = sum(cells.flags[feature] for feature in features)
        several = "several" if len(features) > 1 else "number"
        kind = "category" if flags == len(features) else "marked" if flags else several
        count = f" ({len(features)} features)" if len(features) > 1 and kind != "marked" else ""
        found[kind].append("+".join(dict.fromkeys(names[feature] for feature in features)) + count)
    forms = {
        "category": ("is a category or boolean", "are categories and booleans"),
        "marked": ("has a mark where it is missing", "have a mark where they are missing"),
        "several": ("is a date", "are dates"),
    }
    parts = [
        f"{format_short_list(found[kind])} {form[len(found[kind]) > 1]}" for kind, form in forms.items() if found[kind]
    ]
    numbers = len(found["number"])
    others = [f"{numbers} other{'s are numbers' if numbers > 1 else ' is a number'}"] if numbers else []
    return "; ".join([*parts, *others])


def _join_columns(cells: Cells, dataset: Dataset, rules: Sequence[ColumnRule], x: Array) -> Cells:
    """Return ``cells`` with the columns of each category in one cell, all of them columns of 0 and 1."""
    where, columns = f"{dataset.name}: {KEY}", dataset.columns or ()
    make_cells(dataset.categories, len(columns), where)  # checks the numbers
    group_of = {columns[column]: group for group, each in enumerate(dataset.categories) for column in each}
    wrong = [rule for rule in rules if rule.name in group_of and rule.kind in ("categorical", "date")]
    if wrong:
        raise InputError(
            f"{where}: takes columns of 0 and 1, and {wrong[0].name!r} holds "
            f"{'dates' if wrong[0].kind == 'date' else 'words, which are a category already'}; leave it out there"
        )
    firsts = {rule.name: first for rule, first in zip(rules, _find_firsts(rules), strict=True)}
    kept = [[columns[column] for column in group if columns[column] in firsts] for group in dataset.categories]
    gaps = {rule.name for rule in rules if rule.missing}
    for group in kept:
        _require_one_hot((tuple(firsts[column] for column in group),), x, where, several=bool(gaps & {*group}))
    names = [rules[owner].name for owner in cells.owners]
    keys = [group_of.get(name, name) for name in names]
    order = list(dict.fromkeys(keys))
    flags = [flag or name in group_of for flag, name in zip(cells.flags, names, strict=True)]
    return Cells(tuple(map(order.index, keys)), tuple(flags))


def _find_firsts(rules: Sequence[ColumnRule]) -> list[int]:
    """Return the first feature of each rule."""
    sizes = [len(rule.features) for rule in rules]
    return np.cumsum([0, *sizes[:-1]]).tolist()


def _require_one_hot(groups: Groups, x: Array, where: str, several: bool = False) -> None:
    """Reject features of a category that hold something else than 0 and 1, or, unless ``several`` may, two of 1."""
    for group in groups:
        values = x[:, [column for column in group if column < x.shape[1]]]
        wrong = ~np.isin(values, (0, 1)).all(axis=1)
        wrong |= not several and values.sum(axis=1) > 1
        if wrong.any():
            shown = ", ".join(f"{value:g}" for value in values[int(np.argmax(wrong))].tolist()[:6])
            raise InputError(
                f"{where}: takes columns of 0 and 1, with one 1 at most in those of a category; columns "
                f"{', '.join(map(str, group[:6]))} hold {shown} in a training row; encode each category as columns of "
                "0 and 1, or leave it out"
            )
