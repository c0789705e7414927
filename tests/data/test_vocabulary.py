"""Words and tokens as numbers: equal to Keras's TextVectorization, and what is padding."""

from __future__ import annotations

import json

import numpy as np
import pytest

from regzoo.data.vocabulary import TokenRange, Vocabulary, choose_words, count_words, encoder_from_json, split_words

WORDS = "the cat  sat. Don't PANIC! größe Über naïve 東京 кот 42 3.14 a-b x_y “quoted” İstanbul ß '' -- ... 🎉 b c"
PIECES = [*WORDS.split(" "), "tab\nline\r\f\v", "end\u00a0nbsp", "\u2003", "e\u0301"]


def make_texts(count: int) -> np.ndarray:
    """Return seeded texts of odd words, of every white space between them, and some without a word."""
    draw = np.random.default_rng(3)
    spaces = [" ", "  ", "\t", "\n", " \r\n", "\f", "\v", "", "\u00a0"]
    texts = [
        "".join(f"{draw.choice(PIECES)}{draw.choice(spaces)}" for _ in range(draw.integers(0, 12)))
        for _ in range(count)
    ]
    return np.array([*texts, "", " ", "?!", "\u00a0"], dtype=object)


@pytest.mark.slow
@pytest.mark.parametrize(("max_tokens", "length"), [(10_000, 20), (12, 5), (3, 1)])
def test_it_is_keras_text_vectorization(tensorflow: None, max_tokens: int, length: int) -> None:
    import keras

    texts = make_texts(300)
    layer = keras.layers.TextVectorization(max_tokens=max_tokens, output_sequence_length=length)
    layer.adapt(texts[:200].tolist())
    words = choose_words(count_words(texts[:200]), max_tokens)
    assert list(words) == layer.get_vocabulary(include_special_tokens=False)
    assert np.array_equal(Vocabulary(words, length).encode(texts), layer(texts.tolist()).numpy())


def test_texts_are_padded_and_cut_and_unknown_words_share_a_token() -> None:
    vocabulary = Vocabulary(("cat", "the"), 3)
    tokens = vocabulary.encode(np.array(["The CAT!", "a cat sat on the mat", ""], dtype=object))
    assert tokens.tolist() == [[3, 2, 0], [1, 2, 1], [0, 0, 0]]
    assert (vocabulary.size, tokens.dtype.name) == (4, "int32")


def test_words_are_split_at_ascii_white_space_alone() -> None:
    assert split_words("a\u00a0b\tc") == ["a\u00a0b", "c"]


@pytest.mark.parametrize(("padded", "size", "expected"), [(True, 4, [0, 1, 3, 0]), (False, 5, [1, 2, 4, 0])])
def test_tokens_that_training_lacks_are_masked(padded: bool, size: int, expected: list[int]) -> None:
    tokens = TokenRange(3, padded)
    assert tokens.size == size
    assert tokens.encode(np.array([[0, 1, 3, 4]])).tolist() == [expected]
    assert int(tokens.encode(np.array([[3]])).max()) == size - 1  # the table has a row for each


def test_both_survive_json() -> None:
    for encoder in (Vocabulary(("a", "größe"), 7), TokenRange(9, padded=False)):
        assert encoder_from_json(json.loads(json.dumps(encoder.to_json()))) == encoder
    assert encoder_from_json(None) is None
