"""Check a regularizer against the contract: in one call, or as one pytest test per law."""

from __future__ import annotations

import unittest
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from regzoo.core import Backbone, InputError, Regularizer
from regzoo.core.errors import ContractError
from regzoo.testing.checks import CHECKS, check_acts_where_it_says
from regzoo.testing.harness import Harness

if TYPE_CHECKING:
    import pytest


def check_regularizer(regularizer: Regularizer, backbone: Backbone | str | None = None) -> None:
    """Check that ``regularizer`` keeps every law of the contract; return None if it does.

    Args:
        regularizer: an instance; a strength left to the search is taken from within its range.
        backbone: the model to try it on; by default the fastest of the zoo that has a place for it.

    Raises:
        ContractError: if it breaks a law, with a line for each, or if one of its methods raises.
        InputError: if it is no instance of a regularizer class.
    """
    _require_instance(regularizer, "check_regularizer takes an instance")
    problems = []
    try:
        harness = Harness(regularizer, backbone)
        for check in CHECKS:
            try:
                check(harness)
            except ContractError as error:
                problems.append(f"{check.__name__.removeprefix('check_').replace('_', ' ')}: {error}")
    except (InputError, ContractError) as error:
        raise ContractError(f"{regularizer.name}: {error}") from error
    except Exception as error:  # anything that the user's own methods raise
        raise ContractError(f"{regularizer.name} raised {type(error).__name__}: {error}") from error
    if problems:
        raise ContractError(f"{regularizer.name} breaks the contract\n" + "\n".join(f"  {p}" for p in problems))


def parametrize_with_checks(
    regularizers: Iterable[Regularizer], backbone: Backbone | str | None = None
) -> pytest.MarkDecorator:
    """Return a pytest decorator that runs a test once for each regularizer and each law of the contract.

    The test takes the arguments ``regularizer`` and ``check``, and calls the one with the other. The checks of a
    regularizer share their models. If it has no place to act, the first check fails and the others are skipped.

    >>> from regzoo.regularizers import Dropout
    >>> from regzoo.testing import parametrize_with_checks
    >>> @parametrize_with_checks([Dropout(0.3)], backbone="mlp([4])")
    ... def test_laws(regularizer, check):
    ...     check(regularizer)
    >>> for case in test_laws.pytestmark[0].args[1][:2]:  # pytest does this
    ...     print(case.id)
    ...     test_laws(*case.values)
    dropout(0.3)-check_acts_where_it_says
    dropout(0.3)-check_does_nothing_at_neutral

    Args:
        regularizers: instances; a strength left to the search is taken from within its range.
        backbone: the model to try them on; by default the fastest of the zoo that has a place for it.

    Raises:
        InputError: if one of them is no instance of a regularizer class.
    """
    import pytest

    instances = list(regularizers)
    for regularizer in instances:
        _require_instance(regularizer, "parametrize_with_checks takes instances")
    harnesses = _HarnessCache(backbone)
    cases = [
        pytest.param(regularizer, _RegularizerCheck(check, harnesses), id=f"{regularizer}-{check.__name__}")
        for regularizer in instances
        for check in CHECKS
    ]
    return pytest.mark.parametrize(("regularizer", "check"), cases)


class _HarnessCache:
    """Keeps the harness of the last regularizer, because pytest runs all checks of one before the next."""

    def __init__(self, backbone: Backbone | str | None) -> None:
        self._backbone = backbone
        self._regularizer: Regularizer | None = None
        self._harness: Harness | ContractError

    def get(self, regularizer: Regularizer) -> Harness:
        """Return the harness of ``regularizer``.

        Raises:
            ContractError: if it has no place to act.
        """
        if regularizer is not self._regularizer:
            try:
                self._harness = Harness(regularizer, self._backbone)
            except ContractError as error:
                self._harness = error
            self._regularizer = regularizer
        if isinstance(self._harness, ContractError):
            raise self._harness
        return self._harness


class _RegularizerCheck:
    """A check that is called with a regularizer, not with its harness."""

    def __init__(self, check: Callable[[Harness], None], harnesses: _HarnessCache) -> None:
        self.__name__ = check.__name__
        self._check = check
        self._harnesses = harnesses

    def __call__(self, regularizer: Regularizer) -> None:
        try:
            harness = self._harnesses.get(regularizer)
        except ContractError as error:
            if self._check is check_acts_where_it_says:
                raise
            reason = f"{regularizer} has no place to act: see {check_acts_where_it_says.__name__}"
            raise unittest.SkipTest(reason) from error
        self._check(harness)


def _require_instance(regularizer: Any, expected: str) -> None:
    """Raise InputError unless ``regularizer`` is an instance of a regularizer dataclass."""
    if not isinstance(regularizer, Regularizer):
        raise InputError(f"{expected} such as Dropout(0.5), received {regularizer!r}")
    own = vars(type(regularizer))
    if "__dataclass_params__" not in own and own.keys() & {"__init__", "__annotations__"}:
        raise InputError(f"{regularizer.name}: write @dataclass(frozen=True) above class {type(regularizer).__name__}")
