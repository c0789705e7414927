"""Optimizers as text: the table is the installed Keras's, what it accepts Keras constructs, what is wrong is named."""

from __future__ import annotations

import inspect
import math
import re
import subprocess
import sys
from typing import Any

import keras
import pytest

from regzoo.core import InputError
from regzoo.training.keras_text import Argument, format_value
from regzoo.training.optimizer_names import OPTIMIZERS, read_optimizer
from regzoo.training.optimizers import make_optimizer

NOT_ARGUMENTS = {"self", "learning_rate", "name", "kwargs"}


def list_keras_classes() -> dict[str, Any]:
    """Return the optimizers that the installed Keras exports, by class name."""
    found = {name: getattr(keras.optimizers, name) for name in dir(keras.optimizers) if name[0].isupper()}
    return {name: kind for name, kind in found.items() if issubclass(kind, keras.optimizers.Optimizer)}


def test_the_table_has_every_optimizer_of_the_installed_keras() -> None:
    refused = {"LossScaleOptimizer", "Optimizer"} | ({"MultiOptimizer"} & set(list_keras_classes()))
    assert {kind.name for kind in OPTIMIZERS.classes.values()} == set(list_keras_classes()) - refused
    for name in refused:
        with pytest.raises(InputError, match="name"):
            read_optimizer(name.lower())


@pytest.mark.parametrize("name", OPTIMIZERS.classes)
def test_arguments_and_defaults_are_those_of_the_installed_keras(name: str) -> None:
    kind = OPTIMIZERS.classes[name]
    signature = inspect.signature(getattr(keras.optimizers, kind.name).__init__).parameters
    expected = {key: one.default for key, one in signature.items() if key not in NOT_ARGUMENTS}
    if name == "sgd":
        expected["momentum"] = 0.9  # as regzoo's sgd always had
    assert {key: one.default for key, one in kind.arguments.items()} == expected


def list_values(argument: Argument) -> list[Any]:
    """Return values that the argument takes: the ends of its domain, or the numbers next to them."""
    if argument.names:
        return [["head"], None]
    if not argument.domain:
        return [True, False]
    low, high = (float(end) for end in re.findall(r"[^\[\](), ]+", argument.domain))
    step = 1.0 if argument.whole else 1e-6
    low = low if argument.domain[0] == "[" else -10.0 if math.isinf(low) else low + step
    high = high if argument.domain[-1] == "]" else 10.0 if math.isinf(high) else high - step
    return [low, high, *([None] if argument.default is None or argument.optional else [])]


def write(name: str, argument: str, value: Any) -> str:
    """Return a text that gives ``argument``, and what it does nothing without."""
    needed = ", use_ema=true" if argument in ("ema_momentum", "ema_overwrite_frequency") else ""
    return f"{name}({argument}={format_value(value)}{needed})"


CASES = [
    (name, argument, value)
    for name, kind in OPTIMIZERS.classes.items()
    for argument, one in kind.arguments.items()
    for value in list_values(one)
]


def test_keras_constructs_what_the_table_accepts_with_these_very_values() -> None:
    for name, argument, value in CASES:
        if (name, argument, value) == ("sgd", "momentum", 0.0):
            continue
        made = make_optimizer(write(name, argument, value), 0.02)
        found = made.get_config().get(argument, getattr(made, argument, "absent"))
        assert found == ([] if argument == "exclude_layers" and value is None else value), (name, argument)
        assert float(made.learning_rate) == pytest.approx(0.02)


