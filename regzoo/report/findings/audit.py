"""Audit: whether every recipe had the same budget, the test part stayed unseen, and no run collapsed.

Everything is counted in the records, so it shows what was done, not what was planned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from regzoo.comparison.leaderboard import Leaderboard
from regzoo.comparison.retry import recall_failures
from regzoo.core.formatting import (
    float_or_nan,
    format_code,
    format_count,
    format_integer,
    format_list,
    format_short_list,
    is_known,
)
from regzoo.report.runs import select_confirmations, select_replicates, select_trials
from regzoo.storage.info import ComparisonInfo
from regzoo.training.metrics import METRICS
from regzoo.training.records import Record

CHANCE = 1e-6
"""A score this close to that of a constant prediction counts as equal to it: metrics are float32."""


@dataclass(frozen=True)
class RecipeAudit:
    """Budget of one recipe, and how its runs ended.

    Attributes:
        name: as the config writes it.
        trials: runs of its searches, among them ``pruned`` ones, which were cut short.
        settings: distinct settings among them: strengths and learning rate.
        max_epochs: the most epochs that one of its trials was allowed.
        evaluations: epochs that its trials and confirmations trained; the validation part is evaluated after each.
        seconds: training time of its searches, confirmations included.
        replicates: runs with the chosen strengths.
        pruned, diverged, failed, collapsed: runs of any stage that ended so; see `has_collapsed`.
        searches: number of its searches.
        confirmations: second runs of its best trials.
    """

    name: str
    trials: int
    settings: int
    max_epochs: int
    evaluations: int
    seconds: float
    replicates: int
    pruned: int
    diverged: int
    failed: int
    collapsed: int
    searches: int = 1
    confirmations: int = 0


@dataclass(frozen=True)
class AuditFinding:
    """One check: whether it passed (None: cannot be known), and what was found."""

    passed: bool | None
    text: str


@dataclass(frozen=True)
class Audit:
    """Result of the audit.

    Attributes:
        recipes: one entry a recipe, in the leaderboard's order.
        inequalities: how the recipes' budgets differ, a few words each; empty if the comparison is fair.
        findings: all checks.
    """

    recipes: tuple[RecipeAudit, ...]
    inequalities: tuple[str, ...]
    findings: tuple[AuditFinding, ...]

    @property
    def heading(self) -> str:
        """An addition to the leaderboard's heading if budgets differ; empty if they do not."""
        return f"unequal budgets ({'; '.join(self.inequalities)})" if self.inequalities else ""


def audit_comparison(leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo) -> Audit:
    """Return what the records show about how fair the comparison was."""
    labels = comparison.data.labels
    recipes = tuple(_audit_recipe(row.name, records, len(labels)) for row in leaderboard.recipes)
    searched = [recipe for recipe in recipes if recipe.trials]
    replicated = [recipe for recipe in recipes if recipe.replicates]
    compared = [_compare_counts(searched, word, count) for word, count in _BUDGET.items()]
    if len(comparison.interim_analyses) < 2:  # otherwise undecided recipes got more on purpose
        compared.append(_compare_counts(replicated, "replicates", lambda recipe: recipe.replicates))
    compared.append(_compare_learning_rates(searched, records))
    inequalities = tuple(filter(None, compared))
    findings = (
        _check_tuning(inequalities, searched),
        *_check_choice(leaderboard, records, comparison),
        _check_metric(leaderboard.rank_by),
        _check_test_part(records),
        _check_seeds(leaderboard, records, "splits" if "split" in comparison.vary else "folds"),
        *_check_runs(recipes, bool(labels), comparison.data.task),
    )
    return Audit(recipes, inequalities, findings)


def has_collapsed(record: Record, classes: int) -> bool:
    """Return True if a finished run predicts no better than a constant: one class, or the mean, for every row.

    A classifier that gives every row the same class has a balanced accuracy of exactly 1 / ``classes`` (if all occur
    in validation), while its accuracy is the share of that class. A regression that is no better than the mean of
    the targets has an r2 of at most 0. For multilabel tasks and reconstruction the records do not show it.

    Args:
        record: of any status.
        classes: number of classes, 0 if it is not classification.
    """
    if record.status != "ok":
        return False
    metrics = record.metrics.get("validation", {})
    balanced = metrics.get("balanced_accuracy")
    if classes and is_known(balanced):
        return balanced <= 1 / classes + CHANCE
    return float_or_nan(metrics.get("r2")) <= 0


