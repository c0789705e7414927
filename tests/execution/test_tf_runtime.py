"""Importing TensorFlow prints nothing, and stderr works afterwards."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from regzoo.execution.tf_runtime import suppress_stderr

SCRIPT = """
import sys
from regzoo.execution.tf_runtime import import_tensorflow

import_tensorflow(threads=1)
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


@pytest.mark.slow
def test_importing_tensorflow_prints_nothing() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, env=environment)
    assert (done.stdout, done.stderr) == ("", "still here\n")
