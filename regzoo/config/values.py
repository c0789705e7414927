"""Values: what a key of a config accepts, from a YAML file (`Scalar`) or from Python.

Each function returns the value in its normal form or raises ValueError with what is allowed and what was
received; pydantic collects these errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError, ValidationInfo
from pydantic_core import InitErrorDetails

from regzoo.config.yaml_source import Nested, Scalar
from regzoo.core.domain import Domain
from regzoo.core.errors import did_you_mean
from regzoo.core.grammar import read_value
from regzoo.core.parsing import as_recipe
from regzoo.core.ranges import Choice, Float, Int
from regzoo.core.regularizer import BASELINE, Recipe, Regularizer

_FOLDER = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
LONGEST_NAME = 100
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h)")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
NO_AUTO = "auto was removed: whole suites took 108 s with XLA and 78 s without; write true or false"
_MOST_BITS = 1000  # a larger whole number overflows when it becomes a float


def received(value: Any) -> str:
    """Say what was received, in one short line."""
    said = str(value) if isinstance(value, Scalar | Nested) else _python(value)
    said = " ".join(said.split())
    return said if len(said) <= 80 else f"{said[:77]}..."


def _python(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "a list"
    return "keys and values" if isinstance(value, dict) else repr(value)


def whole(domain: str) -> Callable[[Any], int]:
    """Accept a whole number in ``domain``."""

    def accept(value: Any) -> int:
        plain = _plain(value)
        if not _is_number(plain) or plain not in Domain(domain) or plain != int(plain):
            raise ValueError(f"takes a whole number in {domain}, received {received(value)}")
        return int(plain)

    return accept


def whole_or(domain: str, word: str) -> Callable[[Any], Any]:
    """Accept a whole number in ``domain``, or ``word``."""
    single = whole(domain)

    def accept(value: Any) -> Any:
        plain = _plain(value)
        if not isinstance(plain, str):
            return single(value)
        if plain != word:
            raise ValueError(f"takes a whole number in {domain} or {word}, received {received(value)}")
        return plain

    return accept


def number(domain: str) -> Callable[[Any], float]:
    """Accept a number in ``domain``."""

    def accept(value: Any) -> float:
        plain = _plain(value)
        if not _is_number(plain) or plain not in Domain(domain):
            raise ValueError(f"takes a number in {domain}, received {received(value)}")
        return float(plain)

    return accept


def searchable(domain: str) -> Callable[[Any], float | Float | Choice]:
    """Accept a number in ``domain``, a range such as ``0.0003..0.01`` or a choice such as ``0.001|0.003``."""
    single = number(domain)

    def accept(value: Any) -> float | Float | Choice:
        plain = _plain(value)
        if isinstance(plain, str) and (".." in plain or "|" in plain):
            plain = read_value(plain)
        if isinstance(plain, Float | Int | Choice):
            ends = [single(end) for end in plain.values()]
            return Choice(tuple(ends)) if isinstance(plain, Choice) else Float(*ends)
        if not _is_number(plain):
            forms = "a range such as 0.0003..0.01 or a choice such as 0.001|0.003"
            raise ValueError(f"takes a number in {domain}, {forms}, received {received(value)}")
        return single(value)

    return accept


def duration(value: Any) -> float:
    """Accept a length of time such as ``90s``, ``10m`` or ``1.5h``; return seconds. A bare number is seconds."""
    plain = _plain(value)
    written = _DURATION.fullmatch(str(plain).strip()) if isinstance(plain, str) else None
    seconds = float(written[1]) * _UNITS[written[2]] if written else plain
    if not _is_number(seconds) or seconds not in Domain("(0, inf)"):
        raise ValueError(f"takes a length of time such as 90s, 10m or 1.5h, received {received(value)}")
    return float(seconds)


def text(value: Any) -> str:
    """Accept text that is not empty; the text of a number counts as it stands."""
    plain = value.text if isinstance(value, Scalar) and value.kind in ("text", "number") else _plain(value)
    if not isinstance(plain, str) or not plain.strip():
        raise ValueError(f"takes text, received {received(value)}")
    return plain


def columns(value: Any) -> str | tuple[str, ...]:
    """Accept the name of a column, or a list of several; a list of one is its one."""
    if not isinstance(value, list | tuple):
        return text(value)
    names = tuple(text(item) for item in value)
    twice = [name for name in names if names.count(name) > 1]
    if twice or not names:
        said = f"{twice[0]!r} twice" if twice else "an empty list"
        raise ValueError(f"takes the name of a column, or a list of different ones, received {said}")
    return names if len(names) > 1 else names[0]


def flag(value: Any) -> bool:
    """Accept true or false."""
    plain = _plain(value)
    if not isinstance(plain, bool):
        raise ValueError(f"takes true or false, received {received(value)}")
    return plain


def jit_compile(value: Any) -> bool:
    """Accept true or false; say of ``auto`` that it was removed."""
    if _plain(value) == "auto":
        raise ValueError(NO_AUTO)
    return flag(value)


def size(value: Any) -> tuple[int, int]:
    """Accept the height and the width of images, ``[32, 48]``."""
    plain = _plain(value)
    if not isinstance(plain, list | tuple) or len(plain) != 2:
        said = f"a list of {len(plain)}" if isinstance(plain, list | tuple) else received(value)
        raise ValueError(f"takes [height, width] in pixels, such as [32, 32], received {said}")
    height, width = (whole("[1, inf)")(side) for side in plain)
    return height, width


def word(options: tuple[str, ...], unlisted: tuple[str, ...] = ()) -> Callable[[Any], str]:
    """Accept one of ``options``, or one of ``unlisted``, which no message mentions."""

    def accept(value: Any) -> str:
        plain = _plain(value)
        if isinstance(plain, str) and plain in (*options, *unlisted):
            return plain
        hint = did_you_mean(plain, options) if isinstance(plain, str) else ""
        near = hint if "Did you mean" in hint else ""
        raise ValueError(f"takes one of {', '.join(options)}, received {received(value)}.{near}")

    return accept


def folder(value: Any) -> str:
    """Accept the name of a folder that is safe on every system."""
    name = str(value) if isinstance(value, int) and not isinstance(value, bool) else text(value)
    if not _FOLDER.fullmatch(name) or len(name) > LONGEST_NAME:
        allowed = f"up to {LONGEST_NAME} letters (a to z), digits, '.', '_' or '-', not starting with a dot"
        raise ValueError(f"takes a folder name: {allowed}, received {received(value)}")
    return name


def path(value: Any, info: ValidationInfo) -> Path:
    """Accept a path; a relative one is taken from the config's folder."""
    written = Path(value if isinstance(value, Path) else text(value))
    if isinstance(value, Scalar | str) and "://" in text(value):
        raise ValueError(f"takes a path on this machine, received {received(value)}; fetch the file first")
    if "\0" in str(written):
        raise ValueError(f"takes a path, received {received(value)}")
    try:
        written = written.expanduser()
    except RuntimeError:
        raise ValueError(f"takes a path, received {received(value)}: there is no such home folder") from None
    base: Path = (info.context or {}).get("base", Path.cwd())
    return (base / written).absolute()


