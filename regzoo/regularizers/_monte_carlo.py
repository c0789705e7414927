"""Keras model of Monte Carlo dropout: mean and uncertainty over several stochastic passes for each row.

Every row passes through the same thinned networks, one batch of passes per row. So the prediction depends on the row
alone, not on the other rows, the batch size or earlier calls. Imported only when such a model is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import keras
import tensorflow as tf

from regzoo.core import layers
from regzoo.regularizers._averaging import copy_inputs

TINY = 1.1754944e-38
"""Smallest normal number of float32."""


@keras.saving.register_keras_serializable("regzoo")
class MonteCarlo(keras.Model):
    """Mean over stochastic passes of ``models``, whose weights it shares.

    Args:
        models: trained models of one task.
        samples: total number of passes, divided evenly among the models and rounded up.
    """

    def __init__(self, models: Sequence[keras.Model], samples: int) -> None:
        passes = Passes(models, samples)
        inputs = copy_inputs(models[0])
        super().__init__(inputs, passes(inputs), name="mc_dropout")
        # Bound methods, since Keras would track the layer twice.
        self._summarize, self._summarize_samples = passes.summarize, passes.summarize_samples

    def uncertainty(self, x: Any) -> dict[str, Any]:
        """Return mean and uncertainty over the passes for inputs x (batch, ...), one or several, as tensors.

        Classification: ``probabilities`` (batch, classes); ``predictive_entropy`` (batch,), the entropy of the mean;
        and ``mutual_information`` (batch,), the fraction of it that is due to disagreement between passes, which more
        data could reduce; both in nats. With several labels a row: the same for each label, all (batch, labels).
        Otherwise: ``mean`` and ``standard_deviation`` (batch, outputs) over the passes, in units of the model's output;
        the latter does not include the noise of the data.
        """
        return self._summarize(self._arrange(x))

    def uncertainty_with_samples(self, x: Any, samples: Any) -> dict[str, Any]:
        """Return the same from ``samples`` passes in total, a whole number from 1 that may be a tensor."""
        return self._summarize_samples(self._arrange(x), tf.convert_to_tensor(samples, tf.int32))

    def _arrange(self, x: Any) -> Any:
        """Return inputs, several of them by name or in order, as tensors in the structure of the model's own."""
        if isinstance(self.input, keras.KerasTensor) and isinstance(x, dict):
            (x,) = x.values()
        elif isinstance(self.input, list | tuple):
            x = type(self.input)([x[tensor.name] for tensor in self.input] if isinstance(x, dict) else x)
        elif isinstance(self.input, dict) and not isinstance(x, dict):
            x = dict(zip(self.input, x, strict=True))
        return keras.tree.map_structure_up_to(
            self.input, lambda own, values: tf.cast(tf.convert_to_tensor(values), _get_dtype(own)), self.input, x
        )

    def get_config(self) -> dict[str, Any]:
        """Return its models and the number of passes."""
        passes = self.layers[-1]
        return {
            "models": [keras.saving.serialize_keras_object(model) for model in passes.models],
            "samples": passes.samples,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """Build the model from its configuration."""
        models = [keras.saving.deserialize_keras_object(model, custom_objects) for model in config["models"]]
        return cls(models, config["samples"])


class Passes(keras.Layer):
    """Map inputs (batch, ...) to the mean (batch, ..., size) over stochastic passes.

    Saved files name the class: under another name their weights are not found.

    Args:
        models: trained models of one task.
        samples: total number of passes.
    """

    def __init__(self, models: Sequence[keras.Model], samples: int) -> None:
        super().__init__(name="passes", autocast=False)
        self.models = list(models)
        self.samples = samples
        self.kind: str = models[0].task.kind
        self.shape: tuple[int | None, ...] = tuple(models[0].output_shape[1:])
        self.supports_jit = False  # XLA draws other masks
        self.built = True
        signature = [keras.tree.map_structure(lambda t: tf.TensorSpec(t.shape, _get_dtype(t)), models[0].input)]
        self.summarize = tf.function(lambda x: self._summarize_rows(x, self.samples), input_signature=signature)
        with_samples = [*signature, tf.TensorSpec([], tf.int32)]
        self.summarize_samples = tf.function(self._summarize_rows, input_signature=with_samples)

    def call(self, inputs: Any) -> Any:
        """Return the mean over the passes."""
        inputs = keras.tree.map_structure(lambda tensor: tf.cast(tensor, _get_dtype(tensor)), inputs)
        return self.summarize(inputs)["probabilities" if self.kind in ("classification", "multilabel") else "mean"]

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Return (batch, ..., size); ``input_shape`` is one shape, or several in a dict or list."""
        shapes = list(input_shape.values()) if isinstance(input_shape, dict) else input_shape
        first = shapes[0] if isinstance(shapes[0], list | tuple) else shapes
        return (first[0], *self.shape)

    def _summarize_rows(self, x: Any, samples: Any) -> dict[str, Any]:
        vector = tf.TensorSpec(self.shape, keras.config.floatx())
        if self.kind in ("classification", "multilabel"):
            scalar = vector if self.kind == "multilabel" else tf.TensorSpec(self.shape[:-1], keras.config.floatx())
            signature = {"probabilities": vector, "predictive_entropy": scalar, "mutual_information": scalar}
        else:
            signature = {"mean": vector, "standard_deviation": vector}
        count = -(-samples // len(self.models))

        def summarize_row(row: Any) -> dict[str, Any]:
            return summarize_passes(self.kind, self._run_passes(row, count))

        return tf.map_fn(summarize_row, x, fn_output_signature=signature)

    def _run_passes(self, row: Any, count: Any) -> Any:
        """Return the output of each pass for one row (...,), with ``count`` passes per model: (passes, size)."""
        copies = keras.tree.map_structure(lambda values: tf.repeat(values[None], count, axis=0), row)
        outputs = [run_stochastic_pass(model, number, copies) for number, model in enumerate(self.models)]
        return tf.cast(tf.concat(outputs, 0), keras.config.floatx())


def _get_dtype(tensor: Any) -> Any:
    """Return the dtype in which an input is handed over: floats as floatx, all else as it is."""
    dtype = tf.as_dtype(tensor.dtype)
    return tf.as_dtype(keras.config.floatx()) if dtype.is_floating else dtype


def run_stochastic_pass(model: keras.Model, number: int, x: Any) -> Any:
    """Return the output of ``model`` in inference mode with dropout on.

    Args:
        model: a trained model.
        number: the model's number in an ensemble; the random numbers depend on it, and are the same in each call.
        x: inputs, (batch, ...).
    """
    weights = {id(weight) for weight in model.weights}
    streams = [v for v in model.variables if id(v) not in weights and v.shape == (2,)]  # not states of other kinds
    start = [(stream, tf.stack([stream.value[0], number])) for stream in streams]
    own = model.list_own_noise()
    of_own = {id(v): v for layer in own for v in layer.variables if id(v) in {id(stream) for stream in streams}}
    # Keras seeds these at random and saves no seed, and a loaded model is to predict the same.
    start += [(v, tf.cast([place, number], v.dtype)) for place, v in enumerate(of_own.values())]
    with keras.StatelessScope(state_mapping=start), layers.noise_at_inference(own):
        return model(x, training=False)


def summarize_passes(kind: str, passes: Any) -> dict[str, Any]:
    """Return mean and uncertainty of ``passes`` (passes, ..., size) of a task of this ``kind``."""
    if kind == "classification":
        return summarize_probabilities(passes)
    return summarize_labels(passes) if kind == "multilabel" else summarize_numbers(passes)


def summarize_probabilities(passes: Any) -> dict[str, Any]:
    """Return mean, entropy of the mean and mutual information of probabilities (passes, ..., classes), in nats."""
    return _summarize(passes, _entropy)


def summarize_labels(passes: Any) -> dict[str, Any]:
    """Return the same for each of several independent labels, from probabilities (passes, ..., labels)."""
    return _summarize(passes, lambda p: _entropy(tf.stack([p, 1.0 - p], -1)))


def _summarize(passes: Any, entropy: Callable[[Any], Any]) -> dict[str, Any]:
    mean = tf.reduce_mean(passes, 0)
    total = entropy(mean)
    expected = tf.reduce_mean(entropy(passes), 0)  # mean entropy of a pass
    return {
        "probabilities": mean,
        "predictive_entropy": total,
        "mutual_information": tf.maximum(total - expected, 0.0),  # below 0 only by rounding (Jensen)
    }


def summarize_numbers(passes: Any) -> dict[str, Any]:
    """Return mean and standard deviation of predictions (passes, ..., outputs), in units of the output."""
    return {"mean": tf.reduce_mean(passes, 0), "standard_deviation": tf.math.reduce_std(passes, 0)}


def _entropy(p: Any) -> Any:
    """Return -sum p log p over the last axis, 0 for p = 0, by basic operations that every export format supports."""
    return -tf.reduce_sum(p * tf.math.log(tf.maximum(p, TINY)), -1)
