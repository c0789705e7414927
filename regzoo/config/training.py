"""The section ``training`` of a config, with its keys and defaults."""

from __future__ import annotations

from typing import Annotated

from pydantic import PlainValidator, model_validator

from regzoo.config import values
from regzoo.config.learning_rate_values import accept_learning_rate
from regzoo.config.sections import Count, Section
from regzoo.core.ranges import Choice, Float
from regzoo.training.learning_rate_schedule import LearningRateSchedule, ScheduledRate

CLASS_WEIGHTS = ("none", "balanced")


class TrainingConfig(Section):
    """Training of every run.

    ``optimizer``: one of Keras, with its arguments: ``sgd(momentum=0.95, nesterov=true)``; ``sgd`` has momentum 0.9
    unless another is given. ``loss``: the loss to minimize, one of Keras, such as ``huber(delta=0.5)``; by default the
    task's own. Metrics are the task's own in any case. ``compiled`` means what the own model was compiled with.
    ``learning_rate``: a number, a range to search, or a schedule over the epochs that starts at either:
    ``cosine(0.001..0.1, 0.0)``, ``step(0.1, 0.01, epochs=30)``, ``exponential(0.1, 0.001)``, ``linear(0.1, 0.0)``,
    ``warmup(5, cosine(0.1, 0.0))``; see `LearningRateSchedule`.
    ``class_weight: balanced`` gives each class the same total weight, however rare it is. ``jit_compile``: whether XLA
    compiles the training steps; it makes some models faster and others slower.
    """

    epochs: Count = 60
    batch_size: Count = 32
    optimizer: Annotated[str, PlainValidator(values.accept_optimizer)] = "adam"
    loss: Annotated[str | None, PlainValidator(values.optional(values.accept_loss))] = None
    class_weight: Annotated[str, PlainValidator(values.accept_word(CLASS_WEIGHTS))] = "none"
    jit_compile: Annotated[bool, PlainValidator(values.accept_jit_compile)] = False
    learning_rate: Annotated[float | Float | Choice | ScheduledRate, PlainValidator(accept_learning_rate)] = Float(
        3e-4, 1e-2
    )

    @property
    def start_rate(self) -> float | Float | Choice:
        """The learning rate of a run, or the range to search; with a schedule, where it starts."""
        rate = self.learning_rate
        return rate.start if isinstance(rate, ScheduledRate) else rate

    @property
    def schedule(self) -> LearningRateSchedule | None:
        """Schedule of the learning rate; None if it stays the same."""
        return self.learning_rate.schedule if isinstance(self.learning_rate, ScheduledRate) else None

    @model_validator(mode="after")
    def _require_time_for_schedule(self) -> TrainingConfig:
        problem = None if self.schedule is None else self.schedule.find_problem(self.epochs)
        if problem is not None:
            raise ValueError(f"learning_rate: {self.learning_rate}: {problem}; shorten the schedule, or raise epochs")
        return self
