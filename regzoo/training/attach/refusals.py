"""Refuse recipes that would do nothing in a user's model, or cannot handle its inputs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import keras

from regzoo.core import InputError, Recipe
from regzoo.core._keras_compat import list_layers
from regzoo.core.cells import NamedCells
from regzoo.training.attach.example_inputs import make_example_inputs
from regzoo.training.attach.graph import Graph
from regzoo.training.attach.inputs import read_input_kind
from regzoo.training.attach.nested import describe_what_is_closed
from regzoo.training.attach.positions import explain_shortening, list_shortening, reject_acting_on_positions
from regzoo.training.attach.surgery import TwoLogits
from regzoo.training.model.build import RegularizedModel
from regzoo.training.model.requirements import check_requirements
from regzoo.training.model.unsupported_inputs import reject_unsupported_inputs
from regzoo.training.task import Task


def check_recipe(recipe: Recipe, graph: Graph, task: Task, cells: NamedCells) -> None:
    """Reject a recipe that requires what the model's inputs and outputs are not; see `check_requirements`.

    Raises:
        InputError: at the first regularizer that does.
    """
    inputs, shape = graph.model.input, tuple(graph.model.outputs[0].shape)
    reject_acting_on_positions(recipe, task, shape)
    single = isinstance(inputs, keras.KerasTensor)
    check_requirements(recipe, task, tuple(inputs.shape[1:]) if single else (), cells)


def reject_inactive(hits: Mapping[str, int], graph: Graph) -> None:
    """Reject a recipe of which a regularizer acts nowhere.

    Raises:
        InputError: at the first of them.
    """
    for name, places in hits.items():
        if not places:
            raise InputError(
                f"{name} finds no place to act in the model {graph.model.name!r}: it would do nothing"
                + describe_what_is_closed(graph)
            )


def reject_recipes_inside(graph: Graph) -> None:
    """Reject a model in which another one has a recipe, of which only the layers would act."""
    for layer in list_layers(graph.model):
        if isinstance(layer, RegularizedModel):
            raise InputError(
                f"the layer {layer.name!r} is a model with the recipe {layer.recipe}: put the model that it was made "
                "of in its place, and attach the sum of both recipes"
            )


@contextlib.contextmanager
def reject_metrics_of_one(model: keras.Model, y: Any) -> Iterator[None]:
    """Reject metrics that take one probability, if ``model``, in this block, gives them two (1 - p, p) of one sigmoid.

    Raises:
        InputError: if there is such a metric, and the targets are not one-hot.
    """
    shape = tuple(getattr(y, "shape", ()))
    if shape[-1:] == (2,) or not any(isinstance(layer, TwoLogits) for layer in model.layers):
        yield
        return
    error = None
    try:
        yield  # Keras makes the metrics
    except ValueError as caught:
        error = caught
    made = [metric for group in model.metrics for metric in getattr(group, "metrics", None) or [group]]
    names = [metric.name for metric in made if _takes_as_many(metric)]
    if names:
        raise InputError(
            f"{' and '.join(names)} cannot be computed: with classes=2, the one sigmoid of your model became two "
            "probabilities (1 - p, p), and the targets are one number each. Leave classes out, which keeps the "
            "sigmoid; or pass one-hot targets (rows, 2), or metrics of class numbers, such as 'accuracy' or "
            "SparseCategoricalAccuracy"
        ) from error
    if error is not None:
        raise error


def _takes_as_many(metric: keras.metrics.Metric) -> bool:
    """Return True for a metric of Keras's that takes as many targets as outputs, such as AUC."""
    kind = type(metric)
    others = (keras.metrics.Mean, keras.metrics.Sum, keras.metrics.MeanMetricWrapper)
    sparse = kind.__name__.startswith("Sparse") or issubclass(kind, keras.metrics.IoU | keras.metrics.MeanIoU)
    return getattr(keras.metrics, kind.__name__, None) is kind and not sparse and kind not in others


def try_recipe(model: RegularizedModel, graph: Graph) -> None:
    """Try the recipe of ``model``, the copy of that of ``graph``, on example inputs where it could fail.

    Raises:
        InputError: if it cannot handle several inputs, whole numbers, or fewer positions in training.
    """
    inputs = graph.model.input
    if not isinstance(inputs, keras.KerasTensor) or read_input_kind(inputs, graph.model) != "float":
        reject_unsupported_inputs(model, make_example_inputs(graph))
    if list_shortening(model.recipe):
        with explain_shortening(model.recipe, graph.model.name), keras.StatelessScope():
            model.logits(make_example_inputs(graph), training=True)
