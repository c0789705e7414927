"""Read what a ``.keras`` file holds before Keras loads any of it: the file may be damaged or hostile."""

from __future__ import annotations

import io
import itertools
import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from regzoo.core import InputError
from regzoo.system.memory import get_available_memory

SUFFIX = ".keras"

CONFIG = "config.json"  # in the archive

MAX_EXPANSION = 100
"""Times its size in the archive that a part may have when it is read; Keras writes parts uncompressed."""

SMALL_PART = 2**26
"""Bytes of a part that may have been compressed more."""

MAX_DEPTH = 200
"""Lists and objects of a config inside one another; a layer inside forty models inside one another has fewer."""

_TEXTS = ("module", "class_name", "registered_name")
"""Keys whose values are text, or null, wherever Keras writes them."""


def read_archive_config(archive: bytes, what: str) -> dict[str, Any]:
    """Return the config in ``archive``, a ``.keras`` file, without loading the model.

    Raises:
        InputError: if it is no such file, damaged, larger than the memory, or has a part or a config that Keras does
            not write; the message begins with ``what``.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            _check_parts(opened.infolist(), what)
            with opened.open(CONFIG) as part:
                config = json.loads(part.read(opened.getinfo(CONFIG).file_size))  # no more than it declares
            if not isinstance(config, dict):
                raise ValueError(f"{CONFIG} holds no model")
            _check_values(config)
            return config
    except InputError:  # a ValueError, too
        raise
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(
            f"{what} is no {SUFFIX} file that Keras wrote ({error}); save the model with model.save('model.keras')"
        ) from None


def _check_parts(parts: list[zipfile.ZipInfo], what: str) -> None:
    """Reject an archive with a part that would be written elsewhere or fill the memory, before any is read."""
    for part in parts:
        path = PurePosixPath(part.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in "".join(path.parts[:1]):
            raise InputError(f"{what} has a part {part.filename!r}, which points out of the file: Keras wrote no such")
        if part.file_size > max(SMALL_PART, MAX_EXPANSION * part.compress_size):
            raise InputError(
                f"{what} has a part {part.filename!r} that is {part.file_size:,} bytes, of {part.compress_size:,} in "
                "the file: it would fill the memory, and Keras wrote no such"
            )
    size = sum(part.file_size for part in parts)
    if size > get_available_memory():
        raise InputError(f"{what} holds {size:,} bytes, more than the free memory")


def _check_values(config: Mapping[str, Any]) -> None:
    """Raise ValueError unless objects in ``config`` say what they are in words, and it is not nested too deeply."""
    if not isinstance(config.get("compile_config"), dict | None):
        raise ValueError(f"{CONFIG}: compile_config is no object")
    values: list[Any] = [config]
    for _ in range(MAX_DEPTH):
        for each in values:
            if isinstance(each, dict):
                _check_texts(each)
        inside = [each.values() if isinstance(each, dict) else each for each in values if isinstance(each, dict | list)]
        values = list(itertools.chain.from_iterable(inside))
        if not values:
            return
    raise ValueError(f"{CONFIG} is nested more than {MAX_DEPTH} deep")


def _check_texts(each: Mapping[str, Any]) -> None:
    """Raise ValueError unless ``each``, which may be an object of Keras's, names its class in words."""
    if "class_name" in each and "config" in each:
        for key in _TEXTS:
            if not isinstance(each.get(key), str | None):
                raise ValueError(f"{CONFIG}: {key} is no text: {repr(each[key])[:40]}")
