"""Insert a recipe's regularizers into a model under construction: dials, layers at slots, weight rules, initial values.

`build_model` uses it for backbones, `attach` for a user's own model.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras

from regzoo.core import (
    AfterTraining,
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
from regzoo.core.places import AtLayers
from regzoo.core.seeds import derive
from regzoo.core.selection import LayerPlace
from regzoo.core.slots import SlotKind
from regzoo.core.weights import describe_weights
from regzoo.training.model.build_info import (
    DrawInitialValues,
    Insertion,
    NarrowedWeight,
    WeightRule,
    initialize_companion,
)
from regzoo.training.model.layer_places import Kinds, SlotPlace, make_place
from regzoo.training.model.narrowing import PlaceCheck, is_narrowed

WHOLE_MODEL = (OnBatch, OnForward, OnLoss, OnGradients, OnTraining, AfterTraining)
"""Places that every model has; a regularizer at one of them always acts."""


def make_dials(recipe: Recipe) -> tuple[tuple[Regularizer, ...], dict[str, keras.Variable]]:
    """Return the recipe's regularizers with dials in place of numbers, and the dials by ``name.field``."""
    dials: dict[str, keras.Variable] = {}
    for name, strength in recipe.dials().items():
        start = strength.value(0) if isinstance(strength, Schedule) else strength
        dials[name] = keras.Variable(
            start, trainable=False, dtype=keras.config.floatx(), autocast=False, name=re.sub(r"\W", "_", name)
        )
    regularizers = []
    for key, regularizer in recipe.items():
        names = {field: f"{key}.{field}" for field in regularizer.dials()}
        own = {field: dials[name] for field, name in names.items() if name in dials}
        regularizers.append(regularizer.with_values(**own))
    return tuple(regularizers), dials


class LayerInserter:
    """Inserts the recipe's layers at slots as they are announced, and records where.

    Args:
        recipe: the recipe.
        regularizers: those of the recipe, with dials.
        slots: the slots that will be announced, in this order or with the same order among those of a kind.
        seed: seed of the run.

    Attributes:
        check: knows where the regularizers could act, to check what the recipe says about it.
        insertions: the layers that were inserted.
        keys: names of the random streams of inserted layers, by the layer's id.
    """

    def __init__(
        self, recipe: Recipe, regularizers: Sequence[Regularizer], slots: Sequence[SlotPlace], seed: int
    ) -> None:
        names = [name for name, _ in recipe.items()]
        pairs = zip(names, regularizers, strict=True)
        self._regularizers = [(name, each) for name, each in pairs if isinstance(each, OnActivations)]
        self._slots = _number_slots(slots)
        self._counts = Counter(slot.kind for slot in slots)
        self._seed = seed
        self._announced: Counter[str] = Counter()
        self.check = PlaceCheck(recipe)
        self.insertions: list[Insertion] = []
        self.keys: dict[int, str] = {}
        self._chosen = {name: self._choose_slots(name, each) for name, each in self._regularizers if is_narrowed(each)}

    def slot(self, kind: SlotKind, tensor: Any) -> Any:
        """Apply every layer that the recipe has for this slot, in its order, and return the result."""
        index = self._announced[kind]
        self._announced[kind] += 1
        for name, regularizer in self._regularizers:
            chosen = self._chosen.get(name)
            layer = self._make_layer(regularizer, kind, index) if chosen is None else chosen.get((kind, index))
            if layer is not None:
                self.keys[id(layer)] = f"{regularizer.name}/{kind}/{index}"
                self.insertions.append(Insertion(name, self._slots[kind, index].layer, layer))
                tensor = layer(tensor)
        return tensor

    def _make_layer(self, regularizer: OnActivations, kind: SlotKind, index: int) -> keras.Layer | None:
        place = self._slots[kind, index]
        seed = derive(self._seed, f"{regularizer.name}/{kind}/{index}")
        return regularizer.layer(Slot(kind, index, self._counts[kind], place.rank, seed, place.layer))

    def _choose_slots(self, name: str, regularizer: OnActivations) -> dict[tuple[SlotKind, int], keras.Layer]:
        """Return the layers to insert for a narrowed regularizer, by kind and index of the slot."""
        made = {slot: self._make_layer(regularizer, *slot) for slot in self._slots}
        possible = {slot: layer for slot, layer in made.items() if layer is not None}
        chosen = self.check.choose(name, {slot: self._slots[slot].layer for slot in possible})
        return {slot: layer for slot, layer in possible.items() if slot in chosen}


