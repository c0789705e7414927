"""Labels, categories and groups that differ in case or blanks alone are named."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from regzoo.core.errors import InputError
from regzoo.data.dataset import Dataset
from regzoo.data.sources import from_arrays
from regzoo.data.spelling import MOST_CATEGORIES, group_spellings, warn_spellings
from regzoo.data.splitting.splitters import StratifiedSplitter
from regzoo.data.validate import validate_dataset

X = np.arange(12.0)[:, None]


def labeled(y: Sequence[object], x: object = X) -> Dataset:
    return from_arrays(x, pd.Series(y, name="kind"), "t")


@pytest.mark.parametrize(
    "other",
    ["YES", "Yes", " yes", "yes ", "y es", "yes\u00a0", "\u200byes", "ye\u017f", "\uff59es"],
    ids=lambda text: text.encode("unicode_escape").decode(),
)
def test_spellings_of_a_label_are_named(other: str) -> None:
    warnings = warn_spellings(labeled(["yes", other, "no"] * 4))
    assert warnings == [
        f"t: column 'kind' has labels that differ in case or blanks alone: 'yes' (4) and {other!r} (4); each is a "
        "class of its own; write each in one way"
    ]
    assert set(warnings) <= set(validate_dataset(labeled(["yes", other, "no"] * 4), "classification").warnings)


def test_six_labels_of_two() -> None:
    y = ["Yes", "yes", "YES", "No", "no", "NO"] * 2
    (warning,) = warn_spellings(labeled(y))
    assert "'Yes' (2), 'yes' (2) and 'YES' (2); 'No' (2), 'no' (2) and 'NO' (2); each" in warning


@pytest.mark.parametrize("y", [["yes", "no"] * 6, [1, 2] * 6, [True, False] * 6, ["e", "é"] * 6, ["a", "b", "c"] * 4])
def test_other_labels_are_fine(y: list[object]) -> None:
    assert warn_spellings(labeled(y)) == []


def test_letters_may_be_composed() -> None:
    assert group_spellings(["\u00e9t\u00e9", "e\u0301te\u0301", "ete"]) == [["\u00e9t\u00e9", "e\u0301te\u0301"]]


def test_spellings_of_categories_and_groups_are_named() -> None:
    frame = pd.DataFrame({"size": ["S", "s", "M", ""] * 3, "price": range(12)})
    data = from_arrays(frame, ["u", "v"] * 6, "t", groups=["p 1", "P1", "p2"] * 4)
    assert [warning.partition(":")[2] for warning in warn_spellings(data)] == [
        " column 'size' has categories that differ in case or blanks alone: 'S' (3) and 's' (3); each is a category "
        "of its own; write each in one way",
        " data.group has groups that differ in case or blanks alone: 'p 1' (4) and 'P1' (4); each may be in another "
        "part; write each in one way",
    ]


def test_free_text_is_no_category() -> None:
    words = [f"{word} {number}" for number in range(MOST_CATEGORIES // 2 + 1) for word in ("Text", "text")]
    assert warn_spellings(labeled(["u", "v"] * (len(words) // 2), pd.DataFrame({"a": words}))) == []


def test_a_class_that_is_rare_by_its_spelling_is_told_so() -> None:
    codes = np.array([0] * 10 + [1] * 10 + [2])
    splitter = StratifiedSplitter(codes, ("no", "yes", "YES"))
    with pytest.raises(InputError, match="the class YES occurs only once, which differs from 'yes' in case or blanks"):
        splitter.draw_part(np.arange(21), 4, 2, "split.test", np.random.default_rng(0))
