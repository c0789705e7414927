"""Named: a frozen dataclass that is written ``name(value, field=value)`` and read back equal.

Regularizers and backbones are Named: they check their fields when constructed, with the field, the value
and the domain in the message, and they hold no state.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

from regzoo.core.domain import format_number
from regzoo.core.errors import InputError, did_you_mean
from regzoo.core.fields import SettingSpec, StrengthSpec
from regzoo.core.grammar import Call
from regzoo.core.schedules import SCHEDULES

_WORD_ENDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

N = TypeVar("N", bound="Component")


@dataclass(frozen=True)
class Component:
    """Base of everything that a config can name."""

    name: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.name = _WORD_ENDS.sub("_", cls.__name__).lower()

    def __post_init__(self) -> None:
        for field, spec in specs(type(self)).items():
            try:
                value = spec.accept(getattr(self, field))
            except ValueError as error:
                raise InputError(f"{self.name}: {field} {error}") from None
            object.__setattr__(self, field, value)

    def __str__(self) -> str:
        given = [(f.name, getattr(self, f.name)) for f in dataclasses.fields(self)]
        given = [(f, value) for f, value in given if value != self._default(f)]
        first = dataclasses.fields(self)[0].name if dataclasses.fields(self) else ""
        if not given:
            return self.name
        if len(given) == 1 and given[0][0] == first:
            return f"{self.name}({_write(given[0][1])})"
        return f"{self.name}({', '.join(f'{field}={_write(value)}' for field, value in given)})"

    def in_full(self) -> str:
        """As it is written, with the fields at their defaults too."""
        fields = ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self))
        written = ", ".join(f"{name}={_write(value)}" for name, value in fields)
        return f"{self.name}({written})" if written else self.name

    def with_values(self, **values: Any) -> Self:
        """Return a copy with these fields as they are, unchecked: how a dial takes a number's place."""
        copy = dataclasses.replace(self)
        for field, value in values.items():
            object.__setattr__(copy, field, value)
        return copy

    @classmethod
    def _default(cls, field: str) -> Any:
        return next(f.default for f in dataclasses.fields(cls) if f.name == field)


def specs(kind: type[Component]) -> dict[str, StrengthSpec | SettingSpec]:
    """The declarations of a class's fields, in order.

    Raises:
        TypeError: if a field has no declaration.
    """
    for f in dataclasses.fields(kind):
        if "spec" not in f.metadata:
            raise TypeError(f"{kind.__name__}.{f.name} must be declared by strength(...) or setting(...)")
    return {f.name: f.metadata["spec"] for f in dataclasses.fields(kind)}


def construct(call: Call, kinds: dict[str, type[N]], what: str) -> N:
    """Look ``call`` up in ``kinds`` and construct it; InputError says what is wrong and what there is."""
    if call.word not in kinds:
        raise InputError(f"there is no {what} {call.word!r}.{did_you_mean(call.word, kinds)}")
    kind = kinds[call.word]
    names = list(specs(kind))
    if len(call.positional) > len(names):
        most = "1 value" if len(names) == 1 else f"{len(names)} values"
        raise InputError(f"{call.word} takes at most {most}, received {len(call.positional)}")
    given = dict(zip(names, call.positional, strict=False))
    for field, value in call.keyword.items():
        if field not in names:
            hint = did_you_mean(field, names) if names else " It takes none."
            raise InputError(f"{call.word} has no field {field!r}.{hint}")
        if field in given:
            raise InputError(f"{call.word} received {field} twice")
        given[field] = value
    return kind(**{field: _resolve(value) for field, value in given.items()})


def _resolve(value: Any) -> Any:
    """A word inside a call is a schedule if it has arguments, else itself."""
    if isinstance(value, list):
        return [_resolve(item) for item in value]
    if not isinstance(value, Call):
        return value
    if not (value.positional or value.keyword):
        return {"true": True, "false": False}.get(value.word, value.word)
    if value.word not in SCHEDULES:
        raise InputError(f"there is no schedule {value.word!r}.{did_you_mean(value.word, SCHEDULES)}")
    try:
        return SCHEDULES[value.word](*value.positional, **value.keyword)
    except TypeError:
        form = "constant(0.5)" if value.word == "constant" else f"{value.word}(0.5, 0.0, epochs=20)"
        raise InputError(f"{value.word} is written {form}") from None
    except ValueError as error:
        raise InputError(f"{value.word}: {error}") from None


def _write(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return format_number(value)
    if isinstance(value, tuple):
        return f"[{', '.join(_write(item) for item in value)}]"
    return str(value)
