"""Plan the benchmark: the cases, the ways of training them, and the arithmetic that this takes."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from regzoo.config import Experiment, from_keywords
from regzoo.core import InputError, did_you_mean
from regzoo.core.seeds import derive

SUITE = 100
"""Number of runs in a suite; if fewer are measured, the time of the others is extrapolated."""

PASSES = 3
"""Forward passes that a training step costs: one forward, one each for the gradients of inputs and of weights."""


@dataclass(frozen=True)
class Case:
    """One network on one data set: every dropout rate is trained with every seed.

    Attributes:
        name: name that ``--case`` takes.
        title: name in the table.
        data: ``digits`` or ``fashion_mnist``.
        rows: number of rows, taken from the start; 60 % train, 20 % validate, 20 % test.
        input_shape: (height, width, channels).
        filters: filters of each 3 x 3 convolution, which is followed by 2 x 2 pooling; empty for an MLP.
        widths: units of the dense layers after the convolutions.
        epochs: epochs of a run.
        batch_size: rows per step.
        rates: dropout rates, the largest first; 0 is the baseline and comes last.
        seeds: number of seeds, at least 3.
        sampled: number of runs that each of the slow ways makes, by the way's name.
        classes: number of classes.
        learning_rate: learning rate of Adam.
    """

    name: str
    title: str
    data: str
    rows: int
    input_shape: tuple[int, int, int]
    filters: tuple[int, ...]
    widths: tuple[int, ...]
    epochs: int
    batch_size: int
    rates: tuple[float, ...]
    seeds: int
    sampled: Mapping[str, int]
    classes: int = 10
    learning_rate: float = 1e-3

    @property
    def runs(self) -> int:
        """Number of runs: rates times seeds."""
        return len(self.rates) * self.seeds

    @property
    def forward_flops(self) -> int:
        """Floating-point operations of one example's forward pass; a multiplication and an addition count as two.

        Biases, nonlinearities, pooling and dropout are not counted.

        >>> CASES["digits"].forward_flops == 2 * (64 * 256 + 256 * 256 + 256 * 10)
        True
        """
        height, width, channels = self.input_shape
        flops = 0
        for count in self.filters:
            flops += 2 * 9 * channels * count * height * width
            height, width, channels = height // 2, width // 2, count
        units = [height * width * channels, *self.widths, self.classes]
        return flops + sum(2 * a * b for a, b in itertools.pairwise(units))

    def make_experiment(self) -> Experiment:
        """Return the case as a config: each rate has one trial, and a replicate for each further seed."""
        layers = ", ".join(map(str, self.filters or self.widths))
        return from_keywords(
            name=self.name,
            backbone=f"cnn([{layers}], dense={self.widths[0]})" if self.filters else f"mlp([{layers}])",
            recipes=[f"dropout({rate})" if rate else "none" for rate in self.rates],
            training={"epochs": self.epochs, "batch_size": self.batch_size, "learning_rate": self.learning_rate},
            search={"trials": 1},
            replicates=self.seeds - 1,
        )

    def derive_seeds(self) -> list[int]:
        """Return the seeds of one rate's runs, as `regzoo compare` derives them: the trial's, then the replicates'."""
        seed = self.make_experiment().seed
        return [derive(seed, "trial"), *(derive(seed, "replicate", number) for number in range(self.seeds - 1))]

    @staticmethod
    def from_dict(fields: Mapping[str, Any]) -> Case:
        """Read what ``dataclasses.asdict`` returned, also after a round trip through JSON."""
        lists = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
        return Case(**{**fields, **lists})


@dataclass(frozen=True)
class Way:
    """A way of training a suite.

    Attributes:
        name: name in the JSON file.
        title: name in the table.
    """

    name: str
    title: str


KERAS_TUNER = Way("keras_tuner", "KerasTuner with fit")
FIT = Way("fit", "fit on arrays")
TUNED = Way("tuned", "fit, tuned")
ONE = Way("regzoo_1", "regzoo, 1 worker")
OWN = Way("regzoo_own", "regzoo, own model")
ALL = Way("regzoo_all", "regzoo, all workers")
STOCK = (KERAS_TUNER, FIT, TUNED)
"""The ways without regzoo."""


