"""Numbers in place of words: a vocabulary of training texts, or the range of tokens that are numbers already.

The exported model does the same in TensorFlow: regzoo/export/tf_tokens.py.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PADDING, UNKNOWN = 0, 1
"""Tokens of no word, and of a word that the vocabulary lacks; as in `keras.layers.TextVectorization`."""

MAX_TOKENS = 10_000
"""Size of a vocabulary at most, by default."""

MAX_WORDS = 256
"""Words that are read of a text at most, by default."""

_PUNCTUATION = re.compile(rb"[!\"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~']")


def split_words(text: str) -> list[str]:
    """Return the words of a text as `keras.layers.TextVectorization` does by default.

    ASCII letters become lower case, ASCII punctuation is taken out, and ASCII white space separates words.

    >>> split_words("Don't panic: 42, my friend!")
    ['dont', 'panic', '42', 'my', 'friend']
    """
    return [word.decode() for word in _PUNCTUATION.sub(b"", text.encode().lower()).split()]


def are_sentences(cells: Sequence[Any]) -> bool:
    """Return True if most of the ``cells`` are texts of several words."""
    return 2 * sum(isinstance(cell, str) and len(split_words(cell)) > 1 for cell in cells) > len(cells)


@dataclass(frozen=True)
class Vocabulary:
    """The words of the training texts, each with a number.

    Attributes:
        words: the words of the tokens 2, 3, ...: the most frequent ones first.
        length: number of words that are read of a text; shorter texts are padded at the end.
    """

    words: tuple[str, ...]
    length: int

    @property
    def size(self) -> int:
        """Number of different tokens, padding and the unknown word included."""
        return len(self.words) + 2

    def encode(self, texts: NDArray[Any]) -> NDArray[np.int32]:
        """Return the tokens (n, length) of ``texts`` (n,)."""
        numbers = {word: number for number, word in enumerate(self.words, UNKNOWN + 1)}
        tokens = np.full((len(texts), self.length), PADDING, np.int32)
        for row, text in zip(tokens, texts, strict=True):
            words = split_words(text)[: self.length]
            row[: len(words)] = [numbers.get(word, UNKNOWN) for word in words]
        return tokens

    def to_json(self) -> dict[str, Any]:
        """Return JSON values that `encoder_from_json` reads."""
        return {"words": list(self.words), "length": self.length}


@dataclass(frozen=True)
class TokenRange:
    """Tokens that are whole numbers from 0.

    Attributes:
        largest: the largest token of the training rows; larger ones are unknown, and masked as padding is.
        padded: whether 0 is padding. If it is a token like others, all tokens are one higher for the model.
    """

    largest: int
    padded: bool

    @property
    def size(self) -> int:
        """Number of different tokens, padding included."""
        return self.largest + (1 if self.padded else 2)

    def encode(self, tokens: NDArray[Any]) -> NDArray[np.int32]:
        """Return raw ``tokens`` (n, steps) as a model takes them, 0 for padding and what training does not have."""
        known = (tokens >= 0) & (tokens <= self.largest)
        return np.where(known, tokens + (0 if self.padded else 1), PADDING).astype(np.int32)

    def to_json(self) -> dict[str, Any]:
        """Return JSON values that `encoder_from_json` reads."""
        return {"largest": self.largest, "padded": self.padded}


Encoder = Vocabulary | TokenRange


def encoder_from_json(values: Mapping[str, Any] | None) -> Encoder | None:
    """Read what ``to_json`` returned; None if there is none."""
    if values is None:
        return None
    if "words" in values:
        return Vocabulary(tuple(values["words"]), values["length"])
    return TokenRange(values["largest"], values["padded"])


def count_words(texts: Iterable[str]) -> Counter[str]:
    """Return how often each word occurs."""
    return Counter(word for text in texts for word in split_words(text))


def choose_words(counts: Mapping[str, int], max_tokens: int = MAX_TOKENS) -> tuple[str, ...]:
    """Return the words of a vocabulary of ``max_tokens`` at most, in the order in which Keras's ``adapt`` has them.

    The most frequent come first, and of equals the last in the order of their bytes.

    >>> choose_words({"a": 1, "b": 3, "c": 1}, 4)
    ('b', 'c')
    """
    ordered: Sequence[tuple[str, int]] = sorted(counts.items(), key=lambda each: (each[1], each[0].encode()))
    return tuple(word for word, _ in reversed(ordered))[: max_tokens - 2]
