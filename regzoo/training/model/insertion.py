"""Fitting: a recipe's regularizers in a model that is being built: dials, layers at slots, rules, starting values.

`assemble` fits them into a backbone, `attach` into the user's own model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import keras

from regzoo.core import (
    AfterTraining,
    InputError,
    OnActivations,
    OnBatch,
    OnForward,
    OnGradients,
    OnLoss,
    OnTraining,
    OnWeights,
    Perturbation,
    Recipe,
    Regularizer,
    Rule,
    Schedule,
    Slot,
    Weight,
)
from regzoo.core.seeds import derive
from regzoo.core.slots import SlotKind
from regzoo.training.model.build_info import Start, WeightRule, initialize_companion
from regzoo.training.task import Shape, Task

ON_THE_WHOLE = (OnBatch, OnForward, OnLoss, OnGradients, OnTraining, AfterTraining)
"""Places that every model has; a regularizer acting there always hits."""


def refuse_ranges(recipe: Recipe) -> None:
    """Refuse strengths that are left to a search.

    Raises:
        InputError: with each of them.
    """
    open_strengths = [f"{name} ({value})" for name, (value, _) in recipe.space().items()]
    if open_strengths:
        raise InputError(
            f"{', '.join(open_strengths)} is left to the search: a model needs a number, "
            "such as dropout(0.5); regzoo.compare and `regzoo compare` search"
        )


def refuse_several_models(recipe: Recipe) -> None:
    """Refuse what is made of several trainings; the strengths must be numbers.

    Raises:
        InputError: at the first of them.
    """
    for part in recipe:
        if isinstance(part, AfterTraining) and part.n_models() > 1:
            raise InputError(f"{part.name} acts on trained models, so one model cannot hold it: use regzoo.compare")


def check_requirements(recipe: Recipe, task: Task, input_shape: Shape) -> None:
    """Refuse regularizers that need images, rows, classes, or targets other than the inputs, where there are none.

    Args:
        recipe: its regularizers say what they need.
        task: what is predicted.
        input_shape: of one example; ``()`` if there are several inputs.

    Raises:
        InputError: at the first of them.
    """
    offered = {"images"} if len(input_shape) == 3 else {"rows"} if len(input_shape) == 1 else set()
    offered |= {"classes"} if task.kind == "classification" else set()
    offered |= {"targets"} if task.kind != "reconstruction" else set()
    for part in recipe:
        missing = sorted(part.requires - offered)
        if missing:
            given = f"inputs of shape {input_shape} for {task.kind}"
            raise InputError(f"{part.name} needs {' and '.join(missing)}, received {given}; leave it out")


def make_dials(recipe: Recipe) -> tuple[tuple[Regularizer, ...], dict[str, keras.Variable]]:
    """Return the regularizers with dials in place of numbers, and the dials by ``name.field``."""
    dials: dict[str, keras.Variable] = {}
    for name, strength in recipe.dials().items():
        start = strength.value(0) if isinstance(strength, Schedule) else strength
        dials[name] = keras.Variable(start, trainable=False, dtype="float32", name=name.replace(".", "_"))
    parts = tuple(
        part.with_values(
            **{field: dials[f"{part.name}.{field}"] for field in part.dials() if f"{part.name}.{field}" in dials}
        )
        for part in recipe
    )
    return parts, dials


class LayerInserter:
    """Inserts layers at slots as they are announced, and remembers where.

    Args:
        parts: the recipe's regularizers, with dials.
        census: how many slots of each kind there will be.
        seed: of the run.
    """

    def __init__(self, parts: tuple[Regularizer, ...], census: Counter[str], seed: int) -> None:
        self.parts = [part for part in parts if isinstance(part, OnActivations)]
        self.census = census
        self.seed = seed
        self.seen: Counter[str] = Counter()
        self.hits: Counter[str] = Counter()
        self.keys: dict[int, str] = {}  # id of an inserted layer -> the name of its streams

    def slot(self, kind: SlotKind, tensor: Any) -> Any:
        """Return ``tensor`` after every layer that the recipe has for this slot, in its order."""
        index = self.seen[kind]
        self.seen[kind] += 1
        for part in self.parts:
            key = f"{part.name}/{kind}/{index}"
            seed = derive(self.seed, key)
            layer = part.layer(Slot(kind, index, self.census[kind], len(tensor.shape), seed))
            if layer is not None:
                self.keys[id(layer)] = key
                self.hits[part.name] += 1
                tensor = layer(tensor)
        return tensor


def collect_weight_rules(
    parts: tuple[Regularizer, ...], model: keras.Model, hits: Counter[str]
) -> tuple[WeightRule, ...]:
    """Return what ``parts`` do to which weights of ``model``, in the recipe's order; ``hits`` counts on."""
    found = []
    for part in parts:
        hits[part.name] += isinstance(part, ON_THE_WHOLE)
        if not isinstance(part, OnWeights):
            continue
        for variable in model.trainable_variables:
            rule = part.rule(Weight(variable.path, tuple(variable.shape)))
            if rule is not None:
                hits[part.name] += 1
                found.append(_ruled(part.name, variable, rule))
    return tuple(found)


def _ruled(name: str, weight: keras.Variable, rule: Rule) -> WeightRule:
    start = initialize_companion(rule, weight)
    companion = None if start is None else keras.Variable(start, trainable=False, name=f"{name}_companion")
    stream = keras.random.SeedGenerator(0) if isinstance(rule, Perturbation) else None
    return WeightRule(name, weight, rule, companion, stream)


def collect_initial_values(layers: Iterable[keras.Layer], keys: dict[int, str]) -> tuple[Start, Start]:
    """Return where the weights and where the random streams of ``layers`` start, as functions of the run's seed.

    A weight is drawn by its layer's own initializer, from the stream named after layer and weight; one that has no
    initializer keeps the value it was built with. A layer's random stream starts at the layer's seed.

    Args:
        layers: built.
        keys: names of the streams of inserted layers, by the layer's id; the others' are the layers' own.
    """
    weights: list[tuple[keras.Variable, Callable[[int], Any]]] = []
    streams: list[tuple[keras.Variable, Callable[[int], Any]]] = []
    for layer in layers:
        name = keys.get(id(layer), layer.name)
        for weight in layer.weights:
            initializer = getattr(layer, f"{weight.name}_initializer", None)
            weights.append((weight, _drawn(initializer, weight, f"{name}/{weight.name}")))
        known = {id(weight) for weight in layer.weights}
        streams += [(v, _stream_start(name)) for v in layer.variables if id(v) not in known]
    return (
        lambda seed: [(variable, draw(seed)) for variable, draw in weights],
        lambda seed: [(variable, draw(seed)) for variable, draw in streams],
    )


def _stream_start(name: str) -> Callable[[int], Any]:
    return lambda seed: [derive(seed, name), 0]


def _drawn(initializer: Any, weight: keras.Variable, name: str) -> Callable[[int], Any]:
    if initializer is None:
        built_with = weight.numpy()
        return lambda seed: built_with
    config = initializer.get_config()
    if "seed" not in config:
        return lambda seed: initializer(weight.shape, weight.dtype)

    def draw(seed: int) -> Any:
        seeded = type(initializer).from_config({**config, "seed": derive(seed, name)})
        return seeded(weight.shape, weight.dtype)

    return draw
