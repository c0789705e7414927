"""Rare classes are dropped or merged as the config asks; every other label stays what it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from regzoo.comparison.runner import prepare_dataset
from regzoo.config.reader import from_keywords
from regzoo.core.errors import InputError
from regzoo.data.dataset import Dataset
from regzoo.data.rare_classes import RareClasses
from regzoo.data.sources import from_arrays

TEXT = ["a"] * 12 + ["b"] * 8 + ["c"] * 3 + ["d"] * 2 + ["e"]


def labeled(y: Any, **roles: Any) -> Dataset:
    """Return rows whose only input is the row's number."""
    return from_arrays(np.arange(len(y), dtype=float)[:, None], y, "t", **roles)


def test_rare_classes_are_dropped_with_all_that_their_rows_hold() -> None:
    data = labeled(
        TEXT, groups=[f"g{row}" for row in range(26)], sample_weight=np.arange(1, 27), time=range(26), part=[""] * 26
    )
    kept = RareClasses(3, "drop").apply(data, "classification")
    expected = [row for row, label in enumerate(TEXT) if label not in "de"]
    assert kept.y is not None
    assert kept.y.tolist() == [TEXT[row] for row in expected]
    assert kept.x.tolist() == [[row] for row in expected]
    assert kept.group.tolist() == [f"g{row}" for row in expected]  # type: ignore[union-attr]
    assert kept.weight.tolist() == [row + 1 for row in expected]  # type: ignore[union-attr]
    assert kept.time.tolist() == expected  # type: ignore[union-attr]
    assert len(kept.part) == len(expected)  # type: ignore[arg-type]
    note = "3 rows of the 2 classes with fewer than 3 rows, 'd' (2) and 'e' (1) are dropped (data.rare)"
    assert kept.notes == (f"t: {note}; the model cannot predict them",)
    assert kept.rare == {"do": "drop", "below": 3, "classes": [("d", 2), ("e", 1)], "merged": None}
    assert len(data.x) == 26


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ({}, "other"),
        ({"a": "other"}, "other 2"),
        ({"a": "Other"}, "other 2"),  # nobody would tell them apart
        ({"a": "other", "d": "OTHER 2"}, "other 3"),  # of a class that is merged itself
        ({"a": 7, "b": 3, "c": 0, "d": 2, "e": 9}, -1),
        ({"a": -1, "b": 3, "c": 0, "d": -2, "e": 9}, -3),
        ({"a": 7.0, "b": 3.0, "c": 0.0, "d": 2.0, "e": -1.0}, -2.0),
    ],
)
def test_a_merged_class_has_a_name_that_is_no_label(labels: dict[str, Any], name: object) -> None:
    y = [labels.get(label, label) for label in TEXT]
    data = labeled(y)
    merged = RareClasses(4, "merge").apply(data, "classification")
    expected = [label if row < 20 else name for row, label in enumerate(y)]
    assert merged.y is not None
    assert (merged.y.tolist(), [type(label) for label in merged.y.tolist()]) == (expected, list(map(type, expected)))
    assert merged.x is data.x
    assert merged.rare is not None
    assert merged.rare["merged"] == name
    assert sorted(map(str, dict(merged.rare["classes"]))) == sorted(str(label) for label in set(y[20:]))
    assert f"the class {name!r} stands for the 3 classes with fewer than 4 rows, " in merged.notes[0]
    assert data.y is not None
    assert data.y.tolist() == y


def test_nothing_happens_without_rare_classes() -> None:
    data = labeled(TEXT[:20])
    assert RareClasses(8, "merge").apply(data, "classification") is data


@pytest.mark.parametrize(
    ("y", "rare", "message"),
    [
        (TEXT, RareClasses(9, "drop"), "a single class is left when the 4 classes with fewer than 9 rows, 'b'"),
        (TEXT, RareClasses(90, "drop"), "no class is left when the 5 classes .* are dropped; lower below"),
        (TEXT, RareClasses(90, "merge"), "a single class is left when the 5 classes .* are merged; lower below"),
        (TEXT, RareClasses(2, "merge"), r"the class with fewer than 2 rows, 'e' \(1\) has 1, still fewer"),
        (np.linspace(0, 1, 30), RareClasses(5, "drop"), "the task is regression; take it out, or set task"),
        (np.eye(3)[[0, 1, 2] * 9] > 0, RareClasses(5, "drop"), "the task is multilabel; take it out"),
    ],
)
def test_what_cannot_be_done_is_refused(y: Any, rare: RareClasses, message: str) -> None:
    data = labeled(y)
    with pytest.raises(InputError, match=f"data.rare: .*{message}"):
        rare.apply(data, data.task)


def test_columns_of_words_lose_the_same_rows() -> None:
    frame = pd.DataFrame({"word": [f"w{row}" for row in range(26)], "number": range(26)})
    data = RareClasses(3, "drop").apply(from_arrays(frame, TEXT), "classification")
    assert data.x.tolist() == [[f"w{row}", row] for row in range(23)]


def prepare(y: Any, **keywords: Any) -> Any:
    experiment = from_keywords(backbone="mlp([4])", recipes=["none"], replicates=2, vary=["seed"], **keywords)
    return prepare_dataset(experiment, labeled(y))


def test_the_refusal_names_the_key_that_helps() -> None:
    with pytest.raises(
        InputError, match=r"class d occurs only twice, and so do 1 more.*\(data.rare: {below: 3, do: dr"
    ):
        prepare(TEXT)
    with pytest.raises(InputError, match=r"drop it or merge it with others \(data.rare\), or collect more"):
        prepare(["a"] * 12 + ["b"])  # nothing is left if it is dropped
    facts = prepare(TEXT, rare={"below": 3, "do": "drop"}).facts
    assert (facts["rows"], facts["labels"], facts["rare"]["do"]) == (23, ["a", "b", "c"], "drop")
    assert any("are dropped (data.rare)" in sentence for sentence in facts["repairs"])
    facts = prepare(TEXT, rare={"below": 3, "do": "merge"}).facts
    assert (facts["rows"], facts["labels"]) == (26, ["a", "b", "c", "other"])
    assert "rare" not in prepare(TEXT[:20], rare={"below": 3, "do": "merge"}).facts


def test_the_data_without_rare_classes_is_what_it_was() -> None:
    plain, asked = (prepare(TEXT[:20], **keys) for keys in ({}, {"rare": {"below": 5, "do": "drop"}}))
    assert plain.digest == asked.digest
