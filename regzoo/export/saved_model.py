"""SavedModel export: preprocessing, model and labels as one graph that plain TensorFlow serves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from regzoo.core import EnvironmentFailure
from regzoo.data.dataset import Array
from regzoo.data.input_rules import InputRule
from regzoo.data.inputs import NamedInputs, count_rows, map_inputs
from regzoo.data.preprocessor import Preprocessor
from regzoo.data.table import Table
from regzoo.export.signature import make_input_specs
from regzoo.export.tf_centering import apply_centering, restore_units
from regzoo.export.tf_columns import apply_rules
from regzoo.export.tf_tokens import make_encoder
from regzoo.regularizers._averaging import list_members
from regzoo.regularizers._monte_carlo import MonteCarlo, summarize_passes

SIGNATURE = "serving_default"
WITH_SAMPLES = "with_samples"
"""Second signature of a Monte Carlo dropout model; its further input ``samples`` is the number of passes."""

CHUNK = 256
"""Number of rows that the live model predicts at a time."""

Tensors = dict[str, tf.Tensor]
"""Tensors by name."""


class ServedModel(tf.Module):
    """Maps raw inputs to named outputs.

    Inputs: ``images`` (batch, height, width, channels), ``sequences`` (batch, steps, channels) or ``rows`` (batch,
    columns), raw, float32, or float64 or int64 where float32 would lose differences, see `regzoo.data.centering`. For
    data with named columns, one input (batch,) per column, in order, named as `make_input_names` does: such numbers,
    NaN where one is missing (in int64 `MISSING_INTEGER`); strings for words, booleans (true, false) and dates, ``""``
    where missing. For a user's own model that takes more than one array of floats, its own inputs, named in the same
    way.

    Outputs, by task:

    - Classification: ``probabilities`` (batch, classes) and ``label`` (batch,), the user's own label values.
    - Multilabel: ``probabilities`` (batch, labels) and ``label`` (batch, labels), true above 1/2.
    - Regression: ``prediction`` (batch, outputs) in the user's units.
    - Reconstruction: ``reconstruction`` in the inputs' shape and units, and ``distance`` (batch,), the root mean
      square error in standard deviations: large for rows unlike the training data.

    Ensembles and Monte Carlo dropout add ``uncertainty``. For classification it is the entropy of the probabilities
    (batch,) in nats, and ``mutual_information`` (batch,) is the share of it that the members disagree about; for
    multilabel, the same of each label, (batch, labels). Otherwise it is the standard deviation of the members'
    predictions, in their shape.

    Args:
        model: trained, on standardized inputs.
        preprocessor: fitted on the training part.
        numeric_labels: answer with ``class`` (batch,), the number of the label from 0, int32, instead of ``label``.
    """

    def __init__(self, model: keras.Model, preprocessor: Preprocessor, numeric_labels: bool = False) -> None:
        super().__init__()
        self.model = model
        self.mean = np.asarray(preprocessor.mean, np.float32)
        self.scale = np.asarray(preprocessor.scale, np.float32)
        self.labels = np.array(preprocessor.labels) if preprocessor.classes else None
        self.numeric_labels = numeric_labels
        self.target = (preprocessor.target_center + preprocessor.target_mean, preprocessor.target_scale)
        self.raw_statistics = preprocessor.raw_statistics
        self.centering = preprocessor.centering
        self.task = preprocessor.task
        self.rules = preprocessor.rules
        self.inputs = preprocessor.inputs
        self.encoders = [make_encoder(rule.encoder) for rule in self.inputs]

    def preprocess(self, raw: Mapping[str, tf.Tensor]) -> Any:
        """Return the model's inputs (batch, ...) from the raw inputs by name: a tensor, or several by name."""
        if self.inputs:
            tensors = {
                rule.spec.name: _prepare_input(rule, tensor if encode is None else encode(tensor))
                for rule, encode, tensor in zip(self.inputs, self.encoders, raw.values(), strict=True)
            }
            return tensors if len(tensors) > 1 else next(iter(tensors.values()))
        if self.rules:
            by_column = {rule.name: value for rule, value in zip(self.rules, raw.values(), strict=True)}
            x = apply_rules(by_column, self.rules)
        else:
            values = list(raw.values())
            raw_array = values[0] if len(values[0].shape) > 1 else tf.stack(values, axis=-1)
            x = apply_centering(self.centering, raw_array)
        return (x - self.mean) / self.scale

    def predict(self, x: Any, samples: tf.Tensor | None = None) -> Tensors:
        """Return the named outputs for preprocessed inputs (batch, ...).

        Args:
            x: the inputs, as `preprocess` returns them.
            samples: number of passes of Monte Carlo dropout; None for the recipe's own.
        """
        spread = _compute_spread(self.model, x) if samples is None else self.model.uncertainty_with_samples(x, samples)
        if self.task in ("classification", "multilabel"):
            return self._classify(spread or {"probabilities": self.model(x, training=False)})
        spread = spread or {"mean": self.model(x, training=False)}
        return self._reconstruct(x, spread) if self.task == "reconstruction" else self._regress(spread)

    def _classify(self, spread: Tensors) -> Tensors:
        probabilities = spread["probabilities"]
        outputs = {"probabilities": probabilities, **self._decode_labels(probabilities)}
        if "predictive_entropy" in spread:
            outputs["uncertainty"] = spread["predictive_entropy"]
            outputs["mutual_information"] = spread["mutual_information"]
        return outputs

    def _decode_labels(self, probabilities: tf.Tensor) -> Tensors:
        if self.labels is None:
            return {"label": probabilities > 0.5}  # multilabel: true where a label applies
        number = tf.argmax(probabilities, -1, output_type=tf.int32)
        return {"class": number} if self.numeric_labels else {"label": tf.gather(tf.constant(self.labels), number)}

    def _regress(self, spread: Tensors) -> Tensors:
        mean, scale = self.target
        outputs = {"prediction": restore_units(spread["mean"], mean, scale)}
        if "standard_deviation" in spread:
            outputs["uncertainty"] = restore_units(spread["standard_deviation"], 0.0, scale)
        return outputs

    def _reconstruct(self, x: tf.Tensor, spread: Tensors) -> Tensors:
        mean, scale = self.raw_statistics
        rebuilt = tf.reshape(spread["mean"], tf.shape(x))
        error = tf.reshape(rebuilt - x, [tf.shape(x)[0], -1])  # (batch, values)
        outputs = {
            "reconstruction": restore_units(rebuilt, mean, scale),
            "distance": tf.sqrt(tf.reduce_mean(tf.square(error), -1)),
        }
        if "standard_deviation" in spread:
            outputs["uncertainty"] = restore_units(tf.reshape(spread["standard_deviation"], tf.shape(x)), 0.0, scale)
        return outputs


