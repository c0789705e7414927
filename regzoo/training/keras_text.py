"""A Keras object as text, ``sgd(momentum=0.95, nesterov=true)``: read, checked and normalized without Keras."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from regzoo.core.domain import Domain, format_literal, is_integer
from regzoo.core.errors import InputError, did_you_mean
from regzoo.core.grammar import Call, read_call
from regzoo.core.ranges import Choice, Float, Int

_NOTHING = "none"


@dataclass(frozen=True)
class Argument:
    """An argument of a Keras class, with the values that it takes.

    Attributes:
        default: used where it is left out; if it is None, the argument takes ``none`` too.
        domain: interval of its numbers; "" if it takes true or false, or, with ``names``, a list of names.
        whole: whether its numbers are whole.
        names: whether it takes a list of names.
        optional: whether it takes ``none`` though that is not its default.
    """

    default: Any
    domain: str = ""
    whole: bool = False
    names: bool = False
    optional: bool = False

    def accept(self, value: Any) -> Any:
        """Return ``value``, as the grammar reads it, as a value for Keras.

        Raises:
            ValueError: with what it takes and what was received.
        """
        plain = _to_plain(value)
        if plain == _NOTHING and self._takes_nothing:
            return None
        if self.names and isinstance(plain, list) and plain and all(isinstance(name, str) for name in plain):
            return plain
        if not self.domain and not self.names and isinstance(plain, bool):
            return plain
        if self.domain and isinstance(plain, int | float) and not isinstance(plain, bool) and self._holds(plain):
            return int(plain) if self.whole else float(plain)
        raise ValueError(f"takes {self._describe()}, received {format_value(plain)}")

    def _holds(self, value: float) -> bool:
        return value in Domain(self.domain) and (not self.whole or is_integer(value))

    def _describe(self) -> str:
        forms = f"a {'whole ' if self.whole else ''}number in {self.domain}" if self.domain else "true or false"
        if self.names:
            forms = "a list of names such as [head]"
        return f"{forms}{' or none' if self._takes_nothing else ''}"

    @property
    def _takes_nothing(self) -> bool:
        return self.optional or self.default is None


@dataclass(frozen=True)
class KerasClass:
    """A class of Keras that a text may name.

    Attributes:
        name: name of the class.
        arguments: its arguments, by name, in order.
    """

    name: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)


@dataclass(frozen=True)
class KerasText:
    """A class of Keras and its arguments, all of them in their domains; ``str()`` gives the normal form.

    Attributes:
        name: name in a config.
        kind: the class.
        given: the arguments that differ from their defaults.
    """

    name: str
    kind: KerasClass
    given: Mapping[str, Any]

    def __str__(self) -> str:
        written = ", ".join(f"{name}={format_value(value)}" for name, value in self.given.items())
        return f"{self.name}({written})" if written else self.name

    @property
    def arguments(self) -> dict[str, Any]:
        """Every argument, defaults included."""
        return {name: self.given.get(name, one.default) for name, one in self.kind.arguments.items()}


@dataclass(frozen=True)
class KerasTexts:
    """The classes of one kind that a text may name.

    Attributes:
        noun: what they are, such as ``optimizer``.
        classes: by name.
        aliases: other names that Keras gives them.
        refused: what Keras has and a text cannot name, and why.
        elsewhere: arguments that Keras has and a text does not take, and why.
    """

    noun: str
    classes: Mapping[str, KerasClass]
    aliases: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    def read(self, text: str) -> KerasText:
        """Return what ``text`` names.

        Raises:
            InputError: with the name, argument or value that is wrong, and what is allowed.
        """
        call = read_call(text)
        name = self._find(call.word)
        kind = self.classes[name]
        if call.positional:
            example = next(iter(kind.arguments), None)
            form = f"write {name}({example}=...)" if example else f"write {name} alone"
            raise InputError(f"{name} takes arguments by name, received {format_value(call.positional[0])}; {form}")
        given = {}
        for argument, value in call.keyword.items():
            given[argument] = self._accept(name, kind, argument, value)
        changed = {a: given[a] for a, one in kind.arguments.items() if a in given and given[a] != one.default}
        return KerasText(name, kind, changed)

    def _find(self, word: str) -> str:
        """Return the name that ``word`` means; underscores do not count, as they are no part of Keras's own names."""
        names = {_squeeze(name): name for name in self.classes} | {_squeeze(a): n for a, n in self.aliases.items()}
        if _squeeze(word) in names:
            return names[_squeeze(word)]
        for refused, reason in self.refused.items():
            if _squeeze(word) == _squeeze(refused):
                raise InputError(f"{word}: {reason}")
        near = did_you_mean(word, [*self.classes, *self.aliases])
        hint = near if "Did you mean" in near else ""
        raise InputError(f"takes one of {', '.join(self.classes)}, received {word}.{hint}")

    def _accept(self, name: str, kind: KerasClass, argument: str, value: Any) -> Any:
        if argument in self.elsewhere and argument not in kind.arguments:
            raise InputError(f"{name}: {argument}: {self.elsewhere[argument]}")
        if argument not in kind.arguments:
            hint = did_you_mean(argument, kind.arguments) if kind.arguments else " It takes none."
            raise InputError(f"{name} has no argument {argument!r}.{hint}")
        try:
            return kind.arguments[argument].accept(value)
        except ValueError as error:
            raise InputError(f"{name}: {argument} {error}") from None


def make_object(module: Any, text: KerasText, make: Callable[..., Any] | None = None, **further: Any) -> Any:
    """Return the object of Keras that ``text`` describes.

    Args:
        module: ``keras.optimizers`` or ``keras.losses``, which holds the class.
        text: the class and its arguments.
        make: a subclass to make in place of the class.
        **further: arguments that a text does not take.

    Raises:
        InputError: with Keras's own sentence, if Keras refuses the arguments.
    """
    try:
        return (make or getattr(module, text.kind.name))(**text.arguments, **further)
    except (TypeError, ValueError) as error:
        raise InputError(f"{text}: Keras refuses it: {' '.join(str(error).split())}") from error


def format_value(value: Any) -> str:
    """Return a value as a text writes it."""
    if value is None:
        return _NOTHING
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(format_value, value))}]"
    return format_literal(value) if isinstance(value, int | float) else str(value)


def _to_plain(value: Any) -> Any:
    """Return a flag for ``true`` and ``false``, and a word itself; a call with arguments as it is written."""
    if isinstance(value, list):
        return [_to_plain(item) for item in value]
    if isinstance(value, Float | Int | Choice):
        return f"{value}, which is more than one number"
    if not isinstance(value, Call):
        return value
    if value.positional or value.keyword:
        return f"{value.word}(...)"
    return {"true": True, "false": False}.get(value.word, value.word)


def _squeeze(name: str) -> str:
    return name.replace("_", "")
