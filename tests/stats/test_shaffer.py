"""Shaffer's adjustment: equalities counted by hand and by brute force, no more false claims than the level allows."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
import pytest
from scipy import stats

from regzoo.stats.paired import adjust_holm
from regzoo.stats.shaffer import MAX_RECIPES, adjust_shaffer, count_equalities

Pairs = list[tuple[int, int]]


def list_pairs(recipes: int) -> Pairs:
    return list(itertools.combinations(range(recipes), 2))


def group(recipes: list[int]) -> Iterator[list[list[int]]]:
    """Yield every way to group the recipes."""
    if not recipes:
        yield []
        return
    first, *others = recipes
    for groups in group(others):
        yield [[first], *groups]
        for number, joined in enumerate(groups):
            yield [*groups[:number], [first, *joined], *groups[number + 1 :]]


def count_by_force(recipes: int, differ: Pairs) -> int:
    counts = []
    for groups in group(list(range(recipes))):
        equal = {pair for each in groups for pair in itertools.combinations(sorted(each), 2)}
        if not equal & set(differ):
            counts.append(len(equal))
    return max(counts)


def test_possible_equalities_of_nine_recipes() -> None:
    # One difference: the other 8 recipes may be equal. All differences from one recipe: the 8 others, still. Two blocks
    # of 4 and 5 that differ throughout: 6 + 10 pairs within.
    blocks = list(itertools.product(range(4), range(4, 9)))
    assert count_equalities(9, []) == 36
    assert count_equalities(9, [(0, 1)]) == 28
    assert count_equalities(9, [(0, other) for other in range(1, 9)]) == 28
    assert count_equalities(9, blocks) == 16
    assert count_equalities(9, list_pairs(9)) == 0


@pytest.mark.parametrize("seed", range(8))
def test_equalities_are_those_of_the_best_grouping(seed: int) -> None:
    random = np.random.default_rng(seed)
    pairs = list_pairs(7)
    differ = [pairs[index] for index in random.permutation(len(pairs))[: random.integers(1, len(pairs))]]
    assert count_equalities(7, differ) == count_by_force(7, differ)


def test_an_adjustment_by_hand() -> None:
    # a < b < c < d: factors 6 (all equal), 3 (a d differ: a b c equal), 2 (a c differ too: a b, c d or b c d = 3
    # pairs!), so 3, then 2 (b d too: a b and c d), 2 (b c: a b and c d still), 1.
    pairs = [("a", "d"), ("a", "c"), ("b", "d"), ("b", "c"), ("a", "b"), ("c", "d")]
    p = [0.001, 0.002, 0.003, 0.011, 0.02, 0.04]
    assert adjust_shaffer(p, pairs) == pytest.approx([0.006, 0.006, 0.009, 0.022, 0.04, 0.04])
    assert adjust_holm(p) == pytest.approx([0.006, 0.01, 0.012, 0.033, 0.04, 0.04])


@pytest.mark.parametrize("recipes", [2, 3, 5, 9, MAX_RECIPES + 1])
def test_it_is_never_stricter_than_holm_keeps_the_order_and_leaves_nan(recipes: int) -> None:
    pairs = list_pairs(recipes)
    p = list(np.random.default_rng(recipes).uniform(size=len(pairs)) ** 4)
    p[0] = math.nan
    shaffer, holm = adjust_shaffer(p, pairs), adjust_holm(p)
    assert math.isnan(shaffer[0])
    assert all(own <= other for own, other in zip(shaffer[1:], holm[1:], strict=True))
    assert [x for _, x in sorted(zip(p[1:], shaffer[1:], strict=True))] == sorted(shaffer[1:])
    if recipes > MAX_RECIPES:
        assert shaffer[1:] == holm[1:]


def test_the_order_of_the_pairs_does_not_matter() -> None:
    pairs = list_pairs(6)
    p = list(np.random.default_rng(0).uniform(size=15) ** 3)
    backwards = adjust_shaffer(p[::-1], [(b, a) for a, b in pairs[::-1]])
    assert adjust_shaffer(p, pairs) == backwards[::-1]


@pytest.mark.slow
@pytest.mark.parametrize("groups", [(6,), (3, 3), (2, 2, 2), (4, 1, 1)])
def test_false_claims_stay_at_the_level_whatever_is_equal(groups: tuple[int, ...]) -> None:
    # Groups of equal means, 12 standard errors apart: any difference found within a group is false. 1,000 simulated
    # comparisons: one standard error of a share of 5 % is 0.7 points; Holm's method must not make more.
    random = np.random.default_rng(1)
    member = np.repeat(np.arange(len(groups)), groups)
    pairs = list_pairs(len(member))
    equal = [member[a] == member[b] for a, b in pairs]
    false, found = 0, 0
    for _ in range(1000):
        means = 12.0 * member + random.normal(size=len(member))
        p = [2 * stats.norm.sf(abs(means[a] - means[b]) / math.sqrt(2)) for a, b in pairs]
        claims = [value < 0.05 for value in adjust_shaffer(p, pairs)]
        false += any(claim and same for claim, same in zip(claims, equal, strict=True))
        found += sum(claims)
    assert false / 1000 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 1000)
    assert found >= 1000 * (len(pairs) - sum(equal)) * 0.99
