"""Import TensorFlow without its messages on stderr; its errors are raised, not printed."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Iterator

from regzoo.execution.keras_settings import require_keras_settings
from regzoo.system.streams import open_missing_descriptors


@contextlib.contextmanager
def suppress_stderr() -> Iterator[None]:
    """Discard what the process writes to stderr while the block runs, from C++ as well."""
    open_missing_descriptors()
    if sys.stderr is not None:
        with contextlib.suppress(OSError):  # of a full device or a closed terminal
            sys.stderr.flush()
    kept = os.dup(2)
    silence_stderr()
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def silence_stderr() -> None:
    """Discard what the process writes to stderr from now on; a worker's errors travel back as exceptions."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


@contextlib.contextmanager
def pause_garbage_collection() -> Iterator[None]:
    """Collect no garbage while the block runs: importing TensorFlow makes millions of objects that stay.

    To look through them again and again is a quarter of the time that the import takes.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def import_tensorflow(threads: int | None = None, *, any_precision: bool = False) -> None:
    """Import TensorFlow and Keras without messages.

    Args:
        threads: number of threads of an operation; None leaves it to TensorFlow. Only before TensorFlow's first use.
        any_precision: whether Keras's dtype policy and floatx may be any.

    Raises:
        EnvironmentFailure: if regzoo cannot work with the settings of Keras or TensorFlow.
    """
    require_keras_settings(any_precision)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    first = "tensorflow" not in sys.modules
    with suppress_stderr(), pause_garbage_collection():
        import tensorflow as tf

        if threads is not None:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        if first:
            for device in tf.config.list_physical_devices("GPU"):
                tf.config.experimental.set_memory_growth(device, True)  # several processes share one
        tf.constant(0)  # the devices write their messages when they are first used
        tf.get_logger().setLevel("ERROR")
