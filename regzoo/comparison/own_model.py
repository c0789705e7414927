"""The user's own Keras model in a comparison: read from where the config points, then kept in the folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regzoo.comparison.plan import make_task
from regzoo.config.experiment import KEPT_MODEL
from regzoo.config.sections import BackboneConfig
from regzoo.core import InputError
from regzoo.data.inputs import InputSpec
from regzoo.data.prepared import PreparedData
from regzoo.data.preprocessor import Preprocessor
from regzoo.execution.tf_runtime import import_tensorflow
from regzoo.storage.ledger import Ledger
from regzoo.storage.outputs import read_output, write_outputs
from regzoo.training.own_model.own_model import OwnModel
from regzoo.training.setup import TrainingSetup

if TYPE_CHECKING:
    from regzoo.training.task import Task

ReadData = Callable[[tuple[InputSpec, ...] | None], PreparedData]

KEPT_SOURCE = "backbone.py"
"""Name of the Python file of the user's own model in a comparison's folder."""


def read_for_backbone(backbone: str | BackboneConfig, read: ReadData) -> PreparedData:
    """Read the data as ``backbone`` takes it: for the user's own model, by the names and types of its inputs.

    A function that builds the model receives the shape of the data, so the data is read first without the model, and
    then again for the inputs that the model turns out to have.

    Args:
        backbone: as in the config.
        read: returns the prepared data for the inputs of a model, none if they are not known yet; None for a named
            backbone.

    Raises:
        InputError: if the model cannot be read, or the data does not fit its inputs.
    """
    if isinstance(backbone, str):
        return read(None)
    import_tensorflow()
    from regzoo.training.attach.inputs import read_input_specs
    from regzoo.training.own_model.pack import load

    builds = backbone.function is not None or (backbone.given is not None and not _is_model(backbone.given))
    if not builds:
        return read(read_input_specs(load(_read(backbone, None, 0))))
    first = read(())
    shape = _describe_shape(first.preprocessor)
    specs = read_input_specs(load(_read(backbone, shape, make_task(first.preprocessor).size)))
    return replace(read(specs), function_shape=shape)


def _is_model(given: Any) -> bool:
    from keras import Model

    return isinstance(given, Model)


def _describe_shape(preprocessor: Preprocessor) -> Any:
    """Return the shape of one example, or a dict of the shapes of several inputs by name."""
    shapes = {spec.name: spec.shape for spec in preprocessor.specs}
    return shapes if len(shapes) > 1 else next(iter(shapes.values()), preprocessor.input_shape)


def read_own_model(
    backbone: str | BackboneConfig, data: PreparedData, task: Task, standardized: bool = True
) -> OwnModel | None:
    """Return the model that ``backbone`` points to, checked against the data; None for a named backbone.

    Args:
        backbone: as in the config.
        data: the data, as `read_for_backbone` returns it.
        task: what is predicted.
        standardized: whether inputs and numeric targets are standardized.

    Raises:
        InputError: if it cannot be read, or does not fit the data.
    """
    if isinstance(backbone, str):
        return None
    import_tensorflow()
    from regzoo.training.own_model.build import check_fit

    shapes = {fold.preprocessor.input_shape for fold in (data, *data.folds)}
    if len(shapes) > 1:
        listed = ", ".join(map(str, sorted(shapes)))
        raise InputError(
            f"backbone: the folds have inputs of different shapes ({listed}), since a word "
            "that is rare in one is a feature in another; your own model takes one shape: drop such columns, or take "
            "folds: 1"
        )
    shape = _describe_shape(data.preprocessor) if data.function_shape is None else data.function_shape
    model = _read(backbone, shape, task.size)
    check_fit(model, task, standardized)
    return model


def _read(backbone: BackboneConfig, input_shape: Any, outputs: int) -> OwnModel:
    from regzoo.training.own_model import read
    from regzoo.training.own_model.pack import pack

    if backbone.file is not None:
        kept = backbone.file.with_name(KEPT_SOURCE) if backbone.file.name == KEPT_MODEL else None
        source = read.read_source(kept) if kept is not None and kept.is_file() else None
        return read.read_file(backbone.file, backbone.weights, source)
    if backbone.function is not None:
        return read.read_function(backbone.function, backbone.weights, input_shape, outputs)
    given = backbone.given
    model = given if _is_model(given) else read.call_function(given, input_shape, outputs)
    return pack(model, backbone.weights)


def require_same_model(ledger: Ledger, setup: TrainingSetup) -> None:
    """Raise if the comparison in ``ledger`` was begun with another model.

    Raises:
        InputError: if it was.
    """
    earlier = ledger.get_setup_json()
    if earlier is None:
        return
    begun, asked = (earlier.get("model") or {}).get("digest"), setup.model and setup.model.digest
    if begun is not None and asked is not None and begun != asked:
        raise InputError(
            "the model has changed since this comparison began (its layers, weights or source): choose another --out, "
            "or use --fresh"
        )


def keep_own_model(folder: Path, ledger: Ledger, setup: TrainingSetup) -> None:
    """Write the user's own model into ``folder``, unless it is there already."""
    if setup.model is not None and read_output(folder, ledger, KEPT_MODEL) is None:
        source = setup.model.source
        write_outputs(folder, ledger, {KEPT_MODEL: setup.model.archive, **({KEPT_SOURCE: source} if source else {})})


def load_kept_model(ledger: Ledger, model: OwnModel) -> OwnModel:
    """Return ``model`` with its archive and its source from the comparison's folder.

    Raises:
        InputError: if the file is missing, or not what regzoo wrote.
    """
    archive, source = (read_output(ledger.folder, ledger, name) for name in (KEPT_MODEL, KEPT_SOURCE))
    if archive is None:
        path = ledger.folder / KEPT_MODEL
        state = "is damaged or was changed" if path.exists() else "is missing"
        raise InputError(
            f"{path} {state}: it is the model that the comparison was made with; run the comparison again, which "
            "writes it"
        )
    return replace(model, archive=archive, source=None if source is None else source.decode("utf-8"))
