"""Oracle: KerasTuner, asked for points and told their scores. What a search needs of it is here and nowhere else."""

from __future__ import annotations

import contextlib
import io
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from regzoo.core import Choice, Int, Objective
from regzoo.core.seeds import derive
from regzoo.search.space import Axis, round_value

if TYPE_CHECKING:
    import keras_tuner


class Oracle:
    """A KerasTuner oracle: quiet, without files, its seed never 0 (which it takes for none).

    Args:
        kind: which one; ``options`` are those that it alone has.
        space: what it proposes values for.
        objective: what it is told, and which direction is better.
        seed: of its proposals.
        options: as KerasTuner names them.
    """

    def __init__(
        self,
        kind: Literal["RandomSearch", "BayesianOptimization", "Hyperband"],
        space: Sequence[Axis],
        objective: Objective,
        seed: int,
        options: Mapping[str, int],
    ) -> None:
        with silenced():
            import keras_tuner

            parameters = keras_tuner.HyperParameters()
            for axis in space:
                declare(parameters, axis)
            self._oracle = getattr(keras_tuner.oracles, f"{kind}Oracle")(
                objective=keras_tuner.Objective(objective.metric, objective.direction),
                hyperparameters=parameters,
                allow_new_entries=False,
                tune_new_entries=False,
                seed=derive(seed, "oracle") + 1,
                max_consecutive_failed_trials=10**9,
                **options,
            )
            self._oracle.verbose = 0
            self._oracle.save = self._oracle._save_trial = _kept_in_the_ledger
        self._space = list(space)
        self._metric = objective.metric
        self._asked = 0

    def next(self) -> Any:
        """The next trial, or None if it has none now."""
        self._asked += 1
        with silenced():
            trial = self._oracle.create_trial(f"asker-{self._asked}")
        return trial if trial.status == "RUNNING" else None

    def values(self, trial: Any) -> dict[str, float]:
        """A trial's proposal, as the recipe's own numbers."""
        given = trial.hyperparameters.values
        return {axis.name: _own_number(axis, given[axis.name]) for axis in self._space}

    def end(self, trial: Any, score: float) -> None:
        """Tell a trial's score; NaN for one that has none."""
        with silenced():
            if math.isfinite(score):
                self._oracle.update_trial(trial.trial_id, {self._metric: score})
                trial.status = "COMPLETED"
            else:
                trial.status = "INVALID"
            self._oracle.end_trial(trial)

    def brackets(self) -> list[list[tuple[int, int]]]:
        """Hyperband's brackets in the order in which it runs them; each one's rungs as (trainings, epochs)."""
        sizes, epochs = self._oracle._get_size, self._oracle._get_epochs
        numbers = reversed(range(self._oracle._get_num_brackets()))
        return [[(sizes(number, rung), epochs(number, rung)) for rung in range(number + 1)] for number in numbers]


def _kept_in_the_ledger(*_: Any) -> None:
    """What an oracle would write after each trial; a search that is resumed is replayed from the ledger."""


def _own_number(axis: Axis, value: float) -> float:
    if isinstance(axis.range, Choice):
        return value
    if isinstance(axis.range, Int):
        return int(value)
    low, high = axis.range.values()
    return min(max(round_value(value), low), high)


def declare(parameters: keras_tuner.HyperParameters, axis: Axis) -> Any:
    """Declare ``axis`` in a KerasTuner space and return the value that the space holds for it."""
    sampling = "log" if axis.log else "linear"
    if isinstance(axis.range, Choice):
        return parameters.Choice(axis.name, list(axis.range.options))
    low, high = axis.range.values()
    if isinstance(axis.range, Int):
        return parameters.Int(axis.name, int(low), int(high))
    return parameters.Float(axis.name, low, high, sampling=sampling)


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """KerasTuner prints, and scikit-learn warns of its Gaussian process's fit; neither is for the user."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
