"""Several searches for each recipe: random numbers, confirmations, replicates, and what is resumed and exported."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest

from regzoo.comparison.best_search import find_best_search
from regzoo.comparison.plan import Plan, make_plan
from regzoo.comparison.runner import require_same_searches
from regzoo.config import from_keywords
from regzoo.core import InputError
from regzoo.data.preprocess import prepare_fold
from regzoo.data.sources import from_arrays
from regzoo.storage.ledger import Ledger
from regzoo.training.records import Record, Run
from tests.comparison.test_coverage import info
from tests.comparison.test_procedure import FakeExecutor, Interrupted, leaderboard_csv, run_plan

RECIPES = ["none", "dropout", "dropout + l2", "ensemble(2)"]
SEARCHES, TRIALS, CONFIRMED, REPLICATES = 3, 4, 2, 7
PER_RECIPE = SEARCHES * (TRIALS + CONFIRMED) + REPLICATES


@pytest.fixture
def plan(rows: tuple[np.ndarray, np.ndarray]) -> Any:
    """A function that makes a plan of three searches; its keywords are those of a config."""

    def make(**given: Any) -> Plan:
        search = {"trials": TRIALS, "repeats": SEARCHES, "confirm": CONFIRMED} | given.pop("search", {})
        keywords = {"backbone": "mlp([8])", "recipes": RECIPES, "search": search, "replicates": REPLICATES, **given}
        experiment = from_keywords(**keywords)
        return make_plan(experiment, prepare_fold(from_arrays(*rows), experiment.split, experiment.seed))

    return make


@pytest.fixture
def made(plan: Any, tmp_path: Path) -> list[Record]:
    run_plan(plan(), tmp_path, FakeExecutor())
    return read(tmp_path)


def read(folder: Path) -> list[Record]:
    with Ledger(folder) as ledger:
        return [record for record in ledger.records() if record.run.stage != "member"]


def select(records: list[Record], stage: str, **where: Any) -> list[Run]:
    runs = [record.run for record in records if record.run.stage == stage]
    runs = [run for run in runs if all(getattr(run, key) == value for key, value in where.items())]
    return sorted(runs, key=lambda run: (run.search if stage != "replicate" else 0, run.number))


class Losing(FakeExecutor):
    """An executor in which the replicates of one recipe at one setting diverge."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__()
        self.name, self.text = name, text

    def collect(self) -> list[tuple[Record, Any]]:
        [(record, weights)] = super().collect()
        run = record.run
        if (run.stage, run.name, run.recipe_text) == ("replicate", self.name, self.text):
            return [(replace(record, status="diverged"), weights)]
        return [(record, weights)]


def setting(run: Run) -> tuple[str, float]:
    return run.recipe_text, run.learning_rate


def test_every_search_has_its_own_points_and_seed_which_all_recipes_share(made: list[Record]) -> None:
    rates, seeds = {}, {}
    for name in RECIPES:
        trials = select(made, "trial", name=name)
        assert [(run.search, run.number) for run in trials] == list(itertools.product(range(SEARCHES), range(TRIALS)))
        rates[name] = tuple(run.learning_rate for run in trials)
        seeds[name] = tuple(run.seed for run in trials)
    assert len(set(rates.values())) == len(set(seeds.values())) == 1
    assert len(set(rates["none"])) == SEARCHES * TRIALS
    assert len(set(seeds["none"])) == SEARCHES
    dropout = [run.recipe.regularizers[0].rate for run in select(made, "trial", name="dropout")]  # type: ignore[attr-defined]
    joined = [run.recipe.regularizers[0].rate for run in select(made, "trial", name="dropout + l2")]  # type: ignore[attr-defined]
    assert dropout == joined


def test_the_best_trials_of_each_search_are_run_again_once_on_one_fresh_seed(made: list[Record]) -> None:
    taken = {record.run.seed for record in made if record.run.stage != "confirmation"}
    seeds = set()
    for name, search in itertools.product(RECIPES, range(SEARCHES)):
        trials = [r for r in made if r.run.stage == "trial" and (r.run.name, r.run.search) == (name, search)]
        best = sorted(trials, key=lambda record: record.score("nll"))[:CONFIRMED]
        again = select(made, "confirmation", name=name, search=search)
        assert [setting(run) for run in again] == [setting(record.run) for record in best]
        seeds |= {(search, run.seed) for run in again}
    assert len(seeds) == SEARCHES  # recipes are paired, searches are not
    assert not taken & {seed for _, seed in seeds}


