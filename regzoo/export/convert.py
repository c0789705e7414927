"""Convert: a SavedModel into another format, in a process of its own that a converter may fill, print to or crash."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from regzoo.core.errors import ConversionError
from regzoo.export.formats import Format

OPSET = "17"
"""The version of ONNX's operations: of 2022, the first with layer normalization, known to every runtime in use."""

ONNX_SCRIPT = """
import sys
import numpy as np
import tensorflow as tf
import tf2onnx.convert
from tf2onnx.handler import tf_op

@tf_op("Erfc")  # of the exact GELU; tf2onnx 1.17 knows Erf alone
class Erfc:
    @classmethod
    def version_9(cls, ctx, node, **kwargs):
        shape, dtype = ctx.get_shape(node.output[0]), ctx.get_dtype(node.output[0])
        erf = ctx.make_node("Erf", node.input, shapes=[shape], dtypes=[dtype])
        one = ctx.make_const(node.name + "/one", np.ones((), np.float32))
        ctx.remove_node(node.name)
        ctx.make_node("Sub", [one.output[0], erf.output[0]], name=node.name, outputs=node.output,
                      shapes=[shape], dtypes=[dtype])

loaded = tf.saved_model.load(sys.argv[1])  # held: its variables go with it
serve = loaded.signatures["serving_default"]
specs = serve.structured_input_signature[1]  # their names are not the keys: TensorFlow writes them in lower case
named = {name: tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in specs.items()}
function = tf.function(lambda inputs: serve(**inputs), input_signature=[named])
tf2onnx.convert.from_function(function, [named], opset=int(sys.argv[3]), output_path=sys.argv[2])
"""

LITERT_SCRIPT = """
import sys
from pathlib import Path
import tensorflow as tf

converter = tf.lite.TFLiteConverter.from_saved_model(sys.argv[1], signature_keys=["serving_default"])
Path(sys.argv[2]).write_bytes(converter.convert())
"""

REFUSALS = ("Unsupported ops", "TF Select ops:")
"""How tf2onnx, which writes a file even so, and TensorFlow's converter name operations without a counterpart."""


def convert_saved_model(saved: Path, form: Format, to: Path) -> None:
    """Write the SavedModel in the folder ``saved`` as the file ``to``.

    Raises:
        ConversionError: with what the converter said last.
    """
    scripts = {"onnx": ONNX_SCRIPT, "litert": LITERT_SCRIPT}
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    command = [sys.executable, "-I", "-c", scripts[form.name], str(saved), str(to), OPSET]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    lines = done.stderr.splitlines()
    refused = [line[line.index(words) :] for words in REFUSALS for line in lines if words in line]
    if done.returncode or refused:
        said = refused or lines[-1:] or ["the converter was ended"]
        raise ConversionError(f"the model cannot be written as {form.name}: {said[0]}; nothing was exported")
