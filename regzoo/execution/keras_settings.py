"""Settings of Keras and TensorFlow under which regzoo would train something else, or die: refused by name.

A setting counts wherever it comes from: the environment, ``keras.json``, or calls of `keras.config` in a script of the
user, of which workers would know nothing. Imports neither Keras nor TensorFlow.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from regzoo.core.errors import EnvironmentFailure

BACKEND = "KERAS_BACKEND"

PRECISION = "floatx"
"""The setting that, with the dtype policy, a model of the user's own may have otherwise."""

REQUIRED = {"floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last"}
"""Settings of Keras that change what is trained, and the values under which all results are made."""

UNSET = ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH")
"""Environment variables that stop Keras early."""

FLAGS = ("XLA_FLAGS", "TF_XLA_FLAGS")
"""Environment variables of which one wrong word ends the process, without an exception."""

_PROBE = "import tensorflow as tf; tf.function(lambda x: x + 1, jit_compile=True)(tf.constant(0))"


def require_keras_settings(any_precision: bool = False) -> None:
    """Refuse settings that regzoo cannot work with; let Keras take TensorFlow where nothing is chosen.

    Args:
        any_precision: whether floatx and dtype policy may be any: for a model that the user trains, not for a
            comparison, whose results are made in float32.

    Raises:
        EnvironmentFailure: naming the setting, its value and the way out.
    """
    backend = os.environ.get(BACKEND) or "tensorflow"
    if backend != "tensorflow":
        way_out = f"unset it, or set {BACKEND}=tensorflow"
        raise EnvironmentFailure(f"{BACKEND} is {backend[:40]!r}, and regzoo trains with TensorFlow: {way_out}")
    os.environ[BACKEND] = backend  # it overrides keras.json
    for name in UNSET:
        if os.environ.get(name):
            raise EnvironmentFailure(f"{name} is {os.environ[name][:40]!r}, which ends trainings early: unset it")
    required = {name: value for name, value in REQUIRED.items() if not (any_precision and name == PRECISION)}
    _check_file(_find_file(), required)
    _check_loaded_keras(required, any_precision)
    _check_flags()


def _find_file() -> Path:
    """Return the path of Keras's file of settings, as Keras finds it."""
    folder = os.environ.get("KERAS_HOME")
    if folder:
        return Path(folder) / "keras.json"
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - which never fails
    return (home if os.access(home, os.W_OK) else Path("/tmp")) / ".keras" / "keras.json"


def _check_file(path: Path, required: dict[str, Any]) -> None:
    way_out = "correct it, or set KERAS_HOME to another folder"
    try:
        if not path.exists():
            return
        settings = json.loads(path.read_bytes().decode())
    except ValueError:  # no JSON, which Keras ignores too
        return
    except (OSError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or "nested too deeply"
        raise EnvironmentFailure(f"{path}: Keras cannot read its settings: {reason}; {way_out}") from None
    if not isinstance(settings, dict):
        raise EnvironmentFailure(f"{path}: Keras's settings are keys and values; {way_out}")
    for name, value in required.items():
        _compare(f"{path}: {name}", settings.get(name, value), value, way_out)
    if settings.get("nnx_enabled"):
        raise EnvironmentFailure(f"{path}: nnx_enabled is for another backend than TensorFlow; {way_out}")


def _check_loaded_keras(required: dict[str, Any], any_precision: bool) -> None:
    """Check the settings of Keras in this process, if it is imported already."""
    keras: Any = sys.modules.get("keras")
    config = getattr(keras, "config", None)
    if config is None or not hasattr(config, "dtype_policy"):  # not imported, or not to its end
        return
    for name, value in {"backend": "tensorflow", **required}.items():
        setter = f"call keras.config.set_{name}({value!r}) first"
        way_out = "set it before Keras is imported" if name == "backend" else setter
        _compare(f"keras.config.{name}()", getattr(config, name)(), value, way_out)
    if any_precision:
        return
    policy = config.dtype_policy().name
    _compare("keras.config.dtype_policy()", policy, "float32", "call keras.config.set_dtype_policy('float32') first")


def _compare(name: str, value: Any, required: Any, way_out: str) -> None:
    if type(value) is not type(required) or value != required:
        received = repr(value)[:40]
        raise EnvironmentFailure(f"{name} is {received}, and regzoo trains with {required!r} alone: {way_out}")


def _check_flags() -> None:
    """Try the flags of XLA in a process of its own, if there are any."""
    given = [name for name in FLAGS if os.environ.get(name)]
    if not given or multiprocessing.parent_process() is not None:  # workers have the flags of their parent
        return
    done = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, check=False)
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()
        reason = next((line for line in last if line.startswith("F")), [*last, "it ended"][-1]).rpartition("] ")[2]
        shown = ", ".join(f"{name}={os.environ[name][:80]}" for name in given)
        raise EnvironmentFailure(f"{shown}: TensorFlow cannot start with it ({reason[:200]}): correct or unset it")
