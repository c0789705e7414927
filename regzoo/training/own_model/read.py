"""Read the user's own model from where a config or a caller points: a file, a function in a file, an object."""

from __future__ import annotations

import inspect
import io
import sys
import tokenize
import types
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import keras

from regzoo.core import InputError, did_you_mean
from regzoo.system.regular_file import read_regular_file
from regzoo.training.own_model.archive import SUFFIX, read_archive_config
from regzoo.training.own_model.canonical import list_custom_classes, list_custom_functions
from regzoo.training.own_model.custom_classes import (
    describe,
    find_module_file,
    import_custom_classes,
    is_registered,
    load_source,
)
from regzoo.training.own_model.custom_functions import UNKNOWN
from regzoo.training.own_model.own_model import SCRIPTS, OwnModel, Weights
from regzoo.training.own_model.pack import (
    describe_model,
    pack,
    read_archive,
    reject_lambda,
    require_attachable,
)

MAX_SOURCE = 2**26
"""Bytes of a Python file that is read."""

InputShape = Any
"""The shape of one example, or a dict of the shapes of several inputs by name."""


def read_file(path: Path, weights: Weights, source: str | None = None) -> OwnModel:
    """Return the model in the ``.keras`` file ``path``.

    Args:
        path: the file.
        weights: what a run starts from.
        source: text of the Python file that holds its custom classes; None to import them.

    Raises:
        InputError: if it cannot be used; the message names the path.
    """
    what = f"backbone.file: {path}"
    if path.suffix != SUFFIX:
        raise InputError(f"{what}: takes a {SUFFIX} file, which model.save('model.keras') writes")
    try:
        archive = read_regular_file(path)
    except OSError as error:
        raise InputError(f"{what} cannot be read: {error.strerror}") from None
    config = read_archive_config(archive, what)
    reject_lambda(config, str(path))
    classes = [*list_custom_classes(config), *((UNKNOWN, name) for name in list_custom_functions(config))]
    source = _read_neighbor(path, classes) if source is None else source
    module = None if source is None else load_source(source, str(path.with_suffix(".py")))
    try:
        custom = import_custom_classes(classes, module)
    except InputError as error:
        raise InputError(f"{what}: {error}") from error
    model = read_archive(archive, custom, what)
    require_attachable(model)
    return describe_model(model, config, archive, weights, source)


def _read_neighbor(path: Path, classes: list[tuple[str, str]]) -> str | None:
    """Return the text of the one Python file next to ``path``, or here, that custom classes are to come from."""
    folders = [path.parent, Path.cwd()]
    missing = {module for module, name in classes if not is_registered(name) and module not in (*SCRIPTS, UNKNOWN)}
    files = {file for module in missing if (file := find_module_file(module, folders)) is not None}
    if len(files) > 1:
        names = " and ".join(sorted(file.name for file in files))
        raise InputError(f"{path}: its custom classes are in {names}: put them into one file, or install them")
    return read_source(files.pop()) if files else None


def read_source(path: Path) -> str:
    """Return the text of the Python file ``path``.

    Raises:
        InputError: if it cannot be read.
    """
    try:
        content = read_regular_file(path, MAX_SOURCE)
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return io.IncrementalNewlineDecoder(None, translate=True).decode(content.decode(encoding))
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error).replace(f" for {str(path)!r}", "")
        raise InputError(f"{path} cannot be read: {reason}") from None


def read_function(function: str, weights: Weights, input_shape: InputShape, outputs: int) -> OwnModel:
    """Return the model that ``function`` builds.

    Args:
        function: ``models.py:build``.
        weights: what a run starts from.
        input_shape: given to the function.
        outputs: given to the function: the number of classes, labels or targets.

    Raises:
        InputError: if the file or the function is missing, raises, or returns no model.
    """
    file, _, name = function.rpartition(":")
    path = Path(file)
    try:
        source = read_source(path)
    except InputError as error:
        raise InputError(f"backbone.function: {error}") from None
    module = load_source(source, str(path))
    build = getattr(module, name, None)
    if not callable(build):
        defined = [key for key, value in vars(module).items() if _is_defined_in(module, value)]
        hint = did_you_mean(name, defined) if defined else " It defines none."
        raise InputError(f"backbone.function: {path} has no function {name!r}.{hint}")
    return pack(call_function(build, input_shape, outputs, str(path)), weights, source)


def _is_defined_in(module: types.ModuleType, value: Any) -> bool:
    return inspect.isfunction(value) and value.__module__ == module.__name__


def call_function(build: Callable[..., Any], input_shape: InputShape, outputs: int, file: str = "") -> keras.Model:
    """Return the model that ``build(input_shape, outputs)`` returns.

    Raises:
        InputError: if it raises or returns no model.
    """
    name = getattr(build, "__name__", type(build).__name__)
    shown = f"{file}: " if file else "backbone: "
    try:
        with redirect_stdout(sys.stderr):  # stdout belongs to tables and JSON
            model = build(input_shape, outputs)
    except (Exception, SystemExit) as error:  # the user's code may raise anything
        file = file or getattr(getattr(build, "__code__", None), "co_filename", "")
        raise InputError(f"{shown}{name}({input_shape}, {outputs}) raised {describe(error, file)}") from error
    if not isinstance(model, keras.Model):
        raise InputError(f"{shown}{name} returned {type(model).__name__}, it must return a keras.Model")
    return model
