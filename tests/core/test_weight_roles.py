"""The table of weights: complete for the installed Keras, and right about which axes index units and inputs."""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from regzoo.core._keras_compat import list_inner_layers, list_own_weights
from regzoo.core.weight_roles import LAYERS, FoundRole, find_weight_role
from tests.core.layer_examples import EXAMPLES, build_examples, draw, list_layers

FOREIGN = {"Layer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper"}
"""Classes whose weights another library names: they are inferred. Layer is the base class."""

Probe = Callable[[np.ndarray], np.ndarray]
"""A layer as a function of its inputs, (batch, ...), with everything else as it is."""


@pytest.fixture(scope="module")
def examples(tensorflow: None) -> dict[str, Any]:
    """Return the layers of `EXAMPLES`, built."""
    return build_examples()


def list_classes() -> list[type]:
    """Return every class of layers that Keras defines, those without a public name too."""
    public = [cls for cls in vars(layers).values() if isinstance(cls, type) and issubclass(cls, keras.Layer)]
    bases = {base for cls in public for base in cls.__mro__ if issubclass(base, keras.Layer)}
    waiting, found = [keras.Layer], set(bases)
    while waiting:
        subclasses = waiting.pop().__subclasses__()
        waiting += subclasses
        found |= {cls for cls in subclasses if cls.__module__.startswith("keras.src.layers")}
    return sorted(found, key=lambda cls: cls.__name__)


@functools.cache
def parse_module(file: str) -> dict[str, ast.ClassDef]:
    """Return the classes that a source file defines, if any of them makes weights."""
    text = Path(file).read_text("utf-8")
    body = ast.parse(text).body if "add_weight(" in text else []
    return {node.name: node for node in body if isinstance(node, ast.ClassDef)}


def find_weight_names(cls: type) -> set[str | None]:
    """Return the names of the weights that the class's own code makes; None for a name that it computes."""
    names: set[str | None] = set()
    node = parse_module(inspect.getfile(cls)).get(cls.__name__)
    for call in ast.walk(node) if node else ():
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "add_weight":
            name = {keyword.arg: keyword.value for keyword in call.keywords}.get("name")
            names.add(str(name.value) if isinstance(name, ast.Constant) else None)
    return names


def test_the_table_knows_every_weight_that_a_layer_of_keras_makes() -> None:
    made = {cls: find_weight_names(cls) for cls in list_classes() if cls.__name__ not in FOREIGN}
    assert sum(len(names) for names in made.values()) > 60
    unknown = {}
    for cls, names in made.items():
        known = {base.__name__ for base in cls.__mro__} & LAYERS.keys()
        entries = [LAYERS[name] for name in known]
        listed = {weight for each in entries if not callable(each) for weight in each}
        if any(callable(each) for each in entries):  # the two that describe a layer by its settings
            listed |= LAYERS["Dense"].keys()  # type: ignore[union-attr]
        if missing := names - listed:
            unknown[cls.__name__] = missing
    assert unknown == {}


def test_each_class_with_weights_is_an_example() -> None:
    weighted = {cls for cls in list_classes() if cls.__name__ not in FOREIGN and find_weight_names(cls)}
    public = {name: cls for name, cls in vars(layers).items() if isinstance(cls, type) and name not in FOREIGN}
    missing = {
        name: cls
        for name, cls in public.items()
        if weighted & set(cls.__mro__) and cls not in {getattr(layers, example) for example in EXAMPLES}
    }
    assert missing == {}


def test_every_weight_of_every_example_is_found(examples: dict[str, Any]) -> None:
    for layer in (layer for example in examples.values() for layer in list_layers(example)):
        others = {id(variable) for inner in list_inner_layers(layer) for variable in inner.variables}
        for variable in (*layer._trainable_variables, *layer._non_trainable_variables):
            if id(variable) in others:
                continue  # SpectralNormalization holds the kernel of the layer inside, too
            found = find_weight_role(layer, variable)
            assert found is not None, f"{type(layer).__name__} has a weight {variable.name!r}: add it to the table"
            assert (found.role == "state") == any(variable is each for each in layer._non_trainable_variables)
            assert {*found.unit_axes, *found.input_axes} <= set(range(len(variable.shape))), variable.path


