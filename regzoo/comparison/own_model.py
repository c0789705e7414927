"""The user's own Keras model in a comparison: read from where the config points, then kept in the folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from regzoo.comparison.setup import make_task
from regzoo.config.sections import BackboneConfig
from regzoo.core import InputError
from regzoo.data.inputs import InputSpec
from regzoo.data.matching import UNNAMED, fits_shape
from regzoo.data.prepared import PreparedData
from regzoo.execution.tf_runtime import import_tensorflow
from regzoo.storage.ledger import Ledger
from regzoo.storage.outputs import read_output, write_outputs
from regzoo.training.own_model.own_model import KEPT_MODEL, KEPT_SOURCE, OwnModel
from regzoo.training.setup import TrainingSetup
from regzoo.training.task import Task

if TYPE_CHECKING:
    import keras


Specs = tuple[InputSpec, ...] | None
"""The inputs of the user's own model, empty if they are not known yet; None for a named backbone."""

ReadData = Callable[[Specs], PreparedData]
"""Reads the data of a comparison for such inputs."""


def read_with_model(backbone: str | BackboneConfig, read: ReadData) -> tuple[PreparedData, OwnModel | None]:
    """Return the data, and the model that ``backbone`` points to; None for a named backbone.

    A model is read before the data, which must fit it. A function builds the model for the data, which is therefore
    read first, and again if the model takes other values than the data's own, such as whole numbers, or has names of
    its own for them.

    Raises:
        InputError: if the data or the model cannot be read, or they do not fit.
    """
    if isinstance(backbone, str):
        return read(None), None
    import_tensorflow()
    from regzoo.training.own_model.pack import load

    model = _read_built(backbone)
    if model is not None:
        model = replace(model, expand_nested=backbone.expand_nested)
        return read(_read_specs(load(model))), model
    data = read(())
    model = replace(_build(backbone, data), expand_nested=backbone.expand_nested)
    specs = _read_specs(load(model))
    return (data if _is_read_for(data, specs) else read(specs)), model


def _is_read_for(data: PreparedData, specs: tuple[InputSpec, ...]) -> bool:
    """Return True if data that was read for no model would be the same, read for a model with the inputs ``specs``."""
    known = data.preprocessor.specs
    if known or len(specs) != 1:
        return specs == known
    return specs[0].kind == "float" and fits_shape(data.preprocessor.input_shape, specs[0])  # rows or images


def check_own_model(model: OwnModel, data: PreparedData, task: Task, scale: str) -> None:
    """Check that ``model`` can predict the targets of the data, in every fold.

    Args:
        model: the user's own model.
        data: the data that was read for its inputs.
        task: what is to be predicted.
        scale: ``standardize`` or ``none``.

    Raises:
        InputError: if it cannot.
    """
    from regzoo.training.own_model.build import check_outputs

    folds = (data, *data.folds)
    shapes = {fold.preprocessor.input_shape for fold in folds}
    if len(shapes) > 1:
        listed = ", ".join(map(str, sorted(shapes)))
        raise InputError(
            f"backbone: the folds have inputs of different shapes ({listed}), since a word "
            "that is rare in one is a feature in another; your own model takes one shape: drop such columns, or take "
            "folds: 1 and leave split out of vary"
        )
    check_outputs(model, task, standardized=scale != "none")
    _check_tokens(model, folds)


def _check_tokens(model: OwnModel, folds: Sequence[PreparedData]) -> None:
    """Reject whole numbers that an Embedding of the model has no row for."""
    from regzoo.training.attach.inputs import read_table_sizes
    from regzoo.training.own_model.pack import load

    names = [spec.name for spec in folds[0].preprocessor.specs]
    parts = [part[0] for fold in folds for part in (fold.train, fold.validation, fold.test)]
    for name, tables in zip(names, read_table_sizes(load(model)), strict=False):
        for layer, rows in tables.items():
            values = [np.asarray(x[name] if isinstance(x, Mapping) else x) for x in parts]
            low, high = (int(limit([limit(x, initial=0) for x in values])) for limit in (np.min, np.max))
            if 0 <= low <= high < rows:
                continue
            way_out = f"give it input_dim={high + 1}, or one number to all rare tokens" if low >= 0 else "count from 0"
            raise InputError(
                f"backbone: the input {name!r} holds {low if low < 0 else high}, and the Embedding {layer!r} takes "
                f"whole numbers from 0 to {rows - 1}: {way_out}"
            )


def _read_built(backbone: BackboneConfig) -> OwnModel | None:
    """Return the model, if it exists before the data is known."""
    from keras import Model

    from regzoo.training.own_model import read
    from regzoo.training.own_model.pack import pack

    if backbone.file is not None:
        kept = backbone.file.with_name(KEPT_SOURCE) if backbone.file.name == KEPT_MODEL else None
        source = read.read_source(kept) if kept is not None and kept.is_file() else None
        try:
            return read.read_file(backbone.file, backbone.weights, source)
        except InputError as error:
            if backbone.file.name != KEPT_MODEL:
                raise
            raise InputError(
                f"{error}. This is the copy that a comparison keeps: run the comparison again from your own model, "
                f"with --out {backbone.file.parent}, which writes the copy again"
            ) from error
    return pack(backbone.given, backbone.weights) if isinstance(backbone.given, Model) else None


