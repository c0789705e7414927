"""Assemble: recipe x backbone x task x seed -> model. The only place where they meet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import keras

from regzoo.language import (
    AfterTraining,
    Backbone,
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
    backbones,
    parse,
)
from regzoo.language.grammar import read_call
from regzoo.language.named import construct
from regzoo.language.seeds import derive
from regzoo.language.slots import Kind
from regzoo.training.model import Assembly, RegularizedModel, Ruled, Start, companion_start
from regzoo.training.task import Task

ON_THE_WHOLE = (OnBatch, OnForward, OnLoss, OnGradients, OnTraining, AfterTraining)
"""Places that every model has; a regularizer acting there always hits."""


def assemble(
    backbone: Backbone | str, recipe: Recipe, task: Task, input_shape: tuple[int, ...], seed: int = 0
) -> RegularizedModel:
    """Build a model, insert the recipe at the backbone's slots and weights, and put it at the start of ``seed``.

    Weights that two recipes share start equal for equal seeds: each draws from a stream named after its layer.

    Args:
        backbone: a backbone, or its spelling.
        recipe: with numbers or schedules for all strengths.
        task: what to predict.
        input_shape: of one example, without the batch axis.
        seed: of the run.

    Raises:
        InputError: if a strength is still a range, or a regularizer finds no place to act.
    """
    if isinstance(backbone, str):
        backbone = construct(read_call(backbone), backbones(), "backbone")
    _refuse_ranges(recipe)
    _refuse_unfit(recipe, task, tuple(input_shape))
    parts, dials = _with_dials(recipe)
    fitter = _Fitter(parts, census=_census(backbone, input_shape), seed=seed)
    inputs = keras.Input(input_shape, name="inputs")
    logits, outputs = task.head(backbone(inputs, fitter.slot))
    shape_only = keras.Model(inputs, logits)
    rules = _rules(parts, shape_only, fitter.hits)
    _refuse_idle(parts, fitter.hits, backbone)
    config = {
        "backbone": str(backbone),
        "recipe": str(recipe),
        "task": asdict(task),
        "input_shape": list(input_shape),
        "seed": seed,
    }
    weights, streams = _starts(shape_only, fitter.keys)
    assembly = Assembly(recipe, task, parts, dials, rules, dict(fitter.hits), weights, streams, config)
    model = RegularizedModel(inputs, logits, outputs, assembly)
    model.reset(seed)
    return model


def from_config(config: dict[str, Any]) -> RegularizedModel:
    """Assemble the model that `RegularizedModel.get_config` describes."""
    return assemble(
        config["backbone"],
        parse(config["recipe"]),
        Task(**config["task"]),
        tuple(config["input_shape"]),
        config["seed"],
    )


def _refuse_ranges(recipe: Recipe) -> None:
    open_strengths = [f"{name} ({value})" for name, (value, _) in recipe.space().items()]
    if open_strengths:
        raise InputError(
            f"{', '.join(open_strengths)} is left to the search: a model needs a number, "
            "such as dropout(0.5); regzoo.compare and `regzoo compare` search"
        )


def _with_dials(recipe: Recipe) -> tuple[tuple[Regularizer, ...], dict[str, keras.Variable]]:
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


def _census(backbone: Backbone, input_shape: tuple[int, ...]) -> Counter[str]:
    """Count the slots of each kind, so that a slot can say how many there are."""
    counts: Counter[str] = Counter()

    def count(kind: Kind, tensor: Any) -> Any:
        counts[kind] += 1
        return tensor

    backbone(keras.Input(input_shape), count)
    return counts


class _Fitter:
    """Inserts layers at slots as the backbone announces them, and remembers where."""

    def __init__(self, parts: tuple[Regularizer, ...], census: Counter[str], seed: int) -> None:
        self.parts = [part for part in parts if isinstance(part, OnActivations)]
        self.census = census
        self.seed = seed
        self.seen: Counter[str] = Counter()
        self.hits: Counter[str] = Counter()
        self.keys: dict[int, str] = {}  # id of an inserted layer -> the name of its streams

    def slot(self, kind: Kind, tensor: Any) -> Any:
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


def _rules(parts: tuple[Regularizer, ...], model: keras.Model, hits: Counter[str]) -> tuple[Ruled, ...]:
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


def _ruled(name: str, weight: keras.Variable, rule: Rule) -> Ruled:
    start = companion_start(rule, weight)
    companion = None if start is None else keras.Variable(start, trainable=False, name=f"{name}_companion")
    stream = keras.random.SeedGenerator(0) if isinstance(rule, Perturbation) else None
    return Ruled(name, weight, rule, companion, stream)


def _refuse_unfit(recipe: Recipe, task: Task, input_shape: tuple[int, ...]) -> None:
    """Refuse regularizers that need images, rows or classes where there are none."""
    offered = {"images"} if len(input_shape) == 3 else {"rows"} if len(input_shape) == 1 else set()
    offered |= {"classes"} if task.kind == "classification" else set()
    for part in recipe:
        missing = sorted(part.needs - offered)
        if missing:
            given = f"inputs of shape {input_shape} for {task.kind}"
            raise InputError(f"{part.name} needs {' and '.join(missing)}, received {given}; leave it out")


def _refuse_idle(parts: tuple[Regularizer, ...], hits: Counter[str], backbone: Backbone) -> None:
    for part in parts:
        if not hits[part.name]:
            raise InputError(f"{part.name} finds no place to act in {backbone}: it would do nothing")


def _starts(model: keras.Model, keys: dict[int, str]) -> tuple[Start, Start]:
    """Return where weights and where random streams start, as functions of the run's seed.

    A weight is drawn by its layer's own initializer, from the stream named after layer and weight; one that has no
    initializer keeps the value it was built with. A layer's random stream starts at the layer's seed.
    """
    weights: list[tuple[keras.Variable, Callable[[int], Any]]] = []
    streams: list[tuple[keras.Variable, Callable[[int], Any]]] = []
    for layer in model.layers:
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
