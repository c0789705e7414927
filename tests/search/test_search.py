"""Search: every tuner proposes inside the ranges, the same ones for the same seed, and as many points as it may."""

from __future__ import annotations

import itertools
import math
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from regzoo.config.sections import TUNERS
from regzoo.core import Choice, Float, InputError, Int, Objective, parse
from regzoo.search.search import Point, make_search
from regzoo.search.space import LEARNING_RATE, RATES, Axis, make_axes, round_value

NLL = Objective("nll", "min")
RATE = Axis("dropout.rate", Float(0.0, 0.6), log=False)
STRENGTH = Axis("l2.strength", Float(1e-6, 1e-2), log=True)
PATIENCE = Axis("early_stopping.patience", Int(3, 30), log=False)
MEMBERS = Axis("ensemble.members", Choice((2, 5)), log=False)
SPACE = [Axis(LEARNING_RATE, RATES, log=True), RATE, STRENGTH, PATIENCE, MEMBERS]


def bowl(values: dict[str, float]) -> float:
    """Best at a learning rate of 0.002."""
    return abs(math.log(values[LEARNING_RATE] / 0.002))


def searched(
    tuner: str,
    space: list[Axis],
    trials: int = 8,
    epochs: int = 27,
    seed: int = 0,
    score: Callable[[dict[str, float]], float] = bowl,
    objective: Objective = NLL,
) -> list[list[Point]]:
    """The rounds of a whole search."""
    search = make_search(tuner, space, trials, epochs, objective, seed)
    rounds = []
    while points := search.ask():
        rounds.append(points)
        search.tell([score(point.values) for point in points])
    return rounds


def flat(rounds: list[list[Point]]) -> list[Point]:
    return [point for points in rounds for point in points]


@pytest.mark.parametrize("tuner", TUNERS)
def test_proposals_lie_inside_their_ranges(tuner: str) -> None:
    trials = 4 if tuner == "bayesian" else 9
    points = flat(searched(tuner, SPACE, trials))
    for point in points:
        assert set(point.values) == {axis.name for axis in SPACE}
        for axis in SPACE:
            value, ends = point.values[axis.name], axis.range.values()
            assert min(ends) <= value <= max(ends)
            if isinstance(axis.range, Choice):
                assert value in axis.range.options
            elif isinstance(axis.range, Int):
                assert type(value) is int
            else:
                assert value in (round_value(value), *ends)
    assert len({tuple(point.values.values()) for point in points}) >= trials


