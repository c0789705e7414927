"""`BaseRegularizedModel`: a Keras model whose one training step has a place for every kind of regularizer.

Its subclasses `RegularizedModel` and `AttachedModel` lie next to their builders, which `from_config` calls.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import keras

from regzoo.core import Recipe, Regularizer, Schedule
from regzoo.core._keras_compat import is_writing_hdf5
from regzoo.core.layers import floatx_of
from regzoo.core.seeds import derive
from regzoo.core.selection import LayerPlace
from regzoo.training.model.build_info import BuildInfo, NarrowedWeight, WeightRule, initialize_companion
from regzoo.training.model.finalize import combine_models
from regzoo.training.model.layer_places import feeds_frozen_weights
from regzoo.training.model.narrowing import is_narrowed
from regzoo.training.model.refused_copies import HDF5, reject_cloning, reject_hdf5
from regzoo.training.model.regularized_trainer import RegularizedTrainer
from regzoo.training.model.step import TrainStep
from regzoo.training.model.weighting import flatten_weights


class BaseRegularizedModel(RegularizedTrainer):
    """A functional Keras model with its recipe built in; `RegularizedModel` describes its use.

    Keras tracks variables in the lists and dicts among a model's attributes as the model's own; where that would be
    wrong, an attribute is a function that returns the list.

    Args:
        inputs: symbolic inputs.
        logits: symbolic outputs of the head before softmax or sigmoid.
        outputs: symbolic outputs of the model.
        info: how it was built.
    """

    def __init__(self, inputs: Any, logits: Any, outputs: Any, info: BuildInfo) -> None:
        super().__init__(inputs, outputs)
        self._to_logits = keras.Model(inputs, logits).__call__  # bound: Keras would track the layers twice
        self._info = info
        self._step = TrainStep(self)
        self._snapshots: Callable[[], list[list[Any]]] = list
        self.reparametrized: Callable[[], list[WeightRule]] = list
        self._streams = {name: keras.random.SeedGenerator(0) for name, _ in info.recipe.items()}
        self._names = {id(one): name for (name, _), one in zip(info.recipe.items(), info.regularizers, strict=True)}
        self._optimizer_start: Callable[[], list[tuple[Any, Any]]] = list

    @property
    def recipe(self) -> Recipe:
        """The recipe, with numbers and schedules."""
        return self._info.recipe

    @property
    def hits(self) -> dict[str, int]:
        """The number of places at which each regularizer acts: slots or weights, 1 if it acts on the whole model.

        Weights that are frozen do not count. A regularizer that stands twice is counted for each of its places, as
        ``dropout[conv]`` and ``dropout[dense]``.
        """
        frozen = Counter(each.name for each in self._list_weights() if not each.weight.trainable)
        return {name: places - frozen[name] for name, places in self._info.hits.items()}

    @property
    def hits_by_layer(self) -> dict[str, dict[str, int]]:
        """The layers at which each regularizer acts, and the number of slots or weights there.

        Weights that are frozen do not count. One that acts on the whole model has none.
        """
        return {name: dict(Counter(place.path for place in places)) for name, places in self._list_places().items()}

    @property
    def hits_by_kind(self) -> dict[str, dict[str, int]]:
        """`hits_by_layer`, summed over the layers of a kind: ``dense``, ``conv``, and ``other`` for those of none."""
        return {
            name: dict(Counter(place.kind or "other" for place in places))
            for name, places in self._list_places().items()
        }

    @property
    def hits_before_frozen(self) -> dict[str, int]:
        """The number of slots before layers that are frozen, for each regularizer; see `feeds_frozen_weights`."""
        ids = {id(each.inserted) for each in self._info.insertions}
        found = Counter(each.name for each in self._info.insertions if feeds_frozen_weights(each.inserted, ids))
        return {name: found[name] for name, _ in self._info.recipe.items()}

    def _list_weights(self) -> list[WeightRule | NarrowedWeight]:
        return [*self._info.rules, *self._info.narrowed]

    def _list_places(self) -> dict[str, list[LayerPlace]]:
        """Return the layer of each slot or weight at which a regularizer acts, by its name in the recipe."""
        found = [(each.name, each.layer) for each in self._info.insertions]
        found += [(each.name, each.layer) for each in self._list_weights() if each.weight.trainable]
        return {name: [layer for own, layer in found if own == name] for name, _ in self._info.recipe.items()}

    @property
    def dials(self) -> dict[str, float]:
        """The current strengths in the model, by ``name.field``."""
        return {name: float(dial.numpy()) for name, dial in self._info.dials.items()}

    def set_dials(self, strengths: Mapping[str, float | Schedule], epoch: int = 0) -> None:
        """Set dials, by ``name.field``; a schedule gives its value for ``epoch``. Nothing is retraced."""
        for name, strength in strengths.items():
            value = strength.value(epoch) if isinstance(strength, Schedule) else strength
            self._info.dials[name].assign(value)

    def reset(self, seed: int, noise: int | None = None) -> None:
        """Reset weights, random streams and the optimizer to the start of a run with ``seed``.

        Args:
            seed: seed of the run.
            noise: seed of the random streams, if it should differ from the run's.
        """
        noise = seed if noise is None else noise
        for variable, value in [*self._info.weights(seed), *self._info.streams(noise)]:
            variable.assign(value)
        for name, stream in self._streams.items():
            stream.state.assign([derive(noise, "stream", name), 0])
        self._initialize_companions()
        for number, rule in enumerate(self._info.rules):
            if rule.stream is not None:
                rule.stream.state.assign([derive(noise, "stream", rule.name, number), 0])
        for variable, value in self._optimizer_start():
            variable.assign(value)

    def _initialize_companions(self) -> None:
        for rule in self._info.rules:
            if rule.companion is not None:
                rule.companion.assign(initialize_companion(rule.rule, rule.weight))

    def _name_companions(self) -> dict[str, keras.Variable]:
        """Return the companions by the names that they have in a file."""
        names = dict.fromkeys(rule.name for rule in self._info.rules)
        kept = [
            (name, [r.companion for r in self._info.rules if r.name == name and r.companion is not None])
            for name in names
        ]
        labels = [  # one that stands twice gets a number, since a file cannot hold every layer's name
            f"{name.partition('[')[0]}.{position}" if "[" in name else name for position, name in enumerate(names)
        ]
        return {
            f"{label}_{n}": companion
            for label, (_, companions) in zip(labels, kept, strict=True)
            for n, companion in enumerate(companions)
        }

    def save(self, filepath: Any, *args: Any, **kwargs: Any) -> None:
        """Save the model, with its recipe, as a ``.keras`` file.

        Raises:
            InputError: if the file is of Keras's old HDF5 format, which loads no model of another package.
        """
        if str(filepath).endswith(HDF5):
            reject_hdf5(f"{filepath}: ")
        super().save(filepath, *args, **kwargs)

    def check_cloning(self) -> None:
        """Refuse to be copied by `keras.models.clone_model`, and so by Keras's scikit-learn wrappers.

        Raises:
            InputError: if there is a recipe.
        """
        if self._info.regularizers:
            reject_cloning(self.recipe)

    def save_own_variables(self, store: Any) -> None:
        """Save the companions; layers save their weights. Keras calls it in `save`."""
        for name, companion in self._name_companions().items():
            store[name] = companion.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Load the companions. Keras calls it in `load_model` and `load_weights`."""
        for name, companion in self._name_companions().items():
            if name in store:  # weights of another recipe have none
                companion.assign(store[name])

    def get_regularizers(self, place: type[Any]) -> list[Any]:
        """Return the regularizers that act at ``place``, in the recipe's order."""
        return [regularizer for regularizer in self._info.regularizers if isinstance(regularizer, place)]

    def get_rules(self, *kinds: type[Any]) -> list[Any]:
        """Return the `WeightRule`s of these kinds on weights that are not frozen, in the recipe's order."""
        return [rule for rule in self._info.rules if isinstance(rule.rule, kinds) and rule.weight.trainable]

    def get_stream(self, regularizer: Regularizer) -> keras.random.SeedGenerator:
        """Return the random stream of ``regularizer``."""
        return self._streams[self._names.get(id(regularizer), regularizer.name)]

    def selects(self, regularizer: Regularizer, weight: keras.Variable) -> bool:
        """Return True if ``regularizer``, one of gradients, may change ``weight``; see `Gradients.selects`."""
        if not is_narrowed(regularizer):
            return True
        name = self._names[id(regularizer)]
        return any(each.name == name and each.weight is weight for each in self._info.narrowed)

    @property
    def states(self) -> list[keras.Variable]:
        """All that a training step changes except the trainable weights: random streams, batch norm's averages."""
        streams = [rule.stream.state for rule in self._info.rules if rule.stream is not None]
        return [*self.non_trainable_variables, *streams]

    def companions(self, name: str) -> list[tuple[keras.Variable, keras.Variable]]:
        """Return pairs of a weight that is not frozen and its companion, of the regularizers called ``name``."""
        rules = [rule for rule in self.get_rules(object) if rule.name.partition("[")[0] == name]
        pairs = [(rule.weight, rule.companion) for rule in rules]
        return [(weight, companion) for weight, companion in pairs if companion is not None]

    def list_own_noise(self) -> list[keras.Layer]:
        """Return the layers that draw in training, apart from the recipe's; Monte Carlo dropout switches them on."""
        return []

    def logits(self, x: Any, training: bool = False) -> Any:
        """Return the head's output before softmax or sigmoid, (batch, size)."""
        return self._to_logits(x, training=training)

    def update(self, x: Any, y: Any, weight: Any = None) -> tuple[Any, Any]:
        """Take one `TrainStep`; return the minimized loss and the logits, from before the update.

        Both `fit` and `Program` train by it.

        Args:
            x: standardized inputs, (batch, ...).
            y: targets, whole-number classes (batch,) or (batch, size).
            weight: weights of the examples, (batch,) or (batch, 1), or None.
        """
        with floatx_of(self):
            return self._step.take(x, y, weight if self.uses_keras_loss else flatten_weights(weight))

    def finished(self) -> keras.Model:
        """Return the model to use after `fit`: this one, or what the recipe's regularizers make of it after training.

        With `mc_dropout` it has a method ``uncertainty(x)`` and shares this model's weights; with `snapshot_ensemble`
        it averages the predictions of the snapshots of the last `fit`, which are not saved with this model.
        """
        return combine_models(self.recipe, [self._copy(weights) for weights in self._snapshots()] or [self])

    def _copy(self, weights: list[Any]) -> BaseRegularizedModel:
        copy: BaseRegularizedModel = type(self).from_config(self.get_config())
        copy.set_weights(weights)
        copy.set_dials(self.dials)
        return copy

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of `from_config`.

        Raises:
            InputError: if Keras asks in order to write a file of its old HDF5 format.
        """
        if is_writing_hdf5():
            reject_hdf5()
        return copy.deepcopy(self._info.config)  # Keras changes the configs that it is given