def optional(accept: Callable[..., Any]) -> Callable[..., Any]:
    """Accept nothing as well, which is as good as leaving the key out."""
    if accept is path:
        return lambda value, info: None if _plain(value) is None else path(value, info)
    return lambda value: None if _plain(value) is None else accept(value)


def recipes(value: Any) -> tuple[str, ...]:
    """Accept a list of recipes; the baseline comes first unless it is listed."""
    if not isinstance(value, list | tuple) or not value:
        said = "an empty list" if isinstance(value, list | tuple) else received(value)
        raise ValueError(f"takes a list of recipes such as [none, dropout, l2], received {said}")
    names: dict[str, int] = {}
    problems: list[InitErrorDetails] = []
    for index, item in enumerate(value):
        try:
            name = _recipe(item)
            if name in names:
                raise ValueError(f"{name!r} is listed twice, it is recipe {names[name] + 1} as well; keep one")
            names[name] = index
        except ValueError as error:
            problems.append({"type": "value_error", "loc": (index,), "input": item, "ctx": {"error": error}})
    if problems:
        raise ValidationError.from_exception_data("recipes", problems)
    return tuple(names) if BASELINE in names else (BASELINE, *names)


def _recipe(item: Any) -> str:
    if isinstance(item, Recipe | Regularizer):
        return str(as_recipe(item))
    if not isinstance(item, Scalar | str):
        raise ValueError(f"a recipe is text such as dropout(0.5) + l2, received {received(item)}")
    written = text(item)
    if written.count("(") != written.count(")") or written.count("[") != written.count("]"):
        way_out = "inside [a, b] YAML cuts at commas, so write one recipe a line after a dash, or use quotes"
        raise ValueError(f"cannot read {written!r}: brackets do not match ({way_out})")
    return str(as_recipe(written))


def _plain(value: Any) -> Any:
    if isinstance(value, Scalar):
        return value.value
    return value.item() if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0 else value


def _is_number(value: Any) -> bool:
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return False
    return isinstance(value, int | float) and not isinstance(value, bool)