def test_replicates_take_turns_with_what_the_searches_chose(made: list[Record]) -> None:
    for name in RECIPES:
        chosen = []
        for search in range(SEARCHES):
            scores: dict[tuple[str, float], list[float]] = {}
            for record in made:
                if (record.run.name, record.run.search) == (name, search) and record.run.stage != "replicate":
                    scores.setdefault(setting(record.run), []).append(record.score("nll"))
            chosen.append(min((key for key in scores if len(scores[key]) > 1), key=lambda key: fmean(scores[key])))
        replicates = select(made, "replicate", name=name)
        assert [(run.number, run.search) for run in replicates] == [(i, i % SEARCHES) for i in range(REPLICATES)]
        assert [setting(run) for run in replicates] == [chosen[i % SEARCHES] for i in range(REPLICATES)]
        assert len({run.seed for run in replicates}) == REPLICATES
    assert len({tuple(run.seed for run in select(made, "replicate", name=name)) for name in RECIPES}) == 1


def test_the_model_that_is_kept_is_of_the_best_choice(made: list[Record], tmp_path: Path) -> None:
    for name in RECIPES:
        scores: dict[tuple[str, float], list[float]] = {}
        for record in made:
            if record.run.name == name and record.run.stage != "replicate":
                scores.setdefault(setting(record.run), []).append(record.score("nll"))
        best = min((key for key in scores if len(scores[key]) > 1), key=lambda key: fmean(scores[key]))
        own = [r for r in made if r.run.stage == "replicate" and r.run.name == name and setting(r.run) == best]
        with Ledger(tmp_path) as ledger:
            kept, _ = ledger.load_best_replicate(name)
        assert kept == min(own, key=lambda record: record.score("nll"))


def test_a_recipe_has_a_model_though_the_replicates_of_its_best_search_are_lost(plan: Any, tmp_path: Path) -> None:
    """The model is then of the next best search, the one that the leaderboard shows."""
    made = plan(recipes=["none", "dropout"])
    run_plan(made, tmp_path / "all", FakeExecutor())
    first = find_best_search(read(tmp_path / "all"), "dropout", "nll")
    assert first is not None
    run_plan(made, tmp_path, Losing("dropout", first.recipe_text))
    found = read(tmp_path)
    best = find_best_search(found, "dropout", "nll")
    assert best is not None
    assert best.search != first.search
    with Ledger(tmp_path) as ledger:
        kept, _ = ledger.load_best_replicate("dropout")
    own = [r for r in found if r.run.stage == "replicate" and r.run.name == "dropout" and r.run.search == best.search]
    assert kept == min(own, key=lambda record: record.score("nll"))
    [text] = {record.run.recipe_text for record in own}
    assert text == best.recipe_text
    assert text in leaderboard_csv(made, tmp_path)


@pytest.mark.parametrize(
    "tuner",
    [
        "latin_hypercube",
        *(pytest.param(t, marks=pytest.mark.slow) for t in ("random", "grid", "bayesian", "hyperband")),
    ],
)
def test_any_order_and_any_interruption_give_the_same_runs(tuner: str, plan: Any, tmp_path: Path) -> None:
    search = {"tuner": tuner, "trials": 9 if tuner == "hyperband" else TRIALS}
    made = plan(search=search, recipes=["none", "dropout"], training={"epochs": 9})
    for slots in (1, 4):
        run_plan(made, tmp_path / str(slots), FakeExecutor(slots))
    assert leaderboard_csv(made, tmp_path / "1") == leaderboard_csv(made, tmp_path / "4")
    expected = {record.run.key for record in read(tmp_path / "1")}
    assert {record.run.key for record in read(tmp_path / "4")} == expected
    for most in range(1, len(expected), 9):
        folder = tmp_path / f"cut{most}"
        with pytest.raises(Interrupted):
            run_plan(made, folder, FakeExecutor(3, most=most))
        run_plan(made, folder, FakeExecutor(2))
        assert {record.run.key for record in read(folder)} == expected
        assert leaderboard_csv(made, folder) == leaderboard_csv(made, tmp_path / "1")


def test_the_seed_of_the_search_changes_the_searches_alone(plan: Any, tmp_path: Path) -> None:
    runs = {}
    for seed in (0, 1):
        run_plan(plan(search={"seed": seed}), tmp_path / str(seed), FakeExecutor())
        runs[seed] = read(tmp_path / str(seed))
    for stage in ("trial", "confirmation"):
        before, after = (select(runs[seed], stage) for seed in (0, 1))
        assert not {run.seed for run in before} & {run.seed for run in after}
        assert not {run.learning_rate for run in before} & {run.learning_rate for run in after}
    before, after = (select(runs[seed], "replicate") for seed in (0, 1))
    assert sorted((r.name, r.number, r.seed) for r in before) == sorted((r.name, r.number, r.seed) for r in after)


def test_one_search_without_confirmation_is_what_varying_the_seed_alone_makes(plan: Any, tmp_path: Path) -> None:
    alone = plan(vary=["seed"], search={"repeats": 1, "confirm": 0, "tuner": "random"})
    both = plan(search={"repeats": 1, "confirm": 0, "tuner": "random"})
    for name, each in (("alone", alone), ("both", both)):
        run_plan(each, tmp_path / name, FakeExecutor())
    assert read(tmp_path / "alone") == read(tmp_path / "both")


