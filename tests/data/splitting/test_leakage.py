"""Leakage: inseparable rows are found, through chains as well, and shared rows are counted."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from regzoo.data.sources.arrays import from_arrays
from regzoo.data.splitting.leakage import count_shared_rows, digest_rows, group_inseparable_rows

X = np.array([[1], [2], [2], [3], [4], [4], [5]])
Y = ["a", "a", "a", "b", "a", "b", "b"]  # rows 1 and 2 are equal, rows 4 and 5 differ in y


@pytest.mark.parametrize(
    ("groups", "duplicates", "expected"),
    [
        (None, False, None),
        (None, True, [[1, 2]]),
        ([0, 0, 1, 1, 2, 2, 3], False, [[0, 1], [2, 3], [4, 5]]),
        ([0, 0, 1, 1, 2, 2, 3], True, [[0, 1, 2, 3], [4, 5]]),  # linked by rows 1 and 2
    ],
)
def test_by_hand(groups: list[int] | None, duplicates: bool, expected: list[list[int]] | None) -> None:
    numbers = group_inseparable_rows(from_arrays(X, Y, groups=groups), duplicates)
    if expected is None:
        assert numbers is None
        return
    assert numbers is not None
    found = [np.flatnonzero(numbers == number).tolist() for number in dict.fromkeys(numbers.tolist())]
    assert [rows for rows in found if len(rows) > 1] == expected


def test_a_long_chain_is_one_group() -> None:
    # row 2i + 1 of group i equals row 2i + 2 of group i + 1
    x = (np.arange(200) + 1)[:, np.newaxis] // 2
    data = from_arrays(x, (x[:, 0] % 2).tolist(), groups=np.arange(100).repeat(2))
    assert len(set(group_inseparable_rows(data, duplicates=True).tolist())) == 1  # type: ignore[union-attr]


def test_rows_with_an_equal_row_in_another_part_are_counted() -> None:
    contents = np.array([0, 0, 1, 1, 2, 3, 3, 3])
    rows = {"train": np.array([0, 1, 2, 5]), "validation": np.array([3, 6]), "test": np.array([4])}
    assert count_shared_rows(contents, rows) == 4  # rows 2 and 3, 5 and 6; row 7 is in no part


def test_the_digest_of_row_numbers_does_not_depend_on_the_dtype() -> None:
    rows = np.array([0, 1, 5])
    content = b"".join(number.to_bytes(8, "little") for number in (0, 1, 5))
    assert (
        digest_rows(rows) == digest_rows(rows.astype(np.int32)) == hashlib.blake2b(content, digest_size=8).hexdigest()
    )
    assert len({digest_rows(rows), digest_rows(rows[:2]), digest_rows(rows + 1)}) == 3
