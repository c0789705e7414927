"""Checks for your own regularizers: the laws that every regularizer of the zoo keeps.

`check_regularizer` runs all of them in one call; `parametrize_with_checks` makes a pytest test of each.
"""

from regzoo.core.errors import ContractError
from regzoo.testing.checks import CHECKS
from regzoo.testing.contract import check_regularizer, parametrize_with_checks
from regzoo.testing.harness import Harness, equal_weights, fix_strengths, shrink_backbone

__all__ = [
    "CHECKS",
    "ContractError",
    "Harness",
    "check_regularizer",
    "equal_weights",
    "fix_strengths",
    "parametrize_with_checks",
    "shrink_backbone",
]
