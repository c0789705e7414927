"""Formats of an exported model (SavedModel, ONNX, LiteRT) and the runtime that serves each. Imports no TensorFlow."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from regzoo.core import InputError, Recipe, did_you_mean
from regzoo.data.centering import choose_answer_dtype
from regzoo.data.columns import Numeric, takes_text
from regzoo.data.preprocessor import Preprocessor


@dataclass(frozen=True)
class Format:
    """A file format of an exported model.

    Attributes:
        name: the name on the command line.
        title: the name in the model card.
        file: name of the model's main file in its folder.
        runtime: the package that serves it.
        modules: modules that write and verify it and that regzoo does not require; the extra ``name`` installs them.
        numeric_labels: whether it answers with ``class``, the number of a label, because its runtime has no strings.
        serve: Python code that defines ``serve``, a function of named arrays, from ``path``, the model's folder.
    """

    name: str
    title: str
    file: str
    runtime: str
    modules: tuple[str, ...]
    numeric_labels: bool
    serve: str

    @property
    def is_saved_model(self) -> bool:
        """Whether TensorFlow itself serves it: with strings, dates and random numbers in the graph."""
        return not self.modules


SAVED_MODEL = Format(
    name="saved_model",
    title="TensorFlow SavedModel",
    file="saved_model.pb",
    runtime="tensorflow",
    modules=(),
    numeric_labels=False,
    serve="""\
import tensorflow as tf

model = tf.saved_model.load(path).signatures["serving_default"]


def serve(inputs):
    answers = model(**{name: tf.constant(value) for name, value in inputs.items()})
    return {name: value.numpy() for name, value in answers.items()}
""",
)

ONNX = Format(
    name="onnx",
    title="ONNX model",
    file="model.onnx",
    runtime="onnxruntime",
    modules=("onnx", "onnxruntime", "tf2onnx"),
    numeric_labels=False,
    serve="""\
import onnxruntime

model = onnxruntime.InferenceSession(f"{path}/model.onnx", providers=["CPUExecutionProvider"])
outputs = [output.name for output in model.get_outputs()]


def serve(inputs):
    return dict(zip(outputs, model.run(outputs, inputs)))
""",
)

LITERT = Format(
    name="litert",
    title="LiteRT model",
    file="model.tflite",
    runtime="ai-edge-litert",
    modules=("ai_edge_litert",),
    numeric_labels=True,
    serve="""\
from ai_edge_litert.interpreter import Interpreter

model = Interpreter(f"{path}/model.tflite").get_signature_runner("serving_default")


def serve(inputs):
    return model(**inputs)
""",
)

FORMATS = {format.name: format for format in (SAVED_MODEL, ONNX, LITERT)}


def find_format(name: str) -> Format:
    """Return the format called ``name``.

    Raises:
        InputError: if there is none, or a package that writes or verifies it is not installed.

    >>> find_format("saved_model").title
    'TensorFlow SavedModel'
    """
    if name not in FORMATS:
        raise InputError(f"format: takes one of {', '.join(FORMATS)}, received {name}.{did_you_mean(name, FORMATS)}")
    format = FORMATS[name]
    missing = [module for module in format.modules if importlib.util.find_spec(module) is None]
    if missing:
        raise InputError(f"format: {name} needs {' and '.join(missing)}: pip install 'regzoo[{name}]'")
    return format


def list_wide_inputs(preprocessor: Preprocessor) -> list[str]:
    """Return the columns, or the array, that the model takes as float64 or int64 and centers; and such answers."""
    wide = [
        f"column {rule.name!r}"
        for rule in preprocessor.rules
        if isinstance(rule, Numeric) and rule.centering.dtype != "float32"
    ]
    wide += [f"x[{rule.spec.name!r}]" for rule in preprocessor.inputs if rule.centering.dtype != "float32"]
    wide += [preprocessor.kind] if preprocessor.centering.dtype != "float32" else []
    mean = preprocessor.target_center + preprocessor.target_mean
    return [*wide, *(["the target"] if choose_answer_dtype(mean, preprocessor.target_scale) != "float32" else [])]


def check_convertible(format: Format, preprocessor: Preprocessor, recipe: Recipe) -> None:
    """Raise InputError if a model of ``recipe`` cannot be written as ``format``.

    The message names the columns that are not numbers, or the random passes, and the way out.
    """
    if format.is_saved_model:
        return
    texts = [f"{rule.name} ({rule.kind})" for rule in preprocessor.rules if takes_text(rule)]
    texts += [f"{spec.name} ({spec.kind})" for spec in preprocessor.raw_specs if spec.kind == "text"]
    if texts:
        raise InputError(
            f"format: {format.name} has no operations on strings, and these columns are not numbers: "
            f"{', '.join(texts)}. Export a saved_model, or make them numbers in the data and compare again"
        )
    wide = list_wide_inputs(preprocessor)
    if format.name == "litert" and wide:
        raise InputError(
            f"format: litert computes in float32, in which {', '.join(wide)} would lose the differences between its "
            "values. Export a saved_model or onnx, or subtract in the data what the values have in common"
        )
    if any(regularizer.name == "mc_dropout" for regularizer in recipe):
        raise InputError(
            f"format: mc_dropout draws its passes with TensorFlow's random numbers, which {format.name} does not have. "
            "Export a saved_model, or the recipe without mc_dropout"
        )
