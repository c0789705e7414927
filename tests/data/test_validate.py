"""Validation of data: every finding names the column and the number of rows."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest

from regzoo.config import SplitConfig
from regzoo.core.errors import InputError
from regzoo.data.preprocess import prepare_fold
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.validate import Findings, validate_dataset, warn_shared_rows, warn_small_parts

RANDOM = np.random.default_rng(0)
Y = ["no", "yes"] * 20
CLEAN = pd.DataFrame({"a": RANDOM.normal(size=40), "b": RANDOM.normal(size=40)})


def validate(frame: pd.DataFrame, y: Any = Y) -> Findings:
    data = from_arrays(frame, y, "mine")
    return validate_dataset(data, data.task)


def test_clean_data_has_no_findings() -> None:
    assert (validate(CLEAN).errors, validate(CLEAN).warnings) == ((), ())


@pytest.mark.parametrize(
    ("values", "warning"),
    [
        ([7.5] * 40, "column 'c' (40 rows) is 7.5 in every row; it carries no information"),
        (list(range(40)), "column 'c' (40 rows) counts the rows, as an identifier does"),
        (list(range(101, 61, -1)), "column 'c' (40 rows) counts the rows"),
        ([7 * n for n in range(40)], "column 'c' (40 rows) is another whole number in each row, in order, as an ident"),
        ([1, 2] * 20, "column 'c' (40 rows) determines the target: no value of it occurs with two labels"),
        (["x", "z", "y", "z"] * 10, "column 'c' (40 rows) determines the target"),
    ],
)
def test_a_suspicious_column_is_a_warning(values: list[Any], warning: str) -> None:
    (message,) = validate(CLEAN.assign(c=values)).warnings
    assert message.startswith("mine: ")
    assert warning in message


@pytest.mark.parametrize(
    ("name", "odd"),
    [("id", True), ("customer_id", True), ("PassengerId", True), ("Order ID", True), ("paid", False), ("IDs", False)],
)
def test_a_name_and_no_repetition_make_an_identifier(name: str, odd: bool) -> None:
    values = np.random.default_rng(1).permutation(1000)[:40]
    assert [warning.split(": ", 1)[1] for warning in validate(CLEAN.assign(**{name: values})).warnings] == odd * [
        f"column {name!r} (40 rows) is another whole number in each row, as an identifier does; unless the order of "
        "the rows means something, leave it out (data.drop in a config)"
    ]
    repeated = validate(CLEAN.assign(**{name: [*values[:-1], values[0]]})).warnings
    assert repeated == ()
    assert validate(CLEAN.assign(**{name: [*values[:-1], 0.5]})).warnings == ()
    assert validate(CLEAN.assign(**{name: [*values[:-1], np.nan]})).warnings == ()


@pytest.mark.parametrize(
    ("values", "y"),
    [
        (Y, Y),
        ([1, 3] * 20, [1, 3] * 20),
        ([True, False] * 20, [True, False] * 20),
        (np.arange(40) / 7, np.arange(40) / 7),
        ([f"{n % 3:02}" for n in range(40)], [f"{n % 3:02}" for n in range(40)]),
    ],
)
def test_a_copy_of_the_target_is_rejected(values: Any, y: Any) -> None:
    assert validate(CLEAN.assign(c=values), y).errors == (
        "mine: column 'c' (40 rows) is the target itself, in every row; leave it out (data.drop in a config)",
    )


def test_rows_that_are_repeated_do_not_make_their_columns_suspicious() -> None:
    assert validate(pd.concat([CLEAN, CLEAN]), Y + Y).warnings == (
        "mine: 40 of 80 rows repeat an earlier row, target included",
    )


def test_one_other_row_is_enough_not_to_be_the_target() -> None:
    assert validate(CLEAN.assign(c=["yes", *Y[1:]])).errors == ()


def test_reconstruction_has_no_target_to_copy() -> None:
    data = from_arrays(CLEAN.assign(c=Y), Y)
    assert validate_dataset(data, "reconstruction").errors == ()


def test_duplicates_are_counted_and_found_between_parts() -> None:
    data = from_arrays(pd.concat([CLEAN, CLEAN[:3]]), [*Y, *Y[:3]], "mine")
    assert validate_dataset(data, data.task).warnings == ("mine: 3 of 43 rows repeat an earlier row, target included",)
    parts = {"train": np.arange(30), "validation": np.arange(30, 41), "test": np.arange(41, 43)}
    way = "; split.duplicates: together keeps equal rows in one part"
    assert warn_shared_rows(data, parts) == (
        f"mine: 1 of 11 validation rows are also in the training part{way}",
        f"mine: 2 of 2 test rows are also in the training part{way}",
    )
    assert warn_small_parts(data, parts) == (
        "mine: only 2 test rows: with so few, which recipe looks best is luck; collect more",
    )
    marked = dataclasses.replace(data, part=np.array([""] * 41 + ["test"] * 2))
    drop = "; the data marks these parts, so drop such rows from one of them"
    assert [drop in warning for warning in warn_shared_rows(marked, parts)] == [False, True]


def test_everything_that_cannot_be_repaired_is_reported_at_once() -> None:
    frame = CLEAN.assign(leak=[*Y[:-1], "maybe"], copy=[*Y[:-1], "maybe"])
    with pytest.raises(InputError) as caught:
        prepare_fold(from_arrays(frame, [*Y[:-1], "maybe"], "mine"), SplitConfig(), 0)
    lines = str(caught.value).splitlines()
    assert [word in line for word, line in zip(("'leak'", "'copy'", "maybe occurs only once"), lines, strict=True)]


def test_every_column_and_the_target_are_reported_at_once() -> None:
    frame = CLEAN.assign(c=[np.inf] * 40, d=[1j] * 40)
    with pytest.raises(InputError) as caught:
        from_arrays(frame, ["no"] * 40, "mine")
    lines = str(caught.value).splitlines()
    assert ["'c'" in lines[0], "'d'" in lines[1], "all 40 targets are no" in lines[2]] == [True] * 3


def test_findings_are_facts() -> None:
    frame = CLEAN.assign(c=[7.5] * 40, d=pd.Series([None, "x", "y", "x"] * 10))
    prepared = prepare_fold(from_arrays(frame, Y), SplitConfig(), 0)
    assert any("'c': left out" in repair for repair in prepared.facts["warnings"])
    assert any("'d': 2 words" in repair for repair in prepared.facts["repairs"])
    assert any("'c'" in warning for warning in prepared.facts["warnings"])


def test_a_table_with_nothing_to_learn_from_is_rejected() -> None:
    with pytest.raises(InputError, match=r"no column is left to learn from:\ncolumn 'c': left out"):
        prepare_fold(from_arrays(pd.DataFrame({"c": [f"id{n}" for n in range(40)]}), Y), SplitConfig(), 0)


@pytest.mark.parametrize("shift", [0, 1_700_000_000, 2**40, 2**52, 2**60])
@pytest.mark.parametrize("words", [False, True], ids=["numbers", "a table"])
def test_a_constant_changes_no_finding(shift: int, words: bool) -> None:
    """Duplicates, constants, identifiers and copies of the target are found in the numbers as they came."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 60, 60)
    frame = pd.DataFrame(
        {
            "row": np.arange(60) + shift,
            "same": np.full(60, 7) + shift,
            "nearly the target": y + (np.arange(60) == 30) + shift,
            "number": rng.integers(0, 50, 60) + shift,
        }
    )
    if words:
        frame["word"] = rng.choice(["x", "y"], 60)
    repeated = pd.concat([frame, frame.iloc[:2]], ignore_index=True)
    y = np.concatenate([y, y[:2]]) + shift
    dataset = from_arrays(repeated, y, "d")
    findings = validate_dataset(dataset, "regression")
    assert not findings.errors
    told = " ".join(findings.warnings)
    assert told.count("in every row; it carries no information") == 1
    assert "2 of 62 rows repeat an earlier row" in told
    copied = validate_dataset(from_arrays(repeated.assign(copy=y), y, "d"), "regression")
    assert len(copied.errors) == 1
    assert "'copy' (62 rows) is the target itself" in copied.errors[0]
    digests = {from_arrays(repeated + change if not words else repeated, y + change, "d").digest for change in (0, 1)}
    assert len(digests) == 2


def test_a_copy_of_the_target_in_float32_is_one() -> None:
    y = np.random.default_rng(0).normal(size=40)
    copy = y.astype(np.float32)
    for frame in ({"a": copy}, {"a": copy, "b": y[::-1]}):
        assert "'a' (40 rows) is the target itself" in validate(pd.DataFrame(frame), y).errors[0]
    assert not validate(pd.DataFrame({"a": copy + np.float32(1e-6)}), y).errors
