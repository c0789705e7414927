"""Learning-rate schedules as text, ``warmup(5, cosine(0.1, 0.0))``: read, checked and evaluated without Keras."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from regzoo.core.domain import format_literal, is_integer
from regzoo.core.errors import InputError, did_you_mean
from regzoo.core.grammar import Call, read_value
from regzoo.core.ranges import Choice, Float, Int

START = "learning_rate"
"""What the text of a schedule calls the run's own learning rate."""


@dataclass(frozen=True)
class LearningRateSchedule:
    """Learning rate of each epoch, which changes between epochs: from the run's own, the start, to ``end``.

    Epoch e, from 0, of E epochs has, with s = min((e - w) / (E - w), 1) after a warmup of w epochs,
    ``linear``: start + (end - start) s; ``cosine``: end + (start - end) (1 + cos(pi s)) / 2;
    ``exponential``: start (end / start)^s; ``step``: start before epoch E, then end; ``constant``: start.
    During the warmup it has start (e + 1) / (w + 1).

    Attributes:
        kind: its name.
        end: learning rate at the end, from 0; above 0 for ``exponential``; None for ``constant``.
        epochs: E, the epoch from which on the rate is ``end``, warmup included; None for that of a whole training.
        warmup: w, the number of epochs in which the rate rises to the start.

    Reference: Loshchilov and Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts",
    https://arxiv.org/abs/1608.03983 (cosine); Goyal et al. 2017, "Accurate, Large Minibatch SGD: Training ImageNet in
    1 Hour", https://arxiv.org/abs/1706.02677 (warmup).

    >>> schedule = LearningRateSchedule("cosine", 0.0, epochs=5, warmup=1)
    >>> [round(schedule.compute(0.1, epoch), 4) for epoch in range(5)]
    [0.05, 0.1, 0.0854, 0.05, 0.0146]
    """

    kind: str
    end: float | None = None
    epochs: int | None = None
    warmup: int = 0

    def compute(self, start: float, epoch: int) -> float:
        """Return the learning rate of ``epoch``, from 0, in a run whose own is ``start``; `epochs` is known."""
        if epoch < self.warmup:
            return start * (epoch + 1) / (self.warmup + 1)
        if self.end is None:
            return start
        assert self.epochs is not None, "the number of epochs is filled in by `over`"
        passed = min((epoch - self.warmup) / (self.epochs - self.warmup), 1.0)
        return _SHAPES[self.kind](start, self.end, passed)

    def over(self, epochs: int) -> LearningRateSchedule:
        """Return the schedule over a training of ``epochs`` epochs, where it has no number of its own."""
        return replace(self, epochs=self.epochs or (None if self.end is None else epochs))

    def find_problem(self, epochs: int) -> str | None:
        """Return why a training of ``epochs`` epochs has no time for the schedule; None if it has."""
        last = self.over(epochs).epochs or epochs
        if self.warmup >= min(last, epochs):
            return f"the warmup of {self.warmup} epochs leaves none of {min(last, epochs)}"
        if self.kind == "step" and last >= epochs:
            return f"a training of {epochs} epochs ends before the step at epoch {last}"
        return None

    def format(self, start: str) -> str:
        """Return the text of the schedule from ``start``."""
        text = start
        if self.end is not None:
            epochs = "" if self.epochs is None else f", epochs={self.epochs}"
            text = f"{self.kind}({start}, {format_literal(self.end)}{epochs})"
        return f"warmup({self.warmup}, {text})" if self.warmup else text

    def __str__(self) -> str:
        return self.format(START)

    @staticmethod
    def parse(text: str) -> LearningRateSchedule:
        """Read what ``str`` returned.

        >>> schedule = LearningRateSchedule("step", 0.01, epochs=30, warmup=5)
        >>> LearningRateSchedule.parse(str(schedule)) == schedule
        True
        """
        schedule, _ = _read(read_value(text))
        return schedule


@dataclass(frozen=True)
class ScheduledRate:
    """A learning rate with a schedule, as a config writes it: ``cosine(0.001..0.1, 0.0)``.

    Attributes:
        start: where it starts, after a warmup: a number, or a range to search.
        schedule: how it goes on.
    """

    start: float | Float | Choice
    schedule: LearningRateSchedule

    def __str__(self) -> str:
        start = format_literal(self.start) if isinstance(self.start, float) else str(self.start)
        return self.schedule.format(start)


def read_scheduled_rate(text: str, accept_start: Callable[[Any], float | Float | Choice]) -> ScheduledRate:
    """Return the schedule that ``text`` describes.

    >>> str(read_scheduled_rate("warmup(5, cosine(0.1))", float))
    'warmup(5, cosine(0.1, 0.0))'

    Args:
        text: such as ``cosine(0.1, 0.0)``, ``linear(0.1, 0.01)``, ``exponential(0.1, 0.001)``,
            ``step(0.1, 0.01, epochs=30)``, ``warmup(5, 0.1)`` or a warmup of another schedule.
        accept_start: returns the start in normal form, or raises ValueError.

    Raises:
        InputError: with what is wrong.
    """
    schedule, start = _read(read_value(text))
    if isinstance(start, Call):
        raise InputError(f"start takes a number or a range, received {_describe(start)}")
    try:
        return ScheduledRate(accept_start(start), schedule)
    except ValueError as error:
        raise InputError(f"start {error}") from None