def _prepare_input(rule: InputRule, tensor: tf.Tensor) -> tf.Tensor:
    """Return one input of a user's own model: floats standardized, if they are, and integers in its own type."""
    if rule.spec.kind != "float":
        return tf.cast(tensor, rule.spec.dtype) if rule.spec.kind == "integer" else tensor
    x = apply_centering(rule.centering, tensor)
    return (x - np.asarray(rule.mean, np.float32)) / np.asarray(rule.scale, np.float32) if rule.mean else x


def _compute_spread(model: keras.Model, x: Any) -> Tensors:
    """Return mean and spread of an ensemble's members or of Monte Carlo passes on x; empty for a single model."""
    if isinstance(model, MonteCarlo):
        return model.uncertainty(x)
    models = list_members(model)
    if len(models) == 1:
        return {}
    passes = tf.stack([member(x, training=False) for member in models])  # (members, batch, size)
    return summarize_passes(models[0].task.kind, passes)


def write_saved_model(
    model: keras.Model, preprocessor: Preprocessor, folder: Path, numeric_labels: bool = False
) -> None:
    """Write the SavedModel of ``model`` to ``folder``, which must be empty or absent.

    Args:
        model: trained, on standardized inputs.
        preprocessor: fitted on the training part.
        folder: the SavedModel's folder.
        numeric_labels: as for `ServedModel`.

    Raises:
        EnvironmentFailure: if it cannot be written.
    """
    served = ServedModel(model, preprocessor, numeric_labels)
    specs = make_input_specs(preprocessor)

    def serve(inputs: Tensors) -> Tensors:
        return served.predict(served.preprocess({name: inputs[name] for name in specs}))

    def serve_with_samples(inputs: Tensors) -> Tensors:
        check = tf.debugging.assert_positive(inputs["samples"], "samples must be 1 or more")
        with tf.control_dependencies([check]):
            samples = tf.identity(inputs["samples"])
        return served.predict(served.preprocess({name: inputs[name] for name in specs}), samples)

    archive = keras.export.ExportArchive()
    for tracked in (model, *served.encoders):
        if isinstance(tracked, keras.Layer):
            archive.track(tracked)
    archive.add_endpoint(SIGNATURE, serve, input_signature=[specs])
    if isinstance(model, MonteCarlo):
        samples = tf.TensorSpec([], tf.int32, name="samples")
        archive.add_endpoint(WITH_SAMPLES, serve_with_samples, input_signature=[{**specs, "samples": samples}])
    try:
        archive.write_out(str(folder), verbose=False)
    except tf.errors.OpError as error:  # disk full, file too large, or no permission
        raise EnvironmentFailure(f"{folder} cannot be written ({error.message}): is the disk full?") from None


def predict_live(
    model: keras.Model, preprocessor: Preprocessor, raw: Array | Table | NamedInputs, numeric_labels: bool = False
) -> dict[str, Array]:
    """Return the live model's outputs for raw inputs (rows, ...), to compare the exported model's with.

    The inputs are preprocessed in NumPy, as for training, and not by the operations of the exported graph.
    """
    served, x = ServedModel(model, preprocessor, numeric_labels), preprocessor.transform(raw)

    def take(start: int) -> Any:
        return map_inputs(lambda values: tf.constant(values[start : start + CHUNK]), x)

    chunks = [served.predict(take(start)) for start in range(0, count_rows(x), CHUNK)]
    return {name: np.concatenate([chunk[name].numpy() for chunk in chunks]) for name in chunks[0]}
