"""Ways of training: all train the same network for the same steps."""

from __future__ import annotations

import dataclasses
import math

import pytest

from regzoo.bench.measurement import Measurement
from regzoo.bench.plan import CASES, FIT, KERAS_TUNER, ONE, OWN, TUNED, Case, Job
from regzoo.bench.worker import find_runner

MLP = dataclasses.replace(CASES["digits"], rows=60, widths=(6, 5), epochs=2, batch_size=16, rates=(0.5, 0.0), seeds=3)
CNN = dataclasses.replace(MLP, filters=(3, 2), widths=(7,), epochs=1)
IGNORED = "ignore::DeprecationWarning:keras_tuner"


def train(case: Case, way: str, runs: int = 2) -> Measurement:
    """Train in this process."""
    return find_runner(way)(Job(case, way, runs, workers=0))


@pytest.fixture(scope="module")
def regzoo(tensorflow: None) -> Measurement:
    return train(MLP, ONE.name)


def test_regzoo_makes_every_run_of_the_case(regzoo: Measurement) -> None:
    assert len(regzoo.finished) == len(regzoo.fit_seconds) == MLP.runs == 6
    assert list(regzoo.finished) == sorted(regzoo.finished)
    assert min(regzoo.fit_seconds) > 0.0
    assert min(regzoo.measure_seconds) > 0.0
    # 36 rows in batches of 16 are 3 steps an epoch
    assert (regzoo.train_rows, regzoo.epochs, regzoo.steps) == (36, 2, 6)
    assert regzoo.weights == ((5,), (5, 10), (6,), (6, 5), (10,), (64, 6))
    assert regzoo.peak_memory_mb is None or regzoo.peak_memory_mb > 100.0  # TensorFlow alone takes more


@pytest.mark.filterwarnings(IGNORED)
@pytest.mark.parametrize("way", [pytest.param(KERAS_TUNER.name, marks=pytest.mark.slow), FIT.name, TUNED.name])
@pytest.mark.slow
def test_ways_of_keras_do_the_same_work(way: str, regzoo: Measurement) -> None:
    found = train(MLP, way)
    assert found.work == regzoo.work
    assert len(found.finished) == 2
    assert found.fit_seconds == ()


@pytest.mark.slow
@pytest.mark.filterwarnings(IGNORED)
def test_so_do_the_ways_of_a_convolutional_network(tensorflow: None) -> None:
    works = [train(CNN, way, 1).work for way in (ONE.name, OWN.name, FIT.name, TUNED.name)]
    assert works[0] == works[1] == works[2] == works[3]
    assert [3, 3, 1, 3] in works[0]["weights"]


def test_operations_are_those_of_the_kernels(regzoo: Measurement) -> None:
    kernels = [shape for shape in regzoo.weights if len(shape) == 2]
    assert MLP.forward_flops == sum(2 * math.prod(shape) for shape in kernels)


@pytest.mark.slow
def test_regzoo_trains_the_seeds_that_the_others_are_given(tensorflow: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from regzoo.bench.regzoo_runner import RunTimer

    timer = RunTimer()
    monkeypatch.setattr("regzoo.bench.regzoo_runner.RunTimer", lambda: timer)
    train(MLP, ONE.name)
    runs = {(record.run.recipe_text, record.run.seed) for record in timer.records}
    assert runs == {(recipe, seed) for recipe in ("none", "dropout(0.5)") for seed in MLP.derive_seeds()}


def test_a_run_that_fails_is_no_measurement(tensorflow: None) -> None:
    from regzoo.core import EnvironmentFailure

    with pytest.raises(EnvironmentFailure, match=r"a run diverged: .*not finite"):
        train(dataclasses.replace(MLP, learning_rate=1e30), ONE.name)
