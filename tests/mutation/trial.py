"""Try mutants: which of them no test notices."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.choose_tests import list_stages, read_text
from tests.mutation.mutants import Mutant, list_modules, make_name
from tests.mutation.server import Job, Outcome, Running

EQUIVALENT = Path(__file__).with_name("equivalent.toml")

LIMIT = 150.0
"""Seconds of processor time for the tests of one stage, several times what any of them takes."""


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant.

    Attributes:
        mutant: the mutant.
        killed: whether a test failed.
        by: the first test that failed, or what else ended the run; for a survivor a test that always fails.
        seconds: processor time taken.
    """

    mutant: Mutant
    killed: bool
    by: str
    seconds: float


Steps = Generator[Job, Outcome, Verdict]


def read_equivalents() -> dict[str, str]:
    """Return by the mutants' names the reasons why no test can notice them."""
    entries = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))["mutant"]
    return {make_name(entry["module"], entry["before"], entry["after"]): entry["reason"] for entry in entries}


class Trial:
    """Runs the tests of mutants, several at once.

    Args:
        processes: how many at once.
        tell: called with each verdict.
        stages: number of stages of tests that are run; None for all.
    """

    def __init__(
        self,
        processes: int = 1,
        tell: Callable[[Verdict], None] = lambda verdict: None,
        stages: int | None = None,
    ) -> None:
        self.processes = processes
        self.tell = tell
        self.stages = stages
        self.kills: dict[str, int] = {}
        self.durations: dict[str, float] = {}

    def run(self, mutants: Iterable[Mutant]) -> list[Verdict]:
        """Return the verdicts in the order in which they are reached."""
        waiting = [self._try(mutant) for mutant in reversed(list(mutants))]
        active: dict[Steps, Running] = {}
        verdicts: list[Verdict] = []
        try:
            while waiting or active:
                if waiting and len(active) < self.processes:
                    steps = waiting.pop()
                    active[steps] = Running(next(steps))
                for steps, running in list(active.items()):
                    if (outcome := running.poll()) is None:
                        continue
                    del active[steps]
                    try:
                        active[steps] = Running(steps.send(outcome))
                    except StopIteration as ended:
                        verdicts.append(ended.value)
                        self.tell(ended.value)
                time.sleep(0.02)
        finally:
            for running in active.values():
                running.end()
        return verdicts

    def _try(self, mutant: Mutant) -> Steps:
        """Yield the tests to run, stage by stage, and return the verdict."""
        seconds = 0.0
        for tests in list_stages(mutant.module)[: self.stages]:
            outcome = yield Job(mutant.module, mutant.source, tests, LIMIT, self.kills, self.durations)
            seconds += outcome.seconds
            self.durations |= outcome.durations
            if outcome.passed:
                continue
            test = outcome.reason
            if "::" in test and test not in self.kills:  # does it fail because of the mutant?
                without = yield Job(mutant.module, read_text(list_modules()[mutant.module]), (test,), LIMIT)
                if not without.passed:
                    return Verdict(mutant, False, f"{test} fails without a mutant too", seconds)
            self.kills[test] = self.kills.get(test, 0) + 1
            return Verdict(mutant, True, test, seconds)
        return Verdict(mutant, False, "", seconds)
