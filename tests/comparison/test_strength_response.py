"""Strength response: the best value, its 95 % set and the values that are as good, worked by hand."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from regzoo.comparison.strength_response import (
    StrengthResponse,
    estimate_best_shares,
    find_likely_best,
    is_within_one_error,
    measure_response,
)
from regzoo.comparison.sweep import Sweep, SweptStrength
from regzoo.stats.bootstrap import compute_bootstrap_interval
from regzoo.stats.corrected_t import compute_corrected_interval
from regzoo.training.records import Record, Run

RATES = (0.0, 0.2, 0.4)


def sweep(values: Sequence[float] = RATES, neutral: float | None = 0.0) -> Sweep:
    return Sweep(
        (SweptStrength("dropout.rate", tuple(values), neutral, False),), tuple(f"dropout({v})" for v in values)
    )


def record(name: str, seed: int, score: float | None, train: float | None = None) -> Record:
    run = Run("replicate", name, name, seed, seed, 0.001, 5, "setup")
    if score is None:
        return Record(run, "diverged")
    metrics: dict[str, Any] = {"validation": {"nll": score}, "train": {"nll": score / 2 if train is None else train}}
    return Record(run, "ok", metrics)


def made(scores: Mapping[float, Sequence[float | None]]) -> list[Record]:
    """Replicates by rate; the baseline is always 1."""
    found = [record(f"dropout({rate})", seed, s) for rate, some in scores.items() for seed, s in enumerate(some, 1)]
    return found + [record("none", seed, 1.0) for seed in (1, 2)]


def respond(scores: Mapping[float, Sequence[float | None]], direction: Any = "min", **given: Any) -> StrengthResponse:
    return measure_response(sweep(**given), made(scores), "nll", direction)


def rates(points: Sequence[Any]) -> list[float]:
    return [point.values[0] for point in points]


def test_the_best_value_its_set_and_the_flat_region_by_hand() -> None:
    # Seeds 1, 2, 3. Differences from 0.4: of 0.2 they are +2, -1, +2, mean 1, sd sqrt(3), so one standard error is
    # sqrt(3) / sqrt(3) = 1: just flat. Of 0.0 they are 4, 5, 6, mean 5, sd 1, one standard error 0.577.
    found = respond({0.0: [14.0, 25.0, 36.0], 0.2: [12.0, 19.0, 32.0], 0.4: [10.0, 20.0, 30.0]})
    assert found.best is not None
    assert found.knee is not None
    assert (found.best.values, found.best.mean, found.best.sd) == ((0.4,), 20.0, 10.0)
    assert rates(found.flat) == [0.2, 0.4]
    assert found.knee.values == (0.2,)
    # 0.2 is better by 1 on seed 2 and worse by 2 on the others: its mean is the lower one only if seed 2 was drawn
    # three times, 1 of 27; drawn twice they tie (-1 - 1 + 2 = 0), 6 of 27.
    shares = {point.values[0]: point.p_best for point in found.points}
    assert shares == pytest.approx({0.0: 0.0, 0.2: (1 + 6 / 2) / 27, 0.4: (20 + 6 / 2) / 27})
    assert rates(found.candidates) == [0.2, 0.4]  # 23/27 = 0.852 is not enough
    assert found.interval == ((0.2, 0.4),)


def test_means_and_bands_are_those_of_the_parts() -> None:
    found = respond({0.0: [3.0, 5.0, 4.0], 0.2: [1.0, 2.0, 6.0], 0.4: [9.0, 9.0, 9.0]})
    point = found.points[1]
    assert (point.mean, point.low, point.high) == (3.0, *compute_bootstrap_interval([1.0, 2.0, 6.0]))
    assert (point.train_mean, point.train_low, point.train_high) == (1.5, *compute_bootstrap_interval([0.5, 1.0, 3.0]))
    assert point.sd == pytest.approx(math.sqrt(7))
    assert (point.replicates, point.lost, found.baseline.mean, found.baseline.values) == (3, 0, 1.0, ())


def test_higher_is_better_mirrors_lower_is_better() -> None:
    scores = {0.0: [14.0, 25.0, 36.0], 0.2: [12.0, 19.0, 32.0], 0.4: [10.0, 20.0, 30.0]}
    low, high = respond(scores), respond({rate: [-s for s in some] for rate, some in scores.items()}, "max")
    assert [(p.p_best, p.candidate, p.flat) for p in high.points] == [
        (p.p_best, p.candidate, p.flat) for p in low.points
    ]
    assert rates(high.flat) == [0.2, 0.4]


def test_effects_that_a_seed_has_on_all_values_do_not_blur_the_order() -> None:
    """Paired: seeds differ by 100, values by 1 on every seed, so each resample has the same order."""
    found = respond({0.0: [101.0, 201.0, 301.0], 0.2: [100.0, 200.0, 300.0], 0.4: [102.0, 202.0, 302.0]})
    assert [point.p_best for point in found.points] == [0.0, 1.0, 0.0]
    assert rates(found.flat) == rates(found.candidates) == [0.2]


def test_a_value_that_lost_a_replicate_is_reported_and_not_the_best() -> None:
    found = respond({0.0: [3.0, 3.1], 0.2: [2.0, 2.1], 0.4: [1.0, None]})
    assert found.best is not None
    assert found.best.values == (0.2,)
    lost = found.points[2]
    assert (lost.mean, lost.replicates, lost.lost, lost.flat) == (1.0, 2, 1, False)
    every = respond({0.0: [None, 3.0], 0.2: [2.0, None], 0.4: [None, None]})
    assert every.best is not None
    assert every.best.values == (0.2,)


def test_unfinished_sweeps_return_what_is_known() -> None:
    nothing = respond({})
    assert (nothing.best, nothing.knee, nothing.flat, nothing.candidates, nothing.interval) == (None, None, (), (), ())
    one = respond({0.0: [2.0], 0.2: [1.0]})
    assert one.best is not None
    assert one.best.values == (0.2,)
    assert rates(one.flat) == [0.2]  # one seed has no standard error
    assert one.candidates == ()
    assert [point.replicates for point in one.points] == [1, 1, 0]


def test_equals_go_to_the_milder_value() -> None:
    found = respond({0.0: [5.0, 6.0], 0.2: [1.0, 2.0], 0.4: [1.0, 2.0]})
    assert found.best is not None
    assert found.best.values == (0.2,)
    assert [point.p_best for point in found.points] == [0.0, 0.5, 0.5]
    limit = respond({1.0: [1.0, 2.0], 3.0: [1.0, 2.0]}, values=(1.0, 3.0), neutral=math.inf)
    assert limit.best is not None
    assert limit.best.values == (3.0,)


def test_without_a_neutral_value_there_is_no_knee() -> None:
    found = respond({0.0: [1.0, 2.0], 0.2: [1.0, 2.0], 0.4: [9.0, 9.0]}, neutral=None)
    assert found.knee is None
    assert rates(found.flat) == [0.0, 0.2]


def test_the_mildest_of_a_grid_has_the_fewest_steps() -> None:
    axes = (
        SweptStrength("dropout.rate", (0.0, 0.2), 0.0, False),
        SweptStrength("l2.strength", (0.0, 0.1, 0.2), 0.0, True),
    )
    names = tuple("abcdef")  # (0, 0) (0, 0.1) (0, 0.2) (0.2, 0) (0.2, 0.1) (0.2, 0.2)
    scores = {"a": [9.0, 9.1], "b": [5.0, 6.0], "c": [5.0, 6.0], "d": [4.9, 6.1], "e": [5.0, 6.0], "f": [4.0, 6.5]}
    records = [record(name, seed, s) for name, some in scores.items() for seed, s in enumerate(some, 1)]
    found = measure_response(Sweep(axes, names), records, "nll", "min")
    assert found.best is not None
    assert found.knee is not None
    assert found.best.values == (0.2, 0.2)
    # differences from f: 1, -0.5: mean 0.25, one standard error 0.75; all but a are flat; b and d are one step away
    assert [point.name for point in found.flat] == ["b", "c", "d", "e", "f"]
    assert found.knee.name == "b"


def test_best_shares_enumerate_few_seeds_and_draw_many() -> None:
    # a minus b is -1, 0.5 and 0.4: without the first seed b wins (8 of 27); with one of it and twice the second they
    # tie (3); else a wins: 6 + 3 with one of it, 6 with two, 1 with three
    shares = estimate_best_shares({"a": {1: 0.0, 2: 1.0, 3: 1.0}, "b": {1: 1.0, 2: 0.5, 3: 0.6}}, "min")
    assert shares == pytest.approx({"a": (16 + 3 / 2) / 27, "b": (8 + 3 / 2) / 27})
    many = {name: {seed: float((seed * step) % 7) for seed in range(20)} for name, step in (("a", 2), ("b", 3))}
    shares = estimate_best_shares(many, "min")
    assert sum(shares.values()) == pytest.approx(1.0)
    assert shares == estimate_best_shares(many, "min")  # the resamples have a fixed seed


def test_best_shares_take_common_seeds_only() -> None:
    assert estimate_best_shares({"a": {1: 0.0, 2: 5.0}, "b": {1: 1.0}}, "min") == {}
    assert estimate_best_shares({"a": {1: 0.0, 2: 0.0, 3: 9.0}, "b": {1: 1.0, 2: 1.0}}, "min") == {"a": 1.0, "b": 0.0}


def test_the_likely_best_are_the_smallest_set() -> None:
    assert find_likely_best({"a": 0.5, "b": 0.2, "c": 0.26, "d": 0.04}, "a") == {"a", "c", "b"}
    assert find_likely_best({"a": 0.02, "b": 0.98}, "a") == {"a", "b"}
    assert find_likely_best({}, "a") == set()


def test_within_one_error_needs_two_pairs() -> None:
    assert not is_within_one_error({1: 1.0}, {1: 1.0}, 1.0)
    assert is_within_one_error({1: 1.0, 2: 2.0}, {1: 1.0, 2: 2.0}, 1.0)


def test_the_dictionary_is_strict_json_and_the_frame_has_one_row_per_value() -> None:
    found = respond({0.0: [3.0, 3.1], 0.2: [2.0, 2.1]})
    values = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert (values["over"], values["best"], values["best_interval"], values["knee"]) == (
        ["dropout.rate"], [0.2], [[0.2, 0.2]], [0.2]
    )  # fmt: skip
    assert values["points"][2]["mean"] is None
    assert (values["flat"], values["candidates"], values["baseline"]["name"]) == ([[0.2]], [[0.2]], "none")
    frame = found.to_frame()
    assert list(frame["dropout.rate"]) == [0.0, 0.2, 0.4]
    assert list(frame["best"]) == list(frame["knee"]) == [False, True, False]


def test_repeated_splits_are_less_certain_by_hand() -> None:
    """Differences 2.2, -0.8, 2.2: mean 1.2, sd sqrt(3); one standard error is 1, or sqrt(3 (1 / 3 + 1 / 2)) = 1.58.

    Resampled means of 2, -1, 2 are 2, 1, 0 and -1 for 8, 12, 6 and 1 of 27 draws; spread by sqrt(1 + 3 / 2) = 1.58
    around their mean of 1, the ties at 0 become -0.58, so that the worse recipe wins 7 of 27 and not 1 + 6 / 2.
    """
    best, other = {1: 0.0, 2: 0.0, 3: 0.0}, {1: 2.2, 2: -0.8, 3: 2.2}
    assert not is_within_one_error(other, best, 1.0)
    assert is_within_one_error(other, best, 1.0, ratio=0.5)
    scores = {"best": best, "other": {1: 2.0, 2: -1.0, 3: 2.0}}
    assert estimate_best_shares(scores, "min")["other"] == pytest.approx(4 / 27)
    assert estimate_best_shares(scores, "min", ratio=0.5)["other"] == pytest.approx(7 / 27)
    records = made({0.0: [14.0, 25.0, 36.0], 0.2: [12.0, 19.0, 32.0], 0.4: [10.0, 20.0, 30.0]})
    point = measure_response(sweep(), records, "nll", "min", 0.5).points[0]
    assert (point.low, point.high) == compute_corrected_interval([14.0, 25.0, 36.0], 0.5)


def test_trainings_of_one_search_count_as_one() -> None:
    """Three searches of two trainings each: the interval is that of their three means."""
    scores = {0.0: [0.2, 0.4, 0.6, 0.8, 0.5, 0.7], 0.2: [0.5, 0.6, 0.7, 0.8, 0.9, 1.0], 0.4: [1.0] * 6}
    records = [replace(each, run=replace(each.run, search=each.run.seed % 3)) for each in made(scores)]
    found = measure_response(sweep(), records, "nll", "min")
    point = found.points[0]
    assert found.searches == 3
    assert (point.low, point.high) == pytest.approx(compute_bootstrap_interval([0.5, 0.45, 0.65], 0))
    assert point.mean == pytest.approx(3.2 / 6)
    assert measure_response(sweep(), made(scores), "nll", "min").searches == 1
