"""Recipes of a comparison that cannot truly lose to the baseline."""

from __future__ import annotations

from collections.abc import Iterable

from regzoo.core import BASELINE, InputError, parse
from regzoo.search.nesting import nests_baseline


def find_nested_recipes(names: Iterable[str], searches: int) -> tuple[str, ...]:
    """Return the recipes that cannot truly lose to the baseline, because their search spaces hold its point.

    It is empty with one search of each recipe: the claims are then about the strengths that it chose, and these can
    lose. Placebos and recipes that are unknown here are left out.

    Args:
        names: of the recipes, as the config writes them.
        searches: number of searches of each recipe.
    """
    return tuple(name for name in names if searches > 1 and _nests(name))


def _nests(name: str) -> bool:
    try:
        return name != BASELINE and nests_baseline(parse(name))
    except InputError:
        return False
