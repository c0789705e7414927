"""Compare: search, then replicate, for all recipes side by side.

Each recipe is an arm. An arm says which runs it needs next and is given their records when all of them are there;
arms know nothing of one another, so no result depends on which worker finished first. A run that the ledger holds
is not made again: that is how an interrupted comparison goes on.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Literal

from regzoo.comparison.budget import FEWEST, NOTE, Budget
from regzoo.comparison.interim import undecided_recipes
from regzoo.comparison.plan import Plan, RecipePlan
from regzoo.comparison.scheduler import Progress, RecipeProcedure, Round, Scheduler
from regzoo.core import Objective
from regzoo.core.seeds import derive
from regzoo.execution.executor import Executor
from regzoo.search.search import Point, start_search
from regzoo.search.space import LEARNING_RATE
from regzoo.storage.ledger import Ledger
from regzoo.training.engine.pruning import MIN_TRIALS, median_bar
from regzoo.training.records import Record, Run

Trial = tuple[Point, Record]

PRUNED_ROUND = 2
"""Trials of a recipe that are made side by side under a pruner, so that two workers keep busy."""


def search_then_replicate(plan: Plan, arm: RecipePlan) -> RecipeProcedure:
    """Yield the rounds of ``arm``'s search, then its replicates at the strengths that were best.

    All searches have the same seed, so that equal spaces are given equal points; all trials have the same seed, so
    that they differ by their strengths alone; replicate i has the same fresh seed in every arm, so that arms can be
    compared pair by pair. A placebo has seeds of its own: with the baseline's it would be the baseline to the last bit.
    With folds, replicate i of every arm is trained and validated on cut i.
    """
    search = start_search(
        plan.tuner, list(arm.space), plan.trials, plan.epochs, plan.objective, derive(plan.seed, "search")
    )
    own = (arm.name,) if arm.placebo else ()
    seed = derive(plan.seed, "trial", *own)
    trials: list[Trial] = []
    while points := search.ask():
        made: list[Trial] = []
        for some in _split_round(points, plan, len(trials)):
            bar = _pruning_bar(trials + made, plan) if arm.recipe.without_post_training() == arm.recipe else ()
            first = len(trials) + len(made)
            runs = [_make_run(plan, arm, point, "trial", first + i, seed, bar) for i, point in enumerate(some)]
            records = yield Round(("trial", first), runs)
            if records is None:
                break
            made += zip(some, records, strict=True)
        trials += made
        if len(made) < len(points):
            break  # the time is up
        search.tell([_search_score(record, plan.objective) for _, record in made])
    point = Point(choose_best(trials, plan.objective).values, plan.epochs)

    def seed_of(number: int) -> int:
        return derive(plan.seed, "replicate", number, *own)

    runs = [_make_run(plan, arm, point, "replicate", number, seed_of(number)) for number in range(plan.replicates)]
    for number in range(0, len(runs), 1 if plan.budget else len(runs)):
        some_runs = runs[number : number + 1] if plan.budget else runs
        if (yield Round(("replicate", number), some_runs)) is None:
            return
    for look, (made_already, wanted) in enumerate(itertools.pairwise(plan.looks)):
        more = [
            _make_run(plan, arm, point, "replicate", number, seed_of(number)) for number in range(made_already, wanted)
        ]
        if (yield Round(("look", look), more)) is None:
            return


def _split_round(points: list[Point], plan: Plan, done: int) -> Iterator[list[Point]]:
    """The parts of a search's round that are made one after the other.

    All at once, unless the time is limited, or a pruner needs some trials to measure the next ones by.
    """
    size = 1 if plan.budget else PRUNED_ROUND if plan.pruner == "median" else len(points)
    first = MIN_TRIALS if plan.pruner == "median" and not plan.budget and not done else size
    starts = [0, *range(first, len(points), size)]
    for start, end in zip(starts, [*starts[1:], len(points)], strict=True):
        yield points[start:end]


def _pruning_bar(trials: Sequence[Trial], plan: Plan) -> tuple[float, ...]:
    if plan.pruner != "median":
        return ()
    curves = [r.history["validation"][plan.objective.metric] for _, r in trials if r.status == "ok"]
    return median_bar(curves, dataclasses.replace(plan.objective, epochs=plan.epochs))


def _search_score(record: Record, objective: Objective) -> float:
    """What a search is told of a trial; of a pruned one what it had reached."""
    reached = record.metrics.get("validation", {}).get(objective.metric)
    return math.nan if reached is None or record.status not in ("ok", "pruned") else reached


def choose_best(trials: Sequence[Trial], objective: Objective) -> Point:
    """The point of the best trial among those trained longest; the first of equals, or of all if none finished."""
    longest = max(point.epochs for point, _ in trials)
    finished = [(point, record) for point, record in trials if not math.isnan(record.score(objective.metric))]
    full = [pair for pair in finished if pair[0].epochs == longest] or finished or list(trials[:1])
    chosen = full[0]
    for pair in full[1:]:
        if objective.better(pair[1].score(objective.metric), chosen[1].score(objective.metric)):
            chosen = pair
    return chosen[0]


def _make_run(
    plan: Plan,
    arm: RecipePlan,
    point: Point,
    stage: Literal["trial", "replicate"],
    number: int,
    seed: int,
    bar: tuple[float, ...] = (),
) -> Run:
    values = dict(point.values)
    rate = values.pop(LEARNING_RATE, plan.learning_rate)
    return Run(
        stage=stage,
        name=arm.name,
        recipe_text=str(arm.recipe.fixed(values)),
        number=number,
        seed=seed,
        learning_rate=float(rate),  # type: ignore[arg-type]
        epochs=point.epochs,
        setup=plan.setup.digest,
        bar=bar,
        fold=number if stage == "replicate" and plan.folds > 1 else 0,
    )


def make_runs(plan: Plan, executor: Executor, ledger: Ledger, progress: Progress) -> None:
    """Make every run of ``plan`` that ``ledger`` does not hold yet.

    Raises:
        EnvironmentFailure: if everything fails alike from the start.
    """
    driver = Scheduler(
        plan, ledger, make_budget(plan, ledger), progress, functools.partial(undecided_recipes, plan=plan)
    )
    driver.begin([search_then_replicate(plan, arm) for arm in plan.arms])
    while driver.busy:
        while driver.waiting and executor.room():
            executor.start(*driver.take(executor.pick(driver.waiting)))
        for record, weights in executor.collect():
            driver.file(record, weights)
    ledger.forget_trainings()


def make_budget(plan: Plan, ledger: Ledger) -> Budget:
    """The time that is left, and what was decided about it in earlier sittings.

    With another budget than before, more replicates may be made; the search is not taken up again, because the
    replicates stand for the strengths that it chose.
    """
    noted = ledger.get_info(NOTE) or {"seconds": plan.budget, "closed": {}}
    same = noted["seconds"] == plan.budget
    closed = {stage: number for stage, number in noted["closed"].items() if same or stage == "trial"}
    spent = (ledger.get_info("study") or {}).get("seconds") or 0.0
    # Replicates that decide for themselves how many they are begin with five, whatever the time.
    least = plan.replicates if len(plan.looks) > 1 else FEWEST["replicate"]
    return Budget(plan.budget, plan.replicates, spent, closed, least=least)
