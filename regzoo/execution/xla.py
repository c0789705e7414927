"""XLA: whether it pays for this study on this machine; measured once, in a process of its own and in bounded time.

It makes tiny dense nets faster and others slower, and compiling can take longer than the training; no rule says
which. Its random numbers are others, so a comparison is made all with it or all without. Needs no TensorFlow here.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

from regzoo.core import EnvironmentFailure, InputError, Recipe, parse
from regzoo.core.registry import own_modules
from regzoo.execution.spawn import spawn_context, start_worker
from regzoo.training.setup import TrainingSetup

LIMIT = 30.0
"""Seconds that compiling and timing may take; start-up and the steps without XLA are not counted."""

BATCHES = 8
"""Whole batches that are timed; the smaller last one comes on top, as in the training itself."""

REPEATS = 5
"""Of which the fastest counts: other programs make a step slower, nothing makes it faster."""

MARGIN = 0.9
"""A step must take less than this share of the time without XLA, so that noise does not decide."""


@dataclass(frozen=True)
class Decision:
    """Whether XLA compiles the steps of a comparison.

    Attributes:
        jit_compile: True if it does.
        eager_ms: milliseconds a step of the baseline takes without it.
        xla_ms: and with it; None if it was not compiled.
        compile_seconds: to trace and compile the baseline; None alike.
        reason: a sentence.
    """

    jit_compile: bool
    eager_ms: float
    xla_ms: float | None
    compile_seconds: float | None
    reason: str


def measure_xla(
    setup: TrainingSetup, data: dict[str, Any], recipes: Sequence[str] = (), limit: float = LIMIT
) -> Decision:
    """Train the baseline a few steps both ways, and say whether XLA is faster.

    Args:
        setup: what all runs share; its own ``jit_compile`` makes no difference.
        data: the parts; a few batches of ``train`` are used.
        recipes: with numbers; if XLA cannot compile one of them, it is not used.
        limit: seconds after which it counts as slower.

    Raises:
        EnvironmentFailure: if the process dies before XLA is tried.
    """
    modules = own_modules()
    context = spawn_context(modules)
    ours, theirs = context.Pipe(duplex=False)
    asked = (theirs, modules, setup, _sample(data["train"], setup.batch_size), tuple(recipes))
    process = context.Process(target=_measure, args=asked, daemon=True)
    process.start()
    theirs.close()
    try:
        return _heard(ours, limit)
    except EOFError:
        process.join()
        message = f"the process that times XLA ended (exit code {process.exitcode})"
        raise EnvironmentFailure(message) from None
    finally:
        process.kill()
        process.join()
        ours.close()


def decide(eager_ms: float, xla_ms: float, compile_seconds: float) -> Decision:
    """The decision that two measured times lead to.

    >>> decide(2.0, 1.0, 3.0).jit_compile, decide(2.0, 1.9, 3.0).jit_compile
    (True, False)
    """
    faster = xla_ms < MARGIN * eager_ms
    reason = f"a step takes {xla_ms:.3g} ms with XLA and {eager_ms:.3g} ms without"
    return Decision(faster, eager_ms, xla_ms, compile_seconds, reason)


def _heard(connection: Connection, limit: float) -> Decision:
    eager_ms: float = connection.recv()
    if not connection.poll(limit):
        return Decision(False, eager_ms, None, None, f"XLA is not ready within {limit:g} s")
    try:
        decision: Decision = connection.recv()
    except EOFError:
        return Decision(False, eager_ms, None, None, "XLA ended the process that tried it")
    return decision


def _sample(rows: Any, batch_size: int) -> Any:
    x, y = rows
    count = BATCHES * batch_size + len(x) % batch_size
    return x[:count], y[:count]


def _measure(
    connection: Connection, modules: Sequence[str], setup: TrainingSetup, rows: Any, recipes: Sequence[str]
) -> None:
    """What the process does: send the milliseconds without XLA, then the decision."""
    start_worker(modules)
    from regzoo.training.engine.trainer import Trainer

    without, compiled = (
        Trainer(replace(setup, jit_compile=jit), {"train": rows, "validation": rows}) for jit in (False, True)
    )
    eager_ms, _ = _timed(without)
    connection.send(eager_ms)
    try:
        decision = decide(eager_ms, *_timed(compiled))
        for recipe in recipes if decision.jit_compile else ():
            _epoch(compiled, parse(recipe))
    except InputError as error:
        decision = Decision(False, eager_ms, None, None, str(error))
    connection.send(decision)


def _timed(trainer: Any) -> tuple[float, float]:
    """Milliseconds that a step of the baseline takes, and seconds until its first epoch was over."""
    began = time.perf_counter()
    _epoch(trainer, Recipe())
    ready = time.perf_counter() - began
    seconds = min(_epoch(trainer, Recipe()) for _ in range(REPEATS))
    return 1e3 * seconds / trainer.program(Recipe()).steps, ready


def _epoch(trainer: Any, recipe: Recipe) -> float:
    """Train one epoch; return its seconds."""
    objective = trainer.setup.task.objective(trainer.setup.rank_by)
    program = trainer.program(recipe)
    told = program.train(strengths=recipe.dials(), seed=0, learning_rate=1e-3, epochs=1, objective=objective)
    return float(told.seconds)
