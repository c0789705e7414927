"""Attach a recipe to a user's own Keras model: a `RegularizedModel` with the weights of that model."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from regzoo.core import InputError, OnActivations, Recipe, Regularizer
from regzoo.core._keras_compat import list_layers
from regzoo.core.cells import NamedCells, named_cells_from_json
from regzoo.core.errors import ClashWarning, FrozenPlacesWarning
from regzoo.core.layers import floatx_of
from regzoo.core.parsing import as_recipe
from regzoo.training.attach.adapted import copy_adapted_state
from regzoo.training.attach.cells import read_cells
from regzoo.training.attach.clashes import list_clashes_with_own
from regzoo.training.attach.graph import Graph
from regzoo.training.attach.infer_task import infer_task
from regzoo.training.attach.model_config import describe_attached, deserialize_model
from regzoo.training.attach.nested import copy_input, describe_what_is_closed
from regzoo.training.attach.own_layers import count_own_layers, list_layers_in_training, list_noise
from regzoo.training.attach.positions import explain_shortening
from regzoo.training.attach.refusals import (
    check_recipe,
    reject_inactive,
    reject_metrics_of_one,
    reject_recipes_inside,
    try_recipe,
)
from regzoo.training.attach.slots import list_slots
from regzoo.training.attach.surgery import DrawWeights, InitialWeights, ModelSurgery
from regzoo.training.attach.ties import tie
from regzoo.training.model.build import RegularizedModel
from regzoo.training.model.build_info import BuildInfo
from regzoo.training.model.insertion import (
    LayerInserter,
    collect_narrowed_weights,
    collect_weight_rules,
    count_hits,
    make_dials,
)
from regzoo.training.model.layer_places import list_layer_places
from regzoo.training.model.place_summary import summarize_places, warn_frozen
from regzoo.training.model.precision import precision_of
from regzoo.training.model.refused_copies import describe_kinds, reject_changed
from regzoo.training.model.reparametrize import install_reparametrizations
from regzoo.training.model.requirements import reject_ranges, reject_several_models, require_noise
from regzoo.training.own_layers import OwnLayers
from regzoo.training.task import Task


def attach(
    recipe: Recipe | Regularizer | str,
    model: keras.Model,
    classes: int | None = None,
    *,
    expand_nested: bool = False,
    optimizer: Any = "adam",
    seed: int = 0,
    categorical_features: Any = None,
) -> RegularizedModel:
    """Return a compiled copy of your own Keras model with the recipe built in; your model is not changed.

    The copy has your weights and your random streams, bit for bit, and ``reset`` restores the weights: the seed sets
    only the random streams and the weights of layers that the recipe inserts. Compiled with your loss and metrics, it
    trains as your model does but for the recipe; the ones that you compiled with are not copied. Losses that your
    layers add belong to the training loss.

    Slots: ``input`` at each input of floating numbers; ``preactivation`` and ``activation`` around each layer or
    function that is a nonlinearity, and around the nonlinearity inside Dense and convolutions, which is taken out
    of them; ``activation`` after recurrent layers; ``embedding`` behind Embeddings, or your own layers around them, and
    the sum with positions, else where the first attention reads; ``branch`` at each residual branch of an Add. The
    shortcut of an Add is the input with the fewest layers with weights since the paths of its inputs separated; in a
    tie there is no branch. The last layer has no slot after it. The inside of a layer of your own, of
    MultiHeadAttention (so there is no ``attention`` slot) and of TimeDistributed is out of reach.
    `RegularizedModel.hits` counts the places.

    Models among its layers, at any depth, are copied under their own names, frozen as yours are. Their weights are in
    reach; with ``expand_nested``, so are their slots, once for a model that is called several times. A model that is
    only called with ``training=False``, such as a frozen base, never has slots. (Its own layers do what they do in your
    model: in ``fit`` of a functional model Keras 3 overrides that argument, and freezing alone keeps batch norm still.)

    For ``on=`` and ``exclude=``, a slot lies at the last layer with weights before it. A `FrozenPlacesWarning` counts
    the slots before frozen layers.

    Task: a model that ends in a softmax is a classifier, and one that ends in a sigmoid is a classifier for each of
    its outputs. Any other is a regression, or with ``classes`` a classifier that ends in logits. With
    ``classes=2``, one sigmoid becomes two probabilities (1 - p, p). Standardize inputs as your model expects them.
    Targets are whole numbers (classes), zeros and ones (labels), or one number for each output. A model may predict at
    each of several positions of an example, such as time steps or pixels: outputs (batch, ..., size), of which the last
    layer may be in TimeDistributed. Then regularizers that act on the targets or the loss of examples are refused.

    Args:
        recipe: such as ``"dropout(0.5) + l2(1e-4)"``, with a number or a schedule for every strength.
        model: functional or sequential, built, with one output (batch, size) or (batch, ..., size).
        classes: number of classes, for a model that ends in logits or in one sigmoid.
        expand_nested: True if the recipe also acts between the layers of models inside your model.
        optimizer: the name of a Keras optimizer, or an optimizer.
        seed: seed of every random stream.
        categorical_features: columns of rows that are booleans or one-hot encoded categories, as for `regzoo.build`; of
            several inputs, a dict of such by their names.

    Raises:
        InputError: if a value is wrong, a strength is left to a search, or a regularizer finds no place to act, cannot
            act on several inputs or whole numbers where the model takes them, or needs several models; if the model is
            subclassed, not built, has several outputs, or ends in a layer that fits no task.

    Example:
        model = regzoo.attach("dropout(0.2) + l2_sp(0.01)", keras.models.load_model("mine.keras"))
        model.fit(x, y, epochs=5)
    """
    recipe = as_recipe(recipe)
    reject_ranges(recipe)
    reject_several_models(recipe)
    if isinstance(model, RegularizedModel):
        raise InputError("the model has a recipe already: attach the sum of both recipes to the model it was made of")
    graph = Graph(model, expand_nested)
    reject_recipes_inside(graph)
    cells = read_cells(model, categorical_features)
    attached = attach_to_graph(recipe, graph, infer_task(graph, classes), seed, classes=classes, cells=cells)
    attached.compile(optimizer=optimizer)
    for sentence in warn_frozen(summarize_places(attached)):
        warnings.warn(sentence, FrozenPlacesWarning, stacklevel=2)
    if clashes := [*attached.recipe.clashes(), *attached.clashes_with_own]:
        warnings.warn("; ".join(clashes), ClashWarning, stacklevel=2)
    return attached


@keras.saving.register_keras_serializable("regzoo")
class AttachedModel(RegularizedModel):
    """A `RegularizedModel` made by `attach`; its file holds the initial weights as well as the current ones."""

    def __init__(
        self, inputs: Any, logits: Any, outputs: Any, info: BuildInfo, initial: InitialWeights, output_name: str
    ) -> None:
        super().__init__(inputs, logits, outputs, info)
        self.output_names = [output_name]
        self._initial = initial
        self._kinds_at_start = tuple(describe_kinds(list_layers(self)))
        self._trainable_at_start = _list_trainable(self)
        self._saves_initial = True
        self._own: Callable[[], OwnLayers] = OwnLayers
        self._own_noise: Callable[[], list[keras.Layer]] = list  # a function, so that Keras does not track it

    def set_own(self, own: OwnLayers, noise: list[keras.Layer], starts_anew: bool) -> None:
        """Set what `own_layers` and `list_own_noise` return, and whether your layers start from scratch in each run."""
        self._own, self._starts_anew = (lambda: own), starts_anew
        self._own_noise = lambda: noise  # on a line of its own, so that TensorFlow finds its source

    @property
    def own_layers(self) -> OwnLayers:
        """The Dropout layers, normalizations and penalties that your model has of its own."""
        return self._own()

    @property
    def clashes_with_own(self) -> list[str]:
        """Sentences on what the recipe and `own_layers` do twice or to each other."""
        return list_clashes_with_own(self.recipe, self.own_layers, self._info.insertions, self._own_noise())

    def list_own_noise(self) -> list[keras.Layer]:
        """Return the copies of your layers that draw in training."""
        return self._own_noise()

    def copy_trainable(self, model: keras.Model, surgery: ModelSurgery) -> None:
        """Freeze what is frozen in the user's ``model``, which ``surgery`` copied."""
        surgery.copy_trainable(model, self)
        self._trainable_at_start = _list_trainable(self)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of `from_config`, and which layers are frozen if that was changed.

        Raises:
            InputError: if the user's model cannot be serialized.
        """
        config = super().get_config()
        if "unsaved" in config:
            raise InputError(f"this model cannot be saved: {config['unsaved']}")
        reject_changed(list_layers(self), self._kinds_at_start)
        trainable = _list_trainable(self)
        return config if trainable == self._trainable_at_start else {**config, "trainable": list(trainable)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> RegularizedModel:
        """Attach the recipe again; Keras loads the weights afterwards."""
        model = deserialize_model(config, custom_objects)
        recipe, task = as_recipe(config["recipe"]), Task(**config["task"])
        graph = Graph(model, config.get("expand_nested", False))
        tie(graph.list_leaf_layers(), config.get("ties", []))
        with precision_of(config):  # of the recipe's layers; those of the model have their own
            cells = named_cells_from_json(config.get("cells", []))
            attached = attach_to_graph(recipe, graph, task, config["seed"], classes=config["classes"], cells=cells)
        for layer, trainable in zip(list_layers(attached), config.get("trainable", ()), strict=False):
            layer.trainable = trainable
        return attached

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Update the metrics and return their results. Keras calls it in each step."""
        with reject_metrics_of_one(self, y):
            results: dict[str, Any] = super().compute_metrics(x, y, y_pred, sample_weight)
        return results

    def _copy(self, weights: list[Any]) -> AttachedModel:
        copied: AttachedModel = super()._copy(weights)
        copy_adapted_state(self, copied)
        return copied

    def save_weights(self, *args: Any, **kwargs: Any) -> None:
        """Save the weights, which your model can load unless the recipe has companions of weights, such as averages."""
        self._saves_initial = False
        try:
            super().save_weights(*args, **kwargs)
        finally:
            self._saves_initial = True

    def save_own_variables(self, store: Any) -> None:
        """Save the initial weights as well. Keras calls it in `save`."""
        super().save_own_variables(store)
        for number, value in enumerate(self._initial.values if self._saves_initial else ()):
            store[f"start_{number}"] = value

    def load_own_variables(self, store: Any) -> None:
        """Load the initial weights as well. Keras calls it in `load_model` and `load_weights`."""
        values = self._initial.values
        if "start_0" in store:  # else a file of weights alone, maybe of the model that the recipe was attached to
            values[:] = [np.asarray(store[f"start_{number}"]) for number in range(len(values))]
            for variable, value in self._info.weights(self._info.config["seed"]):  # the random streams go on
                variable.assign(value)
            self._initialize_companions()
        super().load_own_variables(store)