def _audit_recipe(name: str, records: Sequence[Record], classes: int) -> RecipeAudit:
    trials = select_trials(records, name, finished=False)
    replicates = select_replicates(records, name, finished=False)
    again = select_confirmations(records, name, finished=False)
    runs = [*trials, *again, *replicates]
    return RecipeAudit(
        name,
        trials=len(trials),
        settings=len({(trial.run.recipe_text, trial.run.learning_rate) for trial in trials}),
        max_epochs=max((trial.run.epochs for trial in trials), default=0),
        evaluations=sum(run.epochs for run in (*trials, *again)),
        seconds=sum(run.fit_seconds for run in (*trials, *again)),
        replicates=len(replicates),
        pruned=sum(run.status == "pruned" for run in runs),
        diverged=sum(run.status == "diverged" for run in runs),
        failed=sum(run.status == "failed" for run in runs),
        collapsed=sum(has_collapsed(run, classes) for run in runs),
        searches=len({trial.run.search for trial in trials}),
        confirmations=len(again),
    )


_BUDGET: dict[str, Callable[[RecipeAudit], int]] = {
    "trials": lambda recipe: recipe.trials,
    "max epochs": lambda recipe: recipe.max_epochs,
}


def _compare_counts(recipes: Sequence[RecipeAudit], word: str, count: Callable[[RecipeAudit], int]) -> str:
    """Say which recipes had how many, if they differ; empty if all had the same.

    The most frequent number (the largest of equally frequent ones) is what ``the others`` had.
    """
    counts = [count(recipe) for recipe in recipes]
    if len(set(counts)) < 2:
        return ""
    usual = max(set(counts), key=lambda value: (counts.count(value), value))
    odd = [
        f"{format_short_list([format_code(r.name) for r in recipes if count(r) == value])} had {format_integer(value)}"
        for value in sorted(set(counts) - {usual})
    ]
    return f"{word}: {format_list(odd)}, the others {format_integer(usual)}"


def _compare_learning_rates(recipes: Sequence[RecipeAudit], records: Sequence[Record]) -> str:
    """Say for which recipes the learning rate was not searched, if it was for others."""
    rates = {r.name: len({t.run.learning_rate for t in select_trials(records, r.name, finished=False)})
             for r in recipes if r.trials > 1}  # fmt: skip
    fixed = [format_code(name) for name, count in rates.items() if count == 1]
    return f"the learning rate of {format_short_list(fixed)} was not searched" if 0 < len(fixed) < len(rates) else ""


def _check_tuning(inequalities: Sequence[str], recipes: Sequence[RecipeAudit]) -> AuditFinding:
    if inequalities:
        return AuditFinding(False, f"Recipes had unequal budgets ({'; '.join(inequalities)}).")
    if not recipes:
        return AuditFinding(None, "No trial was run, so there is no tuning to compare.")
    trials, epochs = format_count(recipes[0].trials, "trial"), format_count(recipes[0].max_epochs, "epoch")
    searches = recipes[0].searches
    if searches > 1:
        trials = f"{searches} searches with {trials} in all,"
    return AuditFinding(True, f"Every recipe had {trials} of at most {epochs} each.")


def _check_choice(
    leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo
) -> tuple[AuditFinding, ...]:
    """Check that no strengths were chosen for a single lucky run; nothing where that was not asked for."""
    if comparison.searches == 1 and not comparison.confirm:
        return ()
    open_to_choice = [row.name for row in leaderboard.recipes if _list_open_searches(records, row.name)]
    if not open_to_choice:
        return ()
    lucky = [name for name in open_to_choice if _is_choice_unconfirmed(records, name)]
    if not lucky:
        return (AuditFinding(True, "All strengths were chosen after a second run on a fresh seed: none by one run."),)
    names = format_short_list([format_code(name) for name in lucky])
    return (AuditFinding(False, f"Strengths of {names} were chosen by single runs, of which the best was lucky too."),)


