"""Compare: search, then replicate, for all recipes side by side.

Each recipe is an arm. An arm says which runs it needs next and is given their records when all of them are there;
arms know nothing of one another, so no result depends on which worker finished first. A run that the ledger holds
is not made again: that is how an interrupted comparison goes on.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol

from regzoo.comparison.ledger import Ledger
from regzoo.comparison.plan import ArmPlan, Plan
from regzoo.comparison.search import LEARNING_RATE, Point, begin
from regzoo.language import Objective
from regzoo.language.seeds import derive
from regzoo.training.executor import Executor
from regzoo.training.record import Record, Run

Arm = Generator[list[Run], list[Record], None]
"""Yields a round of runs, is sent their records in the same order, and yields the next round."""


class Progress(Protocol):
    """Is told of every record, for the screen."""

    def recorded(self, record: Record, again: bool) -> None:
        """``record`` is in the ledger; ``again`` if it was there before."""


def search_then_replicate(plan: Plan, arm: ArmPlan) -> Arm:
    """Yield the rounds of ``arm``'s search, then its replicates at the strengths that were best.

    All searches have the same seed, so that equal spaces are given equal points; all trials have the same seed, so
    that they differ by their strengths alone; replicate i has the same fresh seed in every arm, so that arms can be
    compared pair by pair.
    """
    search = begin(
        plan.tuner,
        list(arm.space),
        plan.trials,
        plan.epochs,
        plan.objective,
        derive(plan.seed, "search"),
    )
    trials: list[tuple[Point, Record]] = []
    while points := search.ask():
        seed = derive(plan.seed, "trial")
        runs = [_run(plan, arm, point, "trial", len(trials) + i, seed) for i, point in enumerate(points)]
        records = yield runs
        search.tell([record.score(plan.objective.metric) for record in records])
        trials += zip(points, records, strict=True)
    point = Point(best(trials, plan.objective).values, plan.epochs)
    seeds = [derive(plan.seed, "replicate", number) for number in range(plan.replicates)]
    yield [_run(plan, arm, point, "replicate", number, seed) for number, seed in enumerate(seeds)]


def best(trials: list[tuple[Point, Record]], objective: Objective) -> Point:
    """The point of the best trial among those trained longest; the first of equals, or of all if none finished."""
    longest = max(point.epochs for point, _ in trials)
    finished = [(point, record) for point, record in trials if not math.isnan(record.score(objective.metric))]
    full = [pair for pair in finished if pair[0].epochs == longest] or finished or trials[:1]
    chosen = full[0]
    for pair in full[1:]:
        if objective.better(pair[1].score(objective.metric), chosen[1].score(objective.metric)):
            chosen = pair
    return chosen[0]


def _run(plan: Plan, arm: ArmPlan, point: Point, stage: str, number: int, seed: int) -> Run:
    values = dict(point.values)
    rate = values.pop(LEARNING_RATE, plan.learning_rate)
    return Run(
        stage="trial" if stage == "trial" else "replicate",
        name=arm.name,
        recipe=str(arm.recipe.fixed(values)),
        number=number,
        seed=seed,
        learning_rate=float(rate),  # type: ignore[arg-type]
        epochs=point.epochs,
        study=plan.study.digest,
    )


def make_runs(plan: Plan, executor: Executor, ledger: Ledger, progress: Progress) -> None:
    """Make every run of ``plan`` that ``ledger`` does not hold yet."""
    driver = _Driver(plan, ledger, progress)
    for arm in plan.arms:
        driver.advance(search_then_replicate(plan, arm), None)
    while driver.waiting or driver.under_way:
        while driver.waiting and executor.room():
            executor.start(driver.take(executor.pick([run for run, _ in driver.waiting])))
        for record, weights in executor.collect():
            driver.file(record, weights)


@dataclass
class _Round:
    arm: Arm
    runs: list[Run]


class _Driver:
    """Keeps the arms supplied with records, from the ledger or fresh."""

    def __init__(self, plan: Plan, ledger: Ledger, progress: Progress) -> None:
        self.objective = plan.objective
        self.ledger = ledger
        self.progress = progress
        self.held = {record.run.key: record for record in ledger.records()}
        self.waiting: list[tuple[Run, _Round]] = []
        self.under_way: dict[str, _Round] = {}

    def advance(self, arm: Arm, records: list[Record] | None) -> None:
        """Send ``records`` to ``arm`` and queue what it asks for, as far as the ledger does not hold it."""
        while True:
            try:
                runs = next(arm) if records is None else arm.send(records)
            except StopIteration:
                return
            missing = [run for run in runs if run.key not in self.held]
            for run in runs:
                if run.key in self.held:
                    self.progress.recorded(self.held[run.key], again=True)
            if missing:
                round_ = _Round(arm, runs)
                self.waiting += [(run, round_) for run in missing]
                return
            records = [self.held[run.key] for run in runs]

    def take(self, run: Run) -> Run:
        """Move ``run`` from those waiting to those under way."""
        index = [waiting for waiting, _ in self.waiting].index(run)
        self.under_way[run.key] = self.waiting.pop(index)[1]
        return run

    def file(self, record: Record, weights: object) -> None:
        """Write ``record`` to the ledger; if its round is complete, go on with its arm."""
        self.ledger.add(record, self.objective, weights)  # type: ignore[arg-type]
        self.held[record.run.key] = record
        self.progress.recorded(record, again=False)
        round_ = self.under_way.pop(record.run.key)
        if all(run.key in self.held for run in round_.runs):
            self.advance(round_.arm, [self.held[run.key] for run in round_.runs])
