"""Pack a Keras model of the user's into an `OwnModel`, and load it again."""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

from regzoo.core import InputError
from regzoo.system.temporary_folder import temporary_folder
from regzoo.training.attach.acceptance import reject_quantized
from regzoo.training.attach.graph import Graph
from regzoo.training.attach.inputs import name_inputs
from regzoo.training.attach.layer_names import strip_number
from regzoo.training.attach.refusals import reject_recipes_inside
from regzoo.training.model.build import RegularizedModel
from regzoo.training.own_model.archive import SUFFIX
from regzoo.training.own_model.canonical import (
    has_class,
    list_custom_classes,
    list_custom_functions,
    make_canonical,
)
from regzoo.training.own_model.custom_classes import import_custom_classes, load_source
from regzoo.training.own_model.custom_functions import locate_functions
from regzoo.training.own_model.draw import describe_states
from regzoo.training.own_model.own_model import KEPT_SOURCE, OwnModel, Weights


def pack(model: keras.Model, weights: Weights, source: str | None = None) -> OwnModel:
    """Return ``model`` serialized; it is not changed.

    Args:
        model: functional or sequential, built.
        weights: what a run starts from.
        source: text of the Python file that it comes from.

    Raises:
        InputError: if it is no such model, holds a Lambda, or cannot be saved and loaded again.
    """
    require_attachable(model)
    try:
        config = keras.saving.serialize_keras_object(model)
    except Exception as error:  # a layer of the user's may raise anything
        raise InputError(f"the model {model.name!r} cannot be saved: {type(error).__name__}: {error}") from error
    reject_lambda(config, model.name)
    return describe_model(model, config, _write_archive(model), weights, source)


def require_attachable(model: keras.Model) -> None:
    """Raise unless recipes can be attached to ``model`` and its weights trained.

    Raises:
        InputError: if it is not functional or sequential, not built, has several outputs, is quantized, or has a
            recipe, in it or in a model among its layers.
    """
    if isinstance(model, RegularizedModel):
        raise InputError("the model has a recipe already: give the model that it was made of")
    reject_recipes_inside(Graph(model))
    reject_quantized(model)


def describe_model(
    model: keras.Model, config: dict[str, Any], archive: bytes, weights: Weights, source: str | None
) -> OwnModel:
    """Return the `OwnModel` of a model.

    Args:
        model: the model, see `require_attachable`.
        config: that of the model and of what it was compiled with.
        archive: its ``.keras`` file.
        weights: what a run starts from.
        source: text of the Python file that it comes from.
    """
    compiled = config.pop("compile_config", None)
    name = strip_number(model.name, type(model).__name__)
    functions = locate_functions(list_custom_functions([config, compiled]), model)
    return OwnModel(
        name=name,
        weights=weights,
        digest=_digest(config, model, weights, source),
        classes=(*list_custom_classes([config, compiled]), *functions),
        parameters=model.count_params(),
        compiled=_keep_compiled(compiled),
        archive=archive,
        source=source,
    )


@functools.lru_cache(4)
def load(model: OwnModel) -> keras.Model:
    """Return the Keras model of ``model``; whoever gets it must not change it.

    Raises:
        InputError: if a custom class is missing, or the archive is damaged.
    """
    return name_inputs(read_archive(model.archive, find_custom_objects(model), f"the model {model.name!r}"))


@functools.lru_cache(4)
def find_custom_objects(model: OwnModel) -> dict[str, Any]:
    """Return the custom classes and functions of ``model`` by name.

    Raises:
        InputError: with every one that is missing.
    """
    module = None if model.source is None else load_source(model.source, KEPT_SOURCE)
    return import_custom_classes(model.classes, module)


def read_archive(archive: bytes, custom_objects: dict[str, Any], what: str) -> keras.Model:
    """Return the model in ``archive``, a ``.keras`` file.

    Raises:
        InputError: if it cannot be loaded; the message begins with ``what``.
    """
    with temporary_folder() as folder:
        path = folder / f"model{SUFFIX}"
        path.write_bytes(archive)
        try:
            return keras.saving.load_model(path, custom_objects=custom_objects, compile=False)
        except Exception as error:  # a damaged file, or a layer of the user's
            raise InputError(f"{what} cannot be loaded: {type(error).__name__}: {_shorten(str(error))}") from error


def _shorten(message: str) -> str:
    """Return the part of Keras's message that says what happened, without the config of the whole model."""
    reason = message.rpartition("Exception encountered:")[2].partition("Full object config:")[0]
    return " ".join(reason.split())[:300]


def reject_lambda(config: Any, name: str) -> None:
    """Reject a model that holds a Lambda layer: it is code, which no file may run.

    Raises:
        InputError: if it holds one.
    """
    if has_class(config, "Lambda"):
        raise InputError(
            f"the model {name!r} holds a Lambda layer, which is code and is not loaded from a file: write a "
            "keras.Layer in its place, or functions of keras.ops"
        )


def _keep_compiled(config: Any) -> str | None:
    """Return the parts of a compile config that a comparison can use, as JSON."""
    kept = {key: (config or {}).get(key) for key in ("optimizer", "loss")}
    return json.dumps(kept) if any(value is not None for value in kept.values()) else None


def _write_archive(model: keras.Model) -> bytes:
    with temporary_folder() as folder:
        path: Path = folder / f"model{SUFFIX}"
        try:
            model.save(path)
        except Exception as error:  # a layer of the user's may raise anything
            raise InputError(f"the model {model.name!r} cannot be saved: {type(error).__name__}: {error}") from error
        return path.read_bytes()


def _digest(config: Any, model: keras.Model, weights: Weights, source: str | None) -> str:
    """Return the identity of ``model``: its layers, the weights that runs start from, and the source."""
    digest = hashlib.blake2b(digest_size=8)
    digest.update(json.dumps([make_canonical(config), weights, source], sort_keys=True, default=str).encode())
    values = [weight.numpy() for weight in model.weights] if weights == "keep" else []
    for value in [*values, *describe_states(model)]:
        for each in value if isinstance(value, list) else [value]:
            content = each.tobytes() if isinstance(each, np.ndarray) else repr(each).encode()
            digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()
