"""Attach: a recipe x the user's own Keras model -> RegularizedModel, its weights as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from regzoo.core import AfterTraining, InputError, OnBatch, OnForward, Recipe, Regularizer
from regzoo.core.parsing import as_recipe
from regzoo.training.attach.graph import ENDS, Graph, can_part, end_of
from regzoo.training.attach.surgery import InitialWeights, ModelSurgery, trial
from regzoo.training.model.build_info import BuildInfo
from regzoo.training.model.insertion import (
    LayerInserter,
    check_requirements,
    collect_weight_rules,
    make_dials,
    refuse_ranges,
    refuse_several_models,
)
from regzoo.training.model.model import RegularizedModel
from regzoo.training.model.step import Step
from regzoo.training.task import Task


def attach(
    recipe: Recipe | Regularizer | str,
    model: keras.Model,
    classes: int | None = None,
    *,
    optimizer: Any = "adam",
    seed: int = 0,
) -> RegularizedModel:
    """Return a copy of your own Keras model with the recipe built in, compiled; your model is left as it is.

    The copy has your weights, bit for bit, and ``reset`` puts them back: the seed decides random streams and the
    weights of layers that the recipe inserts, nothing else. Losses that your layers add are part of the training
    loss. Optimizer, loss and metrics that you compiled with are not taken over.

    Slots: ``input`` at each input of floating numbers; ``preactivation`` and ``activation`` around each layer or
    function that is a nonlinearity, and around the nonlinearity inside Dense and convolutions, which is taken out
    of them; ``activation`` after recurrent layers; ``branch`` at what is added to a shortcut, where the shortcut is
    the input of an Add with the fewest layers with weights on its way since the inputs parted, and there is no
    branch if that is a tie. The last layer has no slot after it. Out of reach is what lies inside a layer: a nested
    model, a layer of your own, MultiHeadAttention (so there is no ``attention`` slot), TimeDistributed; their
    weights are in reach, and `RegularizedModel.hits` counts what was hit.

    Task: a model that ends in a softmax over n classifies, one that ends in a sigmoid over several gives several
    labels; one that ends in numbers is regression, or gives logits if ``classes`` is given. With ``classes=2``, one
    sigmoid becomes two probabilities (1 - p, p). Inputs must be standardized as your model wants them; targets are
    whole numbers, zeros and ones for several labels, or one number for each output.

    Args:
        recipe: such as ``"dropout(0.5) + l2(1e-4)"``, with a number or a schedule for every strength.
        model: functional or sequential, built, with one output (batch, size).
        classes: for a model that ends in logits or in one sigmoid, how many classes.
        optimizer: as Keras takes it.
        seed: of every random stream.

    Raises:
        InputError: if a value is wrong, a strength is left to a search, a regularizer finds no place to act, needs
            an array where the model takes a dict, list or whole numbers, or is several models; if the model is
            subclassed, not built, has several outputs, or ends in what is no task.

    Example:
        model = regzoo.attach("dropout(0.2) + l2_sp(0.01)", keras.models.load_model("mine.keras"))
        model.fit(x, y, epochs=5)
    """
    attached = _attached(as_recipe(recipe), model, classes, seed)
    attached.compile(optimizer=optimizer)
    return attached


@keras.saving.register_keras_serializable("regzoo")
class AttachedModel(RegularizedModel):
    """A `RegularizedModel` that `attach` made; its file holds the weights it started from beside those it has."""

    def __init__(self, inputs: Any, logits: Any, outputs: Any, assembly: BuildInfo, kept: InitialWeights) -> None:
        super().__init__(inputs, logits, outputs, assembly)
        self._kept = kept

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs to attach the recipe again.

        Raises:
            InputError: if the user's model cannot be written down.
        """
        config = self._assembly.config
        if "unsaved" in config:
            raise InputError(f"this model cannot be saved: {config['unsaved']}")
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> RegularizedModel:
        """Attach the recipe again, to weights that are loaded afterwards."""
        model = keras.saving.deserialize_keras_object(config["model"], custom_objects=custom_objects)
        return _attached(as_recipe(config["recipe"]), model, config["classes"], config["seed"])

    def save_own_variables(self, store: Any) -> None:
        """Keras's hook for saving: the weights it started from, beside what every `RegularizedModel` saves."""
        super().save_own_variables(store)
        for number, value in enumerate(self._kept.values):
            store[f"start_{number}"] = value

    def load_own_variables(self, store: Any) -> None:
        """Keras's hook for loading: start from the weights that the saved model started from."""
        self._kept.values[:] = [np.asarray(store[f"start_{number}"]) for number in range(len(self._kept.values))]
        self.reset(self._assembly.config["seed"])
        super().load_own_variables(store)


