"""Suggestions in error messages: a near miss is named, else all options; exception classes."""

from __future__ import annotations

import pytest

from regzoo.core import EnvironmentFailure, InputError, did_you_mean

NAMES = ["dropout", "l1", "l2", "weight_decay", "early_stopping"]


@pytest.mark.parametrize(
    ("typo", "meant"),
    [
        ("dropuot", "dropout"),
        ("Dropout", "dropout"),
        ("weightdecay", "weight_decay"),
        ("earlystoping", "early_stopping"),
    ],
)
def test_a_near_miss_is_named(typo: str, meant: str) -> None:
    assert did_you_mean(typo, NAMES) == f" Did you mean {meant!r}?"


def test_otherwise_all_there_is_in_order() -> None:
    assert did_you_mean("zebra", iter(NAMES)) == " Available: dropout, early_stopping, l1, l2, weight_decay."


def test_the_users_errors_are_value_errors_and_the_machines_are_not() -> None:
    assert issubclass(InputError, ValueError)
    assert not issubclass(EnvironmentFailure, ValueError)
