"""Rules for columns: features of raw cells, by hand, and the sentences that describe repairs."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from regzoo.data.column_fitting import fit_columns
from regzoo.data.columns import Boolean, Categorical, ColumnRule, Date, Numeric, rule_from_json, rule_to_json
from regzoo.data.table import Kind, Table

NAN = float("nan")


def fit(kind: Kind, values: list[Any], rows: int | None = None) -> tuple[ColumnRule | None, str]:
    """Fit a rule on the first ``rows`` values; return it and the sentences about it."""
    column = np.array(values, dtype=np.float32 if kind == "numeric" else object)
    rules, notes = fit_columns(Table(("c",), (kind,), (column,)), np.arange(rows or len(values)))
    return (rules[0] if rules else None), "; ".join(notes)


def transform(rule: ColumnRule, values: list[Any]) -> list[list[float]]:
    dtype = np.float32 if isinstance(rule, Numeric) else object
    return rule.transform(np.array(values, dtype=dtype)).tolist()


def test_numbers_take_the_median_and_a_mark() -> None:
    rule, note = fit("numeric", [1, 2, 9, NAN])
    assert rule == Numeric("c", 2.0, missing=True)
    assert note == "column 'c': 1 of 4 training cells are missing; they are filled with the median 2 and marked"
    assert transform(rule, [5, NAN]) == [[5, 0], [2, 1]]
    assert rule.features == ("c", "c: missing")


def test_gaps_outside_training_are_filled_but_have_no_mark() -> None:
    rule, note = fit("numeric", [1, 2, 9, NAN], rows=3)
    assert rule == Numeric("c", 2.0, missing=False)
    assert note == "column 'c': 1 cells outside the training part are missing; they follow the same rule"
    assert transform(rule, [NAN]) == [[2]]


def test_booleans_become_1_and_0() -> None:
    rule, _ = fit("boolean", ["true", "true", "false", ""])
    assert rule == Boolean("c", 1.0, missing=True)
    assert transform(rule, ["True", "FALSE", "", "maybe"]) == [[1, 0], [0, 0], [1, 1], [1, 1]]


def test_words_have_a_feature_each_and_rare_ones_share_one() -> None:
    rule, note = fit("categorical", [*"aaabbbbc", ""])
    assert rule == Categorical("c", ("a", "b"), other=True, missing=True)
    assert note == (
        "column 'c': 2 words of 3 or more training rows became columns of 0 and 1; "
        "1 rarer ones share one called other; 1 missing training cells have their own"
    )
    assert rule.features == ("c = a", "c = b", "c: other", "c: missing")
    assert transform(rule, ["a", "b", "c", "new", ""]) == [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
    ]


def test_an_unknown_word_is_all_zeros_if_training_had_no_rare_words() -> None:
    rule, _ = fit("categorical", [*"aaabbb"])
    assert rule == Categorical("c", ("a", "b"), other=False, missing=False)
    assert transform(rule, ["new", "", "b"]) == [[0, 0], [0, 0], [0, 1]]


def test_rare_means_fewer_than_one_in_200_rows() -> None:
    values = ["a"] * 600 + ["b"] * 396 + ["c"] * 5 + ["d"] * 4 + ["e"] * 195  # 1,200 rows: 6 are needed
    rule, _ = fit("categorical", values)
    assert isinstance(rule, Categorical)
    assert rule.categories == ("a", "b", "e")


def test_the_thirty_most_frequent_words_are_kept() -> None:
    values = [f"w{n:02}" for n in range(40) for _ in range(3 + (n >= 20))]
    rule, _ = fit("categorical", values)
    assert isinstance(rule, Categorical)
    assert rule.categories == tuple(f"w{n:02}" for n in [*range(10), *range(20, 40)])  # of equals, the first


def test_dates_become_days_month_and_weekday() -> None:
    rule, note = fit("date", ["2024-01-31", "2024-01-01", "2.2.2024", ""])
    assert rule == Date("c", "2024-01-01", "2024-01-31", clock=False, missing=True)
    assert "dates became days since 2024-01-01, month and weekday" in note
    assert "filled with the median 2024-01-31" in note
    # 2024-01-01 was a Monday
    assert transform(rule, ["2024-01-01", "2024-02-04", "2023-12-31", "", "2023-02-30"]) == [
        [0, 1, 0, 0],
        [34, 2, 6, 0],
        [-1, 12, 6, 0],
        [30, 1, 2, 1],
        [30, 1, 2, 1],
    ]


def test_times_of_day_have_a_feature() -> None:
    rule, _ = fit("date", ["2024-01-01T18:00", "2024-01-02"])
    assert isinstance(rule, Date)
    assert rule.features == ("c: days", "c: month", "c: weekday", "c: hour")
    assert transform(rule, ["2024-01-02T06:00", "2024-01-03"]) == [[1.25, 1, 1, 6], [2, 1, 2, 0]]


@pytest.mark.parametrize(
    ("kind", "values", "reason"),
    [
        ("numeric", [NAN, NAN, NAN], "left out: all 3 training cells are missing"),
        ("categorical", ["", "", ""], "left out: all 3 training cells are missing"),
        ("numeric", [7, 7, 7], "left out: all 3 training cells are 7"),
        ("categorical", ["a", "a", "a"], "left out: all 3 training cells are 'a'"),
        ("boolean", ["true"] * 3, "left out: all 3 training cells are 'true'"),
        ("date", ["2024-01-01"] * 3, "left out: all 3 training cells are '2024-01-01'"),
        (
            "categorical",
            [*"abcdefgh", "x", "x", "x"],
            "left out, it looks like an identifier or free text: 9 different texts, such as",
        ),
    ],
)
def test_columns_of_no_use_are_left_out(kind: Kind, values: list[Any], reason: str) -> None:
    rule, note = fit(kind, values)
    assert rule is None
    assert reason in note


@pytest.mark.parametrize(
    "rule",
    [
        Numeric("a", 0.1, True),
        Boolean("b", 1.0, False),
        Categorical("c", ("x", "ß"), True, False),
        Date("d", "2024-01-01", "2024-01-02T03:04:05", True, True),
    ],
)
def test_json_restores_an_equal_rule(rule: ColumnRule) -> None:
    assert rule_from_json(json.loads(json.dumps(rule_to_json(rule)))) == rule
    assert rule.transform(np.array([], dtype=np.float32 if rule.kind == "numeric" else object)).shape == (
        0,
        len(rule.features),
    )
