"""Text and tokens from the data to what a model looks up: reading, fitting on the training part, what is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from regzoo.comparison.setup import make_data_identity, make_setup
from regzoo.config import SplitConfig, from_keywords
from regzoo.core import InputError
from regzoo.data.input_form import InputForm
from regzoo.data.inputs import InputSpec, NamedInputs
from regzoo.data.matching import match_inputs
from regzoo.data.preprocess import prepare_fold, prepare_folds
from regzoo.data.preprocessor import Preprocessor
from regzoo.data.preprocessor_fitting import fit_preprocessor
from regzoo.data.sources import from_arrays, load_csv, load_npz, load_parquet
from regzoo.data.vocabulary import TokenRange, Vocabulary
from regzoo.training.setup import TrainingSetup

TEXTS = ["a red cat", "the cat sat", "A dog ran far away", "?", "cat, cat and dog"]
Y = ["x", "y", "x", "y", "x"]


def fit(x: Any, form: InputForm, rows: list[int], inputs: Any = None) -> tuple[Preprocessor, tuple[str, ...]]:
    """Return the preprocessor of ``x`` fitted on ``rows``, and its sentences."""
    y = np.arange(len(x)) % 2
    data = from_arrays(x, y, form=form, inputs=inputs)
    data, specs = match_inputs(data, inputs)
    return fit_preprocessor(data, np.array(rows), "classification", specs or inputs)


@pytest.mark.parametrize(
    "x",
    [
        TEXTS,
        np.array(TEXTS),
        np.array(TEXTS, dtype=object),
        pd.Series(TEXTS),
        pd.Series(TEXTS, dtype="string"),
        tuple(TEXTS),
    ],
)
def test_one_text_a_row_is_text(x: Any) -> None:
    data = from_arrays(x, Y)
    assert isinstance(data.x, NamedInputs)
    assert (list(data.x.arrays), data.form) == (["text"], InputForm("text"))
    assert data.x.arrays["text"].tolist() == TEXTS


def test_a_column_keeps_its_name_and_missing_cells_are_empty() -> None:
    frame = pd.DataFrame({"review": ["a b", None, "c", "d e", "f"]})
    data = from_arrays(frame, Y, form=InputForm("text"))
    assert isinstance(data.x, NamedInputs)
    assert data.x.arrays["review"].tolist() == ["a b", "", "c", "d e", "f"]
    assert list(from_arrays(pd.Series(TEXTS, name="review"), Y).x.arrays) == ["review"]  # type: ignore[union-attr]


def test_sentences_in_the_only_column_are_text(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    sentences = [f'"word{n}, it is {n % 7} and no more"' for n in range(40)]
    path.write_text("review,y\n" + "".join(f"{text},{n % 2}\n" for n, text in enumerate(sentences)))
    data = load_csv(path, "y")
    assert data.form is not None
    assert data.form.kind == "text"
    assert "column 'review' was read as text, word by word" in data.notes[-1]
    path.write_text("color,y\n" + "".join(f"{'dark red' if n % 3 else 'light blue'},{n % 2}\n" for n in range(40)))
    assert load_csv(path, "y").form is None  # two categories
    path.write_text("review,n,y\n" + "".join(f"{text},{n % 5},{n % 2}\n" for n, text in enumerate(sentences)))
    assert load_csv(path, "y").form is None
    with pytest.raises(
        InputError,
        match=r"one text a row.*received the columns 'review' and 'n'; leave out all but 'review': data\.drop: \[n\]",
    ):
        load_csv(path, "y", form=InputForm("text"))
    assert load_csv(path, "y", drop="n", form=InputForm("text")).form == InputForm("text")


@pytest.mark.parametrize(
    ("x", "kind", "message"),
    [
        (np.ones((5, 2)), "text", "takes one text a row"),
        ([["a", "b"]] * 5, "text", r"received lists of words; join them: x = \[' '\.join\(words\) for words in x\]"),
        ([["a"], *[["a", "b"]] * 4], None, r"received lists of words; join them"),
        (np.array([["a", "b"]] * 5), "text", r"received the shape \(5, 2\)"),
        ([b"\xff", *TEXTS[1:]], "text", r"row 1 holds b'\\xff', which is no text in UTF-8"),
        (
            [[1], [2, 3], *[[4]] * 3],
            None,
            r"may have different lengths \(data.kind: tokens.*keras\.utils\.pad_sequences",
        ),
        (
            np.array([[1], [2, 3], *[[4]] * 3], dtype=object),
            "sequences",
            "the rows of x have different lengths, or are lists",
        ),
        ([[1], [2, 0], *[[4]] * 3], "tokens", "padded with 0, and row 2 holds the token 0; number the tokens from 1"),
        ([[1], [2, 0.5], *[[4]] * 3], "tokens", "row 2 holds .*tokens .data.kind. are whole numbers"),
        ([[1], [2, 3], None, [4], [5]], "tokens", "row 3 holds None .NoneType., and others a list of tokens"),
        ([[1], [2, [3]], *[[4]] * 3], "tokens", "row 2"),
        (pd.Series([[]] * 5), "tokens", "no row has a token"),
        ({"a": TEXTS}, "text", "received a dict"),
        (np.full((5, 3), 0.5), "tokens", "whole numbers, received 0.5 in row 1"),
        (pd.DataFrame({"a": TEXTS}), "tokens", "column 'a' is categorical"),
        (TEXTS, "sequences", "takes numbers, received text"),
    ],
)
def test_other_inputs_are_refused(x: Any, kind: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_arrays(x, Y, form=InputForm(kind))


def test_limits_go_with_text() -> None:
    with pytest.raises(InputError, match=r"data\.max_tokens goes with text"):
        from_arrays(np.ones((5, 2)), Y, form=InputForm(max_tokens=9))


def test_the_vocabulary_is_that_of_the_training_part() -> None:
    preprocessor, sentences = fit(TEXTS, InputForm(), [0, 1, 3])
    (rule,) = preprocessor.inputs
    assert rule.encoder == Vocabulary(("cat", "the", "sat", "red", "a"), 3)  # Keras's order: equals backwards
    assert (preprocessor.input_shape, preprocessor.vocabulary_size) == ((3,), 7)
    assert sentences == (
        "'text': texts became up to 3 tokens each, of a vocabulary of 5 words of the training part",
        "'text': 2 of 5 texts have more words, the longest 5, and are cut (sequence_length)",
        "'text': 1 of 5 texts have no word",
        "'text': 67% of the words outside the training part are not in it, and count as one unknown word",
    )
    x = NamedInputs({"text": np.array(["The red fox", ""], dtype=object)})
    assert preprocessor.transform(x).tolist() == [[3, 5, 1], [0, 0, 0]]
    read = Preprocessor.from_json(preprocessor.to_json())
    assert read == preprocessor
    assert read.transform(read.inputs_from_json(x.tolist())).tolist() == [[3, 5, 1], [0, 0, 0]]


def test_limits_of_text() -> None:
    preprocessor, sentences = fit(TEXTS, InputForm(max_tokens=4, sequence_length=2), [0, 1, 2, 4])
    assert preprocessor.inputs[0].encoder == Vocabulary(("cat", "dog"), 2)
    assert any("8 rarer words of the training part share the unknown one" in sentence for sentence in sentences)


def test_texts_without_words_are_refused() -> None:
    with pytest.raises(InputError, match="'text' has no word in any of 3 training texts"):
        fit(["?", "!", "...", "a", "b"], InputForm(), [0, 1, 2])


@pytest.mark.parametrize(
    ("tokens", "expected", "said"),
    [
        ([[1, 2, 0], [3, 0, 0], [1, 1, 1]], TokenRange(3, padded=True), "0 at the ends of 2 of 3 sequences is padding"),
        ([[0, 1, 2], [3, 0, 0], [1, 1, 1]], TokenRange(3, padded=True), "0 at the ends of 2"),
        (
            [[1, 0, 2], [3, 0, 0], [1, 1, 1]],
            TokenRange(3, padded=False),
            "0 stands between other tokens, first in row 1",
        ),
        (
            [[1, 2, 2], [3, 1, 1], [1, 1, 7]],  # 0 would be padding
            TokenRange(3, padded=True),
            "1 tokens outside the training part are above",
        ),
    ],
)
def test_zero_is_padding_unless_it_stands_between_tokens(tokens: Any, expected: TokenRange, said: str) -> None:
    preprocessor, sentences = fit(np.array(tokens), InputForm("tokens"), [0, 1])
    assert preprocessor.inputs[0].encoder == expected
    assert said in " ".join(sentences)
    assert preprocessor.input_shape == (3,)


RAGGED = [[3, 1], [2], [], [1, 1, 4], [5]]


@pytest.mark.parametrize(
    "x",
    [
        RAGGED,
        tuple(map(tuple, RAGGED)),
        [np.array(row, dtype=np.uint8) for row in RAGGED],
        [[float(token) for token in row] for row in RAGGED],
        pd.Series(RAGGED),
        pd.Series([np.array(row) for row in RAGGED]).to_numpy(),
        pd.DataFrame({"ids": RAGGED}),
    ],
    ids=["lists", "tuples", "arrays", "floats", "series", "objects", "frame"],
)
def test_tokens_of_different_lengths_are_padded(x: Any) -> None:
    data = from_arrays(x, Y, form=InputForm("tokens"))
    assert isinstance(data.x, NamedInputs)
    assert data.x.arrays["tokens"].tolist() == [[3, 1, 0], [2, 0, 0], [0, 0, 0], [1, 1, 4], [5, 0, 0]]
    assert data.notes == ("sequences of 0 to 3 tokens were padded with 0 at their ends",)


def test_lists_of_arrow_are_padded() -> None:
    arrow = pytest.importorskip("pyarrow")
    lists = pd.Series(RAGGED, dtype=pd.ArrowDtype(arrow.list_(arrow.int64())))
    test_tokens_of_different_lengths_are_padded(pd.DataFrame({"ids": lists}))


def test_lists_in_a_file(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    pd.DataFrame({"ids": RAGGED, "y": Y}).to_parquet(tmp_path / "a.parquet")
    data = load_parquet(tmp_path / "a.parquet", "y", form=InputForm("tokens"))
    assert isinstance(data.x, NamedInputs)
    assert data.x.arrays["tokens"].shape == (5, 3)
    pd.DataFrame({"ids": RAGGED, "n": range(5), "y": Y}).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(InputError, match="column 'ids'"):
        load_parquet(tmp_path / "b.parquet", "y", form=InputForm("tokens"))


@pytest.mark.parametrize(
    "x",
    [
        [None, *TEXTS[1:]],
        np.array([np.nan, *TEXTS[1:]], dtype=object),
        [b"", *TEXTS[1:]],
        np.array(["", *TEXTS[1:]], "S"),
    ],
)
def test_bytes_and_missing_texts_are_text(x: Any) -> None:
    data = from_arrays(x, Y)
    assert isinstance(data.x, NamedInputs)
    assert data.x.arrays["text"].tolist() == ["", *TEXTS[1:]]


@pytest.mark.parametrize(("token", "message"), [(-1, "count tokens from 0"), (10**7, "number them from 1 on")])
def test_tokens_without_a_vector_are_refused(token: int, message: str) -> None:
    with pytest.raises(InputError, match=rf"'tokens' holds the token {token} in row 2.*{message}"):
        fit(np.array([[1, 2], [3, token], [1, 1]]), InputForm("tokens"), [0])


def test_a_model_of_ones_own_takes_text_as_tokens_or_as_it_is() -> None:
    form = InputForm("text", max_tokens=6)
    ids = (InputSpec("ids", (None,), "int32"),)
    preprocessor, _ = fit(TEXTS, form, [0, 1, 2], ids)
    assert (preprocessor.specs, preprocessor.raw_specs) == (
        (InputSpec("text", (5,), "int32"),),
        (InputSpec("text", (), "string"),),
    )
    assert (preprocessor.input_shape, preprocessor.vocabulary_size) == ((), 0)  # its own table decides
    fixed, _ = fit(TEXTS, form, [0, 1, 2], (InputSpec("ids", (4,), "int64"),))
    assert fixed.transform(NamedInputs({"text": np.array(TEXTS, dtype=object)})).shape == (5, 4)
    unknown, _ = fit(TEXTS, form, [0, 1, 2], ())
    assert unknown.specs == preprocessor.specs

    words = (InputSpec("words", (), "string"),)
    text, _ = fit(TEXTS, InputForm("text"), [0, 1, 2], words)
    assert text.specs == words
    with pytest.raises(InputError, match=r"has a vocabulary of its own; leave out data\.max_tokens"):
        fit(TEXTS, form, [0, 1, 2], words)
    with pytest.raises(InputError, match=r"begin it with keras\.Input"):
        fit(TEXTS, InputForm("text"), [0, 1, 2], (InputSpec("x", (5,), "float32"),))
    with pytest.raises(InputError, match=r"sequence_length is 9, and the model's input 'ids' .* takes \(4,\)"):
        fit(TEXTS, InputForm("text", sequence_length=9), [0, 1, 2], (InputSpec("ids", (4,), "int32"),))


def test_each_fold_has_a_vocabulary_of_its_own() -> None:
    texts = [" ".join(f"word{n * k % 83}" for k in range(1, 2 + n % 5)) for n in range(60)]
    data = prepare_folds(from_arrays(texts, np.arange(60) % 2), SplitConfig(folds=3), 0, count=3)
    experiment = from_keywords(backbone="transformer", recipes=["none"], split={"folds": 3}, replicates=3)
    setup = make_setup(experiment, data)
    sizes = [len(prepared.preprocessor.inputs[0].encoder.words) + 2 for prepared in (data, *data.folds)]  # type: ignore[union-attr]
    assert len(set(sizes)) > 1
    read = TrainingSetup.from_json(json.loads(json.dumps(setup.to_json())))
    assert [read.for_fold(number).vocabulary_size for number in range(3)] == sizes
    assert (read, read.inputs) == (setup, ())


@pytest.mark.parametrize("settings", [{}, {"folds": 3}, {"folds": 3, "train_size": 20}])
@pytest.mark.parametrize("grouped", [False, True])
def test_words_of_other_parts_are_unknown_in_every_split(settings: dict[str, Any], grouped: bool) -> None:
    """Each row has a word of its own, so the vocabulary tells from which rows it is."""
    texts, y = [f"row{number} shared" for number in range(60)], np.arange(60) % 2
    groups = np.arange(60) // 4 if grouped else None
    folds = settings.get("folds", 1)
    data = prepare_folds(from_arrays(texts, y, groups=groups), SplitConfig(**settings), 0, count=folds)
    for prepared in data.folds or (data,):
        encoder = prepared.preprocessor.inputs[0].encoder
        assert isinstance(encoder, Vocabulary)
        assert set(encoder.words) == {"shared", *(f"row{number}" for number in prepared.split.train)}


def test_limits_of_text_are_part_of_the_identity_of_data() -> None:
    given: tuple[dict[str, Any], ...] = ({}, {"max_tokens": 9}, {"sequence_length": 9}, {"kind": "text"})
    texts = [make_data_identity("0", from_keywords(backbone="transformer", recipes=["none"], **each)) for each in given]
    assert len(set(texts)) == 3
    assert texts[0] == texts[3]  # the digest of the data tells kinds apart


def test_archives_and_parts(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    tokens, y = draw.integers(1, 9, (60, 5)), np.arange(60) % 2
    np.savez(tmp_path / "a.npz", x=tokens, y=y)
    data = load_npz(tmp_path / "a.npz", form=InputForm("tokens"))
    prepared = prepare_fold(data, SplitConfig(), 0)
    assert prepared.facts["inputs"] == "'tokens', sequences of 5 tokens"
    assert np.array_equal(prepared.train[0], tokens[prepared.split.train])
    assert load_npz(tmp_path / "a.npz").kind == "rows"  # without a word, whole numbers are columns
    with pytest.raises(InputError, match="reconstruction takes numbers, and the data holds tokens"):
        prepare_fold(data, SplitConfig(), 0, "reconstruction")
