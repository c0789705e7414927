"""Declarations of the fields of regularizers and backbones, with the values that they accept.

`strength` declares how strongly a regularizer acts: a number, a range left to the search, or a schedule. `selection`
declares at which layers. `setting` declares anything else.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from regzoo.core.domain import Domain, format_literal, is_integer
from regzoo.core.errors import did_you_mean
from regzoo.core.ranges import Choice, Cycles, DefaultCount, Float, Int, PerRun, Range
from regzoo.core.schedules import Schedule
from regzoo.core.selection import LayerSelection

Strength = Any
"""Type of a strength's field: a number, a range left to the search or a schedule, checked when constructed; in a built
model, its dial."""


Layers = Any
"""Type of ``on`` and ``exclude``: a text such as ``"conv|'head_*'"``, a list of words and names, a `LayerSelection` or
None, checked when constructed; then a `LayerSelection` or None."""


@dataclass(frozen=True)
class StrengthSpec:
    """Declaration of a strength; the attributes are the arguments of `strength`."""

    range: Range
    neutral: float | None
    domain: Domain
    log: bool
    dial: bool
    schedule: bool = True
    complement: bool = False
    default: int | None = None

    @property
    def integer(self) -> bool:
        """True for counts such as ``members``."""
        return isinstance(self.range, Int)

    def accept(self, value: Any) -> Strength:
        """Check ``value`` and return it as int, float, range or schedule.

        Raises:
            ValueError: with the domain, if the value lies outside or is not a number, range or schedule.
        """
        if isinstance(value, Schedule):
            if not (self.dial and self.schedule):
                raise ValueError(f"cannot be scheduled, received {value}")
            self._check_domain(value.values())
            return value
        if isinstance(value, PerRun | Cycles | DefaultCount):
            return value
        if isinstance(value, Choice):
            return Choice(tuple(self._to_number(option) for option in value.options))
        if isinstance(value, Float | Int):
            self._check_domain(value.values())
            return Int(*value.values()) if self.integer else Float(*value.values())
        return self._to_number(value)

    def _to_number(self, value: Any) -> float:
        if isinstance(value, bool) or (not isinstance(value, int | float) and not _is_numpy_number(value)):
            raise ValueError(f"takes a number in {self.domain}, received {value!r}")
        self._check_domain((value,))
        if self.integer and not is_integer(value):
            raise ValueError(f"takes a whole number in {self.domain}, received {value!r}")
        return int(value) if self.integer else float(value)

    def _check_domain(self, values: tuple[float, ...]) -> None:
        for value in values:
            if value not in self.domain:
                raise ValueError(f"must lie in {self.domain}, received {format_literal(value)}")


@dataclass(frozen=True)
class SettingSpec:
    """Declaration of a setting.

    Attributes:
        kind: type of the value, that of the default.
        domain: the numbers it accepts; None for all.
        options: the words it accepts; empty for all.
    """

    kind: type
    domain: Domain | None
    options: tuple[str, ...]

    def accept(self, value: Any) -> Any:
        """Check ``value`` and return it as the setting's type.

        Raises:
            ValueError: with the allowed values, if it is not one.
        """
        if self.kind is tuple:
            items = value if isinstance(value, list | tuple) else [value]
            if not items:
                raise ValueError("takes at least one number, received an empty list")
            return tuple(self._to_integer(item) for item in items)
        if self.kind is int:
            return self._to_integer(value)
        if self.kind is float and isinstance(value, int | float) and not isinstance(value, bool):
            return self._require_in_domain(float(value))
        if isinstance(value, self.kind) and (not self.options or value in self.options):
            return value
        if self.options:
            raise ValueError(f"has no option {value!r}.{did_you_mean(str(value), self.options)}")
        raise ValueError(f"takes a {self.kind.__name__}, received {value!r}")

    def _to_integer(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float) or not is_integer(value):
            raise ValueError(f"takes whole numbers in {self.domain}, received {value!r}")
        return self._require_in_domain(int(value))

    def _require_in_domain(self, value: Any) -> Any:
        if self.domain is not None and value not in self.domain:
            raise ValueError(f"must lie in {self.domain}, received {format_literal(value)}")
        return value


@dataclass(frozen=True)
class SelectionSpec:
    """Declaration of a selection of layers, ``on`` or ``exclude``."""

    def accept(self, value: Any) -> LayerSelection | None:
        """Check ``value`` and return it as a selection; None stays None.

        Raises:
            ValueError: with what is allowed, if it is none.
        """
        return None if value is None else LayerSelection.of(value)


def strength(
    search: Range,
    *,
    neutral: float | None,
    domain: str,
    log: bool = False,
    dial: bool = True,
    schedule: bool = True,
    complement: bool = False,
    default: int | None = None,
) -> Any:
    """Declare a strength.

    Args:
        search: the range to search when the strength is not given; also the field's default, if there is no other.
        neutral: the value at which the regularizer does nothing; None if there is none.
        domain: the numbers it accepts, such as ``"[0, 1)"``.
        log: True if the search samples on a logarithmic scale.
        dial: True if it can be changed in a built model. A number that Python code reads (a patience, a count) cannot.
        schedule: True if a dial can change over epochs; one that is read once, at the start of a run, cannot.
        complement: True if the search samples 1 - strength on a logarithmic scale: 0.9, 0.99 and 0.999 are then as far
            from one another.
        default: the number, a budget, that it has when not given; it is searched only if a recipe gives a range.
    """
    spec = StrengthSpec(
        search, neutral, Domain(domain), log, dial and not isinstance(search, Int), schedule, complement, default
    )
    return dataclasses.field(default=search if default is None else DefaultCount(default), metadata={"spec": spec})


def setting(default: Any, *, domain: str | None = None, options: tuple[str, ...] = ()) -> Any:
    """Declare a setting of the type of ``default``: a bool, an int, a float, a str, or a tuple of ints.

    Args:
        default: the value if none is given.
        domain: the numbers it accepts, such as ``"[1, inf)"``.
        options: the words it accepts.
    """
    spec = SettingSpec(type(default), Domain(domain) if domain else None, options)
    return dataclasses.field(default=default, metadata={"spec": spec})


def selection() -> Any:
    """Declare a selection of layers."""
    return dataclasses.field(default=None, metadata={"spec": SelectionSpec()})


def _is_numpy_number(value: Any) -> bool:
    return type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0