def make_probe(layer: Any, name: str) -> tuple[Probe, np.ndarray]:
    """Return ``layer`` as a function of the inputs that its weight ``name`` multiplies, and such inputs."""
    shape = (2, *(size or 3 for size in layer.get_build_config()["input_shape"][1:]))
    if isinstance(layer, layers.ReversibleEmbedding):
        return lambda x: np.array(layer(x, reverse=True)), draw((2, 6, layer.output_dim))
    if "recurrent_kernel" not in {weight.name for weight in layer.weights}:
        return lambda x: np.array(layer(x)), draw(shape)
    kernel = layer.kernel.shape  # a cell; it shrinks the space, and its states have the size of its outputs
    shape = (2, *shape[-len(kernel) + 1 :])
    state = (2, *(size - width + 1 for size, width in zip(shape[1:-1], kernel[:-2], strict=True)), kernel[-1] // 4)
    state = state if len(kernel) > 2 else (2, layer.units)
    x, h, others = draw(shape), draw(state), [draw(state) + 0.5] * (layer.recurrent_kernel.shape[-1] // state[-1] == 4)

    def run(given: np.ndarray) -> np.ndarray:
        inputs, *states = (np.repeat(tensor[:1], len(given), 0) for tensor in (x, h, *others))
        inputs, states[0] = (given, states[0]) if name == "kernel" else (inputs, given)
        return np.array(layer(inputs, states)[0])

    return run, x if name == "kernel" else h


def list_probes(examples: dict[str, Any]) -> Iterator[tuple[Any, Any, FoundRole]]:
    """Yield each layer inside of ``examples`` with each of its kernels and what the table says."""
    seen = set()
    for layer in (layer for example in examples.values() for layer in list_layers(example)):
        for variable in list_own_weights(layer):
            found = find_weight_role(layer, variable)
            key = (type(layer), variable.name, getattr(layer, "equation", None), getattr(layer, "reset_after", None))
            if found is not None and found.role in ("kernel", "recurrent_kernel") and key not in seen:
                seen.add(key)
                for each in list_own_weights(layer):
                    each.assign((draw(each.shape) + 0.1) * ("lora" not in each.name))
                if variable.name == "depthwise_kernel":  # behind it, each of its outputs goes on to one output
                    layer.pointwise_kernel.assign(np.eye(layer.filters).reshape(layer.pointwise_kernel.shape))
                yield layer, variable, found


def find_axes(shape: tuple[int, ...], find: Callable[[tuple[int, ...]], Any]) -> set[int]:
    """Return the axes of a weight along which ``find`` of an element changes."""
    first = find((0,) * len(shape))
    ends = {axis: tuple(size - 1 if i == axis else 0 for i in range(len(shape))) for axis, size in enumerate(shape)}
    return {axis for axis, end in ends.items() if not np.array_equal(find(end), first)}


def with_value(variable: Any, value: np.ndarray, run: Callable[[], np.ndarray]) -> np.ndarray:
    """Return what ``run`` gives while ``variable`` has this value."""
    before = variable.numpy()
    variable.assign(value)
    result = run()
    variable.assign(before)
    return result


def keep(shape: tuple[int, ...], index: tuple[int, ...]) -> np.ndarray:
    """Return zeros with a one at ``index``."""
    value = np.zeros(shape, np.float32)
    value[index] = 1
    return value


def test_along_a_unit_axis_other_outputs_change(examples: dict[str, Any]) -> None:
    for layer, variable, found in list_probes(examples):
        run, x = make_probe(layer, variable.name)
        y, value = run(x), variable.numpy()

        def find_changed(index: tuple[int, ...]) -> Any:
            moved = with_value(variable, value + keep(value.shape, index), lambda: run(x))  # noqa: B023
            changed = np.abs(moved - y) > 1e-6  # noqa: B023
            # Space does not count: all axes but the last, except where the layer's equation says what the axes are.
            return changed.any(0) if isinstance(layer, layers.EinsumDense) else changed.reshape(-1, y.shape[-1]).any(0)  # noqa: B023

        units = {axis for axis in found.unit_axes if value.shape[axis] > 1}
        assert find_axes(value.shape, find_changed) == units, variable.path


def test_along_an_input_axis_other_inputs_count(examples: dict[str, Any]) -> None:
    for layer, variable, found in list_probes(examples):
        if isinstance(layer, layers.STFTSpectrogram):
            continue  # its inputs have no channels
        run, x = make_probe(layer, variable.name)
        features = x.shape[1:] if isinstance(layer, layers.EinsumDense) else x.shape[-1:]
        masks = np.eye(int(np.prod(features)), dtype=np.float32)  # each example has one input that is not zero
        x = np.abs(x[:1]) * masks.reshape(-1, *[1] * (x.ndim - 1 - len(features)), *features)
        shape = tuple(variable.shape)
        silent = with_value(variable, np.zeros(shape), lambda: run(x))  # noqa: B023

        def find_used(index: tuple[int, ...]) -> Any:
            heard = with_value(variable, keep(shape, index), lambda: run(x))  # noqa: B023
            return (np.abs(heard - silent) > 1e-6).reshape(len(silent), -1).any(1)  # noqa: B023

        last = {len(shape) - 1} if found.groups > 1 else set()  # the inputs of another group
        inputs = {axis for axis in {*found.input_axes, *last} if shape[axis] > 1}
        assert find_axes(shape, find_used) == inputs, variable.path


def test_a_slice_of_zeros_switches_one_unit_off(examples: dict[str, Any]) -> None:
    for layer, variable, found in list_probes(examples):
        if found.role != "kernel" or hasattr(layer, "recurrent_kernel") or isinstance(layer, layers.STFTSpectrogram):
            continue  # a gate of zeros is half open; a logarithm follows
        run, x = make_probe(layer, variable.name)
        if getattr(layer, "bias", None) is not None:
            layer.bias.assign(np.zeros(layer.bias.shape))
        if isinstance(layer, layers.EinsumDense):
            layer.activation = None  # that of attention's gate
        value, y = variable.numpy(), run(x)
        units = int(np.prod([value.shape[axis] for axis in found.unit_axes]))
        for end in (0, -1):
            silenced = value.copy()
            silenced[tuple(end if axis in found.unit_axes else slice(None) for axis in range(value.ndim))] = 0
            off = with_value(variable, silenced, lambda: run(x)) == 0  # noqa: B023
            assert off.mean() == pytest.approx(1 / units), variable.path
            assert not np.any(y == 0)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["int8", "int4", "float8"])
def test_what_quantized_layers_hold_is_known(mode: str, tensorflow: None) -> None:
    makers: list[Callable[[], Any]] = [
        lambda: layers.Dense(4),
        lambda: layers.EinsumDense("abc,cd->abd", (None, 4), bias_axes="d"),
        lambda: layers.Embedding(6, 4),
        lambda: layers.ReversibleEmbedding(6, 4, tie_weights=False),
    ]
    for layer in (make() for make in makers[: 2 if mode == "float8" else 4]):
        layer.build((None, 6) if isinstance(layer, layers.Embedding | layers.Dense) else (None, 3, 6))
        layer.quantize(mode)
        held = [*layer._trainable_variables, *layer._non_trainable_variables]
        assert len(held) > 1
        assert [variable.path for variable in held if find_weight_role(layer, variable) is None] == []
