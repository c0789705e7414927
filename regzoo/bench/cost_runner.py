"""Build and trace what `regzoo zoo --costs` times: a recipe on a backbone, on scikit-learn's digits."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

from regzoo.bench.data import prepare_rows
from regzoo.bench.plan import CASES
from regzoo.core import AfterTraining, Objective, OnTraining, Recipe
from regzoo.data.dataset import Array
from regzoo.execution.tf_runtime import import_tensorflow
from regzoo.training.task import Task

STEPS, BATCH = 32, 32
"""Steps that are timed together, which are an epoch, and rows of a step."""

TASK = Task("classification", CASES["digits"].classes)
RATE = CASES["digits"].learning_rate
ROWS = 512
"""Rows of a prediction."""

EPOCHS = 6
"""Epochs of the training that tells how many snapshots a recipe keeps."""


@functools.cache
def load_digits(backbone: str) -> tuple[Array, Array]:
    """Return inputs for an epoch, rows for an mlp and images for all others, and their labels."""
    rows = prepare_rows(CASES["digits"])[0].train
    x, y = (array[: STEPS * BATCH] for array in rows[:2])
    return (x.reshape(len(x), -1) if backbone == "mlp" else x), y


class TracedRecipe:
    """A recipe on a backbone: the model, its training steps, and what it becomes after the training.

    Args:
        backbone: name of the backbone, at its default size.
        recipe: with all strengths fixed.

    Raises:
        InputError: if the recipe has no place on the backbone.
    """

    def __init__(self, backbone: str, recipe: Recipe) -> None:
        import_tensorflow(threads=1)
        import tensorflow as tf

        self._clock = time.perf_counter if tf.config.list_physical_devices("GPU") else time.process_time
        self.backbone, self.recipe = backbone, recipe
        self.x, self.y = load_digits(backbone)
        self.model = self._build_model()

    @property
    def works_around_steps(self) -> bool:
        """True if something watches the training, or batch norm's averages are computed again for validation."""
        import keras

        layers = self.model.layers
        return any(isinstance(each, OnTraining) or each.averages for each in self.recipe) or any(
            isinstance(layer, keras.layers.BatchNormalization) for layer in layers
        )

    def time_steps(self) -> float:
        """Return the seconds of `STEPS` training steps."""
        return self._time(self._steps)

    def time_epoch(self) -> float:
        """Return the seconds of a training of one epoch."""
        return self._time(lambda: self._train(1))

    def time_prediction(self) -> float:
        """Return the seconds of a prediction for `ROWS` rows."""
        return self._time(self._prediction)

    @functools.cached_property
    def _steps(self) -> Callable[[], Any]:
        import tensorflow as tf

        x, y, model = tf.constant(self.x), tf.constant(self.y), self.model
        model.reset(0)
        model.set_dials(self.recipe.dials(), 0)

        def run() -> Any:
            for step in tf.range(STEPS):
                rows = tf.range(step * BATCH, (step + 1) * BATCH)
                model.update(tf.gather(x, rows), tf.gather(y, rows))
            return model.optimizer.iterations.value

        return self._trace(run)

    @functools.cached_property
    def _program(self) -> Any:
        from regzoo.training.engine.program import Program

        few = (self.x[:BATCH], self.y[:BATCH])
        return Program(self._build_model(), (self.x, self.y), few, BATCH, train_sample=few)

    @functools.cached_property
    def _prediction(self) -> Callable[[], Any]:
        import tensorflow as tf

        from regzoo.training.model.finalize import combine_models

        kept = len(self._train(EPOCHS).members)
        trained = [each.n_models() for each in self.recipe if isinstance(each, AfterTraining)]
        models = [self._build_model(seed) for seed in range(max([kept, *trained]))]
        finished, x = combine_models(self.recipe, models), tf.constant(self.x[:ROWS])
        return self._trace(lambda: finished(x, training=False))

    def _trace(self, run: Callable[[], Any]) -> Callable[[], Any]:
        """Return a function that waits for the result of ``run``, which is traced."""
        import tensorflow as tf

        traced = tf.function(run)
        return lambda: traced().numpy()

    def _build_model(self, seed: int = 0) -> Any:
        from regzoo.training.model.build import build_model
        from regzoo.training.optimizers import make_optimizer

        model = build_model(self.backbone, self.recipe, TASK, self.x.shape[1:], seed)
        model.compile(optimizer=make_optimizer("adam"))
        return model

    def _train(self, epochs: int) -> Any:
        objective = Objective("nll", "min", epochs)
        return self._program.train(
            strengths=self.recipe.dials(),
            seed=0,
            learning_rate=RATE,
            epochs=epochs,
            objective=objective,
            watchers=[each.watch(objective) for each in self.recipe if isinstance(each, OnTraining)],
        )

    def _time(self, run: Callable[[], Any]) -> float:
        """Return the seconds of a call."""
        began = self._clock()
        run()
        return self._clock() - began
