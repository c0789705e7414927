"""Compare: search, then replicate; whoever finishes first, and however often it is interrupted."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regzoo.comparison import leaderboard
from regzoo.comparison.compare import best, make_runs
from regzoo.comparison.ledger import Ledger
from regzoo.comparison.plan import Plan, make_plan
from regzoo.comparison.search import Point
from regzoo.config import from_keywords
from regzoo.data.prepare import prepare
from regzoo.data.sources import from_arrays
from regzoo.language import Objective
from regzoo.training.record import Record, Run

RECIPES = ["none", "dropout", "l2(0.001)", "dropout + l2"]


class Interrupted(Exception):
    """Stands for Ctrl-C, a crash or a power cut."""


def score(run: Run) -> float:
    """A number in [0, 1) that follows from the run alone, as a training does."""
    text = f"{run.recipe} {run.learning_rate} {run.seed} {run.epochs}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big") / 2**32


@dataclass
class Pretend:
    """An executor that makes records up and counts them; ``slots`` runs are under way, the last one finishes first."""

    slots: int = 1
    most: float = math.inf
    status: dict[str, Any] = field(default_factory=dict)
    made: list[Run] = field(default_factory=list)
    _under_way: list[Run] = field(default_factory=list)

    def room(self) -> bool:
        return len(self._under_way) < self.slots

    def pick(self, waiting: Sequence[Run]) -> Run:
        return waiting[len(self.made) % len(waiting)]

    def start(self, run: Run) -> None:
        self._under_way.append(run)

    def collect(self) -> list[tuple[Record, Any]]:
        if len(self.made) >= self.most:
            raise Interrupted
        run = self._under_way.pop()
        self.made.append(run)
        value = score(run)
        metrics: Any = {part: {"nll": value} for part in ("train", "validation", "test")}
        record = Record(run, self.status.get(run.name, "ok"), metrics=metrics, fit_seconds=float(len(self.made)))
        return [(record, [[np.full(3, value)]])]


@dataclass
class Told:
    """Remembers what the screen was told."""

    records: list[tuple[str, bool]] = field(default_factory=list)

    def recorded(self, record: Record, again: bool) -> None:
        self.records.append((record.run.key, again))


@pytest.fixture
def plan(rows: tuple[np.ndarray, np.ndarray]) -> Any:
    """Make a plan; keywords are those of a config."""

    def make(**given: Any) -> Plan:
        keywords = {"backbone": "mlp([8])", "recipes": RECIPES, "search": {"trials": 4}, "replicates": 3, **given}
        experiment = from_keywords(**keywords)
        return make_plan(experiment, prepare(from_arrays(*rows), experiment.split, experiment.seed))

    return make


def compared(plan: Plan, folder: Path, executor: Pretend) -> list[tuple[str, bool]]:
    folder.mkdir(exist_ok=True)
    told = Told()
    with Ledger(folder, create=True) as ledger:
        make_runs(plan, executor, ledger, told)
    return told.records


def board(plan: Plan, folder: Path) -> str:
    with Ledger(folder) as ledger:
        names = [arm.name for arm in plan.arms]
        return leaderboard.of(ledger.records(), plan.objective.metric, plan.objective.direction, names).to_csv()


def records(folder: Path, stage: str) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    with Ledger(folder) as ledger:
        for record in ledger.records():
            if record.run.stage == stage:
                found.setdefault(record.run.name, []).append(record)
    return {name: sorted(those, key=lambda record: record.run.number) for name, those in found.items()}


def test_every_recipe_is_searched_and_replicated_alike(plan: Any, tmp_path: Path) -> None:
    compared(plan(), tmp_path, Pretend())
    for stage, count in (("trial", 4), ("replicate", 3)):
        found = records(tmp_path, stage)
        numbers = {name: [r.run.number for r in those] for name, those in found.items()}
        assert numbers == {name: list(range(count)) for name in RECIPES}


def test_replicates_are_trained_at_the_numbers_of_the_best_trial(plan: Any, tmp_path: Path) -> None:
    compared(plan(), tmp_path, Pretend())
    trials, replicates = records(tmp_path, "trial"), records(tmp_path, "replicate")
    for name in RECIPES:
        chosen = min(trials[name], key=lambda record: record.score("nll")).run
        assert {(r.run.recipe, r.run.learning_rate) for r in replicates[name]} == {
            (chosen.recipe, chosen.learning_rate)
        }


def test_replicates_are_paired_across_recipes_and_fresh(plan: Any, tmp_path: Path) -> None:
    compared(plan(), tmp_path, Pretend())
    seeds = {name: [r.run.seed for r in those] for name, those in records(tmp_path, "replicate").items()}
    assert len({tuple(of_one) for of_one in seeds.values()}) == 1
    assert len(set(seeds["none"])) == 3
    trial_seeds = {r.run.seed for those in records(tmp_path, "trial").values() for r in those}
    assert len(trial_seeds) == 1  # trials differ by their numbers alone
    assert not trial_seeds & set(seeds["none"])


def test_equal_spaces_are_given_equal_points(plan: Any, tmp_path: Path) -> None:
    compared(plan(), tmp_path, Pretend())
    rates = {name: [r.run.learning_rate for r in those] for name, those in records(tmp_path, "trial").items()}
    assert rates["none"] == rates["l2(0.001)"]
    assert len(set(rates["none"])) == 4


def test_another_seed_changes_every_run(plan: Any, tmp_path: Path) -> None:
    made = []
    for seed in (0, 1):
        executor = Pretend()
        compared(plan(seed=seed), tmp_path / str(seed), executor)
        made.append({(run.seed, run.learning_rate) for run in executor.made})
    assert not made[0] & made[1]


@pytest.mark.parametrize("tuner", ["random", "grid", "bayesian", "hyperband"])
def test_no_result_depends_on_who_finished_first(tuner: str, plan: Any, tmp_path: Path) -> None:
    search = {"tuner": tuner, "trials": 9 if tuner == "hyperband" else 4}
    made = plan(search=search, recipes=["none", "dropout"], training={"epochs": 9})
    boards, keys = set(), set()
    for slots in (1, 3):
        executor = Pretend(slots)
        compared(made, tmp_path / str(slots), executor)
        boards.add(board(made, tmp_path / str(slots)))
        keys.add(frozenset(run.key for run in executor.made))
        assert len(executor.made) == made.runs
    assert len(boards) == len(keys) == 1


@pytest.mark.parametrize(
    ("tuner", "slots", "most"),
    [("random", 1, 1), ("random", 2, 3), ("grid", 2, 3), ("bayesian", 2, 5), ("hyperband", 1, 15)],
)
def test_interrupted_again_and_again_it_redoes_nothing(
    tuner: str, slots: int, most: int, plan: Any, tmp_path: Path
) -> None:
    search = {"tuner": tuner, "trials": 9 if tuner == "hyperband" else 4}
    made = plan(search=search, recipes=["none", "dropout"], training={"epochs": 9})
    compared(made, tmp_path / "straight", Pretend())
    counts: Counter[str] = Counter()
    finished = False
    while not finished:
        executor = Pretend(slots, most)
        try:
            told = compared(made, tmp_path / "interrupted", executor)
            finished = True
        except Interrupted:
            assert len(executor.made) == most
        counts.update(run.key for run in executor.made)
    assert set(counts.values()) == {1}
    assert len(counts) == made.runs
    assert board(made, tmp_path / "interrupted") == board(made, tmp_path / "straight")
    assert Counter(again for _, again in told)[False] == len(executor.made)


def test_a_finished_comparison_makes_nothing(plan: Any, tmp_path: Path) -> None:
    compared(plan(), tmp_path, Pretend())
    executor = Pretend()
    told = compared(plan(), tmp_path, executor)
    assert executor.made == []
    assert [again for _, again in told] == [True] * plan().runs
    assert len({key for key, _ in told}) == plan().runs


@pytest.mark.parametrize(
    ("more", "new"), [({"recipes": [*RECIPES, "l1"]}, 4 + 3), ({"replicates": 5}, 2 * len(RECIPES)), ({"seed": 1}, 28)]
)
def test_what_is_added_is_made_and_no_more(more: dict[str, Any], new: int, plan: Any, tmp_path: Path) -> None:
    compared(plan(), tmp_path, Pretend())
    executor = Pretend()
    compared(plan(**more), tmp_path, executor)
    assert len(executor.made) == new


@pytest.mark.parametrize("status", ["diverged", "failed"])
def test_a_recipe_that_leaves_no_score_is_last_and_the_rest_is_ranked(status: str, plan: Any, tmp_path: Path) -> None:
    made = plan()
    compared(made, tmp_path, Pretend(2, status={"dropout": status}))
    with Ledger(tmp_path) as ledger:
        names = [arm.name for arm in made.arms]
        found = leaderboard.of(ledger.records(), "nll", "min", names)
    assert [row.name for row in found.recipes][-1] == "dropout"
    assert found.recipes[-1].rank == len(RECIPES)
    assert {row.status for row in found.recipes[:-1]} == {"ok"}
    assert (found.recipes[-1].diverged, found.recipes[-1].failed) == ((3, 0) if status == "diverged" else (0, 3))


def test_a_fixed_recipe_at_a_fixed_learning_rate_is_tried_once(plan: Any, tmp_path: Path) -> None:
    compared(plan(training={"learning_rate": 0.01}, recipes=["none", "dropout"]), tmp_path, Pretend())
    assert {name: len(those) for name, those in records(tmp_path, "trial").items()} == {"none": 1, "dropout": 4}
    assert {r.run.learning_rate for those in records(tmp_path, "replicate").values() for r in those} == {0.01}


def trial(value: float, nll: float, epochs: int = 9, status: Any = "ok") -> tuple[Point, Record]:
    run = Run("trial", "l2", f"l2({value})", 0, 1, 0.1, epochs, "study")
    return Point({"l2.strength": value}, epochs), Record(run, status, metrics={"validation": {"nll": nll}})


def test_the_best_trial_is_one_of_those_trained_longest() -> None:
    nll = Objective("nll", "min")
    trials = [trial(0.1, 0.2, epochs=3), trial(0.2, 0.4), trial(0.3, 0.3), trial(0.4, 0.3)]
    assert best(trials, nll).values == {"l2.strength": 0.3}  # the first of equals
    assert best(trials, replace(nll, direction="max")).values == {"l2.strength": 0.2}
    lost = [trial(0.1, 0.2, epochs=3), trial(0.2, math.nan), trial(0.3, 0.1, status="diverged")]
    assert best(lost, nll).values == {"l2.strength": 0.1}
    assert best([trial(0.5, math.nan), trial(0.6, math.nan)], nll).values == {"l2.strength": 0.5}
