"""Sentences of the methods section on the procedure: how strengths were searched, chosen and replicated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from regzoo.comparison.coverage import Coverage, is_range, is_searched
from regzoo.comparison.leaderboard import Leaderboard
from regzoo.core.formatting import format_code, format_count, format_strength
from regzoo.report.runs import select_confirmations, select_trials
from regzoo.storage.info import ComparisonInfo
from regzoo.training.choice import get_setting
from regzoo.training.records import Record


def describe_search(leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo) -> str:
    """Say how many searches tried how many settings of what, for each recipe; or that nothing was searched."""
    trials = [select_trials(records, row.name, finished=False) for row in leaderboard.recipes]
    rates = {trial.run.learning_rate for found in trials for trial in found}
    scheduled = comparison.model is not None and "(" in comparison.model.learning_rate
    fixed = f"the learning rate fixed at {format_strength(next(iter(rates)))}" if len(rates) == 1 else ""
    if fixed and scheduled and comparison.model is not None:
        fixed = f"the learning rate {format_code(comparison.model.learning_rate)}"
    if not is_searched(leaderboard.recipes, comparison):
        given = "every recipe has the strengths that its name gives"
        return f"Nothing was searched: {given}, with {fixed or 'one learning rate'}."
    equal = len({len(found) for found in trials if found}) < 2
    number = "the same number for every recipe" if equal else "fewer where there was less to search"
    searched = f"its strengths and the learning rate{' that a schedule starts at' * scheduled}"
    if fixed and (comparison.model is None or not is_range(comparison.model.learning_rate)):
        searched = f"its strengths, with {fixed}"
    elif comparison.model is not None:
        rate = comparison.model.learning_rate
        searched += f" ({format_code(rate) if scheduled else rate.replace('..', ' to ').replace('|', ' or ')})"
    tried = {(name, search, setting) for found in trials for (name, search, setting) in map(_read_setting, found)}
    settings = max(Counter((name, search) for name, search, _ in tried).values(), default=comparison.trials)
    cut = leaderboard.trials is not None and leaderboard.trials < comparison.trials
    return (
        f"For each recipe, {_describe_tuner(comparison, settings, cut)} of {searched}: {number}, the baseline "
        f"{format_code(leaderboard.baseline)} included."
    )


def _read_setting(record: Record) -> tuple[str, int, tuple[str, float]]:
    """Return recipe, search and setting of a trial."""
    return record.run.name, record.run.search, get_setting(record.run)


def _describe_tuner(comparison: ComparisonInfo, count: int, cut: bool) -> str:
    """Say how many searches tried how many settings, and how the settings were found.

    Args:
        comparison: the comparison.
        count: number of settings that a search tried.
        cut: whether time was up before all of its trials were made.
    """
    settings, hypercube = format_count(count, "setting"), comparison.tuner == "latin_hypercube"
    kind = "" if hypercube else f"{comparison.tuner} "
    if hypercube and cut:
        settings += f", of the {comparison.trials} points of a Latin hypercube,"
    elif hypercube:
        settings += ", the points of a Latin hypercube,"
    if comparison.searches > 1:
        each = f"{comparison.searches} independent {kind}searches with random numbers of their own"
        return f"{each} tried, each, {settings}"
    return f"a {kind}search tried {settings}"


def describe_choice(
    leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo, where: str = ""
) -> str:
    """Say how the strengths were chosen among the trials, as the records show it, and ``where``."""
    metric, each = leaderboard.rank_by, " of each search" if comparison.searches > 1 else ""
    names = [row.name for row in leaderboard.recipes]
    trials = [trial for name in names for trial in select_trials(records, name, finished=False)]
    if trials and max(_count_by_search(trials).values()) < 2:  # nothing to search, or no time for a second one
        return "There was one setting in each search, so nothing was chosen" if each else "Nothing was chosen"
    again = [record for name in names for record in select_confirmations(records, name, finished=False)]
    if not again:
        by_each = ", by each search for itself" if each else ""
        return f"The strengths with the best validation {metric} were chosen{by_each}{where}"
    return (
        f"The {max(_count_by_search(again).values())} best trials{each} were run again on a fresh random seed, and the "
        f"strengths with the best mean validation {metric} over both runs{where} were chosen, so that no choice is the "
        "luck of a single run"
    )


def _count_by_search(records: Iterable[Record]) -> Counter[tuple[str, int]]:
    """Return the number of records of each search of each recipe."""
    return Counter((record.run.name, record.run.search) for record in records)


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
