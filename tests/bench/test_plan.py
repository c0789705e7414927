"""The cases, the ways of training them, and the arithmetic that this takes."""

from __future__ import annotations

import dataclasses
import json

import pytest

from regzoo.bench.plan import (
    ALL,
    CASES,
    FIT,
    KERAS_TUNER,
    ONE,
    OWN,
    QUICK,
    STOCK,
    SUITE,
    TUNED,
    Case,
    Job,
    Way,
    choose_cases,
    make_jobs,
)
from regzoo.core import InputError


def test_operations_of_a_dense_network_by_hand() -> None:
    # 64 -> 256 -> 256 -> 10: 16,384 + 65,536 + 2,560 products, each with an addition
    assert CASES["digits"].forward_flops == 168_960
    # 784 -> 1024 -> 1024 -> 2048 -> 10: 802,816 + 1,048,576 + 2,097,152 + 20,480 products
    assert CASES["large_mlp"].forward_flops == 7_938_048


def test_operations_of_a_convolutional_network_by_hand() -> None:
    case = dataclasses.replace(CASES["convnet"], input_shape=(8, 4, 3), filters=(2, 5), widths=(7,))
    # 3 x 3 over 8 x 4 places, 3 to 2 channels: 1,728; over 4 x 2, 2 to 5: 720; 2 x 1 x 5 = 10 to 7 to 10: 70 + 70
    assert case.forward_flops == 2 * (1_728 + 720 + 70 + 70)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_case_is_a_comparison_that_regzoo_can_make(case: Case) -> None:
    experiment = case.make_experiment()
    assert len(experiment.recipes) == len(case.rates)  # nothing was added: the baseline is one of the rates
    assert isinstance(experiment.replicates, int)
    assert len(experiment.recipes) * (experiment.search.trials + experiment.replicates) == case.runs
    assert len(set(case.derive_seeds())) == case.seeds
    assert case.runs <= SUITE


def test_the_digits_suite_is_made_whole() -> None:
    assert CASES["digits"].runs == SUITE
    assert CASES["digits"].epochs >= 50


@pytest.mark.parametrize("way", STOCK, ids=lambda way: way.name)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_sample_has_different_rates_from_the_largest_rate_to_the_baseline(case: Case, way: Way) -> None:
    job = next(job for one, job in make_jobs(case, 2) if one is way)
    rates = [rate for rate, _ in job.sample_runs()]
    assert 2 <= job.runs == len(set(rates)) <= len(case.rates)
    assert rates[0] == max(case.rates)
    assert rates[-1] == 0.0
    assert {seed for _, seed in job.sample_runs()} <= set(case.derive_seeds())


def test_a_case_survives_json() -> None:
    case = CASES["convnet"]
    assert Case.from_dict(json.loads(json.dumps(dataclasses.asdict(case)))) == case


@pytest.mark.parametrize(("cores", "workers"), [(1, [1]), (2, [1, 2]), (4, [1, 4]), (64, [1, 33])])
def test_all_workers_are_the_cores_as_long_as_each_has_three_runs(cores: int, workers: list[int]) -> None:
    jobs = make_jobs(CASES["digits"], cores)
    assert [way for way, _ in jobs] == [KERAS_TUNER, FIT, TUNED, ONE, OWN, ALL][: 4 + len(workers)]
    assert [job.workers for _, job in jobs[3:]] == [1, *workers]
    assert all(job.runs == SUITE for _, job in jobs[3:])


def test_cases_are_chosen_by_name() -> None:
    assert choose_cases([], quick=False) == list(CASES.values())
    assert [case.name for case in choose_cases([], quick=True)] == list(QUICK)
    assert choose_cases(["convnet", "digits", "convnet"], quick=False) == [CASES["convnet"], CASES["digits"]]
    with pytest.raises(InputError, match=r"--case: there is no case 'digit'\. Did you mean 'digits'\?"):
        choose_cases(["digit"], quick=False)


def test_a_quick_case_is_the_same_network_for_fewer_epochs() -> None:
    quick, whole = choose_cases(["digits"], quick=True)[0], CASES["digits"]
    assert quick.forward_flops == whole.forward_flops
    assert quick.epochs * 5 == whole.epochs
    assert Job(quick, "fit", quick.sampled["fit"]).sample_runs()[-1][0] == 0.0
