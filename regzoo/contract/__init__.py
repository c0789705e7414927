"""The contract: the laws that every regularizer keeps, as small checks, for the zoo and for your own.

`check_regularizer(MyRegularizer(0.3))` runs them all on a tiny model and says everything that is wrong.
"""

from __future__ import annotations

from regzoo.contract.bench import Bench, ContractError, same, small, with_numbers
from regzoo.contract.checks import CHECKS
from regzoo.language import Backbone, InputError, Regularizer

__all__ = ["CHECKS", "Bench", "ContractError", "check_regularizer", "same", "small", "with_numbers"]


def check_regularizer(regularizer: Regularizer, backbone: Backbone | str | None = None) -> None:
    """Check the laws for ``regularizer``; return quietly if it keeps them all.

    Args:
        regularizer: an instance; a strength left to the search is taken from within its range.
        backbone: what to try it on; by default the first of the zoo's that offers its place.

    Raises:
        ContractError: with a line for each law that it breaks.
    """
    problems = []
    try:
        bench = Bench(regularizer, backbone)
    except (InputError, ContractError) as error:
        raise ContractError(f"{regularizer.name}: {error}") from error
    for check in CHECKS:
        try:
            check(bench)
        except ContractError as error:
            problems.append(f"{check.__name__.removeprefix('check_').replace('_', ' ')}: {error}")
    if problems:
        raise ContractError(f"{regularizer.name} breaks the contract\n" + "\n".join(f"  {p}" for p in problems))
