"""Moving statistics of layers, such as batch norm's averages, computed again for the weights as they are.

A moving average starts from values that say nothing of the data, and each step adds a batch as seen by the weights of
that step. A model is judged on averages that have arrived: of batches seen by the very weights that are judged, without
the start. The paper on batch norm computes them in this way after training (its algorithm 2).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from numbers import Real
from typing import Any, Protocol

import keras
import tensorflow as tf

from regzoo.core.errors import StaleStatisticsWarning

MAX_BATCHES = 200
"""Training batches that are read for them, at most: the average over this number changes little with more."""


class ModelWithStatistics(Protocol):
    """Interface of `RegularizedModel` that a refit uses."""

    @property
    def trainable_variables(self) -> list[keras.Variable]: ...

    @property
    def states(self) -> list[keras.Variable]: ...

    def logits(self, x: Any, training: bool = False) -> Any: ...


def list_moving(layer: keras.Layer) -> list[keras.Variable]:
    """Return the moving statistics that ``layer`` itself keeps, apart from layers inside it.

    They are those of batch norm, and of a layer of the user's that does as batch norm does: it has a ``momentum``, and
    weights called ``moving_...`` that are not trained. A frozen layer updates none, and neither does momentum 1.
    """
    if not layer.trainable or not _is_momentum(vars(layer).get("momentum")):
        return []
    own = [value for value in vars(layer).values() if isinstance(value, keras.Variable) and not value.trainable]
    return [each for each in own if each.name.startswith("moving_") and keras.backend.is_float_dtype(each.dtype)]


def _is_momentum(value: Any) -> bool:
    return isinstance(value, keras.Variable) or (isinstance(value, Real) and 0.0 <= float(value) < 1.0)


def warn_stale(layers: Sequence[keras.Layer], reason: str) -> None:
    """Warn that the moving statistics of ``layers`` stay as training leaves them, because of ``reason``."""
    more = f" and {len(layers) - 1} more" if len(layers) > 1 else ""
    warnings.warn(
        f"the averages of {layers[0].name}{more} stay as training leaves them, which in a short training is before "
        f"they have arrived: {reason}",
        StaleStatisticsWarning,
        stacklevel=4,
    )


class Refit:
    """Averages the moving statistics of layers over training batches, for the weights as they are.

    Formula: sum over the batches i of c_i s_i over the sum of c_i, where s_i are the statistics of batch i and c_i is
    the layer's momentum to the power of the number of batches that follow; with ``plain`` all c_i are 1. A batch with
    fewer rows than the first counts as that fraction of one. A layer that is called several times counts each call.

    Args:
        model: the model.
        layers: those whose statistics are computed again; others are left out.
        plain: give all batches the same weight.
    """

    def __init__(self, model: ModelWithStatistics, layers: Iterable[keras.Layer], plain: bool) -> None:
        self.layers = [layer for layer in layers if list_moving(layer)]
        self._model, self._plain = model, plain
        self._moving = [variable for layer in self.layers for variable in list_moving(layer)]
        self._counts = [tf.Variable(0.0, trainable=False) for _ in self.layers]
        self._fraction: Any = 1.0

    @contextmanager
    def start(self) -> Iterator[None]:
        """Start from zero; call `add` within. In the end the statistics alone have changed, and no random stream."""
        model, ids = self._model, {id(variable) for variable in self._moving}
        others = [each for each in (*model.trainable_variables, *model.states) if id(each) not in ids]
        before = [tf.convert_to_tensor(variable.value) for variable in others]  # noise, spectral norm's kernels
        for count in self._counts:
            count.assign(0.0)
        momentums = [vars(layer)["momentum"] for layer in self.layers]
        for layer, momentum, count in zip(self.layers, momentums, self._counts, strict=True):
            object.__setattr__(layer, "call", self._make_call(layer, momentum, count))  # past Keras's tracking
        try:
            yield
        finally:
            for layer, momentum in zip(self.layers, momentums, strict=True):
                object.__delattr__(layer, "call")
                object.__setattr__(layer, "momentum", momentum)
        for variable, value in zip(others, before, strict=True):
            variable.assign(value)

    def add(self, x: Any, fraction: Any) -> None:
        """Add the statistics of a batch.

        Args:
            x: inputs, (batch, ...).
            fraction: of the rows of the first batch that it has, a scalar tensor in (0, 1].
        """
        self._fraction = fraction
        self._model.logits(x, training=True)
        self._fraction = 1.0

    def _make_call(self, layer: keras.Layer, momentum: Any, count: tf.Variable) -> Callable[..., Any]:
        """Return the layer's ``call`` with the momentum that makes its moving statistics an average without a start."""
        call, dtype = layer.call, layer.compute_dtype
        if isinstance(layer, keras.layers.BatchNormalization):
            dtype = keras.backend.result_type(dtype, "float32")  # in which it computes

        def counted(*args: Any, **kwargs: Any) -> Any:
            before = tf.convert_to_tensor(count)
            after = count.assign_add(self._fraction)
            if self._plain:
                kept = before / after
            else:
                m = tf.cast(tf.convert_to_tensor(momentum), after.dtype)
                kept = m**self._fraction * (1.0 - m**before) / (1.0 - m**after)
            object.__setattr__(layer, "momentum", tf.cast(kept, dtype))
            return call(*args, **kwargs)

        return counted