def _build(backbone: BackboneConfig, data: PreparedData) -> OwnModel:
    """Return the model that a function builds for the data."""
    from regzoo.training.own_model import read
    from regzoo.training.own_model.pack import pack

    preprocessor = data.preprocessor
    shapes = {spec.name: spec.shape for spec in preprocessor.specs}
    if preprocessor.inputs and preprocessor.inputs[0].encoder is not None:
        shapes = {UNNAMED: preprocessor.specs[0].shape}
    input_shape = shapes.get(UNNAMED, shapes) if shapes else preprocessor.input_shape
    outputs = make_task(preprocessor).size
    if backbone.function is not None:
        return read.read_function(backbone.function, backbone.weights, input_shape, outputs)
    return pack(read.call_function(backbone.given, input_shape, outputs), backbone.weights)


def _read_specs(model: keras.Model) -> tuple[InputSpec, ...]:
    from regzoo.training.attach.inputs import read_input_specs

    return read_input_specs(model)


def list_model_notes(model: OwnModel) -> list[str]:
    """Return sentences on the model, what it has of its own, and frozen layers whose weights a run does not keep."""
    from regzoo.training.attach.own_layers import count_own_layers
    from regzoo.training.own_model.draw import list_frozen_layers
    from regzoo.training.own_model.pack import load

    loaded = load(model)
    has = count_own_layers(loaded).sentence
    start = "weights that its layers' own initializers draw" if model.weights == "fresh" else "the weights of the model"
    notes = [
        f"The model is your Keras model {model.name}, with {model.parameters:,} weights; each run starts from {start}."
    ]
    if has:
        notes.append(f"{has[0].upper()}{has[1:]}, in every recipe, the baseline included.")
    frozen = list_frozen_layers(loaded)
    if frozen and model.weights == "fresh":
        shown = ", ".join(frozen[:3]) + (f" and {len(frozen) - 3} more" if len(frozen) > 3 else "")
        notes.append(
            f"Frozen layers ({shown}) start from weights that are drawn at random, and never learn; weights: keep "
            "starts from those of the model."
        )
    return notes


def require_same_model(ledger: Ledger, setup: TrainingSetup) -> None:
    """Raise if the comparison in ``ledger`` was begun with another model.

    Raises:
        InputError: if it was.
    """
    earlier = ledger.get_setup_json()
    if earlier is None:
        return
    begun = None if earlier.get("model") is None else OwnModel.from_json(earlier["model"]).identity
    asked = None if setup.model is None else setup.model.identity
    if begun is not None and asked is not None and begun != asked:
        kept = [name for name in (KEPT_MODEL, KEPT_SOURCE) if _is_changed(ledger, name)]
        what = f" {' and '.join(kept)} there is damaged or was changed, too." if kept else ""
        raise InputError(
            "the model has changed since this comparison began (its layers, weights or source): give the model of "
            f"then, choose another --out, or use --fresh.{what}"
        )


def _is_changed(ledger: Ledger, name: str) -> bool:
    return (ledger.folder / name).exists() and read_output(ledger.folder, ledger, name) is None


def keep_own_model(folder: Path, ledger: Ledger, setup: TrainingSetup) -> None:
    """Write the user's own model into ``folder``, but for what of it is there already."""
    if setup.model is None:
        return
    parts: dict[str, str | bytes | None] = {KEPT_MODEL: setup.model.archive}
    if setup.model.source:
        parts[KEPT_SOURCE] = setup.model.source
    missing = {name: content for name, content in parts.items() if read_output(folder, ledger, name) is None}
    if missing:
        write_outputs(folder, ledger, missing)


def list_lost_parts(folder: Path) -> list[str]:
    """Return which files of the user's own model in the comparison's ``folder`` are missing or damaged."""
    with Ledger(folder) as ledger:
        if not (ledger.get_setup_json() or {}).get("model"):
            return []
        names = [KEPT_MODEL, *([KEPT_SOURCE] if KEPT_SOURCE in ledger.get_output_digests() else [])]
        return [name for name in names if read_output(folder, ledger, name) is None]


def load_kept_model(ledger: Ledger, model: OwnModel) -> OwnModel:
    """Return ``model`` with its archive and its source from the comparison's folder.

    Raises:
        InputError: if the file is missing, or not what regzoo wrote.
    """
    archive, source = (read_output(ledger.folder, ledger, name) for name in (KEPT_MODEL, KEPT_SOURCE))
    if archive is None or (source is None and model.needs_source):
        path = ledger.folder / (KEPT_MODEL if archive is None else KEPT_SOURCE)
        state = "is damaged or was changed" if path.exists() else "is missing"
        raise InputError(
            f"{path} {state}: it belongs to the model that the comparison was made with; run the comparison again, "
            f"from your own model, with --out {ledger.folder}, which writes it"
        )
    return replace(model, archive=archive, source=None if source is None else source.decode("utf-8"))
