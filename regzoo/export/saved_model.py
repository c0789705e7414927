"""SavedModel: preprocessing, model and labels as one graph that plain TensorFlow serves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from regzoo.data.prepare import Preparation

SIGNATURE = "serving_default"
CHUNK = 256


class Served(tf.Module):
    """Takes what the user's data looked like; gives named outputs.

    Inputs: ``images`` (batch, height, width, channels) or ``rows`` (batch, columns), raw, float32; for data with
    named columns, one input (batch,) for each column, in order, by its own name.

    Outputs: ``probabilities`` (batch, classes) and ``label`` (batch,), the user's own label values; for regression
    ``prediction`` (batch, outputs) in the user's units.

    Args:
        model: trained, on standardized inputs.
        preparation: fitted on the training part.
    """

    def __init__(self, model: keras.Model, preparation: Preparation) -> None:
        super().__init__()
        self.model = model
        self.mean = tf.constant(preparation.mean, tf.float32)
        self.scale = tf.constant(preparation.scale, tf.float32)
        self.labels = tf.constant(np.array(preparation.labels)) if preparation.labels else None
        self.target = (preparation.target_mean, preparation.target_scale)

    def outputs(self, raw: Any) -> dict[str, Any]:
        """Named outputs for raw inputs (batch, ...)."""
        predicted = self.model((raw - self.mean) / self.scale, training=False)
        if self.labels is None:
            mean, scale = self.target
            return {"prediction": predicted * scale + mean}
        return {"probabilities": predicted, "label": tf.gather(self.labels, tf.argmax(predicted, -1))}


def input_specs(preparation: Preparation) -> dict[str, tf.TensorSpec]:
    """The served inputs by name."""
    if preparation.columns:
        return {column: tf.TensorSpec([None], tf.float32, name=column) for column in preparation.columns}
    name = "images" if preparation.kind == "images" else "rows"
    return {name: tf.TensorSpec([None, *preparation.input_shape], tf.float32, name=name)}


def named_inputs(raw: np.ndarray, preparation: Preparation) -> dict[str, np.ndarray]:
    """Raw rows (rows, ...) as the served inputs, by name."""
    if preparation.columns:
        return {column: raw[:, index] for index, column in enumerate(preparation.columns)}
    return {next(iter(input_specs(preparation))): raw}


def write(model: keras.Model, preparation: Preparation, folder: Path) -> None:
    """Write the SavedModel of ``model`` to ``folder``, which must not exist yet."""
    served = Served(model, preparation)
    specs = input_specs(preparation)

    def serve(inputs: dict[str, Any]) -> dict[str, Any]:
        columns = [inputs[name] for name in specs]
        return served.outputs(tf.stack(columns, axis=-1) if preparation.columns else columns[0])

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(SIGNATURE, serve, input_signature=[specs])
    archive.write_out(str(folder), verbose=False)


def live(model: keras.Model, preparation: Preparation, raw: np.ndarray) -> dict[str, np.ndarray]:
    """What the live model answers to raw inputs (rows, ...), for comparison with the exported one."""
    served = Served(model, preparation)
    chunks = [served.outputs(tf.constant(raw[start : start + CHUNK])) for start in range(0, len(raw), CHUNK)]
    return {name: np.concatenate([chunk[name].numpy() for chunk in chunks]) for name in chunks[0]}
