"""Fields: what a regularizer or a backbone can be told, with its domain.

`strength` declares a number that says how strongly a regularizer acts; it can be a number, left to the
search or scheduled. `setting` declares anything else.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from regzoo.core.domain import Domain, format_number, is_whole
from regzoo.core.errors import did_you_mean
from regzoo.core.ranges import Choice, Float, Int, Range
from regzoo.core.schedules import Schedule

Strength = Any
"""What the field of a strength holds: a number, a range left to the search, or a schedule (checked when constructed);
in a built model, its dial."""


@dataclass(frozen=True)
class StrengthSpec:
    """How a strength was declared."""

    range: Range
    neutral: float | None
    domain: Domain
    log: bool
    dial: bool

    @property
    def whole(self) -> bool:
        """True for counts such as ``members``."""
        return isinstance(self.range, Int)

    def accept(self, value: Any) -> Strength:
        """Return ``value`` in its normal form; raise ValueError with the domain if it is outside."""
        if isinstance(value, Schedule):
            if not self.dial:
                raise ValueError(f"cannot be scheduled, received {value}")
            self._check(value.values())
            return value
        if isinstance(value, Choice):
            return Choice(tuple(self._number(option) for option in value.options))
        if isinstance(value, Float | Int):
            self._check(value.values())
            return Int(*value.values()) if self.whole else Float(*value.values())
        return self._number(value)

    def _number(self, value: Any) -> float:
        if isinstance(value, bool) or (not isinstance(value, int | float) and not _is_numpy_number(value)):
            raise ValueError(f"takes a number in {self.domain}, received {value!r}")
        self._check((value,))
        if self.whole and not is_whole(value):
            raise ValueError(f"takes a whole number in {self.domain}, received {value!r}")
        return int(value) if self.whole else float(value)

    def _check(self, values: tuple[float, ...]) -> None:
        for value in values:
            if value not in self.domain:
                raise ValueError(f"must lie in {self.domain}, received {format_number(value)}")


@dataclass(frozen=True)
class SettingSpec:
    """How a setting was declared: its kind is that of its default."""

    kind: type
    domain: Domain | None
    options: tuple[str, ...]

    def accept(self, value: Any) -> Any:
        """Return ``value`` in its normal form; raise ValueError with what is allowed."""
        if self.kind is tuple:
            items = value if isinstance(value, list | tuple) else [value]
            if not items:
                raise ValueError("takes at least one number, received an empty list")
            return tuple(self._whole(item) for item in items)
        if self.kind is int:
            return self._whole(value)
        if self.kind is float and isinstance(value, int | float) and not isinstance(value, bool):
            return self._inside(float(value))
        if isinstance(value, self.kind) and (not self.options or value in self.options):
            return value
        if self.options:
            raise ValueError(f"has no option {value!r}.{did_you_mean(str(value), self.options)}")
        raise ValueError(f"takes a {self.kind.__name__}, received {value!r}")

    def _whole(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float) or not is_whole(value):
            raise ValueError(f"takes whole numbers in {self.domain}, received {value!r}")
        return self._inside(int(value))

    def _inside(self, value: Any) -> Any:
        if self.domain is not None and value not in self.domain:
            raise ValueError(f"must lie in {self.domain}, received {format_number(value)}")
        return value


def strength(search: Range, *, neutral: float | None, domain: str, log: bool = False, dial: bool = True) -> Any:
    """Declare a strength.

    Args:
        search: where the search looks when the strength is not given; also the field's default.
        neutral: the value at which the regularizer does nothing, None if it has none.
        domain: the numbers it accepts, such as ``"[0, 1)"``.
        log: whether the search samples on a logarithmic scale.
        dial: whether it can be turned in a built model; a number that Python reads (a patience, a
            count) is no dial.
    """
    spec = StrengthSpec(search, neutral, Domain(domain), log, dial and not isinstance(search, Int))
    return dataclasses.field(default=search, metadata={"spec": spec})


def setting(default: Any, *, domain: str | None = None, options: tuple[str, ...] = ()) -> Any:
    """Declare a setting: a whole number, a number, a word, or a tuple of whole numbers, like ``default``."""
    spec = SettingSpec(type(default), Domain(domain) if domain else None, options)
    return dataclasses.field(default=default, metadata={"spec": spec})


def _is_numpy_number(value: Any) -> bool:
    return type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0
