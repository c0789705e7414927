"""Stock: the case as one writes it with Keras and KerasTuner alone, in the three ways that are usual."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass, field
from typing import Any

import keras
import tensorflow as tf

from regzoo.bench.data import prepared
from regzoo.bench.machine import peak_memory_mb
from regzoo.bench.measurement import Measurement
from regzoo.bench.plan import Case, Job
from regzoo.data.prepared import PreparedData

EVALUATED = 1024
"""Validation rows that the tuned way takes at a time, as regzoo does."""


def fit(job: Job) -> Measurement:
    """Build, compile and ``fit`` a model on arrays for each run, validating after each epoch."""
    parts, said = prepared(job.case)
    log = _Log()
    for rate, seed in job.sample():
        keras.utils.set_random_seed(seed)
        model = stock_model(job.case, rate)
        options = {"epochs": job.case.epochs, "batch_size": job.case.batch_size, "verbose": 0}
        log.add(model, model.fit(*parts.train, validation_data=parts.validation, **options))
    return log.measured(parts, said)


def tuned(job: Job) -> Measurement:
    """The same on a cached, prefetched tf.data pipeline, with an epoch as one execution and without XLA."""
    parts, said = prepared(job.case)
    log = _Log()
    for rate, seed in job.sample():
        keras.utils.set_random_seed(seed)
        train = tf.data.Dataset.from_tensor_slices(parts.train).cache()
        train = train.shuffle(len(parts.train[0]), seed=seed).batch(job.case.batch_size).prefetch(tf.data.AUTOTUNE)
        validation = tf.data.Dataset.from_tensor_slices(parts.validation).batch(EVALUATED).cache()
        options = {"validation_data": validation.prefetch(tf.data.AUTOTUNE), "epochs": job.case.epochs}
        model = stock_model(job.case, rate, steps_per_execution=len(train), jit_compile=False)
        log.add(model, model.fit(train, shuffle=False, verbose=0, **options))  # the pipeline shuffles
    return log.measured(parts, said)


def keras_tuner(job: Job) -> Measurement:
    """KerasTuner's own random search over the rate, one execution a trial, each trial a ``fit`` on arrays."""
    import keras_tuner

    parts, said = prepared(job.case)
    case, log = job.case, _Log()
    rates, seed = [rate for rate, _ in job.sample()], case.run_seeds()[0]

    class Hypermodel(keras_tuner.HyperModel):
        def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
            keras.utils.set_random_seed(seed)
            return stock_model(case, hp.Choice("rate", rates))

        def fit(self, hp: keras_tuner.HyperParameters, model: keras.Model, *args: Any, **kwargs: Any) -> Any:
            history = model.fit(*args, **kwargs)
            log.add(model, history)
            return history

    with tempfile.TemporaryDirectory(prefix="regzoo-") as folder:
        objective = keras_tuner.Objective("val_loss", "min")
        tuner = keras_tuner.RandomSearch(Hypermodel(), objective, max_trials=job.runs, seed=seed, directory=folder)
        options = {"epochs": case.epochs, "batch_size": case.batch_size, "verbose": 0}
        tuner.search(*parts.train, validation_data=parts.validation, **options)
    return log.measured(parts, said)


def stock_model(case: Case, rate: float, **options: Any) -> keras.Model:
    """Build and compile the network of ``case`` from stock layers; ``options`` are further ones of ``compile``."""
    inputs = x = keras.Input(case.input_shape)
    for filters in case.filters:
        x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling2D()(keras.layers.Dropout(rate)(x))
    x = keras.layers.Flatten()(x)
    for width in case.widths:
        x = keras.layers.Dropout(rate)(keras.layers.Dense(width, activation="relu")(x))
    model = keras.Model(inputs, keras.layers.Dense(case.classes, activation="softmax")(x))
    optimizer = keras.optimizers.Adam(case.learning_rate)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], **options)
    return model


@dataclass
class _Log:
    """When each run was finished, and how much work the last one was."""

    finished: list[float] = field(default_factory=list)
    epochs: int = 0
    steps: int = 0
    weights: tuple[tuple[int, ...], ...] = ()

    def add(self, model: keras.Model, history: keras.callbacks.History) -> None:
        self.finished.append(time.perf_counter())
        self.epochs, self.steps = len(history.epoch), int(model.optimizer.iterations)
        self.weights = tuple(sorted(tuple(weight.shape) for weight in model.trainable_weights))

    def measured(self, parts: PreparedData, said: str) -> Measurement:
        return Measurement(
            data=said,
            train_rows=len(parts.train[0]),
            processes=1,
            threads=os.cpu_count() or 1,
            finished=tuple(self.finished),
            fit_seconds=(),
            measure_seconds=(),
            epochs=self.epochs,
            steps=self.steps,
            weights=self.weights,
            peak_memory_mb=peak_memory_mb(),
        )
