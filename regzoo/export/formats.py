"""Formats: what an exported model can be written as, with the runtime that serves each. Imports no TensorFlow."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from regzoo.core import InputError, Recipe, did_you_mean
from regzoo.data.preprocessor import Preprocessor


@dataclass(frozen=True)
class Format:
    """One way to write a model down.

    Attributes:
        name: as the command line writes it.
        title: as the model card writes it.
        file: what it is called in the model's folder.
        runtime: the package that serves it.
        modules: what has to be installed beside regzoo to write and verify it; all of it is in the extra ``name``.
        numbered: whether it answers with ``class``, the number of a label, because its runtime has no text.
        serve: Python that makes of ``path``, the model's folder, a function ``serve`` of named arrays.
    """

    name: str
    title: str
    file: str
    runtime: str
    modules: tuple[str, ...]
    numbered: bool
    serve: str

    @property
    def plain(self) -> bool:
        """Whether TensorFlow itself serves it, with text, dates and random numbers in the graph."""
        return not self.modules


SAVED_MODEL = Format(
    name="saved_model",
    title="TensorFlow SavedModel",
    file="saved_model.pb",
    runtime="tensorflow",
    modules=(),
    numbered=False,
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
    numbered=False,
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
    numbered=True,
    serve="""\
from ai_edge_litert.interpreter import Interpreter

model = Interpreter(f"{path}/model.tflite").get_signature_runner("serving_default")


def serve(inputs):
    return model(**inputs)
""",
)

FORMATS = {form.name: form for form in (SAVED_MODEL, ONNX, LITERT)}


def find_format(name: str) -> Format:
    """Return the format called ``name``.

    Raises:
        InputError: if there is none, or what writes and verifies it is not installed.

    >>> format_of("saved_model").title
    'TensorFlow SavedModel'
    """
    if name not in FORMATS:
        raise InputError(f"format: takes one of {', '.join(FORMATS)}, received {name}.{did_you_mean(name, FORMATS)}")
    form = FORMATS[name]
    absent = [module for module in form.modules if importlib.util.find_spec(module) is None]
    if absent:
        raise InputError(f"format: {name} needs {' and '.join(absent)}: pip install 'regzoo[{name}]'")
    return form


def check_convertible(form: Format, preprocessor: Preprocessor, recipe: Recipe) -> None:
    """Say what stands in the way of writing this model as ``form``.

    Raises:
        InputError: with the columns that are not numbers, or the random passes, and the way out.
    """
    if form.plain:
        return
    texts = [f"{rule.name} ({rule.kind})" for rule in preprocessor.rules if rule.kind != "numeric"]
    if texts:
        raise InputError(
            f"format: {form.name} has no operations that read text, and these columns are not numbers: "
            f"{', '.join(texts)}. Export a saved_model, or make them numbers in the data and compare again"
        )
    if any(part.name == "mc_dropout" for part in recipe):
        raise InputError(
            f"format: mc_dropout draws its passes with TensorFlow's random numbers, which {form.name} does not have. "
            "Export a saved_model, or the recipe without mc_dropout"
        )