@pytest.mark.parametrize("tuner", TUNERS)
def test_the_same_seed_proposes_the_same(tuner: str) -> None:
    trials = 9 if tuner == "hyperband" else 4
    first, again, other = (searched(tuner, SPACE[:2], trials, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert (first == other) == (tuner == "grid")


@pytest.mark.parametrize(
    ("tuner", "trials"), [("random", 1), ("random", 8), ("grid", 1), ("grid", 8), ("bayesian", 1), ("bayesian", 4)]
)
def test_every_recipe_gets_the_same_number_of_trials(tuner: str, trials: int) -> None:
    for recipe in ("none", "dropout", "dropout + l2", "early_stopping", "ensemble(2|5)"):
        points = flat(searched(tuner, make_axes(parse(recipe), RATES), trials=trials))
        assert [point.epochs for point in points] == [27] * trials


def test_hyperband_spends_the_same_epochs_on_every_recipe() -> None:
    spent = {
        sum(point.epochs for point in flat(searched("hyperband", make_axes(parse(recipe), RATES), trials=9)))
        for recipe in ("none", "dropout + l2", "early_stopping")
    }
    assert len(spent) == 1
    assert 0 < spent.pop() <= 9 * 27


@pytest.mark.parametrize("tuner", TUNERS)
def test_what_is_announced_is_what_comes(tuner: str) -> None:
    trials = 9 if tuner == "hyperband" else 4
    announced = make_search(tuner, SPACE, trials, 27, NLL, 0).list_remaining()
    points = flat(searched(tuner, SPACE, trials))
    assert sum(count for count, _ in announced) == len(points)
    assert sum(count * epochs for count, epochs in announced) == sum(point.epochs for point in points)


def test_logarithmic_axes_are_sampled_on_their_scale() -> None:
    trials = 60
    points = flat(searched("random", [STRENGTH], trials=trials, score=lambda values: 0.0))
    logs = [math.log10(point.values["l2.strength"]) for point in points]
    below = sum(log < -4 for log in logs)
    # Half of the range in logarithms: 30 of 60 expected, sd sqrt(60/4) = 3.9, 5 sd. Linearly, 1 % would lie below.
    assert abs(below - trials / 2) < 5 * math.sqrt(trials / 4)


def test_random_draws_are_spread_over_a_linear_range() -> None:
    points = flat(searched("random", [RATE], trials=60, score=lambda values: 0.0))
    values = [point.values["dropout.rate"] for point in points]
    assert np.mean(values) == pytest.approx(0.3, abs=5 * 0.6 / math.sqrt(12 * 60))  # 5 standard errors of a uniform
    assert len(set(values)) == 60


def test_choices_and_whole_numbers_reach_every_value() -> None:
    points = flat(searched("random", [Axis("n", Int(1, 3), False), MEMBERS, RATE], 60, score=lambda values: 0.0))
    # a value of probability 1/3 is missed by 60 draws with probability (2/3)^60 < 1e-10
    assert {point.values["n"] for point in points} == {1, 2, 3}
    assert {point.values["ensemble.members"] for point in points} == {2, 5}


def test_a_small_space_ends_when_it_is_exhausted() -> None:
    for tuner in ("random", "grid", "bayesian"):
        points = flat(searched(tuner, [MEMBERS], trials=8, score=lambda values: values["ensemble.members"]))
        assert sorted(point.values["ensemble.members"] for point in points) == [2, 5]


@pytest.mark.parametrize("tuner", TUNERS)
def test_nothing_to_search_is_one_training(tuner: str) -> None:
    assert searched(tuner, [], score=lambda values: 0.0) == [[Point({}, 27)]]


@pytest.mark.slow
def test_a_bayesian_search_begins_at_random_and_then_asks_two_at_a_time() -> None:
    rounds = searched("bayesian", [RATE], trials=8, score=lambda values: 0.0)
    assert [len(points) for points in rounds] == [3, 2, 2, 1]


@pytest.mark.slow
def test_a_bayesian_search_goes_the_way_that_is_better() -> None:
    space = [Axis("x", Float(0.0, 1.0), log=False)]
    for direction, end in (("min", 0.0), ("max", 1.0)):
        objective = Objective("m", direction)  # type: ignore[arg-type]
        points = flat(searched("bayesian", space, 10, score=lambda values: values["x"], objective=objective))
        assert np.median([point.values["x"] for point in points[-4:]]) == pytest.approx(end, abs=0.1)


@pytest.mark.parametrize("tuner", TUNERS)
def test_runs_without_a_score_do_not_stop_a_search(tuner: str) -> None:
    space, trials = SPACE[:2], 9 if tuner == "hyperband" else 5
    complete = len(flat(searched(tuner, space, trials)))
    assert complete >= trials
    assert len(flat(searched(tuner, space, trials, score=lambda values: math.nan))) == complete

    def some(values: dict[str, float]) -> float:
        return math.nan if values["dropout.rate"] > 0.3 else bowl(values)

    assert len(flat(searched(tuner, space, trials, score=some))) == complete


@pytest.mark.parametrize("tuner", TUNERS)
def test_a_search_needs_no_room_on_the_disk(tuner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    search = make_search(tuner, SPACE[:1], 8, 27, NLL, seed=0)
    while points := search.ask():
        search.tell([bowl(point.values) for point in points])
        assert list(tmp_path.iterdir()) == []


def test_hyperband_runs_whole_brackets_within_its_epochs() -> None:
    # Li et al.: R = 27, eta = 3 has brackets of 27 x 1, 9 x 3, 3 x 9, 1 x 27 epochs and so on; KerasTuner rounds up
    rounds = searched("hyperband", [STRENGTH], trials=9, epochs=27, score=lambda values: values["l2.strength"])
    spent = sum(point.epochs for point in flat(rounds))
    assert spent <= 9 * 27
    epochs = [points[0].epochs for points in rounds]
    assert epochs[0] < epochs[-1] == 27
    for points, following in itertools.pairwise(rounds):
        assert len({point.epochs for point in points}) == 1
        if following[0].epochs > points[0].epochs:  # the same bracket: the best go on
            best = sorted(point.values["l2.strength"] for point in points)[: len(following)]
            assert sorted(point.values["l2.strength"] for point in following) == best


def test_hyperband_promotes_a_run_that_diverged_only_if_there_is_no_other() -> None:
    def score(values: dict[str, float]) -> float:
        return math.nan if values["l2.strength"] < 1e-4 else values["l2.strength"]

    rounds = searched("hyperband", [STRENGTH], trials=9, score=score)
    first, second = rounds[0], rounds[1]
    alive = [point for point in first if not math.isnan(score(point.values))]
    assert len(alive) >= len(second)
    assert not any(math.isnan(score(point.values)) for point in second)


def test_hyperband_says_how_many_trials_it_needs() -> None:
    with pytest.raises(InputError, match=r"hyperband over 27 epochs needs search\.trials of (\d+) or more, received 1"):
        make_search("hyperband", [STRENGTH], 1, 27, NLL, 0)
    make_search("hyperband", [STRENGTH], 9, 27, NLL, 0)


def test_all_recipes_try_the_very_same_learning_rates() -> None:
    spaces = [
        make_axes(parse(text), Float(3e-4, 1e-2)) for text in ("none", "dropout", "l2 + dropout", "ensemble(2|3)")
    ]
    searches = [make_search("random", space, 6, 10, Objective("nll", "min"), seed=0) for space in spaces]
    tried = [[point.values["learning_rate"] for point in search.ask()] for search in searches]
    assert tried == [tried[0]] * 4
    assert len(set(tried[0])) == 6