def test_searches_are_as_many_as_are_measured_and_one_where_nothing_is_searched(plan: Any, tmp_path: Path) -> None:
    assert plan(replicates=2).searches == 2
    assert plan(replicates="auto", search={"repeats": 9}).searches == 5
    fixed = plan(training={"learning_rate": 0.01}, recipes=["none", "l2(0.1)"])
    assert (fixed.searches, [recipe.searched for recipe in fixed.recipes]) == (1, [1, 1])
    mixed = plan(training={"learning_rate": 0.01}, recipes=["none", "dropout"])
    assert [recipe.searched for recipe in mixed.recipes] == [1, SEARCHES * (TRIALS + CONFIRMED)]
    assert mixed.runs == 1 + SEARCHES * (TRIALS + CONFIRMED) + 2 * REPLICATES
    executor = FakeExecutor()
    run_plan(mixed, tmp_path, executor)
    assert len(executor.made) == mixed.runs
    assert [run.search for run in select(read(tmp_path), "replicate", name="none")] == [
        i % 3 for i in range(REPLICATES)
    ]


def test_the_plan_counts_every_run(plan: Any, tmp_path: Path) -> None:
    made = plan(recipes=["none", "dropout"])
    assert made.runs == 2 * PER_RECIPE
    assert made.model_epochs == 2 * PER_RECIPE * made.epochs
    executor = FakeExecutor()
    run_plan(made, tmp_path, executor)
    assert len(executor.made) == made.runs


def test_a_choice_of_two_has_two_trials_in_each_search(plan: Any, tmp_path: Path) -> None:
    made = plan(training={"learning_rate": 0.01}, recipes=["none", "dropout(0.2|0.5)"])
    run_plan(made, tmp_path, FakeExecutor())
    trials = select(read(tmp_path), "trial", name="dropout(0.2|0.5)")
    assert [sum(run.search == number for run in trials) for number in range(SEARCHES)] == [2] * SEARCHES
    assert len({run.key for run in trials}) == 2 * SEARCHES


def test_a_time_limit_is_spread_over_the_searches(plan: Any, tmp_path: Path) -> None:
    run_plan(plan(budget="0.000001s", recipes=["none", "dropout"]), tmp_path, FakeExecutor())
    found = read(tmp_path)
    for name in ("none", "dropout"):
        assert [run.search for run in select(found, "trial", name=name)] == list(range(SEARCHES))
        assert [run.search for run in select(found, "replicate", name=name)] == list(range(SEARCHES))
    assert select(found, "confirmation") == []
    run_plan(plan(budget="10h", recipes=["none", "dropout"]), tmp_path / "long", FakeExecutor())
    assert len(read(tmp_path / "long")) == 2 * PER_RECIPE


@pytest.mark.parametrize("status", ["failed", "diverged"])
def test_a_recipe_of_which_every_run_fails_goes_on(status: Any, plan: Any, tmp_path: Path) -> None:
    run_plan(plan(), tmp_path, FakeExecutor(status={"dropout": status}))
    found = [record for record in read(tmp_path) if record.run.name == "dropout"]
    assert {record.status for record in found} == {status}
    assert math.isnan(found[0].score("nll"))
    assert len(select(found, "replicate")) == REPLICATES


def test_repeats_without_the_search_in_vary_is_refused(plan: Any) -> None:
    with pytest.raises(InputError, match=r"search: repeats: 3 searches go with search in vary"):
        plan(vary=["seed"])


def test_replicates_that_would_change_their_search_are_refused(plan: Any, tmp_path: Path) -> None:
    """With a recipe to search, three searches take turns; the replicates made so far were all of one."""
    fixed = {"training": {"learning_rate": 0.01}, "recipes": ["none", "l2(0.1)"]}
    run_plan(plan(**fixed), tmp_path, FakeExecutor())
    grown = plan(**fixed | {"recipes": ["none", "l2(0.1)", "dropout"]})
    with Ledger(tmp_path) as ledger:
        ledger.set_recipe_names(["none", "l2(0.1)"])
        ledger.set_comparison_info(info(searches=1))
        with pytest.raises(
            InputError, match="among 1 search of each recipe, and would be among 3 searches with dropout"
        ):
            require_same_searches(ledger, grown)
        require_same_searches(ledger, plan(**fixed))


def test_more_replicates_may_have_more_searches(plan: Any, tmp_path: Path) -> None:
    run_plan(plan(replicates=2), tmp_path, FakeExecutor())
    with Ledger(tmp_path) as ledger:
        ledger.set_comparison_info(info(searches=2))
        require_same_searches(ledger, plan(replicates=7))
