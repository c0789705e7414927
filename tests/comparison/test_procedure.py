"""Search, then replicate: equal for every recipe, whichever run finishes first and however often it is interrupted."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest

from regzoo.comparison import leaderboard
from regzoo.comparison.plan import Plan, make_plan
from regzoo.comparison.procedure import make_runs
from regzoo.comparison.progress import SilentProgress
from regzoo.config import from_keywords
from regzoo.core import EnvironmentFailure, InputError
from regzoo.data.preprocess import prepare_fold
from regzoo.data.sources import from_arrays
from regzoo.storage.ledger import Ledger
from regzoo.training.records import Record, Run

RECIPES = ["none", "dropout", "l2(0.001)", "dropout + l2"]


class Interrupted(Exception):
    """Ctrl-C, a crash or a power failure."""


def score(run: Run) -> float:
    """A number in [0, 1) that follows from the run alone, as a training does."""
    text = f"{run.recipe_text} {run.learning_rate} {run.seed} {run.epochs}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big") / 2**32


@dataclass
class FakeExecutor:
    """An executor that invents records and counts them; ``slots`` runs are under way, the last one finishes first."""

    slots: int = 1
    most: float = math.inf
    status: dict[str, Any] = field(default_factory=dict)
    made: list[Run] = field(default_factory=list)
    combined: int = 0
    _under_way: list[Run] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def open(self, setup: Any, data: Any) -> None:
        """Needs no data."""

    @property
    def memory(self) -> int:
        """Holds no data."""
        return 0

    def wait_for_model(self) -> None:
        """Runs any."""

    def has_idle_worker(self) -> bool:
        return len(self._under_way) < self.slots

    def pick(self, waiting: Sequence[Run]) -> Run:
        return waiting[len(self.made) % len(waiting)]

    def start(self, run: Run, members: Any = None) -> None:
        self._under_way.append(run)
        self.combined += members is not None

    def collect(self) -> list[tuple[Record, Any]]:
        if len(self.made) >= self.most:
            raise Interrupted
        run = self._under_way.pop()
        self.made.append(run)
        value = score(run)
        metrics: Any = {part: {"nll": value} for part in ("train", "validation", "test")}
        status = self.status.get(run.name, "ok")
        history: Any = {part: {"nll": [value] * run.epochs} for part in ("train", "validation")}
        record = Record(run, status, metrics, history, fit_seconds=float(len(self.made)))
        return [(replace(record, error="out of luck"), None) if status == "failed" else (record, [[np.full(3, value)]])]


@dataclass
class RecordingProgress(SilentProgress):
    """Remembers every update."""

    records: list[tuple[str, bool]] = field(default_factory=list)

    def update(self, record: Record, repeated: bool) -> None:
        self.records.append((record.run.key, repeated))


@pytest.fixture
def plan(rows: tuple[np.ndarray, np.ndarray]) -> Any:
    """A function that makes a plan; its keywords are those of a config."""

    def make(**given: Any) -> Plan:
        keywords = {
            "backbone": "mlp([8])",
            "recipes": RECIPES,
            "search": {"trials": 4},
            "vary": ["seed"],
            "replicates": 3,
            **given,
        }
        experiment = from_keywords(**keywords)
        return make_plan(experiment, prepare_fold(from_arrays(*rows), experiment.split, experiment.seed))

    return make


def run_plan(plan: Plan, folder: Path, executor: FakeExecutor) -> list[tuple[str, bool]]:
    folder.mkdir(exist_ok=True)
    progress = RecordingProgress()
    with Ledger(folder, create=True) as ledger:
        make_runs(plan, executor, ledger, progress)
    return progress.records


def leaderboard_csv(plan: Plan, folder: Path) -> str:
    with Ledger(folder) as ledger:
        names = [recipe.name for recipe in plan.recipes]
        return leaderboard.build_leaderboard(
            ledger.records(), plan.objective.metric, plan.objective.direction, names
        ).to_csv()


def records(folder: Path, stage: str) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    with Ledger(folder) as ledger:
        for record in ledger.records():
            if record.run.stage == stage:
                found.setdefault(record.run.name, []).append(record)
    return {name: sorted(group, key=lambda record: record.run.number) for name, group in found.items()}


def test_every_recipe_has_equally_many_trials_and_replicates(plan: Any, tmp_path: Path) -> None:
    run_plan(plan(), tmp_path, FakeExecutor())
    for stage, count in (("trial", 4), ("replicate", 3)):
        found = records(tmp_path, stage)
        numbers = {name: [r.run.number for r in group] for name, group in found.items()}
        assert numbers == {name: list(range(count)) for name in RECIPES}


def test_replicates_are_trained_at_the_numbers_of_the_best_trial(plan: Any, tmp_path: Path) -> None:
    run_plan(plan(), tmp_path, FakeExecutor())
    trials, replicates = records(tmp_path, "trial"), records(tmp_path, "replicate")
    for name in RECIPES:
        chosen = min(trials[name], key=lambda record: record.score("nll")).run
        assert {(r.run.recipe_text, r.run.learning_rate) for r in replicates[name]} == {
            (chosen.recipe_text, chosen.learning_rate)
        }


def test_replicates_are_paired_across_recipes_and_fresh(plan: Any, tmp_path: Path) -> None:
    run_plan(plan(), tmp_path, FakeExecutor())
    seeds = {name: [r.run.seed for r in group] for name, group in records(tmp_path, "replicate").items()}
    assert len({tuple(seed_list) for seed_list in seeds.values()}) == 1
    assert len(set(seeds["none"])) == 3
    trial_seeds = {r.run.seed for group in records(tmp_path, "trial").values() for r in group}
    assert len(trial_seeds) == 1  # trials differ in their strengths only
    assert not trial_seeds & set(seeds["none"])


def test_equal_spaces_are_given_equal_points(plan: Any, tmp_path: Path) -> None:
    run_plan(plan(), tmp_path, FakeExecutor())
    rates = {name: [r.run.learning_rate for r in group] for name, group in records(tmp_path, "trial").items()}
    assert rates["none"] == rates["l2(0.001)"]
    assert len(set(rates["none"])) == 4


def test_another_seed_changes_every_run(plan: Any, tmp_path: Path) -> None:
    made = []
    for seed in (0, 1):
        executor = FakeExecutor()
        run_plan(plan(seed=seed), tmp_path / str(seed), executor)
        made.append({(run.seed, run.learning_rate) for run in executor.made})
    assert not made[0] & made[1]


@pytest.mark.parametrize("tuner", ["random", "grid", "bayesian", "hyperband"])
def test_no_result_depends_on_who_finished_first(tuner: str, plan: Any, tmp_path: Path) -> None:
    search = {"tuner": tuner, "trials": 9 if tuner == "hyperband" else 4}
    made = plan(search=search, recipes=["none", "dropout"], training={"epochs": 9})
    tables, keys = set(), set()
    for slots in (1, 3):
        executor = FakeExecutor(slots)
        run_plan(made, tmp_path / str(slots), executor)
        tables.add(leaderboard_csv(made, tmp_path / str(slots)))
        keys.add(frozenset(run.key for run in executor.made))
        assert len(executor.made) == made.runs
    assert len(tables) == len(keys) == 1


@pytest.mark.parametrize(
    ("tuner", "slots", "most"),
    [
        ("random", 1, 1),
        ("random", 2, 3),
        ("grid", 2, 3),
        pytest.param("bayesian", 2, 5, marks=pytest.mark.slow),
        ("hyperband", 1, 15),
    ],
)
def test_interrupted_again_and_again_it_redoes_nothing(
    tuner: str, slots: int, most: int, plan: Any, tmp_path: Path
) -> None:
    search = {"tuner": tuner, "trials": 9 if tuner == "hyperband" else 4}
    made = plan(search=search, recipes=["none", "dropout"], training={"epochs": 9})
    run_plan(made, tmp_path / "straight", FakeExecutor())
    counts: Counter[str] = Counter()
    finished = False
    while not finished:
        executor = FakeExecutor(slots, most)
        try:
            updates = run_plan(made, tmp_path / "interrupted", executor)
            finished = True
        except Interrupted:
            assert len(executor.made) == most
        counts.update(run.key for run in executor.made)
    assert set(counts.values()) == {1}
    assert len(counts) == made.runs
    assert leaderboard_csv(made, tmp_path / "interrupted") == leaderboard_csv(made, tmp_path / "straight")
    assert Counter(repeated for _, repeated in updates)[False] == len(executor.made)


def test_a_finished_comparison_makes_nothing(plan: Any, tmp_path: Path) -> None:
    run_plan(plan(), tmp_path, FakeExecutor())
    executor = FakeExecutor()
    updates = run_plan(plan(), tmp_path, executor)
    assert executor.made == []
    assert [repeated for _, repeated in updates] == [True] * plan().runs
    assert len({key for key, _ in updates}) == plan().runs


@pytest.mark.parametrize(
    ("more", "new"), [({"recipes": [*RECIPES, "l1"]}, 4 + 3), ({"replicates": 5}, 2 * len(RECIPES)), ({"seed": 1}, 28)]
)
def test_what_is_added_is_made_and_no_more(more: dict[str, Any], new: int, plan: Any, tmp_path: Path) -> None:
    run_plan(plan(), tmp_path, FakeExecutor())
    executor = FakeExecutor()
    run_plan(plan(**more), tmp_path, executor)
    assert len(executor.made) == new


@pytest.mark.parametrize("status", ["diverged", "failed"])
def test_a_recipe_that_leaves_no_score_is_last_and_the_rest_is_ranked(status: str, plan: Any, tmp_path: Path) -> None:
    made = plan()
    run_plan(made, tmp_path, FakeExecutor(2, status={"dropout": status}))
    with Ledger(tmp_path) as ledger:
        names = [recipe.name for recipe in made.recipes]
        found = leaderboard.build_leaderboard(ledger.records(), "nll", "min", names)
    assert [row.name for row in found.recipes][-1] == "dropout"
    assert found.recipes[-1].rank == len(RECIPES)
    assert {row.status for row in found.recipes[:-1]} == {"ok"}
    assert (found.recipes[-1].diverged, found.recipes[-1].failed) == ((3, 0) if status == "diverged" else (0, 3))


def test_a_fixed_recipe_at_a_fixed_learning_rate_is_tried_once(plan: Any, tmp_path: Path) -> None:
    run_plan(plan(training={"learning_rate": 0.01}, recipes=["none", "dropout"]), tmp_path, FakeExecutor())
    assert {name: len(group) for name, group in records(tmp_path, "trial").items()} == {"none": 1, "dropout": 4}
    assert {r.run.learning_rate for group in records(tmp_path, "replicate").values() for r in group} == {0.01}


ENSEMBLES = ["none", "dropout(0.2)", "ensemble(3)", "dropout(0.2) + ensemble(2)"]


def test_a_training_is_made_once_and_shared(plan: Any, tmp_path: Path) -> None:
    made = plan(recipes=ENSEMBLES)
    tables = set()
    for slots in (1, 3):
        executor = FakeExecutor(slots)
        run_plan(made, tmp_path / str(slots), executor)
        tables.add(leaderboard_csv(made, tmp_path / str(slots)))
        trained = [run.training_key for run in executor.made if "ensemble" not in run.recipe_text]
        assert len(set(trained)) == len(trained)
        # an ensemble's first member is the run without it wherever both have one learning rate, as in all trials
        members = [run for run in executor.made if run.stage == "member"]
        alone = {run.training_key for run in executor.made if run.stage != "member"}
        assert not alone & {run.training_key for run in members}
        assert sum(run.seed == executor.made[0].seed for run in members) == 0
        assert executor.combined == 2 * (4 + 3)
    assert len(tables) == 1
    with Ledger(tmp_path / "3") as ledger:
        assert ledger.list_training_keys() == set()  # their room is given back


def test_members_are_made_once_however_often_it_is_interrupted(plan: Any, tmp_path: Path) -> None:
    made = plan(recipes=ENSEMBLES)
    run_plan(made, tmp_path / "straight", FakeExecutor())
    counts: Counter[str] = Counter()
    finished = False
    while not finished:
        executor = FakeExecutor(2, 5)
        try:
            run_plan(made, tmp_path / "interrupted", executor)
            finished = True
        except Interrupted:
            pass
        counts.update(run.key for run in executor.made)
    assert set(counts.values()) == {1}
    assert leaderboard_csv(made, tmp_path / "interrupted") == leaderboard_csv(made, tmp_path / "straight")


def test_a_lost_member_costs_the_runs_that_need_it(plan: Any, tmp_path: Path) -> None:
    made = plan(recipes=["none", "dropout(0.2) + ensemble(2)"])
    run_plan(made, tmp_path, FakeExecutor(2, status={"dropout(0.2)": "failed"}))
    found = records(tmp_path, "replicate")
    assert {record.status for record in found["none"]} == {"ok"}
    assert {record.error for record in found["dropout(0.2) + ensemble(2)"]} == {"a member failed: out of luck"}


def test_everything_failing_with_one_error_ends_it_early(plan: Any, tmp_path: Path) -> None:
    executor = FakeExecutor(2, status=dict.fromkeys(RECIPES, "failed"))
    with pytest.raises(EnvironmentFailure, match="the first 5 runs all failed with the same error: out of luck"):
        run_plan(plan(), tmp_path, executor)
    assert len(executor.made) == 5


def test_one_recipe_failing_ends_nothing(plan: Any, tmp_path: Path) -> None:
    executor = FakeExecutor(status={"none": "failed"})
    run_plan(plan(recipes=["none", "l2"], search={"trials": 8}), tmp_path, executor)
    assert len(records(tmp_path, "replicate")["l2"]) == 3


def test_a_budget_takes_every_recipe_equally_far_and_no_further_when_run_again(plan: Any, tmp_path: Path) -> None:
    limited = plan(budget="0.000001s", replicates=9)
    tables = set()
    for slots in (1, 3, 3):
        executor = FakeExecutor(slots)
        run_plan(limited, tmp_path / str(slots), executor)
        for stage, count in (("trial", 1), ("replicate", 2)):
            found = records(tmp_path / str(slots), stage)
            assert {name: len(group) for name, group in found.items()} == dict.fromkeys(RECIPES, count)
        tables.add(leaderboard_csv(limited, tmp_path / str(slots)))
    assert executor.made == []
    assert len(tables) == 1
    executor = FakeExecutor()
    run_plan(plan(budget="10h", replicates=9), tmp_path / "1", executor)
    assert {run.stage for run in executor.made} == {"replicate"}  # the strengths stay group of the search
    assert len(executor.made) == 7 * len(RECIPES)


def test_a_pruner_measures_a_recipe_by_its_own_trials(plan: Any, tmp_path: Path) -> None:
    made = plan(search={"trials": 7, "pruner": "median"}, recipes=["none", "dropout", "ensemble(2)"])
    tables = set()
    for slots in (1, 3):
        run_plan(made, tmp_path / str(slots), FakeExecutor(slots))
        tables.add(leaderboard_csv(made, tmp_path / str(slots)))
        trials = records(tmp_path / str(slots), "trial")
        for name in ("none", "dropout"):
            curves = [record.score("nll") for record in trials[name]]
            bars = [record.run.bar for record in trials[name]]
            assert bars[:3] == [()] * 3
            assert [bar[0] for bar in bars[3:5]] == [float(np.median(curves[:3]))] * 2
            assert [bar[0] for bar in bars[5:]] == [float(np.median(curves[:5]))] * 2
        assert {record.run.bar for record in trials["ensemble(2)"]} == {()}
        assert {r.run.bar for group in records(tmp_path / str(slots), "replicate").values() for r in group} == {()}
    assert len(tables) == 1


@pytest.mark.parametrize(
    "given", [{"budget": "1m"}, {"search": {"tuner": "hyperband", "trials": 9, "pruner": "median"}}]
)
def test_hyperband_is_not_cut_short(given: dict[str, Any], plan: Any) -> None:
    keywords = {"search": {"tuner": "hyperband", "trials": 9}, "training": {"epochs": 9}, **given}
    with pytest.raises(InputError, match="hyperband stops trials by its own rule"):
        plan(**keywords)


def test_a_placebo_is_the_baseline_on_seeds_of_its_own(plan: Any, tmp_path: Path) -> None:
    run_plan(plan(placebo=2, recipes=["none", "l2"]), tmp_path, FakeExecutor())
    trials, replicates = records(tmp_path, "trial"), records(tmp_path, "replicate")
    names = ["none", "placebo 1", "placebo 2"]
    assert {r.run.recipe_text for name in names for r in trials[name] + replicates[name]} == {"none"}
    assert len({tuple(r.run.learning_rate for r in trials[name]) for name in names}) == 1  # tuned equally
    seeds = [r.run.seed for name in names for r in replicates[name]]
    assert len(set(seeds)) == len(seeds) == 9


@dataclass
class PlantedGains(FakeExecutor):
    """Scores with a gain of ``gains[recipe]`` over noise of sd 1, of which a tenth is not shared within a pair."""

    gains: dict[str, float] = field(default_factory=dict)

    def collect(self) -> list[tuple[Record, Any]]:
        ((record, weights),) = super().collect()
        shared, own = (np.random.default_rng([record.run.number, n]).normal() for n in (0, len(record.run.name)))
        value = 5.0 + shared + 0.1 * own - self.gains.get(record.run.name, 0.0)
        return [(replace(record, metrics={**record.metrics, "validation": {"nll": value}}), weights)]


def test_more_seeds_go_where_the_order_is_open(plan: Any, tmp_path: Path) -> None:
    made = plan(replicates="auto", recipes=["none", "dropout(0.5)", "l2(0.001)", "l1(0.1)"])
    gains = {"dropout(0.5)": 1.0, "l2(0.001)": 1.0, "l1(0.1)": -1.0}  # two equal leaders, a clear loser
    tables, counts = set(), {}
    for slots, most in ((1, math.inf), (3, math.inf), (2, 9)):
        folder = tmp_path / str(slots)
        finished = False
        while not finished:
            try:
                run_plan(made, folder, PlantedGains(slots, most, gains=gains))
                finished = True
            except Interrupted:
                pass
        counts = {name: len(group) for name, group in records(folder, "replicate").items()}
        tables.add(leaderboard_csv(made, folder))
    assert len(tables) == 1
    assert counts["l1(0.1)"] == 5  # decided at the first interim analysis
    assert counts["none"] == counts["dropout(0.5)"] == counts["l2(0.001)"] > 5


def test_a_clear_order_is_decided_at_the_first_interim_analysis(plan: Any, tmp_path: Path) -> None:
    made = plan(replicates="auto", recipes=["none", "dropout(0.5)", "l2(0.001)"])
    run_plan(made, tmp_path, PlantedGains(gains={"dropout(0.5)": 2.0, "l2(0.001)": -2.0}))
    assert {len(group) for group in records(tmp_path, "replicate").values()} == {5}


def test_however_little_time_there_is_five_seeds_are_made(plan: Any, tmp_path: Path) -> None:
    made = plan(replicates="auto", recipes=["none", "dropout(0.5)"], budget="0.001s")
    for _ in range(2):
        run_plan(made, tmp_path, PlantedGains())
        assert {len(group) for group in records(tmp_path, "replicate").values()} == {5}


def test_what_makes_no_difference_in_practice_is_decided(plan: Any, tmp_path: Path) -> None:
    made = plan(replicates="auto", recipes=["none", "dropout(0.5)"], rope=0.5)
    run_plan(made, tmp_path, PlantedGains())
    assert {len(group) for group in records(tmp_path, "replicate").values()} == {5}