def _number_slots(slots: Sequence[SlotPlace]) -> dict[tuple[SlotKind, int], SlotPlace]:
    """Return the slots by their kind and their number among those of the kind."""
    counted: Counter[str] = Counter()
    numbered: dict[tuple[SlotKind, int], SlotPlace] = {}
    for slot in slots:
        numbered[slot.kind, counted[slot.kind]] = slot
        counted[slot.kind] += 1
    return numbered


def collect_weight_rules(
    recipe: Recipe,
    regularizers: Sequence[Regularizer],
    model: keras.Model,
    check: PlaceCheck,
    kinds: Kinds | None = None,
) -> tuple[WeightRule, ...]:
    """Return the rules of ``regularizers`` on the weights of ``model``, in the recipe's order.

    Frozen weights have rules too, which act once the weights are trained.

    Args:
        recipe: the recipe.
        regularizers: those of the recipe, with dials.
        model: the model, with the recipe's layers inserted.
        check: receives where they could act.
        kinds: kinds of layers by a pattern of the name.
    """
    rules: list[WeightRule] = []
    for (name, _), regularizer in zip(recipe.items(), regularizers, strict=True):
        if not isinstance(regularizer, OnWeights):
            continue
        possible = [
            (variable, rule, make_place(weight.layers, kinds))
            for variable, weight in describe_weights(model)
            if (rule := regularizer.rule(weight)) is not None
        ]
        chosen = check.choose(name, {id(variable): place for variable, _, place in possible})
        rules += [_make_weight_rule(name, *each) for each in possible if id(each[0]) in chosen]
    return tuple(rules)


def _make_weight_rule(name: str, weight: keras.Variable, rule: Rule, layer: LayerPlace) -> WeightRule:
    start = initialize_companion(rule, weight)
    label = re.sub(r"\W", "_", name)
    companion = None if start is None else keras.Variable(start, trainable=False, name=f"{label}_companion")
    stream = keras.random.SeedGenerator(0) if isinstance(rule, Perturbation) else None
    return WeightRule(name, weight, rule, layer, companion, stream)


def collect_narrowed_weights(
    recipe: Recipe,
    regularizers: Sequence[Regularizer],
    model: keras.Model,
    check: PlaceCheck,
    kinds: Kinds | None = None,
) -> tuple[NarrowedWeight, ...]:
    """Return the weights that narrowed regularizers of gradients act on; arguments as in `collect_weight_rules`."""
    found: list[NarrowedWeight] = []
    for (name, _), regularizer in zip(recipe.items(), regularizers, strict=True):
        if not (
            isinstance(regularizer, OnGradients) and isinstance(regularizer, AtLayers) and is_narrowed(regularizer)
        ):
            continue
        weights = [(v, make_place(w.layers, kinds)) for v, w in describe_weights(model) if regularizer.acts_on(w)]
        chosen = check.choose(name, {id(variable): place for variable, place in weights})
        found += [NarrowedWeight(name, variable, place) for variable, place in weights if id(variable) in chosen]
    return tuple(found)


def count_hits(
    recipe: Recipe,
    insertions: Sequence[Insertion],
    rules: Sequence[WeightRule],
    narrowed: Sequence[NarrowedWeight],
) -> dict[str, int]:
    """Return the number of places at which each regularizer acts; one that acts on the whole model has that place."""
    places = Counter(name for found in (insertions, rules, narrowed) for name in [each.name for each in found])
    return {
        name: places[name] + (isinstance(regularizer, WHOLE_MODEL) and not is_narrowed(regularizer))
        for name, regularizer in recipe.items()
    }


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
