"""Insert a recipe's regularizers into a model under construction: dials, layers at slots, weight rules, initial values.

`build_model` uses it for backbones, `attach` for a user's own model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
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
)
from regzoo.core.seeds import derive
from regzoo.core.slots import SlotKind
from regzoo.core.weights import describe_weights
from regzoo.training.model.build_info import DrawInitialValues, WeightRule, initialize_companion
from regzoo.training.task import Shape, Task

WHOLE_MODEL = (OnBatch, OnForward, OnLoss, OnGradients, OnTraining, AfterTraining)
"""Places that every model has; a regularizer at one of them always acts."""


def reject_ranges(recipe: Recipe) -> None:
    """Reject strengths that are left to a search.

    Raises:
        InputError: with all of them.
    """
    ranges = [f"{name} ({value})" for name, (value, _) in recipe.space().items()]
    if ranges:
        raise InputError(
            f"{', '.join(ranges)} is left to the search: a model needs a number, "
            "such as dropout(0.5); regzoo.compare and `regzoo compare` search"
        )


def reject_several_models(recipe: Recipe) -> None:
    """Reject a recipe that trains several models. Its strengths must be numbers.

    Raises:
        InputError: at the first regularizer that does.
    """
    for regularizer in recipe:
        if isinstance(regularizer, AfterTraining) and regularizer.n_models() > 1:
            raise InputError(
                f"{regularizer.name} acts on trained models, so one model cannot hold it: use regzoo.compare"
            )


def check_requirements(recipe: Recipe, task: Task, input_shape: Shape) -> None:
    """Reject regularizers that require images, rows, classes, or targets other than the inputs, where there are none.

    Args:
        recipe: the regularizers to check.
        task: what is predicted.
        input_shape: shape of one example; ``()`` if there are several inputs.

    Raises:
        InputError: at the first of them.
    """
    available = {"images"} if len(input_shape) == 3 else {"rows"} if len(input_shape) == 1 else set()
    available |= {"classes"} if task.kind == "classification" else set()
    available |= {"targets"} if task.kind != "reconstruction" else set()
    for regularizer in recipe:
        missing = sorted(regularizer.requires - available)
        if missing:
            received = f"inputs of shape {input_shape} for {task.kind}"
            raise InputError(f"{regularizer.name} needs {' and '.join(missing)}, received {received}; leave it out")


def make_dials(recipe: Recipe) -> tuple[tuple[Regularizer, ...], dict[str, keras.Variable]]:
    """Return the recipe's regularizers with dials in place of numbers, and the dials by ``name.field``."""
    dials: dict[str, keras.Variable] = {}
    for name, strength in recipe.dials().items():
        start = strength.value(0) if isinstance(strength, Schedule) else strength
        dials[name] = keras.Variable(
            start, trainable=False, dtype=keras.config.floatx(), autocast=False, name=name.replace(".", "_")
        )
    regularizers = []
    for regularizer in recipe:
        names = {field: f"{regularizer.name}.{field}" for field in regularizer.dials()}
        own = {field: dials[name] for field, name in names.items() if name in dials}
        regularizers.append(regularizer.with_values(**own))
    return tuple(regularizers), dials


class LayerInserter:
    """Inserts the recipe's layers at slots as they are announced, and counts them.

    Args:
        regularizers: those of the recipe, with dials.
        slot_counts: number of slots of each kind.
        seed: seed of the run.

    Attributes:
        hits: number of layers that each regularizer has inserted.
        keys: names of the random streams of inserted layers, by the layer's id.
    """

    def __init__(self, regularizers: Sequence[Regularizer], slot_counts: Counter[str], seed: int) -> None:
        self._regularizers = [each for each in regularizers if isinstance(each, OnActivations)]
        self._slot_counts = slot_counts
        self._seed = seed
        self._announced: Counter[str] = Counter()
        self.hits: Counter[str] = Counter()
        self.keys: dict[int, str] = {}

    def slot(self, kind: SlotKind, tensor: Any) -> Any:
        """Apply every layer that the recipe has for this slot, in its order, and return the result."""
        index = self._announced[kind]
        self._announced[kind] += 1
        for regularizer in self._regularizers:
            key = f"{regularizer.name}/{kind}/{index}"
            seed = derive(self._seed, key)
            layer = regularizer.layer(Slot(kind, index, self._slot_counts[kind], len(tensor.shape), seed))
            if layer is not None:
                self.keys[id(layer)] = key
                self.hits[regularizer.name] += 1
                tensor = layer(tensor)
        return tensor


def collect_weight_rules(
    regularizers: Sequence[Regularizer], model: keras.Model, hits: Counter[str]
) -> tuple[WeightRule, ...]:
    """Return the rules of ``regularizers`` on the weights of ``model``, in the recipe's order; add them to ``hits``.

    Frozen weights have rules too, which act once the weights are trained.
    """
    rules = []
    for regularizer in regularizers:
        hits[regularizer.name] += isinstance(regularizer, WHOLE_MODEL)
        if not isinstance(regularizer, OnWeights):
            continue
        for variable, weight in describe_weights(model):
            rule = regularizer.rule(weight)
            if rule is not None:
                hits[regularizer.name] += 1
                rules.append(_make_weight_rule(regularizer.name, variable, rule))
    return tuple(rules)


def _make_weight_rule(name: str, weight: keras.Variable, rule: Rule) -> WeightRule:
    start = initialize_companion(rule, weight)
    companion = None if start is None else keras.Variable(start, trainable=False, name=f"{name}_companion")
    stream = keras.random.SeedGenerator(0) if isinstance(rule, Perturbation) else None
    return WeightRule(name, weight, rule, companion, stream)


def collect_initial_values(
    layers: Iterable[keras.Layer], keys: dict[int, str]
) -> tuple[DrawInitialValues, DrawInitialValues]:
    """Return initial weights and initial random streams of ``layers``, as two functions of the run's seed.

    A weight is drawn by its layer's own initializer, from the stream named after layer and weight. Without an
    initializer it keeps the value that it was built with. A layer's random stream starts at the layer's seed.

    Args:
        layers: built.
        keys: stream names of inserted layers, by the layer's id; other layers use their own name.
    """
    weights: list[tuple[keras.Variable, Callable[[int], Any]]] = []
    streams: list[tuple[keras.Variable, Callable[[int], Any]]] = []
    for layer in layers:
        name = keys.get(id(layer), layer.name)
        for weight in layer.weights:
            initializer = getattr(layer, f"{weight.name}_initializer", None)
            weights.append((weight, _make_draw(initializer, weight, f"{name}/{weight.name}")))
        known = {id(weight) for weight in layer.weights}
        streams += [(v, _make_stream_draw(name)) for v in layer.variables if id(v) not in known]
    return (
        lambda seed: [(variable, draw(seed)) for variable, draw in weights],
        lambda seed: [(variable, draw(seed)) for variable, draw in streams],
    )


def _make_stream_draw(name: str) -> Callable[[int], Any]:
    return lambda seed: [derive(seed, name), 0]


def _make_draw(initializer: Any, weight: keras.Variable, name: str) -> Callable[[int], Any]:
    """Return a function of the seed that gives the initial value of ``weight``."""
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
