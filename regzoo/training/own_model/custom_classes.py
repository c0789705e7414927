"""Custom layers, losses and functions of the user's own model: found in its config, imported, handed to Keras."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import types
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import keras

from regzoo.core import InputError
from regzoo.training.own_model.custom_functions import UNKNOWN
from regzoo.training.own_model.own_model import SOURCE_MODULE


def load_source(source: str, file: str) -> types.ModuleType:
    """Return the module that the Python text ``source`` makes; it is run once for each process.

    Args:
        source: the text.
        file: where it comes from, for messages.

    Raises:
        InputError: if it cannot be run; the message names the line.
    """
    name = SOURCE_MODULE + hashlib.sha256(source.encode()).hexdigest()[:12]
    if name not in sys.modules:
        module = types.ModuleType(name)
        module.__file__ = file
        sys.modules[name] = module
        try:
            with redirect_stdout(sys.stderr):  # stdout belongs to tables and JSON
                exec(compile(source, file, "exec"), module.__dict__)  # the user's own file, named in the config
        except (Exception, SystemExit) as error:  # the user's code may raise anything
            del sys.modules[name]
            hint = _explain_import(error, file)
            raise InputError(f"{file} cannot be imported: {describe(error, file)}{hint}") from error
    return sys.modules[name]


def _explain_import(error: BaseException, file: str) -> str:
    """Return a way out where ``file`` imports another file of its folder; "" where it does not."""
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    if missing is None or not (Path(file).parent / f"{missing.split('.')[0]}.py").is_file():
        return ""
    return (
        f"; a comparison keeps this one file and none that it imports: put what it needs of {missing} into it, "
        "or install that as a package"
    )


def describe(error: BaseException, file: str) -> str:
    """Return type and message of an error of the user's code, and the last line of ``file`` that it passed through."""
    line = error.lineno if isinstance(error, SyntaxError) else None
    trace = error.__traceback__
    while trace is not None:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == file else line
        trace = trace.tb_next
    where = "" if line is None else f" (line {line})"
    return f"{type(error).__name__}: {error}{where}"


def import_custom_classes(classes: Sequence[tuple[str, str]], source: types.ModuleType | None = None) -> dict[str, Any]:
    """Return the custom objects that Keras needs to load a model, by name.

    Args:
        classes: module and name of each; a module may be `UNKNOWN`.
        source: the module that is searched first.

    Raises:
        InputError: with every one that is not registered and cannot be imported.
    """
    found, problems = {}, []
    for module, name in classes:
        try:
            others = [other for other, _ in classes if other != UNKNOWN]
            found[name] = _find([module] if module != UNKNOWN else others, name, source)
        except (Exception, SystemExit) as error:  # the module may raise anything
            if not is_registered(name):
                shown = name if module == UNKNOWN else f"{module}.{name}"
                problems.append(f"{shown} ({type(error).__name__}: {error})")
    if problems:
        raise InputError(
            f"the model needs custom classes that cannot be imported here: {'; '.join(problems)}. Define them at the "
            "top level of a module that can be imported, not inside a function, or give the function that builds the "
            "model: {function: models.py:build}"
        )
    return found


def is_registered(name: str) -> bool:
    """Return True if a class or function ``name`` was registered by ``keras.saving.register_keras_serializable``."""
    return any(each.rsplit(">", 1)[-1] == name for each in keras.saving.get_custom_objects())


def find_module_file(module: str, folders: Sequence[Path]) -> Path | None:
    """Return the file of ``module`` in one of ``folders``, if it cannot be imported without them."""
    try:
        importable = importlib.util.find_spec(module) is not None
    except Exception:  # the packages above it are imported, and may raise anything
        importable = False
    if importable or "." in module:
        return None
    return next((path for folder in folders if (path := folder / f"{module}.py").is_file()), None)


def _find(modules: Sequence[str], name: str, source: types.ModuleType | None) -> Any:
    holders: list[Any] = [source] if source is not None and hasattr(source, name) else []
    holders = holders or [importlib.import_module(module) for module in modules]
    holder = next((each for each in holders if hasattr(each, name)), holders[0] if holders else None)
    if holder is None:
        raise LookupError("a function that no known module defines: register it")
    found = getattr(holder, name)
    if not callable(found):
        raise TypeError(f"{name} is neither a class nor a function")
    return found
