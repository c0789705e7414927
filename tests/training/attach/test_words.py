"""Every regularizer on a model of one's own that reads text: it trains, or is refused by name."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import regzoo
from regzoo.core import InputError, regularizers
from regzoo.testing.harness import fix_strengths

TEXTS = tf.constant(["cat dog", "dog", "", "bank price cat dog fish"])


@pytest.fixture(scope="module")
def model() -> Any:
    """Return a model of masked words, read by a recurrent layer and by a convolution."""
    inputs = keras.Input((), dtype="string")
    vectorize = layers.TextVectorization(vocabulary=["cat", "dog", "bank", "price"], output_sequence_length=6)
    tokens = vectorize(inputs)
    recurrent = layers.Bidirectional(layers.GRU(3))(layers.Embedding(6, 4, mask_zero=True)(tokens))
    convolved = layers.Conv1D(4, 3, activation="relu", padding="same")(layers.Embedding(6, 4)(tokens))
    joined = layers.Concatenate()([recurrent, layers.GlobalMaxPooling1D()(convolved)])
    return keras.Model(inputs, layers.Dense(2, activation="softmax")(layers.Dense(4, activation="relu")(joined)))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(regularizers()))
def test_each_acts_or_is_refused_by_name(name: str, model: Any) -> None:
    regularizer = fix_strengths(regularizers()[name]())
    recipe = " + ".join(filter(None, [regularizer.requires_recipe, str(regularizer)]))
    refused = ""
    try:
        attached = regzoo.attach(recipe, model)
    except InputError as error:
        refused = str(error)
    if refused:
        assert name in refused
        return
    probabilities = attached(TEXTS, training=True)
    assert np.isfinite(probabilities).all()
    assert np.sum(probabilities, axis=1) == pytest.approx(np.ones(4), abs=1e-6)