def _interpolate_linearly(start: float, end: float, passed: float) -> float:
    return start + (end - start) * passed


def _interpolate_by_cosine(start: float, end: float, passed: float) -> float:
    return end + (start - end) * (1.0 + math.cos(math.pi * passed)) / 2.0


def _interpolate_exponentially(start: float, end: float, passed: float) -> float:
    return float(start * (end / start) ** passed)


_SHAPES: Mapping[str, Callable[[float, float, float], float]] = {
    "linear": _interpolate_linearly,
    "cosine": _interpolate_by_cosine,
    "exponential": _interpolate_exponentially,
    "step": lambda start, end, passed: end if passed == 1.0 else start,
}

_FORMS = {
    "linear": "linear(0.1, 0.0)",
    "cosine": "cosine(0.1, 0.0)",
    "exponential": "exponential(0.1, 0.001)",
    "step": "step(0.1, 0.01, epochs=30)",
    "warmup": "warmup(5, cosine(0.1, 0.0))",
}


def _read(value: Any) -> tuple[LearningRateSchedule, Any]:
    """Return a schedule and its start."""
    if not isinstance(value, Call) or _is_start(value):
        return LearningRateSchedule("constant"), value
    if value.word not in _FORMS:
        raise InputError(
            f"{value.word!r} is no schedule of the learning rate.{did_you_mean(value.word, _FORMS)} Write one such as "
            f"{_FORMS['cosine']} or {_FORMS['warmup']}"
        )
    return _read_warmup(value) if value.word == "warmup" else _read_shape(value)


def _is_start(value: Any) -> bool:
    return isinstance(value, Call) and value.word == START


def _read_warmup(call: Call) -> tuple[LearningRateSchedule, Any]:
    epochs, inner = _take(call, ("epochs", "schedule"), 2)
    warmup = _accept_epochs("warmup", epochs)
    schedule, start = _read(inner)
    if schedule.warmup:
        raise InputError(f"warmup: a schedule warms up once; write one warmup, as in {_FORMS['warmup']}")
    return replace(schedule, warmup=warmup), start


def _read_shape(call: Call) -> tuple[LearningRateSchedule, Any]:
    kind = call.word
    required = {"linear": 1, "cosine": 1, "exponential": 2, "step": 3}[kind]
    start, end, epochs = _take(call, ("start", "end", "epochs"), required)
    end = 0.0 if end is None else end
    least = "above 0" if kind == "exponential" else "from 0"
    if isinstance(end, bool) or not isinstance(end, int | float) or not math.isfinite(end) or end < 0:
        raise InputError(f"{kind}: end takes a number {least}, received {_describe(end)}")
    if kind == "exponential" and end == 0:
        raise InputError(f"{kind}: end takes a number {least}, received 0; linear and cosine can end there")
    if epochs is not None:
        epochs = _accept_epochs(kind, epochs)
    if isinstance(start, Call) and not _is_start(start):
        raise InputError(f"{kind}: start takes a number or a range, received {_describe(start)}")
    return LearningRateSchedule(kind, float(end), epochs), start


def _accept_epochs(kind: str, epochs: Any) -> int:
    """Return a number of epochs."""
    if isinstance(epochs, bool) or not isinstance(epochs, int | float) or not is_integer(epochs) or epochs < 1:
        raise InputError(f"{kind}: epochs takes a whole number from 1, received {_describe(epochs)}")
    return int(epochs)


def _take(call: Call, names: tuple[str, ...], required: int) -> list[Any]:
    """Return the arguments of ``call`` in the order of ``names``, None for those that are left out."""
    form = _FORMS[call.word]
    if len(call.positional) > len(names):
        raise InputError(f"{call.word} takes {', '.join(names)}, received {len(call.positional)} values; write {form}")
    given = dict(zip(names, call.positional, strict=False))
    for name, value in call.keyword.items():
        if name not in names:
            raise InputError(f"{call.word} has no {name!r}.{did_you_mean(name, names)} Write {form}")
        if name in given:
            raise InputError(f"{call.word} received {name} twice; write {form}")
        given[name] = value
    missing = [name for name in names[:required] if name not in given]
    if missing:
        raise InputError(f"{call.word} needs {' and '.join(missing)}; write {form}")
    return [given.get(name) for name in names]


def _describe(value: Any) -> str:
    if isinstance(value, Call):
        return f"{value.word}(...)" if value.positional or value.keyword else value.word
    return str(value) if isinstance(value, Float | Int | Choice) else repr(value)