def _is_choice_unconfirmed(records: Sequence[Record], name: str) -> bool:
    """Return True if a search with several settings chose one whose second run has no score, or was not made.

    One that failed and was made again after the replicates came too late for the choice.
    """
    runs = [record.run for record in select_confirmations(records, name, finished=False)]
    known = recall_failures(runs, {record.run.key: record for record in records}) if runs else []
    again = {_get_choice(record) for record in known if record.status == "ok"}
    open_to_choice = _list_open_searches(records, name)
    chosen = {_get_choice(run) for run in select_replicates(records, name, finished=False)}
    return any(choice not in again for choice in chosen if choice[0] in open_to_choice)


def _list_open_searches(records: Sequence[Record], name: str) -> set[int]:
    """Return the searches of a recipe that had several settings to choose among."""
    settings = {_get_choice(trial) for trial in select_trials(records, name, finished=False)}
    counts = Counter(search for search, _, _ in settings)
    return {search for search, count in counts.items() if count > 1}


def _get_choice(record: Record) -> tuple[int, str, float]:
    return record.run.search, record.run.recipe_text, record.run.learning_rate


def _check_metric(name: str) -> AuditFinding:
    if any(name in metrics for metrics in METRICS.values()):
        how = "against the true targets, without penalty terms or label smoothing"
        return AuditFinding(True, f"The validation {name} is computed in the same way for every recipe: {how}.")
    return AuditFinding(False, f"{name} is not one of regzoo's metrics, so it may include penalty terms.")


def _check_test_part(records: Sequence[Record]) -> AuditFinding:
    """Only replicates may read the test part."""
    readers = [record.run.stage for record in records if record.metrics.get("test")]
    peeked = [format_count(readers.count(stage), stage) for stage in ("trial", "confirmation") if stage in readers]
    if peeked:
        return AuditFinding(False, f"The test part was read by {format_list(peeked)}.")
    if not readers:
        return AuditFinding(True, "The test part has not been read yet.")
    replicates = format_count(len(readers), "replicate")
    confirmation = " or confirmation" * any(record.run.stage == "confirmation" for record in records)
    return AuditFinding(True, f"The test part was read by {replicates}, once each, and by no trial{confirmation}.")


def _check_seeds(leaderboard: Leaderboard, records: Sequence[Record], folds: str) -> AuditFinding:
    """Replicates are paired by number, so seeds and folds must be equal; a placebo has its own seeds on purpose."""
    names = [row.name for row in leaderboard.recipes if not row.is_placebo]
    seeds = [
        [(r.run.seed, r.run.fold, r.run.search) for r in select_replicates(records, name, finished=False)]
        for name in names
    ]
    made = [found for found in seeds if found]
    if not made:
        return AuditFinding(None, "No replicate has been run yet.")
    shortest = min(map(len, made))
    passed = len({tuple(found[:shortest]) for found in made}) == 1
    drawn = f"seeds and {folds}" if any(fold for found in made for _, fold, _ in found) else "seeds"
    if any(search for found in made for *_, search in found):
        drawn += ", and are shared out among searches in the same way"
    placebos = "; placebos have their own seeds on purpose" if leaderboard.placebos else ""
    same = "the same" if passed else "different"
    return AuditFinding(passed, f"The replicates of all recipes have {same} {drawn}{placebos}.")


def _check_runs(recipes: Sequence[RecipeAudit], labeled: bool, task: str) -> list[AuditFinding]:
    diverged = _report_lost("diverged", [(recipe.name, recipe.diverged) for recipe in recipes])
    if not labeled and task != "regression":
        return [diverged, AuditFinding(None, f"The metrics of {task} do not show whether a run collapsed.")]
    return [diverged, _report_lost("collapsed", [(recipe.name, recipe.collapsed) for recipe in recipes])]


def _report_lost(word: str, counts: Sequence[tuple[str, int]]) -> AuditFinding:
    lost = [(name, count) for name, count in counts if count]
    if not lost:
        return AuditFinding(True, f"No run {word}.")
    runs = format_count(sum(count for _, count in lost), "run")
    where = format_short_list([f"{count} of {format_code(name)}" for name, count in lost])
    return AuditFinding(False, f"{runs} {word}: {where}.")
