"""Base class `Component` of regularizers and backbones: a frozen dataclass with a text form that parses back equal.

The text form is ``name(value, field=value)``. Components check their fields when constructed, with the field, the
value and the domain in the message, and hold no state.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

from regzoo.core.domain import format_literal
from regzoo.core.errors import InputError, did_you_mean
from regzoo.core.fields import SelectionSpec, SettingSpec, StrengthSpec
from regzoo.core.grammar import Call
from regzoo.core.ranges import DefaultCount
from regzoo.core.schedules import SCHEDULES
from regzoo.core.selection import SELECTIONS

_WORD_ENDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

C = TypeVar("C", bound="Component")


@dataclass(frozen=True)
class Component:
    """Base class of everything that a config can name."""

    name: ClassVar[str]
    """Name in a config, derived from the class's name: ``EarlyStopping`` is ``early_stopping``."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.name = make_name(cls.__name__)

    def __post_init__(self) -> None:
        for field, spec in get_specs(type(self)).items():
            try:
                value = spec.accept(getattr(self, field))
            except ValueError as error:
                raise InputError(f"{self.name}: {field} {error}") from None
            object.__setattr__(self, field, value)

    def __str__(self) -> str:
        names = list(get_specs(type(self)))
        values = {name: getattr(self, name) for name in names}
        given = {name: value for name, value in values.items() if not _is_default(value, self._get_default(name))}
        own = [name for name in given if name not in SELECTIONS]
        alone = own == names[:1]  # then it is written without its name
        written = [
            f"{'' if alone and name in own else f'{name}='}{_format_value(value)}" for name, value in given.items()
        ]
        return f"{self.name}({', '.join(written)})" if written else self.name

    def to_full_text(self) -> str:
        """Return the text form with every field, defaults included."""
        fields = ((name, getattr(self, name)) for name in get_specs(type(self)))
        written = ", ".join(f"{name}={_format_value(value)}" for name, value in fields if value is not None)
        return f"{self.name}({written})" if written else self.name

    def with_values(self, **values: Any) -> Self:
        """Return a copy with these fields, unchecked, so that a dial can replace a number."""
        copy = dataclasses.replace(self)
        for field, value in values.items():
            object.__setattr__(copy, field, value)
        return copy

    @classmethod
    def explain_missing_field(cls, field: str) -> str | None:
        """Return a sentence on why there is no ``field`` where others of its kind have it, or None."""
        return None

    @classmethod
    def _get_default(cls, field: str) -> Any:
        return next(f.default for f in dataclasses.fields(cls) if f.name == field)


def _is_default(value: Any, default: Any) -> bool:
    """Return True if a field's value was not given: the number of a budget may be given as well."""
    return bool(value == default) and isinstance(value, DefaultCount) == isinstance(default, DefaultCount)


def make_name(class_name: str) -> str:
    """Return the config name of a class.

    >>> make_name("EarlyStopping"), make_name("L1L2"), make_name("L2SP")
    ('early_stopping', 'l1_l2', 'l2_sp')
    """
    return _WORD_ENDS.sub("_", class_name).lower()


def get_specs(kind: type[Component]) -> dict[str, StrengthSpec | SettingSpec | SelectionSpec]:
    """Return the declarations of a class's fields, by name, in order; those given by name only come last.

    Raises:
        TypeError: if a field has no declaration.
    """
    for f in dataclasses.fields(kind):
        if "spec" not in f.metadata:
            raise TypeError(f"{kind.__name__}.{f.name} must be declared by strength(...) or setting(...)")
    return {f.name: f.metadata["spec"] for f in sorted(dataclasses.fields(kind), key=lambda f: f.kw_only is True)}


def construct(call: Call, kinds: dict[str, type[C]], noun: str) -> C:
    """Construct the component that ``call`` names.

    Args:
        call: the parsed text.
        kinds: classes by name.
        noun: word for one of ``kinds`` in messages, such as ``regularizer``.

    Raises:
        InputError: if the name or a field is unknown, or a value is not allowed.
    """
    if call.word not in kinds:
        raise InputError(f"there is no {noun} {call.word!r}.{did_you_mean(call.word, kinds)}")
    kind = kinds[call.word]
    specs = get_specs(kind)
    names = [f.name for f in dataclasses.fields(kind) if f.kw_only is not True]
    if len(call.positional) > len(names):
        most = "1 value" if len(names) == 1 else f"{len(names)} values"
        raise InputError(f"{call.word} takes at most {most}, received {len(call.positional)}")
    given = dict(zip(names, call.positional, strict=False))
    for field, value in call.keyword.items():
        if field not in specs:
            reason = kind.explain_missing_field(field)
            hint = did_you_mean(field, specs) if specs else " It takes none."
            raise InputError(f"{call.word}: {reason}" if reason else f"{call.word} has no field {field!r}.{hint}")
        if field in given:
            raise InputError(f"{call.word} received {field} twice")
        given[field] = value
    return kind(**{field: _resolve(value) for field, value in given.items()})


def _resolve(value: Any) -> Any:
    """Return a schedule for a word with arguments, a bool or the word itself for one without."""
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


def _format_value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return format_literal(value)
    if isinstance(value, tuple):
        return f"[{', '.join(_format_value(item) for item in value)}]"
    return str(value)
