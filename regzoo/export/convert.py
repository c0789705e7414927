"""Convert: a SavedModel into another format, in a process of its own that a converter may fill, print to or crash."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from regzoo.export.formats import Format
from regzoo.language import EnvironmentFailure

OPSET = "17"
"""The version of ONNX's operations: of 2022, the first with layer normalization, known to every runtime in use."""

LITERT_SCRIPT = """
import sys
from pathlib import Path
import tensorflow as tf

converter = tf.lite.TFLiteConverter.from_saved_model(sys.argv[1], signature_keys=["serving_default"])
Path(sys.argv[2]).write_bytes(converter.convert())
"""


REFUSALS = ("Unsupported ops", "TF Select ops:")
"""How tf2onnx, which writes a file even so, and TensorFlow's converter name operations without a counterpart."""


class ConversionError(EnvironmentFailure):
    """The converter has no counterpart for something in the model."""


def convert(saved: Path, form: Format, to: Path) -> None:
    """Write the SavedModel in the folder ``saved`` as the file ``to``.

    Raises:
        ConversionError: with what the converter said last.
    """
    commands = {
        "onnx": ["-m", "tf2onnx.convert", "--saved-model", str(saved), "--output", str(to), "--opset", OPSET],
        "litert": ["-c", LITERT_SCRIPT, str(saved), str(to)],
    }
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    command = [sys.executable, "-I", *commands[form.name]]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    refused = [line for line in done.stderr.splitlines() if any(words in line for words in REFUSALS)]
    if done.returncode or refused:
        said = refused or done.stderr.strip().splitlines()[-1:] or ["it was ended"]
        raise ConversionError(f"the model cannot be written as {form.name}: {said[0]}; nothing was exported")
