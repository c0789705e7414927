"""Read an `Experiment` from a YAML file or from keywords; report every problem at once, with its line and column."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from regzoo.config.experiment import Experiment
from regzoo.config.sections import OF_TEXT
from regzoo.config.values import describe_received
from regzoo.config.yaml_source import Collection, Document, KeyPath, compose
from regzoo.core.backbone import Backbone
from regzoo.core.errors import ConfigError, ConfigProblem, InputError, did_you_mean
from regzoo.data.catalog import ARRAYS
from regzoo.system.paths import require_utf8
from regzoo.system.regular_file import read_regular_file

MAX_BYTES = 2**24
"""Bytes of a config that is read."""


def load_config(path: str | Path) -> Experiment:
    """Read the config file at ``path``.

    Raises:
        ConfigError: with every problem; also if there is no such file or it is not UTF-8 text.
    """
    path = Path(path)
    require_utf8(path)
    try:
        text = read_regular_file(path, MAX_BYTES).decode("utf-8-sig") if path.is_file() else None
    except UnicodeDecodeError as error:
        line, before = error.object[: error.start].count(b"\n") + 1, error.object.rfind(b"\n", 0, error.start)
        message = f"not UTF-8 text: byte 0x{error.object[error.start]:02x}; save the file as UTF-8"
        raise ConfigError(str(path), [ConfigProblem(line, error.start - before, message)]) from None
    except OSError as error:
        raise ConfigError(str(path), [ConfigProblem(0, 0, f"cannot be read: {error.strerror}")]) from None
    if text is None:
        raise ConfigError(str(path), [ConfigProblem(0, 0, _describe_missing_file(path))])
    return read_config(text, str(path))


KEYS_OF_ARRAYS = ("scale", "categorical_features", "kind", "max_tokens", "sequence_length", "rare", *OF_TEXT)
"""Keys of ``data`` that also go with arrays passed in Python."""


def read_config(text: str, file: str = "config.yaml") -> Experiment:
    """Read a config from ``text``; relative paths in it start at the folder of ``file``.

    Raises:
        ConfigError: with every problem, one a line: ``file:line:column: key: problem``.
    """
    document = compose(text, file, sections=Experiment.model_fields)
    return _validate(document, file, Path(file).absolute().parent)


def from_keywords(**keywords: Any) -> Experiment:
    """Return the experiment that keywords describe; every key of a config is a keyword of the same shape.

    Backbones and recipes may be objects as well as text, and a backbone may be a Keras model or a function that builds
    one; ``weights`` and ``expand_nested`` are then keys of ``backbone``. Without ``data``, the experiment is about
    arrays that are passed elsewhere, and the keys of ``data`` in `KEYS_OF_ARRAYS` are keywords.
    Without ``name``, it is called ``comparison``.

    Raises:
        ConfigError: with every problem, one a line: ``key: problem``.
    """
    of_data = [key for key in KEYS_OF_ARRAYS if key in keywords]
    if of_data and "data" in keywords:
        form = "data=dict(csv=..., scale='none')" if of_data[0] == "scale" else f"data=dict(npz=..., {of_data[0]}=...)"
        raise InputError(f"{of_data[0]}: goes with x and y; with data=, it is a key there: {form}")
    if "data" not in keywords:
        keywords["data"] = {"source": ARRAYS, **{key: keywords.pop(key) for key in of_data}}
    given = {"name": "comparison", **keywords}
    for key in ("weights", "expand_nested"):
        if key in given:
            given["backbone"] = _add_to_backbone(given.get("backbone"), key, given.pop(key))
    return _validate(Document(values=given), "", Path.cwd())


def _add_to_backbone(backbone: Any, key: str, value: Any) -> Any:
    """Return a config's ``backbone`` of the user's own model with a further key."""
    if isinstance(backbone, Mapping):
        return {**backbone, key: value}
    if not callable(backbone) or isinstance(backbone, Backbone):
        problem = f"{key}: goes with a Keras model of your own as the backbone; leave it out"
        raise ConfigError("", [ConfigProblem(0, 0, problem)])
    return {"given": backbone, key: value}


def _describe_missing_file(path: Path) -> str:
    if path.exists():
        return "is a folder, not a config file" if path.is_dir() else "is not a file"
    siblings = [other.name for other in path.parent.glob("*.yaml")] if path.parent.is_dir() else []
    return f"there is no such file.{did_you_mean(path.name, siblings)}" if siblings else "there is no such file"


def _validate(document: Document, file: str, base: Path) -> Experiment:
    problems = list(document.problems)
    try:
        experiment = Experiment.model_validate(document.values, context={"base": base})
        if not problems:
            return experiment
    except ValidationError as error:
        problems += [
            _make_problem(detail, document, with_position=bool(file))
            for detail in error.errors()
            if not (isinstance(detail["input"], Collection) and detail["input"].reported)
        ]
    raise ConfigError(file, problems)


def _make_problem(detail: ErrorDetails, document: Document, with_position: bool) -> ConfigProblem:
    path, kind = detail["loc"], detail["type"]
    key = f"{path[0]}[{path[1]}]" if len(path) == 2 and isinstance(path[1], int) else ".".join(map(str, path))
    line, column = document.find_position(path, of_key=kind == "extra_forbidden") if with_position else (0, 0)
    return ConfigProblem(line, column, f"{key}: {_describe_problem(detail, path)}")


def _describe_problem(detail: ErrorDetails, path: KeyPath) -> str:
    kind, word = detail["type"], str(path[-1])
    fields = (
        _get_fields(Experiment.model_fields[str(path[0])].annotation) if len(path) == 2 else Experiment.model_fields
    )
    if kind in ("extra_forbidden", "invalid_key"):
        return f"there is no such key.{did_you_mean(word, fields)}"
    if kind == "missing":
        return f"is missing; give {fields[word].description}"
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    keys = ", ".join(_get_fields(Experiment.model_fields[word].annotation)) or word
    return f"takes keys and values ({keys}), received {describe_received(detail['input'])}"


def _get_fields(annotation: Any) -> dict[str, Any]:
    """Return the fields of a section by key; none if there is no section in the annotation."""
    kinds = [kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type)]
    section = next((kind for kind in kinds if issubclass(kind, BaseModel)), None)
    return {} if section is None else {key: field for key, field in section.model_fields.items() if not field.exclude}
