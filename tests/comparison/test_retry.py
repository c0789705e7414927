"""Runs that failed are made again: the comparison then ends as one in which they had not failed."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from regzoo.cli.tables.failures import describe_retry
from regzoo.comparison import leaderboard, runner
from regzoo.comparison.plan import Plan, make_plan
from regzoo.comparison.procedure import make_runs
from regzoo.comparison.progress import LiveProgress, SilentProgress
from regzoo.comparison.retry import is_made_again
from regzoo.config import from_keywords
from regzoo.core import InputError
from regzoo.data.preprocess import prepare_fold
from regzoo.data.sources import from_arrays
from regzoo.execution.exit_reason import describe_exit
from regzoo.storage.ledger import Ledger
from regzoo.training.records import Record, Run
from tests.comparison.test_procedure import FakeExecutor, Interrupted

RECIPES = ["none", "dropout", "l2(0.001)"]
KILLED = describe_exit(-9)


@dataclass
class Failing(FakeExecutor):
    """Fails the runs that `fails` names, by recipe, stage and number, with `error`."""

    fails: set[tuple[str, str, int]] = field(default_factory=set)
    error: str = KILLED

    def collect(self) -> list[tuple[Record, Any]]:
        ((record, weights),) = super().collect()
        run = record.run
        if (run.name, run.stage, run.number) not in self.fails:
            return [(record, weights)]
        return [(Record(run, "failed", error=self.error, fit_seconds=2.0), None)]


@pytest.fixture
def plan(rows: tuple[np.ndarray, np.ndarray]) -> Any:
    """A function that makes a plan; its keywords are those of a config."""

    def make(**given: Any) -> Plan:
        search = {"tuner": "random", "trials": 4}
        keywords = {
            "backbone": "mlp([8])",
            "recipes": RECIPES,
            "search": search,
            "vary": ["seed"],
            "replicates": 3,
            **given,
        }
        experiment = from_keywords(**keywords)
        return make_plan(experiment, prepare_fold(from_arrays(*rows), experiment.split, experiment.seed))

    return make


def make(plan: Plan, folder: Path, executor: FakeExecutor, **options: Any) -> list[Run]:
    """Make the runs of ``plan``; return those that were made now."""
    folder.mkdir(exist_ok=True)
    with Ledger(folder, create=True) as ledger:
        make_runs(plan, executor, ledger, SilentProgress(), **options)
    return executor.made


def read(folder: Path) -> list[Record]:
    with Ledger(folder) as ledger:
        return ledger.records()


def csv(plan: Plan, folder: Path) -> str:
    names = [recipe.name for recipe in plan.recipes]
    return leaderboard.build_leaderboard(read(folder), plan.objective.metric, plan.objective.direction, names).to_csv()


def key(run: Run) -> tuple[str, str, int]:
    return run.name, run.stage, run.number


REPLICATES = {("dropout", "replicate", 1), ("none", "replicate", 0)}


@pytest.mark.parametrize("slots", [1, 3])
@pytest.mark.parametrize(
    ("error", "options"),
    [
        (KILLED, {}),
        (describe_exit(-15), {}),
        (describe_exit(-11), {"retry_failed": True}),
        ("ValueError: no", {"retry_failed": True}),
    ],
)
def test_after_the_retry_all_is_as_if_nothing_had_failed(
    error: str, options: dict[str, Any], slots: int, plan: Any, tmp_path: Path
) -> None:
    make(plan(), tmp_path / "straight", FakeExecutor())
    make(plan(), tmp_path / "failed", Failing(slots, fails=REPLICATES, error=error))
    assert {key(r.run) for r in read(tmp_path / "failed") if r.status == "failed"} == REPLICATES
    assert csv(plan(), tmp_path / "failed") != csv(plan(), tmp_path / "straight")
    again = make(plan(), tmp_path / "failed", FakeExecutor(slots), **options)
    assert {key(run) for run in again} == REPLICATES  # and nothing else
    assert csv(plan(), tmp_path / "failed") == csv(plan(), tmp_path / "straight")
    records = {key(r.run): r for r in read(tmp_path / "failed")}
    assert len(records) == plan().runs
    assert {where for where, record in records.items() if record.attempts} == REPLICATES
    assert records["dropout", "replicate", 1].attempts == ({"error": error, "seconds": 2.0},)
    assert make(plan(), tmp_path / "failed", FakeExecutor(slots), retry_failed=True) == []


@pytest.mark.parametrize(
    "error", [describe_exit(-11), describe_exit(-6), describe_exit(7), "ValueError: the worker was killed (signal 9)"]
)
def test_what_a_run_brought_upon_itself_is_not_made_again_unasked(error: str, plan: Any, tmp_path: Path) -> None:
    make(plan(), tmp_path, Failing(fails=REPLICATES, error=error))
    assert make(plan(), tmp_path, FakeExecutor()) == []


@pytest.mark.parametrize("status", ["diverged", "pruned"])
def test_results_are_not_made_again(status: Any, plan: Any, tmp_path: Path) -> None:
    run = Run("trial", "none", "none", 0, 1, 0.1, 3, "setup")
    assert not is_made_again(Record(run, status, error=KILLED), retry_failed=True)
    make(plan(), tmp_path, FakeExecutor(status={"dropout": status}))
    assert make(plan(), tmp_path, FakeExecutor(), retry_failed=True) == []


def test_a_run_that_fails_again_keeps_the_trace_of_each_attempt(plan: Any, tmp_path: Path) -> None:
    for _ in range(3):
        make(plan(), tmp_path, Failing(fails=REPLICATES))
    failed = [record for record in read(tmp_path) if record.status == "failed"]
    assert {key(record.run) for record in failed} == REPLICATES
    assert [[attempt["error"] for attempt in record.attempts] for record in failed] == [[KILLED] * 2] * 2


def test_an_interrupted_retry_goes_on_where_it_stopped(plan: Any, tmp_path: Path) -> None:
    make(plan(), tmp_path / "straight", FakeExecutor())
    make(plan(), tmp_path / "failed", Failing(fails=REPLICATES, error="ValueError: no"))
    with pytest.raises(Interrupted):
        make(plan(), tmp_path / "failed", FakeExecutor(most=1), retry_failed=True)
    assert sum(record.status == "failed" for record in read(tmp_path / "failed")) == 1  # the other one is kept
    assert len(make(plan(), tmp_path / "failed", FakeExecutor(), retry_failed=True)) == 1
    assert csv(plan(), tmp_path / "failed") == csv(plan(), tmp_path / "straight")


BAYESIAN = pytest.param("bayesian", marks=pytest.mark.slow)  # its models take time


@pytest.mark.parametrize("tuner", ["random", "grid", "hyperband", BAYESIAN])
@pytest.mark.parametrize("pruner", ["none", "median"])
def test_a_trial_that_the_search_has_gone_on_without_changes_no_other_run(
    tuner: str, pruner: str, plan: Any, tmp_path: Path
) -> None:
    """Its score is recorded; later trials, strengths and replicates stay, again and again."""
    if (tuner, pruner) == ("hyperband", "median"):
        pytest.skip("hyperband stops trials by its own rule")
    search = {"tuner": tuner, "trials": 9, "pruner": pruner}
    made = plan(search=search, recipes=["none", "dropout"], training={"epochs": 9})
    lost = {("dropout", "trial", number) for number in (0, 4)} | {("none", "trial", 2)}
    make(made, tmp_path, Failing(2, fails=lost, error="ValueError: no"))
    before = {record.run.key for record in read(tmp_path)}
    again = make(made, tmp_path, FakeExecutor(2), retry_failed=True)
    assert {key(run) for run in again} == lost
    assert {record.run.key for record in read(tmp_path)} == before
    for _ in range(2):
        assert make(made, tmp_path, FakeExecutor(2), retry_failed=True) == []


@pytest.mark.parametrize("tuner", ["random", "hyperband", BAYESIAN])
def test_a_trial_that_is_made_again_before_the_search_goes_on_changes_nothing(
    tuner: str, plan: Any, tmp_path: Path
) -> None:
    search = {"tuner": tuner, "trials": 9}
    made = plan(search=search, recipes=["none", "dropout"], training={"epochs": 9})
    make(made, tmp_path / "straight", FakeExecutor())
    with pytest.raises(Interrupted):
        make(made, tmp_path / "failed", Failing(1, most=2, fails={("none", "trial", 0)}))
    make(made, tmp_path / "failed", FakeExecutor())
    assert csv(made, tmp_path / "failed") == csv(made, tmp_path / "straight")
    assert {r.run.key for r in read(tmp_path / "failed")} == {r.run.key for r in read(tmp_path / "straight")}
    assert make(made, tmp_path / "failed", FakeExecutor()) == []


ENSEMBLES = ["none", "dropout(0.2)", "ensemble(3)", "dropout(0.2) + ensemble(2)"]


@pytest.mark.parametrize("slots", [1, 3])
@pytest.mark.parametrize("most", [np.inf, 20])
def test_an_ensemble_is_made_again_with_the_member_that_it_lacks(
    slots: int, most: float, plan: Any, tmp_path: Path
) -> None:
    """Also when the comparison was complete, so that the weights of the other members were dropped."""
    made = plan(recipes=ENSEMBLES)
    make(made, tmp_path / "straight", FakeExecutor())
    lost = {key(r.run) for r in read(tmp_path / "straight") if r.run.stage == "member" and r.run.name == "none"}
    executor = Failing(slots, most, fails=lost)
    if most < np.inf:
        with pytest.raises(Interrupted):
            make(made, tmp_path / "failed", executor)
    else:
        make(made, tmp_path / "failed", executor)
        errors = {r.error for r in read(tmp_path / "failed") if r.run.name == "ensemble(3)"}
        assert f"a member failed: {KILLED}" in errors
    make(made, tmp_path / "failed", FakeExecutor(slots))
    assert csv(made, tmp_path / "failed") == csv(made, tmp_path / "straight")
    assert not [record for record in read(tmp_path / "failed") if record.status == "failed"]
    with Ledger(tmp_path / "failed") as ledger:
        assert ledger.list_training_keys() == set()
        for name in ENSEMBLES:
            assert ledger.load_best_replicate(name)


def test_interim_analyses_are_decided_on_what_is_there_now(plan: Any, tmp_path: Path) -> None:
    made = plan(replicates="auto", recipes=["none", "dropout(0.5)"])
    make(made, tmp_path / "straight", FakeExecutor())
    with pytest.raises(Interrupted):
        make(made, tmp_path / "failed", Failing(1, most=12, fails={("none", "replicate", 3)}))
    make(made, tmp_path / "failed", FakeExecutor())
    assert csv(made, tmp_path / "failed") == csv(made, tmp_path / "straight")


def test_the_progress_counts_what_was_made_again(plan: Any, tmp_path: Path) -> None:
    with LiveProgress(Console(file=io.StringIO())) as progress:
        progress.start(plan())
        run = Run("trial", "none", "none", 0, 1, 0.1, 3, "setup")
        lost = Record(run, "failed", error=KILLED)
        progress.update(Record(run, "ok", metrics={"validation": {"nll": 0.5}}).after(lost), repeated=False)
        progress.update(replace(lost, run=replace(run, number=1)).after(lost), repeated=False)
        table = progress._table()
    shown = io.StringIO()
    Console(file=shown, width=120).print(table)
    assert "2/7 (1 failed, 2 made again)" in shown.getvalue()


def test_failures_say_how_to_make_them_again() -> None:
    run = Run("trial", "none", "none", 0, 1, 0.1, 3, "setup")
    lost = Record(run, "failed", error=KILLED)
    assert list(describe_retry([lost], Path("reports/a"), "regzoo compare a.yaml")) == [
        "to make the failed runs again: regzoo compare a.yaml --out reports/a --retry-failed"
    ]
    assert list(describe_retry([lost.after(lost)], Path("a"), "regzoo.compare(...)")) == [
        "to make the failed runs again: the same call with retry_failed=True",
        "1 run was made again after a failure",
    ]
    assert list(describe_retry([Record(run, "diverged")], Path("a"), "regzoo compare a.yaml")) == []


def test_starting_over_leaves_nothing_to_retry(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="fresh starts over"):
        runner.run_comparison(
            from_keywords(data={"source": "iris"}, backbone="mlp", recipes=["none"]),
            lambda _: pytest.fail("the data is read"),
            tmp_path / "a",
            workers=0,
            fresh=True,
            progress=SilentProgress(),
            command="regzoo compare",
            retry_failed=True,
        )
    assert list(tmp_path.iterdir()) == []
