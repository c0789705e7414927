"""Default values of a swept strength, spread over its range."""

from __future__ import annotations

from regzoo.core import Choice, Int, Range
from regzoo.core.fields import StrengthSpec
from regzoo.search.space import place_value


def spread_values(range_: Range, spec: StrengthSpec, count: int) -> list[float]:
    """Return ``count`` values spread over a range, the neutral value included; fewer where whole numbers coincide.

    Of a choice, its own values; the neutral value is added to that of the zoo alone.

    >>> from regzoo.regularizers import Dropout
    >>> spec = Dropout().strengths()["rate"]
    >>> spread_values(spec.range, spec, 9)
    [0.0, 0.05, 0.14, 0.24, 0.33, 0.42, 0.51, 0.61, 0.7]
    """
    if isinstance(range_, Choice):
        added = [] if spec.neutral is None or range_ is not spec.range else [spec.neutral]
        return sorted({*range_.options, *added})
    low, high = range_.values()
    neutral = spec.neutral
    outside = neutral is not None and not low <= neutral <= high
    last = count - outside - 1
    inner = [place_value(low, high, i / last, spec, digits=2) for i in range(1, last)]
    values = [low, *(round(v) if isinstance(range_, Int) else v for v in inner), high]
    if neutral is None:
        return sorted(set(values))
    if not outside:
        values.remove(min(values, key=lambda value: abs(value - neutral)))
    return sorted({*values, neutral})
