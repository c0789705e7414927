"""`SerialExecutor`: an exception in a run is a failed record; Ctrl-C is not."""

from __future__ import annotations

from typing import Any

import pytest

from regzoo.execution.serial import SerialExecutor
from regzoo.training.engine import trainer as training
from regzoo.training.records import Run
from regzoo.training.setup import TrainingSetup
from regzoo.training.task import Task

SETUP = TrainingSetup("mlp([8])", Task("classification", 3), (5,), "adam", 16, "nll", "test")
RUN = Run("trial", "none", "none", 0, 5, 0.01, 1, SETUP.digest)


def open_executor(rows: Any) -> SerialExecutor:
    """Return an executor whose three parts are all ``rows``."""
    executor = SerialExecutor()
    executor.open(SETUP, dict.fromkeys(("train", "validation", "test"), rows))
    return executor


def test_one_run_is_made_at_a_time(tensorflow: None, rows: Any) -> None:
    with open_executor(rows) as executor:
        assert executor.has_idle_worker()
        executor.start(executor.pick([RUN]))
        assert not executor.has_idle_worker()
        [(record, weights)] = executor.collect()
        assert (record.run, record.status, len(weights)) == (RUN, "ok", 1)
        assert executor.has_idle_worker()


def test_an_exception_is_the_error_of_the_record(tensorflow: None, rows: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("too large")

    monkeypatch.setattr(training, "execute_run", fail)
    with open_executor(rows) as executor:
        executor.start(RUN)
        [(record, weights)] = executor.collect()
    assert (record.run, record.status, record.error, weights) == (RUN, "failed", "MemoryError: too large", None)
    assert record.fit_seconds > 0.0


def interrupt_graph(*_: object) -> None:
    """Interrupt a Python function of a graph: TensorFlow raises an error of its own then."""
    import tensorflow as tf

    def interrupt() -> Any:
        raise KeyboardInterrupt

    tf.function(lambda: tf.py_function(interrupt, [], tf.int32))()


def interrupt_directly(*_: object) -> None:
    """Interrupt Python."""
    raise KeyboardInterrupt


@pytest.mark.parametrize("interrupt", [interrupt_directly, interrupt_graph])
def test_ctrl_c_goes_through(interrupt: Any, tensorflow: None, rows: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "execute_run", interrupt)
    with open_executor(rows) as executor:
        executor.start(RUN)
        with pytest.raises(KeyboardInterrupt):
            executor.collect()
