"""Coverage of an interval: the searches, trainings and splits of the rows over which a mean was taken.

An interval says how far a mean may be off for what was varied, and nothing about what was not. Every table, figure and
sentence with an interval says so in the words of `Coverage`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from regzoo.comparison.leaderboard import Leaderboard, Row
from regzoo.core import InputError, parse
from regzoo.core.formatting import format_count, format_integer
from regzoo.core.older_ranges import with_older_ranges
from regzoo.storage.info import ComparisonInfo


@dataclass(frozen=True)
class Coverage:
    """Coverage of the intervals of a comparison.

    Attributes:
        searches: number of searches of each recipe among which its trainings are shared out; 0 if nothing was searched.
        trials: number of trials of each search; fewer than planned if time was up.
        whole: whether every trial trains for all epochs, as with every tuner but Hyperband.
        fewest, most: trainings of a recipe, where recipes differ.
        folds: number of folds with which the trainings take turns; 1 for none.
        new_rows: whether each training has new training and validation rows.
        planned: number of searches of each recipe, those of which nothing is measured yet included.
        lost: whether some replicate diverged or failed, so that its recipe ranks below others without a test.

    >>> str(Coverage(5, 5, True, 10, 10))
    'over 5 searches of 5 trials, 10 trainings'
    >>> str(Coverage(1, 8, True, 10, 10)), str(Coverage(0, 1, True, 5, 40))
    ("over 10 trainings of one search's choice", 'over 5 to 40 trainings')
    """

    searches: int
    trials: int
    whole: bool
    fewest: int
    most: int
    folds: int = 1
    new_rows: bool = False
    planned: int = 1
    lost: bool = False

    def __str__(self) -> str:
        trainings = format_count(self.most, "training")
        if self.fewest < self.most:
            trainings = f"{format_integer(self.fewest)} to {trainings}"
        if self.searches > 1:
            text = f"over {self.describe_searches()}, {trainings}"
        else:
            text = f"over {trainings}" + (" of one search's choice" if self.searches else "")
        if self.folds > 1:
            return f"{text}{' ' if self.searches > 1 else ', '}on {format_count(self.folds, 'fold')}"
        each = "each" if self.most > 1 else "it"
        return f"{text}, {each} on new training and validation rows" if self.new_rows else text

    def describe_searches(self) -> str:
        """Say how many searches, and how long each is."""
        searches = format_count(self.searches, "search", "searches")
        trials = format_count(self.trials, "trial")
        return f"{searches} of {trials}" if self.whole else f"{searches} with the epochs of {trials}"

    def explain_limits(self) -> str:
        """Say in a sentence that the intervals leave out the search, where they do; else nothing."""
        if self.searches != 1:
            return ""
        if self.planned > 1:
            measured = f"of the {self.planned} searches of each recipe, one is measured"
            return f"The intervals leave out the search so far: {measured}."
        return (
            "The intervals leave out the search: each recipe was searched once, and another search may choose other "
            "strengths and give another order."
        )

    def explain_tiers(self) -> str:
        """Say in a sentence what sets the tiers apart."""
        if self.searches > 1:
            lost = " or has lost runs" if self.lost else ""
            return f"Every recipe of a lower tier differs significantly from the first of the tier above{lost}."
        return "The data cannot tell the recipes of a tier from its first."


def read_coverage(leaderboard: Leaderboard, comparison: ComparisonInfo) -> Coverage:
    """Return what the intervals of a comparison cover, finished or not.

    Replicate i belongs to search i mod K, so a comparison that ended early may cover fewer searches than planned, and
    fewer trials in each.
    """
    made = [row.replicates for row in leaderboard.measured if row.replicates] or [comparison.replicates]
    fewest, most = min(made), max(made)
    searches = min(comparison.searches, fewest) if is_searched(leaderboard.recipes, comparison) else 0
    whole = comparison.tuner != "hyperband"
    return Coverage(
        searches,
        min(comparison.trials, leaderboard.trials or comparison.trials) if whole else comparison.trials,
        whole,
        fewest,
        most,
        min(comparison.folds, most),
        "split" in comparison.vary,
        comparison.searches,
        any(row.diverged or row.failed for row in leaderboard.measured),
    )


def is_searched(rows: Iterable[Row], comparison: ComparisonInfo) -> bool:
    """Return True if a strength of some recipe, or the learning rate, was left to the search."""
    rate = "" if comparison.model is None else comparison.model.learning_rate
    if comparison.model is None or is_range(rate):
        return True
    return any(_has_space(row.name, older=comparison.steps is None) for row in rows)


def is_range(rate: str) -> bool:
    """Return True if a learning rate, as the config writes it, is left to the search."""
    return ".." in rate or "|" in rate


def _has_space(name: str, older: bool) -> bool:
    """Return True if a recipe as the config writes it leaves strengths to the search; True if it is unknown here.

    Args:
        name: the recipe.
        older: whether a version with other ranges made the comparison, see `regzoo.core.older_ranges`.
    """
    try:
        recipe = parse(name)
    except InputError:
        return not name.startswith("placebo ")
    return bool((with_older_ranges(recipe) if older else recipe).space())
