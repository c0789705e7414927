"""Private names of Keras: every one that regzoo uses is used here, and nowhere else.

Keras may change them in any release. A test checks each against the installed Keras, and that no other file of regzoo
uses one. The file belongs to core because regularizers need it as well as training.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from regzoo.core.lazy import LazyModule

_functional: Any = LazyModule("keras.src.models.functional")  # lazy: without it, all but attach works
_global_state: Any = LazyModule("keras.src.backend.common.global_state")
_variables: Any = LazyModule("keras.src.backend.common.variables")

PRIVATE_NAMES = {
    "keras.src.models.functional.Functional": "the class of keras.Model(inputs, outputs) has no public name",
    "keras.src.models.cloning.clone_model": "it copies the single layers of any functional model, unasked",
    "keras.src.backend.common.global_state.get_global_attribute": "tells what Keras is inside of: scopes, calls, HDF5",
    "keras.src.backend.common.variables.AutocastScope": "reads a weight as it is in a layer of lower precision",
    "Functional._run_through_graph": "what clone_model calls on the model that it copies",
    "Functional._nodes_by_depth": "Model.layers lists a layer once, however often it is called, and without its inputs",
    "Node.operation": "the layer or function that a call in the model's graph is a call of",
    "Node.is_input": "tells the model's inputs from its calls",
    "Node.input_tensors": "links a call to the calls before it",
    "Node.output_tensors": "links a call to the calls after it",
    "Node.arguments": "the positional and keyword arguments of a call, tensors and others",
    "SymbolicArguments.fill_in": "replaces the tensors that a call was made with",
    "KerasTensor._keras_history": "names the call that made a tensor",
    "Layer._inbound_nodes": "the calls of one layer, by number: KerasTensor._keras_history gives the number only",
    "Layer._outbound_nodes": "the calls that receive what a layer returns",
    "Lambda._output_shape": "the output shape that a Lambda was given; get_config() gives it in a form that stays JSON",
    "Layer._trainable_variables": "tells a frozen weight from a state, such as batch norm's averages",
    "Layer._non_trainable_variables": "a layer's own states, of which one may belong to another layer too",
    "Layer._flatten_layers": "layers inside of layers, such as that of TimeDistributed, are in no public list",
    "Model._loss_tracker": "the mean that fit prints as loss, which a train_step of our own has to update",
    "Model._compile_metrics": "a second compile without metrics keeps those of the first one",
    "Optimizer._backend_update_step": "the update of all variables, after clipping and before weight averaging",
    "Optimizer._get_variable_index": "finds the optimizer's own variables for a trainable variable",
    "MultiOptimizer._var_to_optimizer_idx": "tells which of its optimizers trains a variable",
    "MultiOptimizer._var_key": "the key of a variable in it",
    "Adam._momentums": "first moments",
    "Adam._velocities": "second moments",
    "RMSprop._momentums": "momentum",
    "RMSprop._velocities": "moving averages of the squared gradients",
    "Variable.handle": "TensorFlow's resource, which its raw operations update in place",
}
"""Owner and name, and why the public interface of Keras is not enough."""


def is_functional(model: keras.Model) -> bool:
    """Return True if ``model`` is a functional model that does not override ``call``."""
    kind = _functional.Functional
    return isinstance(model, kind) and type(model).call is kind.call


def is_plain_model(layer: Any) -> bool:
    """Return True for a built functional or sequential model that is no subclass, so its calls are all that it does."""
    if type(layer) is keras.Sequential:
        return layer.built and getattr(layer, "inputs", None) is not None
    return type(layer) is _functional.Functional


@dataclass(frozen=True, eq=False)
class LayerCall:
    """One call of a layer or function in a functional model.

    Attributes:
        operation: the layer or function.
        inputs: symbolic tensors that it receives.
        outputs: symbolic tensors that it returns.
    """

    operation: Any
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    _arguments: Any

    def fill_in(self, tensors: Mapping[int, Any]) -> tuple[Any, Any]:
        """Return the arguments ``(args, kwargs)`` of this call, with other tensors.

        Args:
            tensors: the new tensors, by the id of the symbolic tensor that each replaces.
        """
        filled: tuple[Any, Any] = self._arguments.fill_in(tensors)
        return filled

    @property
    def training(self) -> bool | None:
        """The ``training`` that a model was called with; None if it was left out.

        Of other layers the graph does not tell a ``training=False`` that was given from their default.
        """
        args, kwargs = self.fill_in({id(tensor): tensor for tensor in self.inputs})
        parameters = list(inspect.signature(self.operation.call).parameters)
        given = {**dict(zip(parameters, args, strict=False)), **kwargs}
        value: bool | None = given.get("training")
        return value


def list_calls(model: keras.Model) -> list[LayerCall]:
    """Return the calls of a functional model, each after those that it depends on."""
    depths = model._nodes_by_depth
    nodes = [node for depth in sorted(depths, reverse=True) for node in depths[depth] if not node.is_input]
    return [
        LayerCall(node.operation, tuple(node.input_tensors), tuple(node.output_tensors), node.arguments)
        for node in nodes
    ]


def get_operation(tensor: keras.KerasTensor) -> Any:
    """Return the layer or function that made ``tensor``."""
    return tensor._keras_history.operation


def list_call_inputs(tensor: keras.KerasTensor) -> list[keras.KerasTensor]:
    """Return the inputs of the call that made ``tensor``; none for a model's input."""
    history = tensor._keras_history
    return list(history.operation._inbound_nodes[history.node_index].input_tensors)


