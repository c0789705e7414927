"""Driver: keeps the arms supplied with records, from the ledger or fresh, and decides which run may start.

A training is made once: runs that need the same one, such as the members of an ensemble and the recipe without it,
share what it left.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from regzoo.comparison.budget import NOTE, ORDER, Budget, Level
from regzoo.comparison.plan import Plan
from regzoo.core import EnvironmentFailure
from regzoo.storage.ledger import Ledger
from regzoo.training.records import Record, Run, list_members

HOPELESS_AFTER = 5
"""So many runs of different recipes that fail alike, none before having succeeded, end the comparison."""


@dataclass(frozen=True)
class Round:
    """The runs that an arm needs next, and where they stand in its program."""

    level: Level
    runs: list[Run]


RecipeProcedure = Generator[Round, list[Record] | None, None]
"""Yields a round, is sent its records in the same order, and yields the next; None if there is no time for it."""


class Progress(Protocol):
    """Is told of every record, for the screen."""

    def recorded(self, record: Record, again: bool) -> None:
        """``record`` is in the ledger; ``again`` if it was there before."""


@dataclass(eq=False)
class _OpenRound:
    """A round of an arm that is not complete; ``admitted`` once its runs may be made."""

    arm: RecipeProcedure
    round: Round
    admitted: bool = False


class Scheduler:
    """Runs all arms of a plan side by side.

    Args:
        plan: whose runs are made.
        ledger: what has been made.
        budget: how far to go.
        progress: is told.
        unsettled: says, given all records and ``look=``, which recipes get what that look asks for.
    """

    def __init__(
        self,
        plan: Plan,
        ledger: Ledger,
        budget: Budget,
        progress: Progress,
        unsettled: Callable[..., set[str]],
    ) -> None:
        self.objective = plan.objective
        self.ledger = ledger
        self.budget = budget
        self.progress = progress
        self.unsettled = unsettled
        self.looked: dict[int, set[str]] = {}
        self.held = {record.run.key: record for record in ledger.records()}
        self.trained = ledger.trainings()
        self.lost = {
            r.run.training_key: r for r in self.held.values() if r.run.stage == "member" and r.status == "failed"
        }
        self.shared = {
            str(arm.recipe.without_post_training())
            for arm in plan.arms
            if arm.recipe.without_post_training() != arm.recipe
        }
        self.names = {arm.name: str(arm.recipe.without_post_training()) for arm in plan.arms}
        self.rounds: list[_OpenRound] = []
        self.waiting: list[Run] = []
        self.blocked: dict[str, Run] = {}  # by key: waits for trainings
        self.coming: set[str] = set()  # trainings that wait or are under way
        self.under_way = 0

    def begin(self, arms: Sequence[RecipeProcedure]) -> None:
        """Ask every arm for its first round."""
        for arm in arms:
            self._next(arm, first=True)
        self._admit()

    @property
    def busy(self) -> bool:
        """Whether anything is left to do."""
        return bool(self.waiting or self.under_way)

    def take(self, run: Run) -> tuple[Run, list[Any] | None]:
        """Start one of those waiting; returns it with what its trainings left, if they have been made."""
        self.waiting.remove(run)
        self.under_way += 1
        needed = [one.training_key for one in list_members(run)]
        made = all(training in self.trained for training in needed)
        return run, [self.ledger.training(training) for training in needed] if made else None

    def file(self, record: Record, weights: Any) -> None:
        """Write ``record`` to the ledger, and go on with what waited for it."""
        self.under_way -= 1
        self._write(record, weights)
        self._refuse_hopeless()
        self._unblock()
        self._admit()

    def _write(self, record: Record, weights: Any) -> None:
        run = record.run
        wanted = run.stage == "member" or self.names.get(run.name) in self.shared
        shared = wanted and weights is not None and list_members(run) == [run] and run.training_key not in self.trained
        self.ledger.add(record, self.objective, weights, shared)
        self.held[run.key] = record
        self.coming.discard(run.training_key)
        if shared:
            self.trained.add(run.training_key)
        elif weights is None and run.stage == "member":
            self.lost[run.training_key] = record
        if run.stage != "member":
            self.progress.recorded(record, again=False)

    def _next(self, arm: RecipeProcedure, records: list[Record] | None = None, first: bool = False) -> None:
        """Send ``records`` to ``arm`` and open the round it asks for."""
        try:
            self.rounds.append(_OpenRound(arm, next(arm) if first else arm.send(records)))
        except StopIteration:
            return

    def _admit(self) -> None:
        """Complete the rounds whose records are all there, and let in those whose turn it is."""
        while changed := [open_ for open_ in self.rounds if self._moves(open_)]:
            for open_ in changed:
                self._move(open_)

    def _moves(self, open_: _OpenRound) -> bool:
        if open_.admitted:
            return all(run.key in self.held for run in open_.round.runs)
        waits = self.budget.paced or open_.round.level[0] == "look"
        return not waits or _order(open_) == min(_order(other) for other in self.rounds)

    def _move(self, open_: _OpenRound) -> None:
        if open_.admitted:
            self.rounds.remove(open_)
            self._next(open_.arm, [self.held[run.key] for run in open_.round.runs])
        elif self._wanted(open_.round) and self.budget.admits(open_.round.level, len(open_.round.runs)):
            open_.admitted = True
            for run in open_.round.runs:
                self._want(run)
        else:
            self.ledger.set_info(NOTE, self.budget.to_dict())
            self.rounds.remove(open_)
            self._next(open_.arm, None)

    def _wanted(self, round_: Round) -> bool:
        """Whether a look at the replicates asks for this round; any other is wanted."""
        stage, number = round_.level
        if stage != "look":
            return True
        if number not in self.looked:
            self.looked[number] = self.unsettled(self.held.values(), look=number)
        return round_.runs[0].name in self.looked[number]

    def _want(self, run: Run) -> None:
        """Queue ``run`` and the trainings it needs, as far as they have not been made."""
        if run.key in self.held:
            self.progress.recorded(self.held[run.key], again=True)
            return
        self.blocked[run.key] = run
        self._unblock()

    def _unblock(self) -> None:
        """Queue the runs that can be made now, and the trainings that others wait for."""
        for key, run in list(self.blocked.items()):
            needed = list_members(run)
            failed = next((self.lost[one.training_key] for one in needed if one.training_key in self.lost), None)
            if failed is not None:
                del self.blocked[key]
                self._write(Record(run=run, status="failed", error=f"a member failed: {failed.error}"), None)
            elif needed == [run]:
                if run.training_key not in self.coming:
                    del self.blocked[key]
                    self._queue(run)
            elif not (missing := [one for one in needed if one.training_key not in self.trained]):
                del self.blocked[key]
                self.waiting.append(run)
            else:
                for one in missing:
                    if one.training_key not in self.coming:
                        self._queue(one)

    def _queue(self, run: Run) -> None:
        self.coming.add(run.training_key)
        self.waiting.append(run)

    def _refuse_hopeless(self) -> None:
        """End a comparison in which everything fails alike."""
        records = list(self.held.values())
        reasons, names = {record.error for record in records}, {record.run.name for record in records}
        alike = len(reasons) == 1 and all(record.status == "failed" for record in records)
        if alike and len(records) >= HOPELESS_AFTER and (len(names) > 1 or len(self.names) == 1):
            raise EnvironmentFailure(f"the first {len(records)} runs all failed alike: {reasons.pop()}")


def _order(open_: _OpenRound) -> tuple[int, int]:
    stage, number = open_.round.level
    return ORDER.index(stage), number
