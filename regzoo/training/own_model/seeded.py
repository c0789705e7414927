"""Run a function with every random stream seeded that code of the user's may draw from, and leave no trace of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import keras
import numpy as np
import tensorflow as tf

T = TypeVar("T")


def run_seeded(seed: int, function: Callable[[], T]) -> T:
    """Return ``function()``, called with the streams of Python, NumPy, Keras and TensorFlow seeded with ``seed``.

    The streams are then as they were before. Keras keeps its own for each thread, so the call has a thread to itself;
    TensorFlow's starts again from its seed, if it had one.
    """
    python, (tensorflow, _) = random.getstate(), tf.compat.v1.get_seed(None)
    legacy = np.random.get_state()  # noqa: NPY002  # an initializer of the user's may draw from it

    def call() -> T:
        keras.utils.set_random_seed(seed)
        return function()

    try:
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(call).result()
    finally:
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002
        tf.random.set_seed(tensorflow)
