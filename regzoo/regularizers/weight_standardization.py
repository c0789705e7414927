"""Weight standardization: kernels with mean 0 and fixed length in every unit."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from regzoo.core import OnWeights, Regularizer, Reparametrization, Tensor, Weight
from regzoo.core.lazy import keras
from regzoo.regularizers._weights import list_fan_in_axes

SMALLEST = 1e-4
"""The least sum of squares to divide by the root of, as in Brock et al.: a kernel of zeros stays zero."""

UNDONE = frozenset({"max_norm", "unit_norm", "spectral_norm"})
"""Regularizers that scale what is standardized anyway."""


@dataclass(frozen=True)
class WeightStandardization(OnWeights):
    """Use each kernel with the mean of every unit's incoming weights taken away and their length set to 1.

    Formula: the layer computes with (w - mean) / (std sqrt(n)) in place of w, mean and standard deviation over the n
    incoming weights of each unit (fan-in) of a kernel: a column of a dense kernel, a filter of a convolution (of a
    depthwise one: of one channel), one feature of a head of attention; in a recurrent kernel, each unit and gate. It
    does so in training and at inference, and gradients flow through it. Units with one incoming weight, biases, scales,
    embedding tables, position embeddings, and weights that are frozen when the recipe is attached stay.

    Smooths the loss; made for convolutions that `group_norm` or `batch_norm` follows, where it replaces the statistics
    of large batches. The paper has no sqrt(n): a normalization afterwards cancels it. Without one it keeps the size of
    activations: standardized, uncorrelated inputs have outputs of variance 1 (gain 1; Keras's initial kernels have a
    mean near 0 and lengths of about 1 as well, so training starts from nearly the same function). The output layer's
    kernel is included, so its logits are limited as with `unit_norm`; the paper leaves it out: ``exclude=last``. A
    pretrained model becomes another function: let it keep its kernels, or train from new weights.

    The variables hold the w that is trained; its length has no effect on the function, so penalties and decay change
    the effective learning rate alone. An exported graph computes with the standardized kernels. It has no strength.

    Cost: in addition to the pass, mean and length of each kernel in every step and at every prediction.

    Raises:
        InputError: if a model without kernels is built.

    Reference: Qiao et al. 2019 [qiao2019], https://arxiv.org/abs/1903.10520 and, for the division by sqrt(n), Brock et
    al. 2021 [brock2021], https://arxiv.org/abs/2101.08692
    Departure: all kernels rather than those of convolutions alone, since they are chosen by ``on=`` and ``exclude=``.

    >>> from regzoo.regularizers import WeightStandardization
    >>> print(WeightStandardization(on="conv"))
    weight_standardization(on=conv)
    """

    def rule(self, weight: Weight) -> Reparametrization | None:
        """Return the standardization of each kernel whose units have several incoming weights."""
        axes = list_fan_in_axes(weight)
        if not weight.kernel or math.prod(weight.shape[axis] for axis in axes) < 2:
            return None
        return Reparametrization(functools.partial(self.standardize, axes=axes))

    def standardize(self, w: Tensor, axes: Sequence[int]) -> Tensor:
        """Return the kernel ``w`` with mean 0 and length 1 over ``axes``."""
        centered = w - keras.ops.mean(w, axis=tuple(axes), keepdims=True)
        squares = keras.ops.sum(keras.ops.square(centered), axis=tuple(axes), keepdims=True)
        return centered / keras.ops.sqrt(keras.ops.maximum(squares, SMALLEST))

    def warn_pair(self, other: Regularizer) -> str | None:
        """Warn about norms that it makes ineffective."""
        return f"weight_standardization undoes {other.name}: use one of the two" if other.name in UNDONE else None