def get_input(tensor: keras.KerasTensor) -> keras.KerasTensor:
    """Return the first input of the call that made ``tensor``."""
    history = tensor._keras_history
    return history.operation._inbound_nodes[history.node_index].input_tensors[0]


def list_consumers(layer: keras.Layer) -> list[Any]:
    """Return the layers and functions that receive what ``layer`` returns."""
    return [node.operation for node in layer._outbound_nodes]


def get_output_shape(layer: keras.layers.Lambda) -> Any:
    """Return the ``output_shape`` that a Lambda layer was made with."""
    return layer._output_shape


def list_weights_to_train(model: keras.Model) -> list[keras.Variable]:
    """Return the weights that are trained if nothing is frozen, in the order of ``model.variables``."""
    ids = {id(variable) for layer in model._flatten_layers() for variable in layer._trainable_variables}
    return [variable for variable in model.variables if id(variable) in ids]


def list_inner_layers(layer: keras.Layer) -> list[keras.Layer]:
    """Return the layers directly inside ``layer``: a model's, a wrapper's, the cell of a recurrent layer."""
    return list(layer._flatten_layers(include_self=False, recursive=False))


def list_own_weights(layer: keras.Layer) -> list[keras.Variable]:
    """Return the weights of ``layer`` itself, not of layers inside, that are trained if nothing is frozen."""
    return list(layer._trainable_variables)


def replace_variable(layer: keras.Layer, old: keras.Variable, new: keras.Variable) -> None:
    """Make ``layer``, and the layers inside it, use ``new`` in place of ``old``."""
    for each in layer._flatten_layers():
        for name, value in list(vars(each).items()):
            if value is old:
                object.__setattr__(each, name, new)  # past Keras's tracking, which a built layer has ended
        for own in (each._trainable_variables, each._non_trainable_variables):
            own[:] = [new if variable is old else variable for variable in own]


def list_layers(model: keras.Model) -> list[keras.Layer]:
    """Return every layer of ``model``, also those inside of other layers; ``model`` itself is one of them."""
    return list(model._flatten_layers())


def get_loss_tracker(model: keras.Model) -> keras.metrics.Mean:
    """Return the metric behind ``loss`` in the logs of a compiled model."""
    return model._loss_tracker


def forget_metrics(model: keras.Model) -> None:
    """Make ``model`` forget the metrics that it was compiled with."""
    model._compile_metrics = None


def is_writing_hdf5() -> bool:
    """Return True while Keras writes a file of its old HDF5 format."""
    return bool(_global_state.get_global_attribute("use_legacy_config", False))


@contextlib.contextmanager
def closing_name_scopes() -> Iterator[None]:
    """Close the name scopes that an error in this block leaves open: later weights would get paths inside of them.

    Keras leaves that of a model open where TensorFlow does not take the name of a layer in it.
    """
    scopes: list[Any] = _global_state.get_global_attribute("name_scope_stack", default=[], set_to_default=True)
    before = list(scopes)
    try:
        yield
    finally:
        scopes[:] = before


