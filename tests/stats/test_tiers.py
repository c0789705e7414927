"""Tiers from evidence made by hand."""

from __future__ import annotations

import itertools

import pytest

from regzoo.stats.paired import Evidence
from regzoo.stats.tiers import assign_tiers

ORDER = ("a", "b", "c", "d")


def tiers(
    *different: str,
    nested: tuple[str, ...] = (),
    status: str = "oooo",
    baseline: str = "b",
    means: tuple[float, ...] | None = (0, 1, 2, 3),
) -> list[int]:
    """Return the tiers of a to d, where the pairs in ``different`` differ significantly."""
    evidence = {
        (one, other): Evidence(0.5, 0.5, one + other in different, 6) for one, other in itertools.combinations(ORDER, 2)
    }
    by_recipe = None if means is None else dict(zip(ORDER, means, strict=True))
    found = assign_tiers(ORDER, dict(zip(ORDER, status, strict=True)), evidence, nested, baseline, means=by_recipe)
    return [found[name] for name in ORDER]


@pytest.mark.parametrize(
    ("different", "one_search", "several"),
    [
        ((), [1, 1, 1, 1], [1, 1, 1, 1]),
        (("ad",), [1, 1, 1, 2], [1, 1, 1, 2]),
        (("ab",), [1, 2, 2, 2], [1, 1, 1, 1]),  # c ranks below b, but does not differ from a
        (("ab", "ac", "ad"), [1, 2, 2, 2], [1, 2, 2, 2]),
        (("ab", "ac", "ad", "bd"), [1, 2, 2, 3], [1, 2, 2, 3]),
        (("ab", "ad", "bc"), [1, 2, 3, 3], [1, 1, 1, 2]),
        (("ac", "ad", "cd"), [1, 1, 2, 3], [1, 1, 2, 3]),
    ],
)
def test_with_several_searches_all_below_a_tier_differ_from_its_first(
    different: tuple[str, ...], one_search: list[int], several: list[int]
) -> None:
    assert tiers(*different, means=None) == one_search
    assert tiers(*different) == several


def test_recipes_with_lost_runs_hold_no_tier_open() -> None:
    assert tiers("ab", "ac", status="oood") == [1, 2, 2, 3]
    assert tiers("ab", "ac", status="ooxd") == [1, 2, 3, 4]


def test_a_recipe_that_cannot_lose_stays_with_the_baseline() -> None:
    assert tiers("ac", "ad", nested=("c",)) == [1, 1, 1, 2]  # b is the baseline
    assert tiers("ab", "ac", "ad", "bd", nested=("c",)) == [1, 2, 2, 3]


LEADS = ("ab", "ac", "ad")


@pytest.mark.parametrize(
    ("different", "means", "baseline", "found"),
    [
        (LEADS, (0, 1, 5, 6), "d", [1, 1, 2, 2]),  # the widest gap, not the first place
        (LEADS, (0, -1, -5, -6), "d", [1, 1, 2, 2]),  # high scores are good
        (LEADS, (0, 1, 2, 9), "d", [1, 1, 1, 2]),
        (LEADS, (0, 1, 3, 9), "c", [1, 1, 2, 2]),  # not with the baseline, from which the leader differs
        (LEADS, (0, 1, 2, 9), "b", [1, 2, 2, 2]),
        (LEADS, (0, 1, 2, 9), "a", [1, 1, 1, 2]),  # the leader is the baseline itself
        (("ac", "ad"), (0, 7, 8, 9), "d", [1, 1, 2, 2]),  # the gap before b is no place
        (("ad",), (0, 1, 2, 3), "b", [1, 1, 1, 2]),  # the leader does not differ from the baseline
        ((*LEADS, "cd"), (0, 1, 5, 6), "d", [1, 1, 2, 3]),  # the next tier ends by the same rule
    ],
)
def test_with_several_searches_a_tier_ends_at_the_widest_gap(
    different: tuple[str, ...], means: tuple[float, ...], baseline: str, found: list[int]
) -> None:
    assert tiers(*different, means=means, baseline=baseline) == found


def test_a_gap_parts_no_nested_recipe_from_the_baseline() -> None:
    assert tiers(*LEADS, means=(0, 1, 9, 10), baseline="b", nested=("c",)) == [1, 2, 2, 2]
    assert tiers("ac", "ad", means=(0, 1, 9, 10), baseline="b", nested=("c",)) == [1, 1, 1, 2]
