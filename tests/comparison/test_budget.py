"""Budget: every recipe goes equally far, and the limit is kept."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.comparison.budget import Budget, Level


@dataclass
class Clock:
    """A clock that a test moves."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def walk(budget: Budget, clock: Clock, seconds: float, trials: int, replicates: int) -> list[Level]:
    """Return the levels that are admitted if each lasts ``seconds``."""
    levels: list[Level] = [("trial", n) for n in range(trials)] + [("replicate", n) for n in range(replicates)]
    admitted = []
    for level in levels:
        if budget.admits(level):
            assert budget.admits(level)  # for the next recipe as well
            admitted.append(level)
            clock.now += seconds
    return admitted


def counts(levels: list[Level]) -> tuple[int, int]:
    return sum(stage == "trial" for stage, _ in levels), sum(stage == "replicate" for stage, _ in levels)


def test_without_a_limit_everything_is_made() -> None:
    clock = Clock()
    budget = Budget(None, 10, clock=clock)
    assert not budget.paced
    assert counts(walk(budget, clock, 1e9, 8, 10)) == (8, 10)


def test_the_search_leaves_time_for_five_replicates() -> None:
    clock = Clock()
    budget = Budget(100.0, 10, clock=clock)
    # levels of 10 s: after 4 trials (40 s) one more and five replicates end at 100 s; after 5, at 110 s
    assert counts(walk(budget, clock, 10.0, 8, 10)) == (5, 5)
    assert clock.now == 100.0
    assert budget.closed == {"trial": 5, "replicate": 5}


def test_fewer_replicates_leave_more_time_to_search() -> None:
    clock = Clock()
    assert counts(walk(Budget(100.0, 2, clock=clock), clock, 10.0, 8, 2)) == (8, 2)


def test_however_little_time_there_is_a_ranking_is_left() -> None:
    clock = Clock()
    assert counts(walk(Budget(1.0, 10, clock=clock), clock, 50.0, 8, 10)) == (1, 2)


def test_earlier_sessions_count() -> None:
    clock = Clock()
    assert counts(walk(Budget(100.0, 10, spent=50.0, clock=clock), clock, 10.0, 8, 10)) == (1, 4)


def test_what_was_decided_stays() -> None:
    clock = Clock()
    budget = Budget(100.0, 10, closed={"trial": 3, "replicate": 4}, clock=clock)
    assert counts(walk(budget, clock, 0.0, 8, 10)) == (3, 4)


def test_the_longest_level_is_the_measure() -> None:
    clock = Clock()
    budget = Budget(124.0, 2, clock=clock)
    assert budget.admits(("trial", 0))
    clock.now = 30.0
    assert budget.admits(("trial", 1))  # 30 + 3 levels of 30
    clock.now = 35.0
    assert not budget.admits(("trial", 2))  # 35 + 3 levels of 30, though the last took 5
