"""Which models of the user's can take a recipe: functional, with one output, trained as Keras trains."""

from __future__ import annotations

from typing import Any

import keras

from regzoo.core import InputError
from regzoo.core._keras_compat import is_functional, list_layers

OWN_TRAINING = (
    "train_step",
    "test_step",
    "predict_step",
    "compute_loss",
    "compute_metrics",
    "fit",
    "make_train_function",
)
"""Methods of a model that decide how it is trained and measured."""


def to_functional(model: Any) -> keras.Model:
    """Return ``model`` as a functional model.

    Raises:
        InputError: if it is no such model, or trains in a way of its own.
    """
    if not isinstance(model, keras.Model):
        raise InputError(f"attach takes a keras.Model, received {type(model).__name__}")
    _reject_own_training(model)
    if isinstance(model, keras.Sequential) and type(model).call is keras.Sequential.call:
        if not model.built or not model.inputs:
            raise InputError(f"the model {model.name!r} is not built: begin it with keras.Input(shape)")
        model = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    if not is_functional(model):
        raise InputError(
            f"{type(model).__name__} is a subclass of keras.Model, so its layers and slots cannot be seen: build it "
            "with the functional API, keras.Model(inputs, outputs), or make it a regzoo backbone"
        )
    return model


def _reject_own_training(model: keras.Model) -> None:
    """Reject a model whose class changes what training is: the copy would train in another way."""
    own = [name for name in OWN_TRAINING if getattr(type(model), name) is not getattr(keras.Model, name)]
    if own:
        raise InputError(
            f"{type(model).__name__} overrides {', '.join(own)}, which the copy with a recipe would not run: give a "
            "plain keras.Model(model.inputs, model.outputs), or write the change as a layer, a loss or a regularizer"
        )


def reject_several_outputs(model: keras.Model) -> None:
    """Reject a model with several outputs.

    Raises:
        InputError: with the way out.
    """
    if isinstance(model.output, dict):
        names = ", ".join(map(repr, model.output))
        raise InputError(
            f"attach takes a model whose output is one tensor, received a dict with {names}: choose one, "
            f"keras.Model(model.inputs, model.output[{next(iter(model.output))!r}])"
        )
    if len(model.outputs) != 1:
        raise InputError(f"attach takes a model with one output, received {len(model.outputs)}: choose one of them")


def reject_quantized(model: keras.Model) -> None:
    """Reject a quantized model, of which whole numbers are no weights that a comparison could train.

    Raises:
        InputError: with the way out.
    """
    quantized = [layer.name for layer in list_layers(model) if getattr(layer, "quantization_mode", None)]
    if quantized:
        raise InputError(
            f"the model {model.name!r} is quantized (layer {quantized[0]!r}), so its weights cannot be trained: give "
            "the model from before quantize()"
        )
