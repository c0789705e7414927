"""The optimizers that ``training.optimizer`` may name: Keras's own, with Keras's arguments. No TensorFlow.

A test compares the table with the installed Keras. The domains are those in which an optimizer is an optimizer; Keras
itself checks few of them.
"""

from __future__ import annotations

from typing import Any

from regzoo.core.errors import InputError
from regzoo.training.keras_text import Argument, KerasClass, KerasText, KerasTexts

COMPILED = "compiled"
"""The word for the optimizer or the loss that the user's own model was compiled with."""

_FRACTION = "[0, 1)"
_POSITIVE = "(0, inf)"
_FROM_ZERO = "[0, inf)"
_ANY = "(-inf, inf)"


def _make_class(name: str, weight_decay: float | None = None, **own: Argument) -> KerasClass:
    """Return a class with its ``own`` arguments and those that every optimizer has."""
    shared = {
        "weight_decay": Argument(weight_decay, _FROM_ZERO),
        "clipnorm": Argument(None, _POSITIVE),
        "clipvalue": Argument(None, _POSITIVE),
        "global_clipnorm": Argument(None, _POSITIVE),
        "use_ema": Argument(False),
        "ema_momentum": Argument(0.99, "[0, 1]"),
        "ema_overwrite_frequency": Argument(None, "[1, inf)", whole=True),
        "loss_scale_factor": Argument(None, _POSITIVE),
        "gradient_accumulation_steps": Argument(None, "[2, inf)", whole=True),
    }
    return KerasClass(name, {**own, **shared})


def _make_adam(name: str, epsilon: float = 1e-7, **own: Any) -> KerasClass:
    betas = {"beta_1": Argument(0.9, _FRACTION), "beta_2": Argument(0.999, _FRACTION)}
    return _make_class(name, **{**betas, "epsilon": Argument(epsilon, _POSITIVE), **own})


_EPSILON = Argument(1e-7, _POSITIVE)

OPTIMIZERS = KerasTexts(
    "optimizer",
    {
        "adam": _make_adam("Adam", amsgrad=Argument(False)),
        "sgd": _make_class("SGD", momentum=Argument(0.9, "[0, 1]"), nesterov=Argument(False)),
        "rmsprop": _make_class(
            "RMSprop",
            rho=Argument(0.9, _FRACTION),
            momentum=Argument(0.0, "[0, 1]"),
            epsilon=_EPSILON,
            centered=Argument(False),
        ),
        "adamw": _make_adam("AdamW", amsgrad=Argument(False), weight_decay=0.004),
        "nadam": _make_adam("Nadam"),
        "adamax": _make_adam("Adamax"),
        "adagrad": _make_class("Adagrad", initial_accumulator_value=Argument(0.1, _FROM_ZERO), epsilon=_EPSILON),
        "adadelta": _make_class("Adadelta", rho=Argument(0.95, _FRACTION), epsilon=_EPSILON),
        "adafactor": _make_class(
            "Adafactor",
            beta_2_decay=Argument(-0.8, "(-inf, 0]"),
            epsilon_1=Argument(1e-30, _POSITIVE),
            epsilon_2=Argument(1e-3, _POSITIVE),
            clip_threshold=Argument(1.0, _POSITIVE),
            relative_step=Argument(True),
        ),
        "lamb": _make_adam("Lamb"),
        "lion": _make_class("Lion", beta_1=Argument(0.9, "(0, 1]"), beta_2=Argument(0.99, _FRACTION)),
        "muon": _make_class(
            "Muon",
            adam_beta_1=Argument(0.9, _FRACTION),
            adam_beta_2=Argument(0.999, _FRACTION),
            adam_weight_decay=Argument(0.004, _FROM_ZERO),
            epsilon=_EPSILON,
            exclude_layers=Argument(None, names=True),
            exclude_embeddings=Argument(True),
            muon_a=Argument(3.4445, _ANY),
            muon_b=Argument(-4.775, _ANY),
            muon_c=Argument(2.0315, _ANY),
            adam_lr_ratio=Argument(1.0, _POSITIVE),
            momentum=Argument(0.95, _FRACTION),
            ns_steps=Argument(5, "[1, 100]", whole=True),
            nesterov=Argument(True),
            rms_rate=Argument(0.2, _POSITIVE, optional=True),
            weight_decay=0.004,
        ),
        "ftrl": _make_class(
            "Ftrl",
            learning_rate_power=Argument(-0.5, "(-inf, 0]"),
            initial_accumulator_value=Argument(0.1, _FROM_ZERO),
            l1_regularization_strength=Argument(0.0, _FROM_ZERO),
            l2_regularization_strength=Argument(0.0, _FROM_ZERO),
            l2_shrinkage_regularization_strength=Argument(0.0, _FROM_ZERO),
            beta=Argument(0.0, _FROM_ZERO),
        ),
        "schedule_free_adamw": _make_adam(
            "ScheduleFreeAdamW",
            epsilon=1e-8,
            beta_1=Argument(0.9, "(0, 1)"),
            warmup_steps=Argument(0, _FROM_ZERO, whole=True),
        ),
    },
    aliases={"schedule_free_adam_w": "schedule_free_adamw"},
    refused={
        "loss_scale_optimizer": "it wraps another optimizer, for float16, and runs train in float32; name that one",
        "multi_optimizer": "it takes an optimizer for each layer, which a text cannot say; name one optimizer",
        "optimizer": "it is the base class of all optimizers; name one, such as adam",
    },
    elsewhere={
        "learning_rate": "the learning rate is a key of its own, training.learning_rate; write it there",
        "name": "a run needs no name for its optimizer; leave it out",
    },
)
"""The optimizers by name; ``sgd`` has momentum 0.9 unless another is given."""


def read_optimizer(text: str) -> KerasText:
    """Return the optimizer that ``text`` describes, such as ``sgd(momentum=0.95, nesterov=true)``.

    >>> str(read_optimizer("adam(beta_1=0.9, amsgrad=true)"))
    'adam(amsgrad=true)'

    Raises:
        InputError: with what is wrong: the name, an argument, a value, or arguments that do not go together.
    """
    read = OPTIMIZERS.read(text)
    arguments = read.arguments
    clips = [name for name in ("clipnorm", "clipvalue", "global_clipnorm") if arguments[name] is not None]
    if len(clips) > 1:
        raise InputError(f"{read.name}: gradients are clipped in one way, received {' and '.join(clips)}; keep one")
    for name in ("ema_momentum", "ema_overwrite_frequency"):
        if name in read.given and not arguments["use_ema"]:
            raise InputError(f"{read.name}: {name} does nothing without use_ema=true; add that, or leave it out")
    if read.name == "sgd" and arguments["nesterov"] and not arguments["momentum"]:
        raise InputError("sgd: nesterov does nothing without momentum; give a momentum above 0, or leave it out")
    return read
