"""``recipe.json`` as a file: its text, its own digest, and its values read from a file that anyone may have written."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from regzoo.core.errors import InputError

RECIPE_FILE = "recipe.json"
"""Describes an exported model; its name alone does not prove that regzoo wrote the folder."""

VERSION = 2
"""Format of ``recipe.json``. Format 1 had no version, no digest of its own and no digest of ``README.md``."""

MAX_BYTES = 2**24
"""Largest ``recipe.json`` that is read; one with 10,000 columns and 10,000 labels has about a megabyte."""


def format_recipe_json(values: Mapping[str, Any]) -> str:
    """Return the text of ``recipe.json`` with ``values``; strict JSON, the same for the same values."""
    return json.dumps(values, indent=2, allow_nan=False) + "\n"


def seal_recipe_json(values: Mapping[str, Any]) -> str:
    """Return the text of ``recipe.json`` with ``values``, its version first and its own digest last."""
    numbered = {"version": VERSION, **values}
    return format_recipe_json(numbered | {"digest": _digest_json(numbered)})


def is_unchanged_json(values: Mapping[str, Any], text: str) -> bool:
    """Return True if ``text``, which holds ``values``, is to the byte what `seal_recipe_json` returned.

    Of format 1, which has no digest of its own, only the layout is compared.
    """
    try:
        if format_recipe_json(values) != text:
            return False
    except ValueError:  # a number too large for a float
        return False
    if not {"version", "digest"} & set(values):
        return True
    rest = {key: value for key, value in values.items() if key != "digest"}
    return values.get("version") == VERSION and values.get("digest") == _digest_json(rest)


def read_recipe_json(folder: Path) -> tuple[dict[str, Any], str]:
    """Return the values of ``recipe.json`` in ``folder``, and its text.

    Raises:
        InputError: if it is no file, too large, or not a JSON object; the message begins with its path.
    """
    path = folder / RECIPE_FILE
    try:
        text = _read_file(path).decode("utf-8")
        values = json.loads(text, parse_constant=_reject_constant)
        json.dumps(values, ensure_ascii=False).encode("utf-8")  # no half of a surrogate pair
    except RecursionError:
        raise InputError(f"{path}: is no recipe that regzoo wrote: it is nested too deeply") from None
    except ValueError as error:
        raise InputError(f"{path}: is no recipe that regzoo wrote: {str(error)[:200]}") from None
    if not isinstance(values, dict):
        raise InputError(f"{path}: is no recipe that regzoo wrote: it holds a {type(values).__name__}, not an object")
    return values, text


def _read_file(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe would wait for a writer
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InputError(f"{path}: is not a file, so this is no model that regzoo exported")
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise InputError(f"{path}: is no recipe that regzoo wrote: it has more than {MAX_BYTES:,} bytes")
    return content


def _digest_json(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(format_recipe_json(values).encode()).hexdigest()


def _reject_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not strict JSON")