def _attached(recipe: Recipe, model: keras.Model, classes: int | None, seed: int) -> AttachedModel:
    refuse_ranges(recipe)
    refuse_several_models(recipe)
    if isinstance(model, RegularizedModel):
        raise InputError("the model has a recipe already: attach the sum of both recipes to the model it was made of")
    graph = Graph(model)
    task = _task(graph, classes)
    single = isinstance(graph.model.input, keras.KerasTensor)
    check_requirements(recipe, task, tuple(graph.model.input.shape[1:]) if single else ())
    config = {"recipe": str(recipe), "classes": classes, "seed": seed, "task": asdict(task), **_written(model, graph)}

    parts, dials = make_dials(recipe)
    graft = ModelSurgery(graph, LayerInserter(parts, graph.census(), seed))
    inputs = keras.tree.map_structure(
        lambda tensor: keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name), graph.model.input
    )
    logits, outputs = graft.ended(graph.replay(inputs, graft.apply, graft.slot), task)
    kept = graft.take_weights()
    graft.refuse_other_answers()

    whole = keras.Model(inputs, logits)
    rules = collect_weight_rules(parts, whole, graft.fitter.hits)
    _refuse_idle(parts, graft.fitter.hits, model)
    weights, streams = graft.starts(whole, kept)
    assembly = BuildInfo(recipe, task, parts, dials, rules, dict(graft.fitter.hits), weights, streams, config)
    attached = AttachedModel(inputs, logits, outputs, assembly, kept)
    if not single or "float" not in str(graph.model.input.dtype):
        _refuse_arrays(attached, trial(graph))
    attached.reset(seed)
    return attached


def _task(graph: Graph, classes: int | None) -> Task:
    shape, end = tuple(graph.model.outputs[0].shape), graph.end
    if len(shape) != 2 or shape[1] is None:
        raise InputError(f"attach takes a model with outputs (batch, size), received outputs of shape {shape}")
    size = int(shape[1])
    _refuse_hidden_end(graph)
    if end in ENDS.values() and getattr(graph.last.operation, "activity_regularizer", None) is not None:
        raise InputError(f"the last layer {graph.last.operation.name!r} has an activity_regularizer: leave it out")
    if end == "softmax":
        if classes not in (None, size):
            raise InputError(f"the model ends in a softmax over {size}, received classes={classes}: leave it out")
        return Task("classification", size)
    if end == "sigmoid":
        if size == 1 and classes == 2:
            return Task("classification", 2)
        if size > 1 and classes is None:
            return Task("multilabel", size)
        raise InputError(
            f"the model ends in a sigmoid over {size}: give classes=2 to have two probabilities (1 - p, p) from one "
            f"sigmoid, or end it in a softmax; received classes={classes}"
        )
    if classes is None:
        return Task("regression", size)
    if end != "linear" or classes != size:
        raise InputError(f"classes={classes} needs a model that ends in {classes} logits, received {size} of {end}")
    return Task("classification", classes)


def _refuse_hidden_end(graph: Graph) -> None:
    """Refuse probabilities that would be taken for numbers: their softmax or sigmoid is not the last layer itself."""
    last = graph.last.operation
    above = [call.operation for call in graph.parents[id(graph.last)]]
    passed_on = [end_of(operation) for operation in above if len(above) == 1 and not getattr(last, "weights", [])]
    if graph.end in ENDS.values() and not can_part(last):
        passed_on.append(graph.end)
    outputs = keras.ops.convert_to_numpy(keras.tree.flatten(graph.model(trial(graph)))[0])
    summed = outputs.shape[1] > 1 and bool((outputs >= 0).all()) and np.allclose(outputs.sum(1), 1.0, atol=1e-3)
    if (summed and graph.end not in ENDS.values()) or set(passed_on) & set(ENDS.values()):
        raise InputError(
            f"the model's outputs are probabilities, and its last layer {last.name!r} does not show it: end the model "
            "in keras.layers.Softmax, or in Dense(classes, activation='softmax')"
        )


def _written(model: keras.Model, graph: Graph) -> dict[str, Any]:
    """The model in JSON, without what it was compiled with; or why that cannot be."""
    if any(isinstance(operation, keras.layers.Lambda) for operation in graph.operations):
        return {"unsaved": "it holds a Lambda layer, which is a program; write a keras.Layer in its place"}
    try:
        written = keras.saving.serialize_keras_object(model)
    except Exception as error:  # whatever a layer of the user's own raises
        return {"unsaved": f"{type(error).__name__}: {error}"}
    written.pop("compile_config", None)
    return {"model": written}


def _refuse_idle(parts: Sequence[Regularizer], hits: dict[str, int], model: keras.Model) -> None:
    for part in parts:
        if not hits[part.name]:
            raise InputError(
                f"{part.name} finds no place to act in the model {model.name!r}: it would do nothing. What lies inside "
                "a layer, such as a nested model or MultiHeadAttention, is out of reach"
            )


def _refuse_arrays(model: RegularizedModel, x: Any) -> None:
    """Refuse what cannot handle the model's inputs: several of them, or whole numbers."""
    y = tf.one_hot([0] * len(keras.tree.flatten(x)[0]), model.task.size)
    for part in model.acting(AfterTraining):
        raise InputError(f"{part.name} needs inputs that are one array of floating numbers")
    for part in model.acting(OnBatch):
        try:
            changed, _ = part.batch(x, y, model.stream(part))
            keras.tree.assert_same_structure(changed, x)
            same = keras.tree.map_structure(lambda a, b: a.dtype == b.dtype, changed, x)
        except Exception as error:  # of whatever kind: it was not made for such inputs
            raise InputError(f"{part.name} needs inputs that are one array of floating numbers") from error
        if not all(keras.tree.flatten(same)):
            raise InputError(f"{part.name} needs inputs that are one array of floating numbers")
    if model.acting(OnForward):
        names = " or ".join(part.name for part in model.acting(OnForward))
        try:
            Step(model).objective(x, y, None)
        except Exception as error:  # as above
            raise InputError(f"{names} needs inputs that are one array of floating numbers") from error
