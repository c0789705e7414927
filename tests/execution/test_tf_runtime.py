"""Importing TensorFlow prints nothing, and stderr works afterwards."""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys

import pytest

from regzoo.execution.tf_runtime import pause_garbage_collection, suppress_stderr

SCRIPT = """
import gc
import sys
from regzoo.execution.tf_runtime import import_tensorflow

import_tensorflow(threads=1)
assert gc.isenabled()
assert gc.get_stats()[2]["collections"] < 5, "garbage was collected while TensorFlow was imported"
import tensorflow as tf

assert tf.config.threading.get_intra_op_parallelism_threads() == 1
assert tf.config.threading.get_inter_op_parallelism_threads() == 1
print("still here", file=sys.stderr)
"""


def test_stderr_is_silent_and_comes_back(capfd: pytest.CaptureFixture[str]) -> None:
    with suppress_stderr():
        os.write(2, b"hidden, as from C++\n")
    os.write(2, b"shown\n")
    assert capfd.readouterr() == ("", "shown\n")


def test_stderr_comes_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), suppress_stderr():
        raise ZeroDivisionError
    os.write(2, b"shown\n")
    assert capfd.readouterr().err == "shown\n"


@pytest.mark.parametrize("enabled", [True, False])
def test_garbage_is_collected_again_only_if_it_was_before(enabled: bool) -> None:
    try:
        if not enabled:
            gc.disable()
        with contextlib.suppress(ZeroDivisionError), pause_garbage_collection():
            assert not gc.isenabled()
            raise ZeroDivisionError
        assert gc.isenabled() == enabled
    finally:
        gc.enable()


@pytest.mark.slow
def test_importing_tensorflow_prints_nothing() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, env=environment)
    assert (done.stdout, done.stderr) == ("", "still here\n")
