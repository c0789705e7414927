"""The contract: the laws that every regularizer keeps, as small checks, for the zoo and for your own.

`check_regularizer(MyRegularizer(0.3))` runs them all on a tiny model and says everything that is wrong.
"""

from __future__ import annotations

from typing import Any

from regzoo.core import Backbone, InputError, Regularizer
from regzoo.core.errors import ContractError
from regzoo.testing.checks import CHECKS
from regzoo.testing.harness import Harness, equal_weights, fix_strengths, shrink_backbone

__all__ = [
    "CHECKS",
    "ContractError",
    "Harness",
    "check_regularizer",
    "equal_weights",
    "fix_strengths",
    "shrink_backbone",
]


def check_regularizer(regularizer: Regularizer, backbone: Backbone | str | None = None) -> None:
    """Check the laws for ``regularizer``; return quietly if it keeps them all.

    Args:
        regularizer: an instance; a strength left to the search is taken from within its range.
        backbone: what to try it on; by default the first of the zoo's that offers its place.

    Raises:
        ContractError: with a line for each law that it breaks, or with what it raised.
        InputError: if it is no instance of a regularizer class.
    """
    _refuse_what_is_none(regularizer)
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
    except Exception as error:  # whatever a method of the user's own raises
        raise ContractError(f"{regularizer.name} raised {type(error).__name__}: {error}") from error
    if problems:
        raise ContractError(f"{regularizer.name} breaks the contract\n" + "\n".join(f"  {p}" for p in problems))


def _refuse_what_is_none(regularizer: Any) -> None:
    if not isinstance(regularizer, Regularizer):
        raise InputError(f"check_regularizer takes an instance such as Dropout(0.5), received {regularizer!r}")
    own = vars(type(regularizer))
    if "__dataclass_params__" not in own and own.keys() & {"__init__", "__annotations__"}:
        raise InputError(f"{regularizer.name}: write @dataclass(frozen=True) above class {type(regularizer).__name__}")