def _list_trainable(model: keras.Model) -> tuple[bool, ...]:
    return tuple(layer.trainable for layer in list_layers(model))


@floatx_of()
def attach_to_graph(
    recipe: Recipe,
    graph: Graph,
    task: Task,
    seed: int,
    *,
    classes: int | None = None,
    draw: DrawWeights | None = None,
    cells: NamedCells = (),
) -> AttachedModel:
    """Return a copy of the model of ``graph`` with ``recipe`` built in, not compiled.

    Args:
        recipe: with a number or a schedule for every strength.
        graph: of the user's model.
        task: what the model predicts.
        seed: seed of every random stream.
        classes: as for `attach`.
        draw: returns the initial weights of a run, by its seed; None for those that the model has.
        cells: which columns of the inputs hold one value.

    Raises:
        InputError: if a regularizer finds no place to act, or cannot handle the inputs or the outputs.
    """
    model = graph.model
    check_recipe(recipe, graph, task, cells)
    in_training = list_layers_in_training(graph)
    require_noise(recipe, bool(list_noise(in_training)))
    config = describe_attached(recipe, graph, task, seed, classes, cells)

    regularizers, dials = make_dials(recipe)
    inserter = LayerInserter(recipe, regularizers, list_slots(graph), seed)
    inserts = any(isinstance(each, OnActivations) for each in regularizers)
    surgery = ModelSurgery(graph, inserter, task, inserts)
    inputs = keras.tree.map_structure(copy_input, model.input)
    with explain_shortening(recipe, model.name):
        logits, outputs = surgery.rebuild(inputs)
    initial = surgery.copy_weights()
    surgery.verify_outputs()

    to_logits = keras.Model(inputs, logits)
    rules = collect_weight_rules(recipe, regularizers, to_logits, inserter.check)
    narrowed = collect_narrowed_weights(recipe, regularizers, to_logits, inserter.check)
    layers = list_layer_places(to_logits, inserter.keys)
    inserter.check.check(layers, f"the model {model.name!r}", describe_what_is_closed(graph))
    hits = count_hits(recipe, inserter.insertions, rules, narrowed)
    reject_inactive(hits, graph)
    weights, streams = surgery.collect_initial_values(to_logits, initial, draw)
    insertions = tuple(inserter.insertions)
    info = BuildInfo(
        recipe, task, regularizers, dials, rules, insertions, narrowed, hits, weights, streams, config, cells
    )
    attached = AttachedModel(inputs, logits, outputs, info, initial, model.output_names[0])
    attached.copy_trainable(graph.given, surgery)
    install_reparametrizations(attached)
    attached.set_own(count_own_layers(graph.given), list_noise(surgery.list_copies(in_training)), draw is not None)
    try_recipe(attached, graph)
    attached.reset(seed)
    surgery.copy_streams()
    return attached
