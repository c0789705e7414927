"""Validator for the learning rate in a config: a number, a range, or a schedule that starts at either."""

from __future__ import annotations

from typing import Any

from regzoo.config import values
from regzoo.config.yaml_source import Scalar
from regzoo.core.ranges import Choice, Float
from regzoo.training.learning_rate_schedule import ScheduledRate, read_scheduled_rate

_accept_number_or_range = values.accept_searchable("(0, inf)")


def accept_learning_rate(value: Any) -> float | Float | Choice | ScheduledRate:
    """Accept a number, a range or a choice, or a schedule such as ``cosine(0.001..0.1, 0.0)``.

    >>> str(accept_learning_rate("warmup(5, 0.001..0.1)")), accept_learning_rate("0.1|0.2").options
    ('warmup(5, 0.001..0.1)', (0.1, 0.2))
    """
    if isinstance(value, ScheduledRate):
        return value
    text = value.value if isinstance(value, Scalar) else value
    if isinstance(text, str) and "(" in text:
        return read_scheduled_rate(text, _accept_number_or_range)
    try:
        return _accept_number_or_range(value)
    except ValueError as error:
        forms = ", a choice such as 0.001|0.003 or a schedule such as cosine(0.1, 0.0), received"
        raise ValueError(str(error).replace(" or a choice such as 0.001|0.003, received", forms)) from None
