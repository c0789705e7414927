"""The procedure of every recipe: search its strengths, then replicate the best ones on fresh seeds.

A procedure yields the runs that it needs next and is sent their records once all are there. Procedures know nothing of
one another, so no result depends on which worker finished first. A run that the ledger holds is not made again: that is
how an interrupted comparison resumes.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

from regzoo.comparison.budget import FEWEST, Budget, Level, get_order
from regzoo.comparison.folds import choose_fold
from regzoo.comparison.interim import find_undecided_recipes
from regzoo.comparison.nested_recipes import find_nested_recipes
from regzoo.comparison.plan import Plan, RecipePlan
from regzoo.comparison.progress import Progress
from regzoo.comparison.scheduler import RecipeProcedure, Round, Scheduler
from regzoo.core import Objective
from regzoo.core.augmentation import count_copies
from regzoo.core.seeds import derive
from regzoo.execution.executor import Executor
from regzoo.search.search import Point, make_search
from regzoo.search.space import LEARNING_RATE, to_strengths
from regzoo.storage.info import BudgetInfo
from regzoo.storage.ledger import Ledger
from regzoo.training.choice import ChosenTrial, choose_trial, get_setting, list_candidates, sort_choices
from regzoo.training.engine.pruning import MIN_TRIALS, compute_median_bar
from regzoo.training.records import Record, Run

PRUNED_ROUND = 2
"""Trials of a recipe that are made at once under a pruner, so that two workers keep busy."""


def search_then_replicate(plan: Plan, recipe_plan: RecipePlan) -> RecipeProcedure:
    """Yield the rounds of the recipe's searches, then its replicates at the strengths that these chose.

    Searches of the same number have the same seed for all recipes, so that equal spaces are given equal points. All
    trials of a search have the same seed, so that they differ by their strengths only. Replicate i has the same fresh
    seed for every recipe, so that recipes are compared in pairs; it measures what search i mod ``plan.searches`` chose;
    with folds, it is trained and validated on fold i. A placebo has its own seeds: with those of the baseline it would
    equal the baseline to the last bit.
    """
    searches = [_search(plan, recipe_plan, number) for number in range(recipe_plan.searches)]
    choices = yield from _merge_rounds(searches)
    settings = [choice.setting for choice in sort_choices(choices, plan.objective)]
    own = _own_streams(recipe_plan)

    def replicates(level: Level, first: int, end: int) -> Round:
        runs = []
        for number in range(first, end):
            chosen, seed = choices[number % len(choices)].trial.run, derive(plan.seed, "replicate", number, *own)
            runs.append(
                dataclasses.replace(
                    chosen,
                    stage="replicate",
                    number=number,
                    seed=seed,
                    epochs=plan.epochs,
                    bar=(),
                    fold=choose_fold(plan, "replicate", number, number % plan.searches),
                    search=number % plan.searches,
                )
            )
        return Round(level, runs, {run.key: settings.index(get_setting(run)) for run in runs})

    size = 1 if plan.budget else plan.replicates
    for first in range(0, plan.replicates, size):
        if (yield replicates(("replicate", first), first, first + size)) is None:
            return
    for analysis, (made, wanted) in enumerate(itertools.pairwise(plan.interim_analyses)):
        if (yield replicates(("look", analysis), made, wanted)) is None:
            return


def _merge_rounds(
    searches: Sequence[Generator[Round, list[Record] | None, ChosenTrial]],
) -> Generator[Round, list[Record] | None, list[ChosenTrial]]:
    """Yield the rounds of several searches, those of the same position as one; return what the searches chose.

    So they are made side by side, and if time is limited, it is spread over them.
    """
    choices: dict[int, ChosenTrial] = {}
    sent: dict[int, list[Record] | None] = dict.fromkeys(range(len(searches)))
    while sent:
        rounds: dict[int, Round] = {}
        for number, records in sent.items():
            try:
                rounds[number] = searches[number].send(records)
            except StopIteration as end:
                choices[number] = end.value
        if not rounds:
            break
        level = min((round_.level for round_ in rounds.values()), key=get_order)
        made = yield Round(level, [run for round_ in rounds.values() for run in round_.runs])
        found = iter(made or ())
        sent = {
            number: None if made is None else list(itertools.islice(found, len(round_.runs)))
            for number, round_ in rounds.items()
        }
    return [choices[number] for number in range(len(searches))]


def _search(plan: Plan, recipe_plan: RecipePlan, number: int) -> Generator[Round, list[Record] | None, ChosenTrial]:
    """Yield the rounds of one search of the recipe; return what it chose."""
    stream = _streams_of_search(plan, number)
    seed = derive(plan.seed, "search", *stream)
    search = make_search(plan.tuner, list(recipe_plan.space), plan.trials, plan.epochs, plan.objective, seed)
    trial_seed = derive(plan.seed, "trial", *_own_streams(recipe_plan), *stream)
    prunable = recipe_plan.recipe.without_post_training() == recipe_plan.recipe
    trials: list[Record] = []
    while points := search.ask():
        made: list[Record] = []
        for chunk in _split_round(points, plan, len(trials)):
            bar = _pruning_bar(trials + made, plan) if prunable else ()
            first = len(trials) + len(made)
            runs = [
                _make_trial(plan, recipe_plan, point, number, first + i, trial_seed, bar)
                for i, point in enumerate(chunk)
            ]
            records = yield Round(("trial", first), runs)
            if records is None:
                break
            made += records
        trials += made
        if len(made) < len(points):
            break  # time is up
        search.tell([_search_score(record, plan.objective) for record in made])
    confirmations = yield from _confirm(plan, recipe_plan, trials)
    return choose_trial(trials, confirmations, plan.objective)


def _confirm(
    plan: Plan, recipe_plan: RecipePlan, trials: Sequence[Record]
) -> Generator[Round, list[Record] | None, list[Record]]:
    """Yield the round in which the best trials of a search are run again on a fresh seed; return its records."""
    best = list_candidates(trials, plan.objective)[: recipe_plan.confirmations]
    if len(best) < 2:
        return []
    search = trials[0].run.search
    seed = derive(
        plan.seed, "confirmation", *_own_streams(recipe_plan), *(_streams_of_search(plan, search) or (0, search))
    )
    runs = [
        dataclasses.replace(trial.run, stage="confirmation", number=number, seed=seed, bar=())
        for number, trial in enumerate(best)
    ]
    return (yield Round(("confirmation", 0), runs)) or []


def _streams_of_search(plan: Plan, number: int) -> tuple[int, ...]:
    """Return what names the random streams of a search; nothing for the first one of seed 0."""
    return (plan.search_seed, number) if plan.search_seed or number else ()


def _own_streams(recipe_plan: RecipePlan) -> tuple[str, ...]:
    """Return the name that gives a placebo its own seeds; nothing for other recipes, which share theirs."""
    return (recipe_plan.name,) if recipe_plan.placebo else ()


def _split_round(points: list[Point], plan: Plan, done: int) -> Iterator[list[Point]]:
    """Yield the points of a round in chunks that are trained at once.

    There is one chunk, unless time is limited or the pruner needs finished trials to judge the next ones by.
    """
    size = 1 if plan.budget else PRUNED_ROUND if plan.pruner == "median" else len(points)
    first = MIN_TRIALS if plan.pruner == "median" and not plan.budget and not done else size
    starts = [0, *range(first, len(points), size)]
    for start, end in zip(starts, [*starts[1:], len(points)], strict=True):
        yield points[start:end]


def _pruning_bar(trials: Sequence[Record], plan: Plan) -> tuple[float, ...]:
    if plan.pruner != "median":
        return ()
    curves = [r.history["validation"][plan.objective.metric] for r in trials if r.status == "ok"]
    return compute_median_bar(curves, dataclasses.replace(plan.objective, epochs=plan.epochs))


def _search_score(record: Record, objective: Objective) -> float:
    """Return the score that the search learns from; for a pruned trial, the last one it reached."""
    reached = record.metrics.get("validation", {}).get(objective.metric)
    return math.nan if reached is None or record.status not in ("ok", "pruned") else reached


def _make_trial(
    plan: Plan,
    recipe_plan: RecipePlan,
    point: Point,
    search: int,
    number: int,
    seed: int,
    bar: tuple[float, ...] = (),
) -> Run:
    values = dict(point.values)
    rate = float(values.pop(LEARNING_RATE, plan.learning_rate))  # type: ignore[arg-type]
    steps = plan.steps * (1 + count_copies(recipe_plan.recipe))
    strengths = to_strengths(recipe_plan.space, values, rate, steps)
    return Run(
        stage="trial",
        name=recipe_plan.name,
        recipe_text=str(recipe_plan.recipe.with_strengths(strengths)),
        number=number,
        seed=seed,
        learning_rate=rate,
        epochs=point.epochs,
        setup=plan.setup.digest,
        bar=bar,
        fold=choose_fold(plan, "trial", number, search),
        search=search,
    )


def make_runs(
    plan: Plan,
    executor: Executor,
    ledger: Ledger,
    progress: Progress,
    elapsed: Callable[[], float] | None = None,
    retry_failed: bool = False,
) -> None:
    """Make every run of ``plan`` that ``ledger`` does not hold yet; make runs again that were killed from outside.

    Args:
        plan: the runs.
        executor: makes them.
        ledger: holds the records.
        progress: shows every record.
        elapsed: returns the seconds spent on the comparison, over all sessions.
        retry_failed: make every run again that failed.

    Raises:
        EnvironmentFailure: if every run fails with the same error from the start.
    """
    scheduler = Scheduler(
        plan,
        ledger,
        make_budget(plan, ledger, elapsed),
        progress,
        _make_interim_analysis(plan, ledger),
        elapsed,
        retry_failed,
    )
    scheduler.begin([search_then_replicate(plan, recipe_plan) for recipe_plan in plan.recipes])
    while scheduler.busy:
        while scheduler.ready and executor.has_idle_worker():
            executor.start(*scheduler.take(executor.pick(scheduler.ready)))
        for record, weights in executor.collect():
            scheduler.add(record, weights)
    scheduler.finish()


def _make_interim_analysis(plan: Plan, ledger: Ledger) -> Callable[[Iterable[Record], int], set[str]]:
    """Return the function that analyzes the records as the leaderboard does, see `find_undecided_recipes`."""
    comparison = ledger.get_comparison_info()
    ratio = None if comparison is None else comparison.test_train_ratio
    nested = find_nested_recipes([recipe.name for recipe in plan.recipes], plan.searches)
    return lambda records, analysis: find_undecided_recipes(records, plan, analysis, ratio, nested)


def make_budget(plan: Plan, ledger: Ledger, elapsed: Callable[[], float] | None = None) -> Budget:
    """Return the remaining time, with the decisions of earlier sessions.

    With another budget than before, more replicates may be made; the search is not continued, because the replicates
    measure the strengths that it chose.
    """
    earlier = ledger.get_budget_info() or BudgetInfo(plan.budget)
    same = earlier.seconds == plan.budget
    closed = {stage: number for stage, number in earlier.closed.items() if same or stage == "trial"}
    comparison = ledger.get_comparison_info()
    spent = elapsed() if elapsed else (comparison and comparison.seconds) or 0.0
    # Where interim analyses decide on more replicates, the first five are made whatever the time; otherwise one of each
    # search.
    least = plan.replicates if len(plan.interim_analyses) > 1 else max(FEWEST["replicate"], plan.searches)
    return Budget(
        plan.budget,
        plan.replicates,
        spent,
        closed,
        clock=elapsed or time.monotonic,
        least=least,
        admitted=dict(earlier.admitted),
        longest=earlier.longest,
        confirmations=max((recipe.searches * recipe.confirmations for recipe in plan.recipes), default=0),
    )
