"""The law about weights: a regularizer knows them by role and unit axes, not by rank and last axis."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from regzoo.core import Companion, OnWeights, Perturbation, Projection, Proximal, Reparametrization, Rule, Weight
from regzoo.core.errors import ContractError
from regzoo.core.seeds import generator
from regzoo.data.dataset import Array
from regzoo.testing.harness import Harness

DENSE = "dense/kernel"

TWINS = (("dense/bias", "gru_cell/bias"), ("dense/bias", "heads/bias"), ("norm/gamma", "prelu/alpha"))
"""Weights of one role, of rank 1 and of a higher rank."""

WITH_UNITS = ("depthwise/kernel", "transposed/kernel", "heads/kernel", "gru_cell/kernel", "words/embeddings")
"""Weights whose units lie along other axes than the last, or along several; and a recurrent layer's."""


def check_knows_roles(harness: Harness) -> None:
    """Law 10: it treats weights of one role equally in any rank, and the units of any layer as those of Dense.

    Raises:
        ContractError: if it acts on a bias or scale of rank 2 or 3 and not on one of rank 1; or if it treats each unit
            of a dense kernel by itself, and not those of a depthwise or transposed convolution, of attention, of a
            recurrent layer, or the rows of an embedding table.
    """
    regularizer = harness.regularizer
    if not isinstance(regularizer, OnWeights):
        return
    samples = _describe_samples()
    for usual, other in TWINS:
        weight = samples[other]
        if regularizer.rule(weight) is not None and regularizer.rule(samples[usual]) is None:
            raise ContractError(
                f"it acts on a {weight.role} of shape {weight.shape} ({other}) and not on one of shape "
                f"{samples[usual].shape} ({usual}): ask for weight.kernel or weight.role, not for the rank"
            )
    rule = regularizer.rule(samples[DENSE])
    if not isinstance(rule, Rule) or _mixes_units(rule, samples[DENSE]):
        return  # law 1 reports what is no rule
    for name in WITH_UNITS:
        weight = samples[name]
        rule = regularizer.rule(weight)
        if isinstance(rule, Rule) and _mixes_units(rule, weight):
            raise ContractError(
                f"what it does to one unit of {name}, shape {weight.shape}, depends on the other units, unlike in a "
                f"dense layer: its units lie along weight.unit_axes, here {weight.unit_axes}"
            )


@functools.cache
def _describe_samples() -> dict[str, Weight]:
    """Return descriptions of weights of every role and of unusual layouts, by layer and name."""
    from keras import layers

    from regzoo.core.weights import describe_weights

    built: list[tuple[Any, tuple[int | None, ...]]] = [
        (layers.Dense(3, name="dense"), (None, 4)),
        (layers.DepthwiseConv2D(2, depth_multiplier=2, name="depthwise"), (None, 5, 5, 3)),
        (layers.Conv2DTranspose(3, 2, name="transposed"), (None, 5, 5, 4)),
        (layers.EinsumDense("abc,cde->abde", (5, 2, 3), bias_axes="de", name="heads"), (None, 5, 4)),
        (layers.GRU(2, name="gru"), (None, 5, 4)),
        (layers.Embedding(6, 4, name="words"), (None, 5)),
        (layers.LayerNormalization(name="norm"), (None, 4)),
        (layers.PReLU(name="prelu"), (None, 5, 4)),
    ]
    for layer, shape in built:
        layer.build(shape)
    weights = [weight for layer, _ in built for _, weight in describe_weights(layer)]
    return {"/".join(weight.path.split("/")[-2:]): weight for weight in weights}


def _mixes_units(rule: Rule, weight: Weight) -> bool:
    """Return True if what ``rule`` does to the other units changes with the last one."""
    values = 10.0 * generator("contract", weight.path).standard_normal(weight.shape).astype(np.float32)
    last = tuple(-1 if axis in weight.unit_axes else slice(None) for axis in range(len(weight.shape)))
    changed = values.copy()
    changed[last] *= 3.0
    first, second = (_apply(rule, each) for each in (values, changed))
    first[last] = second[last] = 0.0
    return not np.allclose(first, second, rtol=1e-5, atol=1e-6 * float(abs(first).max()))  # roundings of a sum


def _apply(rule: Rule, values: Array) -> Array:
    """Return the weight after ``rule``, or of a penalty the gradient."""
    import keras
    import tensorflow as tf

    w = tf.Variable(values)
    if isinstance(rule, Projection):
        result = rule.project(w)
    elif isinstance(rule, Proximal):
        result = rule.prox(w, tf.constant(0.1))
    elif isinstance(rule, Reparametrization):
        result = rule.compute(w)
    elif isinstance(rule, Perturbation):
        result = rule.perturb(w, keras.random.SeedGenerator(0))
    elif isinstance(rule, Companion):
        result = rule.follow(w, rule.start(w), tf.constant(1))[0]
    else:
        with tf.GradientTape() as tape:
            value = rule.value(w) if rule.companion is None else rule.value(w, rule.companion(w) + 1.0)
        result = tape.gradient(value, w, unconnected_gradients="zero")
    return np.array(keras.ops.convert_to_numpy(result))
