"""SavedModel: preprocessing, model and labels as one graph that plain TensorFlow serves."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from regzoo.core import EnvironmentFailure
from regzoo.data.dataset import Array
from regzoo.data.preprocessor import Preprocessor
from regzoo.data.table import Table
from regzoo.export import tf_columns as columns
from regzoo.regularizers._averaging import members
from regzoo.regularizers._monte_carlo import MonteCarlo, spread_of

SIGNATURE = "serving_default"
WITH_SAMPLES = "with_samples"
"""Monte Carlo dropout's second signature: it takes ``samples``, how many passes, beside the inputs."""

CHUNK = 256

_SERVABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_RESERVED = {"self", "samples", *keyword.kwlist}
"""Names that TensorFlow's own Python functions cannot be called with; and of the input that is no column."""


class ServedModel(tf.Module):
    """Takes what the user's data looked like; gives named outputs.

    Inputs: ``images`` (batch, height, width, channels) or ``rows`` (batch, columns), raw, float32; for data with
    named columns, one input (batch,) for each column, in order, by its own name as `served_names` writes it: float32
    with NaN where a number is missing, or text for words, booleans (true, false) and dates, ``""`` where missing.

    Outputs: ``probabilities`` (batch, classes) and ``label`` (batch,), the user's own label values; with several labels
    a row ``probabilities`` (batch, labels) and ``label`` (batch, labels), true above 1/2; for regression
    ``prediction`` (batch, outputs) in the user's units; for reconstruction ``reconstruction``, of the inputs' shape and
    units, and ``distance`` (batch,), the root mean square of how far it is off in standard deviations: large for rows
    unlike those trained on. Ensembles and Monte Carlo dropout add ``uncertainty``: the entropy of the probabilities
    (batch,) in nats, and of it ``mutual_information`` (batch,), what the members disagree about; with several labels
    those of each, (batch, labels); otherwise their standard deviation, of the prediction's shape.

    Args:
        model: trained, on standardized inputs.
        preprocessor: fitted on the training part.
        numbered: answer with ``class`` (batch,), the number of the label from 0, int32, in place of ``label``.
    """

    def __init__(self, model: keras.Model, preprocessor: Preprocessor, numbered: bool = False) -> None:
        super().__init__()
        self.model = model
        self.mean = np.asarray(preprocessor.mean, np.float32)
        self.scale = np.asarray(preprocessor.scale, np.float32)
        self.labels = np.array(preprocessor.labels) if preprocessor.classes else None
        self.numbered = numbered
        self.target = (preprocessor.target_mean, preprocessor.target_scale)
        self.task = preprocessor.task
        self.rules = preprocessor.rules

    def prepared(self, raw: Mapping[str, Any]) -> Any:
        """What the model takes, (batch, ...), of the raw inputs by name."""
        if self.rules:
            by_column = {rule.name: value for rule, value in zip(self.rules, raw.values(), strict=True)}
            x = columns.features(by_column, self.rules)
        else:
            values = list(raw.values())
            x = values[0] if len(values[0].shape) > 1 else tf.stack(values, axis=-1)
        return (x - self.mean) / self.scale

    def outputs(self, x: Any, samples: Any = None) -> dict[str, Any]:
        """Named outputs for prepared inputs (batch, ...), with ``samples`` passes of Monte Carlo dropout if given."""
        spread = _spread(self.model, x) if samples is None else self.model.uncertainty_of(x, samples)
        if self.task in ("classification", "multilabel"):
            return self._classified(spread or {"probabilities": self.model(x, training=False)})
        spread = spread or {"mean": self.model(x, training=False)}
        return self._reconstructed(x, spread) if self.task == "reconstruction" else self._predicted(spread)

    def _classified(self, said: dict[str, Any]) -> dict[str, Any]:
        probabilities = said["probabilities"]
        answers = {"probabilities": probabilities, **self._named(probabilities)}
        if "predictive_entropy" in said:
            answers |= {"uncertainty": said["predictive_entropy"], "mutual_information": said["mutual_information"]}
        return answers

    def _named(self, probabilities: Any) -> dict[str, Any]:
        if self.labels is None:
            return {"label": probabilities > 0.5}  # of several, whether each is there
        number = tf.argmax(probabilities, -1, output_type=tf.int32)
        return {"class": number} if self.numbered else {"label": tf.gather(tf.constant(self.labels), number)}

    def _predicted(self, said: dict[str, Any]) -> dict[str, Any]:
        mean, scale = self.target
        answers = {"prediction": said["mean"] * scale + mean}
        if "standard_deviation" in said:
            answers["uncertainty"] = said["standard_deviation"] * scale
        return answers

    def _reconstructed(self, x: Any, said: dict[str, Any]) -> dict[str, Any]:
        rebuilt = tf.reshape(said["mean"], tf.shape(x))
        off = tf.reshape(rebuilt - x, [tf.shape(x)[0], -1])  # (batch, values)
        answers = {
            "reconstruction": rebuilt * self.scale + self.mean,
            "distance": tf.sqrt(tf.reduce_mean(tf.square(off), -1)),
        }
        if "standard_deviation" in said:
            answers["uncertainty"] = tf.reshape(said["standard_deviation"], tf.shape(x)) * self.scale
        return answers


