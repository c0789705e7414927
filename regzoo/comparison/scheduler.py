"""Scheduler of the runs of a comparison: what may start next, and which records each recipe's procedure is sent.

Every training is made once: runs that need the same one, such as the members of an ensemble and the recipe without
it, share its weights.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from regzoo.comparison.budget import Budget, Level, get_order
from regzoo.comparison.plan import Plan
from regzoo.comparison.progress import Progress
from regzoo.comparison.retry import find_replaced, is_made_again, recall_failures
from regzoo.core import EnvironmentFailure
from regzoo.storage.info import BudgetInfo
from regzoo.storage.ledger import Ledger
from regzoo.training.records import Record, Run, list_members

HOPELESS_AFTER = 5
"""If the first runs, at least this many and of several recipes, all fail with one error, the comparison ends."""


@dataclass(frozen=True)
class Round:
    """The runs that a recipe needs next, and their level.

    Attributes:
        level: their level.
        runs: the runs.
        places: place of the search, from 0 for the best, of each replicate among them, by its key.
    """

    level: Level
    runs: list[Run]
    places: Mapping[str, int] = field(default_factory=dict)


RecipeProcedure = Generator[Round, list[Record] | None, None]
"""Yields a round, is sent its records in the same order, and yields the next; it is sent None if time is up."""


@dataclass(eq=False)
class _OpenRound:
    """A round that is not complete; ``admitted`` once its runs may be made."""

    procedure: RecipeProcedure
    round: Round
    admitted: bool = False

    @property
    def order(self) -> tuple[int, int]:
        """Sort key of the rounds."""
        return get_order(self.round.level)


class Scheduler:
    """Runs the procedures of all recipes at once.

    Args:
        plan: the plan whose runs are made.
        ledger: holds the records so far.
        budget: how far to go.
        progress: shows every record.
        find_undecided: returns, for all records and the number of an interim analysis, the recipes that get further
            replicates.
        elapsed: returns the seconds spent on the comparison, which are kept with every record.
        retry_failed: make every run again that failed, see `regzoo.comparison.retry`.
    """

    def __init__(
        self,
        plan: Plan,
        ledger: Ledger,
        budget: Budget,
        progress: Progress,
        find_undecided: Callable[[Iterable[Record], int], set[str]],
        elapsed: Callable[[], float] | None = None,
        retry_failed: bool = False,
    ) -> None:
        self.objective = plan.objective
        self.ledger = ledger
        self.budget = budget
        self.progress = progress
        self.find_undecided = find_undecided
        self.undecided: dict[int, set[str]] = {}  # by interim analysis
        self.elapsed = elapsed
        records = {record.run.key: record for record in ledger.records()}
        self.superseded = {key: record for key, record in records.items() if is_made_again(record, retry_failed)}
        self.records = {key: record for key, record in records.items() if key not in self.superseded}
        self.trained = ledger.list_training_keys()
        self.failed = {
            r.run.training_key: r for r in self.records.values() if r.run.stage == "member" and r.status == "failed"
        }
        self.trained_as = {recipe.name: str(recipe.recipe.without_post_training()) for recipe in plan.recipes}
        self.shared = {
            self.trained_as[recipe.name]
            for recipe in plan.recipes
            if recipe.recipe.without_post_training() != recipe.recipe
        }
        self.rounds: list[_OpenRound] = []
        self.places: dict[str, int] = {}
        self.ready: list[Run] = []
        self.waiting_for: dict[str, tuple[Run, list[Run]]] = {}  # by key: a run, and the trainings that it needs
        self.queued: set[str] = set()  # trainings that are ready or under way
        self.under_way = 0
        self.decisions: BudgetInfo | None = None  # as the ledger keeps them

    def begin(self, procedures: Sequence[RecipeProcedure]) -> None:
        """Open the first round of every procedure."""
        for procedure in procedures:
            self._open_round(procedure)
        self._admit_rounds()

    @property
    def busy(self) -> bool:
        """Whether anything is left to do."""
        return bool(self.ready or self.under_way)

    def take(self, run: Run) -> tuple[Run, list[Any] | None]:
        """Remove ``run`` from the ready ones; return it with the outcomes of the trainings it combines, if made."""
        self.ready.remove(run)
        self.under_way += 1
        needed = [member.training_key for member in list_members(run)]
        made = all(training in self.trained for training in needed)
        return run, [self.ledger.load_training(training) for training in needed] if made else None

    def add(self, record: Record, weights: Any) -> None:
        """Add ``record`` to the ledger, and continue with what waited for it.

        Raises:
            EnvironmentFailure: if every run so far failed with the same error.
        """
        self.under_way -= 1
        self._write(record, weights)
        self._stop_if_hopeless()
        self._release_runs()
        self._admit_rounds()

    def finish(self) -> None:
        """Drop what the ledger kept for the runs that are made now: weights of members, and members that none needs."""
        for record in self.superseded.values():
            if record.run.stage == "member":
                self.ledger.drop_failed(record.run)
        self.ledger.drop_trainings()

    def _write(self, record: Record, weights: Any) -> None:
        run = record.run
        wanted = run.stage == "member" or self.trained_as.get(run.name) in self.shared
        shared = wanted and weights is not None and list_members(run) == [run] and run.training_key not in self.trained
        self.queued.discard(run.training_key)
        if run.key not in self.records:
            if run.key in self.superseded:
                record = record.after(self.superseded.pop(run.key))
            seconds = None if self.elapsed is None else self.elapsed()
            self.ledger.add(record, self.objective, weights, shared, seconds, self.places)
            self.records[run.key] = record
        elif shared:  # a member whose weights were dropped when the comparison was complete
            self.ledger.keep_training(run, weights)
        if shared:
            self.trained.add(run.training_key)
        elif weights is None and run.stage == "member":
            self.failed[run.training_key] = record
        if run.stage != "member":
            self.progress.update(record, repeated=False)

    def _open_round(self, procedure: RecipeProcedure, records: list[Record] | None = None) -> None:
        """Send ``records`` to ``procedure``, or start it, and open the round that it yields."""
        try:
            self.rounds.append(_OpenRound(procedure, procedure.send(records)))
        except StopIteration:
            return

    def _admit_rounds(self) -> None:
        """Close the rounds whose records are all there, and admit those whose turn it is."""
        while changed := [open_ for open_ in self.rounds if self._can_advance(open_)]:
            for open_ in changed:
                self._advance(open_)

    def _can_advance(self, open_: _OpenRound) -> bool:
        if open_.admitted:
            return all(run.key in self.records for run in open_.round.runs)
        waits = self.budget.paced or open_.round.level[0] == "look"
        return not waits or open_.order == min(other.order for other in self.rounds)

    def _advance(self, open_: _OpenRound) -> None:
        if open_.admitted:
            self.rounds.remove(open_)
            self._open_round(open_.procedure, recall_failures(open_.round.runs, self.records))
        elif self._is_wanted(open_.round) and self.budget.admits(open_.round.level, len(open_.round.runs)):
            open_.admitted = True
            self.places |= open_.round.places
            self._keep_decisions()
            for run in open_.round.runs:
                self._request(run)
        else:
            self._keep_decisions()
            self.rounds.remove(open_)
            self._open_round(open_.procedure)

    def _keep_decisions(self) -> None:
        """Keep how far the comparison goes: before the runs, so that an interrupted level is finished."""
        decisions = self.budget.to_info()
        if (self.budget.paced or self.budget.closed) and decisions != self.decisions:
            self.ledger.set_budget_info(decisions)
            self.decisions = decisions

    def _is_wanted(self, round_: Round) -> bool:
        """Return True unless the round belongs to an interim analysis that decided on this recipe before."""
        stage, number = round_.level
        if stage != "look":
            return True
        if number not in self.undecided:
            self.undecided[number] = self.find_undecided(self.records.values(), number)
        return round_.runs[0].name in self.undecided[number]

    def _request(self, run: Run) -> None:
        """Queue ``run`` and the trainings that it needs, unless they are made."""
        if run.key in self.records:
            self.progress.update(self.records[run.key], repeated=True)
            return
        for key, record in find_replaced(run, self.superseded):
            self.ledger.drop_failed(record.run)
            del self.superseded[key]
        self.waiting_for[run.key] = run, list_members(run)
        self._release_runs()

    def _release_runs(self) -> None:
        """Move to ``ready`` every run that can be made now, and the trainings that others wait for."""
        for key, (run, needed) in list(self.waiting_for.items()):
            failed = next((self.failed[one.training_key] for one in needed if one.training_key in self.failed), None)
            if failed is not None:
                del self.waiting_for[key]
                self._write(Record(run=run, status="failed", error=f"a member failed: {failed.error}"), None)
            elif needed == [run]:
                if run.training_key not in self.queued:
                    del self.waiting_for[key]
                    self._queue(run)
            elif not (missing := [one for one in needed if one.training_key not in self.trained]):
                del self.waiting_for[key]
                self.ready.append(run)
            else:
                for one in missing:
                    if one.training_key not in self.queued:
                        self._queue(one)

    def _queue(self, run: Run) -> None:
        self.queued.add(run.training_key)
        self.ready.append(run)

    def _stop_if_hopeless(self) -> None:
        """End a comparison in which every run fails with the same error."""
        records = self.records.values()
        if len(records) < HOPELESS_AFTER or any(record.status != "failed" for record in records):
            return
        reasons, names = {record.error for record in records}, {record.run.name for record in records}
        if len(reasons) == 1 and (len(names) > 1 or len(self.trained_as) == 1):
            raise EnvironmentFailure(f"the first {len(records)} runs all failed with the same error: {reasons.pop()}")
