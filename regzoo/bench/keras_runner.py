"""Train a case with Keras and KerasTuner alone, in the three usual ways."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import tensorflow as tf

from regzoo.bench.data import prepare_rows
from regzoo.bench.machine import measure_peak_memory_mb
from regzoo.bench.measurement import Measurement
from regzoo.bench.plan import Case, Job
from regzoo.data.prepared import PreparedData
from regzoo.system.temporary_folder import temporary_folder

VALIDATION_BATCH = 1024
"""Rows of a validation batch in the tuned way, as in regzoo."""


def run_fit(job: Job) -> Measurement:
    """Build, compile and ``fit`` a model on arrays for each run; validate after each epoch."""
    rows, source = prepare_rows(job.case)
    log = _RunLog()
    for rate, seed in job.sample_runs():
        keras.utils.set_random_seed(seed)
        model = build_model(job.case, rate)
        options = {"epochs": job.case.epochs, "batch_size": job.case.batch_size, "verbose": 0}
        log.add(model, model.fit(*rows.train, validation_data=rows.validation, **options))
    return log.make_measurement(rows, source)


def run_tuned_fit(job: Job) -> Measurement:
    """Do as `run_fit`, on a cached and prefetched tf.data pipeline, one execution per epoch, without XLA."""
    rows, source = prepare_rows(job.case)
    log = _RunLog()
    for rate, seed in job.sample_runs():
        keras.utils.set_random_seed(seed)
        train = tf.data.Dataset.from_tensor_slices(rows.train).cache()
        train = train.shuffle(len(rows.train[0]), seed=seed).batch(job.case.batch_size).prefetch(tf.data.AUTOTUNE)
        validation = tf.data.Dataset.from_tensor_slices(rows.validation).batch(VALIDATION_BATCH).cache()
        options = {"validation_data": validation.prefetch(tf.data.AUTOTUNE), "epochs": job.case.epochs}
        model = build_model(job.case, rate, steps_per_execution=len(train), jit_compile=False)
        log.add(model, model.fit(train, shuffle=False, verbose=0, **options))  # the pipeline shuffles
    return log.make_measurement(rows, source)


def run_keras_tuner(job: Job) -> Measurement:
    """Search the rate with KerasTuner's random search; each trial is one ``fit`` on arrays."""
    import keras_tuner

    rows, source = prepare_rows(job.case)
    case, log = job.case, _RunLog()
    rates, seed = [rate for rate, _ in job.sample_runs()], case.derive_seeds()[0]

    class Hypermodel(keras_tuner.HyperModel):
        def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
            keras.utils.set_random_seed(seed)
            return build_model(case, hp.Choice("rate", rates))

        def fit(self, hp: keras_tuner.HyperParameters, model: keras.Model, *args: Any, **kwargs: Any) -> Any:
            history = model.fit(*args, **kwargs)
            log.add(model, history)
            return history

    with temporary_folder() as folder:
        objective = keras_tuner.Objective("val_loss", "min")
        tuner = keras_tuner.RandomSearch(Hypermodel(), objective, max_trials=job.runs, seed=seed, directory=str(folder))
        options = {"epochs": case.epochs, "batch_size": case.batch_size, "verbose": 0}
        tuner.search(*rows.train, validation_data=rows.validation, **options)
    return log.make_measurement(rows, source)


def build_model(case: Case, rate: float, **options: Any) -> keras.Model:
    """Build and compile the network of ``case`` from Keras layers; ``options`` go to ``compile``."""
    model = build_network(case, lambda x: keras.layers.Dropout(rate)(x))
    optimizer = keras.optimizers.Adam(case.learning_rate)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], **options)
    return model


def build_network(case: Case, drop: Callable[[Any], Any] = lambda x: x) -> keras.Model:
    """Build the network of ``case`` from Keras layers, with ``drop`` after each nonlinearity."""
    inputs = x = keras.Input(case.input_shape)
    for filters in case.filters:
        x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling2D()(drop(x))
    x = keras.layers.Flatten()(x)
    for width in case.widths:
        x = drop(keras.layers.Dense(width, activation="relu")(x))
    return keras.Model(inputs, keras.layers.Dense(case.classes, activation="softmax")(x))


@dataclass
class _RunLog:
    """Time at which each run finished, and the amount of work of the last one."""

    finished: list[float] = field(default_factory=list)
    epochs: int = 0
    steps: int = 0
    weights: tuple[tuple[int, ...], ...] = ()

    def add(self, model: keras.Model, history: keras.callbacks.History) -> None:
        self.finished.append(time.perf_counter())
        self.epochs, self.steps = len(history.epoch), int(model.optimizer.iterations)
        self.weights = tuple(sorted(tuple(weight.shape) for weight in model.trainable_weights))

    def make_measurement(self, rows: PreparedData, source: str) -> Measurement:
        return Measurement(
            data=source,
            train_rows=len(rows.train[0]),
            processes=1,
            threads=os.cpu_count() or 1,
            finished=tuple(self.finished),
            fit_seconds=(),
            measure_seconds=(),
            epochs=self.epochs,
            steps=self.steps,
            weights=self.weights,
            peak_memory_mb=measure_peak_memory_mb(),
        )
