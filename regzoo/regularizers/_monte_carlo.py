"""Monte Carlo dropout's model: many stochastic passes for each row, and what they agree on.

Every row goes through the same thinned networks, one batch of passes per row. So the answer depends on the row alone:
not on its neighbours, the batch size or earlier calls. Imported only when a model is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import keras
import tensorflow as tf

from regzoo.core import layers

TINY = 1.1754944e-38
"""The smallest normal number of float32."""


@keras.saving.register_keras_serializable("regzoo")
class MonteCarlo(keras.Model):
    """The mean over stochastic passes of ``models``; it shares their weights.

    Args:
        models: trained, of one task.
        samples: passes in all, shared out evenly and rounded up.
    """

    def __init__(self, models: Sequence[keras.Model], samples: int) -> None:
        passes = Passes(models, samples)
        inputs = keras.Input(models[0].input_shape[1:], name="inputs")
        super().__init__(inputs, passes(inputs), name="mc_dropout")
        self._spread, self._spread_of = passes.spread, passes.spread_of  # bound: Keras would track the layer twice

    def uncertainty(self, x: Any) -> dict[str, Any]:
        """What the passes say about inputs x (batch, ...), as tensors.

        Classification: ``probabilities`` (batch, classes), ``predictive_entropy`` (batch,): that of the mean, and
        ``mutual_information`` (batch,): the part of it that the passes disagree about, which more data could settle;
        both in nats. With several labels a row: the same of each label, all (batch, labels). Otherwise: ``mean`` and
        ``standard_deviation`` (batch, outputs) of the passes; the noise of the data is not in it.
        """
        return self._spread(tf.convert_to_tensor(x, tf.float32))

    def uncertainty_of(self, x: Any, samples: Any) -> dict[str, Any]:
        """The same with ``samples`` passes in all, a whole number from 1 that may be a tensor."""
        return self._spread_of(tf.convert_to_tensor(x, tf.float32), tf.convert_to_tensor(samples, tf.int32))

    def get_config(self) -> dict[str, Any]:
        """Its models and how often they are asked."""
        passes = self.layers[-1]
        return {
            "models": [keras.saving.serialize_keras_object(model) for model in passes.models],
            "samples": passes.samples,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """Make it anew."""
        models = [keras.saving.deserialize_keras_object(model, custom_objects) for model in config["models"]]
        return cls(models, config["samples"])


class Passes(keras.Layer):
    """Maps inputs (batch, ...) to the mean (batch, size) of what stochastic passes give.

    Args:
        models: as `MonteCarlo` takes them.
        samples: likewise.
    """

    def __init__(self, models: Sequence[keras.Model], samples: int) -> None:
        super().__init__(name="passes")
        self.models = list(models)
        self.samples = samples
        self.kind: str = models[0].task.kind
        self.size: int = models[0].task.size
        self.supports_jit = False  # XLA draws other masks
        self.built = True
        signature = [tf.TensorSpec([None, *models[0].input_shape[1:]], tf.float32)]
        self.spread = tf.function(lambda x: self._each_row(x, self.samples), input_signature=signature)
        self.spread_of = tf.function(self._each_row, input_signature=[*signature, tf.TensorSpec([], tf.int32)])

    def call(self, inputs: Any) -> Any:
        """The mean over the passes."""
        return self.spread(inputs)["probabilities" if self.kind in ("classification", "multilabel") else "mean"]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """(batch, size)."""
        return (input_shape[0], self.size)

    def _each_row(self, x: Any, samples: Any) -> dict[str, Any]:
        vector = tf.TensorSpec([self.size])
        if self.kind in ("classification", "multilabel"):
            one = vector if self.kind == "multilabel" else tf.TensorSpec([])
            signature = {"probabilities": vector, "predictive_entropy": one, "mutual_information": one}
        else:
            signature = {"mean": vector, "standard_deviation": vector}
        each = -(-samples // len(self.models))
        return tf.map_fn(lambda row: spread_of(self.kind, self._passes(row, each)), x, fn_output_signature=signature)

    def _passes(self, row: Any, each: Any) -> Any:
        """What every pass gives for one row (...,), with ``each`` of them for a model: (passes, size)."""
        copies = tf.repeat(row[None], each, axis=0)
        return tf.concat([stochastic_pass(model, number, copies) for number, model in enumerate(self.models)], 0)


def stochastic_pass(model: keras.Model, number: int, x: Any) -> Any:
    """``model`` at inference with its dropout acting: the same draws in each call, others for another ``number``."""
    weights = {id(weight) for weight in model.weights}
    streams = [variable for variable in model.variables if id(variable) not in weights]
    start = [(stream, tf.stack([stream.value[0], number])) for stream in streams]
    with keras.StatelessScope(state_mapping=start), layers.noise_at_inference():
        return model(x, training=False)


def spread_of(kind: str, passes: Any) -> dict[str, Any]:
    """What ``passes`` (passes, ..., size) of a task of this ``kind`` say together."""
    if kind == "classification":
        return of_probabilities(passes)
    return of_labels(passes) if kind == "multilabel" else of_numbers(passes)


def of_probabilities(passes: Any) -> dict[str, Any]:
    """Mean, entropy of the mean and mutual information of probabilities (passes, ..., classes), in nats."""
    return _uncertain(passes, _entropy)


def of_labels(passes: Any) -> dict[str, Any]:
    """The same of each label, which is there with its probability or is not: (passes, ..., labels)."""
    return _uncertain(passes, lambda p: _entropy(tf.stack([p, 1.0 - p], -1)))


def _uncertain(passes: Any, entropy: Callable[[Any], Any]) -> dict[str, Any]:
    mean = tf.reduce_mean(passes, 0)
    total = entropy(mean)
    known = tf.reduce_mean(entropy(passes), 0)  # the mean entropy of a pass
    return {
        "probabilities": mean,
        "predictive_entropy": total,
        "mutual_information": tf.maximum(total - known, 0.0),  # not below 0 but for rounding (Jensen)
    }


def of_numbers(passes: Any) -> dict[str, Any]:
    """Mean and standard deviation of predictions (passes, ..., outputs)."""
    return {"mean": tf.reduce_mean(passes, 0), "standard_deviation": tf.math.reduce_std(passes, 0)}


def _entropy(p: Any) -> Any:
    """-sum of p log p; 0 log 0 is 0. Of plain operations, which other formats have too."""
    return -tf.reduce_sum(p * tf.math.log(tf.maximum(p, TINY)), -1)
