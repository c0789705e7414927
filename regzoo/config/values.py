"""Validators for the values of a config, from a YAML file (`Scalar`) or from Python.

Each validator returns the value in normal form, or raises ValueError with what is allowed and what was received;
pydantic collects these errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError, ValidationInfo
from pydantic_core import InitErrorDetails

from regzoo.config.yaml_source import Collection, Scalar
from regzoo.core.domain import Domain
from regzoo.core.errors import did_you_mean
from regzoo.core.grammar import read_value
from regzoo.core.parsing import as_recipe
from regzoo.core.ranges import Choice, Float, Int
from regzoo.core.regularizer import BASELINE, Recipe, Regularizer
from regzoo.training.keras_text import KerasText
from regzoo.training.loss_names import read_loss
from regzoo.training.optimizer_names import COMPILED, read_optimizer

LONGEST_NAME = 100
NO_AUTO = "auto was removed: whole suites took 108 s with XLA and 78 s without; write true or false"

_FOLDER_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_MAX_BITS = 1000  # a larger integer overflows when it becomes a float


def describe_received(value: Any) -> str:
    """Return what was received, in one short line."""
    shown = str(value) if isinstance(value, Scalar | Collection) else _describe_python(value)
    shown = " ".join(shown.split())
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


def _describe_python(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "a list"
    return "keys and values" if isinstance(value, dict) else repr(value)


LARGEST = 1_000_000
"""The largest count of epochs, folds or rows of a batch."""

MOST_RUNS = 10_000
"""The largest number of trials or replicates of a recipe."""

MOST_SEARCHES = 1_000
"""The largest number of searches of a recipe."""


def accept_integer(domain: str, largest: int = LARGEST) -> Callable[[Any], int]:
    """Return a validator of integers in ``domain`` up to ``largest``."""

    def accept(value: Any) -> int:
        plain = _to_python(value)
        if not _is_number(plain) or plain not in Domain(domain) or plain != int(plain):
            raise ValueError(f"takes a whole number in {domain}, received {describe_received(value)}")
        if plain > largest:
            raise ValueError(f"takes a whole number up to {largest:,}, received {describe_received(value)}")
        return int(plain)

    return accept


def accept_integer_or(domain: str, word: str, largest: int = LARGEST) -> Callable[[Any], Any]:
    """Return a validator of integers in ``domain`` up to ``largest``, and of ``word``."""
    integer = accept_integer(domain, largest)

    def accept(value: Any) -> Any:
        plain = _to_python(value)
        if not isinstance(plain, str):
            return integer(value)
        if plain != word:
            raise ValueError(f"takes a whole number in {domain} or {word}, received {describe_received(value)}")
        return plain

    return accept


def accept_number(domain: str) -> Callable[[Any], float]:
    """Return a validator of numbers in ``domain``."""

    def accept(value: Any) -> float:
        plain = _to_python(value)
        if not _is_number(plain) or plain not in Domain(domain):
            raise ValueError(f"takes a number in {domain}, received {describe_received(value)}")
        return float(plain)

    return accept


def accept_searchable(domain: str) -> Callable[[Any], float | Float | Choice]:
    """Return a validator of numbers in ``domain``, ranges such as ``0.0003..0.01`` and choices as ``0.001|0.003``."""
    number = accept_number(domain)

    def accept(value: Any) -> float | Float | Choice:
        plain = _to_python(value)
        if isinstance(plain, str) and (".." in plain or "|" in plain):
            plain = read_value(plain)
        if isinstance(plain, Float | Int | Choice):
            ends = [number(end) for end in plain.values()]
            return Choice(tuple(ends)) if isinstance(plain, Choice) else Float(*ends)
        if not _is_number(plain):
            forms = "a range such as 0.0003..0.01 or a choice such as 0.001|0.003"
            raise ValueError(f"takes a number in {domain}, {forms}, received {describe_received(value)}")
        return number(value)

    return accept


def accept_duration(value: Any) -> float:
    """Accept a length of time such as ``90s``, ``10m`` or ``1.5h``; return seconds. A bare number is seconds."""
    plain = _to_python(value)
    found = _DURATION.fullmatch(str(plain).strip()) if isinstance(plain, str) else None
    seconds = float(found[1]) * _SECONDS[found[2]] if found else plain
    if not _is_number(seconds) or seconds not in Domain("(0, inf)"):
        raise ValueError(f"takes a length of time such as 90s, 10m or 1.5h, received {describe_received(value)}")
    return float(seconds)


def accept_text(value: Any) -> str:
    """Accept text that is not empty; a number is accepted as the text that it was written as."""
    plain = value.text if isinstance(value, Scalar) and value.kind in ("text", "number") else _to_python(value)
    if not isinstance(plain, str) or not plain.strip():
        raise ValueError(f"takes text, received {describe_received(value)}")
    return plain


def accept_columns(value: Any) -> str | tuple[str, ...]:
    """Accept the name of a column, or a list of names; a list of one name is that name."""
    if not isinstance(value, list | tuple):
        return accept_text(value)
    names = tuple(accept_text(item) for item in value)
    twice = [name for name in names if names.count(name) > 1]
    if twice or not names:
        shown = f"{twice[0]!r} twice" if twice else "an empty list"
        raise ValueError(f"takes the name of a column, or a list of different ones, received {shown}")
    return names if len(names) > 1 else names[0]


def accept_flag(value: Any) -> bool:
    """Accept true or false."""
    plain = _to_python(value)
    if not isinstance(plain, bool):
        raise ValueError(f"takes true or false, received {describe_received(value)}")
    return plain


def accept_jit_compile(value: Any) -> bool:
    """Accept true or false; the error for ``auto`` explains that it was removed."""
    if _to_python(value) == "auto":
        raise ValueError(NO_AUTO)
    return accept_flag(value)


def accept_size(value: Any) -> tuple[int, int]:
    """Accept the height and the width of images, ``[32, 48]``."""
    plain = _to_python(value)
    if not isinstance(plain, list | tuple) or len(plain) != 2:
        shown = f"a list of {len(plain)}" if isinstance(plain, list | tuple) else describe_received(value)
        raise ValueError(f"takes [height, width] in pixels, such as [32, 32], received {shown}")
    height, width = (accept_integer("[1, inf)")(side) for side in plain)
    return height, width


def accept_word(options: tuple[str, ...], unlisted: tuple[str, ...] = ()) -> Callable[[Any], str]:
    """Return a validator of the words in ``options``, and of those in ``unlisted``, which no message mentions."""

    def accept(value: Any) -> str:
        plain = _to_python(value)
        if isinstance(plain, str) and plain in (*options, *unlisted):
            return plain
        hint = did_you_mean(plain, options) if isinstance(plain, str) else ""
        near = hint if "Did you mean" in hint else ""
        raise ValueError(f"takes one of {', '.join(options)}, received {describe_received(value)}.{near}")

    return accept


def accept_optimizer(value: Any) -> str:
    """Accept an optimizer of Keras such as ``sgd(momentum=0.95)``, or ``compiled``; return its normal form."""
    return _accept_keras_text(value, read_optimizer, "an optimizer such as adam or sgd(momentum=0.95)")


def accept_loss(value: Any) -> str:
    """Accept a loss of Keras such as ``huber(delta=0.5)``, or ``compiled``; return its normal form."""
    return _accept_keras_text(value, read_loss, "a loss such as huber(delta=0.5)")


def _accept_keras_text(value: Any, read: Callable[[str], KerasText], form: str) -> str:
    plain = _to_python(value)
    if not isinstance(plain, str) or not plain.strip():
        raise ValueError(f"takes {form}, as text, received {describe_received(value)}")
    _require_matching_brackets(plain, "inside {a: 1, b: 2} YAML splits at commas, so write one key a line")
    return plain.strip() if plain.strip() == COMPILED else str(read(plain))


def accept_folder_name(value: Any) -> str:
    """Accept a folder name that is valid on every operating system."""
    name = str(value) if isinstance(value, int) and not isinstance(value, bool) else accept_text(value)
    if not _FOLDER_NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        allowed = f"up to {LONGEST_NAME} letters (a to z), digits, '.', '_' or '-', not starting with a dot"
        raise ValueError(f"takes a folder name: {allowed}, received {describe_received(value)}")
    return name


def accept_path(value: Any, info: ValidationInfo) -> Path:
    """Accept a path; a relative one starts at the folder of the config."""
    path = Path(value if isinstance(value, Path) else accept_text(value))
    if isinstance(value, Scalar | str) and "://" in accept_text(value):
        raise ValueError(f"takes a path on this machine, received {describe_received(value)}; fetch the file first")
    if "\0" in str(path) or str(path).encode("utf-8", "replace").decode() != str(path):
        raise ValueError(f"takes a path, received {describe_received(value)}")
    try:
        path = path.expanduser()
    except RuntimeError:
        raise ValueError(f"takes a path, received {describe_received(value)}: there is no such home folder") from None
    base: Path = (info.context or {}).get("base", Path.cwd())
    return (base / path).absolute()


def accept_function(value: Any, info: ValidationInfo) -> str:
    """Accept a function in a Python file, ``models.py:build``; a relative path starts at the folder of the config."""
    file, colon, name = accept_text(value).rpartition(":")
    if not (colon and file.endswith(".py") and name.isidentifier()):
        raise ValueError(
            f"takes a file and a function in it, such as models.py:build, received {describe_received(value)}"
        )
    return f"{accept_path(file, info)}:{name}"


def optional(accept: Callable[..., Any]) -> Callable[..., Any]:
    """Return a validator that also accepts nothing, which has the effect of leaving the key out."""
    if accept in (accept_path, accept_function):
        return lambda value, info: None if _to_python(value) is None else accept(value, info)
    return lambda value: None if _to_python(value) is None else accept(value)


def accept_recipes(value: Any) -> tuple[str, ...]:
    """Accept a list of recipes; the baseline is put first unless it is listed."""
    if not isinstance(value, list | tuple) or not value:
        shown = "an empty list" if isinstance(value, list | tuple) else describe_received(value)
        raise ValueError(f"takes a list of recipes such as [none, dropout, l2], received {shown}")
    names: dict[str, int] = {}
    problems: list[InitErrorDetails] = []
    for index, item in enumerate(value):
        try:
            name = _accept_recipe(item)
            if name in names:
                raise ValueError(f"{name!r} is listed twice, it is recipe {names[name] + 1} as well; keep one")
            names[name] = index
        except ValueError as error:
            problems.append({"type": "value_error", "loc": (index,), "input": item, "ctx": {"error": error}})
    if problems:
        raise ValidationError.from_exception_data("recipes", problems)
    return tuple(names) if BASELINE in names else (BASELINE, *names)


def _accept_recipe(item: Any) -> str:
    if isinstance(item, Recipe | Regularizer):
        return str(as_recipe(item))
    if not isinstance(item, Scalar | str):
        raise ValueError(f"a recipe is text such as dropout(0.5) + l2, received {describe_received(item)}")
    text = accept_text(item)
    _require_matching_brackets(text, "inside [a, b] YAML splits at commas, so write one recipe a line after a dash")
    return str(as_recipe(text))


def _require_matching_brackets(text: str, way_out: str) -> None:
    outside = re.sub(r"""'[^']*'|"[^"]*\"""", "", text)  # the names of layers may hold brackets
    if outside.count("(") != outside.count(")") or outside.count("[") != outside.count("]"):
        raise ValueError(f"cannot read {text!r}: brackets do not match ({way_out}, or use quotes)")


def _to_python(value: Any) -> Any:
    """Return a YAML or NumPy scalar as a Python value, and everything else unchanged."""
    if isinstance(value, Scalar):
        return value.value
    return value.item() if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0 else value


def _is_number(value: Any) -> bool:
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        return False
    return isinstance(value, int | float) and not isinstance(value, bool)
