"""Conversion of a SavedModel to ONNX or LiteRT, in a process of its own.

A converter may print, use up the memory or crash; none of it reaches this process.
"""

from __future__ import annotations

from pathlib import Path

from regzoo.core.errors import ConversionError
from regzoo.export.formats import Format
from regzoo.export.isolated import describe_failure, run_isolated
from regzoo.system.temporary_folder import temporary_folder

OPSET = "17"
"""Version of the ONNX operations: from 2022, the first with layer normalization; every runtime in use knows it."""

ONNX_SCRIPT = """
import sys
import numpy as np
import tensorflow as tf
import tf2onnx.convert
from tf2onnx.handler import tf_op

gc.enable()

@tf_op("Erfc")  # used by the exact GELU; tf2onnx 1.17 knows Erf alone
class Erfc:
    @classmethod
    def version_9(cls, ctx, node, **kwargs):
        shape, dtype = ctx.get_shape(node.output[0]), ctx.get_dtype(node.output[0])
        erf = ctx.make_node("Erf", node.input, shapes=[shape], dtypes=[dtype])
        one = ctx.make_const(node.name + "/one", np.ones((), np.float32))
        ctx.remove_node(node.name)
        ctx.make_node("Sub", [one.output[0], erf.output[0]], name=node.name, outputs=node.output,
                      shapes=[shape], dtypes=[dtype])

loaded = tf.saved_model.load(sys.argv[1])  # keep a reference: the variables are freed with it
serve = loaded.signatures["serving_default"]
specs = serve.structured_input_signature[1]  # the names in the specs are not the keys: TensorFlow lowers their case
named = {name: tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in specs.items()}
function = tf.function(lambda inputs: serve(**inputs), input_signature=[named])
tf2onnx.convert.from_function(function, [named], opset=int(sys.argv[3]), output_path=sys.argv[2])
"""

LITERT_SCRIPT = """
import sys
from pathlib import Path
import tensorflow as tf

gc.enable()
converter = tf.lite.TFLiteConverter.from_saved_model(sys.argv[1], signature_keys=["serving_default"])
Path(sys.argv[2]).write_bytes(converter.convert())
"""

REFUSALS = ("Unsupported ops", "TF Select ops:")
"""Messages about operations without a counterpart: tf2onnx's, which writes a file even so, and TensorFlow's."""


def convert_saved_model(folder: Path, format: Format, file: Path) -> None:
    """Convert the SavedModel in ``folder`` and write it to ``file``.

    Raises:
        ConversionError: if the converter fails; the message ends with the converter's own.
    """
    scripts = {"onnx": ONNX_SCRIPT, "litert": LITERT_SCRIPT}
    with temporary_folder() as temporary:
        arguments = [str(folder), str(file), OPSET]
        finished = run_isolated(scripts[format.name], arguments, temporary, CUDA_VISIBLE_DEVICES="-1")
    lines = finished.stderr.splitlines()
    refusals = [line[line.index(words) :] for words in REFUSALS for line in lines if words in line]
    if finished.returncode or refusals:
        reason = refusals[0] if refusals else describe_failure(finished)
        raise ConversionError(
            f"the model cannot be written as {format.name}: {reason}; nothing was exported. The format saved_model "
            "takes every model"
        )
