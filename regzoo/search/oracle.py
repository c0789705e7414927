"""KerasTuner's oracles behind an ask-and-tell interface; the only file of a search that imports KerasTuner."""

from __future__ import annotations

import contextlib
import io
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from regzoo.core import Choice, Int, Objective
from regzoo.core.seeds import derive
from regzoo.search.space import Axis, round_complement, round_value

if TYPE_CHECKING:
    import keras_tuner


class Oracle:
    """A KerasTuner oracle that prints nothing and writes no files; its seed is never 0, which KerasTuner takes as none.

    Args:
        kind: name of the oracle without ``Oracle``.
        space: the axes that it proposes values for.
        objective: metric and direction of the scores.
        seed: seed of its proposals.
        options: further arguments of this oracle, as KerasTuner names them.
    """

    def __init__(
        self,
        kind: Literal["RandomSearch", "BayesianOptimization", "Hyperband"],
        space: Sequence[Axis],
        objective: Objective,
        seed: int,
        options: Mapping[str, int],
    ) -> None:
        with silence_tuner():
            import keras_tuner

            parameters = keras_tuner.HyperParameters()
            for axis in space:
                declare_axis(parameters, axis)
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
            self._oracle.save = self._oracle._save_trial = _save_nothing
        self._space = list(space)
        self._metric = objective.metric
        self._asks = 0

    def ask(self) -> Any:
        """Return the next trial, or None if there is none now."""
        self._asks += 1
        with silence_tuner():
            trial = self._oracle.create_trial(f"asker-{self._asks}")
        return trial if trial.status == "RUNNING" else None

    def read_values(self, trial: Any) -> dict[str, float]:
        """Return the values that ``trial`` proposes, rounded as the recipe writes them."""
        proposed = trial.hyperparameters.values
        return {axis.name: read_value(axis, proposed[axis.key]) for axis in self._space}

    def tell(self, trial: Any, score: float) -> None:
        """Give the oracle the score of ``trial``; NaN if it has none."""
        with silence_tuner():
            if math.isfinite(score):
                self._oracle.update_trial(trial.trial_id, {self._metric: score})
                trial.status = "COMPLETED"
            else:
                trial.status = "INVALID"
            self._oracle.end_trial(trial)

    def list_brackets(self) -> list[list[tuple[int, int]]]:
        """Return Hyperband's brackets in the order in which it runs them, each as its rungs (trials, epochs)."""
        sizes, epochs = self._oracle._get_size, self._oracle._get_epochs
        numbers = reversed(range(self._oracle._get_num_brackets()))
        return [[(sizes(number, rung), epochs(number, rung)) for rung in range(number + 1)] for number in numbers]


def _save_nothing(*_: Any) -> None:
    """Replace what an oracle writes after each trial: a search that resumes is replayed from the ledger."""


def read_value(axis: Axis, value: float) -> float:
    """Return what a KerasTuner space holds for ``axis`` as the recipe writes it."""
    if isinstance(axis.range, Choice):
        return value
    if isinstance(axis.range, Int):
        return int(value)
    low, high = axis.range.values()
    return min(max(round_complement(value) if axis.complement else round_value(value), low), high)


def declare_axis(parameters: keras_tuner.HyperParameters, axis: Axis) -> Any:
    """Declare ``axis`` in a KerasTuner space, where its name is `Axis.key`, and return what the space holds for it."""
    sampling = "log" if axis.log else "linear"
    if isinstance(axis.range, Choice):
        return parameters.Choice(axis.name, list(axis.range.options))
    low, high = axis.range.values()
    if isinstance(axis.range, Int):
        return parameters.Int(axis.name, int(low), int(high))
    if axis.complement:
        ends = (float(f"{1.0 - end:.12g}") for end in (high, low))
        return parameters.Float(axis.key, *ends, sampling="log")
    return parameters.Float(axis.name, low, high, sampling=sampling)


@contextlib.contextmanager
def silence_tuner() -> Iterator[None]:
    """Silence what KerasTuner prints, and scikit-learn's warnings about the fit of its Gaussian process."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
