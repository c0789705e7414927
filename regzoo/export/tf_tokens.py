"""Vocabulary and tokens as TensorFlow operations: `regzoo.data.vocabulary` in the exported graph."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from regzoo.data.vocabulary import Encoder, TokenRange, Vocabulary


def make_vectorizer(vocabulary: Vocabulary) -> keras.layers.TextVectorization:
    """Return Keras's layer that turns texts (batch,) into tokens (batch, length), with the words of ``vocabulary``."""
    layer = keras.layers.TextVectorization(
        output_mode="int", output_sequence_length=vocabulary.length, vocabulary=list(vocabulary.words)
    )
    layer(tf.constant([""]))  # builds it
    return layer


def make_encoder(encoder: Encoder | None) -> Any:
    """Return a function, or a layer, from a raw tensor to tokens; None if there is nothing to encode."""
    if isinstance(encoder, Vocabulary):
        return make_vectorizer(encoder)
    return None if encoder is None else _make_shift(encoder)


def _make_shift(tokens: TokenRange) -> Any:
    def shift(raw: Any) -> Any:
        known = (raw >= 0) & (raw <= tokens.largest)
        return tf.where(known, raw + (0 if tokens.padded else 1), tf.zeros_like(raw))

    return shift