def call_with_values(
    layer: keras.Layer, call: Callable[[], Any], changes: Iterable[tuple[keras.Variable, Callable[[Any], Any]]]
) -> Any:
    """Return what ``call`` returns while weights have changed values; keep its updates of states and its losses.

    Args:
        layer: the layer that is called.
        call: calls it.
        changes: weights, each with the function of its value that takes its place; those that a scope around the call
            names in ``final`` keep the value that they have there.
    """
    outer: Any = _global_state.get_global_attribute("stateless_scope")
    final = getattr(outer, "final", ())
    with _variables.AutocastScope(None):
        mapping = [(variable, change(variable.value)) for variable, change in changes if id(variable) not in final]
    inner = keras.StatelessScope(mapping, collect_losses=True)
    if outer is not None:
        inner.state_mapping = {**outer.state_mapping, **inner.state_mapping}
    before = dict(inner.state_mapping)
    with inner:
        result = call()
    for variable in layer.variables:
        value = inner.get_current_value(variable)
        if value is not before.get(id(variable)):
            variable.assign(value)
    for loss in inner.losses:
        layer.add_loss(keras.ops.copy(loss))  # a layer inside would count the same tensor as its own as well
    return result


class CallHook(keras.Model):
    """A functional Keras model that can refuse to be copied layer by layer, and notices where it is a layer."""

    def check_cloning(self) -> None:
        """Raise an error if `keras.models.clone_model` would lose a part of the model. It is called by that."""

    def check_training_inside(self, outer: str) -> None:
        """Warn if a part of the model is lost where the model ``outer`` calls it as a layer, in training mode."""

    def _run_through_graph(
        self, inputs: Any, operation_fn: Any = lambda operation: operation, call_fn: Any = None
    ) -> Any:
        if operation_fn.__module__ == "keras.src.models.cloning":
            self.check_cloning()
        context = _global_state.get_global_attribute("current_call_ctx")
        if context is not None and context.entry_layer is not self and context.get_value("training") is True:
            self.check_training_inside(context.entry_layer.name)
        return super()._run_through_graph(inputs, operation_fn, call_fn)


class UpdateHook(keras.optimizers.Optimizer):
    """A Keras optimizer whose update of the variables can be replaced."""

    def replace_update(self, pairs: Sequence[tuple[Any, keras.Variable]], learning_rate: Any) -> bool:
        """Update the variables and return True; or return False, and Keras updates them.

        Args:
            pairs: clipped gradients and their variables.
            learning_rate: learning rate of this step.
        """
        raise NotImplementedError

    def _backend_update_step(
        self, grads: Iterable[Any], trainable_variables: Iterable[keras.Variable], learning_rate: Any
    ) -> None:
        gradients, variables = list(grads), list(trainable_variables)
        if not self.replace_update(list(zip(gradients, variables, strict=True)), learning_rate):
            super()._backend_update_step(gradients, variables, learning_rate)


def get_index(optimizer: keras.optimizers.Optimizer, variable: keras.Variable) -> int:
    """Return the position of ``variable`` among those that ``optimizer`` was built with."""
    return int(optimizer._get_variable_index(variable))


def get_optimizer_of(optimizer: Any, variable: keras.Variable) -> Any:
    """Return the optimizer that trains ``variable``: ``optimizer`` itself, or one of those that it consists of."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    several = getattr(inner, "optimizers", None)
    return optimizer if several is None else several[inner._var_to_optimizer_idx[inner._var_key(variable)]]


def get_momentums(optimizer: keras.optimizers.Adam | keras.optimizers.RMSprop) -> list[keras.Variable]:
    """Return the momentum (of Adam, the first moment) of each variable."""
    return list(optimizer._momentums)


def get_velocities(optimizer: keras.optimizers.Adam | keras.optimizers.RMSprop) -> list[keras.Variable]:
    """Return the moving average of the squared gradient of each variable."""
    return list(optimizer._velocities)


def get_handle(variable: keras.Variable) -> Any:
    """Return TensorFlow's resource handle of ``variable``."""
    return variable.handle