@dataclass(frozen=True)
class Job:
    """The runs of one case that one process measures.

    Attributes:
        case: the case to train.
        way: name of the way of training.
        runs: number of runs to make.
        workers: number of processes that train; with 0, regzoo trains in the process itself, as Keras's ways do.
    """

    case: Case
    way: str
    runs: int
    workers: int = 1

    def sample_runs(self) -> list[tuple[float, int]]:
        """Return the rate and the seed of each run of a sample, spread evenly over the rates, the baseline last.

        >>> [rate for rate, _ in Job(CASES["digits"], "fit", 4).sample_runs()]
        [0.7, 0.5, 0.2, 0.0]
        """
        case, last = self.case, len(self.case.rates) - 1
        rates = [case.rates[round(run * last / max(self.runs - 1, 1))] for run in range(self.runs)]
        seeds = case.derive_seeds()
        return [(rate, seeds[run % case.seeds]) for run, rate in enumerate(rates)]


def make_jobs(case: Case, cores: int) -> list[tuple[Way, Job]]:
    """Return a job for every way, the slowest first; on a single core there is no "all workers"."""
    stock = [(way, Job(case, way.name, case.sampled[way.name])) for way in STOCK]
    workers = min(cores, case.runs // 3)  # with more, too few results would be left to time
    several = [(ALL, Job(case, ALL.name, case.runs, workers))] if workers > 1 else []
    single = [(way, Job(case, way.name, case.runs)) for way in (ONE, OWN)]
    return [*stock, *single, *several]


def choose_cases(names: Sequence[str], quick: bool) -> list[Case]:
    """Return the cases with these names, or all; ``quick`` ones are shortened, and by default only two.

    Raises:
        InputError: if there is no such case.
    """
    for name in names:
        if name not in CASES:
            raise InputError(f"--case: there is no case {name!r}.{did_you_mean(name, CASES)}")
    wanted = names or (QUICK if quick else CASES)
    return [_shorten(CASES[name]) if quick else CASES[name] for name in dict.fromkeys(wanted)]


def _shorten(case: Case) -> Case:
    """Return the case with a fifth of the epochs, three seeds and at most three sampled runs."""
    sampled = {way: min(runs, 3) for way, runs in case.sampled.items()}
    return dataclasses.replace(case, epochs=max(1, case.epochs // 5), seeds=3, sampled=sampled)


_DIGITS = Case(
    name="digits",
    title="digits, MLP 64-256-256-10, batch 32",
    data="digits",
    rows=1797,
    input_shape=(8, 8, 1),
    filters=(),
    widths=(256, 256),
    epochs=50,
    batch_size=32,
    rates=(0.7, 0.65, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.0),
    seeds=10,
    sampled={KERAS_TUNER.name: 3, FIT.name: 3, TUNED.name: 3},
)
_FASHION_MLP = Case(
    name="fashion_mlp",
    title="Fashion-MNIST, MLP 784-256-256-10, batch 32",
    data="fashion_mnist",
    rows=3200,
    input_shape=(28, 28, 1),
    filters=(),
    widths=(256, 256),
    epochs=8,
    batch_size=32,
    rates=(0.6, 0.4, 0.2, 0.0),
    seeds=5,
    sampled={KERAS_TUNER.name: 3, FIT.name: 3, TUNED.name: 3},
)
_CONVNET = dataclasses.replace(
    _FASHION_MLP,
    name="convnet",
    title="Fashion-MNIST, convnet 32-64-128, batch 128",
    rows=2000,
    filters=(32, 64),
    widths=(128,),
    epochs=4,
    batch_size=128,
    rates=(0.5, 0.25, 0.0),
    seeds=3,
)
_LARGE_MLP = dataclasses.replace(
    _CONVNET,
    name="large_mlp",
    title="Fashion-MNIST, MLP 784-1024-1024-2048-10, batch 128",
    filters=(),
    widths=(1024, 1024, 2048),
    epochs=5,
)

CASES = {case.name: case for case in (_DIGITS, _FASHION_MLP, _CONVNET, _LARGE_MLP)}
"""Every case, by name."""

QUICK = (_DIGITS.name, _CONVNET.name)
"""Names of the cases that ``--quick`` measures by default."""
