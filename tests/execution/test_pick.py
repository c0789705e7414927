"""Which run a process pool starts next, and what it costs to find it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from regzoo import core
from regzoo.core import Recipe
from regzoo.execution.pool_worker import PoolWorker
from regzoo.execution.process_pool import ProcessPool, _make_program_key
from regzoo.training.records import Run, list_members

NO_PROCESS: Any = None


def run(recipe: str, number: int = 0) -> Run:
    """Return a replicate of ``recipe``."""
    return Run("replicate", recipe, recipe, number, 5 + number, 0.01, 3, "setup")


def worker(traced: str, **given: Any) -> PoolWorker:
    """Return a worker that has traced the program of the recipe ``traced``."""
    return PoolWorker(None, NO_PROCESS, ready=True, programs={_make_program_key(run(traced))}, **given)


def test_a_worker_prefers_what_it_has_traced_then_what_no_worker_has_traced() -> None:
    executor = ProcessPool(2)
    busy, starting, idle = worker("dropout(0.5)", run=run("none")), PoolWorker(None, NO_PROCESS), worker("l2(0.1)")
    executor._workers = [busy, starting, idle]
    dropouts, l2s, noises = run("dropout(0.1)"), run("l2(0.2)"), run("gaussian_noise(0.1)")
    assert executor.pick([dropouts, noises, l2s]) == l2s
    assert executor.pick([dropouts, noises]) == noises
    assert executor.pick([dropouts]) == dropouts
    assert executor.pick([dropouts, replace(l2s, fold=1), l2s]) == l2s  # another fold may have other columns


def test_folds_of_equal_inputs_and_task_share_what_is_traced() -> None:
    executor = ProcessPool(1)
    executor._workers, executor._equal_folds = [worker("l2(0.1)")], (0, 0, 2)
    l2s, noises = run("l2(0.2)"), run("gaussian_noise(0.1)")
    assert executor.pick([noises, replace(l2s, fold=1)]) == replace(l2s, fold=1)
    assert executor.pick([noises, replace(l2s, fold=2)]) == noises


def test_picking_among_200_waiting_runs_parses_no_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recipes are parsed when runs are scheduled; what determines a run's program is computed once."""
    waiting = [run(f"dropout({0.1 + number / 1000:.3f}) + l2(0.{number + 1:03})", number) for number in range(200)]
    assert all(list_members(one) == [one] for one in waiting)  # as the scheduler does for every run
    executor = ProcessPool(1)
    executor._workers = [worker("none")]
    parsed: list[str] = []
    structures: list[Recipe] = []
    compute = Recipe.structure

    def parse(text: str) -> Recipe:
        parsed.append(text)
        return core.parse(text)

    def structure(recipe: Recipe) -> tuple[Any, ...]:
        structures.append(recipe)
        return compute(recipe)

    monkeypatch.setattr("regzoo.training.records.parse", parse)
    monkeypatch.setattr(Recipe, "structure", structure)
    structures.clear()
    for count in range(200, 0, -1):
        assert executor.pick(waiting[:count]) == waiting[0]
    assert parsed == []
    assert len(structures) <= 200
    assert run("dropout(0.9)").recipe == core.parse("dropout(0.9)")
    assert parsed == ["dropout(0.9)"]  # so a parse would have been counted
