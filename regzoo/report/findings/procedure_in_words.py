"""Sentences of the methods section on the procedure: how strengths were searched, chosen and replicated."""

from __future__ import annotations

from collections.abc import Sequence

from regzoo.comparison.coverage import Coverage
from regzoo.comparison.leaderboard import Leaderboard
from regzoo.core.formatting import format_code, format_count, format_strength
from regzoo.report.runs import select_trials
from regzoo.storage.info import ComparisonInfo
from regzoo.training.records import Record


def describe_search(leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo) -> str:
    """Say how many searches tried how many settings of what, for each recipe."""
    trials = [select_trials(records, row.name, finished=False) for row in leaderboard.recipes]
    equal = len({len(found) for found in trials if found}) < 2
    number = "the same number for every recipe" if equal else "fewer where there was less to search"
    rates = {trial.run.learning_rate for found in trials for trial in found}
    searched = "its strengths and the learning rate"
    if len(rates) == 1:
        searched = f"its strengths, with the learning rate fixed at {format_strength(rates.pop())}"
    elif comparison.model is not None:
        searched += f" ({comparison.model.learning_rate.replace('..', ' to ').replace('|', ' or ')})"
    return (
        f"For each recipe, {_describe_tuner(comparison)} of {searched}: {number}, the baseline "
        f"{format_code(leaderboard.baseline)} included."
    )


def _describe_tuner(comparison: ComparisonInfo) -> str:
    """Say how many searches tried how many settings, and how the settings were found."""
    settings, hypercube = format_count(comparison.trials, "setting"), comparison.tuner == "latin_hypercube"
    kind = "" if hypercube else f"{comparison.tuner} "
    if hypercube:
        settings += ", the points of a Latin hypercube,"
    if comparison.searches > 1:
        each = f"{comparison.searches} independent {kind}searches with random numbers of their own"
        return f"{each} tried, each, {settings}"
    return f"a {kind}search tried {settings}"


def describe_choice(leaderboard: Leaderboard, comparison: ComparisonInfo) -> str:
    """Say how the strengths were chosen among the trials; the sentence goes on."""
    metric, each = leaderboard.rank_by, " of each search" if comparison.searches > 1 else ""
    if not comparison.confirm:
        by_each = ", by each search for itself" if each else ""
        return f"The strengths with the best validation {metric} were chosen{by_each}"
    return (
        f"The {comparison.confirm} best trials{each} were run again on a fresh random seed, and the strengths with the "
        f"best mean validation {metric} over both runs were chosen, so that no choice is the luck of a single run"
    )


def describe_sharing(coverage: Coverage) -> str:
    """Say that the trainings are shared out among the searches, where there are several."""
    if coverage.searches < 2:
        return ""
    return f" (the trainings shared out among its {coverage.searches} searches, each at the strengths that it chose)"


def describe_new_rows(coverage: Coverage) -> str:
    """Say that each training has rows of its own, where it has."""
    return ", each time on new training and validation rows (the test part stayed the same)" * coverage.new_rows


def count_replicates(leaderboard: Leaderboard, comparison: ComparisonInfo) -> str:
    """Say how often each recipe was trained at least: a budget may end before all replicates are made."""
    made = [row.replicates for row in leaderboard.measured if row.replicates]
    count = min(made, default=comparison.replicates)
    return "once" if count == 1 else f"{count} times"