def _spread(model: keras.Model, x: Any) -> dict[str, Any]:
    """What members of an ensemble, or passes of Monte Carlo dropout, say of x (batch, ...); empty for one model."""
    if isinstance(model, MonteCarlo):
        return model.uncertainty(x)
    models = members(model)
    if len(models) == 1:
        return {}
    passes = tf.stack([member(x, training=False) for member in models])  # (members, batch, size)
    return spread_of(models[0].task.kind, passes)


def served_names(columns: Sequence[str]) -> tuple[str, ...]:
    """Return the name under which each column is served: its own, unless TensorFlow cannot take it.

    TensorFlow takes names of unaccented letters, digits and underscores that begin with a letter, and does not tell
    upper from lower case. Other names are written with what they have of these, and equal ones are numbered.

    >>> served_names(["Age", "age", "mean radius (µm)", "2nd", "größe", "class"])
    ('Age', 'age_2', 'mean_radius_m', 'column_2nd', 'groe', 'column_class')
    """
    claimed = {column.lower(): column for column in reversed(columns) if _servable(column)}  # by the first of equals
    served = {column: column for column in claimed.values()}
    for column in columns:
        if column in served:
            continue
        name, number = _written(column), 2
        while name.lower() in claimed:
            name, number = f"{_written(column)}_{number}", number + 1
        claimed[name.lower()], served[column] = column, name
    return tuple(served[column] for column in columns)


def _servable(name: str) -> bool:
    return _SERVABLE.fullmatch(name) is not None and name.lower() not in map(str.lower, _RESERVED)


def _written(column: str) -> str:
    plain = unicodedata.normalize("NFKD", column).encode("ascii", "ignore").decode()
    name = column if _servable(column) else re.sub(r"\W+", "_", plain).strip("_")
    return name if _servable(name) else f"column_{name}".rstrip("_")


def inputs(preprocessor: Preprocessor) -> dict[str, str]:
    """What is served, by name: a column of the data, or all of ``rows`` or ``images``."""
    if preprocessor.columns:
        return dict(zip(served_names(preprocessor.columns), preprocessor.columns, strict=True))
    return {preprocessor.kind: preprocessor.kind}


def input_specs(preprocessor: Preprocessor) -> dict[str, tf.TensorSpec]:
    """The served inputs by name."""
    names, shape = inputs(preprocessor), () if preprocessor.columns else preprocessor.input_shape
    dtypes = [columns.dtype_of(rule) for rule in preprocessor.rules] or [tf.float32] * len(names)
    return {name: tf.TensorSpec([None, *shape], dtype, name=name) for name, dtype in zip(names, dtypes, strict=True)}


def named_inputs(raw: Array | Table, preprocessor: Preprocessor) -> dict[str, np.ndarray]:
    """Raw rows (rows, ...) as the served inputs, by name."""
    names = inputs(preprocessor)
    if isinstance(raw, Table):
        return {name: raw.column(column) for name, column in names.items()}
    return {name: raw[:, index] if preprocessor.columns else raw for index, name in enumerate(names)}


def write(model: keras.Model, preprocessor: Preprocessor, folder: Path, numbered: bool = False) -> None:
    """Write the SavedModel of ``model`` to ``folder``, which is empty if it exists.

    Args:
        model: trained, on standardized inputs.
        preprocessor: fitted on the training part.
        folder: where to.
        numbered: as `ServedModel` takes it.

    Raises:
        EnvironmentFailure: if the disk does not take it.
    """
    served = ServedModel(model, preprocessor, numbered)
    specs = input_specs(preprocessor)

    def serve(inputs: dict[str, Any]) -> dict[str, Any]:
        return served.outputs(served.prepared({name: inputs[name] for name in specs}))

    def serve_with_samples(inputs: dict[str, Any]) -> dict[str, Any]:
        enough = tf.debugging.assert_positive(inputs["samples"], "samples must be 1 or more")
        with tf.control_dependencies([enough]):
            samples = tf.identity(inputs["samples"])
        return served.outputs(served.prepared({name: inputs[name] for name in specs}), samples)

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(SIGNATURE, serve, input_signature=[specs])
    if isinstance(model, MonteCarlo):
        samples = tf.TensorSpec([], tf.int32, name="samples")
        archive.add_endpoint(WITH_SAMPLES, serve_with_samples, input_signature=[{**specs, "samples": samples}])
    try:
        archive.write_out(str(folder), verbose=False)
    except tf.errors.OpError as error:  # a full disk, a file that is too large, a folder that may not be written
        raise EnvironmentFailure(f"{folder} cannot be written ({error.message}): is the disk full?") from None


def live(
    model: keras.Model, preprocessor: Preprocessor, raw: Array | Table, numbered: bool = False
) -> dict[str, np.ndarray]:
    """What the live model answers to raw inputs (rows, ...), for comparison with the exported one.

    They are prepared as for training, by the preparation itself and not by its counterpart in the graph.
    """
    served, x = ServedModel(model, preprocessor, numbered), preprocessor.transform(raw)
    chunks = [served.outputs(tf.constant(x[start : start + CHUNK])) for start in range(0, len(x), CHUNK)]
    return {name: np.concatenate([chunk[name].numpy() for chunk in chunks]) for name in chunks[0]}