def test_the_normal_form_reads_back_equal_and_leaves_defaults_out() -> None:
    for name, argument, value in CASES:
        text = str(read_optimizer(write(name, argument, value)))
        assert str(read_optimizer(text)) == text
        if value == OPTIMIZERS.classes[name].arguments[argument].default:
            assert f"{argument}=" not in text


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("sgd", "sgd"),
        ("sgd(momentum=.9)", "sgd"),
        ("sgd(nesterov=true, momentum=0.95)", "sgd(momentum=0.95, nesterov=true)"),
        ("adam(beta_1=0.9)", "adam"),
        ("adamw(weight_decay=1e-2)", "adamw(weight_decay=0.01)"),
        ("schedulefreeadamw", "schedule_free_adamw"),
        ("rms_prop(centered=true)", "rmsprop(centered=true)"),
        ("muon(exclude_layers=[head, output])", "muon(exclude_layers=[head, output])"),
        ("adam(clipnorm=1, clipvalue=none)", "adam(clipnorm=1.0)"),
    ],
)
def test_normal_forms(text: str, normal: str) -> None:
    assert str(read_optimizer(text)) == normal


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("adm", r"received adm\. Did you mean 'adam'\?"),
        ("Adam", r"takes one of adam, sgd, rmsprop, adamw, .*, received Adam\. Did you mean 'adam'\?"),
        ("lbfgs", r"takes one of .*, received lbfgs\.$"),
        ("adam(beta1=0.9)", r"adam has no argument 'beta1'\. Did you mean 'beta_1'\?"),
        ("sgd(lr=0.1)", r"sgd has no argument 'lr'\. Available: clipnorm,"),
        ("sgd(learning_rate=0.1)", r"key of its own, training\.learning_rate"),
        ("adam(0.01)", r"takes arguments by name, received 0\.01; write adam\(beta_1=\.\.\.\)"),
        ("sgd(momentum=1.5)", r"sgd: momentum takes a number in \[0, 1\], received 1\.5"),
        ("sgd(momentum=true)", r"momentum takes a number in \[0, 1\], received true"),
        ("sgd(nesterov=1)", r"nesterov takes true or false, received 1"),
        ("sgd(nesterov=yes)", r"nesterov takes true or false, received yes"),
        ("sgd(momentum=0.8..0.95)", r"received 0\.8\.\.0\.95, which is more than one number"),
        ("sgd(momentum=linear(0.5, 0.9))", r"received linear\(\.\.\.\)"),
        ("adamw(weight_decay=none)", r"weight_decay takes a number in \[0, inf\), received none"),
        ("adam(clipnorm=0)", r"clipnorm takes a number in \(0, inf\) or none, received 0"),
        ("adam(gradient_accumulation_steps=1)", r"takes a whole number in \[2, inf\) or none, received 1"),
        ("adam(gradient_accumulation_steps=2.5)", r"takes a whole number in \[2, inf\) or none, received 2\.5"),
        ("adam(clipnorm=1, clipvalue=1)", "gradients are clipped in one way, received clipnorm and clipvalue"),
        ("adam(ema_momentum=0.5)", "ema_momentum does nothing without use_ema=true"),
        ("sgd(momentum=0, nesterov=true)", "nesterov does nothing without momentum"),
        ("adam(beta_2=nan)", r"received nan"),
        ("muon(exclude_layers=head)", r"takes a list of names such as \[head\] or none, received head"),
        ("adam(beta_1=0.9", "expected '\\)'"),
        ("adam + sgd", "expected the end"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_optimizer(text)


def test_the_learning_rate_of_an_optimizer_or_its_config_is_replaced_and_its_settings_are_kept() -> None:
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    for own in (
        keras.optimizers.SGD(schedule, momentum=0.7, nesterov=True),
        keras.optimizers.AdamW(weight_decay=0.1),
        keras.optimizers.Adafactor(clip_threshold=2.0),
        keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(schedule, beta_1=0.5), initial_scale=8.0),
    ):
        before = keras.optimizers.serialize(own)
        for given in (own, keras.optimizers.serialize(own)):
            made = make_optimizer(given, 0.02)
            assert made is not own
            assert float(made.learning_rate) == pytest.approx(0.02)
            config = made.get_config()
            for key in ("momentum", "nesterov", "weight_decay", "clip_threshold", "initial_scale"):
                assert config.get(key) == own.get_config().get(key)
        assert keras.optimizers.serialize(own) == before
    assert made.inner_optimizer.beta_1 == 0.5


def test_reading_imports_no_tensorflow() -> None:
    code = (
        "import sys; from regzoo.config.values import accept_optimizer, accept_loss; "
        "accept_optimizer('muon(momentum=0.9)'); accept_loss('huber(delta=0.5)'); "
        "sys.exit('keras' in sys.modules or 'tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
