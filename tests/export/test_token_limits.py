"""Tokens in the rows to predict that a model does not know: masked with a note, or refused."""

from __future__ import annotations

import numpy as np
import pytest

from regzoo.core import InputError
from regzoo.export.token_limits import MASKED, REFUSED, TokenLimit, check_tokens


def check(values: list[list[int]], above: str) -> list[str]:
    """Return what is said about two chunks: three rows of small tokens, then ``values``, where 7 is the largest."""
    chunks = [{"ids": np.array(each)} for each in ([[1, 0], [7, 7], [0, 0]], values)]
    notes: list[str] = []
    passed = list(check_tokens({"ids": TokenLimit(7, above)}, iter(chunks), "a.csv", notes.append))
    assert all(one is other for one, other in zip(passed, chunks, strict=True))
    return notes


def test_known_tokens_pass_in_silence() -> None:
    assert check([[7, 1]], MASKED) == check([[7, 1]], REFUSED) == []


def test_larger_tokens_are_named_once_or_refused() -> None:
    (note,) = check([[1, 7], [3, 8], [9, 1]], MASKED)
    assert note == (
        "a.csv: 'ids' holds the token 8 in row 5, and training had none above 7: such tokens are masked, as padding is"
    )
    with pytest.raises(InputError, match=r"'ids' holds the token 8 in row 5; the model's table ends at 7"):
        check([[1, 7], [3, 8]], REFUSED)


@pytest.mark.parametrize("above", [MASKED, REFUSED])
def test_negative_tokens_are_refused(above: str) -> None:
    with pytest.raises(InputError, match=r"'ids' holds the token -2 in row 4; tokens count from 0"):
        check([[1, -2]], above)
